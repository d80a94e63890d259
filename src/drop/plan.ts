import type { SplitRule } from "../settlement/split.ts";
import type { CampaignTerms } from "../coupon/campaign.ts";

/** One tranche of the release of one stock unit. */
export interface StageUnits {
  readonly opensAt: number;
  readonly units: number;
}

/** What is counted: a sku with a quantity of its own, released stage by stage. */
export interface StockUnit {
  readonly sku: string;
  readonly quantity: number;
  readonly stages: readonly StageUnits[];
}

/** A share of a stock unit that one item takes; an ordinary item takes one of itself. */
export interface Component {
  readonly sku: string;
  readonly quantity: number;
}

/** What can be bought. Bundles are items with several components or with a shared one. */
export interface PlanItem {
  readonly sku: string;
  readonly title: string;
  readonly priceMinor: number;
  readonly components: readonly Component[];
}

/** A share, in percent, of each stage kept for a class of tickets until a stated moment after its opening. */
export interface LaneShare {
  readonly lane: string;
  readonly sharePercent: number;
  readonly untilMs: number;
}

/** The lane of everyone: always there, never declared. */
export const OPEN_LANE = "open";

/** What the config and the plan say in the same words. */
interface PlanTerms {
  readonly drop: string;
  readonly title: string;
  readonly currency: string;
  readonly items: readonly PlanItem[];
  readonly lanes: readonly LaneShare[];
  readonly limitPerPerson: number;
  readonly holdTtlMs: number;
  readonly capture: "at-once" | "on-fulfilment";
  readonly low: number;
  readonly splits: readonly SplitRule[];
  readonly campaigns: readonly CampaignTerms[];
  readonly shards: number;
  readonly claimWindowMs: number;
  /** `all` switches pacing off and serves everyone; it exists only where ENVIRONMENT is local. */
  readonly admit: "paced" | "all";
  readonly tax: { readonly label: string; readonly percent: number } | null;
}

/**
 * What a drop is, frozen when the drop is first seen. Everything but the
 * storefront's own words (story, pictures, brand) is read from here and never
 * from the config, so that a deployment cannot change a running sale.
 */
export interface Plan extends PlanTerms {
  readonly announceAt: number;
  readonly lobbyOpensAt: number;
  readonly opensAt: number;
  readonly closesAt: number;
  readonly stock: readonly StockUnit[];
  /** hex(SHA-256(secret)), the promise that the draw's secret was fixed before anyone joined. */
  readonly commitment: string;
}

/** A moment of the config: absolute, or counted from the first time the drop is seen (local only). */
export type Moment = { readonly at: number } | { readonly afterFirstSeenMs: number };

/** The part of the drop config from which the Drop object makes the plan. */
export interface PlanSource extends PlanTerms {
  readonly announceAt: Moment;
  readonly lobbyOpensAt: Moment;
  readonly opensAt: Moment;
  readonly closesAt: Moment;
  /** Shares in percent sum to 100; `afterMs` counts from `opensAt`, ascending, the first is 0. */
  readonly stages: readonly { readonly sharePercent: number; readonly afterMs: number }[];
  readonly stock: readonly { readonly sku: string; readonly quantity: number }[];
}
