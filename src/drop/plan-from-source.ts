import { assert } from "../kernel/result.ts";
import { type Moment, OPEN_LANE, type Plan, type PlanSource } from "./plan.ts";
import { stageOpenings } from "./release.ts";
import { joinedStages, portionsOf, steppedStage, STAGES_MAX } from "./written-stages.ts";

/**
 * Freezes a config into the plan of a drop that was first seen at
 * `firstSeenAt`. Relative moments become absolute here, once: a plan that still
 * counted from somewhere would move with every deployment. A drip becomes its
 * steps, so that nothing that reads the plan has to reckon with it.
 */
export function planFromSource(source: PlanSource, commitment: string, firstSeenAt: number): Plan {
  const at = (moment: Moment): number => ("at" in moment ? moment.at : firstSeenAt + moment.afterFirstSeenMs);
  const { stages, stock, announceAt, lobbyOpensAt, opensAt, closesAt, ...terms } = source;
  assert(stages.length > 0 && stock.length > 0, "a plan has at least one stage and one stock unit");
  assert(stages[0]?.afterMs === 0, "the first stage opens when the drop opens");
  assert(stages.every((stage, index) => index === 0 || stage.afterMs > (stages[index - 1]?.afterMs ?? 0)), "stages open one after the other");
  const skus = new Set(stock.map((unit) => unit.sku));
  assert(skus.size === stock.length, "a sku is counted once");
  assert(source.items.every((item) => item.components.length > 0 && item.components.every((part) => skus.has(part.sku) && part.quantity > 0)), "every item takes something that is counted");
  const portions = portionsOf(stock, stages.map((stage) => stage.sharePercent));
  const release = joinedStages(stock, stages.map(({ afterMs, drip }, index) => steppedStage({ opensAt: at(opensAt) + afterMs, drip, units: portions[index] ?? new Map() })));
  const laneNames = new Set([OPEN_LANE, ...source.lanes.map(({ lane }) => lane)]);
  assert(laneNames.size === source.lanes.length + 1, "every lane has a name of its own");
  assert(source.lanes.reduce((sum, lane) => sum + lane.sharePercent, 0) < 100, "the lanes leave something for everyone");
  const plan: Plan = {
    ...terms,
    announceAt: at(announceAt),
    lobbyOpensAt: at(lobbyOpensAt),
    opensAt: at(opensAt),
    closesAt: at(closesAt),
    commitment,
    stock: release.stock,
    ...(release.drips.length === 0 ? {} : { drips: release.drips }),
  };
  const openings = stageOpenings(plan);
  assert(openings.length <= STAGES_MAX, "a plan has no more stages than every reader of it can carry");
  assert(openings.every((opening, index) => index === 0 || opening > (openings[index - 1] ?? 0)), "a drip is out before the next stage opens");
  assert((openings.at(-1) ?? 0) < plan.closesAt, "every stage opens before the drop closes");
  return plan;
}
