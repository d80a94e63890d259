import { createHash, createHmac } from "node:crypto";
import type { MovementRow } from "../../../src/drop/port.ts";
import type { Leaf } from "../../../src/lobby/port.ts";
import type { Hashing } from "../../../src/verifier/sha256.ts";
import { NO_QUESTIONS, verifyDrop } from "../../../src/verifier/verify.ts";

/** The verifier's own hashing gives the same and is tested to; thousands of records are checked here, and this is faster. */
const hashing: Hashing = {
  sha256: (data) => createHash("sha256").update(data).digest(),
  hmac: (key) => (data) => createHmac("sha256", key).update(data).digest(),
};

/** The first thing that a stranger with the shipped verifier would find wrong, or null. */
export function publicFinding(drop: string, record: readonly MovementRow[], entries: readonly (readonly Leaf[] | null)[]): string | null {
  const pages = [record.map((row) => `${JSON.stringify(row)}\n`).join("")];
  const [finding] = verifyDrop({ drop, pages, entries, keys: null }, NO_QUESTIONS, { hashing, progress: () => undefined }).findings;
  return finding === undefined ? null : JSON.stringify(finding);
}
