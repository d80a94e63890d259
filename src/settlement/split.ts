import { apportion } from "../kernel/money.ts";
import { assert } from "../kernel/result.ts";

/**
 * One rule of a split, in the order of the config: fixed parts per unit come
 * first, then percentages of the goods, and exactly one party takes the remainder.
 */
export type SplitRule =
  | { readonly party: string; readonly fixedMinor: number }
  | { readonly party: string; readonly percent: number }
  | { readonly party: string; readonly remainder: true };

/** What one party gets of an amount. */
interface Part {
  readonly party: string;
  readonly amountMinor: number;
}

/** Percentages count in ten-thousandths, so that 33.3333 is exact and the arithmetic stays in integers. */
const PERCENT_SCALE = 10_000;

/**
 * Splits the goods (minor units) of `units` units by the rules: fixed parts per
 * unit, then percentages of the goods by largest remainder, then the remainder.
 * The parts sum to `goodsMinor`, none is negative, and each party appears once,
 * in the order of the rules.
 *
 * The config check refuses rules whose remainder could be negative. Where an
 * order has such rules all the same, the earlier rule is served first and the
 * later ones share what is left: paying out more than came in is worse than
 * paying a party less than it was promised.
 */
export function splitGoods(rules: readonly SplitRule[], units: number, goodsMinor: number): Part[] {
  const amounts = new Map<string, number>();
  const give = (party: string, amountMinor: number) => amounts.set(party, (amounts.get(party) ?? 0) + amountMinor);
  for (const rule of rules) give(rule.party, 0);

  let left = goodsMinor;
  for (const rule of rules) {
    if (!("fixedMinor" in rule)) continue;
    const part = Math.min(rule.fixedMinor * units, left);
    give(rule.party, part);
    left -= part;
  }

  const percents = rules.filter((rule) => "percent" in rule);
  const parts = percentParts(percents.map((rule) => Math.round(rule.percent * PERCENT_SCALE)), goodsMinor, left);
  percents.forEach((rule, index) => {
    const part = parts[index] ?? 0;
    give(rule.party, part);
    left -= part;
  });

  const rest = rules.find((rule) => "remainder" in rule);
  if (rest !== undefined) give(rest.party, left);
  assert(rest !== undefined || left === 0, "a split has a party that takes the remainder");
  return [...amounts].map(([party, amountMinor]) => ({ party, amountMinor }));
}

function percentParts(weights: readonly number[], goodsMinor: number, left: number): number[] {
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  if (weightSum === 0) return weights.map(() => 0);
  const rest = Math.max(0, 100 * PERCENT_SCALE - weightSum);
  const parts = apportion(goodsMinor, [...weights, rest]).slice(0, weights.length);
  const sum = parts.reduce((total, part) => total + part, 0);
  return sum <= left ? parts : apportion(left, weights);
}

/**
 * Bends `wanted` parts so that each is between 0 and its cap and they sum to
 * `total`, changing as little as the caps ask for. The last parts give and take
 * first: the party of the remainder usually stands there.
 */
export function fitParts(wanted: readonly number[], caps: readonly number[], total: number): number[] {
  const room = caps.reduce((sum, cap) => sum + cap, 0);
  assert(total >= 0 && total <= room, "an amount fits into the parts that may take it");
  const parts = wanted.map((part, index) => Math.min(Math.max(part, 0), caps[index] ?? 0));
  let missing = total - parts.reduce((sum, part) => sum + part, 0);
  for (let index = parts.length - 1; index >= 0 && missing !== 0; index--) {
    const part = parts[index] ?? 0;
    const change = missing > 0 ? Math.min(missing, (caps[index] ?? 0) - part) : Math.max(missing, -part);
    parts[index] = part + change;
    missing -= change;
  }
  return parts;
}

/**
 * How much of each share the first `amount` minor units of their sum take back.
 * Every part grows with `amount` and never shrinks, and the whole sum takes
 * every share whole: so refunds of 3 and then 5 take the same from each party
 * as 5 and then 3. Largest remainder has no such promise: with one unit more it
 * may take one from a party that had it.
 */
export function reversedParts(shares: readonly number[], amount: number): number[] {
  let sharesLeft = shares.reduce((sum, share) => sum + BigInt(share), 0n);
  let amountLeft = BigInt(amount);
  assert(amountLeft >= 0n && amountLeft <= sharesLeft, "a reversal is not larger than what it reverses");
  return shares.map((share) => {
    const part = sharesLeft === 0n ? 0n : (2n * amountLeft * BigInt(share) + sharesLeft) / (2n * sharesLeft);
    sharesLeft -= BigInt(share);
    amountLeft -= part;
    return Number(part);
  });
}
