import type { SplitRule } from "../settlement/split.ts";

export type Delivery =
  | { readonly method: "pickup"; readonly point: string; readonly slot: string | null }
  | { readonly method: "ship"; readonly address: Address };

export interface Address {
  readonly name: string;
  readonly line1: string;
  readonly line2: string | null;
  readonly postalCode: string;
  readonly city: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

/** One order line with its allocations, which are made once here and only read afterwards. */
export interface OrderLine {
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly unitPriceMinor: number;
  /** This line's part of the order's discount. */
  readonly discountMinor: number;
  /** quantity × unitPriceMinor − discountMinor: this line's goods. */
  readonly totalMinor: number;
  /** The tax contained in `totalMinor`; 0 where the store states none. */
  readonly taxMinor: number;
}

/**
 * An order as the Drop object placed it: everything that settlement needs, so
 * that it never reads the drop's config and a change of rules never reaches
 * an order that exists.
 */
export interface PlacedOrder {
  readonly id: string;
  readonly drop: string;
  readonly dropTitle: string;
  readonly planHash: string;
  readonly hold: string;
  readonly entry: string;
  readonly email: string;
  readonly delivery: Delivery;
  readonly region: string | null;
  readonly locale: string;
  readonly currency: string;
  readonly lines: readonly OrderLine[];
  readonly discountMinor: number;
  readonly totalMinor: number;
  readonly tax: { readonly label: string; readonly percent: number; readonly includedMinor: number } | null;
  readonly coupon: { readonly campaign: string; readonly voucher: string } | null;
  readonly splits: readonly SplitRule[];
  readonly capture: "at-once" | "on-fulfilment";
  readonly placedAt: number;
  readonly payBy: number;
  /** The store's origin, where the provider sends the shopper back to. */
  readonly returnTo: string;
}
