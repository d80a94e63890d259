import { formatMoney } from "../../kernel/money.ts";
import type { OrderStatus } from "./page-data.ts";
import type { Position } from "./rank.ts";

export function placeWords(position: Position | null): string {
  if (position === null) return "…";
  return position.from === position.to ? String(position.from) : `${position.from}–${position.to}`;
}

/** In which line somebody stands; empty without a ticket. */
export function laneWords(lanes: readonly { readonly lane: string; readonly audience: string }[], lane: string | undefined): string {
  const audience = lanes.find((candidate) => candidate.lane === lane)?.audience;
  return lane === undefined ? "" : audience === undefined ? "In everyone's line" : `In the line for ${audience}`;
}

export interface OrderWords {
  readonly headline: string;
  readonly sentence: string;
  /** Whether the answer can still change soon, so that the page goes on asking. */
  readonly isOpen: boolean;
}

/** What became of the money, for an order that will not be fulfilled. */
function moneyBack(order: OrderStatus, locale: string): string {
  const amount = formatMoney(order.refundedMinor, order.currency, locale);
  switch (order.payment.state) {
    case "voided":
      return "Your payment was let go: the reservation on your card is released, and nothing is charged. Your bank may show it for a few days.";
    case "refunded":
    case "part-refunded":
      return `${amount} went back to you. It takes your bank a few days to show it.`;
    case "authorised":
    case "captured":
    case "pending":
      return "If your payment still arrives, it is given back in full, by itself. You need not do anything.";
    default:
      return "You were not charged.";
  }
}

/** Why the payment was not taken, as the order's story says it; null where it was not refused. */
function refusedWords({ timeline }: OrderStatus): string | null {
  return timeline.find(({ kind }) => kind === "refused")?.text ?? null;
}

/** An order's state in words: what it is, what it means, what to do next. */
export function orderWords(order: OrderStatus, locale: string): OrderWords {
  const { state, payment } = order;
  if (state === "confirmed") return confirmedWords(order, locale);
  if (state === "cancelled") return { headline: "This order was cancelled", sentence: `${refusedWords(order) ?? "The items are not coming."} ${moneyBack(order, locale)}`, isOpen: payment.state === "authorised" || payment.state === "captured" };
  if (state === "expired") {
    const isLate = payment.state === "voided" || payment.state === "refunded";
    const sentence = isLate
      ? `The payment came after the time to pay was over, and the items had gone back to the next in line. ${moneyBack(order, locale)}`
      : `The time to pay is over, and the items went back to the next in line. ${moneyBack(order, locale)} Your place in the drop is kept: you may take a turn again while there is stock.`;
    return { headline: isLate ? "The payment came too late" : "The time to pay is over", sentence, isOpen: payment.state === "pending" };
  }
  if (payment.state === "failed") return { headline: "The payment did not go through", sentence: "Nothing was charged, and the items are still held for you. Try again, with another card if you like, before the time is over.", isOpen: true };
  if (state === "confirming" || payment.state === "authorised" || payment.url === null) {
    return { headline: "Being confirmed", sentence: "We are waiting for the payment's answer. You need not do anything, and nothing is paid twice. It ends with one answer, at the latest fifteen minutes after you ordered.", isOpen: true };
  }
  return { headline: "Waiting for your payment", sentence: "The items are held for you until the time below. If you have just paid, this page says so in a moment.", isOpen: true };
}

function confirmedWords(order: OrderStatus, locale: string): OrderWords {
  const { payment, fulfilment } = order;
  const isDone = fulfilment === "done";
  if (payment.state === "refunded") return { headline: "Paid back", sentence: `This order was paid back in full. ${moneyBack(order, locale)}`, isOpen: false };
  if (payment.state === "part-refunded") return { headline: "Partly paid back", sentence: moneyBack(order, locale), isOpen: false };
  if (payment.state === "disputed") return { headline: "Under dispute", sentence: "Your bank is looking at this payment. The order stays as it is until the bank has decided.", isOpen: false };
  if (payment.state === "voided") return { headline: "Not charged", sentence: moneyBack(order, locale), isOpen: false };
  return {
    headline: isDone ? "Handed over" : "It is yours",
    sentence: payment.state === "captured" ? `Paid. ${isDone ? "Enjoy it." : "Your receipt is below; keep this page or save the signed receipt."}` : "Confirmed. The amount is reserved on your card and is charged only when the order is handed over. Your receipt is below.",
    isOpen: false,
  };
}

const PAYMENT_WORDS: Readonly<Record<OrderStatus["payment"]["state"], string>> = {
  none: "not started",
  pending: "waiting",
  authorised: "reserved, charged at the handover",
  captured: "paid",
  "part-refunded": "partly paid back",
  refunded: "paid back",
  voided: "let go, nothing charged",
  failed: "declined, nothing charged",
  disputed: "under dispute",
};

const FULFILMENT_WORDS: Readonly<Record<OrderStatus["fulfilment"], string>> = { none: "still to come", part: "partly handed over", done: "handed over" };

export function paymentWords(order: OrderStatus): string {
  return PAYMENT_WORDS[order.payment.state];
}

/** Whether there is or was anything to hand over: an order that came to nothing must not say when it arrives. */
export function hasHandover({ state, payment, fulfilment }: OrderStatus): boolean {
  return fulfilment !== "none" || (state !== "cancelled" && state !== "expired" && payment.state !== "refunded");
}

export function fulfilmentWords(order: OrderStatus): string {
  return FULFILMENT_WORDS[order.fulfilment];
}
