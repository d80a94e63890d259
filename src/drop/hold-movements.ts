import type { Hashing } from "../kernel/hashing.ts";
import { assert } from "../kernel/result.ts";
import { refOf } from "../lobby/draw.ts";
import type { StockMovement, UnitCount } from "./movements.ts";
import type { Plan } from "./plan.ts";
import { stageAt } from "./release.ts";
import type { DropFacts, DropState, HoldRow } from "./state.ts";

/** One row per stock unit of a hold; the hold's own name links them through its life. */
export function movementsOf(kind: StockMovement["kind"], hold: HoldRow, plan: Plan, now: number, hashing: Hashing, units: readonly UnitCount[] = hold.units): StockMovement[] {
  const stage = stageAt(plan, now);
  assert(stage !== null, "units move only while a stage is open");
  const ref = refOf(plan.drop, hold.id, hashing);
  return units.map(({ sku, quantity }) => ({ kind, sku, quantity, stage, subject: hold.entry, ref }));
}

/** The facts of a drop that has a plan; who asks has checked that there is one. */
export function factsOf(state: DropState): DropFacts {
  assert(state.facts !== null, "a drop decides only once it has a plan");
  return state.facts;
}

/** Whether stock can be taken at `now` by anyone at all; a pause is another matter. */
export function isSelling(facts: DropFacts, now: number): boolean {
  return !facts.cancelled && now >= facts.plan.opensAt && now < facts.plan.closesAt;
}
