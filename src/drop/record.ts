import { linkHash } from "../kernel/chain.ts";
import type { Hashing } from "../kernel/hashing.ts";
import { instantToWire } from "../kernel/time.ts";
import { CHAIN_START } from "../kernel/chain.ts";
import { beaconRound } from "./beacon-chains.ts";
import { groupMaxOf } from "./groups.ts";
import type { Movement, PlanMovement } from "./movements.ts";
import type { Plan } from "./plan.ts";
import type { MovementRow } from "./port.ts";

/** The last row of the record; `at` is its instant in epoch milliseconds. */
export interface RecordTail {
  readonly seq: number;
  readonly hash: string;
  readonly at: number;
}

export const EMPTY_RECORD: RecordTail = { seq: 0, hash: CHAIN_START, at: 0 };

/** Numbers, dates and chains a movement: the row that strangers verify, byte for byte. */
export function rowAfter(tail: RecordTail, movement: Movement, at: number, hashing: Hashing): MovementRow {
  const row = { seq: tail.seq + 1, at: instantToWire(at), ...movement };
  return { ...row, prevHash: tail.hash, hash: linkHash(tail.hash, row, hashing) };
}

/** The first row of every record, and what a published change puts beside it: the scarcity plan as it stands. */
export function planMovement(plan: Plan): PlanMovement {
  const { beacon, drips = [] } = plan;
  const named = beaconRound(plan);
  const bundles = plan.items.filter(({ sku, components }) => components.length !== 1 || components[0]?.sku !== sku || components[0].quantity !== 1);
  return {
    kind: "plan",
    items: plan.stock.map(({ sku, stages }) => ({ sku, stages: stages.map(({ opensAt, units }) => ({ opensAt: instantToWire(opensAt), units })) })),
    ...(bundles.length === 0 ? {} : { bundles: bundles.map(({ sku, components }) => ({ sku, components: components.map((part) => ({ sku: part.sku, quantity: part.quantity })) })) }),
    ...(drips.length === 0 ? {} : { drips: drips.map(({ stage, steps }) => ({ stage, steps })) }),
    closesAt: instantToWire(plan.closesAt),
    limitPerPerson: plan.limitPerPerson,
    ...(groupMaxOf(plan) === 1 ? {} : { group: groupMaxOf(plan) }),
    lanes: plan.lanes.map(({ lane, sharePercent, untilMs, weight }) => ({ lane, sharePercent, untilMs, weight })),
    shards: plan.shards,
    commitment: plan.commitment,
    ...(beacon === null || named === null ? {} : { beacon: { chain: beacon.chain, publicKey: beacon.publicKey, genesisAt: instantToWire(beacon.genesisAt), periodMs: beacon.periodMs, round: named.round } }),
  };
}
