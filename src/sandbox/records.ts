import type { CardVerdict } from "./cards.ts";

/*
 * What the provider believes, as its own records. The form that the Stripe API
 * shows is made from these in wire.ts; nothing here knows about it. Instants
 * are epoch milliseconds, amounts are integers in minor units, currencies are
 * lower-case as the Stripe API writes them.
 */

export type Metadata = Readonly<Record<string, string>>;

interface Entry {
  readonly id: string;
  readonly createdAt: number;
}

export interface SessionLine {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly unitAmountMinor: number;
  readonly quantity: number;
}

export type SessionStatus = "open" | "complete" | "expired";

/** What the intent of a session is to be like; it is made when somebody starts to pay. */
export interface IntentTerms {
  readonly captureMethod: CaptureMethod;
  /** Whether one authorisation may be captured in several steps. */
  readonly isMulticapture: boolean;
  readonly description: string | null;
  readonly metadata: Metadata;
  readonly receiptEmail: string | null;
  readonly statementDescriptor: string | null;
  readonly transferGroup: string | null;
}

export interface Session extends Entry {
  readonly status: SessionStatus;
  readonly currency: string;
  readonly amountMinor: number;
  readonly lines: readonly SessionLine[];
  readonly storeName: string | null;
  readonly locale: string | null;
  readonly clientReference: string | null;
  readonly customer: string | null;
  readonly email: string | null;
  readonly metadata: Metadata;
  readonly successUrl: string;
  readonly cancelUrl: string | null;
  readonly expiresAt: number;
  readonly terms: IntentTerms;
  /** Null until somebody starts to pay. */
  readonly intent: string | null;
}

export type CaptureMethod = "automatic" | "manual";
export type IntentStatus = "requires_payment_method" | "processing" | "requires_capture" | "succeeded" | "canceled";

export interface CardFace {
  readonly brand: string;
  readonly last4: string;
  /** Absent in books that were kept before cards had one. */
  readonly fingerprint?: string;
}

export interface PaymentError {
  readonly code: string;
  readonly declineCode: string | null;
  readonly message: string;
}

export interface Intent extends Entry {
  readonly status: IntentStatus;
  readonly amountMinor: number;
  readonly currency: string;
  readonly session: string | null;
  readonly customer: string | null;
  readonly terms: IntentTerms;
  readonly card: CardFace | null;
  readonly lastError: PaymentError | null;
  /** Set while a payment is on its way: when it ends, and how. */
  readonly underway: { readonly until: number; readonly verdict: CardVerdict } | null;
  readonly authorisedAt: number | null;
  readonly capturedMinor: number;
  readonly capturedAt: number | null;
  /** The balance transaction of the (latest) capture. */
  readonly captureBooking: string | null;
  readonly refundedMinor: number;
  readonly dispute: string | null;
  readonly canceledAt: number | null;
  readonly cancellationReason: string | null;
}

export interface Refund extends Entry {
  readonly intent: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly reason: string | null;
  readonly metadata: Metadata;
  readonly booking: string;
}

export interface Customer extends Entry {
  readonly email: string | null;
  readonly name: string | null;
  readonly phone: string | null;
  readonly description: string | null;
  readonly metadata: Metadata;
}

export interface Transfer extends Entry {
  readonly amountMinor: number;
  readonly currency: string;
  readonly destination: string;
  readonly description: string | null;
  readonly transferGroup: string | null;
  readonly sourceCharge: string | null;
  readonly metadata: Metadata;
  readonly booking: string;
}

export interface Payout extends Entry {
  readonly status: "in_transit" | "paid";
  readonly amountMinor: number;
  readonly currency: string;
  readonly description: string | null;
  readonly statementDescriptor: string | null;
  readonly arrivesAt: number;
  readonly metadata: Metadata;
  readonly booking: string;
}

export type DisputeStatus = "needs_response" | "won" | "lost";

export interface Dispute extends Entry {
  readonly status: DisputeStatus;
  readonly intent: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly reason: string;
  readonly evidenceDueAt: number;
  readonly closedAt: number | null;
  readonly bookings: readonly string[];
}

export type BookingType = "charge" | "refund" | "transfer" | "payout" | "adjustment";

/** One row of the account's balance. `amountMinor` is signed; the net is the amount less the fee. */
export interface Booking extends Entry {
  readonly type: BookingType;
  readonly category: string;
  readonly amountMinor: number;
  readonly feeMinor: number;
  readonly currency: string;
  readonly source: string;
  readonly description: string | null;
}

/** An event as it is delivered: its body is fixed when it happens and never made again. */
export interface EventEntry extends Entry {
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Every kind of record, by the prefix that its ids begin with. */
export interface RecordByPrefix {
  readonly cs_test: Session;
  readonly pi: Intent;
  readonly re: Refund;
  readonly cus: Customer;
  readonly tr: Transfer;
  readonly po: Payout;
  readonly dp: Dispute;
  readonly txn: Booking;
  readonly evt: EventEntry;
}

export type RecordPrefix = keyof RecordByPrefix;

/** The charge of an intent has no record of its own: its id is the intent's with another prefix. */
export function chargeIdOf(intent: Intent): string | null {
  return intent.authorisedAt === null ? null : `ch${intent.id.slice(2)}`;
}

export function intentIdOfCharge(charge: string): string {
  return `pi${charge.slice(2)}`;
}
