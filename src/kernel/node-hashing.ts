import { createHmac, hash } from "node:crypto";
import type { Hashing } from "./hashing.ts";

/**
 * The port on `node:crypto`, which is synchronous in Node and in workerd alike.
 * A hash is asked for in one call: an object of `createHash` is a stream, and
 * making that stream costs more than the hash does.
 */
export const nodeHashing: Hashing = {
  sha256: (data) => hash("sha256", data, "hex"),
  hmacSha256: (key, text) => createHmac("sha256", key).update(text).digest("hex"),
};

/** SHA-256 of text (UTF-8) in base64url, the form in which tokens and proofs name what they belong to. */
export function sha256Base64url(text: string): string {
  return hash("sha256", text, "base64url");
}
