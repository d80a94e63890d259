import { linkHash } from "../kernel/chain.ts";
import type { Hashing } from "../kernel/hashing.ts";
import { instantToWire } from "../kernel/time.ts";
import { CHAIN_START } from "../kernel/chain.ts";
import type { Movement } from "./movements.ts";
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

/** The first row of every record: the scarcity plan as it is published. */
export function planMovement(plan: Plan): Movement {
  return {
    kind: "plan",
    items: plan.stock.map(({ sku, stages }) => ({ sku, stages: stages.map(({ opensAt, units }) => ({ opensAt: instantToWire(opensAt), units })) })),
    closesAt: instantToWire(plan.closesAt),
    limitPerPerson: plan.limitPerPerson,
    lanes: plan.lanes.map(({ lane, sharePercent, untilMs, weight }) => ({ lane, sharePercent, untilMs, weight })),
    shards: plan.shards,
    commitment: plan.commitment,
  };
}
