import { apportion, payableStep } from "../kernel/money.ts";
import { assert } from "../kernel/result.ts";
import type { OrderLine } from "./placed-order.ts";

/** One line before anything is taken off: the price is the plan's, never the client's. */
export interface QuoteLine {
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly unitPriceMinor: number;
}

export interface QuoteRequest {
  /** ISO 4217. Where cards cannot pay its last decimal, neither a price nor a discount has one. */
  readonly currency: string;
  readonly lines: readonly QuoteLine[];
  /** Percent of the sum of lines, 0 to 100, fractions allowed; null without a coupon. */
  readonly percentOff: number | null;
  /** The tax that the prices contain, or null where the store states none. */
  readonly tax: { readonly label: string; readonly percent: number } | null;
}

export interface Quote {
  readonly lines: readonly OrderLine[];
  readonly discountMinor: number;
  readonly totalMinor: number;
  readonly tax: { readonly label: string; readonly percent: number; readonly includedMinor: number } | null;
}

/**
 * What an order costs and how discount and tax fall on its lines.
 *
 * Discount and tax are each rounded once, on the order's total, and then
 * allocated by largest remainder: rounding per line loses up to half a minor
 * unit a line, and the buyer sees the sum. The allocations are stored with the
 * order, so that a refund of one line years later needs no rounding at all.
 */
export function quoteOrder(request: QuoteRequest): Quote {
  assert(request.lines.length > 0, "an order has at least one line");
  const sums = request.lines.map(lineSum);
  const sumMinor = safeSum(sums);
  const step = payableStep(request.currency);
  const discountMinor = request.percentOff === null ? 0 : discountOf(sumMinor, request.percentOff, step);
  const totalMinor = sumMinor - discountMinor;
  const discounts = allocate(discountMinor, sums, step);
  const totals = sums.map((sum, index) => sum - (discounts[index] ?? 0));
  const includedMinor = request.tax === null ? 0 : taxContainedIn(totalMinor, request.tax.percent);
  const taxes = allocate(includedMinor, totals, 1);
  return {
    lines: request.lines.map((line, index) => ({
      sku: line.sku,
      title: line.title,
      quantity: line.quantity,
      unitPriceMinor: line.unitPriceMinor,
      discountMinor: discounts[index] ?? 0,
      totalMinor: totals[index] ?? 0,
      taxMinor: taxes[index] ?? 0,
    })),
    discountMinor,
    totalMinor,
    tax: request.tax === null ? null : { label: request.tax.label, percent: request.tax.percent, includedMinor },
  };
}

function lineSum(line: QuoteLine): number {
  assert(Number.isSafeInteger(line.quantity) && line.quantity > 0, "a line has a positive whole quantity");
  assert(Number.isSafeInteger(line.unitPriceMinor) && line.unitPriceMinor >= 0, "a price is a non-negative safe integer");
  const sum = line.quantity * line.unitPriceMinor;
  assert(Number.isSafeInteger(sum), "a line's sum is a safe integer");
  return sum;
}

function safeSum(amounts: readonly number[]): number {
  const sum = amounts.reduce((total, amount) => total + amount, 0);
  assert(Number.isSafeInteger(sum), "an order's sum is a safe integer");
  return sum;
}

/** `percent` of `sumMinor`, rounded half up to what can be paid; at most the whole sum. */
function discountOf(sumMinor: number, percent: number, step: number): number {
  assert(percent >= 0 && percent <= 100, "a discount is between 0 and 100 percent");
  const { numerator, denominator } = fractionOf(percent);
  return Math.min(sumMinor, step * roundedQuotient(BigInt(sumMinor) * numerator, 100n * denominator * BigInt(step)));
}

/** The tax inside a gross amount: total × p / (100 + p), rounded half up. */
function taxContainedIn(totalMinor: number, percent: number): number {
  assert(percent >= 0, "a tax rate is not negative");
  const { numerator, denominator } = fractionOf(percent);
  return roundedQuotient(BigInt(totalMinor) * numerator, 100n * denominator + numerator);
}

function roundedQuotient(dividend: bigint, divisor: bigint): number {
  return Number((2n * dividend + divisor) / (2n * divisor));
}

/**
 * A decimal number as the exact fraction that a person wrote: 12.35 is
 * 1235/100. Its binary value is a little off, and multiplying a large order by
 * that would move the half that rounding turns on.
 */
function fractionOf(decimal: number): { numerator: bigint; denominator: bigint } {
  assert(Number.isFinite(decimal), "a percentage is a finite number");
  const [mantissa = "0", exponentText = "0"] = String(decimal).split("e");
  const [whole = "0", decimals = ""] = mantissa.split(".");
  const digits = BigInt(whole + decimals);
  const scale = decimals.length - Number(exponentText);
  return scale >= 0 ? { numerator: digits, denominator: 10n ** BigInt(scale) } : { numerator: digits * 10n ** BigInt(-scale), denominator: 1n };
}

/** Where all weights are zero there is nothing to give out: free lines take no part of anything. */
function allocate(total: number, weights: readonly number[], step: number): number[] {
  return total === 0 ? weights.map(() => 0) : apportion(total, weights, step);
}
