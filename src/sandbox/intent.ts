import { accepted, rejected, type Result } from "../kernel/result.ts";
import type { CardVerdict } from "./cards.ts";
import type { CardFace, Intent, IntentTerms } from "./records.ts";
import { impossible, type Refusal } from "./refusal.ts";

/*
 * The state machine of a payment intent. Every function takes an intent and
 * gives the next one; none of them reads a clock or stores anything.
 */

/** A card authorisation that is not captured within seven days is released. */
export const AUTHORISATION_MS = 7 * 24 * 60 * 60 * 1_000;

export interface NewIntent {
  readonly id: string;
  readonly now: number;
  readonly amountMinor: number;
  readonly currency: string;
  readonly terms: IntentTerms;
  readonly session: string | null;
  readonly customer: string | null;
}

export function newIntent(from: NewIntent): Intent {
  return {
    id: from.id, createdAt: from.now, status: "requires_payment_method", amountMinor: from.amountMinor, currency: from.currency,
    session: from.session, customer: from.customer, terms: from.terms, card: null, lastError: null, underway: null,
    authorisedAt: null, capturedMinor: 0, capturedAt: null, captureBooking: null, refundedMinor: 0, dispute: null,
    canceledAt: null, cancellationReason: null,
  };
}

/** What is authorised and can still be captured. */
export function capturableMinor(intent: Intent): number {
  return intent.status === "requires_capture" ? intent.amountMinor - intent.capturedMinor : 0;
}

/** What was captured and has not gone back. */
export function refundableMinor(intent: Intent): number {
  return intent.capturedMinor - intent.refundedMinor;
}

/** When the clock next changes this intent by itself; null when it never does. */
export function nextChangeAt(intent: Intent): number | null {
  if (intent.status === "processing" && intent.underway !== null) return intent.underway.until;
  if (intent.status === "requires_capture" && intent.authorisedAt !== null) return intent.authorisedAt + AUTHORISATION_MS;
  return null;
}

export type IntentChange = "declined" | "processing" | "authorised" | "captured" | "expired";

export interface Changed {
  readonly intent: Intent;
  readonly change: IntentChange;
}

/** A card is presented. The caller has checked that the intent awaits one. */
export function present(intent: Intent, card: CardFace, verdict: CardVerdict, now: number): Changed {
  switch (verdict.kind) {
    case "decline":
      return { intent: { ...intent, status: "requires_payment_method", card: null, underway: null, lastError: verdict.error }, change: "declined" };
    case "processing":
      return {
        intent: { ...intent, status: "processing", card, lastError: null, underway: { until: now + verdict.forMs, verdict: verdict.then } },
        change: "processing",
      };
    case "approve": {
      const authorised: Intent = { ...intent, status: "requires_capture", card, lastError: null, underway: null, authorisedAt: now };
      if (intent.terms.captureMethod === "manual") return { intent: authorised, change: "authorised" };
      return { intent: { ...authorised, status: "succeeded", capturedMinor: intent.amountMinor, capturedAt: now }, change: "captured" };
    }
  }
}

/** What the clock alone has done to the intent by `now`; null when nothing. */
export function ripenIntent(intent: Intent, now: number): Changed | null {
  const at = nextChangeAt(intent);
  if (at === null || now < at) return null;
  if (intent.underway !== null && intent.card !== null) return present(intent, intent.card, intent.underway.verdict, at);
  // What was captured in steps stays captured; only the rest runs out.
  if (intent.capturedMinor > 0) return { intent: { ...intent, status: "succeeded" }, change: "expired" };
  return { intent: { ...intent, status: "canceled", canceledAt: at, cancellationReason: "expired" }, change: "expired" };
}

export interface CaptureStep {
  /** Null: everything that can still be captured. */
  readonly amountMinor: number | null;
  /** Whether the rest is released with this step. */
  readonly isFinal: boolean;
}

export interface Captured {
  readonly intent: Intent;
  /** What this step took. */
  readonly stepMinor: number;
}

/**
 * Captures once, or in steps where the card allows it; the final step releases
 * what is not captured. Refused beyond the authorisation and in any state but
 * `requires_capture`.
 */
export function captureIntent(intent: Intent, step: CaptureStep, now: number): Result<Captured, Refusal> {
  if (intent.status !== "requires_capture") {
    const reason = intent.cancellationReason === "expired" ? " Its authorisation has expired." : "";
    return rejected(impossible("payment_intent_unexpected_state",
      `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with a status of requires_capture may be captured.${reason}`));
  }
  if (!step.isFinal && !intent.terms.isMulticapture) {
    return rejected(impossible("parameter_invalid", "This payment does not support more than one capture.", "final_capture"));
  }
  const left = capturableMinor(intent);
  const stepMinor = step.amountMinor ?? left;
  // A last step of nothing is how the rest of a payment that was captured in steps is let go.
  const isRelease = stepMinor === 0 && step.isFinal && intent.capturedMinor > 0;
  if (stepMinor < 1 && !isRelease) return rejected(impossible("parameter_invalid_integer", "This value must be greater than or equal to 1.", "amount_to_capture"));
  if (stepMinor > left) {
    return rejected(impossible("amount_too_large", `The amount to capture (${stepMinor}) is greater than the amount that can be captured (${left}).`, "amount_to_capture"));
  }
  const isDone = step.isFinal || stepMinor === left;
  return accepted({
    intent: { ...intent, status: isDone ? "succeeded" : "requires_capture", capturedMinor: intent.capturedMinor + stepMinor, capturedAt: intent.capturedAt ?? now },
    stepMinor,
  });
}

/** Cancels what is not captured: an authorisation is released. A payment under way cannot be called back. */
export function cancelIntent(intent: Intent, reason: string | null, now: number): Result<Intent, Refusal> {
  if ((intent.status !== "requires_payment_method" && intent.status !== "requires_capture") || intent.capturedMinor > 0) {
    return rejected(impossible("payment_intent_unexpected_state",
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture.`));
  }
  return accepted({ ...intent, status: "canceled", canceledAt: now, cancellationReason: reason });
}

/** Gives back `amountMinor` (all that is left when null) of what was captured. */
export function refundIntent(intent: Intent, amountMinor: number | null): Result<{ readonly intent: Intent; readonly amountMinor: number }, Refusal> {
  if (intent.status !== "succeeded") {
    return rejected(impossible("payment_intent_unexpected_state", `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`));
  }
  const left = refundableMinor(intent);
  if (left === 0) return rejected(impossible("charge_already_refunded", `The charge of ${intent.id} has already been refunded.`));
  const amount = amountMinor ?? left;
  if (amount < 1) return rejected(impossible("parameter_invalid_integer", "This value must be greater than or equal to 1.", "amount"));
  if (amount > left) {
    return rejected(impossible("amount_too_large", `Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`, "amount"));
  }
  return accepted({ intent: { ...intent, refundedMinor: intent.refundedMinor + amount }, amountMinor: amount });
}
