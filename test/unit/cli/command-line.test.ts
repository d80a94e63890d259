import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { takeDataFolder } from "../../../src/cli/data-folder.ts";
import { makeKeys, readOrMakeKeys } from "../../../src/cli/keys.ts";
import { localVars } from "../../../src/cli/local-vars.ts";
import { withProblemTable } from "../../../src/cli/problem-table.ts";
import { endProcess, isAlive, isSameProcess, markOf } from "../../../src/cli/processes.ts";
import { LOCAL_WORKERS, projectPath } from "../../../src/cli/project.ts";
import { parseStartOptions } from "../../../src/cli/start-options.ts";
import { readStoreFile } from "../../../src/cli/store-file.ts";

let folder = "";
beforeEach(() => { folder = mkdtempSync(path.join(tmpdir(), "tranche-cli-")); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function configFile(text: string): string {
  const file = path.join(folder, "store.toml");
  writeFileSync(file, text);
  return file;
}

test("the README's table of problems is that of the catalogue", () => {
  const readme = readFileSync(projectPath("README.md"), "utf8");
  expect(withProblemTable(readme)).toBe(readme);
});

test("the demo store has no mistake, and is refused for deployment because of its relative times alone", () => {
  expect(readStoreFile(projectPath("wrangler.toml"), { isLocal: true }).ok).toBe(true);
  const deployed = readStoreFile(projectPath("wrangler.toml"), { isLocal: false });
  const refused = deployed.ok ? [] : deployed.rejection.filter(({ field }) => !field.endsWith("At"));
  expect(deployed.ok).toBe(false);
  expect(refused).toEqual([]);
});

test("the demo drop's three stages open within three minutes, and its production form in the comment is 40/40/20 at 0, 30 min and 2 h", () => {
  const demo = readStoreFile(projectPath("wrangler.toml"), { isLocal: true });
  const source = demo.ok ? demo.value.store.drops[0]?.source : undefined;
  expect(source?.opensAt).toEqual({ afterFirstSeenMs: 20_000 });
  expect(source?.stages).toHaveLength(3);
  expect(20_000 + (source?.stages[2]?.afterMs ?? Infinity)).toBeLessThanOrEqual(180_000);
  const [store, comment = ""] = readFileSync(projectPath("wrangler.toml"), "utf8").split(/^\[vars\.DROP_MOTH_TEE\]$[\s\S]*?^# \[vars\.DROP_MOTH_TEE\]$/m);
  const production = `${store}[vars.DROP_MOTH_TEE]\n${comment.replace(/^# ?/gm, "").replace(/, …/g, "")}`;
  const parsed = readStoreFile(configFile(production), { isLocal: false });
  expect(parsed.ok ? parsed.value.store.drops[0]?.source.stages : parsed.rejection).toEqual([
    { sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: 1_800_000 }, { sharePercent: 20, afterMs: 7_200_000 },
  ]);
});

test("a config file that is missing, is not TOML or has no vars is refused with its name", () => {
  const mistakes = (file: string) => {
    const read = readStoreFile(file, { isLocal: true });
    return read.ok ? [] : read.rejection.map(({ table, detail }) => `${path.basename(table)}: ${detail}`);
  };
  expect(mistakes(path.join(folder, "none.toml"))).toEqual([expect.stringMatching(/^none\.toml: .*cannot be read/)]);
  expect(mistakes(configFile("[vars.STORE]\nbrand = { mark = \"N\",\n"))).toEqual([expect.stringMatching(/^store\.toml: Line \d+, column \d+: .*TOML 1\.0/)]);
  expect(mistakes(configFile("name = \"storefront\"\n"))).toEqual([expect.stringMatching(/^store\.toml: There is no \[vars\]/)]);
});

test("a secret in a config file is a mistake, and so is an environment of one's own", () => {
  const text = `${readFileSync(projectPath("wrangler.toml"), "utf8").replace("ENVIRONMENT = \"production\"", "ENVIRONMENT = \"local\"\nSTRIPE_KEY = \"sk_live_1\"")}`;
  const read = readStoreFile(configFile(text), { isLocal: true });
  expect(read.ok ? [] : read.rejection.map(({ table, field }) => `${table}.${field}`)).toEqual(["vars.STRIPE_KEY", "vars.ENVIRONMENT"]);
});

test("the options of npm start are parsed strictly", () => {
  expect(parseStartOptions(["--port", "20700", "--data", "/tmp/d", "--json", "--fresh"])).toMatchObject({ ok: true, value: { port: 20700, data: "/tmp/d", json: true, fresh: true } });
  expect(parseStartOptions([])).toMatchObject({ ok: true, value: { port: 8787, config: projectPath("wrangler.toml"), data: projectPath(".data"), json: false, fresh: false } });
  for (const wrong of [["--port", "0"], ["--port", "65535"], ["--port", "http"], ["--prot", "1"], ["extra"]]) expect(parseStartOptions(wrong).ok).toBe(false);
});

test("keys are made once, are read again as they were, and are the owner's alone", () => {
  const made = readOrMakeKeys(folder);
  expect(readOrMakeKeys(folder)).toEqual(made);
  expect(statSync(path.join(folder, "keys.json")).mode & 0o777).toBe(0o600);
});

test("what a private key signs, the public key of the same kid verifies", () => {
  const keys = makeKeys();
  const publicKeys = JSON.parse(keys.PUBLIC_KEYS).keys;
  for (const name of ["RECEIPT_KEY", "HEAD_KEY", "COUPON_KEY"] as const) {
    const privateJwk = JSON.parse(keys[name]);
    const publicJwk = publicKeys.find(({ kid }: { kid: string }) => kid === privateJwk.kid);
    expect(publicJwk).toMatchObject({ kid: expect.stringMatching(`^${name.split("_")[0]?.toLowerCase()}-`), use: "sig", alg: "EdDSA" });
    expect(publicJwk).not.toHaveProperty("d");
    const signature = sign(null, Buffer.from("text"), createPrivateKey({ key: privateJwk, format: "jwk" }));
    expect(verify(null, Buffer.from("text"), createPublicKey({ key: publicJwk, format: "jwk" }), signature)).toBe(true);
  }
});

test("each Worker gets its own secrets and no other's", () => {
  const settings = { port: 8787, vars: {}, keys: makeKeys(), orders: { url: "http://127.0.0.1:1", token: "t" } };
  const names = Object.fromEntries(LOCAL_WORKERS.map(({ name }) => [name, Object.keys(localVars(name, settings)).toSorted()]));
  expect(names).toEqual({
    storefront: ["ENVIRONMENT", "MAIL_FROM", "MAIL_KEY", "PUBLIC_KEYS", "RECEIPT_KEY", "REHEARSAL_KEY", "TICKET_KEYS", "TURNSTILE_ORIGIN", "TURNSTILE_SECRET"],
    objects: ["ENVIRONMENT", "HEAD_KEY"],
    settlement: ["ENVIRONMENT", "ORDERS_TOKEN", "ORDERS_URL", "STRIPE_KEY", "STRIPE_WEBHOOK_SECRET"],
    desk: ["COUPON_KEY", "DESK_KEY", "ENVIRONMENT"],
    sandbox: ["ENVIRONMENT", "MAIL_KEY", "REHEARSAL_KEY", "SANDBOX_ORIGIN", "STRIPE_KEY", "STRIPE_WEBHOOK_SECRET", "TURNSTILE_SECRET"],
  });
});

test("--fresh empties a folder that npm start made, and no other", async () => {
  const ours = path.join(folder, "ours");
  const taken = await takeDataFolder(ours, false);
  if (!taken.ok) throw new Error(taken.rejection);
  taken.value.release();
  writeFileSync(path.join(ours, "sold"), "1");
  expect((await takeDataFolder(ours, true)).ok).toBe(true);
  expect(readdirSync(ours).toSorted()).toEqual(["processes.json", "tranche-data.json"]);

  const foreign = path.join(folder, "foreign");
  mkdirSync(foreign);
  writeFileSync(path.join(foreign, "thesis.txt"), "1");
  expect(await takeDataFolder(foreign, true)).toMatchObject({ ok: false, rejection: expect.stringContaining("has other things in it") });
  expect(readdirSync(foreign)).toEqual(["thesis.txt"]);
});

test("a data folder that a living process uses is refused", async () => {
  expect((await takeDataFolder(folder, false)).ok).toBe(true);
  expect(await takeDataFolder(folder, false)).toMatchObject({ ok: false, rejection: expect.stringContaining(`process ${process.pid}`) });
});

test("a process is ended only when it is exactly the one that was noted", async () => {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const mark = markOf(child.pid ?? 0);
  if (mark === null) throw new Error("the child has no mark");
  await endProcess({ ...mark, startedAt: `${mark.startedAt}1` });
  await endProcess({ ...mark, command: "workerd serve" });
  expect(isAlive(mark.pid) && isSameProcess(mark)).toBe(true);
  await endProcess(mark);
  expect(isSameProcess(mark)).toBe(false);
});

test("what a killed start left running is ended by the next one", async () => {
  const orphan = spawn("sleep", ["60"], { stdio: "ignore" });
  const taken = await takeDataFolder(folder, false);
  if (!taken.ok) throw new Error(taken.rejection);
  const runtime = markOf(orphan.pid ?? 0);
  writeFileSync(path.join(folder, "processes.json"), JSON.stringify({ owner: { pid: process.pid, startedAt: "0", command: "node" }, runtimes: [runtime] }));
  expect((await takeDataFolder(folder, false)).ok).toBe(true);
  expect(runtime !== null && isSameProcess(runtime)).toBe(false);
});
