import { APPROVED_CARD, cardFace, DECLINES, type TestCard } from "./cards.ts";
import { addIntent } from "./intents-api.ts";
import type { Intent, Session } from "./records.ts";
import { successUrlOf } from "./session.ts";
import { emitSession, loadIntent, loadSession, presentCard, type Turn } from "./turn.ts";

export type PayOutcome = "approve" | "decline" | "abandon";

/** How it went: the first three change something, the others say why nothing did. */
export type PayStatus = "approved" | "processing" | "declined" | "abandoned" | "complete" | "expired";

export interface PayAnswer {
  readonly status: PayStatus;
  /** Where the browser goes now. */
  readonly redirect: string;
  /** What to tell the shopper, when there is something to tell. */
  readonly message: string | null;
  /** How long the page waits before it answers, in milliseconds. */
  readonly answersAfterMs: number;
}

function pageOf(turn: Turn, session: Session): string {
  return `${turn.pageOrigin}/sandbox/pay/${session.id}`;
}

/** The way back to the store without paying. */
function wayBack(session: Session): string {
  return session.cancelUrl ?? successUrlOf(session);
}

function intentOf(turn: Turn, session: Session): Intent {
  const begun = session.intent === null ? null : loadIntent(turn, session.intent);
  return begun ?? addIntent(turn, { amountMinor: session.amountMinor, currency: session.currency, terms: session.terms, session: session.id, customer: session.customer });
}

/**
 * What a shopper does on the hosted page. A declined card leaves the session
 * open for another one; a session that is complete or expired refuses every
 * payment. Null when there is no such session.
 */
export function payOnPage(turn: Turn, id: string, outcome: PayOutcome, card: TestCard = APPROVED_CARD): PayAnswer | null {
  const session = loadSession(turn, id);
  if (session === null) return null;
  if (session.status === "complete") {
    return { status: "complete", redirect: successUrlOf(session), message: "This checkout is complete. Nothing was charged just now.", answersAfterMs: 0 };
  }
  if (session.status === "expired") {
    return { status: "expired", redirect: wayBack(session), message: "The time to pay is over. Nothing was charged.", answersAfterMs: 0 };
  }
  if (outcome === "abandon") return { status: "abandoned", redirect: wayBack(session), message: null, answersAfterMs: 0 };

  const verdict = outcome === "decline" ? { kind: "decline", error: DECLINES.generic_decline } as const : card.verdict;
  const intent = presentCard(turn, intentOf(turn, session), cardFace(card), verdict);
  const isComplete = intent.status !== "requires_payment_method";
  const next: Session = { ...session, intent: intent.id, status: isComplete ? "complete" : "open" };
  turn.shelf.update("cs_test", next);
  turn.shelf.tag("cs_test", session.id, { payment_intent: intent.id });
  if (!isComplete) return { status: "declined", redirect: pageOf(turn, session), message: intent.lastError?.message ?? null, answersAfterMs: 0 };
  turn.shelf.schedule(session.id, null);
  emitSession(turn, "checkout.session.completed", next, intent);
  return { status: intent.status === "processing" ? "processing" : "approved", redirect: successUrlOf(session), message: null, answersAfterMs: card.answersAfterMs };
}

/** What the hosted page shows. */
export interface PayPage {
  readonly id: string;
  readonly status: Session["status"];
  /** What became of the payment of a session that is complete. */
  readonly payment: "none" | "underway" | "made" | "failed" | "canceled";
  readonly storeName: string | null;
  readonly lines: readonly { readonly name: string; readonly description: string | null; readonly quantity: number; readonly totalMinor: number }[];
  readonly amountMinor: number;
  readonly currency: string;
  readonly locale: string | null;
  readonly email: string | null;
  readonly isManualCapture: boolean;
  readonly expiresAt: number;
  /** Why the last card was refused, when it was. */
  readonly problem: string | null;
  readonly wayBack: string;
  readonly successUrl: string;
}

function paymentOf(intent: Intent | null): PayPage["payment"] {
  switch (intent?.status) {
    case undefined: return "none";
    case "processing": return "underway";
    case "requires_payment_method": return "failed";
    case "canceled": return "canceled";
    case "requires_capture":
    case "succeeded": return "made";
  }
}

export function payPage(turn: Turn, id: string): PayPage | null {
  const session = loadSession(turn, id);
  if (session === null) return null;
  const intent = session.intent === null ? null : loadIntent(turn, session.intent);
  return {
    id: session.id, status: session.status, payment: paymentOf(intent), storeName: session.storeName,
    lines: session.lines.map((line) => ({ name: line.name, description: line.description, quantity: line.quantity, totalMinor: line.unitAmountMinor * line.quantity })),
    amountMinor: session.amountMinor, currency: session.currency, locale: session.locale, email: session.email,
    isManualCapture: session.terms.captureMethod === "manual", expiresAt: session.expiresAt,
    problem: intent?.lastError?.message ?? null, wayBack: wayBack(session), successUrl: successUrlOf(session),
  };
}
