import type { Plan, StockUnit } from "../../drop/plan.ts";
import type { DropLive } from "../../drop/port.ts";

export interface WaitEstimate {
  readonly from: number;
  readonly to: number;
}

/**
 * Between when and when a waiting ticket is called, or null where nobody can
 * honestly say. It may be called at once, whenever somebody ahead gives up;
 * and it is called, at the latest, with the first stage whose units are enough
 * for everybody ahead taking as much as one person may.
 *
 * A measured pace would look more exact and promise what depends on who pays.
 * Where units are shared between items or kept for lanes, and behind the point
 * to which the stock reaches for certain, no time is named at all.
 */
export function waitEstimate(position: number, plan: Plan, live: DropLive, now: number): WaitEstimate | null {
  const isRunning = live.phase === "open" || live.phase === "sold-out";
  const isPlain = plan.lanes.length === 0 && plan.items.every(({ sku, components }) => components.length === 1 && components[0]?.sku === sku && components[0].quantity === 1);
  if (!isRunning || !isPlain) return null;
  const wanted = position * plan.limitPerPerson;
  const enoughAt = plan.stock.map((unit) => openingWith(wanted, unit, now));
  return enoughAt.includes(null) ? null : { from: now, to: Math.max(...enoughAt.flatMap((at) => at ?? [])) + plan.claimWindowMs };
}

/** When the stages to come have brought so many units; null where they never do. */
function openingWith(wanted: number, { stages }: StockUnit, now: number): number | null {
  let units = 0;
  for (const stage of stages) {
    if (stage.opensAt <= now) continue;
    units += stage.units;
    if (units >= wanted) return stage.opensAt;
  }
  return null;
}
