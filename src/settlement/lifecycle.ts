import type { Line } from "../drop/port.ts";
import type { PaymentTruth, ProviderTruth } from "../payment/provider.ts";
import type { Hashing } from "../kernel/hashing.ts";
import { assert } from "../kernel/result.ts";
import { cardInDrop } from "./card-in-drop.ts";
import type { OrderBook, RefundBook } from "./order-book.ts";
import { handedOverMinor, refundableMinor, unitsHandedOverFor, unitsOpen, unitsOut } from "./order-book.ts";
import type { OrderEvent } from "./order-event.ts";

/*
 * What follows from an order's book: the one effect that is owed next, what
 * the provider's truth adds to it, and when to look again. No clock, no call:
 * the orchestration performs the effect, appends what it became, and asks again.
 */

/** The next effect that an order owes. */
export type Step =
  | { readonly kind: "open_session" }
  | { readonly kind: "close_session"; readonly session: string }
  | { readonly kind: "extend"; readonly payment: string }
  | { readonly kind: "confirm"; readonly payment: string; readonly card: string | null }
  | { readonly kind: "tell_drop" }
  | { readonly kind: "capture"; readonly payment: string; readonly amountMinor: number; readonly units: number; readonly isFinal: boolean; readonly isMulticapture: boolean }
  | { readonly kind: "void"; readonly payment: string }
  | { readonly kind: "refund"; readonly payment: string; readonly refund: RefundBook["event"] }
  | { readonly kind: "restock"; readonly refund: RefundBook["event"] }
  | { readonly kind: "return"; readonly lines: readonly Line[] }
  | { readonly kind: "refund_all"; readonly amountMinor: number; readonly reason: string }
  | { readonly kind: "refuse_amount"; readonly payment: string }
  | { readonly kind: "release_stray"; readonly payment: string };

/** The payment's name towards the drop when there is nothing to pay. */
function freePayment(order: string): string {
  return `free:${order}`;
}

/** The effect that is owed now, or null when the order waits for somebody or is at its end. */
export function nextStep(book: OrderBook): Step | null {
  const step = book.payment === null ? stepWithoutMoney(book) : stepWithMoney(book, book.payment);
  return step ?? stepOfStrays(book) ?? stepOfRefunds(book) ?? stepOfReturn(book);
}

/**
 * Of a cancelled drop nothing stays sold: once an order's money is back, its
 * units go back as well, whether or not they were handed over, so that the
 * record does not count a sale that nobody paid for. While a refund cannot be
 * made the sale stands in the record as it does at the bank.
 */
function stepOfReturn(book: OrderBook): Step | null {
  if (!book.isCancelled || book.isReturned || book.verdict !== "sold") return null;
  const isOwed = book.payment !== null && !book.isVoided && (!book.isCaptureFinal || refundableMinor(book) > 0 || book.refunds.some(({ state }) => state === "asked"));
  return isOwed ? null : { kind: "return", lines: unitsOut(book) };
}

/** One payment an order: the page that could still take another is closed, and a second payment is let go. */
function stepOfStrays(book: OrderBook): Step | null {
  if (book.payment !== null && book.session !== null && !book.isSessionClosed) return { kind: "close_session", session: book.session.id };
  const stray = Object.entries(book.strays).find(([, state]) => state === "paid");
  return stray === undefined ? null : { kind: "release_stray", payment: stray[0] };
}

/**
 * After so many refused cards an order's page is closed: people have two or
 * three, who tries out stolen ones has thousands. What follows is what follows
 * on any page that ended without a payment; the drop gives its units back and
 * keeps the same ticket, browser and person from sitting down at once again.
 */
export const DECLINES_MAX = 8;

/** Whether nothing that the shopper does may lead to a sale any more. */
function isOver(book: OrderBook): boolean {
  return book.isDue || book.isExpired || book.isCancelled || book.hasFailed;
}

function stepWithoutMoney(book: OrderBook): Step | null {
  // Asked also after a cancellation, as with money: what the drop sold before it has to come back.
  if (book.order.totalMinor === 0) return book.verdict === null && (book.isCancelled || !isOver(book)) ? { kind: "confirm", payment: freePayment(book.order.id), card: null } : null;
  if (book.processing !== null && !book.isExtended && !isOver(book)) return { kind: "extend", payment: book.processing };
  if (book.hasFailed && !book.isDropTold && !book.isExpired) return { kind: "tell_drop" };
  // A session whose payment is processing was completed; closing it would be refused for ever.
  const isToClose = isOver(book) || book.declines.length >= DECLINES_MAX;
  if (book.session !== null && !book.isSessionClosed && book.processing === null && isToClose) return { kind: "close_session", session: book.session.id };
  if (book.session === null && !isOver(book)) return { kind: "open_session" };
  return null;
}

function stepWithMoney(book: OrderBook, payment: NonNullable<OrderBook["payment"]>): Step | null {
  if (book.isVoided) return null;
  // Asked also after a cancellation: the drop may have sold before it, and only its answer was lost on the way.
  if (book.verdict === null && payment.authorisedMinor === book.order.totalMinor) return { kind: "confirm", payment: payment.id, card: payment.card };
  if (book.isCancelled || book.verdict === "refused") return release(book, payment.id);
  return book.verdict === null ? { kind: "refuse_amount", payment: payment.id } : captureStep(book, payment);
}

/** The money goes back: what is not captured is voided first, because a payment that can still be captured takes no refund; then the rest is refunded whole. */
function release(book: OrderBook, payment: string): Step | null {
  if (book.verdict === "refused" && !book.isDropTold && book.payment?.authorisedMinor !== book.order.totalMinor && !book.isExpired) return { kind: "tell_drop" };
  if (!book.isCaptureFinal) return { kind: "void", payment };
  const amountMinor = refundableMinor(book);
  // A refund that the provider refuses for good needs a person: asking again and again changes nothing.
  if (amountMinor === 0 || book.refunds.some((refund) => refund.state === "failed")) return null;
  return { kind: "refund_all", amountMinor, reason: refundReason(book) };
}

function refundReason({ isCancelled, refusal }: OrderBook): string {
  if (isCancelled) return "The drop was cancelled.";
  return refusal === "card_limit" ? "This card has paid for as many as one card may in this drop." : "The items were gone when the payment came.";
}

/**
 * What is to be captured. With `on-fulfilment` only what was handed over is:
 * at each hand-over where the card takes several captures, else once, when no
 * unit is open any more, because the first capture would end the authorisation
 * of the rest.
 */
function captureStep(book: OrderBook, payment: NonNullable<OrderBook["payment"]>): Step | null {
  if (book.isCaptureFinal) return null;
  const isAtOnce = book.order.capture === "at-once";
  const targetMinor = isAtOnce ? payment.authorisedMinor : handedOverMinor(book);
  const isFinal = isAtOnce || unitsOpen(book).length === 0 || targetMinor === payment.authorisedMinor;
  if (!isFinal && !payment.isMulticapture) return null;
  const amountMinor = targetMinor - book.capturedMinor;
  assert(amountMinor >= 0, "what was captured was handed over");
  // Nothing more to capture, but a rest that the bank still keeps for us.
  if (amountMinor === 0) return isFinal ? { kind: "void", payment: payment.id } : null;
  return { kind: "capture", payment: payment.id, amountMinor, units: unitsToCapture(book), isFinal, isMulticapture: payment.isMulticapture };
}

function unitsToCapture(book: OrderBook): number {
  const isAtOnce = book.order.capture === "at-once";
  return book.lines.reduce((sum, line) => sum + (isAtOnce ? line.quantity : line.handedOver), 0) - book.capturedUnits;
}

function stepOfRefunds(book: OrderBook): Step | null {
  const asked = book.refunds.find((refund) => refund.state === "asked");
  // A payment of which more may be captured takes no refund yet, and asking would be refused for good.
  if (asked !== undefined && book.payment !== null && book.isCaptureFinal) return { kind: "refund", payment: book.payment.id, refund: asked.event };
  // Money first: a drop that does not take its units back must not keep a shopper from a refund.
  const toRestock = book.refunds.find((refund) => refund.state === "done" && !refund.isRestocked);
  return toRestock === undefined ? null : { kind: "restock", refund: toRestock.event };
}

/**
 * What the provider's truth adds to the book: nothing when the book knows it
 * all, so that the same truth ten times is recorded once. A truth about another
 * order adds nothing.
 */
export function observe(book: OrderBook, truth: ProviderTruth, at: number, hashing: Hashing): OrderEvent[] {
  if (truth.order !== book.order.id) return [];
  const events: OrderEvent[] = [];
  // A page that ended without a payment, and that nobody was told of, was never this order's.
  const isWorthKnowing = truth.session?.status === "open" || truth.payment !== null;
  if (book.session === null && truth.session !== null && book.payment === null) {
    if (!isWorthKnowing) return [];
    events.push({ kind: "session_opened", at, session: truth.session.id, url: truth.session.url });
  }
  const ofPayment = observePayment(book, truth, at, hashing);
  events.push(...ofPayment);
  if (book.payment !== null) return [...events, ...observeOwnPage(book, truth, at)];
  if (ofPayment.length === 0 && isWithoutPayment(truth) && book.payment === null && !book.isSessionClosed) {
    events.push({ kind: "session_closed", at });
    // The page's end may be heard of before the drop's word that the time is over; the order's end is the same either way.
    if (!isOver(book)) events.push(at >= book.payBy ? { kind: "due", at } : { kind: "payment_failed", at });
  }
  return events;
}

/**
 * As `observe`, for what the provider knows of a session or a payment that is
 * not the book's: a page whose answer was lost, so that nobody was told of it.
 * Its end means nothing to the order; money in it does.
 */
export function observeElsewhere(book: OrderBook, truth: ProviderTruth, at: number, hashing: Hashing): OrderEvent[] {
  const isPaid = truth.payment?.status === "authorised" || truth.payment?.status === "captured";
  if (truth.order !== book.order.id || !isPaid) return [];
  return observePayment(book, truth, at, hashing).map((event) => (event.kind === "authorised" ? { ...event, isElsewhere: true } : event));
}

/** After a payment that was made elsewhere: whether the order's own page is closed, or took a payment as well, which makes it no less closed. */
function observeOwnPage(book: OrderBook, truth: ProviderTruth, at: number): OrderEvent[] {
  const isEnded = truth.session !== null && truth.session.id === book.session?.id && truth.session.status !== "open";
  return isEnded && !book.isSessionClosed ? [{ kind: "session_closed", at }] : [];
}

/** Whether the session ended and its payment, if there was one, will not come any more. */
function isWithoutPayment(truth: ProviderTruth): boolean {
  if (truth.payment?.status === "cancelled") return true;
  if (truth.session?.status === "expired") return truth.payment === null || truth.payment.status === "unpaid";
  return truth.session?.status === "complete" && truth.payment?.status === "unpaid";
}

function observePayment(book: OrderBook, truth: ProviderTruth, at: number, hashing: Hashing): OrderEvent[] {
  const seen = truth.payment;
  if (seen === null) return [];
  if (book.payment !== null && book.payment.id !== seen.id) {
    const isPaid = seen.status === "authorised" || seen.status === "captured";
    return isPaid && book.strays[seen.id] === undefined ? [{ kind: "stray_paid", at, payment: seen.id }] : [];
  }
  if (book.isVoided) return [];
  const currencyFits = seen.currency === book.order.currency;
  const authorised: OrderEvent[] = book.payment !== null ? [] : [{
    kind: "authorised", at, payment: seen.id,
    // Money in another currency is no money for this order: an amount of 0 is refused and released.
    amountMinor: currencyFits ? seen.amountMinor : 0,
    captureBefore: seen.captureBefore, isMulticapture: seen.isMulticapture,
    ...(seen.card === null ? {} : { card: cardInDrop(seen.card, book.order, hashing) }),
  }];
  switch (seen.status) {
    case "unpaid":
      return [];
    case "processing":
      return book.processing === null && book.payment === null ? [{ kind: "processing", at, payment: seen.id }] : [];
    case "authorised":
    case "captured":
      return currencyFits ? [...authorised, ...observeCapture(book, seen, at)] : authorised;
    case "cancelled":
      // A release that is owed was ours, whoever heard of it first.
      return book.payment === null || book.isCaptureFinal ? [] : [{ kind: "voided", at, payment: seen.id, by: book.isCancelled || book.verdict === "refused" ? "us" : "provider" }];
  }
}

/** What was captured without the book knowing: a part of an authorisation that goes on, or its end. */
function observeCapture(book: OrderBook, seen: PaymentTruth, at: number): OrderEvent[] {
  if (book.isCaptureFinal) return [];
  const isFinal = seen.status === "captured";
  const amountMinor = seen.capturedMinor - book.capturedMinor;
  if (amountMinor > 0) return [{ kind: "captured", at, payment: seen.id, amountMinor, units: unitsOfCapture(book, amountMinor), isFinal }];
  // After the last part the rest ran out, or was released: otherwise its transfers would stay pending for ever.
  return isFinal && book.capturedMinor > 0 ? [{ kind: "voided", at, payment: seen.id, by: "provider" }] : [];
}

/** How many units a capture paid for that we did not see happen: those that were handed over when they cost as much, else all. */
function unitsOfCapture(book: OrderBook, amountMinor: number): number {
  const step = book.payment === null || book.verdict !== "sold" ? null : captureStep(book, book.payment);
  if (step?.kind === "capture" && step.amountMinor === amountMinor) return step.units;
  const all = book.lines.reduce((sum, line) => sum + line.quantity, 0);
  const paidFor = book.order.capture === "at-once" ? all : (unitsHandedOverFor(book, book.capturedMinor + amountMinor) ?? all);
  return Math.max(0, paidFor - book.capturedUnits);
}

const HOUR_MS = 3_600_000;
/** A shopper who has not paid after so long may have paid, and the webhook is lost. */
const LOST_WEBHOOK_MS = 120_000;

const MINUTE_MS = 60_000;

/** When to look again at what has been waiting since `since`: after half as long again, at least a minute and at most six hours. */
export function lookAgainAt(since: number, now: number): number {
  return now + Math.min(Math.max(Math.floor((now - since) / 2), MINUTE_MS), 6 * HOUR_MS);
}

/** When the sweep closes the till; a little after the drop's own message, which usually does it. */
export function tillClosesAt(book: OrderBook): number {
  return book.payBy + 5_000;
}

/**
 * When the sweep should look at an order again, epoch milliseconds; null when
 * nothing is owed and nothing is awaited. The first look comes soon, because
 * whoever recorded the last event usually goes on by itself.
 */
export function attentionAt(book: OrderBook): number | null {
  const soon = book.lastAt + 20_000;
  if (nextStep(book) !== null) return soon;
  if (book.payment === null) {
    if (book.processing !== null && !book.hasFailed) return soon;
    if (book.session !== null && !book.isSessionClosed) return isOver(book) ? soon : Math.min(book.lastAt + LOST_WEBHOOK_MS, tillClosesAt(book));
    return null;
  }
  if (book.verdict === "sold" && !book.isCancelled && !book.isVoided && !book.isCaptureFinal && unitsOpen(book).length > 0) return captureDeadline(book);
  return null;
}

/**
 * Half a day before the authorisation ends. Where the provider does not say
 * when that is, seven days after it was given, as card schemes have it.
 */
export function captureDeadline(book: OrderBook): number {
  assert(book.payment !== null, "only a payment has a deadline for its capture");
  return (book.payment.captureBefore ?? book.payment.authorisedAt + 7 * 24 * HOUR_MS) - 12 * HOUR_MS;
}
