import * as v from "valibot";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { contrastRatio } from "./contrast.ts";
import { dropFromTable } from "./drop-from-table.ts";
import { Mistakes, nameDuplicates, pattern, percent, readFields, table, text } from "./fields.ts";
import { regionFromTable } from "./region-from-table.ts";
import type { Brand, ConfigMistake, StoreConfig } from "./store-config.ts";

/** Cloudflare's limit for one variable of a Worker. */
const TABLE_BYTES_MAX = 5 * 1024;

/** First parts of paths that the storefront uses itself; a region or drop of that name could never be reached. */
const RESERVED_SLUGS = ["api", "built", "desk", "drops", "fonts", "healthz", "images", "orders", "problems", "q", "sandbox", "webhooks"];

/**
 * The store as the `[vars]` of wrangler config describe it, or every mistake in
 * them, each with its table and field. `isLocal` allows what exists only on a
 * developer's machine: relative times, short holds and `admit = "all"`.
 *
 * Everything that is not a table (strings, bindings) is ignored, so that a
 * Worker may hand in its whole environment.
 */
export function storeFromVars(vars: Readonly<Record<string, unknown>>, options: { readonly isLocal: boolean }): Result<StoreConfig, ConfigMistake[]> {
  const mistakes = new Mistakes();
  const tables = tablesOf(vars, mistakes);
  const store = readStore(tables.get("STORE"), mistakes);

  const regions = [...tables].filter(([name]) => name.startsWith("REGION_"))
    .map(([name, raw]) => ({ name, region: regionFromTable(name, slugOf(name), raw, mistakes) }));
  if (regions.length === 0) mistakes.add("REGION_…", "", "At least one region is needed, such as [vars.REGION_BERLIN].");

  const regionSlugs = regions.map(({ name }) => slugOf(name));
  const places = new Map(regions.flatMap(({ name, region }) => (region === null ? [] : [[slugOf(name), region.near] as const])));
  const drops = [...tables].filter(([name]) => name.startsWith("DROP_"))
    .map(([name, raw]) => ({
      name,
      drop: dropFromTable(name, slugOf(name), raw, { ...options, currency: store.currency ?? "XXX", tax: store.tax ?? null, regionSlugs, places }, mistakes),
    }));

  checkSlugs([...regions, ...drops].map(({ name }) => name), mistakes);
  nameTwins(regions.flatMap(({ name, region }) => (region === null ? [] : [{ name, region }])), mistakes);

  const { name, currency, support, brand } = store;
  if (mistakes.list.length > 0 || name === undefined || currency === undefined || support === undefined || brand === undefined) return rejected(mistakes.list);
  return accepted({
    name, currency, support, brand,
    regions: regions.flatMap(({ region }) => (region === null ? [] : [region])),
    drops: drops.flatMap(({ drop }) => (drop === null ? [] : [drop])),
  });
}

/** One sentence per mistake, as the terminal shows it: `DROP_MOTH_TEE.stages: The shares …`. */
export function mistakeText(mistake: ConfigMistake): string {
  return `${mistake.table}${mistake.field === "" ? "" : `.${mistake.field}`}: ${mistake.detail}`;
}

/** `DROP_MOTH_TEE` is `moth-tee` in an address. */
function slugOf(tableName: string): string {
  return tableName.slice(tableName.indexOf("_") + 1).toLowerCase().replaceAll("_", "-");
}

function tablesOf(vars: Readonly<Record<string, unknown>>, mistakes: Mistakes): Map<string, Record<string, unknown>> {
  const tables = new Map<string, Record<string, unknown>>();
  for (const [name, value] of Object.entries(vars)) {
    const isOurs = name === "STORE" || name.startsWith("REGION_") || name.startsWith("DROP_");
    if (!isPlainTable(value)) {
      if (isOurs) mistakes.add(name, "", `This must be a table, written as [vars.${name}].`);
      continue;
    }
    if (!isOurs) {
      mistakes.add(name, "", "There is no such table. The tables are STORE, REGION_… and DROP_….");
      continue;
    }
    if (name !== "STORE" && !/^(REGION|DROP)(_[A-Z0-9]+)+$/.test(name)) {
      mistakes.add(name, "", "A table's name is written in capitals, digits and single underscores, such as DROP_MOTH_TEE.");
      continue;
    }
    const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
    if (bytes > TABLE_BYTES_MAX) mistakes.add(name, "", `This table has ${bytes} bytes; the platform carries at most ${TABLE_BYTES_MAX} in one. Shorten the story, or sell fewer items in one drop.`);
    tables.set(name, value);
  }
  return tables;
}

/** Bindings are objects too, but of classes of their own. */
function isPlainTable(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const HEX = pattern(/^#([0-9a-f]{3}|[0-9a-f]{6})$/i, "This must be a colour such as #17130f.");
const STORE_FIELDS = {
  name: text(60),
  currency: pattern(/^[A-Z]{3}$/, "This must be a currency of ISO 4217, such as EUR."),
  support: pattern(/^([^\s@]+@[^\s@]+\.[^\s@]+|https:\/\/\S+)$/, "This must be an e-mail address or an https address where shoppers get help."),
  brand: table({
    mark: v.pipe(v.string("This must be text in quotes."), v.regex(/^\S{1,2}$/u, "This must be one or two characters.")),
    ink: HEX,
    paper: HEX,
    accent: HEX,
  }),
  tax: v.optional(table({ label: text(30), percent: percent(0, 100, "This must be a number from 0 to 100.") })),
};

function readStore(raw: Record<string, unknown> | undefined, mistakes: Mistakes) {
  if (raw === undefined) {
    mistakes.add("STORE", "", "This table is missing. It names the store, its currency, its support address and its brand.");
    return {};
  }
  const store = readFields("STORE", raw, STORE_FIELDS, mistakes);
  if (store.brand !== undefined) checkContrast(store.brand, mistakes);
  return store;
}

/** Text needs 4.5 to 1, large text and controls 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11). */
function checkContrast(brand: Brand, mistakes: Mistakes): void {
  for (const [name, colour, least] of [["ink", brand.ink, 4.5], ["accent", brand.accent, 3]] as const) {
    const ratio = contrastRatio(colour, brand.paper);
    if (ratio < least) mistakes.add("STORE", `brand.${name}`, `${colour} on ${brand.paper} has a contrast of ${ratio.toFixed(1)} to 1; people need at least ${least} to 1 to read it.`);
  }
}

function checkSlugs(tableNames: readonly string[], mistakes: Mistakes): void {
  const tableBySlug = new Map<string, string>();
  for (const name of tableNames) {
    const slug = slugOf(name);
    const twin = tableBySlug.get(slug);
    if (RESERVED_SLUGS.includes(slug)) mistakes.add(name, "", `The address /${slug} is used by the store itself. Choose another name.`);
    if (twin !== undefined) mistakes.add(name, "", `The address /${slug} belongs to ${twin} already. Choose another name.`);
    tableBySlug.set(slug, name);
  }
}

function nameTwins(regions: readonly { readonly name: string; readonly region: { readonly label: string; readonly pickup: readonly { readonly id: string }[] } }[], mistakes: Mistakes): void {
  const labels = new Set<string>();
  const points = new Set<string>();
  for (const { name, region } of regions) {
    if (labels.has(region.label.toLowerCase())) mistakes.add(name, "label", `The region "${region.label}" is there twice.`);
    labels.add(region.label.toLowerCase());
    nameDuplicates(mistakes, name, region.pickup.map((point, index) => [`pickup[${index}].id`, point.id] as const), "pick-up point");
    for (const [index, point] of region.pickup.entries()) {
      if (points.has(point.id)) mistakes.add(name, `pickup[${index}].id`, `The pick-up point "${point.id}" belongs to another region already.`);
    }
    for (const point of region.pickup) points.add(point.id);
  }
}
