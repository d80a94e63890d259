import { spawn, type ChildProcess } from "node:child_process";
import * as v from "valibot";
import { projectPath } from "../project.ts";

/** What `npm start -- --json` says about itself. */
const ADDRESSES = v.strictObject({ store: v.string(), desk: v.string(), deskKey: v.string(), sandbox: v.string(), rehearsalKey: v.string() });
export type Addresses = v.InferOutput<typeof ADDRESSES>;

export interface ServingTerms {
  readonly config: string;
  readonly data: string;
  /** The store's port; the sandbox takes the next, the count of calls the one after. */
  readonly port: number;
}

/** The store as `npm start` serves it, in a process group of its own. */
export interface Serving {
  readonly addresses: Addresses;
  readonly tracePort: number;
  /** SIGKILL for all of it at once, as a power cut does it, and a start on the same data. Answers how long nobody was there, in milliseconds. */
  crash(): Promise<number>;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/** The store did not come up, with what it said about it. */
export class NotServed extends Error {
  override readonly name = "NotServed";
}

const START_WITHIN_MS = 120_000;
/** Ended with this process, however it ends. */
const groups = new Set<number>();
process.once("exit", () => {
  for (const group of groups) signal(group, "SIGKILL");
});

/** Starts the store; throws with what it said when it does not come up. `tell` gets what it complains about. */
export async function serve(terms: ServingTerms, tell: (line: string) => void): Promise<Serving> {
  const tracePort = terms.port + 2;
  const parameters = ["--json", "--port", String(terms.port), "--trace", String(tracePort), "--data", terms.data, "--config", terms.config];
  const launch = async () => {
    const child = spawn(process.execPath, [projectPath("src", "cli", "start.ts"), ...parameters], { detached: true, stdio: ["ignore", "pipe", "pipe"] });
    if (child.pid !== undefined) groups.add(child.pid);
    return { child, addresses: await firstAnswer(child, tell) };
  };
  let running = await launch();
  const end = async (how: NodeJS.Signals) => {
    const { child } = running;
    const group = child.pid ?? 0;
    if (groups.has(group)) signal(group, how);
    await exited(child);
    groups.delete(group);
  };
  return {
    addresses: running.addresses,
    tracePort,
    async crash() {
      const startedAt = performance.now();
      await end("SIGKILL");
      running = await launch();
      return performance.now() - startedAt;
    },
    stop: () => end("SIGTERM"),
  };
}

function firstAnswer(child: ChildProcess, tell: (line: string) => void): Promise<Addresses> {
  return new Promise((resolve, reject) => {
    let said = "";
    const fail = (why: string) => reject(new NotServed(`${why}\n${said.trimEnd()}`));
    const timer = setTimeout(() => fail("The store did not start in time."), START_WITHIN_MS);
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const line = said.split("\n").find((text) => text.startsWith("{") && text.endsWith("}"));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(v.parse(ADDRESSES, JSON.parse(line)));
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-8_000);
      for (const line of chunk.toString().split("\n")) if (line !== "") tell(line);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`The store ended with ${code}.`);
    });
  });
}

function signal(group: number, how: NodeJS.Signals): void {
  try {
    process.kill(-group, how);
  } catch {
    // All of it has ended already.
  }
}

function exited(child: ChildProcess): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  return hasEnded ? Promise.resolve() : new Promise((resolve) => child.once("exit", () => resolve()));
}
