import { assert } from "../kernel/result.ts";
import { instantToWire } from "../kernel/time.ts";
import { countOf } from "./counters.ts";
import { factsOf } from "./hold-movements.ts";
import type { Moment, PlanSource, StockUnit } from "./plan.ts";
import type { PlanDifference } from "./port.ts";
import { releasedUnits, stageOpenings, stageUnits } from "./release.ts";
import type { ConfiguredStage, DropFacts, DropState } from "./state.ts";

/*
 * When a running drop releases how much, against what its config says by now.
 * A stage that is open is past: its time and its units stay, so that what is
 * released never falls and nothing that people saw is rewritten.
 */

/**
 * How far ahead a changed moment has to lie. Copies of the live state are two
 * seconds old at most, and none may be shown past a moment at which it stops
 * being true.
 */
const LEAD_MS = 5_000;
/** The opening needs more: every shard of the lobby has to hear of it, if only by the cron of the next minute, before it has to seal. */
const OPENING_LEAD_MS = 90_000;

/** The times that a published config would give the drop. */
export interface WantedTimes {
  readonly announceAt: number;
  readonly lobbyOpensAt: number;
  readonly closesAt: number;
  readonly stages: readonly ConfiguredStage[];
}

/**
 * Where the config still says of a stage what it said last, the plan's own time
 * stands: an extension at the desk must not be taken back by the next
 * deployment of a file that never knew of it.
 */
export function wantedTimes(facts: DropFacts, source: PlanSource, now: number): WantedTimes {
  const { plan } = facts;
  const planned = stageOpenings(plan);
  const happened = (before: number, moment: Moment): number => {
    const said = instantOf(facts, moment);
    // Two instants of the past are the same to everybody.
    return before <= now && said <= now ? before : said;
  };
  return {
    announceAt: happened(plan.announceAt, source.announceAt),
    lobbyOpensAt: happened(plan.lobbyOpensAt, source.lobbyOpensAt),
    closesAt: instantOf(facts, source.closesAt),
    stages: configuredStages(facts, source).map((said, index) => ({ ...said, opensAt: said.opensAt === facts.stages?.[index]?.opensAt ? (planned[index] ?? said.opensAt) : said.opensAt })),
  };
}

/** The stages as the config has them, with its relative times counted from when the drop was first seen. */
export function configuredStages(facts: Pick<DropFacts, "plannedAt">, source: PlanSource): ConfiguredStage[] {
  return source.stages.map(({ sharePercent, afterMs }) => ({ sharePercent, opensAt: instantOf(facts, source.opensAt) + afterMs }));
}

function instantOf({ plannedAt }: Pick<DropFacts, "plannedAt">, moment: Moment): number {
  return "at" in moment ? moment.at : plannedAt + moment.afterFirstSeenMs;
}

/** The stock as it would be: new units go to the stages that are not open yet, by largest remainder of their shares. */
export function wantedStock(facts: DropFacts, source: PlanSource, now: number): StockUnit[] {
  const { stages } = wantedTimes(facts, source, now);
  const isSplitKept = stages.length === stageOpenings(facts.plan).length && stages.every(({ sharePercent }, index) => sharePercent === (facts.stages?.[index]?.sharePercent ?? sharePercent));
  return facts.plan.stock.map((unit) => {
    const quantity = source.stock.find(({ sku }) => sku === unit.sku)?.quantity ?? unit.quantity;
    const units = isSplitKept && quantity === unit.quantity ? unit.stages.map((stage) => stage.units) : splitAgain(unit, quantity, stages, now);
    return { sku: unit.sku, quantity, stages: stages.map(({ opensAt }, index) => ({ opensAt, units: units[index] ?? 0 })) };
  });
}

function splitAgain(unit: StockUnit, quantity: number, stages: readonly ConfiguredStage[], now: number): number[] {
  const open = unit.stages.filter(({ opensAt }) => opensAt <= now).map(({ units }) => units);
  const rest = quantity - releasedUnits(unit, now);
  const shares = stages.slice(open.length).map(({ sharePercent }) => sharePercent);
  assert(rest >= 0 && (rest === 0 || shares.length > 0), "what is released stays released, and the rest has a stage to come in");
  return shares.length === 0 ? open : [...open, ...stageUnits(rest, shares)];
}

/** Every difference in times, shares and quantities. */
export function changedTimetable(state: DropState, source: PlanSource, now: number): PlanDifference[] {
  const facts = factsOf(state);
  const wanted = wantedTimes(facts, source, now);
  return [...changedMoments(facts, wanted, now), ...changedStages(facts, wanted, now), ...changedQuantities(state, source, wanted, now)];
}

function changedMoments({ plan }: DropFacts, { announceAt, lobbyOpensAt, closesAt, stages }: WantedTimes, now: number): PlanDifference[] {
  const lastStageAt = stages.at(-1)?.opensAt ?? 0;
  const closing = closesAt <= now + LEAD_MS ? "The drop cannot end in the past or within seconds." : closesAt <= lastStageAt ? `The drop has to end after its last stage, which opens at ${instantToWire(lastStageAt)}.` : null;
  return [
    ...changedMoment("announceAt", plan.announceAt, announceAt, plan.announceAt <= now ? "The drop is announced already." : null),
    ...changedMoment("lobbyOpensAt", plan.lobbyOpensAt, lobbyOpensAt, plan.lobbyOpensAt <= now ? `The lobby is open already. Write lobbyOpensAt = "${instantToWire(plan.lobbyOpensAt)}" to leave it as it is.` : null),
    ...changedMoment("closesAt", plan.closesAt, closesAt, closing),
  ];
}

function changedMoment(field: string, from: number | undefined, to: number | undefined, refusal: string | null): PlanDifference[] {
  const wire = (at: number | undefined) => (at === undefined ? null : instantToWire(at));
  return from === to ? [] : [{ field, from: wire(from), to: wire(to), refusal }];
}

function changedStages(facts: DropFacts, wanted: WantedTimes, now: number): PlanDifference[] {
  const planned = stageOpenings(facts.plan);
  return Array.from({ length: Math.max(planned.length, wanted.stages.length) }, (_, index) => index).flatMap((index) => {
    const [before, after] = [facts.stages?.[index], wanted.stages[index]];
    const opensAt = planned[index];
    const isOpen = opensAt !== undefined && opensAt <= now;
    const share: PlanDifference = { field: `stages.${index + 1}.share`, from: before?.sharePercent ?? null, to: after?.sharePercent ?? null, refusal: isOpen ? `Stage ${index + 1} is open: it keeps its units.` : null };
    const isOtherShare = before !== undefined && after !== undefined && before.sharePercent !== after.sharePercent;
    return [
      ...changedMoment(`stages.${index + 1}.opensAt`, opensAt, after?.opensAt, isOpen ? `Stage ${index + 1} is open already.` : openingRefusal(wanted, index, now)),
      ...(isOtherShare ? [share] : []),
    ];
  });
}

/** Why a stage (from 0) that is not open yet cannot open when it is wanted to, or cannot be left out; null when it can. */
function openingRefusal({ stages, closesAt }: WantedTimes, index: number, now: number): string | null {
  const opensAt = stages[index]?.opensAt;
  if (opensAt === undefined) return stages.every((stage) => stage.opensAt <= now) ? "A stage has to be left for what is not released yet." : null;
  const earliest = now + (index === 0 ? OPENING_LEAD_MS : LEAD_MS);
  if (opensAt < earliest) return `Stage ${index + 1} can open at ${instantToWire(earliest)} at the earliest, so that everybody hears of it before.`;
  const isInOrder = opensAt > (stages[index - 1]?.opensAt ?? 0) && opensAt < (stages[index + 1]?.opensAt ?? closesAt);
  return isInOrder ? null : "Stages open one after the other, and before the drop ends.";
}

function changedQuantities(state: DropState, source: PlanSource, wanted: WantedTimes, now: number): PlanDifference[] {
  const { plan } = factsOf(state);
  const fieldOf = (sku: string) => `${source.items.some((item) => item.sku === sku) ? "items" : "parts"}.${sku}.quantity`;
  const skus = new Set([...plan.stock, ...source.stock].map(({ sku }) => sku));
  return [...skus].flatMap((sku): PlanDifference[] => {
    const planned = plan.stock.find((unit) => unit.sku === sku);
    const quantity = source.stock.find((unit) => unit.sku === sku)?.quantity;
    if (planned?.quantity === quantity) return [];
    const refusal = planned === undefined || quantity === undefined ? "What a published drop counts is neither added nor taken out." : quantityRefusal(state, planned, quantity, wanted, now);
    return [{ field: fieldOf(sku), from: planned?.quantity ?? null, to: quantity ?? null, refusal }];
  });
}

function quantityRefusal(state: DropState, unit: StockUnit, quantity: number, { stages }: WantedTimes, now: number): string | null {
  const taken = countOf(state.counters.held, unit.sku) + countOf(state.counters.sold, unit.sku);
  if (quantity < taken) return `${taken} are held or sold already.`;
  const released = releasedUnits(unit, now);
  if (quantity < released) return `${released} are released already, and an open stage keeps its units.`;
  return stages.every(({ opensAt }) => opensAt <= now) ? "Every stage is open, and an open stage keeps its units." : null;
}
