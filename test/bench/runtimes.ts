import { createServer } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import type { Keys } from "../../src/cli/keys.ts";
import { startLocalRuntime } from "../../src/cli/local-runtime.ts";
import { migrateOrders } from "../../src/cli/orders-migration.ts";
import { ownRuntimes } from "../../src/cli/processes.ts";
import { BUILT_WORKERS, type WorkerSource } from "../../src/cli/project.ts";
import { readBuiltOptions } from "../../src/cli/worker-options.ts";

/** A runtime of its own process with a socket of its own, so that its processor time is its own too. */
export interface Served {
  readonly port: number;
  readonly pid: number;
  dispose(): Promise<void>;
}

const COMPATIBILITY_DATE = "2026-10-15";
const HELLO = 'export default { fetch: () => new Response("hello") };';

/** One line of a Worker: what the runtime itself costs. */
export async function serveHello(): Promise<Served> {
  const port = await freePort();
  return served(port, () => started({ name: "hello", compatibilityDate: COMPATIBILITY_DATE, modules: true, script: HELLO, unsafeDirectSockets: [{ host: "127.0.0.1", port, proxy: false }] }));
}

/** The whole built product, started as `npm start` starts it. */
export async function serveProduct(dataFolder: string, vars: Readonly<Record<string, unknown>>, keys: Keys): Promise<Served & { readonly sandboxPort: number }> {
  const port = await freePort(2);
  const runtime = await served(port, async () => {
    const started = await startLocalRuntime({ port, dataFolder, vars, keys, orders: null });
    await migrateOrders(started, null);
    return started;
  });
  return { ...runtime, sandboxPort: port + 1 };
}

/**
 * The built objects and the built settlement behind a Worker of this bench: it
 * calls them through their bindings, and has the plain forms that they are
 * compared with. The provider answers at once from what it is asked, because a
 * provider's own time is nobody's merit.
 */
export async function serveBench(dataFolder: string, keys: Keys): Promise<Served> {
  const port = await freePort();
  const script = await benchScript();
  const bench: V4WorkerOptions = {
    name: "bench", compatibilityDate: COMPATIBILITY_DATE, compatibilityFlags: ["nodejs_compat", "service_binding_extra_handlers", "experimental"],
    modules: [{ type: "ESModule", path: "bench.js", contents: script }],
    durableObjects: {
      PLAIN: { className: "PlainObject", useSQLite: true },
      DROP: { className: "DropObject", scriptName: "objects" },
      LOBBY: { className: "LobbyObject", scriptName: "objects" },
    },
    serviceBindings: { SETTLEMENT: "settlement", CHECKOUT: { name: "settlement", entrypoint: "Checkout" } },
    bindings: { TICKET_KEYS: keys.TICKET_KEYS, STRIPE_WEBHOOK_SECRET: keys.STRIPE_WEBHOOK_SECRET },
    unsafeDirectSockets: [{ host: "127.0.0.1", port, proxy: false }],
  };
  const local = { ENVIRONMENT: "local" };
  const objects = builtWorker("objects", { ...local, HEAD_KEY: keys.HEAD_KEY });
  const { queueConsumers: _drivenByTheBench, ...settlement } = builtWorker("settlement", { ...local, STRIPE_KEY: keys.STRIPE_KEY, STRIPE_WEBHOOK_SECRET: keys.STRIPE_WEBHOOK_SECRET });
  return served(port, async () => {
    const runtime = await started(bench, { dataFolder, others: [objects, { ...settlement, serviceBindings: { ...settlement.serviceBindings, PROVIDER: "bench" } }] });
    await migrateOrders(runtime, null);
    return runtime;
  });
}

function builtWorker(name: WorkerSource["name"], bindings: Record<string, string>): V4WorkerOptions {
  const folder = path.join(BUILT_WORKERS, name);
  return { ...readBuiltOptions(name), name, modulesRoot: folder, modules: [{ type: "ESModule" as const, path: path.join(folder, "index.js") }], bindings };
}

async function benchScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("./worker/index.ts", import.meta.url))],
    bundle: true, write: false, format: "esm", target: "es2024", conditions: ["workerd", "worker", "browser"], external: ["cloudflare:*", "node:*"], logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

async function started(worker: V4WorkerOptions, more: { readonly dataFolder: string; readonly others: readonly V4WorkerOptions[] } | null = null): Promise<Miniflare> {
  const runtime = new Miniflare(convertV4MiniflareOptions({
    host: "127.0.0.1", port: 0, cf: false,
    handleStructuredLogs: ({ level, message }) => void (level === "error" ? process.stderr.write(`${message}\n`) : undefined),
    ...(more === null ? {} : { resourcePersistencePath: path.join(more.dataFolder, "v3") }),
    workers: [worker, ...(more?.others ?? [])],
  }));
  await runtime.ready;
  return runtime;
}

/** Finds the process that `start` started; runtimes are started one after the other. */
async function served(port: number, start: () => Promise<Miniflare>): Promise<Served> {
  const before = new Set(ownRuntimes().map(({ pid }) => pid));
  const runtime = await start();
  const pid = ownRuntimes().map((mark) => mark.pid).find((candidate) => !before.has(candidate));
  if (pid === undefined) throw new Error("the runtime's process was not found");
  return { port, pid, dispose: () => runtime.dispose() };
}

/** The first of so many neighbouring free ports. */
export async function freePort(count = 1): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = 20_000 + Math.floor(Math.random() * 20_000);
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error("no free port was found");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
