import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { unstable_readConfig as readConfig, type Unstable_Config as WranglerConfig } from "wrangler";
import { mistakeText } from "../config/store-from-vars.ts";
import { BuildFailure, buildAll } from "./build.ts";
import { publishPlans } from "./plan-publication.ts";
import { BUILT_WORKERS, DEPLOYED_WORKERS, projectPath, type WorkerSource } from "./project.ts";
import { askToPublish } from "./publish.ts";
import { STORE_ADDRESS_NEEDED, storeOrigin } from "./store-address.ts";
import { readStoreFile, type StoreFile } from "./store-file.ts";
import { runWrangler } from "./wrangler.ts";

/*
 * npm run deploy -- [--dry-run] [--publish] [--store URL]
 *
 * Deploys every Worker in the order in which each finds what it binds. With
 * --dry-run it builds them exactly as they would be deployed and shows what
 * they are. A config with mistakes, or with what exists only locally, is refused
 * before anything is built.
 *
 * A deployment changes no running drop. At its end it says where the config
 * differs from the plans that run, and publishes that after a question at the
 * terminal, or with --publish without one.
 */

const USAGE = "Usage: npm run deploy -- [--dry-run] [--publish] [--store URL]";

interface DeployOptions {
  readonly isDryRun: boolean;
  readonly publish: boolean;
  readonly store: string | null;
}

/** The demo store's relative times are a mistake only where something is really deployed. */
async function deploy({ isDryRun, publish, store }: DeployOptions): Promise<number> {
  const file = readStoreFile(projectPath("wrangler.toml"), { isLocal: isDryRun });
  if (!file.ok) {
    process.stderr.write(`Nothing was ${isDryRun ? "built" : "deployed"}: wrangler.toml has mistakes.\n${file.rejection.map((mistake) => `  ${mistakeText(mistake)}\n`).join("")}`);
    return 1;
  }
  await buildAll(DEPLOYED_WORKERS, (line) => process.stdout.write(`${line}\n`));
  for (const worker of DEPLOYED_WORKERS) {
    if (isDryRun) {
      process.stdout.write(description(worker));
      continue;
    }
    process.stdout.write(`Deploying ${worker.name}\n`);
    const code = await runWrangler(["deploy", "-c", projectPath(worker.config)]);
    // The next Worker binds this one: going on would deploy a store without its till.
    if (code !== 0) return code;
  }
  if (isDryRun && !readStoreFile(projectPath("wrangler.toml"), { isLocal: false }).ok) {
    process.stdout.write("These are the Workers. The store in wrangler.toml can only be tried locally; npm run check -- --deploy says why.\n");
  }
  return isDryRun ? 0 : comparePlans(file.value, publish, store ?? deployedOrigin());
}

/**
 * Shows and publishes what the config has other than the running plans. Without
 * --publish it never fails the deployment, which is done: it only says what is
 * left to do.
 */
async function comparePlans(file: StoreFile, publish: boolean, store: string | null): Promise<number> {
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const deskKey = process.env["DESK_KEY"] ?? "";
  if (store === null || deskKey === "") {
    say(`The plans of running drops were not compared: ${store === null ? "say where the store is with --store" : "set DESK_KEY"}, or use npm run publish later.`);
    return publish ? 1 : 0;
  }
  const outcome = await publishPlans({ store, deskKey, file, drop: null, mayPublish: publish ? () => Promise.resolve(true) : askToPublish, say });
  return publish && outcome !== "done" ? 1 : 0;
}

/** Where the storefront is served by its own config; null where only the platform knows. */
function deployedOrigin(): string | null {
  const { routes, route } = readConfig({ config: projectPath("wrangler.toml") });
  const [first] = [...(route === undefined ? [] : [route]), ...(routes ?? [])];
  const pattern = typeof first === "string" ? first : first?.pattern;
  return pattern === undefined ? null : storeOrigin(`https://${pattern.replace(/^https?:\/\//, "").replace(/\/.*$/, "")}`);
}

function description({ name, config }: WorkerSource): string {
  const bundle = readFileSync(path.join(BUILT_WORKERS, name, "index.js"));
  const kilobytes = (bytes: number) => `${(bytes / 1_024).toFixed(0)} KB`;
  const bindings = bindingTexts(readConfig({ config: projectPath(config) }));
  return `\n${name}  ${kilobytes(bundle.length)}, compressed ${kilobytes(gzipSync(bundle).length)}\n${bindings.map((text) => `  ${text}\n`).join("")}`;
}

function bindingTexts(config: WranglerConfig): string[] {
  return [
    ...config.durable_objects.bindings.map(({ name, class_name, script_name }) => `${name}: object ${class_name}${script_name === undefined ? "" : ` of ${script_name}`}`),
    ...(config.services ?? []).map(({ binding, service, entrypoint }) => `${binding}: Worker ${service}${entrypoint === undefined ? "" : `, ${entrypoint}`}`),
    ...config.d1_databases.map(({ binding, database_name }) => `${binding}: database ${database_name ?? ""}`),
    ...(config.queues.producers ?? []).map(({ binding, queue }) => `${binding}: sends to the queue ${queue}`),
    ...(config.queues.consumers ?? []).map(({ queue }) => `reads the queue ${queue}`),
    ...(config.assets?.binding === undefined ? [] : [`${config.assets.binding}: files of ${path.relative(projectPath(), config.assets.directory ?? "")}`]),
    ...(config.triggers.crons ?? []).map((cron) => `runs at ${cron}`),
    ...Object.keys(config.vars).map((name) => `${name}: variable`),
  ];
}

function readOptions(argv: readonly string[]): DeployOptions | string {
  const flag = { type: "boolean", default: false } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options: { "dry-run": flag, publish: flag, store: { type: "string" } } });
    const store = values.store === undefined ? null : storeOrigin(values.store);
    if (values.store !== undefined && store === null) return STORE_ADDRESS_NEEDED;
    return { isDryRun: values["dry-run"], publish: values.publish, store };
  } catch (error) {
    return error instanceof Error ? error.message : "The options cannot be read.";
  }
}

const options = readOptions(process.argv.slice(2));
if (typeof options === "string") {
  process.stderr.write(`${options}\n${USAGE}\n`);
  process.exitCode = 1;
} else {
  try {
    process.exitCode = await deploy(options);
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
