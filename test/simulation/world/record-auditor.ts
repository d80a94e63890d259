import { createHash } from "node:crypto";
import * as v from "valibot";
import { assert } from "../../../src/kernel/result.ts";
import { jcs } from "../../support/record-verifier.ts";

const planShape = v.object({
  hash: v.string(),
  items: v.array(v.object({ sku: v.string(), stages: v.array(v.object({ opensAt: v.string(), units: v.number() })) })),
  limitPerPerson: v.number(),
});
const stockShape = v.object({ sku: v.string(), quantity: v.number(), subject: v.optional(v.string()) });
const extendShape = v.object({ stages: v.array(v.object({ stage: v.number(), opensAt: v.string() })) });
const countsShape = v.array(v.object({ sku: v.string(), quantity: v.number() }));
const closeShape = v.object({ sold: countsShape, unsold: countsShape, withheld: countsShape });
type Stages = v.InferOutput<typeof planShape>["items"][number]["stages"];

interface Count {
  held: number;
  sold: number;
}

/**
 * Recounts the public record row by row from its published description, with no
 * arithmetic of the product's: what the Drop object believes of itself is
 * exactly what is in question.
 */
export class RecordAuditor {
  #seq = 0;
  #hash = "0".repeat(64);
  #at = "";
  #cancelledAt = "~";
  #isPaused = false;
  #stages = new Map<string, Stages>();
  readonly #counts = new Map<string, Count>();
  readonly #kinds = new Map<string, number>();

  /** How often a kind of row has been seen. */
  seen(kind: string): number {
    return this.#kinds.get(kind) ?? 0;
  }

  /** When the last row was written, in epoch milliseconds. */
  get lastAt(): number {
    return Date.parse(this.#at);
  }

  get head(): { readonly seq: number; readonly hash: string } {
    return { seq: this.#seq, hash: this.#hash };
  }

  count(sku: string): Count {
    const known = this.#counts.get(sku);
    if (known !== undefined) return known;
    const fresh = { held: 0, sold: 0 };
    this.#counts.set(sku, fresh);
    return fresh;
  }

  /** The next row of the record, in order. */
  read(row: Readonly<Record<string, unknown>>): void {
    this.#readRow(row);
  }

  /** Every unit that the plan has. */
  quantity(sku: string): number {
    return (this.#stages.get(sku) ?? []).reduce((sum, stage) => sum + stage.units, 0);
  }

  get skus(): readonly string[] {
    return [...this.#stages.keys()];
  }

  #readRow(row: Readonly<Record<string, unknown>>): void {
    const { prevHash, hash, ...movement } = row;
    const { seq, kind, at } = v.parse(v.object({ seq: v.number(), kind: v.string(), at: v.string() }), row);
    assert(seq === this.#seq + 1, `row ${seq} follows row ${this.#seq}`);
    assert(prevHash === this.#hash, `row ${seq} names its predecessor`);
    assert(createHash("sha256").update(`${this.#hash}\n${jcs(movement)}`).digest("hex") === hash, `the hash of row ${seq} follows from its members`);
    assert(at >= this.#at, `time does not run backwards at row ${seq}`);
    this.#seq = seq;
    this.#hash = String(hash);
    this.#at = at;
    this.#kinds.set(kind, this.seen(kind) + 1);
    if (kind === "cancel") this.#cancelledAt = at;
    if (kind === "pause" || kind === "resume") this.#isPaused = kind === "pause";
    // What is due goes on through a pause, and late money may still have its units again.
    const isServing = kind === "admit" || (kind === "serve" && row["upTo"] !== "~");
    assert(!this.#isPaused || !isServing, "nobody is served or admitted during a pause");
    if (kind === "plan") this.#readPlan(row, at);
    else if (kind === "extend") this.#readExtension(row, at);
    else if (kind === "close") this.#readClose(row, at);
    else this.#move(kind, row, at);
  }

  #readExtension(row: Readonly<Record<string, unknown>>, at: string): void {
    for (const { stage, opensAt } of v.parse(extendShape, row).stages) {
      for (const [sku, stages] of this.#stages) {
        const before = stages[stage - 1];
        assert(before !== undefined && before.opensAt > at && opensAt >= before.opensAt, "only a stage that is not open is put off, and never forward");
        this.#stages.set(sku, stages.map((entry, index) => (index === stage - 1 ? { ...entry, opensAt } : entry)));
      }
    }
  }

  #readClose(row: Readonly<Record<string, unknown>>, at: string): void {
    const close = v.parse(closeShape, row);
    const of = (list: v.InferOutput<typeof countsShape>, sku: string) => list.find((entry) => entry.sku === sku)?.quantity ?? Number.NaN;
    for (const sku of this.#stages.keys()) {
      const { held, sold } = this.count(sku);
      assert(held === 0, `nothing of ${sku} is held at the close`);
      assert(of(close.sold, sku) === sold, `the close says what was sold of ${sku}`);
      assert(of(close.withheld, sku) === this.quantity(sku) - this.#released(sku, at), `the close says what was never released of ${sku}`);
      assert(of(close.sold, sku) + of(close.unsold, sku) + of(close.withheld, sku) === this.quantity(sku), `every unit of ${sku} is accounted for`);
    }
  }

  /** A later plan keeps the items, every open stage, and at least the units that are taken. */
  #readPlan(row: Readonly<Record<string, unknown>>, at: string): void {
    const { items } = v.parse(planShape, row);
    const open = (stages: Stages) => JSON.stringify(stages.filter((stage) => stage.opensAt <= at));
    for (const { sku, stages } of items) {
      const before = this.#stages.get(sku);
      assert(this.seen("plan") === 1 || (before !== undefined && open(before) === open(stages)), `a changed plan keeps the open stages of ${sku}`);
      this.#stages.set(sku, stages);
      const { held, sold } = this.count(sku);
      assert(held + sold <= this.quantity(sku), `a changed plan has the units of ${sku} that are taken`);
    }
    assert(items.length === this.#stages.size, "a changed plan has the same items");
  }

  #move(kind: string, row: Readonly<Record<string, unknown>>, at: string): void {
    const [held, sold] = EFFECTS[kind] ?? [0, 0];
    if (held === 0 && sold === 0) return;
    const { sku, quantity } = v.parse(stockShape, row);
    assert(quantity > 0, `a ${kind} moves something`);
    const count = this.count(sku);
    count.held += held * quantity;
    count.sold += sold * quantity;
    assert(count.held >= 0 && count.sold >= 0, `no count of ${sku} is negative after a ${kind}`);
    assert(count.held + count.sold <= this.#released(sku, at), `held + sold of ${sku} is at most what is released after a ${kind}: ${count.held} + ${count.sold} of ${this.#released(sku, at)}`);
  }

  #released(sku: string, at: string): number {
    // A stage that had not opened when the drop was cancelled never does.
    const until = at < this.#cancelledAt ? at : this.#cancelledAt;
    return (this.#stages.get(sku) ?? []).filter((stage) => stage.opensAt <= until).reduce((sum, stage) => sum + stage.units, 0);
  }
}

/** What each kind of row does to held and to sold, as the description of the record has it. */
const EFFECTS: Readonly<Record<string, readonly [held: number, sold: number]>> = {
  hold: [1, 0],
  sell: [-1, 1],
  expire: [-1, 0],
  abandon: [-1, 0],
  void: [-1, 0],
  return: [0, -1],
};
