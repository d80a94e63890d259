import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { storeVars } from "../support/store-config.ts";

/* `npm start` itself: what it prints, what it serves and what it leaves behind. */

const PROJECT = path.resolve(import.meta.dirname, "../..");
let folder = "";
let port = 0;
const children: ChildProcess[] = [];

interface Started {
  readonly child: ChildProcess;
  readonly line: Record<string, string>;
  readonly output: () => string;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tranche-start-"));
  await writeFile(path.join(folder, "store.toml"), storeVars({ slug: "night", items: [{ sku: "NIGHT-1", priceMinor: 4200, quantity: 10 }] }));
  do port = 30_000 + Math.floor(Math.random() * 20_000); while (!(await isFree(port)) || !(await isFree(port + 1)));
});
afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

function start(program: "node" | "npm" = "node", ...more: readonly string[]): Promise<Started> {
  const command = program === "npm" ? ["start", "--"] : ["src/cli/start.ts"];
  const child = spawn(program, [...command, "--json", "--config", path.join(folder, "store.toml"), "--port", String(port), "--data", path.join(folder, "data"), ...more], { cwd: PROJECT, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let output = "";
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const line = output.split("\n").slice(0, -1).find((text) => text.startsWith("{"));
      if (line !== undefined) resolve({ child, line: JSON.parse(line) as Record<string, string>, output: () => output });
    });
    let complaint = "";
    child.stderr?.on("data", (chunk: Buffer) => { complaint += chunk.toString(); });
    child.once("exit", (code) => reject(new Error(`npm start ended with ${code}: ${complaint}`)));
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code));
    child.kill(signal);
  });
}

function isFree(candidate: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(candidate, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function isAnswering(candidate: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(candidate, "127.0.0.1");
    socket.once("connect", () => { socket.destroy(); resolve(true); });
    socket.once("error", () => resolve(false));
  });
}

test("npm start --json prints one line when everything answers, SIGTERM ends all of it, and a kill -9 leaves nothing in the way of the next start", async () => {
  const first = await start();
  expect(Object.keys(first.line).toSorted()).toEqual(["desk", "deskKey", "rehearsalKey", "sandbox", "store"]);
  expect(first.line).toMatchObject({ store: `http://127.0.0.1:${port}`, desk: `http://127.0.0.1:${port}`, sandbox: `http://127.0.0.1:${port + 1}` });
  const health = await fetch(`${first.line["store"]}/healthz`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ status: expect.any(String), version: expect.any(String) });
  expect((await fetch(`${first.line["store"]}/api/drops/night`)).status).toBe(200);
  expect((await fetch(`${first.line["sandbox"]}/sandbox/mail`)).status).toBeLessThan(500);
  expect((await fetch(`${first.line["desk"]}/desk/api/orders?drop=night`, { headers: { authorization: `Bearer ${first.line["deskKey"]}` } })).status).toBe(200);
  expect((await fetch(`${first.line["desk"]}/desk/api/orders?drop=night`, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
  expect(first.output().trim().split("\n")).toHaveLength(1);

  expect(await end(first.child, "SIGTERM")).toBe(0);
  expect([await isAnswering(port), await isAnswering(port + 1)]).toEqual([false, false]);

  const second = await start();
  expect(second.line).toEqual(first.line);
  await end(second.child, "SIGKILL");
  // The runtime that the killed process leaves behind still holds the port: the next start ends exactly that one.
  expect(await isAnswering(port)).toBe(true);
  const third = await start();
  expect(third.line).toEqual(first.line);
  expect(await end(third.child, "SIGINT")).toBe(0);
  expect(await isAnswering(port)).toBe(false);

  const underNpm = await start("npm");
  expect(underNpm.line).toEqual(first.line);
  // Sent to npm alone, as a supervisor does it.
  await end(underNpm.child, "SIGTERM");
  await expect.poll(() => isAnswering(port), { timeout: 20_000 }).toBe(false);
  await expect.poll(async () => JSON.parse(await readFile(path.join(folder, "data", "processes.json"), "utf8")).owner, { timeout: 20_000 }).toBe(null);

  const fresh = await start("node", "--fresh");
  expect(fresh.line["deskKey"]).not.toBe(first.line["deskKey"]);
  expect(JSON.parse(await readFile(path.join(folder, "data", "keys.json"), "utf8")).DESK_KEY).toBe(fresh.line["deskKey"]);
  expect(await end(fresh.child, "SIGTERM")).toBe(0);
});
