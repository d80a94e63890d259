import type { PlacedOrder } from "../checkout/placed-order.ts";
import { quoteOrder } from "../checkout/quote.ts";
import type { CampaignTerms, CheckedCoupon } from "../coupon/campaign.ts";
import { canonicalJson } from "../kernel/canonical.ts";
import type { Hashing } from "../kernel/hashing.ts";
import { accepted, assert, rejected, type Result } from "../kernel/result.ts";
import { campaignKey, countOf, itemCount, voucherKey } from "./counters.ts";
import { limitOf, peopleOf } from "./groups.ts";
import { factsOf, movementsOf } from "./hold-movements.ts";
import { addressLimitReached } from "./resale-limits.ts";
import type { Plan } from "./plan.ts";
import type { PlaceCommand, PlaceRejection } from "./port.ts";
import { type Decision, type DropFacts, type DropState, type HoldRow, type SpentCoupon, unchanged } from "./state.ts";

/** The least time to pay that placing an order gives. */
export const PAY_TIME_MIN_MS = 5 * 60_000;

type Placed = Result<PlacedOrder, PlaceRejection>;

/**
 * Makes an order of a hold. The hold is looked at again here, in the
 * transaction that writes the order: however fresh the caller's knowledge is, a
 * hold that ended a millisecond ago is not sold.
 */
export function decidePlace(state: DropState, command: PlaceCommand, now: number, hashing: Hashing): Decision<Placed> {
  const facts = factsOf(state);
  const { plan } = facts;
  const { hold: holdId, entry, email, delivery, coupon } = command;
  const fingerprint = canonicalJson({ hold: holdId, entry, email, delivery, coupon });
  const first = state.orders.get(command.id);
  if (first !== undefined) return unchanged(first.fingerprint === fingerprint ? accepted(first.placed) : rejected({ code: "id_reused" }));
  const hold = state.holds.get(holdId);
  if (hold === undefined || hold.entry !== entry) return unchanged(rejected({ code: "not_found" }));
  if (hold.state === "placed" || hold.state === "sold") return unchanged(rejected({ code: "order_placed" }));
  const isHeld = hold.state === "held" && now < hold.expiresAt;
  // A place that was given to a proven address must not be turned into an order of another one.
  const sitting = state.sittings.get(hold.sitting);
  const owner = sitting?.person ?? null;
  if (owner !== null && owner !== command.person) return unchanged(rejected({ code: "identity_differs" }));
  // Asked first: the refusal gives the hold back, and whoever retries after a lost answer must read the same reason again.
  const ownItems = hold.state === "held" && hold.person === command.person ? itemCount(hold.lines) : 0;
  // The order of a group names the address of whoever joined for all of them; the others' addresses have no other place, and no order can name them.
  const limit = limitOf(plan, sitting === undefined ? 1 : peopleOf(sitting));
  if (countOf(state.counters.itemsByPerson, command.person) - ownItems + itemCount(hold.lines) > limit) {
    return {
      outcome: rejected({ code: "limit_reached", limit }),
      // Kept, the hold would block units that this person can never buy.
      changes: isHeld ? { movements: movementsOf("abandon", hold, plan, now, hashing), holds: [{ ...hold, state: "abandoned" }] } : null,
    };
  }
  if (!isHeld) return unchanged(rejected({ code: "hold_expired" }));
  // The hold stays: another address may be named, or a pick-up point.
  const addressLimit = addressLimitReached(state, plan, command.destination, itemCount(hold.lines));
  if (addressLimit !== null) return unchanged(rejected({ code: "limit_reached", limit: addressLimit, per: "address" }));
  const terms = coupon === null ? null : couponTerms(state, plan, coupon, command.region, now);
  if (terms === "coupon_invalid" || terms === "coupon_used_up") return unchanged(rejected({ code: terms }));
  const placed = placedOrder(facts, command, hold, terms, now);
  return {
    outcome: accepted(placed),
    changes: {
      movements: movementsOf("place", hold, plan, now, hashing),
      holds: [{ ...hold, state: "placed", order: command.id, person: command.person, coupon: coupon === null ? null : { campaign: coupon.campaign, voucher: coupon.voucher, voucherUses: coupon.voucherUses }, payBy: placed.payBy, ...(command.destination === undefined ? {} : { destination: command.destination }) }],
      orders: [{ id: command.id, hold: hold.id, fingerprint, placed, extended: false, refunds: [] }],
      outbox: [{ id: `order_placed:${command.id}`, drop: plan.drop, kind: "order_placed", order: placed }],
    },
  };
}

/** The order as it will be paid and paid out: prices of the hold, terms of the plan, nothing of the client's. */
function placedOrder({ plan, planHash }: DropFacts, command: PlaceCommand, hold: HoldRow, terms: CampaignTerms | null, now: number): PlacedOrder {
  const quote = quoteOrder({
    currency: plan.currency,
    lines: hold.lines.map((line) => ({ ...line, title: titleOf(plan, line.sku) })),
    percentOff: terms?.percentOff ?? null,
    tax: plan.tax,
  });
  return {
    id: command.id, drop: plan.drop, dropTitle: plan.title, planHash, hold: hold.id, entry: hold.entry,
    email: command.email, delivery: command.delivery, region: command.region, locale: command.locale,
    currency: plan.currency, lines: quote.lines, discountMinor: quote.discountMinor, totalMinor: quote.totalMinor, tax: quote.tax,
    coupon: command.coupon === null ? null : { campaign: command.coupon.campaign, voucher: command.coupon.voucher },
    splits: plan.splits, capture: plan.capture,
    placedAt: now, payBy: Math.max(hold.expiresAt, now + PAY_TIME_MIN_MS), returnTo: command.returnTo,
  };
}

/**
 * The terms that a coupon stands for, if it may be spent now. Unknown, foreign,
 * early and late vouchers get one answer, so that a script learns nothing.
 */
function couponTerms(state: DropState, plan: Plan, coupon: CheckedCoupon, region: string | null, now: number): CampaignTerms | "coupon_invalid" | "coupon_used_up" {
  const terms = plan.campaigns.find((campaign) => campaign.id === coupon.campaign);
  if (terms === undefined || now < terms.validFrom || now >= terms.validUntil) return "coupon_invalid";
  if (terms.region !== null && (coupon.region !== terms.region || (region !== null && region !== terms.region))) return "coupon_invalid";
  return isSpendable(state, terms, coupon) ? terms : "coupon_used_up";
}

/** Whether a campaign and its voucher have a use left; an order that ended unpaid has given its own back. */
export function isSpendable(state: DropState, terms: CampaignTerms, coupon: SpentCoupon): boolean {
  if (countOf(state.counters.couponUses, campaignKey(terms.id)) >= terms.uses) return false;
  return coupon.voucherUses === null || countOf(state.counters.couponUses, voucherKey(coupon)) < coupon.voucherUses;
}

function titleOf(plan: Plan, sku: string): string {
  const item = plan.items.find((candidate) => candidate.sku === sku);
  assert(item !== undefined, "an ordered line is an item of the plan");
  return item.title;
}
