import path from "node:path";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { unstable_getMiniflareWorkerOptions as optionsOf } from "wrangler";
import type { Keys } from "./keys.ts";
import { BUILT_WORKERS, LOCAL_WORKERS, projectPath, type WorkerSource } from "./project.ts";

export interface LocalRuntimeOptions {
  readonly port: number;
  readonly dataFolder: string;
  /** The `[vars]` of the store that is served, in place of the root config's. */
  readonly vars: Readonly<Record<string, unknown>>;
  readonly keys: Keys;
  /** Where orders live instead of the local D1, or null. */
  readonly orders: { readonly url: string; readonly token: string | null } | null;
}

/** The secrets and variables of each Worker, and nothing else's: as it is deployed, so it runs here. */
export function localVars(name: WorkerSource["name"], { keys, vars, orders, port }: LocalRuntimeOptions): Record<string, unknown> {
  const environment = { ENVIRONMENT: "local" };
  switch (name) {
    case "storefront":
      return { ...vars, ...environment, TICKET_KEYS: keys.TICKET_KEYS, RECEIPT_KEY: keys.RECEIPT_KEY, PUBLIC_KEYS: keys.PUBLIC_KEYS, REHEARSAL_KEY: keys.REHEARSAL_KEY };
    case "objects":
      return { ...environment, HEAD_KEY: keys.HEAD_KEY };
    case "settlement":
      return {
        ...environment, STRIPE_KEY: keys.STRIPE_KEY, STRIPE_WEBHOOK_SECRET: keys.STRIPE_WEBHOOK_SECRET,
        ...(orders === null ? {} : { ORDERS_URL: orders.url, ...(orders.token === null ? {} : { ORDERS_TOKEN: orders.token }) }),
      };
    case "desk":
      return { ...environment, DESK_KEY: keys.DESK_KEY, COUPON_KEY: keys.COUPON_KEY };
    case "sandbox":
      return {
        ...environment, STRIPE_KEY: keys.STRIPE_KEY, STRIPE_WEBHOOK_SECRET: keys.STRIPE_WEBHOOK_SECRET, REHEARSAL_KEY: keys.REHEARSAL_KEY,
        SANDBOX_ORIGIN: `http://127.0.0.1:${port + 1}`,
      };
    default:
      return name satisfies never;
  }
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
    workers: [assetsWorker(), ...workers],
  }));
  await runtime.ready;
  return runtime;
}

function workerOptions(source: WorkerSource, options: LocalRuntimeOptions): V4WorkerOptions {
  const { assets: _served, ...configured } = configuredOptions(source.config);
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
    ...(source.name === "storefront" ? { serviceBindings: { ...services, ASSETS: "assets" }, ...socket(options.port) } : {}),
    ...(source.name === "settlement" ? { serviceBindings: { ...services, PROVIDER: "sandbox" } } : {}),
    ...(source.name === "sandbox" ? socket(options.port + 1) : {}),
  };
}

function assetsWorker(): V4WorkerOptions {
  const { assets, compatibilityDate } = configuredOptions("wrangler.toml");
  return {
    name: "assets",
    ...(compatibilityDate === undefined ? {} : { compatibilityDate }),
    modules: true,
    script: "export default { fetch: (request, env) => env.ASSETS.fetch(request) };",
    ...(assets === undefined ? {} : { assets }),
  };
}

type ConfiguredOptions = Pick<V4WorkerOptions, "bindings" | "serviceBindings" | "assets" | "compatibilityDate">;

function configuredOptions(config: string): ConfiguredOptions {
  // Wrangler types this as an Omit of a type with an index signature, which loses every name; these are the ones read here.
  return optionsOf(projectPath(config)).workerOptions as ConfiguredOptions;
}

function jsonObject(value: Readonly<Record<string, unknown>>): Record<string, never> {
  // What JSON.parse answers is JSON by definition; the type of the options asks for that and cannot see it.
  return JSON.parse(JSON.stringify(value)) as Record<string, never>;
}
