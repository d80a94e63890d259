import type { PlacedOrder } from "../checkout/placed-order.ts";
import type { Line } from "../drop/port.ts";

/** What the desk asked for, kept so that the same id with another body can be told apart from a retry. */
export interface RefundRequest {
  readonly lines: readonly Line[] | null;
  readonly amountMinor: number | null;
  readonly restock: boolean | null;
}

/** Why a payment was not taken for its order. */
export type Refusal = "no_stock" | "wrong_amount" | "card_limit";

/**
 * What can happen to an order. Events are facts that already hold: an effect at
 * the provider is recorded after it happened, what somebody asked for is
 * recorded as asked. `at` is epoch milliseconds.
 */
export type OrderEvent = { readonly at: number } & (
  | { readonly kind: "placed"; readonly order: PlacedOrder }
  | { readonly kind: "session_opened"; readonly session: string; readonly url: string | null }
  /**
   * The provider answered an effect with a failure of its own and keeps that
   * answer under the effect's key: the next try goes under the next key, whose
   * number is how many of these the order has.
   */
  | { readonly kind: "effect_failed"; readonly effect: string }
  /** The provider will never open a session for this order. */
  | { readonly kind: "session_refused"; readonly reason: string }
  /** The session takes no more payments, and none was made in it. */
  | { readonly kind: "session_closed" }
  | { readonly kind: "processing"; readonly payment: string }
  /** The drop's answer to "processing": until when the payment may come. */
  | { readonly kind: "extended"; readonly payBy: number }
  | {
      readonly kind: "authorised";
      readonly payment: string;
      readonly amountMinor: number;
      /** When the authorisation ends by itself; null where the provider does not say. */
      readonly captureBefore: number | null;
      /** Whether the provider takes several captures of this payment. */
      readonly isMulticapture: boolean;
      /** What the drop knows the card by; absent where the provider names none. */
      readonly card?: string;
      /** Made in a session that the order does not know: its own one still takes money. */
      readonly isElsewhere?: boolean;
    }
  | { readonly kind: "sold"; readonly payment: string }
  | { readonly kind: "refused"; readonly payment: string; readonly reason: Refusal }
  /** `units` are those that were paid for by it; after the final one nothing is left to capture. */
  | { readonly kind: "captured"; readonly payment: string; readonly amountMinor: number; readonly units: number; readonly isFinal: boolean }
  | { readonly kind: "voided"; readonly payment: string; readonly by: "us" | "provider" }
  /** A second payment of the same order, made in a session that the order does not know. */
  | { readonly kind: "stray_paid"; readonly payment: string }
  | { readonly kind: "stray_released"; readonly payment: string; readonly amountMinor: number; readonly by: "void" | "refund" }
  /** A card was refused on the payment page, as the provider's event says; another one may be tried. */
  | { readonly kind: "declined"; readonly notice: string }
  /** The provider gave the payment up before it was authorised. */
  | { readonly kind: "payment_failed" }
  /** The drop knows that this order will not be paid. */
  | { readonly kind: "drop_told" }
  | { readonly kind: "due" }
  | { readonly kind: "expired" }
  | { readonly kind: "cancelled" }
  /** The drop was cancelled and the money is back: the drop has the units back as well. */
  | { readonly kind: "returned"; readonly lines: readonly Line[] }
  | { readonly kind: "fulfilled"; readonly fulfilment: string; readonly requested: readonly Line[] | null; readonly lines: readonly Line[] }
  | {
      readonly kind: "refund_requested";
      readonly refund: string;
      readonly requested: RefundRequest;
      readonly reason: string;
      /** What the provider pays back; 0 where units are withdrawn before their capture. */
      readonly amountMinor: number;
      /** Units that were not handed over, and units that were. */
      readonly before: readonly Line[];
      readonly after: readonly Line[];
      /** Units whose money is paid back line by line; empty where an amount was asked for. */
      readonly repaid: readonly Line[];
      readonly restock: readonly Line[];
    }
  | { readonly kind: "refunded"; readonly refund: string; readonly amountMinor: number }
  | { readonly kind: "refund_failed"; readonly refund: string; readonly reason: string }
  | { readonly kind: "restocked"; readonly refund: string }
  | { readonly kind: "disputed"; readonly dispute: string; readonly amountMinor: number }
  | { readonly kind: "dispute_closed"; readonly dispute: string; readonly amountMinor: number; readonly outcome: "won" | "lost" }
);
