import type { PlacedOrder } from "../checkout/placed-order.ts";
import type { Hashing } from "../kernel/hashing.ts";

/**
 * What one drop knows a card by: a hash of the provider's fingerprint and the
 * drop's plan hash, which mixes a secret of its own. Two drops cannot tell that
 * the same card paid in both. There is no key, because a fingerprint is some
 * ninety random bits that the provider made up: nothing that could be tried
 * out, and no way back to a card's number.
 */
export function cardInDrop(fingerprint: string, { planHash }: Pick<PlacedOrder, "planHash">, hashing: Hashing): string {
  return hashing.sha256(`tranche/card\n${planHash}\n${fingerprint}`);
}
