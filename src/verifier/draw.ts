import type { Leaf, RecordRow, RowOf } from "../../schema/wire/record.ts";
import { beaconFault, roundAt } from "./beacon.ts";
import { hex, unhex, utf8 } from "./bytes.ts";
import { jcs } from "./canonical.ts";
import type { Findings } from "./findings.ts";
import { merkleRoot } from "./merkle.ts";
import type { LaneTerms, Schedule } from "./schedule.ts";
import type { Hashing } from "./sha256.ts";

/** How long a shard may take to seal where the draw waits for no beacon. */
const SEAL_GRACE_MS = 30_000;
const NEWS_EVERY = 4_096;

/** A published leaf and where it was sealed. */
export interface SealedLeaf extends Leaf {
  readonly shard: number;
  /** Which seal of its shard, from 0: those who were there at the opening, and then those who came later. */
  readonly batch: number;
  readonly sealSeq: number;
}

/**
 * Every seal's root from the published leaves, which come in the order of the
 * trees, batch after batch. `entries` are the lists by shard, null for a shard
 * that publishes none.
 */
export function checkSeals(rows: readonly RecordRow[], plan: RowOf<"plan">, entries: readonly (readonly Leaf[] | null)[], tools: { readonly hashing: Hashing; readonly findings: Findings; readonly progress: (done: number, total: number) => void }): ReadonlyMap<string, SealedLeaf> {
  const { hashing, findings, progress } = tools;
  const leaves = new Map<string, SealedLeaf>();
  const total = entries.reduce((sum, list) => sum + (list?.length ?? 0), 0);
  const weights = new Map(plan.lanes.map((terms: LaneTerms) => [terms.lane, terms.weight]));
  for (let shard = 0; shard < plan.shards; shard++) {
    const list = entries[shard] ?? [];
    let from = 0;
    for (const [batch, seal] of sealsOf(rows, shard).entries()) {
      const part = list.slice(from, from + seal.count);
      if (part.length < seal.count) findings.row(seal, `seals ${seal.count} entries of shard ${shard}, and only ${part.length} are published`);
      else if (merkleRoot(part, hashing) !== seal.root) findings.row(seal, `seals other entries of shard ${shard} than are published: the root of entries ${from + 1} to ${from + seal.count} is another one`);
      for (const [index, leaf] of part.entries()) {
        const wrong = (words: string) => findings.add({ at: "leaf", shard, index: from + index }, words, seal.seq);
        if (index > 0 && leaf.entry <= (part[index - 1]?.entry ?? "")) wrong("does not stand in the order of the entries");
        if (leaves.has(leaf.entry)) wrong("stands there twice: nobody has two places");
        if (leaf.lane !== "open" && !weights.has(leaf.lane)) wrong(`is in the lane ${JSON.stringify(leaf.lane)}, which the plan does not have`);
        else if (leaf.weight !== (weights.get(leaf.lane) ?? 1)) wrong(`has ${leaf.weight} chances in the draw, and the plan gives its lane ${weights.get(leaf.lane) ?? 1}`);
        leaves.set(leaf.entry, { ...leaf, shard, batch, sealSeq: seal.seq });
        if (leaves.size % NEWS_EVERY === 0) progress(leaves.size, total);
      }
      from += seal.count;
    }
    // While the drop runs there may be a seal since the record was read.
    if (list.length > from && isOver(rows)) findings.add({ at: "entries", shard }, `are ${list.length - from} more than were ever sealed`, rows.at(-1)?.seq ?? 0);
  }
  return leaves;
}

/** Whether the books are closed; a shard's last seal may come after that. */
export function isOver(rows: readonly RecordRow[]): boolean {
  return rows.some(({ kind }) => kind === "close");
}

function sealsOf(rows: readonly RecordRow[], shard: number): RowOf<"seal">[] {
  return rows.flatMap((row) => (row.kind === "seal" && row.shard === shard ? [row] : []));
}

/** The draw from what was promised and sealed before it. `opensAt` is the opening as it stood at that row. */
export function checkDraw(row: RowOf<"draw">, before: readonly RecordRow[], schedule: Schedule, drop: string | null, { hashing, findings }: { readonly hashing: Hashing; readonly findings: Findings }): void {
  const plan = schedule.first;
  const at = Date.parse(row.at);
  if (hex(hashing.sha256(unhex(row.secret))) !== plan.commitment) findings.row(row, "reveals another secret than the plan promised: its SHA-256 is not the plan's commitment");
  if (at < schedule.opensAt) findings.row(row, "is made before the opening");
  const shards = Array.from({ length: plan.shards }, (_, shard) => shard);
  const firsts = shards.map((shard) => sealsOf(before, shard)[0] ?? null);
  const fault = beaconFault(row, schedule, hashing);
  if (fault !== null) findings.row(row, fault);
  // With a beacon a shard that seals once the round is out could have seen it: it counts as missing.
  const sealableUntil = roundAt(schedule);
  const inTime = firsts.map((seal) => (seal !== null && (sealableUntil === null || Date.parse(seal.at) < sealableUntil) ? seal : null));
  const missing = shards.filter((shard) => inTime[shard] === null);
  if (row.missing.join() !== missing.join()) findings.row(row, `names ${shardsText(row.missing)} as missing, and it was ${shardsText(missing)}`);
  if (missing.length > 0 && sealableUntil === null && at < schedule.opensAt + SEAL_GRACE_MS) findings.row(row, `leaves ${shardsText(missing)} out before half a minute had passed`);
  const roots = inTime.map((seal) => seal?.root ?? null);
  if (drop === null) return;
  const seed = hex(hashing.sha256(utf8(jcs({ drop, planHash: plan.hash, secret: row.secret, roots, beacon: row.beacon ?? null }))));
  if (seed !== row.seed) findings.row(row, "has a seed that does not follow from the drop, the plan, the secret, the sealed roots and the beacon");
}

function shardsText(shards: readonly number[]): string {
  if (shards.length === 0) return "no shard";
  return shards.length === 1 ? `shard ${shards[0]}` : `the shards ${shards.join(", ")}`;
}

/** The rank of a leaf that was there at the opening; of one that came later, the part behind its time. */
export function rankPart({ entry, weight, batch }: Pick<SealedLeaf, "entry" | "weight" | "batch">, draw: (data: Uint8Array) => Uint8Array): string {
  let smallest = "~";
  for (let chance = 1; chance <= weight; chance++) {
    const value = hex(draw(utf8(`${entry}/${chance}`)));
    if (value < smallest) smallest = value;
  }
  return batch === 0 ? `0${smallest.slice(0, 32)}` : smallest.slice(0, 16);
}
