import { describe, expect, it } from "vitest";
import { anotherTurn, unitsOrdered } from "../../../../src/storefront/browser/another.ts";
import type { Live, Order } from "../../../../src/storefront/browser/page-data.ts";
import { type Memory, NOTHING, type RememberedOrder } from "../../../../src/storefront/browser/storage.ts";

const LIVE: Live = {
  asOf: "", now: "", phase: "open", stage: 1, available: 5, low: false, nextStageAt: null, waiting: 0, seed: "ab", quantiles: [], thresholds: [],
  items: [{ sku: "TEE", available: 5, soldOut: null }], head: { seq: 1, hash: "ab".repeat(32) },
};

function ordered(quantity: number, state: Order["state"] = "confirmed"): RememberedOrder {
  const line = { sku: "TEE", title: "Tee", quantity, unitPriceMinor: 1, discountMinor: 0, totalMinor: quantity };
  const answer: Order = { id: `ord_${quantity}`, state, lines: [line], discountMinor: 0, totalMinor: quantity, currency: "EUR", payBy: "", payment: { state: "authorised", url: null }, receipt: "r" };
  return { id: `ord_${quantity}`, body: null, handover: "", answer };
}

function after(order: RememberedOrder | null, ...past: RememberedOrder[]): Memory {
  return { ...NOTHING, order, past };
}

describe("another turn after an order", () => {
  it("is offered for exactly what the limit leaves, over all orders of this browser", () => {
    expect(anotherTurn({ limit: 3 }, after(ordered(1)), LIVE).units).toBe(2);
    expect(anotherTurn({ limit: 3 }, after(ordered(1), ordered(1)), LIVE).units).toBe(1);
    expect(anotherTurn({ limit: 2 }, after(ordered(2)), LIVE)).toEqual({ units: 0, words: "That is all that one person may have of this drop: 2." });
    expect(anotherTurn({ limit: 2 }, after(ordered(1, "placed")), LIVE).units).toBe(1);
  });

  it("does not count what ended unpaid or was cancelled", () => {
    expect(unitsOrdered(after(ordered(1), ordered(2, "expired"), ordered(2, "cancelled")))).toBe(1);
  });

  it("is explained and not offered where nothing is left, and not spoken of where the drop is over or the order is on its way", () => {
    const gone = { ...LIVE, items: [{ sku: "TEE", available: 0, soldOut: "final" as const }] };
    expect(anotherTurn({ limit: 2 }, after(ordered(1)), gone)).toEqual({ units: 0, words: "Everything else of this drop is sold." });
    for (const phase of ["closed", "cancelled"] as const) expect(anotherTurn({ limit: 2 }, after(ordered(1)), { ...LIVE, phase })).toEqual({ units: 0, words: "" });
    expect(anotherTurn({ limit: 2 }, after({ ...ordered(1), answer: null }), LIVE).units).toBe(0);
    expect(anotherTurn({ limit: 2 }, after(null, ordered(1)), LIVE).units).toBe(0);
    expect(anotherTurn({ limit: 2 }, after(ordered(1)), null).units).toBe(0);
  });

  it("is still offered while everything is only held or sold out in this stage", () => {
    const held = { ...LIVE, items: [{ sku: "TEE", available: 0, soldOut: "stage" as const }] };
    expect(anotherTurn({ limit: 2 }, after(ordered(1)), held).units).toBe(1);
  });
});
