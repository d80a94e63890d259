import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bytesFromHex, hexFromBytes, type Hashing } from "../kernel/hashing.ts";

/*
 * A beacon of this machine's own, in the form of drand's relays, so that a draw
 * that waits for one can be rehearsed without a network. Its key stands here for
 * everyone to read: whoever knows it knows every round in advance.
 */

const CHAIN = "f7f22581195b78fb48c586f8da2a38ffe47fa3aa6d82fa779f38091c83d676c4";
const SECRET_KEY = "2c97d752472b3c539adc9cecf042e61fbbd97d5e96636ea24ea087e48ab5e18b";
const GENESIS_AT = 1_700_000_000_000;
const PERIOD_MS = 3_000;
const DOMAIN = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

export interface DrandRound {
  readonly round: number;
  readonly randomness: string;
  readonly signature: string;
}

/** A round of this machine's chain; null for another chain, and for a round that has not come out at `now`. */
export function drandRound(chain: string, text: string, now: number, hashing: Hashing): DrandRound | null {
  const round = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
  if (chain !== CHAIN || round === null || now < GENESIS_AT + (round - 1) * PERIOD_MS) return null;
  const { shortSignatures } = bls12_381;
  const message = shortSignatures.hash(bytesFromHex(hashing.sha256(bytesFromHex(round.toString(16).padStart(16, "0")))), DOMAIN);
  const signature = shortSignatures.sign(message, bytesFromHex(SECRET_KEY)).toBytes();
  return { round, randomness: hashing.sha256(signature), signature: hexFromBytes(signature) };
}
