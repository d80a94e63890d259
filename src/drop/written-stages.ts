import type { DripSteps, DripTerms, Plan, StageUnits, StockUnit } from "./plan.ts";
import { stageOpenings, stageUnits } from "./release.ts";

/*
 * A drip is written as one stage and published as its steps, each of them a
 * stage of the plan. What is released when needs to know of nothing else; but
 * where a stage stands for a round of the sale (how often somebody may sit
 * down in it, what a page or a change calls by its number), the steps of a drip
 * are one.
 */

/** Every step is a stage of the plan, which every reader of the live state gets with it: enough for a drip of hours, and not so many that this weighs. */
export const STAGES_MAX = 200;

/** Stages times stock units: the live state says of each what it brings, and goes to every shard about once a second. Twenty stages of all that a table can count fit, so that only a drip is ever too large. */
export const STAGE_UNITS_MAX = 2_000;

/** A stage as it was written, and which stages of the plan it became. */
export interface WrittenStage {
  /** From 1, as the config lists them. */
  readonly number: number;
  /** The number of its first stage in the plan, from 1. */
  readonly stage: number;
  readonly steps: number;
}

/** The stages of a plan, or of what a row of the record says of one, as they were written. */
export function writtenStages(plan: { readonly stock: readonly { readonly stages: readonly unknown[] }[]; readonly drips?: readonly DripSteps[] | undefined }): WrittenStage[] {
  const count = plan.stock[0]?.stages.length ?? 0;
  const written: WrittenStage[] = [];
  for (let stage = 1; stage <= count; ) {
    const steps = plan.drips?.find((drip) => drip.stage === stage)?.steps ?? 1;
    written.push({ number: written.length + 1, stage, steps });
    stage += steps;
  }
  return written;
}

/** The number, as it was written, of a stage of the plan. */
export function writtenNumber({ drips = [] }: Pick<Plan, "drips">, stage: number): number {
  return drips.reduce((number, drip) => number - Math.min(drip.steps - 1, Math.max(0, stage - drip.stage)), stage);
}

/** The number in a changed plan of a stage of the plan before it: the same step of the same written stage; null when there is none any more. */
export function changedNumber(before: Plan, after: Plan, stage: number): number | null {
  const index = writtenNumber(before, stage) - 1;
  const [from, to] = [writtenStages(before)[index], writtenStages(after)[index]];
  if (from === undefined || to === undefined) return null;
  const step = stage - from.stage;
  return step < to.steps ? to.stage + step : null;
}

/** When the next stage opens that is not a further step of the drip that runs; null when none comes. */
export function nextWrittenStageAt(plan: Plan, now: number): number | null {
  const openings = stageOpenings(plan);
  return writtenStages(plan).map(({ stage }) => openings[stage - 1] ?? 0).find((opensAt) => opensAt > now) ?? null;
}

/** What a written stage releases of each stock unit, and when it begins. */
interface Portion {
  readonly opensAt: number;
  readonly drip?: DripTerms | undefined;
  /** By sku. */
  readonly units: ReadonlyMap<string, number>;
}

/** How many steps a stage has; one where it does not drip, or is out at once. */
export function stepsOf(units: Iterable<number>, drip: DripTerms | undefined): number {
  return drip === undefined ? 1 : Math.max(1, ...[...units].map((count) => Math.ceil(count / drip.units)));
}

/** One written stage as the plan has it: when each of its steps opens, and what of each stock unit each of them releases. */
export interface SteppedStage {
  readonly openings: readonly number[];
  /** By sku, as many numbers as there are openings. */
  readonly units: ReadonlyMap<string, readonly number[]>;
}

/** Cuts a stage into its steps: as many units at a time as its drip says, what is left over with the last; a stock unit with less simply ends earlier. */
export function steppedStage({ opensAt, drip, units }: Portion): SteppedStage {
  const steps = Array.from({ length: stepsOf(units.values(), drip) }, (_, step) => step);
  return {
    openings: steps.map((step) => opensAt + step * (drip?.everyMs ?? 0)),
    units: new Map([...units].map(([sku, count]) => [sku, steps.map((step) => (drip === undefined ? count : Math.max(0, Math.min(drip.units, count - step * drip.units))))])),
  };
}

/** Puts written stages one after the other: the stages of a plan, and which of them belong to one drip. */
export function joinedStages(stock: readonly { readonly sku: string; readonly quantity: number }[], stages: readonly SteppedStage[]): { readonly stock: StockUnit[]; readonly drips: DripSteps[] } {
  let next = 1;
  const drips = stages.flatMap(({ openings }): DripSteps[] => {
    const stage = next;
    next += openings.length;
    return openings.length > 1 ? [{ stage, steps: openings.length }] : [];
  });
  return {
    stock: stock.map(({ sku, quantity }) => ({
      sku, quantity,
      stages: stages.flatMap(({ openings, units }) => openings.map((opensAt, step): StageUnits => ({ opensAt, units: units.get(sku)?.[step] ?? 0 }))),
    })),
    drips,
  };
}

/** Splits a stock over written stages by their shares: for each stage, the units by sku. */
export function portionsOf(stock: readonly { readonly sku: string; readonly quantity: number }[], sharesPercent: readonly number[]): ReadonlyMap<string, number>[] {
  const units = stock.map(({ sku, quantity }) => ({ sku, parts: stageUnits(quantity, sharesPercent) }));
  return sharesPercent.map((_, index) => new Map(units.map(({ sku, parts }) => [sku, parts[index] ?? 0])));
}
