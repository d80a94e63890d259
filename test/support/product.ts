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
  /** SIGKILL for the whole group, as a power cut would do it, then a start on the same data. */
  restartAfterKill(): Promise<Product>;
  stop(): Promise<void>;
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

async function serve(config: string | null, data: string, port: number): Promise<Product> {
  const options = ["--json", "--port", String(port), "--data", data, ...(config === null ? [] : ["--config", config])];
  const child = spawn("npm", ["start", "--", ...options], { cwd: projectRoot, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const addresses = await firstAnswer(child, 120_000);
  const signalGroup = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  };
  return {
    ...addresses,
    data,
    async restartAfterKill() {
      signalGroup("SIGKILL");
      await exited(child);
      return serve(config, data, port);
    },
    async stop() {
      if (isRunning(child)) {
        signalGroup("SIGTERM");
        await exited(child);
      }
      await rm(data, { recursive: true, force: true });
    },
  };
}

/**
 * Starts the product with the given `[vars]` text (TOML) in place of the demo
 * store's, on a data folder of its own.
 */
export async function startProduct(vars: string): Promise<Product> {
  const data = await mkdtemp(path.join(tmpdir(), "tranche-test-"));
  const config = path.join(data, "store.toml");
  await writeFile(config, vars);
  return serve(config, path.join(data, "data"), await freePortPair());
}
