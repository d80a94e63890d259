import { AUTHORISATION_MS, capturableMinor } from "./intent.ts";
import {
  chargeIdOf, type Booking, type Customer, type Dispute, type Intent, type PaymentError, type Payout, type Refund, type Session, type SessionLine, type Transfer,
} from "./records.ts";

/* Records in the form that the Stripe API shows. Instants become epoch seconds. */

export type Wire = Readonly<Record<string, unknown>>;

/** The version of the API whose objects these are: that of the official client in use. */
export const API_VERSION = "2026-10-28.endive";

const seconds = (at: number): number => Math.floor(at / 1_000);
const secondsOrNull = (at: number | null): number | null => (at === null ? null : seconds(at));

export function listToWire(url: string, data: readonly Wire[], hasMore: boolean): Wire {
  return { object: "list", url, has_more: hasMore, data };
}

function lineToWire(line: SessionLine, currency: string): Wire {
  const total = line.unitAmountMinor * line.quantity;
  return {
    id: line.id, object: "item", amount_discount: 0, amount_subtotal: total, amount_tax: 0, amount_total: total, currency,
    description: line.name, quantity: line.quantity,
    price: {
      id: `price_${line.id.slice(3)}`, object: "price", active: false, billing_scheme: "per_unit", currency, livemode: false, metadata: {},
      product: `prod_${line.id.slice(3)}`, recurring: null, type: "one_time", unit_amount: line.unitAmountMinor, unit_amount_decimal: String(line.unitAmountMinor),
    },
  };
}

export function linesToWire(session: Session): Wire {
  return listToWire(`/v1/checkout/sessions/${session.id}/line_items`, session.lines.map((line) => lineToWire(line, session.currency)), false);
}

export function sessionToWire(session: Session, intent: Intent | null, pageOrigin: string): Wire {
  return {
    id: session.id, object: "checkout.session", livemode: false, mode: "payment", ui_mode: "hosted_page",
    status: session.status,
    // An authorisation that waits for its capture is not "paid" to the provider: that is what manual capture means.
    payment_status: intent?.status === "succeeded" ? "paid" : "unpaid",
    url: session.status === "open" ? `${pageOrigin}/sandbox/pay/${session.id}` : null,
    amount_subtotal: session.amountMinor, amount_total: session.amountMinor, currency: session.currency,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    client_reference_id: session.clientReference, metadata: session.metadata,
    customer: session.customer, customer_email: session.email,
    customer_details: session.email === null ? null : { address: null, email: session.email, name: null, phone: null, tax_exempt: "none", tax_ids: [] },
    payment_intent: session.intent, payment_method_types: ["card"], payment_method_options: {}, setup_intent: null, subscription: null, invoice: null,
    success_url: session.successUrl, cancel_url: session.cancelUrl, locale: session.locale,
    created: seconds(session.createdAt), expires_at: seconds(session.expiresAt),
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    custom_fields: [], custom_text: {}, shipping_options: [], discounts: [], client_secret: null, recovered_from: null, payment_link: null,
  };
}

function errorToWire(error: PaymentError): Wire {
  return { type: "card_error", code: error.code, message: error.message, ...(error.declineCode === null ? {} : { decline_code: error.declineCode }) };
}

export function intentToWire(intent: Intent): Wire {
  return {
    id: intent.id, object: "payment_intent", livemode: false, status: intent.status,
    amount: intent.amountMinor, amount_capturable: capturableMinor(intent), amount_received: intent.capturedMinor, currency: intent.currency,
    capture_method: intent.terms.captureMethod, confirmation_method: "automatic", client_secret: `${intent.id}_secret_sandbox`,
    customer: intent.customer, description: intent.terms.description, metadata: intent.terms.metadata, receipt_email: intent.terms.receiptEmail,
    statement_descriptor: intent.terms.statementDescriptor, statement_descriptor_suffix: null, transfer_group: intent.terms.transferGroup,
    last_payment_error: intent.lastError === null ? null : errorToWire(intent.lastError),
    latest_charge: chargeIdOf(intent), payment_method: intent.card === null ? null : `pm${intent.id.slice(2)}`,
    payment_method_types: ["card"], payment_method_options: {}, next_action: null,
    processing: intent.status === "processing" ? { type: "card", card: {} } : null,
    created: seconds(intent.createdAt), canceled_at: secondsOrNull(intent.canceledAt), cancellation_reason: intent.cancellationReason,
    application: null, application_fee_amount: null, on_behalf_of: null, review: null, setup_future_usage: null, shipping: null, source: null,
  };
}

/** The charge of an intent that was authorised. */
export function chargeToWire(intent: Intent, id: string): Wire {
  return {
    id, object: "charge", livemode: false, status: "succeeded", paid: true, payment_intent: intent.id,
    amount: intent.amountMinor, amount_captured: intent.capturedMinor, amount_refunded: intent.refundedMinor, currency: intent.currency,
    captured: intent.capturedAt !== null, refunded: intent.capturedMinor > 0 && intent.refundedMinor === intent.capturedMinor,
    disputed: intent.dispute !== null, dispute: intent.dispute, balance_transaction: intent.captureBooking,
    created: seconds(intent.authorisedAt ?? intent.createdAt), customer: intent.customer, description: intent.terms.description, metadata: intent.terms.metadata,
    receipt_email: intent.terms.receiptEmail, transfer_group: intent.terms.transferGroup,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    failure_code: null, failure_message: null, outcome: { network_status: "approved_by_network", type: "authorized", risk_level: "normal", reason: null, seller_message: "Payment complete." },
    payment_method: intent.card === null ? null : `pm${intent.id.slice(2)}`,
    payment_method_details: intent.card === null ? null : {
      type: "card",
      card: {
        brand: intent.card.brand, last4: intent.card.last4, fingerprint: intent.card.fingerprint ?? null, country: "DE", exp_month: 12, exp_year: 2034, funding: "credit", network: intent.card.brand,
        multicapture: { status: intent.terms.isMulticapture ? "available" : "unavailable" },
        ...(intent.authorisedAt === null || intent.terms.captureMethod === "automatic" ? {} : { capture_before: seconds(intent.authorisedAt + AUTHORISATION_MS) }),
      },
    },
  };
}

export function refundToWire(refund: Refund): Wire {
  return {
    id: refund.id, object: "refund", status: "succeeded", amount: refund.amountMinor, currency: refund.currency, payment_intent: refund.intent,
    charge: `ch${refund.intent.slice(2)}`, balance_transaction: refund.booking, reason: refund.reason, metadata: refund.metadata,
    created: seconds(refund.createdAt), receipt_number: null, source_transfer_reversal: null, transfer_reversal: null,
  };
}

export function customerToWire(customer: Customer): Wire {
  return {
    id: customer.id, object: "customer", livemode: false, email: customer.email, name: customer.name, phone: customer.phone, description: customer.description,
    metadata: customer.metadata, created: seconds(customer.createdAt), balance: 0, delinquent: false, default_source: null, shipping: null, invoice_settings: {},
  };
}

export function transferToWire(transfer: Transfer): Wire {
  return {
    id: transfer.id, object: "transfer", livemode: false, amount: transfer.amountMinor, amount_reversed: 0, reversed: false, currency: transfer.currency,
    destination: transfer.destination, description: transfer.description, transfer_group: transfer.transferGroup, source_transaction: transfer.sourceCharge,
    balance_transaction: transfer.booking, metadata: transfer.metadata, created: seconds(transfer.createdAt),
    reversals: listToWire(`/v1/transfers/${transfer.id}/reversals`, [], false),
  };
}

export function payoutToWire(payout: Payout): Wire {
  return {
    id: payout.id, object: "payout", livemode: false, status: payout.status, amount: payout.amountMinor, currency: payout.currency, automatic: false,
    arrival_date: seconds(payout.arrivesAt), balance_transaction: payout.booking, created: seconds(payout.createdAt), description: payout.description,
    statement_descriptor: payout.statementDescriptor, destination: "ba_sandbox", method: "standard", source_type: "card", type: "bank_account",
    metadata: payout.metadata, failure_code: null, failure_message: null, failure_balance_transaction: null, original_payout: null, reversed_by: null,
    reconciliation_status: "not_applicable", trace_id: null, application_fee: null, application_fee_amount: null, payout_method: null,
  };
}

export function bookingToWire(booking: Booking): Wire {
  return {
    id: booking.id, object: "balance_transaction", amount: booking.amountMinor, fee: booking.feeMinor, net: booking.amountMinor - booking.feeMinor,
    fee_details: booking.feeMinor === 0 ? [] : [{ amount: booking.feeMinor, currency: booking.currency, application: null, description: "Processing fees", type: "stripe_fee" }],
    currency: booking.currency, type: booking.type, reporting_category: booking.category, source: booking.source, description: booking.description,
    status: "available", created: seconds(booking.createdAt), available_on: seconds(booking.createdAt), exchange_rate: null, balance_type: "payments",
  };
}

export function disputeToWire(dispute: Dispute, bookings: readonly Booking[]): Wire {
  return {
    id: dispute.id, object: "dispute", livemode: false, status: dispute.status, amount: dispute.amountMinor, currency: dispute.currency, reason: dispute.reason,
    charge: `ch${dispute.intent.slice(2)}`, payment_intent: dispute.intent, created: seconds(dispute.createdAt), metadata: {},
    balance_transactions: bookings.map(bookingToWire), evidence: {}, is_charge_refundable: false, network_reason_code: null, enhanced_eligibility_types: [],
    evidence_details: { due_by: seconds(dispute.evidenceDueAt), has_evidence: false, past_due: false, submission_count: 0, enhanced_eligibility: {} },
  };
}

export function balanceToWire(balances: Readonly<Record<string, number>>): Wire {
  const available = Object.entries(balances).map(([currency, amount]) => ({ amount, currency, source_types: { card: amount } }));
  return { object: "balance", livemode: false, available, pending: available.map(({ currency }) => ({ amount: 0, currency, source_types: { card: 0 } })) };
}
