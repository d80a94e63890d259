import { parseArgs } from "node:util";
import { FAULT_NAMES } from "./world/fault-names.ts";
import { simulate, type SimulationReport } from "./world/simulation.ts";

/*
 * npm run simulate -- --seed N               replays one run; with --trace step by step
 * npm run simulate -- --seed N --seeds M     runs M seeds from N on (without N: from a fresh one)
 *                     --steps S              each of them must take at least S steps
 *
 * Stops at the first failure, with one line that replays it.
 */

/** From so many worlds on, a fault that never struck is a failure: nothing was proved about it. */
const ENOUGH_SEEDS = 100;

const { values } = parseArgs({ options: { seed: { type: "string" }, seeds: { type: "string" }, steps: { type: "string" }, trace: { type: "boolean" } } });

async function main(): Promise<boolean> {
  const first = values.seed === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(values.seed);
  const seeds = values.seeds === undefined ? 1 : Number(values.seeds);
  const stepsMin = values.steps === undefined ? 0 : Number(values.steps);
  if (![first, seeds, stepsMin].every((value) => Number.isSafeInteger(value) && value >= 0) || seeds < 1) throw new Error("--seed, --seeds and --steps are whole numbers");
  // Before anything runs: a run that never ends is replayed by it as well.
  console.log(`seed ${first}${seeds === 1 ? "" : ` and the ${seeds - 1} after it`}`);
  const reports: SimulationReport[] = [];
  const startedAt = performance.now();
  for (let seed = first; seed < first + seeds; seed++) {
    try {
      const report = await simulate(seed, values.trace === true ? (line) => console.log(line) : undefined);
      if (report.steps < stepsMin) throw new Error(`a run of ${report.steps} steps is shorter than the ${stepsMin} that were asked for; replay: npm run simulate -- --seed ${seed}`);
      reports.push(report);
    } catch (error) {
      console.error(error instanceof Error ? `FAILED ${error.message}\n${error.cause instanceof Error ? (error.cause.stack ?? "") : ""}` : error);
      return false;
    }
    if (reports.length % 500 === 0 && seeds > 500) console.log(`  ${reports.length} of ${seeds} seeds, ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
  }
  return summarise(reports, (performance.now() - startedAt) / 1_000);
}

function summarise(reports: readonly SimulationReport[], seconds: number): boolean {
  const sum = (of: (report: SimulationReport) => number) => reports.reduce((total, report) => total + of(report), 0);
  const steps = sum((report) => report.steps);
  const shortest = reports.reduce((least, report) => Math.min(least, report.steps), Number.POSITIVE_INFINITY);
  const largest = reports.reduce((most, report) => Math.max(most, report.groupMax), 0);
  console.log(`${reports.length} seeds, ${steps} steps (at least ${shortest} each), ${seconds.toFixed(1)} s, ${Math.round(steps / seconds)} steps/s`);
  console.log(`  ${sum((report) => report.rows)} rows of record, ${sum((report) => report.orders)} orders, ${sum((report) => report.sold)} units sold`);
  console.log(`  late money: ${sum((report) => report.lateSold)} took their units again, ${sum((report) => report.lateRefused)} refused; ${sum((report) => (report.isSoldOut ? 1 : 0))} worlds sold out to honest people; up to ${largest} commands in one write`);
  console.log(`  plans: ${sum((report) => report.planChanges)} changes published`);
  console.log(`  lanes: ${sum((report) => report.keptFromOthers)} times what was there was kept for others`);
  const strikes = FAULT_NAMES.map((name) => [name, sum((report) => report.faults[name])] as const);
  console.log(strikes.map(([name, count]) => `  ${name} ${count}`).join("\n"));
  const never = strikes.filter(([, count]) => count === 0).map(([name]) => name);
  if (never.length === 0 || reports.length < ENOUGH_SEEDS) return true;
  console.error(`FAILED these faults never struck: ${never.join(", ")}`);
  return false;
}

process.exitCode = (await main()) ? 0 : 1;
