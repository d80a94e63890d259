import { decideClaim } from "../../../src/drop/sittings.ts";
import { DropBook, type PendingWrite } from "../../../src/drop/drop-book.ts";
import { decideHold } from "../../../src/drop/holds.ts";
import { decidePlace } from "../../../src/drop/orders.ts";
import { NO_GATES, type PlanSource, USUAL_BUDGETS } from "../../../src/drop/plan.ts";
import { decidePlan } from "../../../src/drop/planning.ts";
import type { HoldCommand, HoldRejection, HoldView, Line, MovementRow, PlaceCommand, PlaceRejection, Sitting, TicketFacts } from "../../../src/drop/port.ts";
import { EMPTY_RECORD } from "../../../src/drop/record.ts";
import { decideSeal } from "../../../src/drop/sealing.ts";
import type { Decision, DropState, HoldRow, StoredDrop } from "../../../src/drop/state.ts";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import type { Hashing } from "../../../src/kernel/hashing.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import type { Result } from "../../../src/kernel/result.ts";
import { commitmentOf, entryOf } from "../../../src/lobby/draw.ts";


/** The opening of every drop in these tests. */
export const T0 = Date.UTC(2026, 11, 4, 18);
export const MINUTE = 60_000;
export const SECRET = "5e".repeat(32);
/** The root of a shard that nobody joined: SHA-256 of nothing. */
const sealRootOfNothing = nodeHashing.sha256("");

export const EMPTY_DROP: StoredDrop = {
  facts: null, tail: EMPTY_RECORD,
  rows: { holds: [], sittings: [], orders: [], verdicts: [], seals: [], thresholds: [], calls: [], outbox: [] },
};

export function source(changes: Partial<PlanSource> = {}): PlanSource {
  return {
    drop: "moth-tee", title: "Moth tee", currency: "EUR",
    announceAt: { at: T0 - 7 * 24 * 60 * MINUTE }, lobbyOpensAt: { at: T0 - 30 * MINUTE }, opensAt: { at: T0 }, closesAt: { at: T0 + 240 * MINUTE },
    stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: 30 * MINUTE }, { sharePercent: 20, afterMs: 120 * MINUTE }],
    stock: [{ sku: "MOTH", quantity: 10 }],
    items: [{ sku: "MOTH", title: "Moth tee", priceMinor: 4200, components: [{ sku: "MOTH", quantity: 1 }] }],
    lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null, limitPerPerson: 2, holdTtlMs: 8 * MINUTE, capture: "on-fulfilment", low: 2,
    splits: [{ party: "platform", remainder: true }], campaigns: [], shards: 1, claimWindowMs: MINUTE, admit: "all", tax: null,
    ...changes,
  };
}

/** One stage of everything, so that a test about counts need not mind the clock. */
export const AT_ONCE = { stages: [{ sharePercent: 100, afterMs: 0 }] };

/** A drop under test: its book, everything that it wrote, and short ways to play. */
export class TestDrop {
  book: DropBook;
  now: number;
  readonly record: MovementRow[] = [];
  readonly writes: PendingWrite[] = [];
  #ids = 0;

  constructor(changes: Partial<PlanSource> = {}, now = T0 - 60 * MINUTE) {
    this.book = new DropBook(EMPTY_DROP, nodeHashing);
    this.now = now;
    this.run((state, at) => decidePlan(state, source(changes), { secret: SECRET, commitment: commitmentOf(SECRET, nodeHashing) }, at));
  }

  get state(): DropState {
    return this.book.state;
  }

  run<Outcome>(decide: (state: DropState, now: number, hashing: Hashing) => Decision<Outcome>): Outcome {
    const outcome = this.book.perform(this.book.timeOf(this.now), decide);
    const pending = this.book.takePending();
    if (pending !== null) {
      this.writes.push(pending);
      this.record.push(...pending.record);
    }
    return outcome;
  }

  /** Time passes, and something reads. */
  readAt(now: number): void {
    this.now = now;
    this.run(() => ({ outcome: null, changes: null }));
  }

  /** Every shard seals an empty lobby, and the drop opens. */
  open(at = T0): this {
    this.now = at;
    for (let shard = 0; shard < (this.state.facts?.plan.shards ?? 0); shard++) {
      this.run((state, now) => decideSeal(state, { shard, batch: 0, count: 0, root: sealRootOfNothing, through: Number.MAX_SAFE_INTEGER }, now));
    }
    return this;
  }

  ticket(name: string, wants: readonly Line[] = [{ sku: "MOTH", quantity: 1 }], joinedAt = T0 - MINUTE): TicketFacts {
    const ticket = `tkt_${name}`;
    return { ticket, shard: 0, entry: entryOf("moth-tee", ticket, nodeHashing), lane: "open", weight: 1, joinedAt, wants, keyThumbprint: `key-${name}`, person: null };
  }

  /** Claims and answers the sitting; throws when the person only waits. */
  sit(name: string, wants?: readonly Line[]): Sitting {
    const answer = this.claim(this.ticket(name, wants));
    if (!answer.ok || answer.value.state !== "admitted") throw new Error(`${name} was not admitted: ${JSON.stringify(answer)}`);
    return answer.value.sitting;
  }

  claim(ticket: TicketFacts): ReturnType<typeof decideClaim>["outcome"] {
    const id = `pas_${++this.#ids}`;
    return this.run((state, now, hashing) => decideClaim(state, ticket, id, now, hashing));
  }

  hold(sitting: Sitting, lines: readonly Line[] | number = 1, command: Partial<HoldCommand> = {}): Result<HoldView, HoldRejection> {
    const wanted = typeof lines === "number" ? [{ sku: "MOTH", quantity: lines }] : lines;
    const full: HoldCommand = { id: `hld_${++this.#ids}`, sitting: sitting.id, entry: sitting.entry, lines: wanted, replaces: null, network: `network of ${sitting.entry}`, ...command };
    return this.run((state, now, hashing) => decideHold(state, full, now, hashing));
  }

  held(sitting: Sitting, lines: readonly Line[] | number = 1, command: Partial<HoldCommand> = {}): HoldView {
    const answer = this.hold(sitting, lines, command);
    if (!answer.ok) throw new Error(`not held: ${JSON.stringify(answer.rejection)}`);
    return answer.value;
  }

  place(sitting: Sitting, hold: HoldView, command: Partial<PlaceCommand> = {}): Result<PlacedOrder, PlaceRejection> {
    const full: PlaceCommand = {
      id: `ord_${++this.#ids}`, hold: hold.id, sitting: sitting.id, entry: sitting.entry, person: `person of ${sitting.entry}`, email: "ana@nightjar.example",
      delivery: { method: "pickup", point: "kiosk-k", slot: null }, coupon: null, region: "berlin", locale: "de-DE", returnTo: "https://nightjar.example", ...command,
    };
    return this.run((state, now, hashing) => decidePlace(state, full, now, hashing));
  }

  placed(sitting: Sitting, hold: HoldView, command: Partial<PlaceCommand> = {}): PlacedOrder {
    const answer = this.place(sitting, hold, command);
    if (!answer.ok) throw new Error(`not placed: ${JSON.stringify(answer.rejection)}`);
    return answer.value;
  }

  /** Somebody sits down, holds and places an order. */
  ordered(name: string, quantity = 1): PlacedOrder {
    const sitting = this.sit(name);
    return this.placed(sitting, this.held(sitting, quantity));
  }

  holdRow(id: string): HoldRow {
    const hold = this.state.holds.get(id);
    if (hold === undefined) throw new Error(`there is no hold ${id}`);
    return hold;
  }

  unitsHeld(sku = "MOTH"): number {
    return this.state.counters.held.get(sku) ?? 0;
  }

  unitsSold(sku = "MOTH"): number {
    return this.state.counters.sold.get(sku) ?? 0;
  }

  kinds(): string[] {
    return this.record.map((row) => row.kind);
  }
}
