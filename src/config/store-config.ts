import type { PlanSource } from "../drop/plan.ts";

/*
 * The store as wrangler config describes it, parsed. Only the storefront has
 * it; what a drop sells and when is frozen into the plan, and only words,
 * pictures and regions are read from here afterwards.
 */

export interface Brand {
  /** One or two characters that stand for the store. */
  readonly mark: string;
  /** CSS hex colours; the check asserts that ink on paper is readable. */
  readonly ink: string;
  readonly paper: string;
  readonly accent: string;
}

export interface PickupPoint {
  readonly id: string;
  readonly label: string;
  /** Such as `17:00-21:00/30m`, in the region's local time; null where people just come by. */
  readonly slots: string | null;
  readonly perSlot: number | null;
}

export interface Region {
  /** The first part of the URL: `berlin`. */
  readonly slug: string;
  readonly label: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  readonly near: { readonly lat: number; readonly lon: number };
  readonly locale: string;
  /** An IANA time zone such as `Europe/Berlin`, for those whose own clock cannot be asked. */
  readonly zone: string;
  readonly pickup: readonly PickupPoint[];
  /** Countries that this region ships to; empty where it does not ship. */
  readonly shipsTo: readonly string[];
}

export interface DropConfig {
  readonly slug: string;
  readonly title: string;
  readonly story: string;
  /** A path under static/, or null. */
  readonly image: string | null;
  /** Durable Object location hint, such as `weur`; null leaves it to the platform. */
  readonly home: string | null;
  /** What to tell shoppers about arrival: "ready at the kiosk from Friday 17:00". */
  readonly deliveryNote: string | null;
  readonly source: PlanSource;
}

export interface StoreConfig {
  readonly name: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly support: string;
  readonly brand: Brand;
  readonly regions: readonly Region[];
  readonly drops: readonly DropConfig[];
}

/** A mistake in the config: which table, which field, and what is wrong, in a sentence. */
export interface ConfigMistake {
  readonly table: string;
  readonly field: string;
  readonly detail: string;
}
