import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import type { ConfirmAnswer, Line, PaymentToConfirm } from "../../../src/drop/port.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { Fault } from "../../../src/kernel/result.ts";
import { KEY_OF_ANOTHER, ProviderFailure } from "../../../src/payment/provider.ts";
import type { NoticeReader, PaymentProvider, PaymentTruth, ProviderNotice, ProviderTruth, SessionTruth } from "../../../src/payment/provider.ts";
import { checkout, moneyDesk } from "../../../src/settlement/checkout.ts";
import { memoryOrderStore } from "../../../src/settlement/memory-order-store.ts";
import type { OrderStore } from "../../../src/settlement/order-store.ts";
import type { SettlementDrop, SettlementPorts } from "../../../src/settlement/settlement-ports.ts";
import { OPENING, placedOrder } from "../../support/placed-order.ts";

/**
 * How an effect at the provider goes wrong: before it happened, or after it
 * with the answer lost; or with a failure as the answer, which the provider
 * keeps under the key and gives to every retry, whether the effect happened or
 * not, and whether that first answer arrives or not.
 */
export type Trouble = "lost request" | "lost answer" | "kept failure" | "kept failure after it happened" | "lost kept failure";

/** A provider in memory that keeps Stripe's rules and counts what it really did. */
export class ProviderDouble implements PaymentProvider {
  readonly session: { -readonly [Key in keyof SessionTruth]: SessionTruth[Key] } = { id: "cs_1", status: "open", url: "https://pay.example/cs_1" };
  payment: { -readonly [Key in keyof PaymentTruth]: PaymentTruth[Key] } | null = null;
  readonly done: string[] = [];
  readonly asked: string[] = [];
  readonly refunds = new Map<string, number>();
  troubles: Trouble[] = [];
  isMulticapture = false;
  /** The fingerprint of the card with which shoppers pay. */
  card: string | null = null;
  isRefusingRefunds = false;
  isFailingCaptures = false;
  order: PlacedOrder | null = null;
  /** Payments made in pages that nobody was told of. */
  readonly strays = new Map<string, { -readonly [Key in keyof PaymentTruth]: PaymentTruth[Key] }>();
  readonly #answers = new Map<string, { readonly answer: unknown } | "failure">();
  #pages = 0;
  readonly #captures = new Map<string, string>();

  /** Somebody pays in another page than the one that the shop knows. */
  payElsewhere(order: PlacedOrder, id: string): void {
    this.order = order;
    this.strays.set(id, { id, status: "authorised", amountMinor: order.totalMinor, capturedMinor: 0, currency: order.currency, captureBefore: null, isMulticapture: false, card: this.card });
  }

  /** The shopper pays on the hosted page. */
  pay(order: PlacedOrder, status: "processing" | "authorised" = "authorised", amountMinor = order.totalMinor): void {
    if (this.session.status !== "open") throw new Error("the session takes no payment");
    this.session.status = "complete";
    this.order = order;
    this.payment = { id: "pi_1", status, amountMinor, capturedMinor: 0, currency: order.currency, captureBefore: null, isMulticapture: this.isMulticapture, card: this.card };
  }

  refundedMinor(): number {
    return [...this.refunds.values()].reduce((sum, amount) => sum + amount, 0);
  }

  async openSession(order: PlacedOrder, _budgetMs: number, key: string) {
    return this.#effect(key, () => {
      this.order = order;
      const id = `cs_${++this.#pages}`;
      Object.assign(this.session, { id, url: `https://pay.example/${id}` });
      return { id: this.session.id, url: this.session.url };
    });
  }

  async truth({ session, payment }: Parameters<PaymentProvider["truth"]>[0]): Promise<ProviderTruth | null> {
    this.asked.push("truth");
    const stray = session === null ? this.strays.get(payment ?? "") : undefined;
    return stray === undefined ? this.#truth() : { order: this.order?.id ?? null, session: null, payment: { ...stray } };
  }

  async closeSession(): Promise<ProviderTruth> {
    return this.#effect(`close:${this.asked.length}`, () => {
      if (this.session.status === "open") this.session.status = "expired";
      return this.#truth();
    });
  }

  async capture({ payment: id, amountMinor, isFinal, key }: Parameters<PaymentProvider["capture"]>[0]) {
    const parameters = `${amountMinor}/${isFinal}`;
    const first = this.#captures.get(key) ?? parameters;
    this.#captures.set(key, first);
    // As Stripe has it: a key belongs to the parameters that it came with first.
    if (first !== parameters) return { isDone: false as const, reason: KEY_OF_ANOTHER };
    return this.#effect(key, () => {
      const payment = this.strays.get(id) ?? this.payment;
      if (payment === null || payment.status !== "authorised") return { isDone: false as const, reason: "payment_intent_unexpected_state" };
      if (payment.capturedMinor + amountMinor > payment.amountMinor) return { isDone: false as const, reason: "amount_too_large" };
      payment.capturedMinor += amountMinor;
      if (isFinal || !payment.isMulticapture) payment.status = "captured";
      return { isDone: true as const };
    });
  }

  async voidPayment(id: string, key: string) {
    return this.#effect(key, () => {
      const payment = this.strays.get(id) ?? this.payment;
      if (payment === null || payment.status !== "authorised" || payment.capturedMinor > 0) return { isDone: false as const, reason: "payment_intent_unexpected_state" };
      payment.status = "cancelled";
      return { isDone: true as const };
    });
  }

  async refund({ id, amountMinor, key }: Parameters<PaymentProvider["refund"]>[0]) {
    // Looked for by its name first, as the real one's adapter does.
    if (this.refunds.has(id)) return { isDone: true as const };
    return this.#effect(key, () => {
      if (this.isRefusingRefunds) return { isDone: false as const, reason: "charge_disputed" };
      if (this.payment?.status !== "captured") return { isDone: false as const, reason: "payment_intent_unexpected_state" };
      if (this.refundedMinor() + amountMinor > (this.payment?.capturedMinor ?? 0)) return { isDone: false as const, reason: "charge_already_refunded" };
      this.refunds.set(id, amountMinor);
      return { isDone: true as const };
    });
  }

  #truth(): ProviderTruth {
    return { order: this.order?.id ?? null, session: { ...this.session }, payment: this.payment === null ? null : { ...this.payment } };
  }

  async #effect<Answer>(key: string, run: () => Answer): Promise<Answer> {
    const trouble = this.isFailingCaptures && key.startsWith("capture:") ? "kept failure" : this.troubles.shift();
    if (trouble === "lost request") throw new Fault("lost request", { retryable: true });
    const isReplay = this.#answers.has(key);
    if (!isReplay) {
      this.done.push(key);
      const isFailing = trouble !== undefined && trouble !== "lost answer";
      const answer = isFailing && trouble !== "kept failure after it happened" ? null : run();
      this.#answers.set(key, isFailing ? "failure" : { answer });
    }
    if (trouble === "lost answer" || trouble === "lost kept failure") throw new Fault("lost answer", { retryable: true });
    const kept = this.#answers.get(key);
    if (kept === "failure" || kept === undefined) throw new ProviderFailure("kept failure", { isReplay });
    // The double stored what `run` returned under this very key.
    return kept.answer as Answer;
  }
}

/** A drop whose answers are final per payment, as the real one's are. */
export class DropDouble implements SettlementDrop {
  verdict: ConfirmAnswer["verdict"] = "sold";
  refusal: "card_limit" | null = null;
  readonly confirmed: string[] = [];
  /** What the drop was told of the card of each confirmed payment. */
  readonly cards: (string | null)[] = [];
  readonly failed: string[] = [];
  readonly restocked = new Map<string, readonly Line[]>();
  readonly acknowledged: string[] = [];
  extendedTo: number | null = null;
  order: PlacedOrder | null = null;
  readonly #answers = new Map<string, ConfirmAnswer>();

  async confirm(order: string, payment: string, card: string | null = null): Promise<ConfirmAnswer> {
    const key = `${order}/${payment}`;
    const refused: ConfirmAnswer = { verdict: "refused", at: 0, ...(this.refusal === null ? {} : { reason: this.refusal }) };
    const answer = this.#answers.get(key) ?? (this.verdict === "sold" ? { verdict: "sold", at: 0 } : refused);
    if (!this.#answers.has(key)) {
      this.confirmed.push(key);
      this.cards.push(card);
    }
    this.#answers.set(key, answer);
    return answer;
  }
  async confirmAll(payments: readonly PaymentToConfirm[]): Promise<readonly ConfirmAnswer[]> {
    return Promise.all(payments.map(({ order, payment, card }) => this.confirm(order, payment, card)));
  }
  async processing(): Promise<number | null> {
    return this.extendedTo;
  }
  async fail(order: string): Promise<void> {
    this.failed.push(order);
  }
  async restock(_order: string, refund: string, lines: readonly Line[]): Promise<void> {
    this.restocked.set(refund, lines);
  }
  async placed(): Promise<PlacedOrder | null> {
    return this.order;
  }
  async acknowledge(ids: readonly string[]): Promise<void> {
    this.acknowledged.push(...ids);
  }
}

/** Settlement on doubles, with a clock that stands until it is moved. */
export function settlementOnDoubles(now: number, store: OrderStore = memoryOrderStore()) {
  const provider = new ProviderDouble();
  const drop = new DropDouble();
  const clock = { now };
  const ports: SettlementPorts = { store, provider, drop: () => drop, hashing: nodeHashing, now: () => clock.now };
  return { ports, provider, drop, clock, store };
}

/** An order that is paid and confirmed. */
export async function sold(changes: Partial<PlacedOrder> = {}, isMulticapture = false) {
  const order = placedOrder(changes);
  const world = settlementOnDoubles(OPENING + 1_000);
  world.provider.isMulticapture = isMulticapture;
  await checkout(world.ports).open(order);
  world.provider.pay(order);
  await checkout(world.ports).refresh(order.id);
  return { ...world, order, desk: moneyDesk(world.ports) };
}

/** Notices as their own text: what the reader of signatures does is tested with the real one. */
export const plainNotices: NoticeReader = {
  verified: async (body) => JSON.parse(body) as ProviderNotice,
  stored: (body) => JSON.parse(body) as ProviderNotice,
};

export function notice(id: string, type: string, order: string, changes: Partial<ProviderNotice> = {}): string {
  const value: ProviderNotice = { id: `evt_${id}`, type, isLive: false, order, session: null, payment: null, dispute: null, ...changes };
  return JSON.stringify(value);
}
