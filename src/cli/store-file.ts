import { existsSync, readFileSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import type { ConfigMistake, StoreConfig } from "../config/store-config.ts";
import { storeFromVars } from "../config/store-from-vars.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { projectPath } from "./project.ts";

/** A wrangler config's `[vars]` as they were written, and the store that they describe. */
export interface StoreFile {
  readonly vars: Readonly<Record<string, unknown>>;
  readonly store: StoreConfig;
}

/** Names that hold secrets; in a file that is committed they would be public. */
const SECRETS = ["TICKET_KEYS", "RECEIPT_KEY", "HEAD_KEY", "COUPON_KEY", "DESK_KEY", "STRIPE_KEY", "STRIPE_WEBHOOK_SECRET", "MAIL_KEY", "TURNSTILE_SECRET", "ORDERS_TOKEN", "REHEARSAL_KEY"];

/** `codes@nightjar.example`, or the same with a name before it. */
const SENDER = /^(?:[^<>"@]{1,80} <[^\s<>@"]+@[^\s<>@"]+\.[^\s<>@"]+>|[^\s<>@"]+@[^\s<>@"]+\.[^\s<>@"]+)$/;

/**
 * Reads the `[vars]` of a wrangler config and checks everything that is written
 * there. The mistakes come all at once; those of the file itself have the
 * file's name for a table.
 */
export function readStoreFile(file: string, options: { readonly isLocal: boolean }): Result<StoreFile, ConfigMistake[]> {
  const vars = readVars(file);
  if (!vars.ok) return vars;
  const mistakes: ConfigMistake[] = SECRETS.filter((name) => name in vars.value)
    .map((name) => ({ table: "vars", field: name, detail: `This is a secret. Take it out of the file, and set it with: wrangler secret put ${name}` }));
  const environment = vars.value["ENVIRONMENT"];
  if (environment !== undefined && environment !== "production") {
    mistakes.push({ table: "vars", field: "ENVIRONMENT", detail: "Only \"production\" stands in a file; the local commands set what they need themselves." });
  }
  const store = storeFromVars(vars.value, options);
  if (!store.ok) return rejected([...mistakes, ...store.rejection]);
  for (const drop of store.value.drops) {
    if (drop.image === null || existsSync(projectPath("static", drop.image))) continue;
    mistakes.push({ table: `DROP_${drop.slug.toUpperCase().replaceAll("-", "_")}`, field: "image", detail: `There is no static/${drop.image}.` });
  }
  if (!options.isLocal) mistakes.push(...senderMistakes(store.value, vars.value["MAIL_FROM"]));
  return mistakes.length > 0 ? rejected(mistakes) : accepted({ vars: vars.value, store: store.value });
}

/** The names of drops that nobody could join, because their codes would have no sender. Locally the sandbox is both. */
function senderMistakes({ drops }: StoreConfig, sender: unknown): ConfigMistake[] {
  const asking = drops.filter(({ source }) => source.gates.email).map(({ slug }) => slug);
  if (asking.length === 0 || (typeof sender === "string" && SENDER.test(sender))) return [];
  return [{ table: "vars", field: "MAIL_FROM", detail: `${asking.join(", ")} asks for e-mail codes, and nobody would send them. Write MAIL_FROM = "Your store <codes@your-domain.example>", and set the secret with: wrangler secret put MAIL_KEY` }];
}

function readVars(file: string): Result<Record<string, unknown>, ConfigMistake[]> {
  const broken = (detail: string) => rejected([{ table: file, field: "", detail }]);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return broken("This file cannot be read.");
  }
  try {
    const vars: unknown = parse(text)["vars"];
    if (typeof vars !== "object" || vars === null || Array.isArray(vars) || vars instanceof Date) return broken("There is no [vars] table. The store and its drops are written in [vars.STORE], [vars.REGION_…] and [vars.DROP_…].");
    return accepted({ ...vars });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return broken(`Line ${error.line}, column ${error.column}: this is not TOML 1.0. An inline table { … } stands on one line, and a name is given once.`);
  }
}
