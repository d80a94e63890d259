import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import * as v from "valibot";
import { mistakeText } from "../config/store-from-vars.ts";
import { publishPlans, type PublicationOutcome } from "./plan-publication.ts";
import { projectPath } from "./project.ts";
import { isLocalStore, STORE_ADDRESS_NEEDED, storeOrigin } from "./store-address.ts";
import { readStoreFile } from "./store-file.ts";

/*
 * npm run publish -- [--store URL] [--drop SLUG] [--yes] [--config FILE] [--data FOLDER]
 *
 * Compares the config with the plans that are running, says every difference in
 * words and what of it is refused and why, and publishes after a question, or
 * with --yes without one. The desk's key is DESK_KEY of the environment, else,
 * for a store on this machine, the one that npm start made in its data folder.
 *
 * Ends with 0 when the plans are what the config says, with 1 when something was
 * refused or went wrong, with 2 when there are differences that were not published.
 */

const USAGE = "Usage: npm run publish -- [--store URL] [--drop SLUG] [--yes] [--config FILE] [--data FOLDER]";
const EXIT_CODES: Readonly<Record<PublicationOutcome, 0 | 1 | 2>> = { done: 0, refused: 1, left: 2 };

/** The desk's key from the environment, or from the data folder of a store on this machine; null where there is none. */
function readDeskKey(store: string, dataFolder: string): string | null {
  const fromEnvironment = process.env["DESK_KEY"];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
  const file = path.join(dataFolder, "keys.json");
  // The key of a store on this machine is no other store's business.
  const keys = isLocalStore(store) && existsSync(file) ? v.safeParse(v.object({ DESK_KEY: v.string() }), JSON.parse(readFileSync(file, "utf8"))) : null;
  return keys?.success === true ? keys.output.DESK_KEY : null;
}

/** Asks at the terminal; where there is none, nothing is published unasked. */
export async function askToPublish(title: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    process.stdout.write("  There is no terminal to ask at: --yes publishes without a question.\n");
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`  Publish this for ${title}? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** The whole command; answers the process's exit code. */
export async function runPublish(argv: readonly string[], say: (line: string) => void): Promise<0 | 1 | 2> {
  const text = { type: "string" } as const;
  let values;
  try {
    ({ values } = parseArgs({ args: [...argv], options: { store: text, drop: text, yes: { type: "boolean", default: false }, config: text, data: text } }));
  } catch (error) {
    say(`${error instanceof Error ? error.message : "The options cannot be read."}\n${USAGE}`);
    return 1;
  }
  const store = storeOrigin(values.store ?? "http://127.0.0.1:8787");
  if (store === null) {
    say(STORE_ADDRESS_NEEDED);
    return 1;
  }
  const file = readStoreFile(values.config === undefined ? projectPath("wrangler.toml") : path.resolve(values.config), { isLocal: isLocalStore(store) });
  if (!file.ok) {
    say(file.rejection.map(mistakeText).join("\n"));
    return 1;
  }
  const deskKey = readDeskKey(store, values.data === undefined ? projectPath(".data") : path.resolve(values.data));
  if (deskKey === null) {
    say("There is no desk key: set DESK_KEY. For a store on this machine, npm start makes one.");
    return 1;
  }
  const mayPublish = values.yes ? () => Promise.resolve(true) : askToPublish;
  return EXIT_CODES[await publishPlans({ store, deskKey, file: file.value, drop: values.drop ?? null, mayPublish, say })];
}

if (import.meta.main) process.exitCode = await runPublish(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`));
