import Stripe from "stripe";
import type { PlacedOrder } from "../checkout/placed-order.ts";
import { currencyExponent } from "../kernel/money.ts";
import { Fault } from "../kernel/result.ts";
import { KEY_OF_ANOTHER, ProviderFailure } from "./provider.ts";
import type { EffectAnswer, PaymentProvider, PaymentTruth, ProviderTruth, SessionTruth } from "./provider.ts";

export interface StripeOptions {
  readonly key: string;
  /** The way out: the platform's fetch, or the sandbox's binding on a laptop. */
  readonly fetch: typeof fetch;
  /**
   * Whether the account may capture one card payment several times (Stripe
   * grants it on IC+ pricing). Without it the first capture releases the rest.
   */
  readonly hasMulticapture: boolean;
}

const TIMEOUT_MS = 5_000;
const MINUTE_MS = 60_000;
/** Stripe refuses a session that ends less than 30 minutes after its creation. */
const SESSION_MS_MIN = 31 * MINUTE_MS;
/** Opened at the latest so long after placing: the longest that `payBy` ever gets. */
const PAY_MS_MAX = 15 * MINUTE_MS;
const EXPANSIONS = ["payment_intent.latest_charge"];

/**
 * The payment provider on the official SDK. No retries inside: whoever calls
 * knows whether the outcome is unknown, asks for the truth first and repeats
 * under the same key.
 */
export function stripeProvider(options: StripeOptions): PaymentProvider {
  const stripe = new Stripe(options.key, {
    maxNetworkRetries: 0, timeout: TIMEOUT_MS, telemetry: false,
    httpClient: Stripe.createFetchHttpClient(options.fetch),
  });
  const truthOfSession = async (id: string) => sessionToTruth(await stripe.checkout.sessions.retrieve(id, { expand: EXPANSIONS }));
  const truthOfPayment = async (id: string): Promise<ProviderTruth> => {
    const intent = await stripe.paymentIntents.retrieve(id, { expand: ["latest_charge"] });
    return { order: intent.metadata["order"] ?? null, session: null, payment: intentToTruth(intent) };
  };

  return {
    async openSession(order, budgetMs, key) {
      if (toStripeAmount(order.totalMinor, order.currency) === null) return { refused: "amount_not_chargeable" };
      const opened = await answeredUnderKey(() =>
        stripe.checkout.sessions.create(sessionParams(order, options.hasMulticapture), {
          idempotencyKey: key, timeout: Math.min(Math.max(budgetMs, 1), TIMEOUT_MS),
        }));
      return opened.ok ? { id: opened.value.id, url: opened.value.url } : { refused: opened.refused };
    },

    async truth({ session, payment }) {
      const found = await answered(async () => {
        if (session !== null) return truthOfSession(session);
        return payment === null ? null : truthOfPayment(payment);
      });
      return found.ok ? found.value : null;
    },

    async closeSession(session) {
      const closed = await answered(async () => sessionToTruth(await stripe.checkout.sessions.expire(session, { expand: EXPANSIONS })));
      if (closed.ok) return closed.value;
      // Refused: it is complete, or expired already. Which one, only the provider knows.
      const found = await answered(() => truthOfSession(session));
      return found.ok ? found.value : null;
    },

    async capture({ payment, amountMinor, currency, isFinal, isMulticapture, key }) {
      const amount = toStripeAmount(amountMinor, currency);
      if (amount === null) return { isDone: false, reason: "amount_not_chargeable" };
      const finality = isMulticapture ? { final_capture: isFinal } : {};
      return effectAnswer(await answeredUnderKey(() => stripe.paymentIntents.capture(payment, { amount_to_capture: amount, ...finality }, { idempotencyKey: key })));
    },

    async voidPayment(payment, key) {
      return effectAnswer(await answeredUnderKey(() => stripe.paymentIntents.cancel(payment, {}, { idempotencyKey: key })));
    },

    async refund({ id, payment, amountMinor, currency, key }) {
      const amount = toStripeAmount(amountMinor, currency);
      if (amount === null) return { isDone: false, reason: "amount_not_chargeable" };
      // Looked for by its name first: after a day the key is forgotten, and the same part would be paid back a second time.
      const earlier = await answered(() => stripe.refunds.list({ payment_intent: payment, limit: 100 }));
      if (earlier.ok && earlier.value.data.some((refund) => refund.metadata?.["refund"] === id && isMade(refund))) return { isDone: true };
      const made = await answeredUnderKey(() =>
        stripe.refunds.create({ payment_intent: payment, amount, metadata: { refund: id } }, { idempotencyKey: key }));
      if (!made.ok) return { isDone: false, reason: made.refused };
      return isMade(made.value) ? { isDone: true } : { isDone: false, reason: "refund_failed" };
    },
  };
}

function isMade(refund: Stripe.Refund): boolean {
  return refund.status !== "failed" && refund.status !== "canceled";
}

/**
 * The same order gives the same parameters at any moment, because Stripe
 * refuses a key that comes back with others: the end of the session counts from
 * the order's own times, late enough to be valid whenever it is opened.
 */
function sessionParams(order: PlacedOrder, hasMulticapture: boolean): Stripe.Checkout.SessionCreateParams {
  const currency = order.currency.toLowerCase();
  const metadata = { order: order.id, drop: order.drop };
  const openedBy = Math.max(order.payBy, order.placedAt + PAY_MS_MAX);
  return {
    mode: "payment",
    client_reference_id: order.id,
    customer_email: order.email,
    metadata,
    payment_intent_data: { capture_method: "manual", metadata },
    // One line an order line, net of its discount: a price per unit would have to be rounded, and the sum would not be the total.
    line_items: order.lines.map((line) => ({
      quantity: 1,
      price_data: {
        currency,
        unit_amount: toStripeAmount(line.totalMinor, order.currency) ?? 0,
        product_data: { name: line.quantity === 1 ? line.title : `${line.quantity} × ${line.title}` },
      },
    })),
    expires_at: Math.ceil((openedBy + SESSION_MS_MIN) / 1_000),
    success_url: `${order.returnTo}/orders/${order.id}`,
    cancel_url: `${order.returnTo}/orders/${order.id}`,
    ...(hasMulticapture ? { payment_method_options: { card: { request_multicapture: "if_available" } } } : {}),
  };
}

/** Currencies without decimals that Stripe still counts in hundredths. */
const COUNTED_IN_HUNDREDTHS: ReadonlySet<string> = new Set(["ISK", "UGX"]);

/**
 * The amount as Stripe writes it, or null when it cannot be charged: with three
 * decimals the last one must be 0.
 */
export function toStripeAmount(amountMinor: number, currency: string): number | null {
  if (COUNTED_IN_HUNDREDTHS.has(currency)) return amountMinor * 100;
  return currencyExponent(currency) === 3 && amountMinor % 10 !== 0 ? null : amountMinor;
}

export function fromStripeAmount(amount: number, currency: string): number {
  return COUNTED_IN_HUNDREDTHS.has(currency) ? amount / 100 : amount;
}

function sessionToTruth(session: Stripe.Checkout.Session): ProviderTruth {
  const intent = session.payment_intent;
  return {
    order: session.client_reference_id,
    session: { id: session.id, status: sessionStatus(session.status), url: session.url },
    payment: intent === null || typeof intent === "string" ? null : intentToTruth(intent),
  };
}

function sessionStatus(status: Stripe.Checkout.Session["status"]): SessionTruth["status"] {
  if (status === "complete") return "complete";
  return status === "expired" ? "expired" : "open";
}

function intentToTruth(intent: Stripe.PaymentIntent): PaymentTruth {
  const currency = intent.currency.toUpperCase();
  const charge = typeof intent.latest_charge === "string" ? null : intent.latest_charge;
  const card = charge?.payment_method_details?.card;
  return {
    id: intent.id,
    status: paymentStatus(intent.status),
    amountMinor: fromStripeAmount(intent.amount, currency),
    capturedMinor: fromStripeAmount(intent.amount_received, currency),
    currency,
    captureBefore: card?.capture_before === undefined ? null : card.capture_before * 1_000,
    isMulticapture: card?.multicapture?.status === "available",
    // A wallet's card has the fingerprint of the number that the wallet uses for it, which is another one.
    card: card?.fingerprint ?? null,
  };
}

function paymentStatus(status: Stripe.PaymentIntent["status"]): PaymentTruth["status"] {
  switch (status) {
    case "processing":
      return "processing";
    case "requires_capture":
      return "authorised";
    case "succeeded":
      return "captured";
    case "canceled":
      return "cancelled";
    default:
      return "unpaid";
  }
}

type Answered<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refused: string };

function effectAnswer(answer: Answered<unknown>): EffectAnswer {
  return answer.ok ? { isDone: true } : { isDone: false, reason: answer.refused };
}

/** 400, 402 and 404 will be the same next time; everything else, an answer that never came included, may not. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([400, 402, 404]);

async function answered<Value>(call: () => Promise<Value>): Promise<Answered<Value>> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError && FINAL_STATUSES.has(error.statusCode ?? 0)) {
      return { ok: false, refused: error instanceof Stripe.errors.StripeIdempotencyError ? KEY_OF_ANOTHER : (error.code ?? error.type) };
    }
    if (error instanceof Stripe.errors.StripeError) {
      throw new Fault(`stripe: ${error.type} ${error.statusCode ?? "without an answer"}`, { retryable: true, cause: error });
    }
    throw error;
  }
}

/** As `answered`, for what carries a key: a 5xx that Stripe itself sent is kept under it, and every retry gets it again. */
async function answeredUnderKey<Value>(call: () => Promise<Value>): Promise<Answered<Value>> {
  try {
    return await answered(call);
  } catch (error) {
    const cause = error instanceof Fault ? error.cause : null;
    if (!(error instanceof Fault) || !(cause instanceof Stripe.errors.StripeError) || (cause.statusCode ?? 0) < 500) throw error;
    throw new ProviderFailure(error.message, { isReplay: cause.headers?.["idempotent-replayed"] === "true", cause });
  }
}
