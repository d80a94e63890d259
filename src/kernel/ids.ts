/** Crockford's base32: no I, L, O or U, so that an id survives being read aloud. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export type IdPrefix = "tkt" | "hld" | "ord" | "pay" | "ref" | "trf" | "cpn" | "inv" | "pas" | "ful";

/**
 * An id of 26 Crockford characters after its prefix: 130 bits, so whoever knows
 * one was told it. `random` are at least 26 random bytes.
 */
export function idFromRandom(prefix: IdPrefix, random: Uint8Array): string {
  let text = `${prefix}_`;
  for (let index = 0; index < 26; index++) text += ALPHABET.charAt((random[index] ?? 0) & 31);
  return text;
}

/**
 * An id derived from a SHA-256 in hex: the same business event gives the same
 * id, so that a retry finds its own row instead of making a second one.
 */
export function idFromHash(prefix: IdPrefix, hashHex: string): string {
  let bits = BigInt(`0x${hashHex}`);
  let text = "";
  for (let index = 0; index < 26; index++) {
    text += ALPHABET.charAt(Number(bits & 31n));
    bits >>= 5n;
  }
  return `${prefix}_${text}`;
}

export function idPattern(prefix: IdPrefix): RegExp {
  return new RegExp(`^${prefix}_[${ALPHABET}]{26}$`);
}
