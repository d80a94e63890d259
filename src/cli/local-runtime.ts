import path from "node:path";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { localVars, type LocalSettings } from "./local-vars.ts";
import { TRACE_WORKER, traceWorker } from "./object-trace.ts";
import { BUILT_WORKERS, LOCAL_WORKERS, type WorkerSource } from "./project.ts";
import { readBuiltOptions } from "./worker-options.ts";

export interface LocalRuntimeOptions extends LocalSettings {
  readonly dataFolder: string;
  /** Where the calls into every object are counted; nothing where nobody asks. */
  readonly tracePort?: number | null;
}

/**
 * Starts every built Worker in one runtime, with its data under `dataFolder`.
 *
 * The storefront and the sandbox get sockets of their own: requests that pass
 * through Miniflare's entry Worker cost four times as much. For the same reason
 * `static/` is served by a Worker behind the storefront's ASSETS binding and not
 * by the assets proxy, which would stand in front of every request.
 */
export async function startLocalRuntime(options: LocalRuntimeOptions): Promise<Miniflare> {
  const workers = LOCAL_WORKERS.map((source) => workerOptions(source, options));
  const runtime = new Miniflare(convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    // Standard output belongs to whoever started this and waits for the addresses.
    handleStructuredLogs: ({ level, message }) => void process.stderr.write(`${level}: ${message}\n`),
    // "v3" is where `wrangler d1 … --local --persist-to DATA` looks for the same files.
    resourcePersistencePath: path.join(options.dataFolder, "v3"),
    workers: [assetsWorker(), ...workers, ...(options.tracePort == null ? [] : [traceWorker(options.tracePort)])],
  }));
  await runtime.ready;
  return runtime;
}

function workerOptions(source: WorkerSource, options: LocalRuntimeOptions): V4WorkerOptions {
  const { assets: _served, ...configured } = readBuiltOptions(source.name);
  const socket = (port: number) => ({ unsafeDirectSockets: [{ host: "127.0.0.1", port, proxy: false }] });
  const folder = path.join(BUILT_WORKERS, source.name);
  // Of the root config only the bindings are taken: its variables are replaced by those of the store that is served.
  const configuredVars = source.name === "storefront" ? {} : configured.bindings;
  const services = configured.serviceBindings ?? {};
  return {
    ...configured,
    name: source.name,
    modulesRoot: folder,
    modules: [{ type: "ESModule" as const, path: path.join(folder, "index.js") }],
    // Through JSON and back: instants of TOML are objects of a class that the runtime refuses.
    bindings: jsonObject({ ...configuredVars, ...localVars(source.name, options) }),
    ...(source.name === "storefront" ? { serviceBindings: { ...services, ASSETS: "assets", MAILBOX: "sandbox", BEACON: "sandbox", TURNSTILE: "sandbox" }, ...socket(options.port) } : {}),
    ...(source.name === "settlement" ? { serviceBindings: { ...services, PROVIDER: "sandbox" } } : {}),
    ...(source.name === "sandbox" ? socket(options.port + 1) : {}),
    ...(source.name === "objects" && options.tracePort != null ? { tails: [TRACE_WORKER] } : {}),
  };
}

function assetsWorker(): V4WorkerOptions {
  const { assets, compatibilityDate } = readBuiltOptions("storefront");
  return {
    name: "assets",
    ...(compatibilityDate === undefined ? {} : { compatibilityDate }),
    modules: true,
    script: "export default { fetch: (request, env) => env.ASSETS.fetch(request) };",
    ...(assets === undefined ? {} : { assets }),
  };
}

function jsonObject(value: Readonly<Record<string, unknown>>): Record<string, never> {
  // What JSON.parse answers is JSON by definition; the type of the options asks for that and cannot see it.
  return JSON.parse(JSON.stringify(value)) as Record<string, never>;
}
