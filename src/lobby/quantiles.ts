import type { LaneQuantiles } from "./port.ts";

/** How many ranks a lane's line is cut with: a position is then right to within 1/128 of the line. */
export const CUTS_MAX = 128;

/**
 * Cuts a lane's waiting ranks, ascending, into equal parts. Each rank that is
 * given is the last one of its part; a short line is given whole.
 */
export function quantilesOf(lane: string, ranks: readonly string[]): LaneQuantiles {
  if (ranks.length <= CUTS_MAX) return { lane, count: ranks.length, ranks };
  const cuts: string[] = [];
  for (let part = 0; part < CUTS_MAX; part++) {
    const rank = ranks[partEnd(part, CUTS_MAX, ranks.length) - 1];
    if (rank !== undefined) cuts.push(rank);
  }
  return { lane, count: ranks.length, ranks: cuts };
}

/**
 * One line out of the lines of several shards, lane by lane: each cutting rank
 * stands for the tickets of its part. Adds an error of at most one part of each
 * shard, which together are at most 1/128 of the whole line.
 */
export function mergeQuantiles(parts: readonly LaneQuantiles[]): LaneQuantiles[] {
  const lanes = new Map<string, LaneQuantiles[]>();
  for (const part of parts) lanes.set(part.lane, [...(lanes.get(part.lane) ?? []), part]);
  return [...lanes].map(([lane, ofLane]) => mergeLane(lane, ofLane)).toSorted((a, b) => (a.lane < b.lane ? -1 : 1));
}

function mergeLane(lane: string, parts: readonly LaneQuantiles[]): LaneQuantiles {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const weighted = parts
    .flatMap((part) => part.ranks.map((rank, index) => ({ rank, weight: partSize(index, part.ranks.length, part.count) })))
    .toSorted((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  if (count <= CUTS_MAX) return { lane, count, ranks: weighted.map(({ rank }) => rank) };
  const cuts: string[] = [];
  let passed = 0;
  for (const { rank, weight } of weighted) {
    passed += weight;
    while (cuts.length < CUTS_MAX && partEnd(cuts.length, CUTS_MAX, count) <= passed) cuts.push(rank);
  }
  return { lane, count, ranks: cuts };
}

/**
 * The place of a rank in a lane's waiting line: 1 is next. Exact while the line
 * is short; in a long one the end of the rank's part, so that what is shown is
 * never better than the truth by more than the error of the quantiles.
 */
export function positionIn(quantiles: LaneQuantiles, rank: string): number {
  const { ranks, count } = quantiles;
  let low = 0;
  let high = ranks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranks[middle] ?? "") < rank) low = middle + 1;
    else high = middle;
  }
  return low === ranks.length ? count + 1 : partEnd(low, ranks.length, count);
}

/** How many tickets stand in the parts up to and including number `part`. */
function partEnd(part: number, parts: number, count: number): number {
  return Math.ceil(((part + 1) * count) / parts);
}

function partSize(part: number, parts: number, count: number): number {
  return partEnd(part, parts, count) - (part === 0 ? 0 : partEnd(part - 1, parts, count));
}
