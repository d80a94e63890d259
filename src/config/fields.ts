import * as v from "valibot";
import { durationFromText, instantFromWire } from "../kernel/time.ts";
import type { Moment } from "../drop/plan.ts";
import type { ConfigMistake } from "./store-config.ts";

/** Where mistakes are gathered: reading goes on after one, so that a creator sees all of them at once. */
export class Mistakes {
  readonly list: ConfigMistake[] = [];

  add(table: string, field: string, detail: string): void {
    this.list.push({ table, field, detail });
  }
}

/**
 * Reads each field of a table on its own, so that a broken field does not hide
 * the mistakes of the others. A field that is not acceptable is left out of the
 * answer and named in `mistakes`; a name that `fields` does not have is one too.
 */
export function readFields<Fields extends Record<string, v.GenericSchema>>(
  table: string,
  raw: Readonly<Record<string, unknown>>,
  fields: Fields,
  mistakes: Mistakes,
): { [Name in keyof Fields]?: v.InferOutput<Fields[Name]> } {
  const read: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(fields)) {
    const outcome = v.safeParse(schema, raw[name], { abortPipeEarly: true });
    if (outcome.success) read[name] = outcome.output;
    else for (const issue of outcome.issues) mistakes.add(table, name + pathText(issue.path), sentence(issue));
  }
  for (const name of Object.keys(raw)) {
    if (!(name in fields)) mistakes.add(table, name, `There is no such field here. The fields are ${Object.keys(fields).join(", ")}.`);
  }
  return read;
}

function pathText(path: readonly { readonly key?: unknown }[] | undefined): string {
  return (path ?? []).map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
}

function sentence(issue: v.BaseIssue<unknown>): string {
  if (issue.kind === "schema" && issue.expected === "never") return "There is no such field here.";
  if (issue.kind === "schema" && issue.input === undefined) return "This is missing.";
  return issue.message;
}

/** A table inside a table; unknown names are mistakes. */
export function table<Entries extends v.ObjectEntries>(entries: Entries) {
  return v.strictObject(entries, "This must be a table, written as { … } on one line.");
}

/** A list of at least `min` and at most `max` entries. */
export function list<Item extends v.GenericSchema>(item: Item, min: number, max: number) {
  return v.pipe(
    v.array(item, "This must be a list, written as [ … ]."),
    v.minLength(min, `At least ${min} must be listed.`),
    v.maxLength(max, `At most ${max} can be listed.`),
  );
}

export function text(max: number) {
  return v.pipe(v.string("This must be text in quotes."), v.trim(), v.minLength(1, "This must not be empty."), v.maxLength(max, `This must have at most ${max} characters.`));
}

export function pattern(shape: RegExp, explanation: string) {
  return v.pipe(v.string(explanation), v.regex(shape, explanation));
}

export function wholeNumber(min: number, max: number, explanation: string) {
  return v.pipe(v.number(explanation), v.safeInteger(explanation), v.minValue(min, explanation), v.maxValue(max, explanation));
}

/** A percentage with at most two decimals, so that it is a whole number of hundredths wherever it is multiplied. */
export function percent(min: number, max: number, explanation: string) {
  return v.pipe(
    v.number(explanation),
    v.minValue(min, explanation),
    v.maxValue(max, explanation),
    v.check((value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-9, "This can have at most two decimals."),
  );
}

/** Milliseconds of a duration such as `8m` or `1h30m`. */
export function duration(minMs: number, maxMs: number, explanation: string) {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, number>(({ dataset, addIssue, NEVER }) => {
      const ms = typeof dataset.value === "string" ? durationFromText(dataset.value) : null;
      if (ms === null || ms < minMs || ms > maxMs) {
        addIssue({ message: dataset.value === undefined ? "This is missing." : explanation });
        return NEVER;
      }
      return ms;
    }),
  );
}

/** An instant of the config: RFC 3339 in quotes. */
export const instant = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, number>(({ dataset, addIssue, NEVER }) => {
    const at = typeof dataset.value === "string" ? instantFromWire(dataset.value) : null;
    if (at === null) {
      addIssue({ message: instantComplaint(dataset.value) });
      return NEVER;
    }
    return at;
  }),
);

/** An instant, or where the store is local also `+20s`, counted from the first time that the drop is seen. */
export function moment(isLocal: boolean) {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, Moment>(({ dataset, addIssue, NEVER }) => {
      const value = dataset.value;
      if (typeof value === "string" && value.startsWith("+")) {
        const afterFirstSeenMs = durationFromText(value.slice(1));
        if (afterFirstSeenMs !== null && isLocal) return { afterFirstSeenMs };
        addIssue({
          message: isLocal
            ? "A relative time is a plus and a duration, such as +20s or +1h30m."
            : "A relative time exists only on a local machine. Deployed drops name an instant, such as 2026-12-04T18:00:00Z.",
        });
        return NEVER;
      }
      const at = typeof value === "string" ? instantFromWire(value) : null;
      if (at === null) {
        addIssue({ message: instantComplaint(value) });
        return NEVER;
      }
      return { at };
    }),
  );
}

function instantComplaint(value: unknown): string {
  if (value === undefined) return "This is missing.";
  // TOML's own date-time type does not survive on its way to a Worker, which gets JSON.
  if (value instanceof Date) return "Write the instant in quotes, such as \"2026-12-04T18:00:00Z\".";
  return "This must be an instant with its zone in quotes, such as \"2026-12-04T18:00:00Z\".";
}

/** Names every value that occurs a second time, compared as `key` says. */
export function nameDuplicates(
  mistakes: Mistakes,
  tableName: string,
  values: readonly (readonly [field: string, value: string])[],
  what: string,
): void {
  const seen = new Set<string>();
  for (const [field, value] of values) {
    if (seen.has(value)) mistakes.add(tableName, field, `The ${what} "${value}" is used twice.`);
    seen.add(value);
  }
}
