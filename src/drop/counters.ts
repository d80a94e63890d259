import { assert } from "../kernel/result.ts";
import { EFFECTS, type StockMovement, type UnitCount } from "./movements.ts";
import { OPEN_LANE, type Plan, type PlanItem, type StockUnit } from "./plan.ts";
import type { Line } from "./port.ts";
import { releasedUnits } from "./release.ts";
import type { DropState, HoldRow } from "./state.ts";

/** Running totals, kept for speed; each can be recounted from the holds. */
export interface Counters {
  readonly held: Map<string, number>;
  readonly sold: Map<string, number>;
  /** Items that an entry has held, placed or bought. */
  readonly itemsByEntry: Map<string, number>;
  /** Items that a person has placed or bought, and holds where it is known already who holds. */
  readonly itemsByPerson: Map<string, number>;
  /** Items that are on their way to be paid for, or sold, to be sent to one address. */
  readonly itemsByDestination: Map<string, number>;
  /** Sold items that one card paid for. */
  readonly itemsByCard: Map<string, number>;
  readonly couponUses: Map<string, number>;
  /** Holds of a network that are neither paid nor over. */
  readonly unpaidByNetwork: Map<string, number>;
  /** Sold orders of a network. */
  readonly paidByNetwork: Map<string, number>;
  /** Of a network, the holds whose orders failed at the till, with when each was made. */
  readonly failedByNetwork: Map<string, Map<string, number>>;
  /** Orders of a sitting that are placed or sold. */
  readonly ordersBySitting: Map<string, number>;
  /** Orders of a sitting that will never be paid. */
  readonly failedBySitting: Map<string, number>;
  /** Units of a sku that a lane holds or has bought by holds made in one stage; see `laneKey`. Everyone's are not counted. */
  readonly takenInLanes: Map<string, number>;
}

export function emptyCounters(): Counters {
  return { held: new Map(), sold: new Map(), itemsByEntry: new Map(), itemsByPerson: new Map(), itemsByDestination: new Map(), itemsByCard: new Map(), couponUses: new Map(), unpaidByNetwork: new Map(), paidByNetwork: new Map(), failedByNetwork: new Map(), ordersBySitting: new Map(), failedBySitting: new Map(), takenInLanes: new Map() };
}

export function campaignKey(campaign: string): string {
  return campaign;
}

/** A voucher's own count; a line feed cannot occur in a campaign's id. */
export function voucherKey(coupon: { readonly campaign: string; readonly voucher: string }): string {
  return `${coupon.campaign}\n${coupon.voucher}`;
}

/** A lane's count of one sku in one stage (from 1); a lane's name has no slash. */
export function laneKey(lane: string, stage: number, sku: string): string {
  return `${lane}/${stage}/${sku}`;
}

export function countOf(counts: ReadonlyMap<string, number>, key: string): number {
  return counts.get(key) ?? 0;
}

function add(counts: Map<string, number>, key: string, amount: number): void {
  const sum = countOf(counts, key) + amount;
  // No clamp: a count below zero means that something was given back twice.
  assert(sum >= 0, "no count is ever negative");
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}

export function itemCount(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + line.quantity, 0);
}

/** Adds (1) or takes away (-1) what a hold counts for persons, addresses, cards, networks, lanes and coupons in its present state. */
export function countHold(counters: Counters, hold: HoldRow, sign: 1 | -1): void {
  if (hold.state === "voided") {
    add(counters.failedBySitting, hold.sitting, sign);
    // Where we refused the card ourselves no bank did: that is no sign of somebody who tries out cards.
    if (hold.order !== null && hold.refused === undefined) noteFailure(counters, hold, sign);
  }
  const isPaidFor = hold.state === "placed" || hold.state === "sold";
  if (!isPaidFor && hold.state !== "held") return;
  const items = sign * (itemCount(hold.lines) - hold.returnedItems);
  add(counters.itemsByEntry, hold.entry, items);
  if (hold.person !== null) add(counters.itemsByPerson, hold.person, items);
  if (hold.lane !== OPEN_LANE) countInLane(counters, hold, sign);
  add(hold.state === "sold" ? counters.paidByNetwork : counters.unpaidByNetwork, hold.network, sign);
  if (!isPaidFor) return;
  add(counters.ordersBySitting, hold.sitting, sign);
  if (hold.destination !== undefined) add(counters.itemsByDestination, hold.destination, items);
  if (hold.card !== undefined) add(counters.itemsByCard, hold.card, items);
  if (hold.coupon === null) return;
  add(counters.couponUses, campaignKey(hold.coupon.campaign), sign);
  add(counters.couponUses, voucherKey(hold.coupon), sign);
}

function noteFailure({ failedByNetwork }: Counters, { id, network, heldAt }: HoldRow, sign: 1 | -1): void {
  const failed = failedByNetwork.get(network) ?? new Map<string, number>();
  if (sign === 1) failed.set(id, heldAt);
  else failed.delete(id);
  if (failed.size === 0) failedByNetwork.delete(network);
  else failedByNetwork.set(network, failed);
}

/** In the stage in which the hold was made: what a lane has taken of one stage is not lost when the next one opens. */
function countInLane(counters: Counters, hold: HoldRow, sign: 1 | -1): void {
  const { held, sold } = unitsTaken(hold);
  for (const { sku, quantity } of [...held, ...sold]) add(counters.takenInLanes, laneKey(hold.lane, hold.stage, sku), sign * quantity);
}

/** Counts a hold's units from its row, where no movement says them: at a rebuild and at a recount. */
export function countUnits(counters: Counters, hold: HoldRow): void {
  const taken = unitsTaken(hold);
  for (const { sku, quantity } of taken.held) add(counters.held, sku, quantity);
  for (const { sku, quantity } of taken.sold) add(counters.sold, sku, quantity);
}

/** The units that a hold keeps from others in its present state. */
export function unitsTaken(hold: HoldRow): { readonly held: readonly UnitCount[]; readonly sold: readonly UnitCount[] } {
  if (hold.state === "held" || hold.state === "placed") return { held: hold.units, sold: [] };
  if (hold.state !== "sold") return { held: [], sold: [] };
  const returned = new Map(hold.returned.map(({ sku, quantity }) => [sku, quantity]));
  return { held: [], sold: hold.units.map(({ sku, quantity }) => ({ sku, quantity: quantity - countOf(returned, sku) })) };
}

/**
 * Applies one movement to the totals and checks, after this very row, that
 * held + sold is at most what is released and that nothing is negative.
 */
export function countMovement(counters: Counters, plan: Plan, movement: StockMovement, now: number): void {
  assert(Number.isSafeInteger(movement.quantity) && movement.quantity > 0, "a movement moves a whole, positive number of units");
  const effect = EFFECTS[movement.kind];
  add(counters.held, movement.sku, effect.held * movement.quantity);
  add(counters.sold, movement.sku, effect.sold * movement.quantity);
  const taken = countOf(counters.held, movement.sku) + countOf(counters.sold, movement.sku);
  assert(taken <= releasedUnits(stockUnit(plan, movement.sku), now), "held + sold is at most what is released");
}

export function stockUnit(plan: Plan, sku: string): StockUnit {
  const stock = plan.stock.find((unit) => unit.sku === sku);
  assert(stock !== undefined, "every component is a stock unit of the plan");
  return stock;
}

/** `released − held − sold` of one stock unit; never negative, or the write that made it so was stopped. */
export function availableUnits(state: DropState, stock: StockUnit, now: number): number {
  return releasedUnits(stock, now) - countOf(state.counters.held, stock.sku) - countOf(state.counters.sold, stock.sku);
}

/** How many of an item could be had if `free` units of each component were free. */
export function itemsWithin(item: PlanItem, free: (sku: string) => number): number {
  return Math.min(...item.components.map((part) => Math.floor(free(part.sku) / part.quantity)));
}

export function availableItems(state: DropState, plan: Plan, item: PlanItem, now: number): number {
  return itemsWithin(item, (sku) => availableUnits(state, stockUnit(plan, sku), now));
}

/**
 * What lines need in stock units, summed per sku over all of them: two lines
 * that share a component must not each be checked against the same units.
 */
export function unitsOfLines(plan: Plan, lines: readonly Line[]): UnitCount[] {
  const units = new Map<string, number>();
  for (const line of lines) {
    const item = plan.items.find((candidate) => candidate.sku === line.sku);
    assert(item !== undefined, "every held line is an item of the plan");
    for (const part of item.components) units.set(part.sku, countOf(units, part.sku) + part.quantity * line.quantity);
  }
  return [...units].map(([sku, quantity]) => ({ sku, quantity }));
}
