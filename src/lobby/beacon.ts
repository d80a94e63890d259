import type { BeaconTerms } from "../drop/plan.ts";

/** Where a round of a public beacon comes from. */
export interface BeaconSource {
  /** The round's signature in hex, checked against its chain's key; null when nobody has it yet or nobody answers. */
  round(terms: BeaconTerms, round: number): Promise<string | null>;
}
