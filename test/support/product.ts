import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createServer } from "node:net";

/** What `npm start -- --json` says about itself. */
export interface Addresses {
  readonly store: string;
  readonly desk: string;
  readonly deskKey: string;
  readonly sandbox: string;
  readonly rehearsalKey: string;
}

/** The served product in a process group of its own, as a stranger would start it. */
export interface Product extends Addresses {
  readonly data: string;
  /** SIGKILL for the whole group, as a power cut would do it. */
  kill(): Promise<void>;
  /** A start on the same data and the same ports, after a kill. */
  launch(): Launch;
  restartAfterKill(): Promise<Product>;
  /** Ends it however it is, and deletes its data. */
  stop(): Promise<void>;
}

/** A start that may be killed before it has said anything. */
export interface Launch {
  readonly ready: Promise<Product>;
  kill(): Promise<void>;
}

const projectRoot = path.resolve(import.meta.dirname, "../..");

async function freePortPair(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
  throw new Error("no two neighbouring ports are free");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function exited(child: ChildProcess): Promise<void> {
  return isRunning(child) ? new Promise((resolve) => child.once("exit", () => resolve())) : Promise.resolve();
}

function firstAnswer(child: ChildProcess, limitMs: number): Promise<Addresses> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`npm start said nothing within ${limitMs} ms:\n${output}`)), limitMs);
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      const line = output.split("\n").find((text) => text.startsWith("{") && text.endsWith("}"));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(JSON.parse(line) as Addresses);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`npm start ended with ${code}:\n${output}`));
    });
  });
}

interface Serving {
  /** The folder of the project, or of a copy of it. */
  readonly project: string;
  readonly config: string;
  readonly data: string;
  readonly port: number;
}

/** Groups that run now: they end with this process, however it ends. */
const groups = new Set<number>();
process.once("exit", () => {
  for (const group of groups) signalGroup(group, "SIGKILL");
});

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // The whole group has ended already.
  }
}

/** A start that finds work left behind says so late: `limitMs` is how long it may be silent. */
function launch(serving: Serving, limitMs = 120_000): Launch {
  const { project, config, data, port } = serving;
  const options = ["--json", "--port", String(port), "--data", data, "--config", config];
  const child = spawn("npm", ["start", "--", ...options], { cwd: project, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const group = child.pid ?? 0;
  if (group > 0) groups.add(group);
  const end = async (signal: NodeJS.Signals) => {
    // The number of a group that has ended may be another one's by now.
    if (groups.has(group)) signalGroup(group, signal);
    await exited(child);
    groups.delete(group);
  };
  const kill = () => end("SIGKILL");
  const ready = firstAnswer(child, limitMs).then((addresses): Product => ({
    ...addresses,
    data,
    kill,
    launch: () => launch(serving, 900_000),
    async restartAfterKill() {
      await kill();
      return launch(serving).ready;
    },
    async stop() {
      await end("SIGTERM");
      // npm may be gone a moment before the runtime, which writes to its last breath.
      await rm(path.dirname(data), { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  }), async (error: unknown) => {
    await kill();
    throw error;
  });
  return { ready, kill };
}

/**
 * Starts the product with the given `[vars]` text (TOML) in place of the demo
 * store's, on a data folder of its own. `project` is another folder than ours
 * where a changed copy is to be served.
 */
export async function startProduct(vars: string, project = projectRoot): Promise<Product> {
  const data = await mkdtemp(path.join(tmpdir(), "tranche-test-"));
  const config = path.join(data, "store.toml");
  await writeFile(config, vars);
  return launch({ project, config, data: path.join(data, "data"), port: await freePortPair() }).ready;
}
