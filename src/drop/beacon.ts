import { bytesFromHex, type Hashing } from "../kernel/hashing.ts";
import { beaconRound } from "./beacon-chains.ts";
import { isSignedRound } from "./beacon-signature.ts";
import { factsOf } from "./hold-movements.ts";
import type { BeaconOutcome } from "./port.ts";
import { type Decision, type DropState, unchanged } from "./state.ts";

/**
 * Takes the beacon's round for which the draw waits; the draw itself follows in
 * the same transaction. Whoever brings it is not believed: the signature is
 * checked here, and a round can only have one, so that the first right one is
 * the same as every later one.
 */
export function decideBeacon(state: DropState, came: { readonly round: number; readonly signature: string }, now: number, hashing: Hashing): Decision<BeaconOutcome> {
  const facts = factsOf(state);
  const { plan } = facts;
  const named = beaconRound(plan);
  if (plan.beacon === null || named === null || facts.seed !== null || facts.cancelled || facts.closedAt !== null) return unchanged("not_needed");
  if (came.round !== named.round) return unchanged("wrong");
  if (now < named.at) return unchanged("too_early");
  if (!isSignedRound(plan.beacon, came.round, came.signature, hashing)) return unchanged("wrong");
  const { round, signature } = came;
  return { outcome: "taken", changes: { facts: { ...facts, beacon: { chain: plan.beacon.chain, round, signature, randomness: hashing.sha256(bytesFromHex(signature)) } } } };
}
