import { formatMoney } from "../kernel/money.ts";
import { instantToWire } from "../kernel/time.ts";
import type { OrderBook } from "./order-book.ts";
import { repaidMinor } from "./order-book.ts";
import type { OrderEvent, Refusal } from "./order-event.ts";
import type { FulfilmentState, OrderState, OrderView, PaymentState, TimelineEntry } from "./port.ts";

/** The order as shoppers and the desk see it. */
export function viewOrder(book: OrderBook, events: readonly OrderEvent[]): OrderView {
  const isPayable = orderState(book) === "placed" && !book.isDue && !book.isSessionClosed;
  return {
    order: book.order,
    state: orderState(book),
    payment: { state: paymentState(book), url: isPayable ? (book.session?.url ?? null) : null },
    fulfilment: fulfilmentState(book),
    payBy: book.payBy,
    capturedMinor: book.capturedMinor,
    refundedMinor: repaidMinor(book, ["done"]),
    timeline: events.flatMap((event, index) => (isTooLateToTell(events, index) ? [] : timelineOf(event, book))),
  };
}

/**
 * An order is confirmed once the drop sold it and the money is there. An
 * authorisation that ended before its capture takes the confirmation back.
 */
function orderState(book: OrderBook): OrderState {
  if (book.verdict === "sold" && !book.isCancelled && !book.isVoided) return "confirmed";
  if (book.isCancelled || book.isVoided) return book.isExpired && book.verdict !== "sold" ? "expired" : "cancelled";
  if (book.verdict === "refused") return book.isExpired ? "expired" : "cancelled";
  if (book.hasFailed) return "cancelled";
  if (book.payment !== null) return "confirming";
  if (book.isExpired) return "expired";
  if (book.isDue && (book.isSessionClosed || book.session === null)) return "expired";
  if (book.isDue || book.processing !== null) return "confirming";
  return book.session === null ? "confirming" : "placed";
}

function paymentState(book: OrderBook): PaymentState {
  if (Object.values(book.disputes).some((dispute) => dispute.state !== "won")) return "disputed";
  const repaid = repaidMinor(book, ["done"]);
  if (repaid > 0) return repaid === book.capturedMinor ? "refunded" : "part-refunded";
  if (book.capturedMinor > 0) return "captured";
  if (book.isVoided) return "voided";
  if (book.payment !== null) return "authorised";
  if (book.hasFailed || book.isSessionClosed || (book.session === null && book.isDue)) return "failed";
  return book.session === null ? "none" : "pending";
}

function fulfilmentState(book: OrderBook): FulfilmentState {
  const handedOver = book.lines.reduce((sum, line) => sum + line.handedOver, 0);
  if (handedOver === 0) return "none";
  return book.lines.every((line) => line.handedOver + line.returnedBefore === line.quantity) ? "done" : "part";
}

/** Events in plain words; what only concerns us and the provider tells a shopper nothing and is left out. */
function timelineOf(event: OrderEvent, book: OrderBook): TimelineEntry[] {
  const text = wordsOf(event, book);
  return text === null ? [] : [{ at: event.at, kind: event.kind, text }];
}

/** A payment page that was found after its time is closed at once: nobody could use it, and nobody is told of it. */
function isTooLateToTell(events: readonly OrderEvent[], index: number): boolean {
  return events[index]?.kind === "session_opened" && events.slice(0, index).some(({ kind }) => ENDS_OF_PAYING.has(kind));
}

const ENDS_OF_PAYING: ReadonlySet<OrderEvent["kind"]> = new Set(["due", "expired", "cancelled", "payment_failed", "authorised"]);

const REFUSED: Readonly<Record<Refusal, string>> = {
  no_stock: "The payment came after the time to pay, and the items are gone. You will not be charged.",
  wrong_amount: "The payment was not for the order's total. You will not be charged.",
  card_limit: "This card has paid for as many as one card may in this drop. You will not be charged, and the items went back on sale.",
};

function wordsOf(event: OrderEvent, book: OrderBook): string | null {
  const money = (amountMinor: number) => formatMoney(amountMinor, book.order.currency, book.order.locale);
  switch (event.kind) {
    case "placed":
      return "You placed the order. Your items are reserved while you pay.";
    case "session_opened":
      return "The payment page is ready.";
    case "session_refused":
    case "payment_failed":
      return "The payment could not be made. You were not charged.";
    case "processing":
      return "Your bank is still working on the payment.";
    case "extended":
      return `Your items stay reserved until ${instantToWire(event.payBy)} while the bank works.`;
    case "authorised":
      return `Your bank has approved ${money(event.amountMinor)}.`;
    case "sold":
      return "The order is confirmed. The items are yours.";
    case "refused":
      // A cancelled drop sells nothing more; that it was cancelled is told, and is the reason.
      if (book.isCancelled) return null;
      return REFUSED[event.reason];
    case "captured":
      return `${money(event.amountMinor)} was charged.`;
    case "voided":
      if (book.capturedMinor > 0) return "The rest of the payment was released. You were not charged for it.";
      return event.by === "us" ? "The payment was released. You were not charged." : "The bank's approval has ended. You were not charged.";
    case "stray_released":
      return event.by === "refund"
        ? `A second payment of ${money(event.amountMinor)} for this order was refunded.`
        : `A second payment of ${money(event.amountMinor)} for this order was released. You were not charged for it.`;
    case "due":
      return "The time to pay is over.";
    case "expired":
      return "The order was not paid in time. The items went back on sale.";
    case "cancelled":
      return "The seller cancelled the drop. Whatever you paid comes back.";
    case "fulfilled":
      return `Handed over: ${event.lines.map((line) => `${line.quantity} × ${titleOf(line.sku, book)}`).join(", ")}.`;
    case "refund_requested":
      return event.amountMinor === 0 ? "Items were taken off the order. You will not be charged for them." : `A refund of ${money(event.amountMinor)} is on its way.`;
    case "refunded":
      return `${money(event.amountMinor)} was refunded.`;
    case "refund_failed":
      return "The refund did not go through. The seller will be in touch.";
    case "disputed":
      return "The payment was disputed at the bank.";
    case "dispute_closed":
      return event.outcome === "won" ? "The dispute is closed. The payment stands." : "The dispute is closed. The bank returned the money.";
    case "declined":
    case "effect_failed":
    case "stray_paid":
    case "session_closed":
    case "drop_told":
    case "restocked":
    case "returned":
      return null;
  }
}

function titleOf(sku: string, book: OrderBook): string {
  return book.order.lines.find((line) => line.sku === sku)?.title ?? sku;
}
