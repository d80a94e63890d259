import { expect, test } from "vitest";
import { FAULT_NAMES } from "./world/fault-names.ts";
import { simulate, type SimulationReport } from "./world/simulation.ts";

const SEEDS = 200;
const FIRST_SEED = 1;

/**
 * The same seeds in every run, so that a red result means a change and not bad
 * luck; `npm run simulate -- --count N` looks for news with fresh ones.
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
  for (const outcome of ["sold_out", "limit_reached", "hold_expired", "coupon_used_up"]) expect([outcome, sum((report) => report.refusals[outcome] ?? 0) > 0]).toEqual([outcome, true]);
  expect(sum((report) => report.lateRefused)).toBeGreaterThan(0);
  expect(sum((report) => report.lateSold)).toBeGreaterThan(0);
}, 60_000);

test("a seed replays the same run, to the last hash of the record", async () => {
  const [first, again] = [await simulate(7), await simulate(7)];
  expect(again).toEqual(first);
  expect((await simulate(8)).recordHash).not.toBe(first.recordHash);
});
