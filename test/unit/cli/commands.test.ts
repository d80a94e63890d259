import { spawn, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { projectPath } from "../../../src/cli/project.ts";

/* The commands as a person calls them: programs of their own, judged by what they say and how they end. */

let folder = "";
beforeEach(() => { folder = mkdtempSync(path.join(tmpdir(), "tranche-command-")); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(program: string, ...parameters: string[]): { status: number | null; out: string; err: string } {
  const ended = spawnSync(process.execPath, [projectPath("src", "cli", program), ...parameters], { encoding: "utf8", cwd: folder });
  return { status: ended.status, out: ended.stdout, err: ended.stderr };
}

const broken = readFileSync(projectPath("wrangler.toml"), "utf8").replace("share = 20", "share = 25").replace("priceMinor = 4200", "priceMinor = 42.5");

test("npm start with a broken config names table and field, exits 1 and has started nothing", () => {
  writeFileSync(path.join(folder, "store.toml"), broken);
  const { status, out, err } = run("start.ts", "--config", "store.toml", "--data", "data", "--json");
  expect(status).toBe(1);
  expect(out).toBe("");
  expect(err).toContain("DROP_MOTH_TEE.stages: The shares must sum to 100; they sum to 105.");
  expect(err).toContain("DROP_MOTH_TEE.items[0].priceMinor: ");
  expect(existsSync(path.join(folder, "data"))).toBe(false);
});

test("npm run check says the same, and ends well for the demo store", () => {
  writeFileSync(path.join(folder, "store.toml"), broken);
  const refused = run("check.ts", "--config", "store.toml");
  expect(refused.status).toBe(1);
  expect(refused.err).toContain("DROP_MOTH_TEE.stages: ");
  expect(refused.err).toContain("2 mistakes in ");
  expect(run("check.ts")).toMatchObject({ status: 0, out: expect.stringContaining("No mistakes.") });
});

test("npm run check for a deployment names the secrets that the drops' gates need, and for this machine none", () => {
  const instants = Object.entries({ announceAt: "17:00", lobbyOpensAt: "17:30", opensAt: "18:00", closesAt: "23:00" });
  const asking = instants.reduce((text, [field, time]) => text.replace(new RegExp(`^${field} = .*$`, "m"), `${field} = "2026-12-04T${time}:00Z"`), readFileSync(projectPath("wrangler.toml"), "utf8"))
    .replace("[vars.DROP_MOTH_TEE]", '[vars.DROP_MOTH_TEE]\ngates = { email = true, turnstile = "0x4AAAAAAAAAAAAAAAAAAAAA" }')
    .replace("[vars]", '[vars]\nMAIL_FROM = "codes@store.example"');
  writeFileSync(path.join(folder, "store.toml"), asking);
  const deployed = run("check.ts", "--config", "store.toml", "--deploy");
  expect(deployed).toMatchObject({ status: 0, err: "" });
  expect(deployed.out).toContain("The e-mail codes of moth-tee need the secret MAIL_KEY");
  expect(deployed.out).toContain("The Turnstile gates of moth-tee need the secret TURNSTILE_SECRET");
  expect(run("check.ts", "--config", "store.toml").out).not.toContain("secret");
});

test("npm run deploy refuses what exists only locally before it builds anything", () => {
  const { status, err } = run("deploy.ts");
  expect(status).toBe(1);
  expect(err).toContain("Nothing was deployed");
  expect(err).toContain("DROP_MOTH_TEE.opensAt: A relative time exists only on a local machine.");
});

test("an option that does not exist is refused with the usage", () => {
  expect(run("start.ts", "--prot", "1")).toMatchObject({ status: 1, err: expect.stringContaining("Usage: npm start") });
  expect(run("deploy.ts", "--dry")).toMatchObject({ status: 1, err: expect.stringContaining("Usage: npm run deploy") });
});

test("a port that another program holds is named in a sentence", async () => {
  const holder = await new Promise<Server>((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
  const address = holder.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  // Not with spawnSync: the holder must be able to answer.
  const child = spawn(process.execPath, [projectPath("src", "cli", "start.ts"), "--port", String(port), "--data", path.join(folder, "data")], { stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr.on("data", (chunk: Buffer) => { err += chunk.toString(); });
  const status = await new Promise((resolve) => child.once("close", resolve));
  holder.close();
  expect(status).toBe(1);
  expect(err).toMatch(new RegExp(`^Port ${port} is in use by another program\\.`));
});

test("keys for a deployment are made once and never written over", () => {
  expect(run("production-keys.ts", "keys").status).toBe(0);
  const made = readFileSync(path.join(folder, "keys", "storefront.json"), "utf8");
  expect(Object.keys(JSON.parse(made))).toEqual(["TICKET_KEYS", "RECEIPT_KEY", "PUBLIC_KEYS"]);
  expect(run("production-keys.ts", "keys").status).not.toBe(0);
  expect(readFileSync(path.join(folder, "keys", "storefront.json"), "utf8")).toBe(made);
});

test("npm ci runs when nothing is installed, when the lockfile has changed and after it failed, and not otherwise", () => {
  const project = path.join(folder, "project");
  const programs = path.join(folder, "programs");
  const log = path.join(folder, "npm.log");
  mkdirSync(path.join(project, "src", "cli"), { recursive: true });
  mkdirSync(programs);
  copyFileSync(projectPath("src", "cli", "install.mjs"), path.join(project, "src", "cli", "install.mjs"));
  const npm = path.join(programs, "npm");
  const npmThatEnds = (status: number) => {
    writeFileSync(npm, `#!/bin/sh\necho "$1" >> ${log}\nmkdir -p node_modules/.bin && touch node_modules/.bin/node\nexit ${status}\n`);
    chmodSync(npm, 0o755);
  };
  const install = () => spawnSync(process.execPath, [path.join(project, "src", "cli", "install.mjs")], { encoding: "utf8", env: { PATH: `${programs}:/usr/bin:/bin` } });
  const runs = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);

  writeFileSync(path.join(project, "package-lock.json"), "{}");
  npmThatEnds(1);
  expect(install()).toMatchObject({ status: 1, stderr: expect.stringContaining("there is no node_modules yet") });
  npmThatEnds(0);
  expect(install()).toMatchObject({ status: 0, stdout: "", stderr: expect.stringContaining("did not end well") });
  expect(install()).toMatchObject({ status: 0, stderr: "" });
  expect(runs()).toEqual(["ci", "ci"]);
  writeFileSync(path.join(project, "package-lock.json"), "{ }");
  expect(install().status).toBe(0);
  expect(install().status).toBe(0);
  expect(runs()).toEqual(["ci", "ci", "ci"]);
});
