import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { assert } from "../../../src/kernel/result.ts";
import type { EffectAnswer, OpenedSession, PaymentProvider, PaymentTruth, ProviderNotice, ProviderTruth, SessionTruth } from "../../../src/payment/provider.ts";
import type { Agenda } from "../../../src/rehearsal/agenda.ts";
import type { FaultPlan } from "../../../src/rehearsal/faults.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import type { FaultName } from "./fault-names.ts";
import type { Network } from "./network.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SESSION_LIFETIME_MS = 30 * MINUTE_MS;

/** One order's money as the provider's own books have it: the truth that ours are compared with. */
export interface ProviderBook {
  readonly order: string;
  readonly session: string;
  readonly currency: string;
  readonly amountMinor: number;
  readonly isMulticapture: boolean;
  sessionStatus: SessionTruth["status"];
  payment: string | null;
  /** The fingerprint of the card that paid. */
  card: string | null;
  status: PaymentTruth["status"];
  capturedMinor: number;
  /** How often money was taken. */
  captures: number;
  refundedMinor: number;
  readonly refunds: Map<string, number>;
  /** A dispute takes what was captured and not paid back; nothing can be refunded from then on, unless it is won. */
  dispute: { readonly id: string; readonly amountMinor: number; status: "needs_response" | "won" | "lost" } | null;
}

export interface ProviderParts {
  readonly agenda: Agenda;
  readonly network: Network;
  readonly faults: FaultPlan<FaultName>;
  readonly random: RandomSource;
  /** Whether the cards of this world take several captures of one payment. */
  readonly isMulticapture: boolean;
  readonly deliver: (notice: ProviderNotice) => void;
}

/**
 * A payment provider that keeps its own books, remembers every idempotency key,
 * and reports changes by webhook: late, twice, out of order or never.
 */
export class SimulatedProvider implements PaymentProvider {
  /** When the last webhook that is on its way arrives. */
  lastNoticeAt = 0;
  readonly #parts: ProviderParts;
  readonly #booksByOrder = new Map<string, ProviderBook>();
  readonly #answers = new Map<string, { readonly asked: string; readonly answer: EffectAnswer }>();
  #touched: ProviderBook | null = null;
  #notices = 0;

  constructor(parts: ProviderParts) {
    this.#parts = parts;
  }

  openSession(order: PlacedOrder, budgetMs: number): Promise<OpenedSession | { readonly refused: string }> {
    assert(budgetMs > 0, "a session is opened within some time");
    return this.#parts.network.callProvider("provider opens", () => {
      const session = `cs_${order.id}`;
      if (this.#booksByOrder.has(order.id)) return { id: session, url: urlOf(session) };
      assert(order.totalMinor > 0, "no session is opened for nothing");
      const book: ProviderBook = {
        order: order.id, session, currency: order.currency, amountMinor: order.totalMinor, isMulticapture: this.#parts.isMulticapture, sessionStatus: "open",
        payment: null, card: null, status: "unpaid", capturedMinor: 0, captures: 0, refundedMinor: 0, refunds: new Map(), dispute: null,
      };
      this.#booksByOrder.set(order.id, book);
      this.#parts.agenda.after(SESSION_LIFETIME_MS, "a session ends by itself", () => this.#expire(book));
      return { id: session, url: urlOf(session) };
    });
  }

  truth(of: { readonly session: string | null; readonly payment: string | null }): Promise<ProviderTruth | null> {
    return this.#parts.network.callProvider("provider tells the truth", () => {
      const book = this.#find(of.session) ?? this.#find(of.payment);
      return book === null ? null : truthOf(book);
    });
  }

  closeSession(session: string): Promise<ProviderTruth | null> {
    return this.#parts.network.callProvider("provider closes", () => {
      const book = this.#find(session);
      if (book === null) return null;
      this.#expire(book);
      return truthOf(book);
    });
  }

  capture(capture: { readonly payment: string; readonly amountMinor: number; readonly currency: string; readonly isFinal: boolean; readonly isMulticapture: boolean; readonly key: string }): Promise<EffectAnswer> {
    return this.#effect("provider captures", capture.key, capture, () => {
      const book = this.#bookOf(capture.payment);
      if (book.status !== "authorised") return refusedEffect("not_capturable");
      assert(capture.currency === book.currency, "money is taken in the currency in which it was agreed");
      assert(capture.isMulticapture === book.isMulticapture, "a card is asked for several captures where it takes them");
      assert(capture.amountMinor > 0 || (capture.isFinal && book.capturedMinor > 0), "a capture of nothing only lets go of a rest");
      assert(capture.amountMinor >= 0 && book.capturedMinor + capture.amountMinor <= book.amountMinor, "no more is captured than was authorised");
      book.capturedMinor += capture.amountMinor;
      if (capture.amountMinor > 0) book.captures += 1;
      // A card that takes one capture gives up the rest with it.
      if (capture.isFinal || !book.isMulticapture) {
        book.status = "captured";
        this.#tell(book, "payment_intent.succeeded");
        this.#maybeDispute(book);
      }
      return { isDone: true };
    });
  }

  voidPayment(payment: string, key: string): Promise<EffectAnswer> {
    return this.#effect("provider voids", key, payment, () => {
      const book = this.#bookOf(payment);
      if (book.status === "captured" || book.status === "cancelled" || book.capturedMinor > 0) return refusedEffect("not_cancellable");
      book.status = "cancelled";
      this.#tell(book, "payment_intent.canceled");
      return { isDone: true };
    });
  }

  refund(refund: { readonly id: string; readonly payment: string; readonly amountMinor: number; readonly currency: string; readonly key: string }): Promise<EffectAnswer> {
    return this.#effect("provider refunds", refund.key, refund, () => {
      const book = this.#bookOf(refund.payment);
      assert(refund.currency === book.currency && refund.amountMinor > 0, "money is paid back in its currency, and some of it");
      assert(!book.refunds.has(refund.id), "a refund is made once");
      if (book.status !== "captured") return refusedEffect("not_refundable");
      if (book.dispute !== null && book.dispute.status !== "won") return refusedEffect("charge_disputed");
      assert(book.refundedMinor + refund.amountMinor <= book.capturedMinor, "no more is asked back than was taken");
      book.refunds.set(refund.id, refund.amountMinor);
      book.refundedMinor += refund.amountMinor;
      this.#tell(book, "charge.refunded");
      return { isDone: true };
    });
  }

  /** What a shopper does on the hosted page; nothing where the page is closed. */
  pay(session: string, outcome: "approve" | "decline", card: string | null = null): void {
    const { faults, random, agenda } = this.#parts;
    const book = this.#find(session);
    assert(book !== null, "a shopper pays in a session that was opened");
    if (book.sessionStatus !== "open" || outcome === "decline") return;
    book.sessionStatus = "complete";
    book.payment = `pi_${book.order}`;
    book.card = card;
    this.#touched = book;
    if (!faults.strikes("late-payment")) {
      this.#authorise(book);
      return;
    }
    book.status = "processing";
    this.#tell(book, "payment_intent.processing");
    // Either soon, or around and beyond the end of what "processing" extends: 15 minutes after placing, and 30 seconds.
    const delayMs = random.chance(0.4) ? random.integer(5_000, 180_000) : random.integer(11 * MINUTE_MS, 20 * MINUTE_MS);
    agenda.after(delayMs, "the bank decides", () => {
      if (book.status !== "processing") return;
      if (random.chance(0.85)) {
        this.#authorise(book);
        return;
      }
      book.status = "cancelled";
      this.#tell(book, "payment_intent.canceled");
    });
  }

  bookOf(order: string): ProviderBook | null {
    return this.#booksByOrder.get(order) ?? null;
  }

  /** What must hold at the provider whenever something moved. */
  check(): void {
    const book = this.#touched;
    if (book === null) return;
    this.#touched = null;
    assert(book.refundedMinor + lostMinor(book) <= book.capturedMinor, "no more is paid back than was taken");
    assert(book.capturedMinor <= book.amountMinor, "no more is taken than was agreed");
    assert(book.captures <= 1 || book.isMulticapture, "a card that takes one capture is captured once");
  }

  #effect(label: string, key: string, request: unknown, perform: () => EffectAnswer): Promise<EffectAnswer> {
    return this.#parts.network.callProvider(label, () => {
      const asked = JSON.stringify(request);
      const known = this.#answers.get(key);
      // As the provider does it: a key that comes back with another request is refused, and nothing happens.
      if (known !== undefined) return known.asked === asked ? known.answer : refusedEffect("idempotency_error");
      const answer = perform();
      this.#answers.set(key, { asked, answer });
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

  /** Minutes, hours or days after the capture; the bank decides days later. */
  #maybeDispute(book: ProviderBook): void {
    const { faults, random, agenda } = this.#parts;
    if (!faults.strikes("dispute")) return;
    agenda.after(random.chance(0.5) ? random.integer(10 * MINUTE_MS, 2 * HOUR_MS) : random.integer(2 * HOUR_MS, 48 * HOUR_MS), "a cardholder disputes", () => {
      const amountMinor = book.capturedMinor - book.refundedMinor;
      if (amountMinor === 0) return;
      const dispute: NonNullable<ProviderBook["dispute"]> = { id: `dp_${book.order}`, amountMinor, status: "needs_response" };
      book.dispute = dispute;
      this.#tell(book, "charge.dispute.created");
      const decideAfterMs = random.integer(HOUR_MS, 36 * HOUR_MS);
      this.lastNoticeAt = Math.max(this.lastNoticeAt, agenda.now + decideAfterMs);
      agenda.after(decideAfterMs, "the bank decides a dispute", () => {
        dispute.status = random.chance(0.5) ? "lost" : "won";
        this.#tell(book, "charge.dispute.closed");
      });
    });
    this.lastNoticeAt = Math.max(this.lastNoticeAt, agenda.now + 48 * HOUR_MS);
  }

  /** Sends a webhook on its way, on as many ways as the faults say. */
  #tell(book: ProviderBook, type: string): void {
    const { faults, random } = this.#parts;
    this.#touched = book;
    const isDispute = type.startsWith("charge.dispute");
    // A provider sends a webhook for days until it is taken. Everything but a dispute can also be asked for, so that one of them may be lost for good.
    if (!isDispute && faults.strikes("webhook-lost")) return;
    const dispute = isDispute && book.dispute !== null ? { id: book.dispute.id, amountMinor: book.dispute.amountMinor, status: book.dispute.status } : null;
    const notice: ProviderNotice = { id: `evt_${++this.#notices}`, type, isLive: false, order: isDispute ? null : book.order, session: book.session, payment: book.payment, dispute };
    if (faults.strikes("webhook-days-late")) this.#send(notice, random.integer(24 * HOUR_MS, 72 * HOUR_MS));
    else this.#send(notice, faults.strikes("webhook-reordered") ? random.integer(5_000, 10 * MINUTE_MS) : random.integer(5, 400));
    if (faults.strikes("webhook-duplicated")) this.#send(notice, random.integer(5, 60_000));
  }

  #send(notice: ProviderNotice, delayMs: number): void {
    const { agenda, deliver } = this.#parts;
    this.lastNoticeAt = Math.max(this.lastNoticeAt, agenda.now + delayMs);
    agenda.after(delayMs, notice.type, () => deliver(notice));
  }

  /** A session or a payment is named after its order here. */
  #find(name: string | null): ProviderBook | null {
    return name === null ? null : this.#booksByOrder.get(name.slice(3)) ?? null;
  }

  #bookOf(payment: string): ProviderBook {
    const book = this.#find(payment);
    assert(book !== null && book.payment === payment, "the provider is asked about a payment that it has");
    this.#touched = book;
    return book;
  }
}

/** What a lost dispute took. */
export function lostMinor(book: ProviderBook): number {
  return book.dispute?.status === "lost" ? book.dispute.amountMinor : 0;
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
      captureBefore: null, isMulticapture: book.isMulticapture, card: book.card,
    },
  };
}
