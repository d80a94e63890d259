import type { RecordRow, RowOf } from "../../schema/wire/record.ts";
import type { SealedLeaf } from "./draw.ts";
import type { Findings } from "./findings.ts";

/**
 * A ticket is dated by its shard and a row by the drop: two machines. A clock
 * that is set back leaves them apart for minutes, and neither dates anything
 * again. Only a time further in the future than that was made up.
 */
const CLOCKS_APART_MAX_MS = 5 * 60_000;

/** What is known of one seal of a shard. */
interface Batch {
  sealedAt: number;
  /** Through when everybody who came had been called when it was sealed: whoever is in it came later. */
  calledThrough: number;
  earliest: number;
  latest: number;
}

/**
 * The times of those who came after the opening, of which a leaf says nothing.
 * A shard seals whoever came since its last seal and gives nobody such a time
 * again, and a line goes on to a latecomer only when all who came before are in
 * seals. Both go by the shard's own order, whatever its clock says, and leave no
 * room for a place that was made afterwards; within one seal nobody can tell.
 */
export class Latecomers {
  readonly #findings: Findings;
  readonly #shards = new Map<number, Map<number, Batch>>();
  readonly #seals = new Map<number, number>();
  readonly #times = new Map<string, number>();
  #missing: readonly number[] = [];
  #calledThrough = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Nobody waits for a shard that the draw missed: its people may come to be known after others who came later were called. */
  draw({ missing }: RowOf<"draw">): void {
    this.#missing = missing;
  }

  seal({ shard, at }: RowOf<"seal">): void {
    const number = this.#seals.get(shard) ?? 0;
    this.#seals.set(shard, number + 1);
    const batch = this.#batch(shard, number);
    batch.sealedAt = Date.parse(at);
    if (!this.#missing.includes(shard)) batch.calledThrough = this.#calledThrough;
  }

  /** A line has come to somebody who came at `joinedAt`. */
  called(joinedAt: number): void {
    this.#calledThrough = Math.max(this.#calledThrough, joinedAt);
  }

  /** A row gives a leaf of a later seal the time `joinedAt`. */
  see(row: RecordRow, { entry, shard, batch: number }: SealedLeaf, joinedAt: number): void {
    const before = this.#times.get(entry);
    if (before === joinedAt) return;
    if (before !== undefined) this.#findings.row(row, "gives somebody who came late another time than a row before it");
    this.#times.set(entry, joinedAt);
    const batch = this.#batch(shard, number);
    if (joinedAt > Math.min(batch.sealedAt, Date.parse(row.at)) + CLOCKS_APART_MAX_MS) this.#findings.row(row, "gives somebody who came late a time after their seal");
    if (joinedAt <= batch.calledThrough) this.#findings.row(row, "gives somebody who came late a time through which everybody had been called before they were sealed");
    const batches = [...(this.#shards.get(shard) ?? [])];
    if (batches.some(([other, { latest }]) => other < number && latest >= joinedAt)) this.#findings.row(row, `gives somebody who came late a time before somebody whom shard ${shard} sealed earlier`);
    if (batches.some(([other, { earliest }]) => other > number && earliest <= joinedAt)) this.#findings.row(row, `gives somebody who came late a time after somebody whom shard ${shard} sealed later`);
    batch.earliest = Math.min(batch.earliest, joinedAt);
    batch.latest = Math.max(batch.latest, joinedAt);
  }

  #batch(shard: number, number: number): Batch {
    const batches = this.#shards.get(shard) ?? new Map<number, Batch>();
    this.#shards.set(shard, batches);
    // Where everyone is served at once somebody may be admitted before their seal.
    const batch = batches.get(number) ?? { sealedAt: Number.POSITIVE_INFINITY, calledThrough: 0, earliest: Number.POSITIVE_INFINITY, latest: 0 };
    batches.set(number, batch);
    return batch;
  }
}
