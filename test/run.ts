import { readdirSync } from "node:fs";
import path from "node:path";
import { PROJECT } from "./support/sources.ts";
import { endSuites, programSuite, runSuite, vitestSuite, type Suite, type SuiteOutcome } from "./support/suites.ts";

/*
 * npm test                       everything
 * node test/run.ts unit served   only the suites of these names
 *
 * The quick checks come first. After the build, one lane plays with the served
 * product, four files at a time, one runs inside workerd, and one in plain Node:
 * much of the first waits for the clock.
 */

const workerConfigs = readdirSync(path.join(PROJECT, "test", "workers")).filter((name) => name.endsWith(".vitest.ts"));
const project = (name: string) => vitestSuite(name, ["--project", name]);

const QUICK: readonly Suite[] = [
  programSuite("types", ["tsc", "-p", "."], ["tsc", "-p", "tsconfig.pure.json"]),
  programSuite("lint", ["oxlint", "--type-aware"]),
  programSuite("fence", ["node", "test/fence.ts"]),
  programSuite("file-length", ["node", "test/file-length.ts"]),
  programSuite("knip", ["knip"]),
];
const BUILD = programSuite("build", ["node", "src/cli/build.ts"]);
const SERVED: readonly Suite[] = [vitestSuite("served", ["--project", "http", "--project", "browser"])];
const INSIDE: readonly Suite[] = [vitestSuite("workers", ...workerConfigs.map((name) => ["--config", `test/workers/${name}`]))];
const PLAIN: readonly Suite[] = [project("unit"), project("simulation"), project("contract")];
const SUITES = [...QUICK, BUILD, ...SERVED, ...INSIDE, ...PLAIN];

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`There is no suite ${unknown.join(", ")}. The suites are ${SUITES.map(({ name }) => name).join(", ")}.\n`);
    process.exitCode = 1;
    return;
  }
  const isWanted = (suite: Suite) => names.length === 0 || names.includes(suite.name);
  const startedAt = performance.now();
  const outcomes: SuiteOutcome[] = [];
  const runAll = async (suites: readonly Suite[]): Promise<void> => {
    for (const suite of suites.filter(isWanted)) {
      process.stdout.write(`… ${suite.name}\n`);
      const outcome = await runSuite(suite);
      outcomes.push(outcome);
      tell(outcome);
    }
  };
  await runLanes(QUICK, runAll);
  await runAll([BUILD]);
  await Promise.all([runAll(SERVED), runAll(INSIDE), runAll(PLAIN)]);
  summarise(outcomes, (performance.now() - startedAt) / 1_000);
}

/** Two at a time: there are two cores. */
async function runLanes(suites: readonly Suite[], runAll: (suites: readonly Suite[]) => Promise<void>): Promise<void> {
  const waiting = [...suites];
  const lane = async () => {
    for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift()) await runAll([suite]);
  };
  await Promise.all([lane(), lane()]);
}

function tell({ name, passed, failed, skipped, seconds, output }: SuiteOutcome): void {
  const isGood = failed === 0;
  process.stdout.write(`${isGood ? "✓" : "✗"} ${name}: ${countsText({ passed, failed, skipped })} (${seconds.toFixed(1)} s)\n`);
  if (!isGood) process.stdout.write(`${output.trimEnd()}\n`);
}

function summarise(outcomes: readonly SuiteOutcome[], seconds: number): void {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const width = Math.max(...outcomes.map(({ name }) => name.length), 5);
  const lines = outcomes.map(({ name, passed, failed, skipped, seconds: took }) => {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
    return `${failed === 0 ? "✓" : "✗"} ${name.padEnd(width)} ${String(passed).padStart(6)} passed ${String(failed).padStart(4)} failed ${String(skipped).padStart(4)} skipped ${took.toFixed(1).padStart(7)} s`;
  });
  process.stdout.write(`\n${lines.join("\n")}\n\n${seconds.toFixed(0)} s in all\n${countsText(total)}\n`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

function countsText({ passed, failed, skipped }: { readonly passed: number; readonly failed: number; readonly skipped: number }): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    endSuites();
    process.exit(1);
  });
}
await main(process.argv.slice(2));
