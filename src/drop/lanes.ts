import { apportion } from "../kernel/money.ts";
import { assert } from "../kernel/result.ts";
import { availableUnits, countOf, laneKey, stockUnit } from "./counters.ts";
import { isStockMovement, type Movement } from "./movements.ts";
import { OPEN_LANE, type LaneShare, type Plan, type StockUnit } from "./plan.ts";
import { nextStageAt } from "./release.ts";
import type { DropState, HoldRow } from "./state.ts";
import type { SteppedStage } from "./written-stages.ts";

/*
 * What is kept for whom, and until when.
 *
 * A lane has a share of each stage. It is kept while that stage is the open one,
 * until the lane's time is over; a unit that somebody of the lane holds or has
 * bought is no longer kept but had, also where it would have been theirs in the
 * common line. So at `now`, with k the open stage, a lane is still kept
 *
 *   kept(L) = max(0, reserve(k, L) − units held or sold by holds that L made in k)
 *
 * before its lapse and nothing from that very millisecond on. A lane that took
 * more than its reserve took it from the common units, like everyone: that is
 * what the bound at nothing says, and it hides no defect.
 *
 * What is kept is there: Σ kept ≤ available, at every moment.
 * - When a stage opens, what was kept in the stage before has lapsed, nobody has
 *   taken anything of the new one, and it brings at least the sum of its reserves.
 * - A hold of L takes q ≤ available − Σ kept(others), see `unitsFor`. If q covers
 *   kept(L), kept(L) becomes nothing and what is left is at least the others'. If
 *   it does not, kept(L) falls by q as available does.
 * - Units come back (expired, given up, voided, returned) one by one: available
 *   grows by each of them, and at most one kept(L) grows by it.
 * - A lapse, and a stage that is put off, only take from the left side.
 * Stock units do not know of each other, so that a bundle is the same argument
 * once for each of its components, and a swap is the third step and then the
 * second. `assertKept` checks it after every write.
 */

/** Shares may have decimals; a millionth of a percent is finer than any stage can be split. */
const SHARE_SCALE = 1_000_000;

/** What is kept of one stage for one lane. */
export interface LaneUnits {
  readonly lane: string;
  readonly units: number;
}

/**
 * Splits the units of a stage: the lanes' parts by largest remainder, in the
 * order of the plan, ties to the earlier; everyone's part comes last and is not
 * in the answer.
 */
export function reservesOf(units: number, lanes: readonly LaneShare[]): LaneUnits[] {
  const weights = weightsOf(lanes);
  const rest = 100 * SHARE_SCALE - weights.reduce((sum, weight) => sum + weight, 0);
  const parts = apportion(units, [...weights, rest]);
  return lanes.map(({ lane }, index) => ({ lane, units: parts[index] ?? 0 }));
}

function weightsOf(lanes: readonly LaneShare[]): number[] {
  return lanes.map(({ sharePercent }) => Math.round(sharePercent * SHARE_SCALE));
}

/** By how many units all the steps of a drip may keep more or less for a lane than the undivided stage would: what rounding it once can do as well. */
const DRIP_DEVIATION_MAX = 1;

/**
 * Why a drip cannot be together with the lanes, in a sentence that begins with
 * `drip`; null when it can. Every step is a stage, whose reserves are whole
 * units: a tenth of four is nothing, fifty times over, and a tenth of five is
 * one, which makes a fifth of it all. Steps of which every share is a whole
 * number are always right, and the sentence names the smallest.
 */
export function unevenDrip(drip: string, { units }: SteppedStage, lanes: readonly LaneShare[]): string | null {
  for (const [sku, steps] of units) {
    const total = steps.reduce((sum, step) => sum + step, 0);
    const kept = steps.map((step) => reservesOf(step, lanes));
    for (const [index, { lane, units: due }] of reservesOf(total, lanes).entries()) {
      const inSteps = kept.reduce((sum, reserves) => sum + (reserves[index]?.units ?? 0), 0);
      if (Math.abs(inSteps - due) <= DRIP_DEVIATION_MAX) continue;
      return `${drip} is split step by step and would keep ${inSteps} of ${total} ${sku} for the lane ${lane}, whose share of them is ${due}. Let it bring ${evenUnits(lanes)} at a time, or a multiple of that.`;
    }
  }
  return null;
}

/** The smallest number of units of which every lane's share is a whole number. */
export function evenUnits(lanes: readonly LaneShare[]): number {
  const divisor = (one: number, other: number): number => (other === 0 ? one : divisor(other, one % other));
  return (100 * SHARE_SCALE) / weightsOf(lanes).reduce(divisor, 100 * SHARE_SCALE);
}

/** When a stage (from 0) stops keeping anything for a lane: after the lane's time, at the latest when the next stage opens. */
export function lapseAt(stages: readonly { readonly opensAt: number }[], index: number, { untilMs }: LaneShare): number {
  const opensAt = stages[index]?.opensAt ?? Number.POSITIVE_INFINITY;
  return Math.min(opensAt + untilMs, stages[index + 1]?.opensAt ?? Number.POSITIVE_INFINITY);
}

/** Every instant at which a reserve becomes everyone's, in no order. */
export function lapsesOf(plan: Plan): number[] {
  const stages = plan.stock[0]?.stages ?? [];
  return plan.lanes.flatMap((share) => stages.map((_, index) => lapseAt(stages, index, share)));
}

/**
 * When more can be had by somebody without anyone doing anything: the next stage
 * opens, or a reserve becomes everyone's. Infinite when neither comes. Nothing is
 * decided by it; whoever wakes up then only tells others sooner.
 */
export function nextReleaseAt(plan: Plan, now: number): number {
  let next = nextStageAt(plan, now) ?? Number.POSITIVE_INFINITY;
  for (const at of lapsesOf(plan)) if (at > now && at < next) next = at;
  return next;
}

/** A plan never changes in place, and apportioning is too slow to be done for every hold again. */
const reservesByPlan = new WeakMap<Plan, Map<string, readonly (readonly LaneUnits[])[]>>();

function plannedReserves(plan: Plan, stock: StockUnit): readonly (readonly LaneUnits[])[] {
  const known = reservesByPlan.get(plan) ?? new Map<string, readonly (readonly LaneUnits[])[]>();
  reservesByPlan.set(plan, known);
  const reserves = known.get(stock.sku) ?? stock.stages.map(({ units }) => reservesOf(units, plan.lanes));
  known.set(stock.sku, reserves);
  return reserves;
}

/** For the drops without lanes, whose every hold asks as well. */
const NOTHING_KEPT: readonly LaneUnits[] = [];

/**
 * What is still kept of a stock unit for each lane that has anything kept.
 * `comingBack` is a hold whose units are counted as given back already.
 */
export function keptUnits(state: DropState, plan: Plan, stock: StockUnit, now: number, comingBack: HoldRow | null = null): readonly LaneUnits[] {
  if (plan.lanes.length === 0) return NOTHING_KEPT;
  const open = openStage(stock, now);
  const reserves = open < 0 ? [] : (plannedReserves(plan, stock)[open] ?? []);
  return reserves.flatMap(({ lane, units }, index) => {
    const share = plan.lanes[index];
    if (share === undefined || now >= lapseAt(stock.stages, open, share)) return [];
    const returning = comingBack !== null && comingBack.lane === lane && comingBack.stage === open + 1 ? unitsIn(comingBack, stock.sku) : 0;
    const left = units - countOf(state.counters.takenInLanes, laneKey(lane, open + 1, stock.sku)) + returning;
    return left > 0 ? [{ lane, units: left }] : [];
  });
}

/**
 * How many of a stock unit somebody of a lane may take: all that is available
 * but what is kept for the other lanes. Never negative, and for no lane less
 * than for everyone.
 */
export function unitsFor(state: DropState, plan: Plan, sku: string, lane: string, now: number, comingBack: HoldRow | null = null): number {
  const stock = stockUnit(plan, sku);
  let units = availableUnits(state, stock, now) + (comingBack === null ? 0 : unitsIn(comingBack, sku));
  for (const kept of keptUnits(state, plan, stock, now, comingBack)) if (kept.lane !== lane) units -= kept.units;
  return units;
}

/** Stops a write after which something would be kept that is not there: somebody took what was kept for others. */
export function assertKept(state: DropState, plan: Plan, movements: readonly Movement[], now: number): void {
  if (plan.lanes.length === 0) return;
  for (const movement of movements) if (isStockMovement(movement)) assert(unitsFor(state, plan, movement.sku, OPEN_LANE, now) >= 0, "what is kept for a lane is there");
}

/**
 * The better of two lanes for whoever may stand in either: the one with more
 * chances in the draw, since that lasts through all stages; then the one with
 * the larger share, then the one that keeps it longer, then the earlier in the
 * plan. Any lane is better than the open one: it may take whatever that may.
 */
export function betterLane(lanes: readonly LaneShare[], one: string, other: string): string {
  const [first, second] = [lanes.find(({ lane }) => lane === one), lanes.find(({ lane }) => lane === other)];
  if (first === undefined || second === undefined) return first === undefined ? other : one;
  const difference = first.weight - second.weight || first.sharePercent - second.sharePercent || first.untilMs - second.untilMs || lanes.indexOf(second) - lanes.indexOf(first);
  return difference >= 0 ? one : other;
}

/** The open stage, from 0, or -1 before the first. */
function openStage(stock: StockUnit, now: number): number {
  return stock.stages.findLastIndex(({ opensAt }) => opensAt <= now);
}

function unitsIn(hold: HoldRow, sku: string): number {
  return hold.units.find((unit) => unit.sku === sku)?.quantity ?? 0;
}
