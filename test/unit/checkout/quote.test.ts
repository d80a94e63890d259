import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quoteOrder, type QuoteLine } from "../../../src/checkout/quote.ts";
import { currencyExponent, payableStep } from "../../../src/kernel/money.ts";
import { Defect } from "../../../src/kernel/result.ts";

const tee = (quantity: number, unitPriceMinor: number, sku = "MOTH-S"): QuoteLine => ({ sku, title: "Moth tee", quantity, unitPriceMinor });

/** Prices as they are written in currencies with 0, 2 and 3 decimals. */
const currencies = fc.constantFrom("JPY", "EUR", "KWD");
const linesIn = (currency: string) =>
  fc.array(
    fc.record({ sku: fc.constant("X"), title: fc.constant("X"), quantity: fc.integer({ min: 1, max: 20 }), unitPriceMinor: fc.integer({ min: 0, max: 1_000 * 10 ** currencyExponent(currency) / payableStep(currency) }).map((steps) => steps * payableStep(currency)) }),
    { minLength: 1, maxLength: 8 },
  );
const orders = currencies.chain((currency) => fc.record({ currency: fc.constant(currency), lines: linesIn(currency) }));
/** Percentages in thousandths, so that the test's own arithmetic is exact. */
const percentThousandths = fc.integer({ min: 0, max: 100_000 });

describe("a quote", () => {
  test("the allocations of discount and tax sum to the order's own amounts, and no amount is negative", () => {
    fc.assert(
      fc.property(orders, fc.option(percentThousandths), fc.option(fc.integer({ min: 0, max: 30_000 })), ({ currency, lines }, off, rate) => {
        const quote = quoteOrder({ currency, lines, percentOff: off === null ? null : off / 1000, tax: rate === null ? null : { label: "VAT", percent: rate / 1000 } });
        const sum = (of: (line: (typeof quote.lines)[number]) => number) => quote.lines.reduce((total, line) => total + of(line), 0);
        const gross = lines.reduce((total, line) => total + line.quantity * line.unitPriceMinor, 0);
        expect(sum((line) => line.discountMinor)).toBe(quote.discountMinor);
        expect(sum((line) => line.totalMinor)).toBe(quote.totalMinor);
        expect(sum((line) => line.taxMinor)).toBe(quote.tax?.includedMinor ?? 0);
        expect(quote.totalMinor + quote.discountMinor).toBe(gross);
        for (const line of quote.lines) {
          expect(line.totalMinor).toBe(line.quantity * line.unitPriceMinor - line.discountMinor);
          expect(Math.min(line.discountMinor, line.totalMinor, line.taxMinor)).toBeGreaterThanOrEqual(0);
          expect(line.totalMinor % payableStep(currency)).toBe(0);
          expect(line.taxMinor).toBeLessThanOrEqual(line.totalMinor);
        }
      }),
    );
  });

  test("the discount is the exact percentage rounded half up once, on the sum of lines, to what a card can pay", () => {
    fc.assert(
      fc.property(orders, percentThousandths, ({ currency, lines }, off) => {
        const gross = lines.reduce((total, line) => total + BigInt(line.quantity) * BigInt(line.unitPriceMinor), 0n);
        const { discountMinor } = quoteOrder({ currency, lines, percentOff: off / 1000, tax: null });
        const half = 50_000n * BigInt(payableStep(currency));
        const tooMuch = BigInt(discountMinor) * 100_000n - gross * BigInt(off);
        expect(tooMuch > -half && tooMuch <= half).toBe(true);
      }),
    );
  });

  test("the contained tax is total × p / (100 + p), rounded half up once", () => {
    fc.assert(
      fc.property(orders, fc.integer({ min: 1, max: 30_000 }), ({ currency, lines }, rate) => {
        const quote = quoteOrder({ currency, lines, percentOff: null, tax: { label: "VAT", percent: rate / 1000 } });
        const divisor = 100_000n + BigInt(rate);
        const twice = 2n * (BigInt(quote.tax?.includedMinor ?? -1) * divisor - BigInt(quote.totalMinor) * BigInt(rate));
        expect(twice > -divisor && twice <= divisor).toBe(true);
      }),
    );
  });

  test("10 % off 4.250 dinars are 0.430, because no card pays a third decimal", () => {
    expect(quoteOrder({ currency: "KWD", lines: [tee(1, 4_250)], percentOff: 10, tax: null })).toMatchObject({ discountMinor: 430, totalMinor: 3_820 });
  });

  test("a half is rounded up: 12.5 % of 100 is 13", () => {
    expect(quoteOrder({ currency: "EUR", lines: [tee(1, 100)], percentOff: 12.5, tax: null }).discountMinor).toBe(13);
  });

  test("a percentage counts as it is written: 1.005 % of 1000 is ten and five hundredths, and of 100,000 it is 1005", () => {
    expect(quoteOrder({ currency: "EUR", lines: [tee(1, 1_000)], percentOff: 1.005, tax: null }).discountMinor).toBe(10);
    expect(quoteOrder({ currency: "EUR", lines: [tee(1, 100_000)], percentOff: 1.005, tax: null }).discountMinor).toBe(1_005);
    // In binary 0.285 × 100 is 28.499…, which a float would round down.
    expect(quoteOrder({ currency: "EUR", lines: [tee(1, 10_000)], percentOff: 0.285, tax: null }).discountMinor).toBe(29);
    expect(quoteOrder({ currency: "EUR", lines: [tee(1, 1_000_000_000)], percentOff: 1e-7, tax: null }).discountMinor).toBe(1);
  });

  test("19 % tax inside 42.00 is 6.71, and it falls on the lines in proportion to what they cost after the discount", () => {
    const quote = quoteOrder({ currency: "EUR", lines: [tee(1, 4_200), tee(2, 1_000, "PIN")], percentOff: 10, tax: { label: "MwSt.", percent: 19 } });
    expect(quoteOrder({ currency: "EUR", lines: [tee(1, 4_200)], percentOff: null, tax: { label: "MwSt.", percent: 19 } }).tax?.includedMinor).toBe(671);
    expect(quote).toMatchObject({ discountMinor: 620, totalMinor: 5_580, tax: { includedMinor: 891 } });
    expect(quote.lines.map((line) => [line.discountMinor, line.totalMinor, line.taxMinor])).toEqual([[420, 3_780, 604], [200, 1_800, 287]]);
  });

  test("a full discount and free lines cost nothing and carry no tax", () => {
    const tax = { label: "VAT", percent: 20 };
    expect(quoteOrder({ currency: "EUR", lines: [tee(3, 999)], percentOff: 100, tax })).toMatchObject({ discountMinor: 2_997, totalMinor: 0, tax: { includedMinor: 0 } });
    expect(quoteOrder({ currency: "EUR", lines: [tee(3, 0)], percentOff: 50, tax })).toMatchObject({ discountMinor: 0, totalMinor: 0 });
  });

  test("quantities, prices and percentages that no plan allows are a defect, not a price", () => {
    const bad = [
      { lines: [] }, { lines: [tee(0, 1)] }, { lines: [tee(1.5, 1)] }, { lines: [tee(1, -1)] }, { lines: [tee(1, 0.5)] },
      { lines: [tee(2, Number.MAX_SAFE_INTEGER)] }, { lines: [tee(1, 1)], percentOff: 100.1 }, { lines: [tee(1, 1)], percentOff: -1 },
      { lines: [tee(1, 1)], percentOff: Number.NaN }, { lines: [tee(1, 1)], tax: { label: "VAT", percent: -1 } },
    ];
    for (const request of bad) expect(() => quoteOrder({ currency: "EUR", percentOff: null, tax: null, ...request })).toThrow(Defect);
  });
});
