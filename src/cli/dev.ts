import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse, stringify, type TomlTable } from "smol-toml";
import { mistakeText } from "../config/store-from-vars.ts";
import { buildBrowser } from "./build.ts";
import { takeDataFolder } from "./data-folder.ts";
import { readOrMakeKeys } from "./keys.ts";
import { localVars, ordersServerFrom, type LocalSettings } from "./local-vars.ts";
import { BUILT_WORKERS, LOCAL_WORKERS, projectPath, type WorkerSource } from "./project.ts";
import { parseStartOptions, type StartOptions } from "./start-options.ts";
import { readStoreFile } from "./store-file.ts";
import { runWrangler } from "./wrangler.ts";

/*
 * npm run dev -- [--config FILE] [--port N] [--data DIR] [--fresh]
 *
 * The same store under `wrangler dev`, which builds and reloads on every change
 * of a source file. Wrangler gives only its first Worker a port, so the sandbox,
 * whose payment page a browser must reach, has a wrangler of its own; the two
 * find each other's Workers by name.
 */

const CRON_EVERY_MS = 60_000;

async function dev(options: StartOptions): Promise<number> {
  const file = readStoreFile(options.config, { isLocal: true });
  if (!file.ok) {
    process.stderr.write(`Nothing was started: ${options.config} has mistakes.\n${file.rejection.map((mistake) => `  ${mistakeText(mistake)}\n`).join("")}`);
    return 1;
  }
  const data = await takeDataFolder(options.data, options.fresh);
  if (!data.ok) {
    process.stderr.write(`${data.rejection}\n`);
    return 1;
  }
  await buildBrowser((line) => process.stdout.write(`${line}\n`));
  const orders = ordersServerFrom(process.env);
  const settings: LocalSettings = { port: options.port, vars: file.value.vars, keys: readOrMakeKeys(options.data), orders };
  const configs = new Map(LOCAL_WORKERS.map((source) => [source.name, writeDevConfig(source, settings)]));
  const config = (name: WorkerSource["name"]) => ["-c", configs.get(name) ?? ""];

  if (orders === null) {
    const migrated = await runWrangler(["d1", "migrations", "apply", "orders", "--local", "--persist-to", options.data, ...config("settlement")], { stdio: ["ignore", "ignore", "inherit"], env: { CI: "1" } });
    if (migrated !== 0) return migrated;
  } else {
    process.stdout.write("Orders are in the server that ORDERS_URL names; npm start brings it to the newest schema.\n");
  }
  process.stdout.write(`The desk's key is ${settings.keys.DESK_KEY}\n`);

  // Without a terminal of its own the second wrangler leaves the keyboard to the first.
  const serve = (port: number, names: readonly WorkerSource["name"][], stdin: "inherit" | "ignore") =>
    runWrangler(["dev", ...names.flatMap(config), "--ip", "127.0.0.1", "--port", String(port), "--persist-to", options.data, "--show-interactive-dev-session=false"], { stdio: [stdin, "inherit", "inherit"] });
  const cron = setInterval(() => void wakeDrops(options.port), CRON_EVERY_MS);
  const sandbox = serve(options.port + 1, ["sandbox"], "ignore");
  // One after the other: two wranglers that look for free inner ports at once find the same ones.
  await Promise.race([sandbox, answers(options.port + 1)]);
  const code = await Promise.race([sandbox, serve(options.port, ["storefront", "objects", "settlement", "desk"], "inherit")]);
  clearInterval(cron);
  data.value.release();
  return code;
}

async function answers(port: number): Promise<void> {
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Nothing fires crons under wrangler dev; while it rebuilds, nobody answers, and the next minute will do. */
async function wakeDrops(port: number): Promise<void> {
  try {
    await fetch(`http://127.0.0.1:${port}/cdn-cgi/local/scheduled`);
  } catch {
    process.stderr.write("The store did not answer its cron.\n");
  }
}

/** The Worker's own config with local secrets and bindings, its paths made absolute, where it is never committed. */
function writeDevConfig({ name, config }: WorkerSource, settings: LocalSettings): string {
  const file = projectPath(config);
  const table = parse(readFileSync(file, "utf8"));
  const absolute = (value: unknown) => path.resolve(path.dirname(file), String(value));
  const services = Array.isArray(table["services"]) ? table["services"] : [];
  const local: TomlTable = {
    ...table,
    main: absolute(table["main"]),
    vars: tomlTable(localVars(name, settings)),
    ...(name === "settlement" ? { services: [...services, { binding: "PROVIDER", service: "sandbox" }] } : {}),
    ...(name === "storefront" ? { services: [...services, ...["MAILBOX", "BEACON", "TURNSTILE"].map((binding) => ({ binding, service: "sandbox" }))] } : {}),
  };
  makeAbsolute(local["assets"], "directory", absolute);
  for (const database of Array.isArray(local["d1_databases"]) ? local["d1_databases"] : []) makeAbsolute(database, "migrations_dir", absolute);
  const folder = path.join(BUILT_WORKERS, "dev");
  mkdirSync(folder, { recursive: true });
  const written = path.join(folder, `${name}.toml`);
  writeFileSync(written, stringify(local), { mode: 0o600 });
  return written;
}

function makeAbsolute(table: unknown, name: string, absolute: (value: unknown) => string): void {
  if (typeof table === "object" && table !== null && name in table) Reflect.set(table, name, absolute(Reflect.get(table, name)));
}

function tomlTable(value: Readonly<Record<string, unknown>>): TomlTable {
  // What JSON.parse answers has no undefined, null or functions here, which is all that TOML cannot say.
  return JSON.parse(JSON.stringify(value)) as TomlTable;
}

const options = parseStartOptions(process.argv.slice(2));
if (!options.ok) {
  process.stderr.write(`${options.rejection}\n`);
  process.exit(1);
}
// Leaves by itself, which ends the other wrangler too.
process.exit(await dev(options.value));
