import type { OrderAnswer, OrderStatusAnswer } from "../../../schema/wire/order.ts";
import type { PlacedOrder } from "../../checkout/placed-order.ts";
import { instantToWire } from "../../kernel/time.ts";
import type { OrderView } from "../../settlement/port.ts";

/**
 * An order of which settlement has not told us yet: placed in the Drop object,
 * its payment on the way. The outbox drives it on under the same key.
 */
export function confirmingView(order: PlacedOrder): OrderView {
  return {
    order,
    state: "confirming",
    payment: { state: "none", url: null },
    fulfilment: "none",
    payBy: order.payBy,
    capturedMinor: 0,
    refundedMinor: 0,
    timeline: [{ at: order.placedAt, kind: "placed", text: "Order placed. The payment page is being prepared." }],
  };
}

export function orderToWire(view: OrderView, receipt: string): OrderAnswer {
  const { order, payment } = view;
  return {
    id: order.id,
    state: view.state,
    lines: order.lines.map(({ sku, title, quantity, unitPriceMinor, discountMinor, totalMinor }) => ({ sku, title, quantity, unitPriceMinor, discountMinor, totalMinor })),
    discountMinor: order.discountMinor,
    totalMinor: order.totalMinor,
    currency: order.currency,
    payBy: instantToWire(view.payBy),
    payment: { state: payment.state, url: payment.url },
    receipt,
  };
}

export function orderStatusToWire(view: OrderView, receipt: string): OrderStatusAnswer {
  return {
    ...orderToWire(view, receipt),
    drop: view.order.drop,
    placedAt: instantToWire(view.order.placedAt),
    fulfilment: view.fulfilment,
    capturedMinor: view.capturedMinor,
    refundedMinor: view.refundedMinor,
    timeline: view.timeline.map(({ at, kind, text }) => ({ at: instantToWire(at), kind, text })),
  };
}
