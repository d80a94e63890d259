import { countOf } from "./counters.ts";
import { UNNAMED_NETWORK } from "./network-budgets.ts";
import type { DropState } from "./state.ts";

/** How many orders of one network may fail at the till in half an hour before it waits. An order fails with the eighth refused card, or where a bank says no after thinking about it. */
const FAILED_AT_TILL_MAX = 6;
const REMEMBERED_MS = 30 * 60_000;

/**
 * When a network may hold again whose orders fail at the till one after the
 * other; null where it may now. Turns, browsers and people have bounds of their
 * own, but whoever tries out stolen cards has many of each, and one place to do
 * it from. A network where more was paid for than failed is full of people, and
 * is left alone; so is everyone elsewhere.
 */
export function tillRetryAt({ counters }: Pick<DropState, "counters">, network: string, now: number): number | null {
  if (network === UNNAMED_NETWORK) return null;
  const all = counters.failedByNetwork.get(network);
  if (all === undefined || all.size < FAILED_AT_TILL_MAX) return null;
  const failed = [...all.values()].filter((heldAt) => heldAt > now - REMEMBERED_MS).toSorted((a, b) => b - a);
  const sixth = failed[FAILED_AT_TILL_MAX - 1];
  return sixth === undefined || countOf(counters.paidByNetwork, network) > failed.length ? null : sixth + REMEMBERED_MS;
}
