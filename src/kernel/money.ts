import { assert } from "./result.ts";

/**
 * Currencies whose minor unit is not a hundredth (ISO 4217). Every other code
 * has two decimals; a wrong exponent would charge a hundred times too much.
 */
const EXPONENTS: Readonly<Record<string, 0 | 3>> = {
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
};

/** The number of decimals of a currency: 0, 2 or 3. */
export function currencyExponent(currency: string): 0 | 2 | 3 {
  return EXPONENTS[currency] ?? 2;
}

/**
 * What every amount that a card is charged or paid back has to be a multiple of,
 * in minor units: card networks take no third decimal, so that where a currency
 * has three the last one is 0 (Stripe, "Three-decimal currencies").
 */
export function payableStep(currency: string): 1 | 10 {
  return currencyExponent(currency) === 3 ? 10 : 1;
}

/** An amount in the viewer's locale: `42,00 €` for 4200 EUR in de-DE. */
export function formatMoney(amountMinor: number, currency: string, locale: string): string {
  const exponent = currencyExponent(currency);
  return new Intl.NumberFormat(locale, { style: "currency", currency, minimumFractionDigits: exponent, maximumFractionDigits: exponent })
    .format(amountMinor / 10 ** exponent);
}

/**
 * Splits `total` (a non-negative safe integer) in proportion to `weights`
 * (non-negative integers with a positive sum) by largest remainder; ties go to
 * the earlier part. The parts are non-negative and sum to `total` exactly.
 *
 * With a `step` the parts are multiples of it, as `total` has to be.
 *
 * Done in BigInt: total × weight leaves the safe range long before either does.
 */
export function apportion(total: number, weights: readonly number[], step = 1): number[] {
  assert(Number.isSafeInteger(total) && total >= 0, "only a non-negative safe integer can be apportioned");
  assert(total % step === 0, "what is apportioned in steps is a number of steps");
  const weightSum = weights.reduce((sum, weight) => sum + BigInt(weight), 0n);
  assert(weightSum > 0n, "the weights of an apportionment have a positive sum");
  const shares = weights.map((weight, index) => {
    const product = BigInt(total / step) * BigInt(weight);
    return { index, floor: Number(product / weightSum), remainder: product % weightSum };
  });
  const parts = shares.map((share) => share.floor);
  const left = total / step - parts.reduce((sum, part) => sum + part, 0);
  const byRemainder = shares.toSorted((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const share of byRemainder.slice(0, left)) parts[share.index] = share.floor + 1;
  return parts.map((part) => part * step);
}
