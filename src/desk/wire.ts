import type { AwaitedReturns, DropSnapshot } from "../drop/port.ts";
import { instantToWire } from "../kernel/time.ts";
import type { OrderView, TransferView } from "../settlement/port.ts";

/** An order as the desk shows it. Unlike the shopper's view it names the buyer, and unlike the stored one it has no payment address. */
export function orderToWire(view: OrderView): Record<string, unknown> {
  const { order } = view;
  return {
    id: order.id,
    drop: order.drop,
    dropTitle: order.dropTitle,
    state: view.state,
    payment: { state: view.payment.state },
    fulfilment: view.fulfilment,
    email: order.email,
    delivery: order.delivery,
    region: order.region,
    lines: order.lines,
    discountMinor: order.discountMinor,
    totalMinor: order.totalMinor,
    tax: order.tax,
    currency: order.currency,
    coupon: order.coupon,
    capturedMinor: view.capturedMinor,
    refundedMinor: view.refundedMinor,
    capture: order.capture,
    splits: order.splits,
    planHash: order.planHash,
    placedAt: instantToWire(order.placedAt),
    payBy: instantToWire(view.payBy),
    timeline: view.timeline.map((entry) => ({ at: instantToWire(entry.at), kind: entry.kind, text: entry.text })),
  };
}

/** `pendingId` is there only for a transfer that resolves another. */
export function transferToWire(transfer: TransferView): Record<string, unknown> {
  const { id, order, debit, credit, amountMinor, currency, state, pendingId, at } = transfer;
  return { id, order, debit, credit, amountMinor, currency, state, ...(pendingId === null ? {} : { pendingId }), at: instantToWire(at) };
}

/** Orders of a cancelled drop that were not paid back: until the given time the books wait for them, and afterwards they stay open for a person to look at. */
export function returnsToWire({ orders, until }: AwaitedReturns): Record<string, unknown> {
  return { orders, until: instantToWire(until) };
}

/** The state of a drop after a control, enough to see that it took effect. */
export function dropToWire(snapshot: DropSnapshot): Record<string, unknown> {
  const { live, plan } = snapshot;
  return {
    drop: plan.drop,
    planHash: snapshot.planHash,
    planVersion: snapshot.planVersion,
    asOf: instantToWire(live.asOf),
    phase: live.phase,
    stage: live.stage,
    available: live.available,
    nextStageAt: live.nextStageAt === null ? null : instantToWire(live.nextStageAt),
    closesAt: instantToWire(plan.closesAt),
    changes: snapshot.changes.map(({ seq, at, kind, changed }) => ({ seq, at: instantToWire(at), kind, changed })),
    stock: plan.stock.map((unit) => ({ sku: unit.sku, quantity: unit.quantity, stages: unit.stages.map((stage) => ({ opensAt: instantToWire(stage.opensAt), units: stage.units })) })),
  };
}
