import type { PlacedOrder } from "../checkout/placed-order.ts";
import type { Line } from "../drop/port.ts";
import { apportion, payableStep } from "../kernel/money.ts";
import { assert } from "../kernel/result.ts";
import type { OrderEvent, Refusal } from "./order-event.ts";

/** How many units of one order line went which way. */
export interface LineBook {
  readonly sku: string;
  readonly quantity: number;
  readonly totalMinor: number;
  /** What can be captured or paid back of it is a multiple of this. */
  readonly stepMinor: number;
  readonly handedOver: number;
  /** Withdrawn or refunded without having been handed over. */
  readonly returnedBefore: number;
  /** Refunded after they were handed over. */
  readonly returnedAfter: number;
  /** Units whose money was, or is being, paid back line by line. */
  readonly repaid: number;
}

export interface RefundBook {
  readonly event: Extract<OrderEvent, { kind: "refund_requested" }>;
  readonly state: "asked" | "done" | "failed";
  readonly isRestocked: boolean;
}

/** What the events of one order add up to. Never stored: the events are the truth. */
export interface OrderBook {
  readonly order: PlacedOrder;
  /** How many events there are; the next one gets this number. */
  readonly seq: number;
  readonly lastAt: number;
  readonly session: { readonly id: string; readonly url: string | null } | null;
  readonly isSessionClosed: boolean;
  /** The provider's events that say of a refused card, each once. */
  readonly declines: readonly string[];
  /** By effect: how often the provider kept a failure as its answer, and when it last did. */
  readonly failures: Readonly<Record<string, { readonly count: number; readonly lastAt: number }>>;
  /** Second payments of this order, which are let go. */
  readonly strays: Readonly<Record<string, "paid" | "released">>;
  readonly payBy: number;
  readonly isExtended: boolean;
  readonly isDue: boolean;
  readonly isExpired: boolean;
  readonly isCancelled: boolean;
  /** Whether the units of a cancelled order that had been sold are back in the drop. */
  readonly isReturned: boolean;
  /** The payment that the provider calls "processing". */
  readonly processing: string | null;
  readonly payment: {
    readonly id: string;
    readonly authorisedMinor: number;
    readonly authorisedAt: number;
    readonly captureBefore: number | null;
    readonly isMulticapture: boolean;
    readonly card: string | null;
  } | null;
  readonly verdict: "sold" | "refused" | null;
  /** Why it was refused, where it was. */
  readonly refusal: Refusal | null;
  readonly capturedMinor: number;
  /** How many units the captured money paid for. */
  readonly capturedUnits: number;
  readonly isCaptureFinal: boolean;
  readonly isVoided: boolean;
  readonly hasFailed: boolean;
  readonly isDropTold: boolean;
  readonly lines: readonly LineBook[];
  readonly fulfilments: readonly Extract<OrderEvent, { kind: "fulfilled" }>[];
  readonly refunds: readonly RefundBook[];
  readonly disputes: Readonly<Record<string, { readonly state: "open" | "won" | "lost"; readonly amountMinor: number }>>;
}

/** Adds up the events of one order; null when there are none. */
export function foldOrder(events: readonly OrderEvent[]): OrderBook | null {
  const [first, ...rest] = events;
  if (first === undefined) return null;
  assert(first.kind === "placed", "an order begins by being placed");
  return rest.reduce(applyEvent, openBook(first.order, first.at));
}

function openBook(order: PlacedOrder, at: number): OrderBook {
  const step = payableStep(order.currency);
  return {
    order, seq: 1, lastAt: at,
    session: null, isSessionClosed: false, declines: [], failures: {}, strays: {}, payBy: order.payBy, isExtended: false,
    isDue: false, isExpired: false, isCancelled: false, isReturned: false,
    processing: null, payment: null, verdict: null, refusal: null,
    capturedMinor: 0, capturedUnits: 0, isCaptureFinal: false, isVoided: false, hasFailed: false, isDropTold: false,
    lines: order.lines.map((line) => ({
      // An order from before discounts were rounded to what cards pay may have lines that are not: its money still has to move.
      sku: line.sku, quantity: line.quantity, totalMinor: line.totalMinor, stepMinor: line.totalMinor % step === 0 ? step : 1,
      handedOver: 0, returnedBefore: 0, returnedAfter: 0, repaid: 0,
    })),
    fulfilments: [], refunds: [], disputes: {},
  };
}

/** One more event. Pure; also used to see where events that are not stored yet would lead. */
export function applyEvent(book: OrderBook, event: OrderEvent): OrderBook {
  // A failure brings the order no further: counted as a sign of life, it would keep the sweep from waiting longer each time.
  const lastAt = event.kind === "effect_failed" ? book.lastAt : Math.max(book.lastAt, event.at);
  return { ...book, seq: book.seq + 1, lastAt, ...changes(book, event) };
}

function changes(book: OrderBook, event: OrderEvent): Partial<OrderBook> {
  switch (event.kind) {
    case "placed":
      return {};
    case "session_opened":
      return { session: { id: event.session, url: event.url } };
    case "session_refused":
    case "payment_failed":
      return { hasFailed: true };
    case "session_closed":
      return { isSessionClosed: true };
    case "declined":
      return { declines: [...book.declines, event.notice] };
    case "processing":
      return { processing: event.payment };
    case "extended":
      return { payBy: Math.max(book.payBy, event.payBy), isExtended: true };
    case "authorised":
      return {
        isSessionClosed: book.isSessionClosed || book.session === null || event.isElsewhere !== true,
        payment: {
          id: event.payment, authorisedMinor: event.amountMinor, authorisedAt: event.at,
          captureBefore: event.captureBefore, isMulticapture: event.isMulticapture, card: event.card ?? null,
        },
      };
    case "effect_failed":
      return { failures: { ...book.failures, [event.effect]: { count: (book.failures[event.effect]?.count ?? 0) + 1, lastAt: event.at } } };
    case "stray_paid":
      return { strays: { ...book.strays, [event.payment]: "paid" } };
    case "stray_released":
      return { strays: { ...book.strays, [event.payment]: "released" } };
    case "sold":
      return { verdict: "sold" };
    case "refused":
      return { verdict: "refused", refusal: event.reason };
    case "captured":
      return {
        capturedMinor: book.capturedMinor + event.amountMinor,
        capturedUnits: book.capturedUnits + event.units,
        isCaptureFinal: book.isCaptureFinal || event.isFinal,
      };
    case "voided":
      // After a part was captured, only the rest is released: the order stands.
      return book.capturedMinor > 0 ? { isCaptureFinal: true } : { isVoided: true };
    case "drop_told":
      return { isDropTold: true };
    case "due":
      return { isDue: true };
    case "expired":
      return { isDue: true, isExpired: true };
    case "cancelled":
      return { isCancelled: true };
    case "returned":
      return { isReturned: true };
    default:
      return afterSale(book, event);
  }
}

type AfterSale = Extract<OrderEvent, { kind: "fulfilled" | "refund_requested" | "refunded" | "refund_failed" | "restocked" | "disputed" | "dispute_closed" }>;

function afterSale(book: OrderBook, event: AfterSale): Partial<OrderBook> {
  switch (event.kind) {
    case "fulfilled":
      return {
        fulfilments: [...book.fulfilments, event],
        lines: spread(book.lines, event.lines, (line) => line.quantity - line.handedOver - line.returnedBefore, "handedOver"),
      };
    case "refund_requested": {
      const state = event.amountMinor === 0 ? "done" : "asked";
      return { refunds: [...book.refunds, { event, state, isRestocked: event.restock.length === 0 }], lines: returned(book.lines, event) };
    }
    case "refunded":
      return { refunds: book.refunds.map((refund) => (refund.event.refund === event.refund ? { ...refund, state: "done" as const } : refund)) };
    case "refund_failed":
      return {
        refunds: book.refunds.map((refund) => (refund.event.refund === event.refund ? { ...refund, state: "failed" as const } : refund)),
        lines: withoutFailed(book, event.refund),
      };
    case "restocked":
      return { refunds: book.refunds.map((refund) => (refund.event.refund === event.refund ? { ...refund, isRestocked: true } : refund)) };
    case "disputed":
      return book.disputes[event.dispute] === undefined
        ? { disputes: { ...book.disputes, [event.dispute]: { state: "open", amountMinor: event.amountMinor } } }
        : {};
    case "dispute_closed":
      return { disputes: { ...book.disputes, [event.dispute]: { state: event.outcome, amountMinor: event.amountMinor } } };
  }
}

function returned(lines: readonly LineBook[], event: Extract<OrderEvent, { kind: "refund_requested" }>): readonly LineBook[] {
  const before = spread(lines, event.before, (line) => line.quantity - line.handedOver - line.returnedBefore, "returnedBefore");
  const after = spread(before, event.after, (line) => line.handedOver - line.returnedAfter, "returnedAfter");
  return spread(after, event.repaid, (line) => line.quantity - line.repaid, "repaid");
}

/** A refund that failed gives its units back: what they were before is added up again from the others. */
function withoutFailed(book: OrderBook, failed: string): readonly LineBook[] {
  const before = book.lines.map((line) => ({ ...line, returnedBefore: 0, returnedAfter: 0, repaid: 0 }));
  return book.refunds
    .filter((refund) => refund.state !== "failed" && refund.event.refund !== failed)
    .reduce<readonly LineBook[]>((lines, refund) => returned(lines, refund.event), before);
}

/** Adds units to a counter of the lines of their sku, each line as far as it has room. */
function spread(
  lines: readonly LineBook[], units: readonly Line[], room: (line: LineBook) => number,
  counter: "handedOver" | "returnedBefore" | "returnedAfter" | "repaid",
): readonly LineBook[] {
  const left = new Map<string, number>();
  for (const unit of units) left.set(unit.sku, (left.get(unit.sku) ?? 0) + unit.quantity);
  const changed = lines.map((line) => {
    const taken = Math.min(left.get(line.sku) ?? 0, room(line));
    left.set(line.sku, (left.get(line.sku) ?? 0) - taken);
    return taken === 0 ? line : { ...line, [counter]: line[counter] + taken };
  });
  assert([...left.values()].every((quantity) => quantity === 0), "an order line has room for the units that are counted against it");
  return changed;
}

/**
 * What the first `units` units of a line cost. Cumulative, so that units that
 * are captured or repaid one by one cost exactly the line together, in
 * whatever steps.
 */
export function unitsTotal(line: LineBook, units: number): number {
  return apportion(line.totalMinor, [units, line.quantity - units], line.stepMinor)[0] ?? 0;
}

/** What the units that were handed over cost. */
export function handedOverMinor(book: Pick<OrderBook, "lines">): number {
  return book.lines.reduce((sum, line) => sum + unitsTotal(line, line.handedOver), 0);
}

/** How many units had been handed over when all of them together cost `amountMinor`; null when they never did. */
export function unitsHandedOverFor(book: OrderBook, amountMinor: number): number | null {
  let lines: readonly LineBook[] = book.lines.map((line) => ({ ...line, handedOver: 0 }));
  for (const fulfilment of book.fulfilments) {
    lines = spread(lines, fulfilment.lines, (line) => line.quantity - line.handedOver, "handedOver");
    if (handedOverMinor({ lines }) === amountMinor) return lines.reduce((sum, line) => sum + line.handedOver, 0);
  }
  return null;
}

/** Units that are neither handed over nor taken back. */
export function unitsOpen(book: OrderBook): readonly Line[] {
  return book.lines
    .map((line) => ({ sku: line.sku, quantity: line.quantity - line.handedOver - line.returnedBefore }))
    .filter((line) => line.quantity > 0);
}

/** Units of the order that no refund has put back into the drop yet. */
export function unitsOut(book: OrderBook): readonly Line[] {
  const back = new Map<string, number>();
  for (const { event, isRestocked } of book.refunds) if (isRestocked) for (const { sku, quantity } of event.restock) back.set(sku, (back.get(sku) ?? 0) + quantity);
  return book.lines
    .map(({ sku, quantity }) => ({ sku, quantity: quantity - (back.get(sku) ?? 0) }))
    .filter(({ quantity }) => quantity > 0);
}

/** What was paid back, and what was or may still be paid back. */
export function repaidMinor(book: OrderBook, states: readonly RefundBook["state"][]): number {
  return book.refunds.filter((refund) => states.includes(refund.state)).reduce((sum, refund) => sum + refund.event.amountMinor, 0);
}

function lostInDisputesMinor(book: OrderBook): number {
  return Object.values(book.disputes).reduce((sum, dispute) => sum + (dispute.state === "lost" ? dispute.amountMinor : 0), 0);
}

/** What of the captured money may still be paid back. */
export function refundableMinor(book: OrderBook): number {
  return Math.max(0, book.capturedMinor - repaidMinor(book, ["asked", "done"]) - lostInDisputesMinor(book));
}
