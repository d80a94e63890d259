import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { buildBrowserFiles } from "./browser-build.ts";
import { isAlive } from "./processes.ts";
import { BUILT_WORKERS, LOCAL_WORKERS, projectPath, toolPath, type WorkerSource } from "./project.ts";
import { optionsFile, writeBuiltOptions } from "./worker-options.ts";

/** What a built Worker was made from: each file and its hash, so that an unchanged one is not built again. */
const INPUTS = v.record(v.string(), v.string());
type Inputs = v.InferOutput<typeof INPUTS>;

const METAFILE = v.object({ inputs: v.record(v.string(), v.unknown()) });

/** Of wrangler's builds, this many at a time: each keeps a core busy. */
const PARALLEL = 2;

/** Writing a process's number into a lock takes a moment, and never as long as this. */
const UNNAMED_LOCK_MS = 1_000;

export class BuildFailure extends Error {
  override readonly name = "BuildFailure";
}

/**
 * Builds what has changed: the browser files first, because pages name them by
 * their hash, then every Worker with the very command that deploys it, so that
 * what is tested and served is what is deployed. Answers the Workers that were
 * built; throws `BuildFailure` with the builder's own message.
 */
export async function buildAll(workers: readonly WorkerSource[] = LOCAL_WORKERS, tell: (line: string) => void = () => undefined): Promise<string[]> {
  const unlock = await lockBuilds();
  try {
    return await buildStale(workers, tell);
  } finally {
    unlock();
  }
}

async function buildStale(workers: readonly WorkerSource[], tell: (line: string) => void): Promise<string[]> {
  await buildBrowser(tell);
  const stale = workers.filter((worker) => !isFresh(inputsFile(worker.name), optionsFile(path.join(BUILT_WORKERS, worker.name))));
  const waiting = [...stale];
  const buildNext = async (): Promise<void> => {
    for (let worker = waiting.shift(); worker !== undefined; worker = waiting.shift()) {
      tell(`Building ${worker.name}`);
      await buildWorker(worker);
    }
  };
  // All of them to their end, also when one fails: a build that goes on after the lock is gone would meet the next one.
  const ended = await Promise.allSettled(Array.from({ length: PARALLEL }, buildNext));
  for (const outcome of ended) if (outcome.status === "rejected") throw outcome.reason;
  return stale.map(({ name }) => name);
}

/** Builds the browser files when a source or a style sheet has changed. */
export async function buildBrowser(tell: (line: string) => void): Promise<void> {
  const sources = [
    ...filesUnder(projectPath("src")).filter((file) => /\.tsx?$/.test(file)),
    ...readdirSync(projectPath("static")).filter((name) => name.endsWith(".css")).map((name) => projectPath("static", name)),
    projectPath("package-lock.json"),
  ].map((file) => path.relative(projectPath(), file));
  if (isFresh(inputsFile("browser"), projectPath("static", "built", "manifest.json"), sources.length)) return;
  tell("Building the browser files");
  try {
    await buildBrowserFiles();
  } catch (error) {
    throw new BuildFailure(error instanceof Error ? error.message : String(error));
  }
  writeInputs("browser", sources);
}

async function buildWorker(worker: WorkerSource): Promise<void> {
  const { name, config } = worker;
  const folder = path.join(BUILT_WORKERS, `${name}.next`);
  rmSync(folder, { recursive: true, force: true });
  rmSync(inputsFile(name), { force: true });
  // An absolute folder: wrangler reads a relative one from where the config lies.
  await run(toolPath("wrangler"), ["deploy", "--dry-run", "--outdir", folder, "--metafile", path.join(folder, "metafile.json"), "-c", projectPath(config)], name);
  const { inputs } = v.parse(METAFILE, JSON.parse(readFileSync(path.join(folder, "metafile.json"), "utf8")));
  const sources = Object.keys(inputs)
    .map((input) => path.relative(projectPath(), path.resolve(path.dirname(projectPath(config)), input)))
    .filter((input) => !input.startsWith("..") && !input.startsWith("node_modules") && existsSync(projectPath(input)));
  await writeBuiltOptions(worker, folder);
  rmSync(path.join(BUILT_WORKERS, name), { recursive: true, force: true });
  renameSync(folder, path.join(BUILT_WORKERS, name));
  writeInputs(name, [...sources, config, "package-lock.json", "tsconfig.json", "src/cli/worker-options.ts"]);
}

/**
 * Lets one command build at a time: tests start several stores at once, and two
 * builds of one Worker would take each other's files away. A lock whose owner is
 * gone is taken over.
 */
async function lockBuilds(): Promise<() => void> {
  const lock = path.join(BUILT_WORKERS, "lock");
  mkdirSync(BUILT_WORKERS, { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (!isTaken(error)) throw new BuildFailure(`The build's folder cannot be written: ${error instanceof Error ? error.message : String(error)}`);
      if (isLeftBehind(lock)) rmSync(lock, { force: true });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

/** Whether whoever made the lock is gone. One without a name was left by a power cut, unless it is being written this moment. */
function isLeftBehind(lock: string): boolean {
  try {
    const owner = Number(readFileSync(lock, "utf8"));
    return owner > 0 ? !isAlive(owner) : Date.now() - statSync(lock).mtimeMs > UNNAMED_LOCK_MS;
  } catch {
    // It was given back while we looked.
    return false;
  }
}

function run(program: string, parameters: readonly string[], worker: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CI: "1" };
    execFile(program, parameters, { cwd: projectPath(), env, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new BuildFailure(`${worker} cannot be built.\n${stdout}${stderr}`.trim()));
    });
  });
}

function inputsFile(name: string): string {
  return path.join(BUILT_WORKERS, `${name}.inputs.json`);
}

function writeInputs(name: string, sources: readonly string[]): void {
  mkdirSync(BUILT_WORKERS, { recursive: true });
  const inputs: Inputs = Object.fromEntries(sources.map((source) => [source, hashOf(projectPath(source))]));
  writeFileSync(inputsFile(name), JSON.stringify(inputs, null, 1));
}

/** Whether `product` exists and was made from exactly the files that are there now. */
function isFresh(file: string, product: string, count?: number): boolean {
  if (!existsSync(file) || !existsSync(product)) return false;
  const inputs = v.safeParse(INPUTS, JSON.parse(readFileSync(file, "utf8")));
  if (!inputs.success) return false;
  const entries = Object.entries(inputs.output);
  return (count === undefined || count === entries.length)
    && entries.every(([source, hash]) => existsSync(projectPath(source)) && hashOf(projectPath(source)) === hash);
}

function hashOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

if (import.meta.main) {
  const startedAt = performance.now();
  try {
    const built = await buildAll(LOCAL_WORKERS, (line) => process.stdout.write(`${line}\n`));
    const what = built.length === 0 ? "Nothing has changed" : `Built ${built.join(", ")}`;
    process.stdout.write(`${what} (${((performance.now() - startedAt) / 1_000).toFixed(1)} s).\n`);
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
