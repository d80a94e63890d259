import { payableStep } from "../../../src/kernel/money.ts";
import type { CampaignTerms } from "../../../src/coupon/campaign.ts";
import { type LaneShare, NO_GATES, type PlanItem, type PlanSource, type ResaleLimits, USUAL_BUDGETS } from "../../../src/drop/plan.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import type { SplitRule } from "../../../src/settlement/split.ts";
import { drawRates, type FaultName } from "./fault-names.ts";

export const SIMULATION_STARTS_AT = Date.parse("2026-12-04T17:00:00Z");
const MINUTE_MS = 60_000;
export const LOBBY_MS = 10 * MINUTE_MS;
/** Shards look at the drop this often; in the real thing it is once a second, which only makes the same waits shorter. */
export const LOBBY_TICK_MS = 40_000;
/** By how much the seller puts a stage off at most. */
export const EXTENSION_MS_MAX = 15 * MINUTE_MS;
/** Before the close, and longer than anything can take that was begun while things went wrong. */
export const HONEST_MS = 75 * MINUTE_MS;

/** One world: its drop, its crowd, and what goes wrong in it. Small on purpose: with seven units and limits of two every bound is hit in every run. */
export interface Scenario {
  readonly source: PlanSource;
  readonly rates: Readonly<Record<FaultName, number>>;
  readonly shoppers: number;
  /** How many of them come after the opening. */
  readonly lateShare: number;
  /** How many e-mail addresses they share between them. */
  readonly people: number;
  /**
   * Whether the faults heal an hour before the close and honest people come, more
   * than there are units: then every unit must be sold.
   */
  readonly hasHonestEnding: boolean;
  readonly isMulticapture: boolean;
  /** How far the order store is: others write between a read and the write that follows it. */
  readonly storeMsMax: number;
  /** How long a busy drop gathers commands; with seconds, one write carries many. */
  readonly gatherMsMax: number;
  /** Which shard nobody reaches at the opening, and when; null when all are there. */
  readonly lostShard: { readonly shard: number; readonly from: number; readonly until: number } | null;
}

export function makeScenario(random: RandomSource): Scenario {
  const rates = drawRates(random.branch("rates"));
  const stock = Array.from({ length: random.integer(1, 3) }, (_, index) => ({ sku: `SKU-${index}`, quantity: random.integer(0, 7) }));
  // A drop of nothing is refused by the config check before it ever gets here.
  if (stock.every(({ quantity }) => quantity === 0)) stock[0] = { sku: "SKU-0", quantity: random.integer(1, 7) };
  const stages = withDrip(makeStages(random), random.branch("drip"));
  const lastStageAfterMs = stages.at(-1)?.afterMs ?? 0;
  const opensAt = SIMULATION_STARTS_AT + LOBBY_MS;
  const shoppers = random.integer(6, 20);
  const hasHonestEnding = random.chance(0.3);
  const shards = random.integer(1, 3);
  const limitPerPerson = random.integer(1, 4);
  const currency = random.pick(["EUR", "JPY", "KWD"]);
  const source: PlanSource = {
    drop: "moth-tee",
    title: "Moth tee",
    currency,
    announceAt: { at: SIMULATION_STARTS_AT },
    lobbyOpensAt: { at: SIMULATION_STARTS_AT },
    opensAt: { at: opensAt },
    closesAt: { at: opensAt + lastStageAfterMs + (hasHonestEnding ? EXTENSION_MS_MAX + HONEST_MS : 0) + random.integer(10, 45) * MINUTE_MS },
    stages,
    stock,
    items: makeItems(stock, random).map((item) => ({ ...item, priceMinor: item.priceMinor * payableStep(currency) })),
    lanes: [
      ...(random.chance(0.3) ? [makeLane("local", random.integer(10, 50), random.integer(1, 10) * MINUTE_MS, 1)] : []),
      ...makeShortLanes(random.branch("lanes")),
    ],
    gates: NO_GATES,
    // Tight ones, so that a network often has as much as it may.
    budgets: { ...USUAL_BUDGETS, unpaidHolds: random.branch("budgets").pick([1, 3, 60]) },
    beacon: null,
    limitPerPerson,
    groupMax: random.branch("groups").pick([1, 1, 2, 3]),
    limits: makeLimits(limitPerPerson, random.branch("limits")),
    holdTtlMs: random.integer(1, 10) * MINUTE_MS,
    capture: random.pick(["at-once", "on-fulfilment"]),
    low: 2,
    splits: makeSplits(random),
    campaigns: [makeCampaign(opensAt, random)],
    shards,
    claimWindowMs: random.integer(10, 60) * 1_000,
    admit: random.chance(0.2) ? "all" : "paced",
    tax: random.chance(0.5) ? { label: "VAT", percent: random.pick([7, 19, 20, 8.875]) } : null,
  };
  return {
    source, rates, shoppers, hasHonestEnding,
    lateShare: random.pick([0.1, 0.3, 0.95]),
    people: random.chance(0.3) ? random.integer(1, 3) : random.integer(Math.ceil(shoppers / 3), shoppers),
    isMulticapture: random.chance(0.4),
    storeMsMax: random.pick([5, 25, 1_500]),
    gatherMsMax: random.pick([0, 0, 20, 1_500]),
    lostShard: random.chance(rates["shard-lost-at-draw"]) ? makeLoss(shards, opensAt, random) : null,
  };
}

/** In most worlds one of the two at least, and as tight as a config may have them: the crowd shares few cards and lives in few houses. */
function makeLimits(limitPerPerson: number, random: RandomSource): ResaleLimits {
  const limit = () => (random.chance(0.4) ? null : limitPerPerson + random.integer(0, 1));
  return { address: limit(), card: limit() };
}

function makeLoss(shards: number, opensAt: number, random: RandomSource): NonNullable<Scenario["lostShard"]> {
  return { shard: random.integer(0, shards - 1), from: opensAt - random.integer(1, 120) * 1_000, until: opensAt + random.integer(5, 300) * 1_000 };
}

function makeLane(lane: string, sharePercent: number, untilMs: number, weight: number): LaneShare {
  return { lane, sharePercent, untilMs, weight, evidence: { kind: "invite" } };
}

/** Further lanes, some of which lapse before anybody can have come, and some that would last into the next stage. */
function makeShortLanes(random: RandomSource): LaneShare[] {
  const names = ["member", "friends"].slice(0, random.pick([0, 0, 1, 2]));
  return names.map((lane) => makeLane(lane, random.integer(5, 24), random.pick([1_000, 30_000, 2 * MINUTE_MS, 20 * MINUTE_MS]), random.integer(1, 3)));
}

function makeStages(random: RandomSource): PlanSource["stages"] {
  const count = random.integer(1, 3);
  const cuts = new Set<number>();
  while (cuts.size < count - 1) cuts.add(random.integer(1, 99));
  const edges = [0, ...[...cuts].toSorted((a, b) => a - b), 100];
  let afterMs = 0;
  return Array.from({ length: count }, (_, index) => {
    if (index > 0) afterMs += random.integer(1, 25) * MINUTE_MS;
    return { sharePercent: (edges[index + 1] ?? 100) - (edges[index] ?? 0), afterMs };
  });
}

/**
 * In every third world a stage drips, one or two units of everything at a time:
 * seven units at most, so that seven steps are over before the next stage opens,
 * which is a minute later at the earliest.
 */
function withDrip(stages: PlanSource["stages"], random: RandomSource): PlanSource["stages"] {
  if (!random.chance(0.35)) return stages;
  const drip = { everyMs: random.pick([1_000, 8_000]), units: random.integer(1, 2) };
  const dripping = random.integer(0, stages.length - 1);
  return stages.map((stage, index) => (index === dripping ? { ...stage, drip } : stage));
}

function makeItems(stock: PlanSource["stock"], random: RandomSource): PlanItem[] {
  const priceMax = random.pick([9, 9_000, 9_000]);
  const items: PlanItem[] = stock.map(({ sku }) => ({ sku, title: sku, priceMinor: random.chance(0.1) ? 0 : random.integer(Math.min(1, priceMax), priceMax), components: [{ sku, quantity: 1 }] }));
  const [first, second] = stock;
  if (first !== undefined && random.chance(0.4)) {
    const components = second === undefined ? [{ sku: first.sku, quantity: 2 }] : [{ sku: first.sku, quantity: random.integer(1, 2) }, { sku: second.sku, quantity: 1 }];
    items.push({ sku: "SET", title: "A set", priceMinor: random.integer(1, priceMax), components });
  }
  return items;
}

function makeSplits(random: RandomSource): SplitRule[] {
  if (random.chance(0.3)) return [{ party: "platform", remainder: true }];
  const rules: SplitRule[] = [
    { party: "partner:kiosk-k", fixedMinor: random.integer(0, 100) },
    { party: "creator:ana", percent: random.pick([33.3333, 50, 70]) },
  ];
  if (random.chance(0.5)) rules.push({ party: "printer:bo", percent: random.pick([1, 16.6667, 30]) });
  rules.splice(random.integer(0, rules.length), 0, { party: "platform", remainder: true });
  return rules;
}

function makeCampaign(opensAt: number, random: RandomSource): CampaignTerms {
  return {
    id: "night",
    percentOff: random.pick([5, 10, 12.5, 33.3, 100]),
    region: random.chance(0.5) ? "berlin" : null,
    validFrom: opensAt - LOBBY_MS,
    validUntil: opensAt + random.integer(2, 90) * MINUTE_MS,
    uses: random.integer(1, 4),
    typed: "NIGHT",
  };
}
