import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bytesFromHex, type Hashing } from "../kernel/hashing.ts";
import type { BeaconTerms } from "./plan.ts";

/** The domain of drand's scheme bls-unchained-g1-rfc9380: short signatures on G1, keys on G2. */
const DOMAIN = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
const SIGNATURE = /^[0-9a-f]{96}$/;

/**
 * Whether a round's signature, 48 bytes in hex, is its chain's: over the SHA-256
 * of the round's number as eight bytes, the greatest first. Takes some tens of
 * milliseconds, once for a drop.
 */
export function isSignedRound({ publicKey }: BeaconTerms, round: number, signature: string, hashing: Hashing): boolean {
  if (!SIGNATURE.test(signature)) return false;
  const number = bytesFromHex(round.toString(16).padStart(16, "0"));
  const { shortSignatures } = bls12_381;
  try {
    const message = shortSignatures.hash(bytesFromHex(hashing.sha256(number)), DOMAIN);
    return shortSignatures.verify(bytesFromHex(signature), message, bytesFromHex(publicKey));
  } catch {
    // Bytes that are no point of the curve are nobody's signature.
    return false;
  }
}
