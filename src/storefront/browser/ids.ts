import { idFromRandom } from "../../kernel/ids.ts";

/** A fresh id from the browser's own random source: 130 bits, so that nobody else can come upon it. */
export function freshId(prefix: "tkt" | "hld" | "ord"): string {
  return idFromRandom(prefix, crypto.getRandomValues(new Uint8Array(26)));
}
