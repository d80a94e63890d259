import type { Hashing } from "../kernel/hashing.ts";
import { countOf, itemCount, unitsOfLines } from "./counters.ts";
import { factsOf, isSelling, movementsOf } from "./hold-movements.ts";
import { unitsFor } from "./lanes.ts";
import type { Plan } from "./plan.ts";
import type { ConfirmAnswer, Line } from "./port.ts";
import { isSpendable } from "./orders.ts";
import { addressLimitReached, isOverCardLimit } from "./resale-limits.ts";
import { stageAt } from "./release.ts";
import { limitOfEntry } from "./sittings.ts";
import { type Changes, type Decision, type DropState, type HoldRow, type OrderRow, unchanged } from "./state.ts";

/** How long after placing a payment that the provider calls "processing" may still succeed. */
export const PROCESSING_TIME_MAX_MS = 15 * 60_000;

/**
 * The drop's one answer for a payment that was authorised. It is stored with
 * the payment: a retry never turns "refused" into "sold", and a second payment
 * for an order that is sold is refused, so that nobody pays twice. `card` is the
 * hash of the card that pays, null where the provider names none.
 */
export function decideConfirm(state: DropState, orderId: string, payment: string, now: number, hashing: Hashing, card: string | null = null): Decision<ConfirmAnswer> {
  const before = state.verdicts.get(payment);
  if (before !== undefined) return unchanged(before.answer);
  const { sale, refusal } = saleOf(state, orderId, card, now, hashing);
  const answer: ConfirmAnswer = refusal === null ? { verdict: "sold", at: now } : { verdict: "refused", at: now, ...refusal };
  return { outcome: answer, changes: { ...sale, verdicts: [{ id: payment, order: orderId, answer }] } };
}

interface Sale {
  /** What becomes of the hold and its units. */
  readonly sale: Changes | null;
  /** Null: it is sold. */
  readonly refusal: { readonly reason?: "card_limit" } | null;
}

function saleOf(state: DropState, orderId: string, card: string | null, now: number, hashing: Hashing): Sale {
  const facts = factsOf(state);
  const { plan } = facts;
  const order = state.orders.get(orderId);
  const hold = order === undefined ? undefined : state.holds.get(order.hold);
  if (hold === undefined || facts.cancelled || hold.state === "sold") return { sale: null, refusal: {} };
  const isLate = hold.state !== "placed";
  if (isLate && !canTakeAgain(state, hold, now)) return { sale: null, refusal: {} };
  if (isOverCardLimit(state, plan, card, itemCount(hold.lines))) {
    // The payment page has had its payment: the units go back now, and not when the time to pay would have ended.
    return { sale: isLate ? null : voided({ ...hold, refused: "card_limit" }, plan, now, hashing), refusal: { reason: "card_limit" } };
  }
  const sold: HoldRow = { ...hold, state: "sold", ...(card === null ? {} : { card }) };
  if (!isLate) return { sale: { movements: movementsOf("sell", hold, plan, now, hashing), holds: [sold] }, refusal: null };
  return {
    sale: {
      movements: [...movementsOf("hold", hold, plan, now, hashing), ...movementsOf("sell", hold, plan, now, hashing)],
      // Its units are of this stage now, and come off what is kept for its lane in this one.
      holds: [{ ...sold, stage: stageAt(plan, now) ?? hold.stage }],
    },
    refusal: null,
  };
}

/** A placed hold that ends without a sale. */
function voided(hold: HoldRow, plan: Plan, now: number, hashing: Hashing): Changes {
  return { movements: movementsOf("void", hold, plan, now, hashing), holds: [{ ...hold, state: "voided" }] };
}

/**
 * Whether late money can have its units again: all of them from the open stage,
 * nothing of what is kept for another lane, and without a person, an address or
 * a coupon going over what they may. What was given back when the order ended
 * may have been used by others, or by the same person.
 */
function canTakeAgain(state: DropState, hold: HoldRow, now: number): boolean {
  const facts = factsOf(state);
  const { plan } = facts;
  if (!isSelling(facts, now)) return false;
  if (hold.units.some(({ sku, quantity }) => quantity > unitsFor(state, plan, sku, hold.lane, now))) return false;
  const items = itemCount(hold.lines);
  const limit = limitOfEntry(state, plan, hold.entry);
  if (countOf(state.counters.itemsByEntry, hold.entry) + items > limit) return false;
  if (hold.person !== null && countOf(state.counters.itemsByPerson, hold.person) + items > limit) return false;
  if (addressLimitReached(state, plan, hold.destination, items) !== null) return false;
  if (hold.coupon === null) return true;
  const terms = plan.campaigns.find((campaign) => campaign.id === hold.coupon?.campaign);
  return terms !== undefined && isSpendable(state, terms, hold.coupon);
}

/** Extends the time to pay once; answers the time that now holds, or null for an order that is not known. */
export function decideProcessing(state: DropState, orderId: string): Decision<number | null> {
  const order = state.orders.get(orderId);
  const hold = order === undefined ? undefined : state.holds.get(order.hold);
  if (order === undefined || hold === undefined || hold.payBy === null) return unchanged(null);
  if (hold.state !== "placed" || order.extended) return unchanged(hold.payBy);
  const payBy = Math.max(hold.payBy, order.placed.placedAt + PROCESSING_TIME_MAX_MS);
  const tillClosed = payBy === hold.payBy && hold.tillClosed;
  return { outcome: payBy, changes: { holds: [{ ...hold, payBy, tillClosed }], orders: [{ ...order, extended: true }] } };
}

/** An order that will never be paid gives its units back at once. */
export function decideFail(state: DropState, orderId: string, now: number, hashing: Hashing): Decision<null> {
  const order = state.orders.get(orderId);
  const hold = order === undefined ? undefined : state.holds.get(order.hold);
  if (hold === undefined || hold.state !== "placed") return unchanged(null);
  return { outcome: null, changes: voided(hold, factsOf(state).plan, now, hashing) };
}

export type RestockOutcome = "restocked" | "more_than_was_sold";

/**
 * Puts units of a sold order back on sale. Idempotent by refund. After the
 * books are closed the refund is noted and no unit moves: there is no stage
 * left in which it could be bought.
 */
export function decideRestock(state: DropState, command: { readonly order: string; readonly refund: string; readonly lines: readonly Line[] }, now: number, hashing: Hashing): Decision<RestockOutcome> {
  const { plan, closedAt } = factsOf(state);
  const order = state.orders.get(command.order);
  const hold = order === undefined ? undefined : state.holds.get(order.hold);
  if (order === undefined || hold === undefined || hold.state !== "sold") return unchanged("more_than_was_sold");
  if (order.refunds.some((refund) => refund.id === command.refund)) return unchanged("restocked");
  if (!isWithinSale(order, hold, command.lines)) return unchanged("more_than_was_sold");
  const orders = [{ ...order, refunds: [...order.refunds, { id: command.refund, lines: command.lines }] }];
  if (closedAt !== null || command.lines.length === 0) return { outcome: "restocked", changes: { orders } };
  const units = unitsOfLines(plan, command.lines);
  const returned = new Map(hold.returned.map(({ sku, quantity }) => [sku, quantity]));
  for (const { sku, quantity } of units) returned.set(sku, countOf(returned, sku) + quantity);
  return {
    outcome: "restocked",
    changes: {
      orders,
      movements: movementsOf("return", hold, plan, now, hashing, units),
      holds: [{ ...hold, returned: [...returned].map(([sku, quantity]) => ({ sku, quantity })), returnedItems: hold.returnedItems + itemCount(command.lines) }],
    },
  };
}

/** Whether every line is whole, positive and, with all earlier refunds, at most what was sold. */
function isWithinSale(order: OrderRow, hold: HoldRow, lines: readonly Line[]): boolean {
  const left = new Map<string, number>();
  for (const { sku, quantity } of hold.lines) left.set(sku, countOf(left, sku) + quantity);
  for (const { sku, quantity } of [...order.refunds.flatMap((refund) => refund.lines), ...lines]) left.set(sku, countOf(left, sku) - quantity);
  return lines.every(({ quantity }) => Number.isSafeInteger(quantity) && quantity > 0) && [...left.values()].every((quantity) => quantity >= 0);
}
