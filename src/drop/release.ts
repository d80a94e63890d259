import { apportion } from "../kernel/money.ts";
import type { Plan, StockUnit } from "./plan.ts";

/** Shares may have decimals; a millionth of a percent is finer than any stock can be split. */
const SHARE_SCALE = 1_000_000;

/**
 * Splits a quantity over stage shares (percent, any positive sum) by largest
 * remainder, ties to the earlier stage. The parts are non-negative and sum to
 * the quantity exactly: 1 by 40/40/20 gives 1/0/0, 101 gives 41/40/20.
 */
export function stageUnits(quantity: number, sharesPercent: readonly number[]): number[] {
  return apportion(quantity, sharesPercent.map((share) => Math.round(share * SHARE_SCALE)));
}

/**
 * How many units of a stock unit may be held or sold at `now`. A stage is open
 * from its instant on, whether or not any timer ran.
 */
export function releasedUnits(stock: StockUnit, now: number): number {
  let units = 0;
  for (const stage of stock.stages) if (stage.opensAt <= now) units += stage.units;
  return units;
}

/** The opening instants of a plan's stages, in order; every stock unit shares them. */
export function stageOpenings(plan: Plan): readonly number[] {
  return plan.stock[0]?.stages.map((stage) => stage.opensAt) ?? [];
}

/** The stage that is open at `now`, 1-based, or null before the first. Each step of a drip is a stage. */
export function stageAt(plan: Plan, now: number): number | null {
  // Every hold asks, and a drip may have two hundred steps: nothing is made to be counted.
  const stages = plan.stock[0]?.stages ?? [];
  let open = 0;
  for (const { opensAt } of stages) if (opensAt <= now) open++;
  return open === 0 ? null : open;
}

/** When the next stage opens, or null when all of them are open. */
export function nextStageAt(plan: Plan, now: number): number | null {
  return plan.stock[0]?.stages.find(({ opensAt }) => opensAt > now)?.opensAt ?? null;
}
