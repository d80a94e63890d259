import type { BeaconRound } from "../drop/plan.ts";
import { canonicalJson } from "../kernel/canonical.ts";
import { bytesFromHex, type Hashing } from "../kernel/hashing.ts";

/** What the seed is made of; see "The record" in the README. `roots` is the list by shard number, null where a shard is missing. */
export interface SeedParts {
  readonly drop: string;
  readonly planHash: string;
  /** hex of the committed 32 bytes. */
  readonly secret: string;
  readonly roots: readonly (string | null)[];
  /** The beacon's round just as the record's `draw` row has it; null where the secret alone decides. */
  readonly beacon: BeaconRound | null;
}

/** The public name of a ticket in the record; only its owner knows the ticket behind it. */
export function entryOf(drop: string, ticket: string, hashing: Hashing): string {
  return hashing.sha256(`tranche/entry\n${drop}\n${ticket}`);
}

/** The public name of a hold, order or lease in the record. */
export function refOf(drop: string, id: string, hashing: Hashing): string {
  return hashing.sha256(`tranche/ref\n${drop}\n${id}`);
}

/** hex(SHA-256(secret bytes)): what the plan promises. */
export function commitmentOf(secretHex: string, hashing: Hashing): string {
  return hashing.sha256(bytesFromHex(secretHex));
}

/** The seed that decides every rank of a drop, in hex. */
export function drawSeed(parts: SeedParts, hashing: Hashing): string {
  return hashing.sha256(canonicalJson(parts));
}

export interface RankedTicket {
  readonly entry: string;
  readonly weight: number;
  readonly joinedAt: number;
}

/**
 * A ticket's place in the order of service; ranks compare as strings.
 *
 * Whoever joined before the drop opened is drawn: the smallest of `weight`
 * pseudo-random values. Whoever joined later stands behind all of them, in the
 * order of arrival, the draw deciding only between equal milliseconds.
 */
export function rankOf(ticket: RankedTicket, opensAt: number, seedHex: string, hashing: Hashing): string {
  return rankByKey(ticket, opensAt, bytesFromHex(seedHex), hashing);
}

/** The same with the seed's 32 bytes, for whoever ranks a whole lobby. */
export function rankByKey(ticket: RankedTicket, opensAt: number, seed: Uint8Array, hashing: Hashing): string {
  let smallest = "~";
  for (let index = 1; index <= ticket.weight; index++) {
    const value = hashing.hmacSha256(seed, `${ticket.entry}/${index}`);
    if (value < smallest) smallest = value;
  }
  if (ticket.joinedAt < opensAt) return `0${smallest.slice(0, 32)}`;
  return `1${ticket.joinedAt.toString(16).padStart(12, "0")}${smallest.slice(0, 16)}`;
}

/** Whether a rank is served by a threshold; "~" sorts behind every rank. */
export function isServed(rank: string, upTo: string | null): boolean {
  return upTo !== null && rank <= upTo;
}
