import * as v from "valibot";
import { Slug } from "../../schema/wire/ids.ts";
import { Leaf } from "../../schema/wire/record.ts";
import { issueText } from "./lines.ts";
import type { Material } from "./verify.ts";

/*
 * A drop in one JSON file, to be kept and checked when the store is long gone:
 *
 *   { "format": "tranche-record/1", "drop", "from", "savedAt",
 *     "pages": ["…"], "entries": [[{ entry, lane, weight }] | null], "keys": { "keys": […] } }
 *
 * Pages are texts, byte for byte as they were served, because a number or a
 * member that was rewritten on the way would not be what was signed.
 */

const FORMAT = "tranche-record/1";

const Entries = v.array(v.nullable(v.array(Leaf)));
const Bundle = v.strictObject({
  format: v.literal(FORMAT),
  drop: Slug,
  from: v.string(),
  savedAt: v.string(),
  pages: v.array(v.string()),
  entries: Entries,
  keys: v.looseObject({ keys: v.array(v.unknown()) }),
});

/** A bundle's text. */
export function bundleText(material: Material, from: string, savedAt: string): string {
  const { drop, pages, entries, keys } = material;
  return `${JSON.stringify({ format: FORMAT, drop, from, savedAt, pages, entries, keys })}\n`;
}

/**
 * A file's material: a bundle, or the rows alone as they are served, for which
 * `drop` may be named. A text that is neither is an explanation.
 */
export function materialFromText(text: string, drop: string | null): { readonly ok: true; readonly material: Material } | { readonly ok: false; readonly why: string } {
  const whole = wholeJson(text);
  const isBundle = typeof whole === "object" && whole !== null && "format" in whole;
  if (!isBundle) {
    if (!text.trimStart().startsWith("{")) return { ok: false, why: "it is neither a bundle nor rows of a record, one JSON object a line" };
    return { ok: true, material: { drop, pages: [text], entries: null, keys: null } };
  }
  const bundle = v.safeParse(Bundle, whole);
  if (!bundle.success) return { ok: false, why: `it is not a bundle of the form ${FORMAT}: ${issueText(bundle.issues)}` };
  const { pages, entries, keys } = bundle.output;
  return { ok: true, material: { drop: bundle.output.drop, pages, entries, keys } };
}

function wholeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
