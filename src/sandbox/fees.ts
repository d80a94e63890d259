import { currencyExponent } from "../kernel/money.ts";

/** The fixed part of a charge's fee by the currency's exponent, in minor units. */
const FIXED_MINOR = { 0: 30, 2: 25, 3: 250 } as const;

/** What a lost dispute costs besides its amount, likewise. */
const DISPUTE_MINOR = { 0: 2_000, 2: 2_000, 3: 20_000 } as const;

/**
 * What the provider keeps of a captured charge: 1.5 per cent, rounded half up,
 * and a fixed part. Never more than the charge itself.
 */
export function chargeFeeMinor(amountMinor: number, currency: string): number {
  const percent = Number((BigInt(amountMinor) * 15n + 500n) / 1_000n);
  return Math.min(amountMinor, percent + FIXED_MINOR[currencyExponent(currency.toUpperCase())]);
}

export function disputeFeeMinor(currency: string): number {
  return DISPUTE_MINOR[currencyExponent(currency.toUpperCase())];
}
