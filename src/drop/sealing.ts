import { sealId } from "./due-time.ts";
import { factsOf } from "./hold-movements.ts";
import type { ShardSeal } from "./port.ts";
import { type Decision, type DropState, unchanged } from "./state.ts";

/**
 * Why a seal was not written: a batch before it is missing, so that leaves and
 * roots would no longer pair up; or the drop is not open by its own clock, which
 * may have been set back since the shard asked it.
 */
export type SealOutcome = "sealed" | "out_of_order" | "not_open" | "no_such_shard";

/**
 * Writes a shard's seal. Idempotent by shard and batch: the first root stands,
 * whatever a repetition says. Batches come in order, because readers pair the
 * published leaves with the roots by counting.
 */
export function decideSeal(state: DropState, seal: ShardSeal, now: number): Decision<SealOutcome> {
  const { plan } = factsOf(state);
  if (!Number.isSafeInteger(seal.shard) || seal.shard < 0 || seal.shard >= plan.shards) return unchanged("no_such_shard");
  if (state.seals.has(sealId(seal.shard, seal.batch))) return unchanged("sealed");
  if (now < plan.opensAt) return unchanged("not_open");
  if (seal.batch !== 0 && !state.seals.has(sealId(seal.shard, seal.batch - 1))) return unchanged("out_of_order");
  return {
    outcome: "sealed",
    changes: {
      seals: [{ ...seal, id: sealId(seal.shard, seal.batch) }],
      movements: [{ kind: "seal", shard: seal.shard, count: seal.count, root: seal.root }],
    },
  };
}
