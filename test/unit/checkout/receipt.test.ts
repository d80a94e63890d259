import { describe, expect, test } from "vitest";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { quoteOrder } from "../../../src/checkout/quote.ts";
import { decimalAmount, receiptDocument, receiptSchemaOrg } from "../../../src/checkout/receipt.ts";
import { canonicalJson } from "../../../src/kernel/canonical.ts";
import type { OrderView } from "../../../src/settlement/port.ts";

const placedAt = Date.parse("2026-12-04T18:01:02.345Z");
const store = { name: "Nightjar Supply", support: "help@nightjar.example", url: "https://nightjar.example" };
const quote = quoteOrder({
  currency: "EUR",
  lines: [{ sku: "MOTH-S", title: "Moth tee, S", quantity: 2, unitPriceMinor: 4_200 }, { sku: "PIN", title: "Pin", quantity: 1, unitPriceMinor: 500 }],
  percentOff: 10,
  tax: { label: "MwSt.", percent: 19 },
});
const order: PlacedOrder = {
  id: "ord_1", drop: "moth-tee", dropTitle: "Moth tee", planHash: "ab".repeat(32), hold: "hld_1", entry: "cd".repeat(32), email: "ana@example.org",
  delivery: { method: "pickup", point: "kiosk-k", slot: "17:00" }, region: "berlin", locale: "de-DE", currency: "EUR", ...quote,
  coupon: { campaign: "berlin-night", voucher: "cpn_secret" }, splits: [{ party: "platform", remainder: true }], capture: "on-fulfilment",
  placedAt, payBy: placedAt + 480_000, returnTo: store.url,
};
const view: OrderView = {
  order, state: "confirmed", payment: { state: "captured", url: null }, fulfilment: "none", payBy: placedAt + 600_000, capturedMinor: quote.totalMinor, refundedMinor: 0,
  timeline: [{ at: placedAt, kind: "placed", text: "The order was placed." }],
};

describe("a receipt", () => {
  test("carries the stored allocations, which sum to its totals, the plan it was sold under and every instant in RFC 3339", () => {
    const document = receiptDocument(view, store);
    expect(document).toMatchObject({
      order: "ord_1", url: "https://nightjar.example/orders/ord_1", policyVersion: order.planHash, currency: "EUR",
      subtotalMinor: 8_900, discountMinor: 890, totalMinor: 8_010, tax: { label: "MwSt.", percent: 19, includedMinor: 1_279 },
      payment: { state: "captured", capturedMinor: 8_010, refundedMinor: 0 }, delivery: { point: "kiosk-k", slot: "17:00" },
      placedAt: "2026-12-04T18:01:02.345Z", payBy: "2026-12-04T18:11:02.345Z", timeline: [{ at: "2026-12-04T18:01:02.345Z", kind: "placed" }],
    });
    expect(document.lines.reduce((sum, line) => sum + line.totalMinor, 0)).toBe(document.totalMinor);
    expect(document.lines.reduce((sum, line) => sum + line.taxMinor, 0)).toBe(document.tax?.includedMinor);
    expect(document.lines).toEqual(order.lines);
  });

  test("can be shown around: no address of the buyer, no voucher's number, no split", () => {
    const text = canonicalJson(receiptDocument(view, store)) + canonicalJson(receiptSchemaOrg(view, store));
    for (const secret of ["ana@example.org", "cpn_secret", "platform", "hld_1"]) expect(text).not.toContain(secret);
  });

  test("is the same text for the same order, so that its signature can be checked again", () => {
    expect(canonicalJson(receiptDocument(structuredClone(view), store))).toBe(canonicalJson(receiptDocument(view, store)));
  });

  test("says in schema.org's words what was ordered, what it cost and what is due", () => {
    expect(receiptSchemaOrg(view, store)).toMatchObject({
      "@context": "https://schema.org", "@type": "Order", orderNumber: "ord_1", orderStatus: "https://schema.org/OrderProcessing",
      price: "80.10", discount: "8.90", priceCurrency: "EUR", orderDate: "2026-12-04T18:01:02.345Z",
      orderedItem: [{ orderQuantity: 2, orderedItem: { sku: "MOTH-S" } }, { orderQuantity: 1 }],
      partOfInvoice: { "@type": "Invoice", paymentStatus: "https://schema.org/PaymentComplete", totalPaymentDue: { price: "80.10" } },
    });
  });

  test("tells an order that is over from one that waits for its money", () => {
    const statusOf = (change: Partial<OrderView>) => receiptSchemaOrg({ ...view, ...change }, store)["orderStatus"];
    expect(statusOf({ state: "placed", payment: { state: "pending", url: null } })).toBe("https://schema.org/OrderPaymentDue");
    expect(statusOf({ state: "expired", payment: { state: "voided", url: null } })).toBe("https://schema.org/OrderCancelled");
    expect(statusOf({ fulfilment: "done" })).toBe("https://schema.org/OrderDelivered");
    expect(statusOf({ payment: { state: "refunded", url: null } })).toBe("https://schema.org/OrderReturned");
  });

  test("writes amounts with the currency's own places: yen without, dinars with three", () => {
    expect([decimalAmount(4_200, "JPY"), decimalAmount(5, "EUR"), decimalAmount(4_200, "EUR"), decimalAmount(12, "KWD"), decimalAmount(0, "EUR")])
      .toEqual(["4200", "0.05", "42.00", "0.012", "0.00"]);
  });

  test("of a shipped order names the address it goes to", () => {
    const address = { name: "Ana", line1: "Weserstraße 12", line2: "Hof", postalCode: "12047", city: "Berlin", country: "DE" };
    const shipped = { ...view, order: { ...order, delivery: { method: "ship", address } as const } };
    expect(receiptSchemaOrg(shipped, store)).toMatchObject({ orderDelivery: { deliveryAddress: { streetAddress: "Weserstraße 12, Hof", addressLocality: "Berlin" } } });
    expect(receiptDocument(shipped, store).delivery).toEqual({ method: "ship", address });
  });
});
