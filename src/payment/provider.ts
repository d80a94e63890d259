import type { PlacedOrder } from "../checkout/placed-order.ts";
import { Fault } from "../kernel/result.ts";

/** The provider's account in the ledger. */
export const PROVIDER_ACCOUNT = "provider:stripe";

export interface OpenedSession {
  readonly id: string;
  readonly url: string | null;
}

export interface SessionTruth {
  readonly id: string;
  /** Open sessions take a payment, complete ones had one, expired ones never will. */
  readonly status: "open" | "complete" | "expired";
  readonly url: string | null;
}

export interface PaymentTruth {
  readonly id: string;
  readonly status: "unpaid" | "processing" | "authorised" | "captured" | "cancelled";
  readonly amountMinor: number;
  readonly capturedMinor: number;
  readonly currency: string;
  readonly captureBefore: number | null;
  readonly isMulticapture: boolean;
  /** The provider's name for the card, the same for every payment by it; null before there is one, and for what is no card. */
  readonly card: string | null;
}

/** What the provider knows of one order, whatever events said before. */
export interface ProviderTruth {
  /** The order that the provider's own records name. */
  readonly order: string | null;
  readonly session: SessionTruth | null;
  readonly payment: PaymentTruth | null;
}

/** A final answer: done, or never to be done, with the provider's code for the log. */
export type EffectAnswer = { readonly isDone: true } | { readonly isDone: false; readonly reason: string };

/**
 * The provider answered an effect with a failure of its own (5xx), and keeps
 * that answer: whoever asks again under the same key hears it again, however
 * long. The effect may have happened all the same.
 */
export class ProviderFailure extends Fault {
  /** Whether this was the kept answer to an earlier request, which proves that the request is over and its key is spent. */
  readonly isReplay: boolean;

  constructor(message: string, options: { isReplay: boolean; cause?: unknown }) {
    super(message, { retryable: true, cause: options.cause });
    this.isReplay = options.isReplay;
  }
}

/** The reason of a refusal that says: this key came before, with other parameters. */
export const KEY_OF_ANOTHER = "idempotency_error";

/**
 * A payment provider. Every effect carries a key made from the business event,
 * so that asking again finds the first answer instead of a second effect.
 *
 * A `Fault` means that the outcome is unknown (a time-out, a 5xx) or that the
 * provider asks to come back (429): the caller asks for the truth, then tries
 * again under the same key, unless a `ProviderFailure` says that the key is
 * spent. A refusal that will not change is a value.
 */
export interface PaymentProvider {
  /** Opens the hosted page for an order; `budgetMs` bounds the wait. */
  openSession(order: PlacedOrder, budgetMs: number, key: string): Promise<OpenedSession | { readonly refused: string }>;
  /** Null when the provider knows neither. */
  truth(of: { readonly session: string | null; readonly payment: string | null }): Promise<ProviderTruth | null>;
  /** Stops a session from taking a payment. One that was completed meanwhile stays so, and the answer says it. */
  closeSession(session: string): Promise<ProviderTruth | null>;
  capture(capture: {
    readonly payment: string;
    readonly amountMinor: number;
    readonly currency: string;
    readonly isFinal: boolean;
    readonly isMulticapture: boolean;
    readonly key: string;
  }): Promise<EffectAnswer>;
  voidPayment(payment: string, key: string): Promise<EffectAnswer>;
  refund(refund: {
    readonly id: string;
    readonly payment: string;
    readonly amountMinor: number;
    readonly currency: string;
    readonly key: string;
  }): Promise<EffectAnswer>;
}

/** What a verified webhook says, reduced to what settlement needs in order to ask. */
export interface ProviderNotice {
  readonly id: string;
  readonly type: string;
  readonly isLive: boolean;
  readonly order: string | null;
  readonly session: string | null;
  readonly payment: string | null;
  readonly dispute: { readonly id: string; readonly amountMinor: number; readonly status: string } | null;
}

/** Reads the provider's webhooks. */
export interface NoticeReader {
  /** The notice when the signature, its time and the body are right; otherwise null. `now` is epoch milliseconds. */
  verified(body: string, signature: string, now: number): Promise<ProviderNotice | null>;
  /** The notice of a body that was verified before it was stored; null when it is none. */
  stored(body: string): ProviderNotice | null;
}
