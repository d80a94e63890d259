import { DurableObject } from "cloudflare:workers";
import type { PlacedOrder } from "../../src/checkout/placed-order.ts";
import { decideBeacon } from "../../src/drop/beacon.ts";
import { awaitedReturns, decideControl } from "../../src/drop/controls.ts";
import type { PendingWrite } from "../../src/drop/drop-book.ts";
import { decideAbandon, decideHold, holdFor } from "../../src/drop/holds.ts";
import { nextReleaseAt } from "../../src/drop/lanes.ts";
import { decideServe } from "../../src/drop/line.ts";
import { dropSnapshot } from "../../src/drop/live.ts";
import { decidePlace } from "../../src/drop/orders.ts";
import { decideConfirm, decideFail, decideProcessing, decideRestock } from "../../src/drop/payments.ts";
import { checkoutPace } from "../../src/drop/pace.ts";
import type { PlanSource } from "../../src/drop/plan.ts";
import { decidePlanChange } from "../../src/drop/plan-change.ts";
import { decidePlan } from "../../src/drop/planning.ts";
import type {
  AbandonRejection, AwaitedReturns, BeaconOutcome, CheckoutPace, ClaimAnswer, ClaimRejection, ConfirmAnswer, Control, DropPort, DropSnapshot, HoldCommand, HoldRejection, HoldView, Line, LinePage,
  OutboxMessage, PaymentToConfirm, PlaceCommand, PlanChangeAnswer, PlaceRejection, RecordPage, ShardSeal, TicketFacts,
} from "../../src/drop/port.ts";
import { decideSeal } from "../../src/drop/sealing.ts";
import { askedTooOften, entryBudget } from "../../src/drop/entry-budget.ts";
import { decideClaim } from "../../src/drop/sittings.ts";
import { type DropState, unchanged } from "../../src/drop/state.ts";
import { hexFromBytes } from "../../src/kernel/hashing.ts";
import { idFromRandom } from "../../src/kernel/ids.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { accepted, Fault, rejected, type Result } from "../../src/kernel/result.ts";
import { type Clock, instantToWire } from "../../src/kernel/time.ts";
import { commitmentOf } from "../../src/lobby/draw.ts";
import { DropStore } from "./drop-store.ts";
import { type Decide, GroupCommit } from "./group-commit.ts";
import { OutboxDrain } from "./outbox-drain.ts";
import { HeadSigner } from "./signing.ts";

export interface DropEnv {
  readonly ORDERS_QUEUE: Pick<Queue<OutboxMessage>, "sendBatch">;
  /** A private Ed25519 JWK; without it the record is not served. */
  readonly HEAD_KEY?: string;
  readonly ENVIRONMENT?: string;
}

export const RECORD_PAGE_ROWS = 1_000;

type Unplanned = { readonly planned: false };
type Asked<Outcome> = { readonly planned: true; readonly outcome: Outcome };

/** One drop, named by its slug: the single authority on its stock. Every call settles what is due by the clock before it does anything else. */
export class DropObject extends DurableObject<DropEnv> implements DropPort {
  /** The one place where the object reads the time; tests put theirs here. */
  clock: Clock = () => Date.now();
  readonly #store: DropStore;
  readonly #commits: GroupCommit;
  readonly #outbox: OutboxDrain;
  readonly #signer: HeadSigner;
  /** What each entry asks for, but for looks at a hold: those cost no more than their refusal would. */
  readonly #asks = entryBudget(this.env.ENVIRONMENT === "local");
  #alarmAt: number | null = null;

  constructor(context: DurableObjectState, env: DropEnv) {
    super(context, env);
    this.#store = new DropStore(context.storage);
    this.#outbox = new OutboxDrain((messages) => this.env.ORDERS_QUEUE.sendBatch(messages.map((body) => ({ body }))));
    this.#signer = new HeadSigner(env.HEAD_KEY);
    this.#commits = new GroupCommit(this.#store, nodeHashing, () => this.clock(), (state, written, now) => this.#afterCommit(state, written, now));
  }

  async plan(source: PlanSource): Promise<DropSnapshot> {
    const name = this.ctx.id.name;
    if (name !== undefined && name !== source.drop) throw new Fault("a drop is planned in the object of its own name", { retryable: false });
    const secret = hexFromBytes(randomBytes(32));
    const fresh = { secret, commitment: commitmentOf(secret, nodeHashing) };
    const snapshot = await this.#commits.submit((state, now) => decidePlan(state, source, fresh, now), (_, state, now) => dropSnapshot(state, now));
    if (snapshot === null) throw new Fault("the plan was not made", { retryable: true });
    return snapshot;
  }

  async snapshot(pages: readonly LinePage[]): Promise<DropSnapshot | null> {
    return await this.#commits.submit((state, now) => (state.facts === null ? unchanged(null) : decideServe(state, pages, now)), (_, state, now) => dropSnapshot(state, now));
  }

  async seal(seal: ShardSeal): Promise<DropSnapshot | null> {
    const answer = await this.#commits.submit(
      (state, now) => (state.facts === null ? unchanged(null) : decideSeal(state, seal, now)),
      (outcome, state, now) => ({ outcome, snapshot: dropSnapshot(state, now) }),
    );
    if (answer.outcome === "out_of_order") throw new Fault("the batch before this seal is not here yet", { retryable: true });
    if (answer.outcome === "not_open") throw new Fault("the drop is not open by its own clock", { retryable: true });
    if (answer.outcome === "no_such_shard") throw new Fault("the plan has no such shard", { retryable: false });
    return answer.snapshot;
  }

  async beacon(round: number, signature: string): Promise<BeaconOutcome> {
    return await this.#ask((state, now, hashing) => decideBeacon(state, { round, signature }, now, hashing));
  }

  async claim(ticket: TicketFacts): Promise<Result<ClaimAnswer, ClaimRejection>> {
    const tooOften = askedTooOften(this.#asks, ticket.entry, this.clock());
    if (tooOften !== null) return rejected(tooOften);
    const sitting = idFromRandom("pas", randomBytes(26));
    return await this.#ask((state, now, hashing) => decideClaim(state, ticket, sitting, now, hashing));
  }

  async hold(command: HoldCommand): Promise<Result<HoldView, HoldRejection>> {
    const tooOften = askedTooOften(this.#asks, command.entry, this.clock());
    if (tooOften !== null) return rejected(tooOften);
    return await this.#ask((state, now, hashing) => decideHold(state, command, now, hashing));
  }

  async holdState(id: string, entry: string): Promise<HoldView | null> {
    return await this.#read((state) => holdFor(state, id, entry));
  }

  async abandon(id: string, entry: string): Promise<Result<HoldView, AbandonRejection>> {
    const tooOften = askedTooOften(this.#asks, entry, this.clock());
    if (tooOften !== null) return rejected(tooOften);
    return await this.#ask((state, now, hashing) => decideAbandon(state, id, entry, now, hashing));
  }

  async place(command: PlaceCommand): Promise<Result<PlacedOrder, PlaceRejection>> {
    const tooOften = askedTooOften(this.#asks, command.entry, this.clock());
    if (tooOften !== null) return rejected(tooOften);
    return await this.#ask((state, now, hashing) => decidePlace(state, command, now, hashing));
  }

  async placed(order: string): Promise<PlacedOrder | null> {
    return await this.#read((state) => state.orders.get(order)?.placed ?? null);
  }

  async confirm(order: string, payment: string, card: string | null = null): Promise<ConfirmAnswer> {
    return await this.#ask((state, now, hashing) => decideConfirm(state, order, payment, now, hashing, card));
  }

  async confirmAll(payments: readonly PaymentToConfirm[]): Promise<readonly (ConfirmAnswer | null)[]> {
    const answers = await Promise.allSettled(payments.map(({ order, payment, card }) => this.confirm(order, payment, card)));
    return answers.map((answer) => (answer.status === "fulfilled" ? answer.value : null));
  }

  async processing(order: string): Promise<number | null> {
    return await this.#ask((state) => decideProcessing(state, order));
  }

  async fail(order: string): Promise<void> {
    await this.#ask((state, now, hashing) => decideFail(state, order, now, hashing));
  }

  async restock(order: string, refund: string, lines: readonly Line[]): Promise<void> {
    const outcome = await this.#ask((state, now, hashing) => decideRestock(state, { order, refund, lines }, now, hashing));
    if (outcome === "more_than_was_sold") throw new Fault("more units would come back than this order bought", { retryable: false });
  }

  async acknowledge(outboxIds: readonly string[]): Promise<void> {
    await this.#commits.submit((state) => {
      const acknowledged = outboxIds.filter((id) => state.outbox.has(id));
      return acknowledged.length === 0 ? unchanged(null) : { outcome: null, changes: { acknowledged } };
    }, () => null);
  }

  async record(from: number): Promise<RecordPage | null> {
    const tail = await this.#read((state) => (state.facts === null ? null : state.tail));
    if (tail === null) return null;
    const head = { seq: tail.seq, hash: tail.hash, at: instantToWire(tail.at) };
    // Read after the commit and only up to the head: what is due was part of it, what came later is not signed yet.
    const rows = this.#store.recordRows(Math.max(1, Math.trunc(from)), head.seq, RECORD_PAGE_ROWS);
    return { rows, head, signature: await this.#signer.sign(head) };
  }

  async control(control: Control, actor: string): Promise<Result<DropSnapshot, { readonly code: "control_not_possible" } | { readonly code: "not_found" }>> {
    const { outcome, snapshot } = await this.#commits.submit(
      (state, now, hashing) => (state.facts === null ? unchanged(null) : decideControl(state, control, actor, now, hashing)),
      (answer, state, now) => ({ outcome: answer, snapshot: dropSnapshot(state, now) }),
    );
    if (outcome === null || snapshot === null) return rejected({ code: "not_found" });
    return outcome.ok ? accepted(snapshot) : outcome;
  }

  async changePlan(source: PlanSource, publish: boolean, actor: string): Promise<PlanChangeAnswer | null> {
    return await this.#commits.submit((state, now) => (state.facts === null ? unchanged(null) : decidePlanChange(state, { source, publish, actor }, now)), (answer) => answer);
  }

  async awaitedReturns(): Promise<AwaitedReturns | null> {
    return await this.#read(awaitedReturns);
  }

  async pace(): Promise<CheckoutPace> {
    return await this.#read(checkoutPace);
  }

  async sweep(): Promise<void> {
    // Whatever was believed of the alarm, the storage knows: it may have been lost.
    this.#alarmAt = await this.ctx.storage.getAlarm();
    const { outbox, now } = await this.#commits.submit(() => unchanged(null), (_, state, at) => ({ outbox: state.outbox, now: at }));
    await this.#outbox.sendDue(outbox, now);
    await this.#commits.submit(() => unchanged(null), () => null);
  }

  override async alarm(): Promise<void> {
    await this.sweep();
  }

  /** A command of a drop that has a plan; without one nothing can be decided, and the storefront plans before it asks. */
  async #ask<Outcome>(decide: Decide<Outcome>): Promise<Outcome> {
    const answer = await this.#commits.submit<Asked<Outcome> | Unplanned, Asked<Outcome> | Unplanned>((state, now, hashing) => {
      if (state.facts === null) return unchanged({ planned: false });
      const { outcome, changes } = decide(state, now, hashing);
      return { outcome: { planned: true, outcome }, changes };
    }, (outcome) => outcome);
    if (!answer.planned) throw new Fault("this drop has no plan yet", { retryable: true });
    return answer.outcome;
  }

  async #read<Answer>(view: (state: DropState) => Answer): Promise<Answer> {
    return await this.#commits.submit(() => unchanged(null), (_, state) => view(state));
  }

  /** After the commit and outside of every command: the outbox goes out and the alarm is set. */
  #afterCommit(state: DropState, written: PendingWrite | null, now: number): void {
    const messages = [...(written?.rows.outbox.values() ?? [])].filter((message) => message !== null);
    if (messages.length > 0) this.ctx.waitUntil(this.#sendOut(messages, now));
    const alarmAt = this.#nextAlarmAt(state, now);
    if (alarmAt === Number.POSITIVE_INFINITY) return;
    // An alarm that is set earlier than needed stays: waking once for nothing is cheaper than a write per command.
    if (this.#alarmAt !== null && this.#alarmAt > now && this.#alarmAt <= alarmAt) return;
    this.#alarmAt = alarmAt;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(Math.max(alarmAt, now)));
  }

  /** Sends new messages; where the queue does not take them, the alarm that was set for their resending is too late. */
  async #sendOut(messages: readonly OutboxMessage[], now: number): Promise<void> {
    if (!(await this.#outbox.send(messages, now))) await this.#commits.submit(() => unchanged(null), () => null);
  }

  /** The earliest of what is due by the clock, the next stage or lapse of a reserve, and the next resend; infinite once the books are closed and everything is acknowledged. */
  #nextAlarmAt(state: DropState, now: number): number {
    const { facts } = state;
    if (facts === null) return Number.POSITIVE_INFINITY;
    const releaseAt = facts.closedAt === null && !facts.cancelled ? nextReleaseAt(facts.plan, now) : Number.POSITIVE_INFINITY;
    return Math.min(state.dueAt, releaseAt, this.#outbox.nextAt(state.outbox));
  }
}

function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}
