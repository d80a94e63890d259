import { countOf } from "./counters.ts";
import type { ResaleLimits } from "./plan.ts";
import type { DropState } from "./state.ts";

const NONE: ResaleLimits = { address: null, card: null };

/** What a plan says of addresses and cards. One that was stored, or sent, before there were such limits has none. */
export function resaleLimitsOf(terms: { readonly limits?: ResaleLimits }): ResaleLimits {
  return terms.limits ?? NONE;
}

/** The limit of one address where `items` more would go over it; null where they may be sent there, and where nothing is sent. */
export function addressLimitReached({ counters }: DropState, terms: { readonly limits?: ResaleLimits }, destination: string | undefined, items: number): number | null {
  const { address } = resaleLimitsOf(terms);
  if (address === null || destination === undefined) return null;
  return countOf(counters.itemsByDestination, destination) + items > address ? address : null;
}

/** Whether a card would pay for more sold items than one card may. What names no card is not counted. */
export function isOverCardLimit(state: DropState, terms: { readonly limits?: ResaleLimits }, card: string | null, items: number): boolean {
  const limit = resaleLimitsOf(terms).card;
  return limit !== null && card !== null && countOf(state.counters.itemsByCard, card) + items > limit;
}
