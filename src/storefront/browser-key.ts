import { createPublicKey, verify } from "node:crypto";
import type { BrowserKey } from "../../schema/wire/ticket.ts";
import { sha256Base64url } from "../kernel/node-hashing.ts";

/**
 * What makes a browser's public key that key: the point on P-256. RFC 7638
 * counts only these members, so that the same key in another spelling is the
 * same key, and none of the others ever reaches a verification.
 */
export type BrowserPoint = Pick<BrowserKey, "x" | "y">;

/** The RFC 7638 thumbprint. Coordinates are base64url, so that this text is the canonical JSON of the four members. */
export function thumbprintOf({ x, y }: BrowserPoint): string {
  return sha256Base64url(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`);
}

/** The thumbprint of a key that somebody brings for the first time, or null when its point is not on the curve. */
export function browserKeyThumbprint(key: BrowserKey): string | null {
  try {
    createPublicKey({ key: jwkOf(key), format: "jwk" });
    return thumbprintOf(key);
  } catch {
    return null;
  }
}

/**
 * Whether `signature` is ES256 (RFC 7518, section 3.4) of `signed` by the key.
 * A point that is not on the curve has signed nothing.
 *
 * With `node:crypto` because WebCrypto costs a quarter more for the same answer,
 * in promises and in copies; importing the key is 4 of the 68 µs, so that no
 * keys are kept.
 */
export function isSignedBy(key: BrowserPoint, signed: string, signature: Uint8Array): boolean {
  try {
    return verify("sha256", Buffer.from(signed), { key: jwkOf(key), format: "jwk", dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    return false;
  }
}

function jwkOf({ x, y }: BrowserPoint) {
  return { kty: "EC", crv: "P-256", x, y };
}
