import type { CampaignTerms } from "../coupon/campaign.ts";
import type { PlanItem } from "../drop/plan.ts";
import { payableStep } from "../kernel/money.ts";
import type { SplitRule } from "../settlement/split.ts";
import { type Mistakes, nameDuplicates } from "./fields.ts";

/** What a drop sells, and where the money goes. */
export interface Offer {
  readonly stock: readonly { readonly sku: string; readonly quantity: number }[];
  readonly items: readonly PlanItem[];
  readonly splits: readonly SplitRule[];
  readonly campaigns: readonly CampaignTerms[];
}

/** The checks of an offer that look at more than one field. */
export function checkOffer(table: string, offer: Offer, surroundings: { readonly currency: string; readonly regionSlugs: readonly string[] }, mistakes: Mistakes): void {
  checkPrices(table, offer.items, surroundings.currency, mistakes);
  checkCampaigns(table, offer.campaigns, surroundings.regionSlugs, mistakes);
  if (checkSplitRules(table, offer.splits, mistakes)) checkRemainder(table, offer, payableStep(surroundings.currency), mistakes);
}

function checkPrices(table: string, items: readonly PlanItem[], currency: string, mistakes: Mistakes): void {
  const step = payableStep(currency);
  for (const [index, { priceMinor }] of items.entries()) {
    if (priceMinor % step !== 0) mistakes.add(table, `items[${index}].priceMinor`, `Cards cannot pay the last decimal of ${currency}: this must be a multiple of ${step}.`);
  }
}

function checkCampaigns(table: string, campaigns: readonly CampaignTerms[], regionSlugs: readonly string[], mistakes: Mistakes): void {
  nameDuplicates(mistakes, table, campaigns.map(({ id }, index) => [`campaigns[${index}].id`, id] as const), "campaign");
  // Typed words are compared without regard to case, so two that differ only in case are one.
  nameDuplicates(mistakes, table, campaigns.flatMap(({ typed }, index) => (typed === null ? [] : [[`campaigns[${index}].typed`, typed.toUpperCase()] as const])), "word");
  for (const [index, campaign] of campaigns.entries()) {
    const field = `campaigns[${index}]`;
    if (campaign.validFrom >= campaign.validUntil) mistakes.add(table, `${field}.validFrom`, "This must be before validUntil.");
    if (campaign.region !== null && !regionSlugs.includes(campaign.region)) {
      mistakes.add(table, `${field}.region`, `There is no region "${campaign.region}". The regions are ${regionSlugs.join(", ")}.`);
    }
  }
}

function checkSplitRules(table: string, splits: readonly SplitRule[], mistakes: Mistakes): boolean {
  const before = mistakes.list.length;
  nameDuplicates(mistakes, table, splits.map(({ party }, index) => [`splits[${index}].party`, party] as const), "party");
  const remainders = splits.filter((rule) => "remainder" in rule).length;
  if (remainders !== 1) mistakes.add(table, "splits", `Exactly one party takes the remainder; here ${remainders} do.`);
  const percentSum = splits.reduce((sum, rule) => sum + ("percent" in rule ? Math.round(rule.percent * 100) : 0), 0) / 100;
  if (percentSum > 100) mistakes.add(table, "splits", `The percentages must not exceed 100; they sum to ${percentSum}.`);
  return mistakes.list.length === before;
}

/**
 * Refuses splits that could owe more than a buyer paid: at the item's price less
 * the largest discount, the fixed parts and the percentages must leave something
 * or exactly nothing.
 *
 * One unit is the worst case: fixed parts grow with the units exactly as the
 * goods do, and a discount that is rounded once for several units takes no more
 * than one that is rounded for each. Percentages are given out by largest
 * remainder, so together they never round past their exact sum's next integer.
 */
function checkRemainder(table: string, { items, splits, campaigns }: Offer, step: number, mistakes: Mistakes): void {
  const percentOff = campaigns.reduce((most, campaign) => Math.max(most, campaign.percentOff), 0);
  const percentSum = splits.reduce((sum, rule) => sum + ("percent" in rule ? rule.percent : 0), 0);
  const fixed = splits.reduce((sum, rule) => sum + ("fixedMinor" in rule ? BigInt(rule.fixedMinor) : 0n), 0n);
  for (const [index, item] of items.entries()) {
    const goods = BigInt(item.priceMinor) - partRoundedUp(BigInt(item.priceMinor), percentOff, BigInt(step));
    const taken = fixed + partRoundedUp(goods, percentSum);
    if (taken <= goods) continue;
    const discount = percentOff === 0 ? "" : ` after the largest discount of ${percentOff} %`;
    mistakes.add(table, "splits", `${item.sku} brings ${goods}${discount} and the splits take ${taken} of it (items[${index}].priceMinor): the remainder would be negative.`);
  }
}

/** In hundredths of a percent and whole numbers: a price may be larger than floating point carries exactly. Rounded up to a multiple of `step`. */
function partRoundedUp(amount: bigint, percent: number, step = 1n): bigint {
  const whole = 10_000n * step;
  return step * ((amount * BigInt(Math.round(percent * 100)) + whole - 1n) / whole);
}
