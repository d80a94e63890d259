import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { assert } from "../../../src/kernel/result.ts";
import type { EffectAnswer, OpenedSession, PaymentProvider, PaymentTruth, ProviderNotice, ProviderTruth, SessionTruth } from "../../../src/payment/provider.ts";
import type { Agenda } from "../../../src/rehearsal/agenda.ts";
import type { FaultPlan } from "../../../src/rehearsal/faults.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import type { FaultName } from "./fault-names.ts";
import type { Network } from "./network.ts";

const SESSION_LIFETIME_MS = 30 * 60_000;

/** One order's money as the provider's own books have it: the truth that ours are compared with. */
interface ProviderBook {
  readonly order: string;
  readonly session: string;
  readonly currency: string;
  readonly amountMinor: number;
  sessionStatus: SessionTruth["status"];
  payment: string | null;
  status: PaymentTruth["status"];
  capturedMinor: number;
  refundedMinor: number;
  /** How often money was taken: more than once is the worst that can happen. */
  captures: number;
  readonly refunds: Map<string, number>;
}

export interface ProviderOutcome {
  readonly order: string;
  readonly status: PaymentTruth["status"];
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly sessionStatus: SessionTruth["status"];
}

/**
 * A payment provider that keeps its own books, remembers every idempotency key,
 * and reports changes by webhook: late, twice, out of order or never.
 */
export class SimulatedProvider implements PaymentProvider {
  readonly #agenda: Agenda;
  readonly #network: Network;
  readonly #faults: FaultPlan<FaultName>;
  readonly #random: RandomSource;
  readonly #deliver: (notice: ProviderNotice) => void;
  readonly #booksBySession = new Map<string, ProviderBook>();
  readonly #sessionByOrder = new Map<string, string>();
  readonly #answers = new Map<string, EffectAnswer>();
  #notices = 0;

  constructor(parts: { agenda: Agenda; network: Network; faults: FaultPlan<FaultName>; random: RandomSource; deliver: (notice: ProviderNotice) => void }) {
    this.#agenda = parts.agenda;
    this.#network = parts.network;
    this.#faults = parts.faults;
    this.#random = parts.random;
    this.#deliver = parts.deliver;
  }

  openSession(order: PlacedOrder, budgetMs: number): Promise<OpenedSession | { readonly refused: string }> {
    assert(budgetMs > 0, "a session is opened within some time");
    return this.#network.call(`provider opens ${order.id}`, () => {
      const known = this.#sessionByOrder.get(order.id);
      if (known !== undefined) return { id: known, url: urlOf(known) };
      assert(order.totalMinor > 0, "no session is opened for nothing");
      const session = `cs_${order.id}`;
      this.#sessionByOrder.set(order.id, session);
      this.#booksBySession.set(session, {
        order: order.id, session, currency: order.currency, amountMinor: order.totalMinor, sessionStatus: "open",
        payment: null, status: "unpaid", capturedMinor: 0, refundedMinor: 0, captures: 0, refunds: new Map(),
      });
      this.#agenda.after(SESSION_LIFETIME_MS, `session ${session} ends by itself`, () => this.#expire(this.#book(session)));
      return { id: session, url: urlOf(session) };
    });
  }

  truth(of: { readonly session: string | null; readonly payment: string | null }): Promise<ProviderTruth | null> {
    return this.#network.call("provider tells the truth", () => {
      const book = [...this.#booksBySession.values()].find((candidate) => candidate.session === of.session || (candidate.payment !== null && candidate.payment === of.payment));
      return book === undefined ? null : truthOf(book);
    });
  }

  closeSession(session: string): Promise<ProviderTruth | null> {
    return this.#network.call(`provider closes ${session}`, () => {
      const book = this.#booksBySession.get(session);
      if (book === undefined) return null;
      this.#expire(book);
      return truthOf(book);
    });
  }

  capture(capture: { readonly payment: string; readonly amountMinor: number; readonly key: string; readonly isFinal: boolean }): Promise<EffectAnswer> {
    return this.#effect(`provider captures ${capture.payment}`, capture.key, () => {
      const book = this.#bookOfPayment(capture.payment);
      if (book.status !== "authorised") return refusedEffect("not_capturable");
      assert(capture.amountMinor > 0 && book.capturedMinor + capture.amountMinor <= book.amountMinor, "no more is captured than was authorised");
      book.capturedMinor += capture.amountMinor;
      book.captures += 1;
      book.status = "captured";
      this.#tell(book, "payment_intent.succeeded");
      return { isDone: true };
    });
  }

  voidPayment(payment: string, key: string): Promise<EffectAnswer> {
    return this.#effect(`provider voids ${payment}`, key, () => {
      const book = this.#bookOfPayment(payment);
      if (book.status === "captured") return refusedEffect("already_captured");
      book.status = "cancelled";
      this.#tell(book, "payment_intent.canceled");
      return { isDone: true };
    });
  }

  refund(refund: { readonly id: string; readonly payment: string; readonly amountMinor: number; readonly key: string }): Promise<EffectAnswer> {
    return this.#effect(`provider refunds ${refund.payment}`, refund.key, () => {
      const book = this.#bookOfPayment(refund.payment);
      assert(!book.refunds.has(refund.id), "a refund is made once");
      if (book.refundedMinor + refund.amountMinor > book.capturedMinor) return refusedEffect("more_than_captured");
      book.refunds.set(refund.id, refund.amountMinor);
      book.refundedMinor += refund.amountMinor;
      this.#tell(book, "charge.refunded");
      return { isDone: true };
    });
  }

  /** What a shopper does on the hosted page; nothing where the page is closed. */
  pay(session: string, outcome: "approve" | "decline"): void {
    const book = this.#book(session);
    if (book.sessionStatus !== "open" || outcome === "decline") return;
    book.sessionStatus = "complete";
    book.payment = `pi_${book.order}`;
    if (!this.#faults.strikes("late-payment")) {
      this.#authorise(book);
      return;
    }
    book.status = "processing";
    this.#tell(book, "payment_intent.processing");
    // Either soon, or around and beyond the end of what "processing" extends: 15 minutes after placing, and 30 seconds.
    const delayMs = this.#random.chance(0.4) ? this.#random.integer(5_000, 180_000) : this.#random.integer(11 * 60_000, 20 * 60_000);
    this.#agenda.after(delayMs, `the bank decides on ${session}`, () => {
      if (book.status !== "processing") return;
      if (this.#random.chance(0.85)) {
        this.#authorise(book);
        return;
      }
      book.status = "cancelled";
      this.#tell(book, "payment_intent.canceled");
    });
  }

  /** What the books say at the end, order by order. */
  outcomes(): readonly ProviderOutcome[] {
    return [...this.#booksBySession.values()].map(({ order, status, capturedMinor, refundedMinor, sessionStatus }) => ({ order, status, capturedMinor, refundedMinor, sessionStatus }));
  }

  outcomeOf(order: string): ProviderOutcome | null {
    return this.outcomes().find((outcome) => outcome.order === order) ?? null;
  }

  /** What must hold at the provider at every moment. */
  check(): void {
    for (const book of this.#booksBySession.values()) {
      assert(book.refundedMinor <= book.capturedMinor, "no more is paid back than was taken");
      assert(book.capturedMinor <= book.amountMinor, "no more is taken than was agreed");
      assert(book.captures <= 1, "an order's money is taken once");
    }
  }

  #effect(label: string, key: string, perform: () => EffectAnswer): Promise<EffectAnswer> {
    return this.#network.call(label, () => {
      const known = this.#answers.get(key);
      if (known !== undefined) return known;
      const answer = perform();
      this.#answers.set(key, answer);
      return answer;
    });
  }

  #authorise(book: ProviderBook): void {
    book.status = "authorised";
    this.#tell(book, "payment_intent.amount_capturable_updated");
    this.#tell(book, "checkout.session.completed");
  }

  #expire(book: ProviderBook): void {
    if (book.sessionStatus !== "open") return;
    book.sessionStatus = "expired";
    this.#tell(book, "checkout.session.expired");
  }

  /** Sends a webhook on its way, on as many ways as the faults say. */
  #tell(book: ProviderBook, type: string): void {
    if (this.#faults.strikes("webhook-lost")) return;
    const notice: ProviderNotice = { id: `evt_${++this.#notices}`, type, isLive: false, order: book.order, session: book.session, payment: book.payment, dispute: null };
    const send = (delayMs: number) => this.#agenda.after(delayMs, `webhook ${notice.id} ${type}`, () => this.#deliver(notice));
    send(this.#faults.strikes("webhook-reordered") ? this.#random.integer(5_000, 10 * 60_000) : this.#random.integer(5, 400));
    if (this.#faults.strikes("webhook-duplicated")) send(this.#random.integer(5, 60_000));
  }

  #book(session: string): ProviderBook {
    const book = this.#booksBySession.get(session);
    assert(book !== undefined, "the provider is asked about a session that it opened");
    return book;
  }

  #bookOfPayment(payment: string): ProviderBook {
    const book = [...this.#booksBySession.values()].find((candidate) => candidate.payment === payment);
    assert(book !== undefined, "the provider is asked about a payment that it has");
    return book;
  }
}

function refusedEffect(reason: string): EffectAnswer {
  return { isDone: false, reason };
}

function urlOf(session: string): string {
  return `https://pay.example/${session}`;
}

function truthOf(book: ProviderBook): ProviderTruth {
  return {
    order: book.order,
    session: { id: book.session, status: book.sessionStatus, url: urlOf(book.session) },
    payment: book.payment === null ? null : {
      id: book.payment, status: book.status, amountMinor: book.amountMinor, capturedMinor: book.capturedMinor, currency: book.currency,
      captureBefore: null, isMulticapture: false,
    },
  };
}
