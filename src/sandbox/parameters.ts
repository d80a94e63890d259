import * as v from "valibot";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import type { FormTree } from "./form.ts";
import type { Metadata } from "./records.ts";
import { badParameter, type Refusal } from "./refusal.ts";

/* Valibot shapes for form parameters, where every value arrives as text. */

export const text = (lengthMax: number) => v.pipe(v.string(), v.minLength(1, "This value cannot be blank."), v.maxLength(lengthMax, `This value must be at most ${lengthMax} characters.`));

/** Text that an official client clears by sending it empty. */
export const clearableText = (lengthMax: number) => v.pipe(v.string(), v.maxLength(lengthMax), v.transform((value) => (value === "" ? null : value)));

export const integer = (min: number, max: number) => v.pipe(
  v.string(), v.regex(/^-?\d{1,16}$/, "Invalid integer."), v.transform(Number),
  v.minValue(min, `This value must be greater than or equal to ${min}.`), v.maxValue(max, `This value must be less than or equal to ${max}.`),
);

/** The provider's own bound: eight digits. */
export const amount = integer(0, 99_999_999);
export const flag = v.pipe(v.picklist(["true", "false"]), v.transform((value) => value === "true"));
export const currency = v.pipe(v.string(), v.toLowerCase(), v.regex(/^[a-z]{3}$/, "Invalid currency: use its three-letter code."));

export const list = <Item extends v.GenericSchema>(item: Item, countMax: number) => v.pipe(
  v.record(v.pipe(v.string(), v.regex(/^\d+$/, "Invalid array.")), item),
  v.transform((members) => Object.values(members)),
  v.maxLength(countMax, `This list has at most ${countMax} members.`),
);

/** Up to 50 keys of 40 characters with values of 500; an empty value means no such key. */
export const metadata = v.pipe(
  v.union([v.literal(""), v.record(v.pipe(v.string(), v.maxLength(40)), v.pipe(v.string(), v.maxLength(500)))]),
  v.transform((members): Metadata => (members === "" ? {} : Object.fromEntries(Object.entries(members).filter(([, value]) => value !== "")))),
  v.check((members) => Object.keys(members).length <= 50, "Metadata has at most 50 keys."),
);

export const webAddress = v.pipe(v.string(), v.maxLength(5_000), v.check((value) => {
  try {
    return /^https?:$/.test(new URL(value.replaceAll("{CHECKOUT_SESSION_ID}", "id")).protocol);
  } catch {
    return false;
  }
}, "Not a valid URL."));

export const expand = v.optional(list(v.pipe(v.string(), v.regex(/^[a-z_]+(\.[a-z_]+){0,3}$/, "This property cannot be expanded.")), 20), {});

function parameterName(path: readonly { readonly key: unknown }[] | undefined): string {
  const [first, ...rest] = (path ?? []).map((item) => String(item.key));
  return first === undefined ? "" : first + rest.map((name) => `[${name}]`).join("");
}

/** Reads parameters strictly: what is unknown, missing or malformed is refused by name, as the client expects. */
export function readParameters<Schema extends v.GenericSchema<unknown, unknown>>(schema: Schema, tree: FormTree): Result<v.InferOutput<Schema>, Refusal> {
  const parsed = v.safeParse(schema, tree, { abortEarly: true });
  if (parsed.success) return accepted(parsed.output);
  const [issue] = parsed.issues;
  const name = parameterName(issue.path);
  if (issue.expected === "never") return rejected(badParameter(name, `Received unknown parameter: ${name}`, "parameter_unknown"));
  if (issue.input === undefined) return rejected(badParameter(name, `Missing required param: ${name}.`, "parameter_missing"));
  return rejected(badParameter(name, `${issue.message} (${name})`, issue.expected === null ? "parameter_invalid" : "parameter_invalid_type"));
}
