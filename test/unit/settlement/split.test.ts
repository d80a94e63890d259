import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { currencyExponent } from "../../../src/kernel/money.ts";
import { fitParts, reversedParts, splitGoods, type SplitRule } from "../../../src/settlement/split.ts";

const amounts = (parts: readonly { readonly amountMinor: number }[]) => parts.map((part) => part.amountMinor);
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** Rules as a config may have them, and such as the check would refuse: the parts must sum all the same. */
const rules = fc.record({
  fixed: fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 4 }),
  percents: fc.array(fc.integer({ min: 0, max: 500_000 }), { maxLength: 5 }),
}).map(({ fixed, percents }): readonly SplitRule[] => [
  ...fixed.map((fixedMinor, index) => ({ party: `partner:${index}`, fixedMinor })),
  ...percents.map((tenThousandths, index) => ({ party: `creator:${index}`, percent: tenThousandths / 10_000 })),
  { party: "platform", remainder: true },
]);

describe("a split", () => {
  test("takes fixed parts per unit first, then percentages of the goods, then the remainder", () => {
    const split = splitGoods([{ party: "partner:k", fixedMinor: 300 }, { party: "creator:ana", percent: 70 }, { party: "platform", remainder: true }], 3, 12_600);
    expect(split).toEqual([
      { party: "partner:k", amountMinor: 900 },
      { party: "creator:ana", amountMinor: 8_820 },
      { party: "platform", amountMinor: 2_880 },
    ]);
  });

  test("gives a party with two rules one part", () => {
    expect(splitGoods([{ party: "a", fixedMinor: 10 }, { party: "a", percent: 50 }, { party: "b", remainder: true }], 1, 100)).toEqual([
      { party: "a", amountMinor: 60 }, { party: "b", amountMinor: 40 },
    ]);
  });

  test("gives one cent among three thirds to the first", () => {
    const thirds = ["a", "b", "c"].map((party) => ({ party, percent: 33.3333 }));
    expect(amounts(splitGoods([...thirds, { party: "rest", remainder: true }], 1, 1))).toEqual([1, 0, 0, 0]);
  });

  test("sums to the goods with no part below zero, in currencies of 0, 2 and 3 decimals", () => {
    fc.assert(fc.property(rules, fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 100_000, noNaN: true }), fc.constantFrom("JPY", "EUR", "KWD"), (given, units, major, currency) => {
      const goodsMinor = Math.round(major * 10 ** currencyExponent(currency));
      const parts = amounts(splitGoods(given, units, goodsMinor));
      expect(sum(parts)).toBe(goodsMinor);
      expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
    }), { numRuns: 3_000 });
  });

  test("stays exact where goods times weight leaves the safe integers", () => {
    const parts = amounts(splitGoods([{ party: "a", percent: 33.3333 }, { party: "b", remainder: true }], 1, Number.MAX_SAFE_INTEGER));
    expect(sum(parts)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe("a reversal", () => {
  const shares = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 6 });

  test("takes every share whole when all of it is reversed, and sums exactly before", () => {
    fc.assert(fc.property(shares, fc.double({ min: 0, max: 1, noNaN: true }), (given, portion) => {
      const amount = Math.floor(sum(given) * portion);
      expect(sum(reversedParts(given, amount))).toBe(amount);
      expect(reversedParts(given, sum(given))).toEqual(given);
    }), { numRuns: 2_000 });
  });

  test("never gives a party back what a smaller reversal took: the order of refunds makes no difference", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }), (given) => {
      let before = given.map(() => 0);
      for (let amount = 0; amount <= sum(given); amount++) {
        const parts = reversedParts(given, amount);
        parts.forEach((part, index) => expect(part).toBeGreaterThanOrEqual(before[index] ?? 0));
        before = parts;
      }
    }), { numRuns: 200 });
  });

  test("stays within one minor unit of proportion for two parties", () => {
    expect(reversedParts([8_820, 2_880], 1_000)).toEqual([754, 246]);
  });
});

test("parts are bent into their caps without losing a minor unit", () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: -50, max: 100 }), fc.integer({ min: 0, max: 100 })), { minLength: 1, maxLength: 6 }), fc.double({ min: 0, max: 1, noNaN: true }), (pairs, portion) => {
    const caps = pairs.map(([, cap]) => cap);
    const total = Math.floor(sum(caps) * portion);
    const parts = fitParts(pairs.map(([wanted]) => wanted), caps, total);
    expect(sum(parts)).toBe(total);
    parts.forEach((part, index) => {
      expect(part).toBeGreaterThanOrEqual(0);
      expect(part).toBeLessThanOrEqual(caps[index] ?? 0);
    });
  }), { numRuns: 2_000 });
});
