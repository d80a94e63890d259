import type { Leaf, LeafPage } from "./port.ts";

/**
 * How many leaves one answer has: about a megabyte, and some milliseconds of a
 * shard's time. A whole list of hundreds of thousands would be more than one
 * call can carry, and keep everybody waiting who joins meanwhile.
 */
export const LEAVES_A_PAGE = 10_000;

/** The leaves of one seal, in the order of its tree. */
export interface SealedLeaves {
  readonly count: number;
  /** Asked for only when some of them are on the page. */
  leaves(): readonly Leaf[];
}

/** The leaves of all `seals`, one seal after the other, from number `from` (from 0) on, at most a page of them. */
export function leafPage(seals: readonly SealedLeaves[], from: number): LeafPage {
  const start = Math.max(0, Math.trunc(from));
  const leaves: Leaf[] = [];
  let count = 0;
  for (const seal of seals) {
    const isWanted = count + seal.count > start && count < start + LEAVES_A_PAGE;
    if (isWanted) leaves.push(...seal.leaves().slice(Math.max(0, start - count), start + LEAVES_A_PAGE - count));
    count += seal.count;
  }
  return { leaves, count };
}
