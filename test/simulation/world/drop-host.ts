import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { decideControl } from "../../../src/drop/controls.ts";
import { DropBook } from "../../../src/drop/drop-book.ts";
import { decideAbandon, decideHold, holdFor } from "../../../src/drop/holds.ts";
import { decideServe } from "../../../src/drop/line.ts";
import { dropSnapshot } from "../../../src/drop/live.ts";
import { decidePlace } from "../../../src/drop/orders.ts";
import { decideConfirm, decideFail, decideProcessing, decideRestock } from "../../../src/drop/payments.ts";
import type { PlanSource } from "../../../src/drop/plan.ts";
import { decidePlan } from "../../../src/drop/planning.ts";
import type {
  AbandonRejection, ClaimAnswer, ClaimRejection, ConfirmAnswer, Control, DropPort, DropSnapshot, HoldCommand, HoldRejection, HoldView, Line, LinePage, MovementRow,
  OutboxMessage, PlaceCommand, PlaceRejection, RecordPage, ShardSeal, TicketFacts,
} from "../../../src/drop/port.ts";
import { decideSeal } from "../../../src/drop/sealing.ts";
import { decideClaim } from "../../../src/drop/sittings.ts";
import type { Decision, DropState } from "../../../src/drop/state.ts";
import type { Hashing } from "../../../src/kernel/hashing.ts";
import { hexFromBytes } from "../../../src/kernel/hashing.ts";
import { idFromRandom } from "../../../src/kernel/ids.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { accepted, assert, Fault, type Result } from "../../../src/kernel/result.ts";
import { commitmentOf } from "../../../src/lobby/draw.ts";
import type { Agenda } from "../../../src/rehearsal/agenda.ts";
import { WanderingClock } from "../../../src/rehearsal/clock.ts";
import type { FaultPlan } from "../../../src/rehearsal/faults.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import { DropStorage } from "./drop-storage.ts";
import type { FaultName } from "./fault-names.ts";

const RESEND_MS = 30_000;
const STEP_BACK_MAX_MS = 3 * 60_000;

export interface DropParts {
  readonly source: PlanSource;
  readonly agenda: Agenda;
  readonly faults: FaultPlan<FaultName>;
  readonly random: RandomSource;
  /** The queue's producer. */
  readonly send: (message: OutboxMessage) => void;
  /** An order was written, whether or not its shopper ever hears of it. */
  readonly placed: (order: PlacedOrder, person: string) => void;
}

/**
 * The Drop object: the real book over a double of its storage, an alarm that may
 * never ring, a clock that may be put back, and a memory that may be lost
 * between any two commands.
 */
export class DropHost implements DropPort {
  readonly storage = new DropStorage();
  lateSold = 0;
  lateRefused = 0;
  readonly #parts: DropParts;
  readonly #clock: WanderingClock;
  readonly #sentAt = new Map<string, number>();
  readonly #verdicts = new Map<string, string>();
  #book = new DropBook(this.storage.stored(), nodeHashing);
  #alarmAt = Number.POSITIVE_INFINITY;
  #read = 0;

  constructor(parts: DropParts) {
    this.#parts = parts;
    this.#clock = new WanderingClock(() => parts.agenda.now);
  }

  async plan(source: PlanSource): Promise<DropSnapshot> {
    const secret = hexFromBytes(this.#parts.random.bytes(32));
    this.#run((state, now) => decidePlan(state, source, { secret, commitment: commitmentOf(secret, nodeHashing) }, now));
    return this.#snapshot();
  }

  async snapshot(pages: readonly LinePage[]): Promise<DropSnapshot | null> {
    this.#run((state, now) => decideServe(state, pages, now));
    return this.#snapshot();
  }

  async seal(seal: ShardSeal): Promise<DropSnapshot | null> {
    const outcome = this.#run((state) => decideSeal(state, seal));
    assert(outcome === "sealed", "a shard of the plan sends its seals in order");
    return this.#snapshot();
  }

  async claim(ticket: TicketFacts): Promise<Result<ClaimAnswer, ClaimRejection>> {
    const sitting = idFromRandom("pas", this.#parts.random.bytes(26));
    return this.#run((state, now, hashing) => decideClaim(state, ticket, sitting, now, hashing));
  }

  async hold(command: HoldCommand): Promise<Result<HoldView, HoldRejection>> {
    return this.#run((state, now, hashing) => decideHold(state, command, now, hashing));
  }

  async holdState(id: string, entry: string): Promise<HoldView | null> {
    return this.#run((state) => ({ outcome: holdFor(state, id, entry), changes: null }));
  }

  async abandon(id: string, entry: string): Promise<Result<HoldView, AbandonRejection>> {
    return this.#run((state, now, hashing) => decideAbandon(state, id, entry, now, hashing));
  }

  async place(command: PlaceCommand): Promise<Result<PlacedOrder, PlaceRejection>> {
    const outcome = this.#run((state, now, hashing) => decidePlace(state, command, now, hashing));
    if (outcome.ok) this.#parts.placed(outcome.value, command.person);
    return outcome;
  }

  async placed(order: string): Promise<PlacedOrder | null> {
    return this.#run((state) => ({ outcome: state.orders.get(order)?.placed ?? null, changes: null }));
  }

  async confirm(order: string, payment: string): Promise<ConfirmAnswer> {
    let wasLate = false;
    const answer = this.#run((state, now, hashing) => {
      const hold = state.holds.get(state.orders.get(order)?.hold ?? "");
      wasLate = hold?.state === "expired" && !state.verdicts.has(payment);
      return decideConfirm(state, order, payment, now, hashing);
    });
    const known = this.#verdicts.get(payment) ?? JSON.stringify(answer);
    assert(known === JSON.stringify(answer), "the drop's answer for a payment never changes");
    this.#verdicts.set(payment, known);
    if (wasLate && answer.verdict === "sold") this.lateSold += 1;
    if (wasLate && answer.verdict === "refused") this.lateRefused += 1;
    return answer;
  }

  async processing(order: string): Promise<number | null> {
    return this.#run((state) => decideProcessing(state, order));
  }

  async fail(order: string): Promise<void> {
    this.#run((state, now, hashing) => decideFail(state, order, now, hashing));
  }

  async restock(order: string, refund: string, lines: readonly Line[]): Promise<void> {
    const outcome = this.#run((state, now, hashing) => decideRestock(state, { order, refund, lines }, now, hashing));
    assert(outcome === "restocked", "settlement gives back what was sold and no more");
  }

  async acknowledge(outboxIds: readonly string[]): Promise<void> {
    this.#run((state) => ({ outcome: null, changes: { acknowledged: outboxIds.filter((id) => state.outbox.has(id)) } }));
  }

  async record(): Promise<RecordPage | null> {
    throw new Error("a simulation reads the record from storage");
  }

  async control(control: Control, actor: string): Promise<Result<DropSnapshot, { readonly code: "control_not_possible" } | { readonly code: "not_found" }>> {
    const outcome = this.#run((state, now, hashing) => decideControl(state, control, actor, now, hashing));
    return outcome.ok ? accepted(this.#snapshot()) : outcome;
  }

  async sweep(): Promise<void> {
    this.#run(() => ({ outcome: null, changes: null }));
  }

  get closesAt(): number {
    const { facts } = this.storage;
    assert(facts !== null, "a simulated drop is planned at its start");
    return facts.plan.closesAt;
  }

  setClockRight(): void {
    this.#clock.setError(0);
  }

  /** The rows of the record that were written since the last call. */
  unreadRows(): readonly MovementRow[] {
    const rows = this.storage.record.slice(this.#read);
    this.#read = this.storage.record.length;
    return rows;
  }

  /** Memory must be what storage would make of it, whenever somebody looks. */
  checkMemory(): void {
    const { counters, liveHolds } = this.#book.state;
    const rebuilt = new DropBook(this.storage.stored(), nodeHashing).state;
    for (const name of ["held", "sold", "itemsByEntry", "itemsByPerson", "couponUses"] as const) {
      assert(textOf(counters[name]) === textOf(rebuilt.counters[name]), `memory and storage agree about ${name}`);
    }
    assert([...liveHolds].toSorted().join() === [...rebuilt.liveHolds].toSorted().join(), "memory and storage agree about live holds");
  }

  #run<Outcome>(decide: (state: DropState, now: number, hashing: Hashing) => Decision<Outcome>): Outcome {
    const { faults, random } = this.#parts;
    if (faults.strikes("clock-step-back")) this.#clock.setError(-random.integer(1, STEP_BACK_MAX_MS));
    if (faults.strikes("eviction")) this.#forget();
    const now = this.#book.timeOf(this.#clock.now());
    const outcome = this.#book.perform(now, decide);
    const pending = this.#book.takePending();
    if (pending !== null) {
      if (faults.strikes("write-failed")) {
        this.#forget();
        throw new Fault("the drop could not write", { retryable: true });
      }
      this.storage.write(pending);
    }
    this.#drain();
    this.#arrangeAlarm();
    return outcome;
  }

  #forget(): void {
    this.#book = new DropBook(this.storage.stored(), nodeHashing);
    this.#sentAt.clear();
  }

  #snapshot(): DropSnapshot {
    const snapshot = dropSnapshot(this.#book.state, this.#book.timeOf(this.#clock.now()));
    assert(snapshot !== null, "a simulated drop is planned at its start");
    return snapshot;
  }

  /** Sends what was not acknowledged, each message again after half a minute. */
  #drain(): void {
    const { now } = this.#parts.agenda;
    for (const message of this.#book.state.outbox.values()) {
      const sentAt = this.#sentAt.get(message.id);
      if (sentAt !== undefined && now - sentAt < RESEND_MS) continue;
      this.#sentAt.set(message.id, now);
      this.#parts.send(message);
    }
  }

  #arrangeAlarm(): void {
    const { agenda, faults } = this.#parts;
    const { outbox, dueAt: stateDueAt } = this.#book.state;
    // Where the object's clock is behind, what is due by true time is not due yet by its own: a second later is soon enough.
    const dueAt = Math.max(agenda.now + 1_000, outbox.size > 0 ? Math.min(stateDueAt, agenda.now + RESEND_MS) : stateDueAt);
    if (!Number.isFinite(dueAt) || (this.#alarmAt > agenda.now && this.#alarmAt <= dueAt)) return;
    this.#alarmAt = dueAt;
    if (faults.strikes("alarm-never")) return;
    agenda.arrange(dueAt, "the drop's alarm", () => {
      // An object has one alarm: setting it to another time takes back the one before.
      if (this.#alarmAt !== dueAt) return;
      this.#alarmAt = Number.POSITIVE_INFINITY;
      try {
        this.#run(() => ({ outcome: null, changes: null }));
      } catch (error) {
        // An alarm that throws is tried again by the platform; here the cron is enough.
        if (!(error instanceof Fault)) throw error;
      }
    });
  }
}

function textOf(counts: ReadonlyMap<string, number>): string {
  return JSON.stringify([...counts].filter(([, count]) => count !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
