import Stripe from "stripe";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { createSandboxApp } from "../../../src/sandbox/app.tsx";
import { createBooks, type BooksWithAlarm } from "../../../src/sandbox/books.ts";
import type { Database } from "../../../src/sandbox/database.ts";
import { memoryDatabase } from "../../support/memory-database.ts";

export const ORIGIN = "http://127.0.0.1:8788";
export const SECRET = "whsec_for_tests";
export const MAIL_KEY = "re_for_tests";
export const TURNSTILE_SECRET = "0x4_for_tests";
export const T0 = Date.UTC(2026, 11, 4, 18, 0, 0);
export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

export interface Received {
  readonly event: Stripe.Event;
  readonly at: number;
}

/** A sandbox of a test's own: real routes, real books, real client, a clock that the test moves. */
export class Provider {
  now = T0;
  wakeUps: number[] = [];
  readonly received: Received[] = [];
  /** What the store answers to webhooks; a test changes it. */
  storeAnswers: () => number = () => 200;
  readonly database: Database = memoryDatabase();
  readonly books: BooksWithAlarm;
  readonly app: ReturnType<typeof createSandboxApp>;
  readonly stripe: Stripe;

  constructor() {
    this.books = this.open();
    this.app = createSandboxApp({ books: this.books, isLocal: true, isSigning: true, hashing: nodeHashing, now: () => this.now });
    this.stripe = this.client();
  }

  /** The books again on the same database, as after a restart. */
  open(): BooksWithAlarm {
    return createBooks({
      database: this.database, hashing: nodeHashing, now: () => this.now, pageOrigin: ORIGIN, webhookSecret: SECRET, mailKey: MAIL_KEY, turnstileSecret: TURNSTILE_SECRET,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      sleep: (ms) => new Promise((resolve) => { setTimeout(resolve, ms).unref(); }),
      wakeAt: (at) => { this.wakeUps.push(at); },
      post: async (body, headers) => {
        const status = this.storeAnswers();
        if (status < 300) {
          const event = await this.stripe.webhooks.constructEventAsync(body, headers["stripe-signature"] ?? "", SECRET, 300, undefined, this.now);
          this.received.push({ event, at: this.now });
        }
        return status;
      },
    });
  }

  client(timeout = 5_000): Stripe {
    return new Stripe("sk_test_sandbox", {
      maxNetworkRetries: 0, timeout, telemetry: false,
      httpClient: Stripe.createFetchHttpClient(((url: string | URL | Request, init?: RequestInit) => {
        const asked = this.app.fetch(new Request(url, init));
        const signal = init?.signal;
        // A client that gives up stops listening; the provider works on.
        return signal ? Promise.race([asked, new Promise((_, reject) => { signal.addEventListener("abort", () => { reject(signal.reason); }); })]) : asked;
      }) as typeof fetch),
    });
  }

  session(extra: Partial<Stripe.Checkout.SessionCreateParams> = {}, options: Stripe.RequestOptions = {}): Promise<Stripe.Checkout.Session> {
    return this.stripe.checkout.sessions.create({
      mode: "payment",
      line_items: [
        { price_data: { currency: "eur", unit_amount: 4_200, product_data: { name: "Moth tee, S" } }, quantity: 2 },
        { price_data: { currency: "eur", unit_amount: 1_250, product_data: { name: "Poster" } }, quantity: 1 },
      ],
      payment_intent_data: { capture_method: "manual", metadata: { order: "ord_1" } },
      client_reference_id: "ord_1", metadata: { order: "ord_1" }, customer_email: "ana@nightjar.example",
      success_url: "http://127.0.0.1:8787/orders/ord_1?paid={CHECKOUT_SESSION_ID}", cancel_url: "http://127.0.0.1:8787/orders/ord_1",
      expires_at: Math.floor(this.now / 1_000) + 30 * 60,
      ...extra,
    }, options);
  }

  async payment(capture: "manual" | "automatic" = "manual"): Promise<{ session: string; intent: string }> {
    const session = await this.session({ payment_intent_data: { capture_method: capture === "manual" ? "manual" : "automatic" } });
    await this.pay(session.id, { outcome: "approve" });
    const paid = await this.stripe.checkout.sessions.retrieve(session.id);
    return { session: session.id, intent: String(paid.payment_intent) };
  }

  async pay(session: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    return this.json("POST", `/sandbox/pay/${session}`, body);
  }

  async json(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await this.app.fetch(new Request(`${ORIGIN}${path}`, {
      method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    }));
    return { status: response.status, body: await response.json() as Record<string, unknown> };
  }

  /** Runs the alarm until nothing is due at this instant. */
  async deliver(): Promise<string[]> {
    const before = this.received.length;
    await this.books.alarm();
    return this.received.slice(before).map(({ event }) => event.type);
  }
}

/** The error that a promise fails with, as the client throws it. */
export async function failure(promise: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error("it was expected to fail");
}
