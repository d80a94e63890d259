import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import { PROJECT } from "../../support/sources.ts";
import { median } from "../rounds.ts";
import { freePort } from "../runtimes.ts";
import { atMost, type Row } from "../table.ts";

const LIMIT_MS = 60_000;

/** `npm start -- --json` with everything built, from the call to the line that says where everything is. */
export async function measureStart(dataFolder: string, rounds: number, tell: (line: string) => void): Promise<Row[]> {
  const seconds: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const took = await startOnce(path.join(dataFolder, "start"));
    tell(round === 0 ? `first start: ${took.toFixed(2)} s` : `start ${round} of ${rounds}: ${took.toFixed(2)} s`);
    // The first one makes the data folder.
    if (round > 0) seconds.push(took);
  }
  const middle = median(seconds);
  return [{ what: "a warm start, to the first line of npm start -- --json", figure: `${middle.toFixed(2)} s`, detail: `the median of ${seconds.map((value) => value.toFixed(2)).join(", ")} s, npm included`, goal: atMost(middle, 3, "s") }];
}

const running = new Set<ChildProcess>();

/** Ends what was started and still runs, with everything that it started. */
export function endStarts(): void {
  for (const child of running) signalGroup(child, "SIGKILL");
}

async function startOnce(data: string): Promise<number> {
  const port = await freePort(2);
  const startedAt = performance.now();
  // A group of its own, so that ending it ends the shell and the runtime as well.
  const child = spawn("npm", ["start", "--", "--json", "--port", String(port), "--data", data], { cwd: PROJECT, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  try {
    await firstLine(child);
    return (performance.now() - startedAt) / 1_000;
  } finally {
    await ended(child);
    running.delete(child);
  }
}

function firstLine(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error(`npm start said nothing within ${LIMIT_MS} ms:\n${said}`)), LIMIT_MS);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (/^\{.*\}$/m.test(said)) settle(resolve);
    });
    child.stderr?.on("data", (chunk: Buffer) => { said += chunk.toString(); });
    child.once("exit", (code) => settle(() => reject(new Error(`npm start ended with ${code}:\n${said}`))));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  signalGroup(child, "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), 10_000);
  await gone;
  clearTimeout(timer);
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself in the meantime.
  }
}
