import { parseArgs } from "node:util";
import { FAULT_NAMES } from "./world/fault-names.ts";
import { simulate, type SimulationReport } from "./world/simulation.ts";

/*
 * npm run simulate -- --seed N     replays one run, step by step with --trace
 * npm run simulate -- --count N    runs N seeds from --seed on (default: a fresh one)
 */

const { values } = parseArgs({ options: { seed: { type: "string" }, count: { type: "string" }, trace: { type: "boolean" } } });
const first = values.seed === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(values.seed);
const count = values.count === undefined ? 1 : Number(values.count);

if (!Number.isInteger(first) || first < 0 || !Number.isInteger(count) || count < 1) throw new Error("--seed is a whole number from 0, --count one from 1");

const reports: SimulationReport[] = [];
let hasFailed = false;
for (let seed = first; seed < first + count && !hasFailed; seed++) {
  // Before anything runs: a run that never ends is replayed by it as well.
  if (count === 1) console.log(`seed ${seed}`);
  try {
    reports.push(await simulate(seed, values.trace === true ? (line) => console.log(line) : undefined));
  } catch (error) {
    hasFailed = true;
    console.error(error instanceof Error ? `${error.message}\n${error.cause instanceof Error ? (error.cause.stack ?? "") : ""}` : error);
  }
}
const sum = (of: (report: SimulationReport) => number) => reports.reduce((total, report) => total + of(report), 0);
console.log(`${reports.length} runs: ${sum((report) => report.steps)} steps, ${sum((report) => report.rows)} rows of record, ${sum((report) => report.sold)} units sold, ${sum((report) => report.orders)} orders`);
for (const name of FAULT_NAMES) console.log(`  ${name}: ${sum((report) => report.faults[name])}`);
process.exitCode = hasFailed ? 1 : 0;
