import type { BeaconTerms, Plan } from "./plan.ts";

/** drand's quicknet, a round every three seconds, signed by many independent organisations together. */
export const QUICKNET: BeaconTerms = {
  chain: "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
  publicKey: "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
  genesisAt: 1_692_803_367_000,
  periodMs: 3_000,
};

/** The sandbox's own chain, for rehearsals on one machine: its key is in the source, so that it proves nothing. */
export const SANDBOX_CHAIN: BeaconTerms = {
  chain: "f7f22581195b78fb48c586f8da2a38ffe47fa3aa6d82fa779f38091c83d676c4",
  publicKey: "90dc0132e4b1031b1625608f2e0cbe4ad6fb6d9e8e13e0febc25d2ebe916bb1fc28924f29a1167bb558d704a3382235e154aa8d769441eaf808480fd0eaa3cd372a9726e50117c4037cf5c43ef934d099f896c7ee8e1ec24bc3acd3638433a9a",
  genesisAt: 1_700_000_000_000,
  periodMs: 3_000,
};

/** Time for every shard to seal before anybody can know the round. */
const ROUND_AFTER_OPENING_MS = 9_000;

export interface NamedRound {
  readonly round: number;
  /** When it comes out. */
  readonly at: number;
}

/**
 * The round that a plan's draw waits for: the first that comes out at least
 * nine seconds after the opening, and so another one when the opening is put
 * off. Null where the plan names no beacon.
 */
export function beaconRound({ beacon, opensAt }: Pick<Plan, "beacon" | "opensAt">): NamedRound | null {
  // A plan that was stored before there were beacons names none either.
  if (beacon == null) return null;
  const { genesisAt, periodMs } = beacon;
  const round = Math.max(1, Math.ceil((opensAt + ROUND_AFTER_OPENING_MS - genesisAt) / periodMs) + 1);
  return { round, at: genesisAt + (round - 1) * periodMs };
}
