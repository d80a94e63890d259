import { enableCompileCache } from "node:module";
import { connect } from "node:net";
import path from "node:path";
import type { Miniflare } from "miniflare";
import type { StoreConfig } from "../config/store-config.ts";
import { mistakeText } from "../config/store-from-vars.ts";
import { BuildFailure, buildAll } from "./build.ts";
import { bannerText, newsText, readLive, type Addresses } from "./banner.ts";
import { takeDataFolder } from "./data-folder.ts";
import { readOrMakeKeys } from "./keys.ts";
import { ordersServerFrom } from "./local-vars.ts";
import { BUILT_WORKERS, LOCAL_WORKERS } from "./project.ts";
import { parseStartOptions, type StartOptions } from "./start-options.ts";
import { readStoreFile, type StoreFile } from "./store-file.ts";

const CRON_EVERY_MS = 60_000;
/** The runtime restarts a Workers process that died; its number is noted anew within this time. */
const NOTE_EVERY_MS = 2_000;
/** How soon the terminal tells that a stage opened or a drop is over. */
const NEWS_EVERY_MS = 2_000;
/** How soon the end of the npm that started this is noticed. */
const PARENT_EVERY_MS = 250;
const READY_WITHIN_MS = 30_000;

/** Why nothing was started, in words for the terminal. */
class StartFailure extends Error {
  override readonly name = "StartFailure";
}

/** Checks, builds and serves the store until it is told to end. */
async function start(options: StartOptions): Promise<void> {
  const file = readStoreFile(options.config, { isLocal: true });
  if (!file.ok) throw new StartFailure([`Nothing was started: ${options.config} has mistakes.`, ...file.rejection.map((mistake) => `  ${mistakeText(mistake)}`)].join("\n"));

  const data = await takeDataFolder(options.data, options.fresh);
  if (!data.ok) throw new StartFailure(data.rejection);
  for (const port of [options.port, options.port + 1, ...(options.tracePort === null ? [] : [options.tracePort])]) {
    if (await isTaken(port)) {
      data.value.release();
      throw new StartFailure(`Port ${port} is in use by another program. End it, or choose another with: npm start -- --port ${options.port + 10}`);
    }
  }
  const ends = new AbortController();
  endOnSignals(ends);
  endWithNpm(ends);

  await buildAll(LOCAL_WORKERS, (line) => process.stderr.write(`${line}\n`));
  const runtime = await serve(options, file.value, data.value.noteProcesses, ends);
  await runtime?.dispose();
  data.value.release();
}

/** Serves until `ends`; answers the runtime, which the caller ends. */
async function serve(options: StartOptions, file: StoreFile, noteProcesses: () => void, ends: AbortController): Promise<Miniflare | null> {
  if (ends.signal.aborted) return null;
  const keys = readOrMakeKeys(options.data);
  const orders = ordersServerFrom(process.env);

  // Imported here: a config with mistakes is refused without waiting for the runtime's code to load.
  const { startLocalRuntime } = await import("./local-runtime.ts");
  const { migrateOrders } = await import("./orders-migration.ts");
  const runtime = await startLocalRuntime({ port: options.port, dataFolder: options.data, vars: file.vars, keys, orders, tracePort: options.tracePort });
  endOnSignals(ends);
  noteProcesses();
  await migrateOrders(runtime, orders);

  const store = `http://127.0.0.1:${options.port}`;
  const addresses: Addresses = { store, desk: store, deskKey: keys.DESK_KEY, sandbox: `http://127.0.0.1:${options.port + 1}`, rehearsalKey: keys.REHEARSAL_KEY };
  await everyWorkerAnswers(runtime, store);
  // Not waited for: after a crash it has a night's backlog to work off, and the store answers meanwhile.
  void runScheduled(runtime, ends.signal);
  const cron = setInterval(() => void runScheduled(runtime, ends.signal), CRON_EVERY_MS);
  const notes = setInterval(noteProcesses, NOTE_EVERY_MS);
  process.stdout.write(options.json ? `${JSON.stringify(addresses)}\n` : `${await bannerText(file.store, addresses)}\n`);
  // A program that reads --json reads standard output; what people want to know meanwhile goes beside it.
  void tellNews(file.store, store, ends.signal, (line) => (options.json ? process.stderr : process.stdout).write(`  ${line}\n`));

  if (!ends.signal.aborted) await new Promise<void>((resolve) => ends.signal.addEventListener("abort", () => resolve(), { once: true }));
  clearInterval(cron);
  clearInterval(notes);
  return runtime;
}

/**
 * Ends in order on a signal. Called again once the runtime is there, because
 * Miniflare puts handlers of its own in place that leave at once and report a
 * failure for what is an ordinary Ctrl-C.
 */
function endOnSignals(ends: AbortController): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => ends.abort());
  }
}

/**
 * Ends when the npm that started this is gone: npm hands a signal to the shell
 * between the two, and that shell dies of it without passing it on.
 */
function endWithNpm(ends: AbortController): void {
  if (process.env["npm_lifecycle_event"] === undefined) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) ends.abort();
  }, PARENT_EVERY_MS).unref();
}

/** Tells a line whenever a drop opens, reaches a stage, sells out or is over. What happened before the first reading was told by the banner. */
async function tellNews(store: StoreConfig, origin: string, signal: AbortSignal, tell: (line: string) => void): Promise<void> {
  const known = new Map<string, Awaited<ReturnType<typeof readLive>>>();
  while (!signal.aborted) {
    for (const drop of store.drops) {
      try {
        const live = await readLive(origin, drop.slug);
        const news = known.has(drop.slug) ? newsText(drop, known.get(drop.slug) ?? null, live) : null;
        if (news !== null && !signal.aborted) tell(news);
        known.set(drop.slug, live);
      } catch {
        // A store that is busy or ending does not answer; the next reading tells what was missed.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, NEWS_EVERY_MS).unref());
  }
}

/** Nothing else fires crons on a developer's machine. One Worker's failure is told and does not keep the others from theirs. */
async function runScheduled(runtime: Miniflare, signal: AbortSignal): Promise<void> {
  await Promise.all(["storefront", "settlement"].map(async (name) => {
    try {
      await (await runtime.getWorker(name)).scheduled({ cron: "* * * * *" });
    } catch (error) {
      // Ctrl-C in the middle of a run is no failure: what was not done is due at the next start.
      if (signal.aborted) return;
      process.stderr.write(`The scheduled run of ${name} failed: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }));
}

/** Waits until the store answers at its door and every other Worker answers anything at all. */
async function everyWorkerAnswers(runtime: Miniflare, store: string): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  const asks: Record<string, () => Promise<boolean>> = {
    storefront: async () => (await fetch(`${store}/healthz`)).ok,
    // Through the door and the live chain down to the drops' own objects.
    objects: async () => (await fetch(`${store}/api/drops`)).ok,
  };
  for (const { name } of LOCAL_WORKERS) {
    asks[name] ??= async () => (await (await runtime.getWorker(name)).fetch("http://localhost/healthz")).status < 500;
  }
  for (const [name, answers] of Object.entries(asks)) {
    let complaint = "";
    for (;;) {
      try {
        if (await answers()) break;
      } catch (error) {
        complaint = error instanceof Error ? `: ${error.message}` : "";
      }
      if (performance.now() > until) throw new StartFailure(`The Worker ${name} does not answer${complaint}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Whether a program listens on the port; asked by calling it, because only that works for every owner. */
function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

const options = parseStartOptions(process.argv.slice(2));
if (!options.ok) {
  process.stderr.write(`${options.rejection}\n`);
  process.exit(1);
}
// The runtime's library is nearly six megabytes of script; once compiled, it loads in two thirds of the time.
enableCompileCache(path.join(BUILT_WORKERS, "compiled"));
try {
  await start(options.value);
  process.exit(0);
} catch (error) {
  const isOurs = error instanceof StartFailure || error instanceof BuildFailure;
  process.stderr.write(`${isOurs ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  // Whatever was started ends with this process: the runtime has a handler of its own for that.
  process.exit(1);
}
