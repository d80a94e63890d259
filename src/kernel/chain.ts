import { canonicalJson } from "./canonical.ts";
import type { Hashing } from "./hashing.ts";

/** What the first row of a record names as its predecessor. */
export const CHAIN_START = "0".repeat(64);

/**
 * The hash that links a row to its predecessor: SHA-256 over the previous hash,
 * a line feed and the row's canonical form without `prevHash` and `hash`.
 */
export function linkHash(prevHash: string, row: Readonly<Record<string, unknown>>, hashing: Hashing): string {
  return hashing.sha256(`${prevHash}\n${canonicalJson(row)}`);
}
