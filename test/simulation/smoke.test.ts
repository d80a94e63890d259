import { describe, expect, test } from "vitest";
import { PLANTED_BUGS } from "../planted/bugs.ts";
import { Plot, rotten } from "../planted/plot.ts";
import { proveSplits } from "./splits.ts";
import { FAULT_NAMES } from "./world/fault-names.ts";
import { simulate, type SimulationReport } from "./world/simulation.ts";

const SEEDS = 200;
const FIRST_SEED = 1;
const SPLITS = 20_000;

/**
 * The same seeds in every run, so that a red result means a change and not bad
 * luck; `npm run simulate -- --seeds N` looks for news with fresh ones.
 */
test("two hundred drops in which everything goes wrong keep every promise at every step, and all of them end", async () => {
  console.log(`simulation: seeds ${FIRST_SEED} to ${FIRST_SEED + SEEDS - 1}`);
  const reports: SimulationReport[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) reports.push(await simulate(seed));
  const sum = (of: (report: SimulationReport) => number) => reports.reduce((total, report) => total + of(report), 0);

  const strikes = FAULT_NAMES.map((name) => [name, sum((report) => report.faults[name])] as const);
  console.log(`simulation: ${sum((report) => report.steps)} steps, ${sum((report) => report.sold)} units sold, ${sum((report) => report.lateSold)} by late money; ${strikes.map(([name, count]) => `${name} ${count}`).join(", ")}`);
  // A fault that never struck was not survived.
  for (const [name, count] of strikes) expect([name, count > 0]).toEqual([name, true]);
  // And neither was a race that nobody ran.
  for (const outcome of ["sold_out", "limit_reached", "hold_expired", "coupon_used_up", "too_many_requests", "limit_reached per address"]) expect([outcome, sum((report) => report.refusals[outcome] ?? 0) > 0]).toEqual([outcome, true]);
  expect(sum((report) => report.lateRefused)).toBeGreaterThan(0);
  expect(sum((report) => report.lateSold)).toBeGreaterThan(0);
  expect(sum((report) => report.cardRefused)).toBeGreaterThan(0);
  // Somebody came for what was kept for others.
  expect(sum((report) => report.keptFromOthers)).toBeGreaterThan(0);
  // Where honest people came in the end, everything was sold; several commands shared one write, and several messages one batch.
  expect(sum((report) => (report.isSoldOut ? 1 : 0))).toBeGreaterThan(SEEDS / 10);
  expect(Math.max(...reports.map((report) => report.groupMax))).toBeGreaterThan(2);
  expect(Math.max(...reports.map((report) => report.batchMax))).toBeGreaterThan(4);
}, 60_000);

test("the seeds that once found something find nothing any more", async () => {
  // 7989: the drop had sold, its answer was lost, the drop was cancelled, and settlement let the money go without knowing of the sale.
  // 3589: the same with an order that cost nothing, whose goods then never came back.
  // 4147: a unit stayed unsold while people wanted it. They shared a network whose budget of unpaid holds somebody had used up, which the
  // budget is for: the simulator's honest people had to come from home. Other seeds meet that budget as well; this one met it at the end.
  // 4407: a drop said that it was open, its clock was set back, and the opening was put off: people joined before it whose line was sealed.
  for (const seed of [3589, 4147, 4407, 7989]) expect((await simulate(seed)).steps).toBeGreaterThan(0);
});

test("a seed replays the same run, to the last hash of the record", async () => {
  const [first, again] = [await simulate(7), await simulate(7)];
  expect(again).toEqual(first);
  expect((await simulate(8)).recordHash).not.toBe(first.recordHash);
});

test("twenty thousand random splits in currencies with 0, 2 and 3 decimals lose nothing", () => {
  const { splits, byDecimals, withRemainder, ledgers } = proveSplits(SPLITS, 1);
  console.log(`splits: ${splits}, ${withRemainder} uneven, ${ledgers} through the ledger`);
  for (const decimals of [0, 2, 3]) expect(byDecimals[decimals]).toBeGreaterThan(SPLITS / 5);
  expect(withRemainder).toBeGreaterThan(SPLITS / 2);
}, 20_000);

describe("the planted bugs", () => {
  test("are all still in the sources as they are listed", () => {
    expect(rotten(PLANTED_BUGS)).toEqual([]);
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(24);
  });

  test("of the short list are each caught by the simulator", async () => {
    const sample = PLANTED_BUGS.filter((bug) => bug.isSample === true);
    expect(sample.length).toBe(7);
    const plot = new Plot();
    try {
      for (const bug of sample) {
        const { name, by, seconds } = await plot.grow(bug, 60);
        console.log(`planted: ${name}: ${by ?? "not caught"} (${seconds.toFixed(1)} s)`);
        expect([name, by]).toEqual([name, expect.stringMatching(/^seed \d+: /)]);
      }
    } finally {
      plot.remove();
    }
  }, 60_000);
});
