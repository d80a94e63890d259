import { cancelIntent, nextChangeAt, present, ripenIntent, type Changed } from "./intent.ts";
import { chargeFeeMinor } from "./fees.ts";
import type { CardVerdict } from "./cards.ts";
import {
  chargeIdOf, type Booking, type BookingType, type CardFace, type Dispute, type Intent, type PaymentError, type Session,
} from "./records.ts";
import { ripenSession } from "./session.ts";
import type { Shelf } from "./shelf.ts";
import { chargeToWire, intentToWire, payoutToWire, sessionToWire, type Wire } from "./wire.ts";

/** One event that a turn made, before it is queued for delivery. */
export interface TurnEvent {
  readonly type: string;
  /** What the event is about: events of one subject are delivered in order when nobody asked otherwise. */
  readonly subject: string;
  readonly object: Wire;
}

/**
 * One request's turn at the books: everything in it is one transaction, and
 * the events that it makes are queued in that same transaction.
 */
export interface Turn {
  readonly now: number;
  readonly shelf: Shelf;
  /** Where the hosted payment pages are. */
  readonly pageOrigin: string;
  readonly events: TurnEvent[];
  /** A fresh id with this prefix. */
  newId(prefix: string): string;
  /** The error that an approved card gets all the same when the behaviour says so, or null. */
  declineByBehaviour(): PaymentError | null;
}

/** Books an amount on the account's balance and gives its row. */
export function book(turn: Turn, entry: { type: BookingType; category: string; amountMinor: number; feeMinor: number; currency: string; source: string; description: string | null }): Booking {
  const booking: Booking = { id: turn.newId("txn"), createdAt: turn.now, ...entry };
  turn.shelf.add("txn", booking, { source: entry.source, type: entry.type, currency: entry.currency });
  turn.shelf.addToBalance(entry.currency, entry.amountMinor - entry.feeMinor);
  return booking;
}

export function saveIntent(turn: Turn, intent: Intent): void {
  turn.shelf.update("pi", intent);
  turn.shelf.schedule(intent.id, nextChangeAt(intent));
}

export function emitIntent(turn: Turn, type: string, intent: Intent): void {
  turn.events.push({ type, subject: intent.id, object: intentToWire(intent) });
}

export function emitCharge(turn: Turn, type: string, intent: Intent): void {
  const charge = chargeIdOf(intent);
  if (charge !== null) turn.events.push({ type, subject: intent.id, object: chargeToWire(intent, charge) });
}

export function emitSession(turn: Turn, type: string, session: Session, intent: Intent | null): void {
  turn.events.push({ type, subject: session.intent ?? session.id, object: sessionToWire(session, intent, turn.pageOrigin) });
}

/** The money of a capture arrives on the balance. */
export function bookCapture(turn: Turn, intent: Intent, amountMinor: number): Intent {
  if (amountMinor === 0) return intent;
  const booking = book(turn, {
    type: "charge", category: "charge", amountMinor, feeMinor: chargeFeeMinor(amountMinor, intent.currency),
    currency: intent.currency, source: chargeIdOf(intent) ?? intent.id, description: intent.terms.description,
  });
  return { ...intent, captureBooking: booking.id };
}

/** Stores what happened to an intent and tells about it; gives the intent as stored. */
function settle(turn: Turn, changed: Changed): Intent {
  const intent = changed.change === "captured" ? bookCapture(turn, changed.intent, changed.intent.capturedMinor) : changed.intent;
  saveIntent(turn, intent);
  switch (changed.change) {
    case "declined":
      emitIntent(turn, "payment_intent.payment_failed", intent);
      break;
    case "processing":
      emitIntent(turn, "payment_intent.processing", intent);
      break;
    case "authorised":
      emitCharge(turn, "charge.succeeded", intent);
      emitIntent(turn, "payment_intent.amount_capturable_updated", intent);
      break;
    case "captured":
      emitCharge(turn, "charge.succeeded", intent);
      emitIntent(turn, "payment_intent.succeeded", intent);
      break;
    case "expired":
      emitCharge(turn, "charge.expired", intent);
      emitIntent(turn, intent.status === "succeeded" ? "payment_intent.succeeded" : "payment_intent.canceled", intent);
      break;
  }
  return intent;
}

/** A card is presented for an intent that awaits one. The behaviour may decline what the card would approve. */
export function presentCard(turn: Turn, intent: Intent, card: CardFace, verdict: CardVerdict): Intent {
  const error = verdict.kind === "approve" ? turn.declineByBehaviour() : null;
  return settle(turn, present(intent, card, error === null ? verdict : { kind: "decline", error }, turn.now));
}

/**
 * The intent as the clock has left it. Whoever reads one goes through here: an
 * authorisation of eight days ago has expired even when no alarm ever ran.
 */
export function loadIntent(turn: Turn, id: string): Intent | null {
  const stored = turn.shelf.find("pi", id);
  if (stored === null) return null;
  const changed = ripenIntent(stored, turn.now);
  if (changed === null) return stored;
  const wasUnderway = stored.status === "processing";
  const intent = settle(turn, changed);
  const session = wasUnderway && intent.session !== null ? turn.shelf.find("cs_test", intent.session) : null;
  if (session !== null) {
    emitSession(turn, intent.status === "requires_payment_method" ? "checkout.session.async_payment_failed" : "checkout.session.async_payment_succeeded", session, intent);
  }
  // A payment that was under way for more than a week has been decided and has run out since.
  return ripenIntent(intent, turn.now) === null ? intent : loadIntent(turn, id);
}

/** The session has ended unpaid: an intent that somebody had begun is cancelled with it. */
export function closeUnpaid(turn: Turn, session: Session): void {
  turn.shelf.update("cs_test", session);
  turn.shelf.schedule(session.id, null);
  const begun = session.intent === null ? null : turn.shelf.find("pi", session.intent);
  const canceled = begun === null ? null : cancelIntent(begun, "automatic", turn.now);
  if (canceled?.ok === true) {
    saveIntent(turn, canceled.value);
    emitIntent(turn, "payment_intent.canceled", canceled.value);
  }
  emitSession(turn, "checkout.session.expired", session, canceled?.ok === true ? canceled.value : begun);
}

/** The session as the clock has left it. */
export function loadSession(turn: Turn, id: string): Session | null {
  const stored = turn.shelf.find("cs_test", id);
  if (stored === null) return null;
  const ripe = ripenSession(stored, turn.now);
  if (ripe !== null) closeUnpaid(turn, ripe);
  return ripe ?? stored;
}

export function sessionView(turn: Turn, session: Session): Wire {
  return sessionToWire(session, session.intent === null ? null : loadIntent(turn, session.intent), turn.pageOrigin);
}

export function bookingsOf(turn: Turn, dispute: Dispute): readonly Booking[] {
  return dispute.bookings.flatMap((id) => turn.shelf.find("txn", id) ?? []);
}

/** Lets the clock change up to `limit` records that are due; true when more may be. */
export function ripenDue(turn: Turn, limit: number): boolean {
  const due = turn.shelf.dueBy(turn.now, limit);
  for (const id of due) {
    if (id.startsWith("pi_")) {
      const intent = loadIntent(turn, id);
      turn.shelf.schedule(id, intent === null ? null : nextChangeAt(intent));
    } else if (id.startsWith("cs_")) loadSession(turn, id);
    else if (id.startsWith("po_")) ripenPayout(turn, id);
  }
  return due.length === limit;
}

function ripenPayout(turn: Turn, id: string): void {
  const payout = turn.shelf.find("po", id);
  turn.shelf.schedule(id, null);
  if (payout === null || payout.status === "paid") return;
  const paid = { ...payout, status: "paid" as const };
  turn.shelf.update("po", paid);
  turn.events.push({ type: "payout.paid", subject: id, object: payoutToWire(paid) });
}
