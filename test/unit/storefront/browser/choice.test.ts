import { expect, it } from "vitest";
import { handoverWords } from "../../../../src/storefront/browser/checkout.ts";
import { firstChoice } from "../../../../src/storefront/browser/choice.ts";

const item = (sku: string) => ({ sku, title: sku, priceMinor: 4200 });
const ONE = { items: [item("TEE")] };
const TWO = { items: [item("TEE"), item("POSTER")] };

it("where there is one item only, one of it is chosen already", () => {
  expect(firstChoice(ONE, [], 2)).toEqual([{ sku: "TEE", quantity: 1 }]);
  expect(firstChoice(TWO, [], 2)).toEqual([]);
});

it("what was wanted stays as it was, and nothing is chosen past the limit", () => {
  expect(firstChoice(ONE, [{ sku: "TEE", quantity: 2 }], 2)).toEqual([{ sku: "TEE", quantity: 2 }]);
  expect(firstChoice(ONE, [], 0)).toEqual([]);
});

it("a pick-up reads as one: its point and its slot, and nothing of shipping", () => {
  expect(handoverWords("pickup", "Kiosk K", "17:00-17:30")).toBe("Pick-up at Kiosk K · 17:00–17:30");
  expect(handoverWords("pickup", "Feira", null)).toBe("Pick-up at Feira");
  expect(handoverWords("ship", null, null)).toBe("By post, to your address");
});
