import type { PlacedOrder } from "../../src/checkout/placed-order.ts";
import type { ConfirmAnswer } from "../../src/drop/port.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { Fault } from "../../src/kernel/result.ts";
import { stripeNotices } from "../../src/payment/stripe-notice.ts";
import { stripeProvider } from "../../src/payment/stripe.ts";
import { createBooks, type BooksWithAlarm } from "../../src/sandbox/books.ts";
import { signatureHeader } from "../../src/sandbox/webhooks.ts";
import { checkout, settleMessage, sweepOrder } from "../../src/settlement/checkout.ts";
import { processInboxEvent, receiveWebhook } from "../../src/settlement/inbox.ts";
import { memoryOrderStore } from "../../src/settlement/memory-order-store.ts";
import type { SettlementPorts } from "../../src/settlement/settlement-ports.ts";
import { OPENING, placedOrder } from "../support/placed-order.ts";
import { memoryDatabase } from "../support/memory-database.ts";
import { DropDouble } from "../unit/settlement/doubles.ts";

/*
 * Settlement as it ships, with the sandbox's books as its provider, an order
 * store in memory and a drop that gives one answer. The clock is moved by hand.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const SECRET = "whsec_of_the_demonstration";

const notices = stripeNotices(SECRET);

export interface ProviderEvent {
  readonly id: string;
  readonly type: string;
}

export class WebhookWorld {
  readonly order: PlacedOrder;
  readonly drop = new DropDouble();
  readonly #books: BooksWithAlarm;
  readonly #store = memoryOrderStore();
  readonly #ports: SettlementPorts;
  #now = OPENING + 1_000;
  #session = "";
  #told: ProviderEvent[] = [];

  constructor(verdict: ConfirmAnswer["verdict"]) {
    this.order = placedOrder();
    this.drop.verdict = verdict;
    this.drop.order = this.order;
    const now = () => this.#now;
    this.#books = createBooks({
      database: memoryDatabase(), hashing: nodeHashing, now, pageOrigin: "http://sandbox.test", webhookSecret: SECRET, mailKey: null, turnstileSecret: null,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      sleep: async () => undefined,
      // The demonstration looks after the books itself, and delivers what they tell in its own order.
      wakeAt: () => undefined,
      post: async (body) => {
        this.#told.push(JSON.parse(body) as ProviderEvent);
        return 200;
      },
    });
    this.#ports = {
      store: this.#store,
      provider: stripeProvider({ key: "sk_test_of_the_demonstration", hasMulticapture: false, fetch: wayTo(this.#books) }),
      drop: () => this.drop,
      hashing: nodeHashing,
      now,
    };
  }

  later(ms: number): void {
    this.#now += ms;
  }

  /** The shopper's order with its payment page open. */
  async open(): Promise<void> {
    await checkout(this.#ports).open(this.order);
    this.#session = (await this.#books.report()).sessions[0]?.id ?? "";
    if (this.#session === "") throw new Error("no payment page was opened");
  }

  async pay(outcome: "approve" | "decline", card?: string): Promise<void> {
    const answer = await this.#books.pay(this.#session, outcome, card ?? null);
    if (answer === null) throw new Error("the payment page is not there");
  }

  /** The provider's events since the last call, in the order in which they happened. */
  async events(): Promise<readonly ProviderEvent[]> {
    await this.#books.alarm();
    const fresh = this.#told;
    this.#told = [];
    return fresh;
  }

  /** One delivery of a webhook, through signature, inbox and queue; true when it was taken and worked off. */
  async deliver(event: ProviderEvent): Promise<void> {
    const body = JSON.stringify(event);
    const received = await receiveWebhook(this.#ports, notices, body, signatureHeader(body, SECRET, this.#now, nodeHashing));
    if (received === null) throw new Error(`a genuine ${event.type} was refused`);
    await processInboxEvent(this.#ports, notices, false, received.id).catch(unlessRetryable);
  }

  /** The shopper comes back from the payment page. */
  async redirect(): Promise<void> {
    await checkout(this.#ports).refresh(this.order.id);
  }

  /** The cron looks after the order. */
  async poll(): Promise<void> {
    await sweepOrder(this.#ports, this.order.id).catch(unlessRetryable);
  }

  /** What the drop's outbox says when the time to pay is over. */
  async tell(kind: "payment_due" | "order_expired"): Promise<void> {
    await settleMessage(this.#ports, { id: `${kind}:${this.order.id}`, drop: this.order.drop, kind, order: this.order.id }).catch(unlessRetryable);
  }

  /** Lets whatever is still owed come to its end, as the queue and the cron would. */
  async settle(): Promise<void> {
    for (let look = 0; look < 8; look++) {
      this.later(10 * MINUTE_MS);
      for (const subject of await this.#store.due(this.#now, 100)) {
        if (subject === this.order.id) await this.poll();
        else await processInboxEvent(this.#ports, notices, false, subject).catch(unlessRetryable);
      }
    }
  }

  /** Where everything ended: the order, the ledger, the provider's books and what the drop was asked. */
  async end(): Promise<string> {
    const view = await checkout(this.#ports).order(this.order.id);
    const transfers = await this.#store.transfers(this.order.id);
    const { paymentIntents, refunds, sessions } = await this.#books.report();
    const net = new Map<string, number>();
    for (const { state, credit, debit, amountMinor } of transfers) {
      if (state !== "posted") continue;
      net.set(credit, (net.get(credit) ?? 0) + amountMinor);
      net.set(debit, (net.get(debit) ?? 0) - amountMinor);
    }
    return JSON.stringify({
      order: view?.state, payment: view?.payment.state, capturedMinor: view?.capturedMinor, refundedMinor: view?.refundedMinor,
      transfers: transfers.map(({ state, credit, amountMinor }) => [state, credit, amountMinor]), net: [...net].toSorted(),
      sessions: sessions.map(({ status }) => status),
      intents: paymentIntents.map(({ status, amount_received: received }) => [status, received]),
      refunds: refunds.map(({ amount }) => amount), sales: this.drop.confirmed.length, failed: this.drop.failed.length,
    });
  }
}

/** The provider's API as the SDK reaches it. */
function wayTo(books: BooksWithAlarm): typeof fetch {
  const answer = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const asked = new Request(input, init);
    const url = new URL(asked.url);
    const form = asked.method === "POST" ? await asked.text() : url.search.slice(1);
    const { headers } = asked;
    const reply = await books.call({
      method: asked.method, path: url.pathname.slice("/v1/".length), form,
      idempotencyKey: headers.get("idempotency-key"), authorization: headers.get("authorization"),
    });
    return new Response(reply.body, { status: reply.status, headers: { "content-type": "application/json", "request-id": reply.requestId } });
  };
  // The SDK calls it with nothing but a URL and its options.
  return answer as typeof fetch;
}

function unlessRetryable(error: unknown): void {
  if (!(error instanceof Fault) || !error.retryable) throw error;
}

/** One story of a payment: what happens at the provider, and how late the news of it comes. */
export interface Flow {
  readonly name: string;
  readonly verdict: ConfirmAnswer["verdict"];
  /** What the one final state must show. */
  readonly end: { readonly order: string; readonly payment: string; readonly capturedMinor: number };
  readonly events: number;
  readonly isDaysLate: boolean;
  /** Whether sequences that leave events out are played too; one flow of seven events with them is long enough. */
  readonly isWithGaps: boolean;
  happen(world: WebhookWorld): Promise<void>;
}

async function slowBank(world: WebhookWorld, card: "processing" | "processing-declined"): Promise<void> {
  await world.pay("approve", card);
  world.later(6_000);
}

const sold = { order: "confirmed", payment: "captured", capturedMinor: 12_600 };
const base = { verdict: "sold" as const, end: sold, isDaysLate: false, isWithGaps: true };

export const FLOWS: readonly Flow[] = [
  { ...base, name: "approved at once", events: 4, happen: (world) => world.pay("approve") },
  {
    ...base, name: "declined, then a slow bank that approves", events: 7,
    happen: async (world) => {
      await world.pay("decline");
      await slowBank(world, "processing");
    },
  },
  { ...base, name: "a slow bank that declines", events: 5, end: { order: "cancelled", payment: "failed", capturedMinor: 0 }, happen: (world) => slowBank(world, "processing-declined") },
  {
    ...base, name: "declined, and then nobody paid", events: 4, isDaysLate: true, end: { order: "expired", payment: "failed", capturedMinor: 0 },
    happen: async (world) => {
      await world.pay("decline");
      world.later(DAY_MS);
    },
  },
  {
    ...base, name: "approved, heard of days late, the units are still there", events: 4, isDaysLate: true, happen: (world) => world.pay("approve"),
  },
  { ...base, name: "approved, heard of days late, the units are gone", events: 4, isDaysLate: true, verdict: "refused", end: { order: "expired", payment: "voided", capturedMinor: 0 }, happen: (world) => world.pay("approve") },
  {
    ...base, name: "declined, a slow bank that approves, heard of days late, the units are gone", events: 7, isDaysLate: true, isWithGaps: false, verdict: "refused", end: { order: "expired", payment: "voided", capturedMinor: 0 },
    happen: async (world) => {
      await world.pay("decline");
      await slowBank(world, "processing");
    },
  },
];
