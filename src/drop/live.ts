import { availableItems, availableUnits, countOf, itemsWithin, stockUnit } from "./counters.ts";
import { lanesOf, linesOf } from "./due.ts";
import { isSelling } from "./hold-movements.ts";
import { unitsFor } from "./lanes.ts";
import { nextTurnAt, wantedLines } from "./line.ts";
import type { Plan, PlanItem } from "./plan.ts";
import type { DropLive, DropSnapshot, Phase } from "./port.ts";
import { nextStageAt, stageAt } from "./release.ts";
import { thresholdOf } from "./sittings.ts";
import type { DropFacts, DropState } from "./state.ts";

/** What every reader of the live chain gets, or null for a drop without a plan. What is due at `now` has been settled. */
export function dropSnapshot(state: DropState, now: number): DropSnapshot | null {
  const { facts } = state;
  if (facts === null) return null;
  return {
    live: dropLive(state, facts, now), planHash: facts.planHash, planVersion: facts.planVersion, plan: facts.plan, changes: facts.changes,
    missing: facts.missing, wanted: wantedLines(state, now), nextTurnAt: nextTurnAt(state, now),
  };
}

/**
 * The public state: exactly what a hold at `now` would find, and nothing once the
 * drop is over.
 *
 * `available` is released − held − sold: what everyone and the lanes together can
 * still have, so that it agrees with the record. What is kept for a lane is part
 * of it, since it is for sale, to that lane at once and to everyone after the
 * lapse; `byLane` says what each lane, the open one included, may take of it now.
 * Nothing is called sold out because it is kept: that is said of an item only
 * when nothing is available, and then nothing is kept of it either.
 */
function dropLive(state: DropState, facts: DropFacts, now: number): DropLive {
  const { plan, seed } = facts;
  const isOver = facts.cancelled || now >= plan.closesAt;
  const isOpen = isSelling(facts, now);
  const items = plan.items.map((item) => {
    const available = isOpen ? availableItems(state, plan, item, now) : 0;
    const shown = { sku: item.sku, available, soldOut: soldOut(state, plan, item, { available, isOver, now }) };
    return plan.lanes.length === 0 ? shown : { ...shown, byLane: lanesOf(plan).map((lane) => ({ lane, available: isOpen ? itemsWithin(item, (sku) => unitsFor(state, plan, sku, lane, now)) : 0 })) };
  });
  const available = isOpen ? plan.stock.reduce((sum, stock) => sum + availableUnits(state, stock, now), 0) : 0;
  return {
    asOf: now, phase: phaseAt(facts, items, now), stage: stageAt(plan, now), available,
    low: available > 0 && available <= plan.low, nextStageAt: isOver ? null : nextStageAt(plan, now), seed,
    thresholds: linesOf(plan).map(({ sku, lane }) => ({ sku, lane, upTo: thresholdOf(state, sku, lane) })),
    items,
    head: { seq: state.tail.seq, hash: state.tail.hash },
  };
}

function phaseAt(facts: DropFacts, items: readonly { readonly available: number }[], now: number): Phase {
  const { plan } = facts;
  if (facts.cancelled) return "cancelled";
  if (now >= plan.closesAt) return "closed";
  if (now < plan.lobbyOpensAt && now < plan.opensAt) return "announced";
  if (now < plan.opensAt) return "lobby";
  if (facts.seed === null) return "drawing";
  if (facts.paused) return "paused";
  const isSoldOut = nextStageAt(plan, now) === null && items.every((item) => item.available === 0);
  return isSoldOut ? "sold-out" : "open";
}

/**
 * "final" when no later release and no hold that ends could make even one of
 * the item again: what is not yet sold of some component is too little.
 */
function soldOut(state: DropState, plan: Plan, item: PlanItem, at: { readonly available: number; readonly isOver: boolean; readonly now: number }): null | "stage" | "final" {
  if (at.isOver) return "final";
  if (at.now < plan.opensAt || at.available > 0) return null;
  const unsold = (sku: string) => stockUnit(plan, sku).quantity - countOf(state.counters.sold, sku);
  return itemsWithin(item, unsold) < 1 ? "final" : "stage";
}
