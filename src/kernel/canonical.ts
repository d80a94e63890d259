import canonicalize from "canonicalize";
import { assert } from "./result.ts";

/** JSON in the canonical form of RFC 8785, which is what gets hashed and signed. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  assert(text !== undefined, "only a JSON value has a canonical form");
  return text;
}
