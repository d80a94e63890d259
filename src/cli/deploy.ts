import { readFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { unstable_readConfig as readConfig, type Unstable_Config as WranglerConfig } from "wrangler";
import { mistakeText } from "../config/store-from-vars.ts";
import { BuildFailure, buildAll } from "./build.ts";
import { BUILT_WORKERS, DEPLOYED_WORKERS, projectPath, type WorkerSource } from "./project.ts";
import { readStoreFile } from "./store-file.ts";
import { runWrangler } from "./wrangler.ts";

/*
 * npm run deploy -- [--dry-run]
 *
 * Deploys every Worker in the order in which each finds what it binds. With
 * --dry-run it builds them exactly as they would be deployed and shows what
 * they are. A config with mistakes, or with what exists only locally, is refused
 * before anything is built.
 */

/** The demo store's relative times are a mistake only where something is really deployed. */
async function deploy(isDryRun: boolean): Promise<number> {
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
  return 0;
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

const parameters = process.argv.slice(2);
const unknown = parameters.filter((parameter) => parameter !== "--dry-run");
if (unknown.length > 0) {
  process.stderr.write(`There is no option ${unknown.join(" ")}.\nUsage: npm run deploy -- [--dry-run]\n`);
  process.exitCode = 1;
} else {
  try {
    process.exitCode = await deploy(parameters.includes("--dry-run"));
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
