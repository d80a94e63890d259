import { describe, expect, it } from "vitest";
import type { OrderStatus } from "../../../../src/storefront/browser/page-data.ts";
import { hasHandover, orderWords } from "../../../../src/storefront/browser/words.ts";

type State = OrderStatus["state"];
type Payment = OrderStatus["payment"]["state"];

function orderOf(state: State, payment: Payment, change: Partial<OrderStatus> = {}): OrderStatus {
  return {
    id: "ord_X", state, lines: [], discountMinor: 0, totalMinor: 4200, currency: "EUR", payBy: "2026-12-04T18:10:00.000Z", payment: { state: payment, url: payment === "pending" ? "https://pay.example/" : null },
    receipt: "r", drop: "moth-tee", placedAt: "2026-12-04T18:00:00.000Z", fulfilment: "none", capturedMinor: 0, refundedMinor: 0, timeline: [], ...change,
  };
}

const words = (state: State, payment: Payment, change: Partial<OrderStatus> = {}) => orderWords(orderOf(state, payment, change), "de-DE");

describe("what a shopper reads about an order", () => {
  it("says of late money that it came too late and which way it went", () => {
    expect(words("expired", "voided").headline).toBe("The payment came too late");
    expect(words("expired", "voided").sentence).toContain("nothing is charged");
    expect(words("expired", "refunded", { refundedMinor: 4200 }).sentence.replace(/\s/g, " ")).toContain("42,00 € went back to you");
  });

  it("says of a payment that was refused why it was", () => {
    const text = "This card has paid for as many as one card may in this drop. You will not be charged, and the items went back on sale.";
    const { sentence, isOpen } = words("cancelled", "voided", { timeline: [{ at: "2026-12-04T18:01:00.000Z", kind: "refused", text }] });
    expect([sentence.startsWith(text), isOpen]).toEqual([true, false]);
    expect(words("cancelled", "voided").sentence).toMatch(/^The items are not coming/);
  });

  it("says that nobody was charged when nobody paid", () => {
    expect(words("expired", "none").sentence).toContain("You were not charged");
    expect(words("expired", "failed").sentence).toContain("You were not charged");
  });

  it("never promises the goods before the order is confirmed", () => {
    const states: State[] = ["placed", "confirming", "cancelled", "expired"];
    const payments: Payment[] = ["none", "pending", "authorised", "captured", "part-refunded", "refunded", "voided", "failed", "disputed"];
    for (const state of states) for (const payment of payments) expect(words(state, payment).headline).not.toBe("It is yours");
    expect(words("confirmed", "authorised").headline).toBe("It is yours");
    expect(words("confirmed", "captured").headline).toBe("It is yours");
  });

  it("says when it arrives only where something is to arrive, or was handed over", () => {
    expect(hasHandover(orderOf("confirmed", "authorised"))).toBe(true);
    for (const [state, payment] of [["cancelled", "refunded"], ["cancelled", "voided"], ["expired", "failed"], ["confirmed", "refunded"]] as const) expect([state, payment, hasHandover(orderOf(state, payment))]).toEqual([state, payment, false]);
    expect(hasHandover(orderOf("confirmed", "refunded", { fulfilment: "done" }))).toBe(true);
  });

  it("goes on asking while the answer is open and stops when it is final", () => {
    expect(words("placed", "pending").isOpen).toBe(true);
    expect(words("confirming", "pending").isOpen).toBe(true);
    expect(words("confirmed", "captured").isOpen).toBe(false);
    expect(words("expired", "voided").isOpen).toBe(false);
  });

  it("says that a declined card may be tried again", () => {
    expect(words("placed", "failed").sentence).toContain("Try again");
  });
});
