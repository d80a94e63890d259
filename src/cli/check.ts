import path from "node:path";
import { parseArgs } from "node:util";
import type { StoreConfig } from "../config/store-config.ts";
import { mistakeText } from "../config/store-from-vars.ts";
import type { GateTerms } from "../drop/plan.ts";
import { projectPath } from "./project.ts";
import { readStoreFile } from "./store-file.ts";

/*
 * npm run check -- [--config FILE] [--deploy]
 *
 * Reads the store and its drops and names every mistake with its table and
 * field. With --deploy it allows only what may be deployed.
 */
const { values } = parseArgs({ options: { config: { type: "string" }, deploy: { type: "boolean", default: false } } });
const file = values.config === undefined ? projectPath("wrangler.toml") : path.resolve(values.config);
const local = readStoreFile(file, { isLocal: !values.deploy });
if (!local.ok) {
  for (const mistake of local.rejection) process.stderr.write(`${mistakeText(mistake)}\n`);
  process.stderr.write(`${local.rejection.length === 1 ? "1 mistake" : `${local.rejection.length} mistakes`} in ${file}\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(summary(local.value.store));
  if (!values.deploy && !readStoreFile(file, { isLocal: false }).ok) {
    process.stdout.write("It can be tried here. It cannot be deployed as it is; npm run check -- --deploy says why.\n");
  }
}

function summary(store: StoreConfig): string {
  const lines = [
    `${store.name}: ${store.regions.map(({ label }) => label).join(", ")}; prices in ${store.currency}.`,
    ...store.drops.map(({ slug, title, source }) => {
      const units = source.stock.reduce((sum, { quantity }) => sum + quantity, 0);
      return `  ${title} at /${store.regions[0]?.slug ?? ""}/${slug}: ${units} units in ${source.stages.length === 1 ? "one stage" : `${source.stages.length} stages`}, ${source.items.length === 1 ? "one item" : `${source.items.length} items`}.`;
    }),
    ...secretsNeeded(store),
    "No mistakes.",
  ];
  return `${lines.join("\n")}\n`;
}

/** A secret cannot be seen from here, so that what needs one is at least named. */
function secretsNeeded(store: StoreConfig): string[] {
  if (!values.deploy) return [];
  return [
    ...secretOf(store, ({ email }) => email, "The e-mail codes", "MAIL_KEY"),
    ...secretOf(store, ({ turnstile }) => turnstile !== null, "The Turnstile gates", "TURNSTILE_SECRET"),
  ];
}

function secretOf({ drops }: StoreConfig, asks: (gates: GateTerms) => boolean, what: string, secret: string): string[] {
  const asking = drops.filter(({ source }) => asks(source.gates)).map(({ slug }) => slug);
  if (asking.length === 0) return [];
  return [`  ${what} of ${asking.join(", ")} need the secret ${secret}: npx wrangler secret put ${secret}. Without it their doors stay shut.`];
}
