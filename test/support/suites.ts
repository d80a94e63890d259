import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PROJECT } from "./sources.ts";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface SuiteOutcome extends Counts {
  readonly name: string;
  readonly seconds: number;
  /** What the suite's own program said; shown when it failed. */
  readonly output: string;
}

export interface Suite {
  readonly name: string;
  run(): Promise<Counts & { readonly output: string }>;
}

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

const SUITE_LIMIT_MS = 480_000;
const children = new Set<ChildProcess>();

/** Runs a suite and times it; a suite whose program fails without a failed test counts as one failure. */
export async function runSuite(suite: Suite): Promise<SuiteOutcome> {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1_000;
  try {
    return { name: suite.name, ...await suite.run(), seconds: seconds() };
  } catch (error) {
    return { name: suite.name, passed: 0, failed: 1, skipped: 0, output: error instanceof Error ? error.message : String(error), seconds: seconds() };
  }
}

/** A suite of one: a program that succeeds or does not. */
export function programSuite(name: string, ...commands: readonly (readonly [program: string, ...parameters: string[]])[]): Suite {
  return {
    name,
    async run() {
      let output = "";
      for (const [program, ...parameters] of commands) {
        const ended = await run(program, parameters);
        output += ended.output;
        if (ended.status !== 0) return { passed: 0, failed: 1, skipped: 0, output };
      }
      return { passed: 1, failed: 0, skipped: 0, output };
    },
  };
}

/** A suite of Vitest runs, each with its own parameters, counted together. */
export function vitestSuite(name: string, ...runs: readonly (readonly string[])[]): Suite {
  return {
    name,
    async run() {
      const total = { passed: 0, failed: 0, skipped: 0, output: "" };
      for (const parameters of runs) {
        const counts = await runVitest(parameters);
        total.passed += counts.passed;
        total.failed += counts.failed;
        total.skipped += counts.skipped;
        total.output += counts.output;
      }
      if (total.passed + total.failed > 0) return total;
      // Nothing ran: that is how a renamed folder or a broken pattern looks, and it must not look green.
      return { ...total, failed: 1, output: `${total.output}\nThis suite ran no test.` };
    },
  };
}

async function runVitest(parameters: readonly string[]): Promise<Counts & { readonly output: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), "tranche-suite-"));
  const report = path.join(folder, "report.json");
  try {
    const { status, output } = await run("vitest", ["run", ...parameters, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]);
    const counts = readReport(report);
    const isBroken = status !== 0 && counts.failed === 0;
    return { ...counts, failed: counts.failed + (isBroken ? 1 : 0), output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file: string): Counts {
  let report: unknown;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
  const count = (name: string): number => {
    const value: unknown = typeof report === "object" && report !== null ? Reflect.get(report, name) : undefined;
    return typeof value === "number" ? value : 0;
  };
  return { passed: count("numPassedTests"), failed: count("numFailedTests"), skipped: count("numPendingTests") + count("numTodoTests") };
}

function run(program: string, parameters: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: `${path.join(PROJECT, "node_modules", ".bin")}${path.delimiter}${process.env["PATH"] ?? ""}`, WRANGLER_SEND_METRICS: "false", FORCE_COLOR: "0" };
    // A group of its own, so that a suite that hangs can be ended with everything that it started.
    const child = spawn(program, parameters, { cwd: PROJECT, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    children.add(child);
    let output = "";
    const timer = setTimeout(() => {
      output += `\nThis took longer than ${SUITE_LIMIT_MS / 1_000} s and was ended.\n`;
      endGroup(child);
    }, SUITE_LIMIT_MS);
    const settle = (status: number | null) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ status, output });
    };
    child.stdout.on("data", (chunk: Buffer) => { output += chunk.toString(); });
    child.stderr.on("data", (chunk: Buffer) => { output += chunk.toString(); });
    child.once("error", (error) => { output += error.message; settle(null); });
    child.once("close", settle);
  });
}

/** Ends whatever suites still run. */
export function endSuites(): void {
  for (const child of children) endGroup(child);
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself in the meantime.
  }
}
