import type { CampaignTerms } from "../coupon/campaign.ts";
import { canonicalJson } from "../kernel/canonical.ts";
import { durationText } from "../kernel/time.ts";
import { campaignKey, countOf } from "./counters.ts";
import { groupMaxOf } from "./groups.ts";
import { factsOf } from "./hold-movements.ts";
import type { Plan, PlanItem, PlanSource } from "./plan.ts";
import type { FieldValue, PlanDifference } from "./port.ts";
import { resaleLimitsOf } from "./resale-limits.ts";
import type { DropState } from "./state.ts";

/** What plan and config say in the same words. */
type Terms = Plan | PlanSource;

interface FrozenTerm {
  /** As the config names it. */
  readonly field: string;
  readonly of: (terms: Terms) => unknown;
  readonly why: string;
}

const JOINED = "People joined the lobby under it.";

/** What a published drop keeps to its end, and why. */
const FROZEN: readonly FrozenTerm[] = [
  { field: "drop", of: ({ drop }) => drop, why: "This is another drop." },
  { field: "currency", of: ({ currency }) => currency, why: "Holds and orders are in this currency." },
  { field: "tax", of: ({ tax }) => tax, why: "The published prices include it." },
  { field: "limitPerPerson", of: ({ limitPerPerson }) => limitPerPerson, why: JOINED },
  { field: "group", of: groupMaxOf, why: JOINED },
  { field: "lanes", of: ({ lanes }) => lanes, why: "The sealed entries name their lanes and chances." },
  { field: "gates", of: ({ gates }) => gates, why: JOINED },
  { field: "beacon", of: ({ beacon }) => beacon, why: "It is part of the promise about the draw." },
  { field: "lobby.shards", of: ({ shards }) => shards, why: "Every ticket has its shard." },
  { field: "lobby.claimWindow", of: ({ claimWindowMs }) => durationText(claimWindowMs), why: JOINED },
  { field: "lobby.admit", of: ({ admit }) => admit, why: JOINED },
  { field: "hold", of: ({ holdTtlMs }) => durationText(holdTtlMs), why: JOINED },
  { field: "capture", of: ({ capture }) => capture, why: "Buyers were told when they are charged." },
  { field: "splits", of: ({ splits }) => splits, why: "Partners were told what they get of this drop." },
];

export function frozenTerms(plan: Plan, source: PlanSource): PlanDifference[] {
  return FROZEN.flatMap(({ field, of, why }) => {
    const [from, to] = [shown(of(plan)), shown(of(source))];
    return from === to ? [] : [{ field, from, to, refusal: why }];
  });
}

/** A value as a reader of the differences gets it: a plain one as it is, any other as its canonical text. */
function shown(value: unknown): FieldValue {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : canonicalJson(value);
}

/**
 * Titles and prices may change: whoever holds something keeps its price, and
 * every order has stored its own. What there is to buy may not.
 */
export function changedItems(plan: Plan, source: PlanSource): PlanDifference[] {
  const skus = new Set([...plan.items, ...source.items].map(({ sku }) => sku));
  return [...skus].flatMap((sku): PlanDifference[] => {
    const [planned, wanted] = [itemOf(plan, sku), itemOf(source, sku)];
    const field = `items.${sku}`;
    if (planned === undefined || wanted === undefined) {
      return [{ field, from: planned?.title ?? null, to: wanted?.title ?? null, refusal: wanted === undefined ? "Somebody may want it: nothing is taken out of a published drop." : "Nothing is added to a published drop." }];
    }
    const [parts, wantedParts] = [shown(planned.components), shown(wanted.components)];
    return [
      ...(planned.title === wanted.title ? [] : [{ field: `${field}.title`, from: planned.title, to: wanted.title, refusal: null }]),
      ...(planned.priceMinor === wanted.priceMinor ? [] : [{ field: `${field}.priceMinor`, from: planned.priceMinor, to: wanted.priceMinor, refusal: null }]),
      ...(parts === wantedParts ? [] : [{ field: `${field}.components`, from: parts, to: wantedParts, refusal: "What it is made of was published." }]),
    ];
  });
}

function itemOf({ items }: Terms, sku: string): PlanItem | undefined {
  return items.find((item) => item.sku === sku);
}

export function changedBudgets({ budgets }: Plan, source: PlanSource): PlanDifference[] {
  const pairs = [["budgets.joins", budgets.joinsPerMinute, source.budgets.joinsPerMinute], ["budgets.holds", budgets.unpaidHolds, source.budgets.unpaidHolds]] as const;
  return pairs.flatMap(([field, from, to]) => (from === to ? [] : [{ field, from, to, refusal: null }]));
}

/** Wider or tighter: whoever has more already keeps it, and is refused the next. */
export function changedLimits(plan: Plan, source: PlanSource): PlanDifference[] {
  const [limits, wanted] = [resaleLimitsOf(plan), resaleLimitsOf(source)];
  const pairs = [["limits.address", limits.address, wanted.address], ["limits.card", limits.card, wanted.card]] as const;
  return pairs.flatMap(([field, from, to]) => (from === to ? [] : [{ field, from, to, refusal: null }]));
}

/**
 * New campaigns, and more or fewer uses of one, but never fewer than were used.
 * A campaign's word is not among what is said of it: whoever reads the record
 * must not learn it there.
 */
export function changedCampaigns(state: DropState, source: PlanSource): PlanDifference[] {
  const { plan } = factsOf(state);
  const ids = new Set([...plan.campaigns, ...source.campaigns].map(({ id }) => id));
  return [...ids].flatMap((id): PlanDifference[] => {
    const [planned, wanted] = [plan.campaigns.find((campaign) => campaign.id === id), source.campaigns.find((campaign) => campaign.id === id)];
    const field = `campaigns.${id}`;
    if (wanted === undefined) return [{ field, from: planned === undefined ? null : offerText(planned), to: null, refusal: "Vouchers of it are out. To end it, give it no more uses than it has had." }];
    if (planned === undefined) return [{ field, from: null, to: offerText(wanted), refusal: null }];
    const used = countOf(state.counters.couponUses, campaignKey(id));
    const uses: PlanDifference = { field: `${field}.uses`, from: planned.uses, to: wanted.uses, refusal: wanted.uses < used ? `It has been used ${used} times already.` : null };
    const isOther = canonicalJson({ ...planned, uses: 0 }) !== canonicalJson({ ...wanted, uses: 0 });
    return [
      ...(isOther ? [{ field, from: offerText(planned), to: offerText(wanted), refusal: "Its terms are printed on vouchers. Add another campaign instead." }] : []),
      ...(planned.uses === wanted.uses ? [] : [uses]),
    ];
  });
}

function offerText({ percentOff, uses }: CampaignTerms): string {
  return `${percentOff} % off, ${uses} uses`;
}
