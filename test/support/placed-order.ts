import type { PlacedOrder } from "../../src/checkout/placed-order.ts";

/** The named moment of these tests: the Moth tee drop opens. */
export const OPENING = Date.UTC(2026, 11, 4, 18, 0, 0);

/** An order for two small and one large Moth tee, 12,600 minor units, with the splits of the demo store. */
export function placedOrder(changes: Partial<PlacedOrder> = {}): PlacedOrder {
  return {
    id: "ord_0000000000000000000000000A",
    drop: "moth-tee",
    dropTitle: "Moth tee",
    planHash: "a".repeat(64),
    hold: "hld_0000000000000000000000000A",
    entry: "b".repeat(64),
    email: "ida@example.org",
    delivery: { method: "pickup", point: "kiosk-k", slot: null },
    region: "berlin",
    locale: "en-GB",
    currency: "EUR",
    lines: [
      { sku: "MOTH-S", title: "Moth tee, S", quantity: 2, unitPriceMinor: 4_200, discountMinor: 0, totalMinor: 8_400, taxMinor: 0 },
      { sku: "MOTH-L", title: "Moth tee, L", quantity: 1, unitPriceMinor: 4_200, discountMinor: 0, totalMinor: 4_200, taxMinor: 0 },
    ],
    discountMinor: 0,
    totalMinor: 12_600,
    tax: null,
    coupon: null,
    splits: [{ party: "partner:kiosk-k", fixedMinor: 300 }, { party: "creator:ana", percent: 70 }, { party: "platform", remainder: true }],
    capture: "at-once",
    placedAt: OPENING,
    payBy: OPENING + 8 * 60_000,
    returnTo: "https://store.example",
    ...changes,
  };
}
