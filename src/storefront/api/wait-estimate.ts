import type { Plan } from "../../drop/plan.ts";
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
  const openings = [...new Set(plan.stock.flatMap((unit) => unit.stages.map((stage) => stage.opensAt)))].filter((at) => at > now).toSorted((a, b) => a - b);
  const enoughAt = openings.find((opening) =>
    plan.stock.every((unit) => unit.stages.filter(({ opensAt }) => opensAt > now && opensAt <= opening).reduce((units, stage) => units + stage.units, 0) >= wanted),
  );
  return enoughAt === undefined ? null : { from: now, to: enoughAt + plan.claimWindowMs };
}
