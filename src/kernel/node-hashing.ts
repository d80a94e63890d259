import { createHash, createHmac } from "node:crypto";
import type { Hashing } from "./hashing.ts";

/** The port on `node:crypto`, which is synchronous in Node and in workerd alike. */
export const nodeHashing: Hashing = {
  sha256: (data) => createHash("sha256").update(data).digest("hex"),
  hmacSha256: (key, text) => createHmac("sha256", key).update(text).digest("hex"),
};
