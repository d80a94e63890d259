import type { Behaviour } from "./behaviour.ts";
import type { Mailbox } from "./mailbox.ts";
import type { PayAnswer, PayOutcome, PayPage } from "./pay.ts";
import type { DisputeStatus } from "./records.ts";
import type { TurnstileDesk } from "./turnstile.ts";
import type { DeliveryCounts } from "./webhooks.ts";

/** A request to the Stripe-shaped API, as far as the books care. */
export interface ApiCall {
  readonly method: string;
  /** Below `/v1/`, without a leading slash. */
  readonly path: string;
  /** The form: the body of a POST, the query of a GET. */
  readonly form: string;
  readonly idempotencyKey: string | null;
  readonly authorization: string | null;
}

export interface ApiReply {
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
  /** True when this is the kept answer of an earlier request with the same key. */
  readonly isReplay: boolean;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/*
 * The report of the books uses the API's own names, so that a reader compares
 * like with like: amounts in minor units, instants in epoch seconds.
 */

/** Everything that the provider believes about one payment. */
export interface PaymentReport {
  readonly id: string;
  readonly session: string | null;
  readonly client_reference_id: string | null;
  readonly status: string;
  readonly currency: string;
  readonly amount: number;
  /** What the card's bank has promised, ever; 0 when it never did. */
  readonly amount_authorised: number;
  readonly amount_capturable: number;
  /** What was captured. */
  readonly amount_received: number;
  readonly amount_refunded: number;
  /** What a dispute that is open or lost has taken back. */
  readonly amount_disputed: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created: number;
}

export interface SessionReport {
  readonly id: string;
  readonly status: string;
  readonly client_reference_id: string | null;
  readonly payment_intent: string | null;
  readonly currency: string;
  readonly amount_total: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created: number;
  readonly expires_at: number;
}

/** A refund, a transfer or a payout, with what it belongs to. */
interface MovementReport {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created: number;
}

export interface DisputeReport {
  readonly id: string;
  readonly payment_intent: string;
  readonly status: DisputeStatus;
  readonly reason: string;
  readonly amount: number;
  readonly currency: string;
}

export interface BooksReport {
  readonly sessions: readonly SessionReport[];
  readonly paymentIntents: readonly PaymentReport[];
  readonly refunds: readonly (MovementReport & { readonly payment_intent: string })[];
  readonly transfers: readonly (MovementReport & { readonly destination: string; readonly transfer_group: string | null })[];
  readonly payouts: readonly (MovementReport & { readonly status: string })[];
  readonly disputes: readonly DisputeReport[];
  /** What the account has, by currency. */
  readonly balances: Readonly<Record<string, number>>;
  readonly webhooks: DeliveryCounts;
}

export type DisputeAnswer =
  | { readonly ok: true; readonly dispute: DisputeReport }
  | { readonly ok: false; readonly isMissing: boolean; readonly message: string };

/** The provider's books, behind whatever keeps them. */
export interface Books extends Mailbox, TurnstileDesk {
  call(call: ApiCall): Promise<ApiReply>;
  page(session: string): Promise<PayPage | null>;
  /** `card` is a card's name or number; null when it names none that exists. */
  pay(session: string, outcome: PayOutcome, card: string | null): Promise<PayAnswer | null>;
  behaviour(): Promise<Behaviour>;
  setBehaviour(behaviour: Behaviour): Promise<Behaviour>;
  /** How many deliveries wait, without looking at anything else. */
  deliveries(): Promise<DeliveryCounts>;
  /** Sends what was withheld; gives how many. */
  releaseWebhooks(): Promise<number>;
  report(): Promise<BooksReport>;
  openDispute(opening: { readonly intent: string; readonly reason: string; readonly amountMinor: number | null }): Promise<DisputeAnswer>;
  closeDispute(id: string, outcome: "won" | "lost"): Promise<DisputeAnswer>;
}
