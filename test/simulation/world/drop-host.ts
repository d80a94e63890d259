import { createHash } from "node:crypto";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { decideBeacon } from "../../../src/drop/beacon.ts";
import { decideControl } from "../../../src/drop/controls.ts";
import { DropBook, type PendingWrite } from "../../../src/drop/drop-book.ts";
import { decideAbandon, decideHold, holdFor } from "../../../src/drop/holds.ts";
import { nextReleaseAt } from "../../../src/drop/lanes.ts";
import { decideServe } from "../../../src/drop/line.ts";
import { dropSnapshot } from "../../../src/drop/live.ts";
import { decidePlace } from "../../../src/drop/orders.ts";
import { decideConfirm, decideFail, decideProcessing, decideRestock } from "../../../src/drop/payments.ts";
import type { PlanSource } from "../../../src/drop/plan.ts";
import { decidePlanChange } from "../../../src/drop/plan-change.ts";
import { decidePlan } from "../../../src/drop/planning.ts";
import type {
  AbandonRejection, AwaitedReturns, BeaconOutcome, CheckoutPace, ClaimAnswer, ClaimRejection, ConfirmAnswer, Control, DropPort, DropSnapshot, HoldCommand, HoldRejection, HoldView, Line, LinePage, MovementRow,
  OutboxMessage, PaymentToConfirm, PlaceCommand, PlaceRejection, PlanChangeAnswer, RecordPage, ShardSeal, TicketFacts,
} from "../../../src/drop/port.ts";
import { decideSeal } from "../../../src/drop/sealing.ts";
import { decideClaim } from "../../../src/drop/sittings.ts";
import { type DropState, unchanged } from "../../../src/drop/state.ts";
import { hexFromBytes, type Hashing } from "../../../src/kernel/hashing.ts";
import { idFromRandom } from "../../../src/kernel/ids.ts";
import { accepted, assert, Fault, rejected, type Result } from "../../../src/kernel/result.ts";
import type { Agenda } from "../../../src/rehearsal/agenda.ts";
import { WanderingClock } from "../../../src/rehearsal/clock.ts";
import type { FaultPlan } from "../../../src/rehearsal/faults.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import { type Decide, GroupCommit } from "../../../workers/objects/group-commit.ts";
import { OutboxDrain } from "../../../workers/objects/outbox-drain.ts";
import type { LaneLedger } from "../../support/lane-ledger.ts";
import { DropStorage } from "./drop-storage.ts";
import type { FaultName } from "./fault-names.ts";

const STEP_MAX_MS = 3 * 60_000;
const ALARM_LATE_MAX_MS = 10 * 60_000;

export interface DropParts {
  readonly source: PlanSource;
  readonly agenda: Agenda;
  readonly faults: FaultPlan<FaultName>;
  readonly random: RandomSource;
  /** For how long commands gather before they are written together; a busy object takes long to come to it. */
  readonly gatherMsMax: number;
  readonly hashing: Hashing;
  /** The rank of a ticket as a stranger computes it, "" before the draw. */
  readonly rankOf: (entry: string) => string;
  /** What a reader of the record knows of the lanes; null before the plan. */
  readonly lanes: () => LaneLedger | null;
  /** The object decided commands at this time of its own. */
  readonly decidedAt: (now: number) => void;
  /** The queue's producer. */
  readonly send: (message: OutboxMessage) => void;
  /** An order was written, whether or not its shopper ever hears of it. */
  readonly placed: (order: PlacedOrder) => void;
  /** An invariant of the product did not hold. */
  readonly fail: (error: unknown) => void;
}

/** One life of the object, from its start to the moment in which its memory is lost. */
interface Life {
  readonly commits: GroupCommit;
  readonly outbox: OutboxDrain;
  /** Whoever waits for an answer hears nothing of it when the life ends. */
  readonly waiting: Set<(fault: Fault) => void>;
  isOver: boolean;
}

/**
 * The Drop object: the real group commit and the real outbox over a double of
 * its storage, with an alarm that may ring never, late or twice, a clock that
 * wanders, and a memory that may be lost at any moment.
 */
export class DropHost implements DropPort {
  readonly storage = new DropStorage();
  lateSold = 0;
  lateRefused = 0;
  cardRefused = 0;
  /** How often somebody could not have what was there, because it was kept for others. */
  keptFromOthers = 0;
  /** The most commands that one write has carried. */
  groupMax = 0;
  readonly #parts: DropParts;
  readonly #clock: WanderingClock;
  readonly #everSent = new Set<string>();
  #life: Life;
  #alarmAt: number | null = null;
  #setAlarmAt: number | null = null;
  #read = 0;
  #group = 0;
  #memory: DropState | null = null;

  constructor(parts: DropParts) {
    this.#parts = parts;
    this.#clock = new WanderingClock(() => parts.agenda.now);
    this.#life = this.#newLife();
  }

  async plan(source: PlanSource): Promise<DropSnapshot> {
    const secret = hexFromBytes(this.#parts.random.bytes(32));
    const fresh = { secret, commitment: createHash("sha256").update(Buffer.from(secret, "hex")).digest("hex") };
    return this.#snapshotOf(await this.#submit((state, now) => decidePlan(state, source, fresh, now), (_, state, now) => dropSnapshot(state, now)));
  }

  async snapshot(pages: readonly LinePage[]): Promise<DropSnapshot | null> {
    return this.#submit((state, now) => decideServe(state, pages, now), (_, state, now) => dropSnapshot(state, now));
  }

  async seal(seal: ShardSeal): Promise<DropSnapshot | null> {
    const { outcome, snapshot } = await this.#submit((state, now) => decideSeal(state, seal, now), (answer, state, now) => ({ outcome: answer, snapshot: dropSnapshot(state, now) }));
    this.#expect(outcome === "sealed" || outcome === "not_open", "a shard of the plan sends its seals in order");
    return snapshot;
  }

  async beacon(round: number, signature: string): Promise<BeaconOutcome> {
    return this.#ask((state, now, hashing) => decideBeacon(state, { round, signature }, now, hashing));
  }

  async claim(ticket: TicketFacts): Promise<Result<ClaimAnswer, ClaimRejection>> {
    const sitting = idFromRandom("pas", this.#parts.random.bytes(26));
    const { outcome, isServed } = await this.#submit((state, now, hashing) => decideClaim(state, ticket, sitting, now, hashing), (answer, state) => ({ outcome: answer, isServed: isServedBy(state, ticket, this.#parts.rankOf(ticket.entry)) }));
    if (outcome.ok && outcome.value.state === "waiting") this.#expect(!isServed, "who is served and comes is not told to wait");
    if (outcome.ok && outcome.value.state === "admitted") this.#expect(this.storage.rows.sittings.has(outcome.value.sitting.id), "nobody is told of a sitting that is not written");
    return outcome;
  }

  async hold(command: HoldCommand): Promise<Result<HoldView, HoldRejection>> {
    const outcome = await this.#ask((state, now, hashing) => {
      const decision = decideHold(state, command, now, hashing);
      if (!decision.outcome.ok && decision.outcome.rejection.code === "sold_out") this.#checkShortage(state, command, now);
      return decision;
    });
    if (outcome.ok) this.#expect(this.storage.holds.has(command.id), "nobody is told of a hold that is not written");
    return outcome;
  }

  async holdState(id: string, entry: string): Promise<HoldView | null> {
    return this.#ask((state) => unchanged(holdFor(state, id, entry)));
  }

  async abandon(id: string, entry: string): Promise<Result<HoldView, AbandonRejection>> {
    return this.#ask((state, now, hashing) => decideAbandon(state, id, entry, now, hashing));
  }

  async place(command: PlaceCommand): Promise<Result<PlacedOrder, PlaceRejection>> {
    const outcome = await this.#ask((state, now, hashing) => decidePlace(state, command, now, hashing));
    if (outcome.ok) this.#expect(this.storage.rows.orders.has(command.id), "nobody is told of an order that is not written");
    return outcome;
  }

  async placed(order: string): Promise<PlacedOrder | null> {
    return this.#ask((state) => unchanged(state.orders.get(order)?.placed ?? null));
  }

  async confirm(order: string, payment: string, card: string | null = null): Promise<ConfirmAnswer> {
    let wasLate = false;
    const answer = await this.#ask((state, now, hashing) => {
      const hold = state.holds.get(state.orders.get(order)?.hold ?? "");
      wasLate = hold?.state === "expired" && !state.verdicts.has(payment);
      return decideConfirm(state, order, payment, now, hashing, card);
    });
    this.#expect(JSON.stringify(this.storage.rows.verdicts.get(payment)?.answer) === JSON.stringify(answer), "the drop's answer for a payment is written before it is given, and never changes");
    if (answer.verdict === "refused" && answer.reason === "card_limit") this.cardRefused += 1;
    if (wasLate && answer.verdict === "sold") this.lateSold += 1;
    if (wasLate && answer.verdict === "refused") this.lateRefused += 1;
    return answer;
  }

  async confirmAll(payments: readonly PaymentToConfirm[]): Promise<readonly (ConfirmAnswer | null)[]> {
    const answers = await Promise.allSettled(payments.map(({ order, payment, card }) => this.confirm(order, payment, card)));
    return answers.map((answer) => (answer.status === "fulfilled" ? answer.value : null));
  }

  async processing(order: string): Promise<number | null> {
    return this.#ask((state) => decideProcessing(state, order));
  }

  async fail(order: string): Promise<void> {
    await this.#ask((state, now, hashing) => decideFail(state, order, now, hashing));
  }

  async restock(order: string, refund: string, lines: readonly Line[]): Promise<void> {
    const outcome = await this.#ask((state, now, hashing) => decideRestock(state, { order, refund, lines }, now, hashing));
    this.#expect(outcome === "restocked", "settlement gives back what was sold and no more");
  }

  async acknowledge(outboxIds: readonly string[]): Promise<void> {
    await this.#ask((state) => {
      const acknowledged = outboxIds.filter((id) => state.outbox.has(id));
      return acknowledged.length === 0 ? unchanged(null) : { outcome: null, changes: { acknowledged } };
    });
  }

  async record(): Promise<RecordPage | null> {
    throw new Error("a simulation reads the record from storage");
  }

  async pace(): Promise<CheckoutPace> {
    throw new Error("nobody at a simulated desk asks for statistics");
  }

  async control(control: Control, actor: string): Promise<Result<DropSnapshot, { readonly code: "control_not_possible" } | { readonly code: "not_found" }>> {
    const { outcome, snapshot } = await this.#submit((state, now, hashing) => decideControl(state, control, actor, now, hashing), (answer, state, now) => ({ outcome: answer, snapshot: dropSnapshot(state, now) }));
    if (snapshot === null) return rejected({ code: "not_found" });
    return outcome.ok ? accepted(snapshot) : outcome;
  }

  async changePlan(source: PlanSource, publish: boolean, actor: string): Promise<PlanChangeAnswer | null> {
    return this.#ask((state, now) => decidePlanChange(state, { source, publish, actor }, now));
  }

  async awaitedReturns(): Promise<AwaitedReturns | null> {
    throw new Error("nobody at a simulated desk asks what is missing");
  }

  async sweep(): Promise<void> {
    this.#alarmAt = this.#setAlarmAt;
    const { outbox, now } = await this.#submit(() => unchanged(null), (_, state, at) => ({ outbox: state.outbox, now: at }));
    await this.#life.outbox.sendDue(outbox, now);
    await this.#submit(() => unchanged(null), () => null);
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
    if (this.#read === this.storage.record.length) return NO_ROWS;
    const rows = this.storage.record.slice(this.#read);
    this.#read = this.storage.record.length;
    return rows;
  }

  #ask<Outcome>(decide: Decide<Outcome>): Promise<Outcome> {
    return this.#submit(decide, (outcome) => outcome);
  }

  /** A command on its way into the real group commit; a life that ends answers it with "nobody knows". */
  #submit<Outcome, Answer>(decide: Decide<Outcome>, view: (outcome: Outcome, state: DropState, now: number) => Answer): Promise<Answer> {
    const { faults, random } = this.#parts;
    if (faults.strikes("clock-step-back")) this.#clock.setError(-random.integer(1, STEP_MAX_MS));
    if (faults.strikes("clock-step-forward")) this.#clock.setError(random.integer(1, STEP_MAX_MS));
    if (faults.strikes("eviction")) this.#end("the object was evicted");
    const life = this.#life;
    return new Promise<Answer>((resolve, reject) => {
      life.waiting.add(reject);
      const counted: Decide<Outcome> = (state, now, hashing) => {
        this.#group += 1;
        return decide(state, now, hashing);
      };
      this.#gathering(life, () => life.commits.submit(counted, view)).then(
        (answer) => {
          life.waiting.delete(reject);
          if (!life.isOver) resolve(answer);
        },
        (error: unknown) => {
          life.waiting.delete(reject);
          // The shell turns a broken invariant into a refusal that no retry mends. Here it is what was looked for.
          if (error instanceof Fault && !error.retryable) this.#parts.fail(error.cause ?? error);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }

  /** The shell gathers commands with a timer; for the length of the call it gets one that runs on virtual time and dies with the object. */
  #gathering<Answer>(life: Life, submit: () => Answer): Answer {
    const { agenda, random, gatherMsMax } = this.#parts;
    const real = globalThis.setTimeout;
    Reflect.set(globalThis, "setTimeout", (commit: () => void, ms: number) => {
      // An idle object writes in the very millisecond: so that what is due then is decided exactly at its bound.
      agenda.after(gatherMsMax === 0 ? 0 : ms + random.integer(0, gatherMsMax), "the drop writes", () => {
        if (!life.isOver) commit();
      });
    });
    try {
      return submit();
    } finally {
      Reflect.set(globalThis, "setTimeout", real);
    }
  }

  #newLife(): Life {
    const store = { load: () => this.storage.stored(), write: (pending: PendingWrite) => this.#write(pending) };
    const life: Life = {
      commits: new GroupCommit(store, this.#parts.hashing, () => this.#clock.now(), (state, written, now) => this.#afterCommit(life, state, written, now)),
      outbox: new OutboxDrain(async (messages) => this.#take(messages)),
      waiting: new Set(),
      isOver: false,
    };
    return life;
  }

  /** What was in memory is gone; whoever waited for it will ask again. */
  #end(why: string): void {
    const life = this.#life;
    life.isOver = true;
    this.#life = this.#newLife();
    this.#alarmAt = null;
    this.#memory = null;
    for (const reject of life.waiting) reject(new Fault(`${why}: nobody knows what became of the command`, { retryable: true }));
    life.waiting.clear();
  }

  #write(pending: PendingWrite): void {
    const { faults } = this.#parts;
    this.groupMax = Math.max(this.groupMax, this.#group);
    this.#group = 0;
    this.#memory = null;
    if (faults.strikes("write-failed")) throw new Error("the disk is full");
    for (const [payment, row] of pending.rows.verdicts) {
      const known = this.storage.rows.verdicts.get(payment);
      this.#expect(known === undefined || JSON.stringify(known) === JSON.stringify(row), "the answer for a payment is written once");
    }
    this.storage.write(pending);
    for (const row of pending.rows.orders.values()) if (row !== null) this.#parts.placed(row.placed);
    if (faults.strikes("crash-before-publish")) {
      this.#end("the object stopped after its write");
      throw new Error("the object is gone");
    }
  }

  /** As the object does it after each commit: the new messages go out, the alarm is set. */
  #afterCommit(life: Life, state: DropState, written: PendingWrite | null, now: number): void {
    this.#group = 0;
    this.#memory = life.isOver ? null : state;
    this.#parts.decidedAt(now);
    const messages = [...(written?.rows.outbox.values() ?? [])].filter((message) => message !== null);
    if (messages.length > 0) void life.outbox.send(messages, now);
    const { facts } = state;
    if (facts === null) return;
    const releaseAt = facts.closedAt === null && !facts.cancelled ? nextReleaseAt(facts.plan, now) : Number.POSITIVE_INFINITY;
    const alarmAt = Math.min(state.dueAt, releaseAt, life.outbox.nextAt(state.outbox));
    if (alarmAt === Number.POSITIVE_INFINITY) return;
    if (this.#alarmAt !== null && this.#alarmAt > now && this.#alarmAt <= alarmAt) return;
    this.#alarmAt = alarmAt;
    this.#setAlarm(Math.max(alarmAt, now));
  }

  #take(messages: readonly OutboxMessage[]): void {
    if (this.#parts.faults.strikes("queue-refuses")) throw new Error("the queue is away");
    for (const message of messages) {
      this.#expect(this.storage.rows.outbox.has(message.id) || this.#everSent.has(message.id), "no effect leaves the drop before it is written");
      this.#everSent.add(message.id);
      this.#parts.send(message);
    }
  }

  #setAlarm(at: number): void {
    const { agenda, faults, random } = this.#parts;
    this.#setAlarmAt = at;
    if (faults.strikes("alarm-never")) return;
    const delayMs = Math.max(1, at - this.#clock.now()) + (faults.strikes("alarm-late") ? random.integer(1_000, ALARM_LATE_MAX_MS) : 0);
    const ring = (afterMs: number) => agenda.after(afterMs, "the drop's alarm", () => {
      // An object has one alarm: setting it to another time takes back the one before.
      if (this.#setAlarmAt !== at && this.#setAlarmAt !== null) return;
      this.#setAlarmAt = null;
      // An alarm that throws is tried again by the platform; here the cron is enough.
      this.sweep().catch((error: unknown) => {
        if (!(error instanceof Fault)) this.#parts.fail(error);
      });
    });
    ring(delayMs);
    if (faults.strikes("alarm-twice")) ring(delayMs + random.integer(0, 5_000));
  }

  /** Nobody is told that something is sold out which is there for their lane, by the rows of the record and the drop's time. */
  #checkShortage(state: DropState, { sitting, lines }: HoldCommand, now: number): void {
    const lanes = this.#parts.lanes();
    // Where the drop has rows that are not in the record yet, a reader of it cannot tell.
    if (lanes === null || lanes.seq !== state.tail.seq) return;
    const { stock, items } = this.#parts.source;
    const isThere = (units: (sku: string) => number) => stock.every(({ sku }) => {
      const parts = lines.map((line) => line.quantity * (items.find((item) => item.sku === line.sku)?.components.find((part) => part.sku === sku)?.quantity ?? 0));
      return parts.reduce((sum, part) => sum + part, 0) <= units(sku);
    });
    this.#expect(!isThere((sku) => lanes.within(sku, state.sittings.get(sitting)?.lane ?? "", now)), "nobody is refused what is there for them");
    if (isThere((sku) => lanes.available(sku, now))) this.keptFromOthers += 1;
  }

  /** What a caller is told is checked here; a failure ends the simulation even where the caller would swallow it. */
  #expect(condition: boolean, invariant: string): void {
    if (!condition) this.#parts.fail(new Error(invariant));
  }

  #snapshotOf(snapshot: DropSnapshot | null): DropSnapshot {
    assert(snapshot !== null, "a simulated drop is planned at its start");
    return snapshot;
  }

  /** Memory must be what storage would make of it: totals and indexes are derived, and a write that failed leaves nothing behind. */
  checkMemory(): void {
    if (this.#memory === null) return;
    const { counters, liveHolds } = this.#memory;
    const rebuilt = new DropBook(this.storage.stored(), this.#parts.hashing).state;
    for (const name of ["held", "sold", "itemsByEntry", "itemsByPerson", "itemsByDestination", "itemsByCard", "couponUses", "takenInLanes", "unpaidByNetwork", "paidByNetwork", "ordersBySitting"] as const) {
      assert(textOf(counters[name]) === textOf(rebuilt.counters[name]), `memory and storage agree about ${name}`);
    }
    assert(JSON.stringify(failuresOf(counters)) === JSON.stringify(failuresOf(rebuilt.counters)), "memory and storage agree about what failed at the till");
    const unpaidMax = this.#memory.facts?.plan.budgets.unpaidHolds ?? 0;
    assert([...counters.unpaidByNetwork.values()].every((holds) => holds <= unpaidMax), "no network has more unpaid holds than it may");
    assert([...liveHolds].toSorted().join() === [...rebuilt.liveHolds].toSorted().join(), "memory and storage agree about live holds");
    assert(this.#memory.tail.hash === rebuilt.tail.hash, "memory and storage agree about the head of the record");
  }
}

const NO_ROWS: readonly MovementRow[] = [];

/** Whether a rank is reached for anything that the ticket wants. */
function isServedBy(state: DropState, ticket: TicketFacts, rank: string): boolean {
  const { facts } = state;
  if (facts === null || facts.seed === null || facts.cancelled || rank === "") return false;
  // Nobody is admitted whose seal the record does not have, where the order of service counts.
  if (facts.plan.admit === "paced" && ticket.joinedAt > Math.max(0, ...[...state.seals.values()].filter(({ shard }) => shard === ticket.shard).map(({ through }) => through))) return false;
  return ticket.wants.some(({ sku }) => {
    const upTo = state.thresholds.get(`${ticket.lane}/${sku}`)?.upTo ?? null;
    return upTo !== null && rank <= upTo;
  });
}

function failuresOf({ failedByNetwork }: DropState["counters"]) {
  return [...failedByNetwork].flatMap(([network, failed]) => [...failed].map(([id, heldAt]) => `${network} ${id} ${heldAt}`)).toSorted();
}

function textOf(counts: ReadonlyMap<string, number>): string {
  return JSON.stringify([...counts].filter(([, count]) => count !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
