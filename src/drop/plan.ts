import type { SplitRule } from "../settlement/split.ts";
import type { CampaignTerms } from "../coupon/campaign.ts";

/** One tranche of the release of one stock unit. */
export interface StageUnits {
  readonly opensAt: number;
  readonly units: number;
}

/** A stage that comes out little by little: at most `units` of every stock unit at once, and the next ones `everyMs` later. */
export interface DripTerms {
  readonly everyMs: number;
  readonly units: number;
}

/** Stages of a plan that are the steps of one drip; `stage` is the number of the first of them, from 1. */
export interface DripSteps {
  readonly stage: number;
  readonly steps: number;
}

/** A stage as the config has it: a part of everything that opens at once, or drips from then on. */
export interface SourceStage {
  readonly sharePercent: number;
  readonly afterMs: number;
  readonly drip?: DripTerms;
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

/**
 * A share, in percent, of each stage kept for a class of tickets until a stated
 * time after that stage opened; what the class has not taken by then is
 * everyone's.
 */
export interface LaneShare {
  readonly lane: string;
  readonly sharePercent: number;
  readonly untilMs: number;
  /** How many chances a ticket of this lane has in the draw, 1 to 10; it is part of the committed leaves. */
  readonly weight: number;
  readonly evidence: LaneEvidence;
}

/** What puts a ticket into a lane: being there, or having been invited. */
export type LaneEvidence =
  | {
      readonly kind: "presence";
      readonly region: string;
      readonly near: { readonly lat: number; readonly lon: number };
      /** How far from `near` the platform may locate a request that counts as local; null where only the code at the pop-up counts. */
      readonly withinKm: number | null;
    }
  | { readonly kind: "invite" };

/** What a join has to show before it gets a ticket. */
export interface GateTerms {
  /** Proof of work; `cost` is the number of hash rounds that a solution takes on average. */
  readonly work: { readonly cost: number } | null;
  readonly turnstile: { readonly siteKey: string } | null;
  /** Every ticket names an e-mail address that was proven by a code; an address has one ticket. */
  readonly email: boolean;
}

export const NO_GATES: GateTerms = { work: null, turnstile: null, email: false };

/** What one network may do in one drop. */
export interface NetworkBudgets {
  readonly joinsPerMinute: number;
  /** Holds that are neither paid nor over. */
  readonly unpaidHolds: number;
}

/** Wide enough for an office or a venue behind one address, and far too narrow for a flood. */
export const USUAL_BUDGETS: NetworkBudgets = { joinsPerMinute: 600, unpaidHolds: 60 };

/**
 * How much of a drop may go to one place or be paid by one card, in items,
 * whoever orders; null where there is no limit. It makes buying for resale
 * dearer and proves nothing: people have several addresses and cards.
 */
export interface ResaleLimits {
  readonly address: number | null;
  readonly card: number | null;
}

/** A public randomness beacon: rounds come out at `genesisAt + (round - 1) × periodMs`. */
export interface BeaconTerms {
  /** The chain's hash in hex, which names its key and its scheme. */
  readonly chain: string;
  readonly publicKey: string;
  readonly genesisAt: number;
  readonly periodMs: number;
}

/** A round of a beacon as it came out; `randomness` is the SHA-256 of the signature. All in hex but the round. */
export interface BeaconRound {
  readonly chain: string;
  readonly round: number;
  readonly signature: string;
  readonly randomness: string;
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
  readonly gates: GateTerms;
  readonly budgets: NetworkBudgets;
  /** Null where the committed secret alone decides the draw. */
  readonly beacon: BeaconTerms | null;
  readonly limitPerPerson: number;
  /** Up to how many people may stand in line with one ticket; absent where everyone stands alone. Read by `groupMaxOf`. */
  readonly groupMax?: number;
  /** Absent in what was stored before there were such limits; read by `resaleLimitsOf`. */
  readonly limits?: ResaleLimits;
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
  /** Which of the stages are steps of a drip, in order; absent where none is, as in every plan that was made before there were drips. */
  readonly drips?: readonly DripSteps[];
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
  readonly stages: readonly SourceStage[];
  readonly stock: readonly { readonly sku: string; readonly quantity: number }[];
}
