import { assert } from "../kernel/result.ts";
import { durationText, instantToWire } from "../kernel/time.ts";
import { countOf } from "./counters.ts";
import { factsOf } from "./hold-movements.ts";
import { unevenDrip } from "./lanes.ts";
import type { DripSteps, DripTerms, LaneShare, Moment, Plan, PlanSource, StockUnit } from "./plan.ts";
import type { PlanDifference } from "./port.ts";
import { releasedUnits, stageOpenings, stageUnits } from "./release.ts";
import type { ConfiguredStage, DropFacts, DropState } from "./state.ts";
import { joinedStages, steppedStage, type SteppedStage, STAGE_UNITS_MAX, STAGES_MAX, writtenStages } from "./written-stages.ts";

/*
 * When a running drop releases how much, against what its config says by now.
 * A stage that is open is past: its time and its units stay, so that what is
 * released never falls and nothing that people saw is rewritten.
 *
 * Stages are compared as they are written. A drip is open with its first step
 * and then goes on to its last as it was published: what is left of it was
 * announced minute by minute.
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
  const planned = plannedStages(plan).map(openingOf);
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
  return source.stages.map(({ sharePercent, afterMs, drip }) => ({ sharePercent, opensAt: instantOf(facts, source.opensAt) + afterMs, ...(drip === undefined ? {} : { drip }) }));
}

function instantOf({ plannedAt }: Pick<DropFacts, "plannedAt">, moment: Moment): number {
  return "at" in moment ? moment.at : plannedAt + moment.afterFirstSeenMs;
}

/** The stages of the plan as they were written, each with its steps. */
function plannedStages(plan: Plan): SteppedStage[] {
  const openings = stageOpenings(plan);
  return writtenStages(plan).map(({ stage, steps }) => ({
    openings: openings.slice(stage - 1, stage - 1 + steps),
    units: new Map(plan.stock.map((unit) => [unit.sku, unit.stages.slice(stage - 1, stage - 1 + steps).map(({ units }) => units)])),
  }));
}

function openingOf({ openings }: SteppedStage): number {
  return openings[0] ?? Number.POSITIVE_INFINITY;
}

function isSameDrip(one: DripTerms | undefined, other: DripTerms | undefined): boolean {
  return one?.everyMs === other?.everyMs && one?.units === other?.units;
}

/** The release as it would be: new units go to the stages that are not open yet, by largest remainder of their shares. */
export function wantedRelease(facts: DropFacts, source: PlanSource, now: number): { readonly stock: StockUnit[]; readonly drips: DripSteps[] } {
  const { stock, stages } = wantedSteps(facts, source, now);
  return joinedStages(stock, stages);
}

/** The stock and the written stages, each cut into its steps, as a config would have them. */
interface WantedSteps {
  readonly stock: readonly { readonly sku: string; readonly quantity: number }[];
  readonly stages: readonly SteppedStage[];
}

function wantedSteps(facts: DropFacts, source: PlanSource, now: number): WantedSteps {
  const { stages } = wantedTimes(facts, source, now);
  const planned = plannedStages(facts.plan);
  const isSplitKept = stages.length === planned.length && stages.every(({ sharePercent }, index) => sharePercent === (facts.stages?.[index]?.sharePercent ?? sharePercent));
  const stock = facts.plan.stock.map(({ sku, quantity }) => ({ sku, quantity: source.stock.find((unit) => unit.sku === sku)?.quantity ?? quantity }));
  const portions = new Map(facts.plan.stock.map(({ sku, quantity }, index) => {
    const wanted = stock[index]?.quantity ?? quantity;
    return [sku, isSplitKept && wanted === quantity ? planned.map((stage) => unitsOf(stage, sku)) : splitAgain(planned, sku, wanted, stages, now)];
  }));
  return {
    stock,
    stages: stages.map((stage, index) => {
      const before = planned[index];
      if (before !== undefined && openingOf(before) <= now) return before;
      const stepped = steppedStage({ ...stage, units: new Map([...portions].map(([sku, units]) => [sku, units[index] ?? 0])) });
      // Where the desk put off only the later steps of a drip, they stay put off.
      const isKept = before !== undefined && openingOf(before) === stage.opensAt && isSameDrip(facts.stages?.[index]?.drip, stage.drip);
      return isKept ? { ...stepped, openings: lengthened(before.openings, stepped.openings.length, stage.drip?.everyMs ?? 0) } : stepped;
    }),
  };
}

function unitsOf({ units }: SteppedStage, sku: string): number {
  return (units.get(sku) ?? []).reduce((sum, part) => sum + part, 0);
}

/** As many openings as are asked for, those that are known first. */
function lengthened(openings: readonly number[], count: number, everyMs: number): number[] {
  const [known, last] = [openings.slice(0, count), openings.at(-1) ?? 0];
  return [...known, ...Array.from({ length: count - known.length }, (_, index) => last + (index + 1) * everyMs)];
}

function splitAgain(planned: readonly SteppedStage[], sku: string, quantity: number, stages: readonly ConfiguredStage[], now: number): number[] {
  const open = begunUnits(planned, sku, now);
  const rest = quantity - open.reduce((sum, units) => sum + units, 0);
  const shares = stages.slice(open.length).map(({ sharePercent }) => sharePercent);
  assert(rest >= 0 && (rest === 0 || shares.length > 0), "what is released stays released, and the rest has a stage to come in");
  return shares.length === 0 ? open : [...open, ...stageUnits(rest, shares)];
}

/** The units of the stages that have begun, all the steps of a drip that runs among them. */
function begunUnits(planned: readonly SteppedStage[], sku: string, now: number): number[] {
  return planned.filter((stage) => openingOf(stage) <= now).map((stage) => unitsOf(stage, sku));
}

/** Every difference in times, shares and quantities. */
export function changedTimetable(state: DropState, source: PlanSource, now: number): PlanDifference[] {
  const facts = factsOf(state);
  const wanted = wantedTimes(facts, source, now);
  const found = [...changedMoments(facts, wanted, now), ...changedStages(facts, wanted, now), ...changedQuantities(state, source, wanted, now)];
  // How long a drip lasts hangs on all of it together, and can be told only of what is possible one by one.
  if (found.every(({ refusal }) => refusal === null)) {
    const refusal = dripRefusal(wantedSteps(facts, source, now), wanted, facts.plan.lanes, now);
    return found.map((difference) => ({ ...difference, refusal }));
  }
  return found;
}

/** Why the drips of a changed release cannot be, or null when they can. */
function dripRefusal({ stock, stages: steps }: WantedSteps, { stages, closesAt }: WantedTimes, lanes: readonly LaneShare[], now: number): string | null {
  const count = steps.reduce((sum, { openings }) => sum + openings.length, 0);
  if (count > STAGES_MAX) return `With every step of a drip that is ${count} stages, and a drop has at most ${STAGES_MAX}: let a drip bring more at once.`;
  if (count * stock.length > STAGE_UNITS_MAX) return `With every step of a drip that is ${count} stages of ${stock.length} items and parts, ${count * stock.length} together, and a drop has at most ${STAGE_UNITS_MAX}: let a drip bring more at once.`;
  for (const [index, stage] of steps.entries()) {
    const next = steps[index + 1];
    const last = stage.openings.at(-1) ?? 0;
    // One that has begun is not asked for its last step's length: the desk may have put that off.
    const outAt = openingOf(stage) <= now ? last + 1 : last + (stage.openings.length > 1 ? (stages[index]?.drip?.everyMs ?? 0) : 0);
    const endAt = next === undefined ? closesAt : openingOf(next);
    if (stage.openings.length > 1 && outAt > endAt) return `The drip of stage ${index + 1} would last until ${instantToWire(outAt)}, and ${next === undefined ? "the drop ends" : `stage ${index + 2} opens`} at ${instantToWire(endAt)}.`;
    // Of one that has begun nothing can be changed any more, and it must not keep everything else as it is.
    const uneven = openingOf(stage) <= now ? null : unevenDrip(`The drip of stage ${index + 1}`, stage, lanes);
    if (uneven !== null) return uneven;
  }
  return null;
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
  const planned = plannedStages(facts.plan).map(openingOf);
  return Array.from({ length: Math.max(planned.length, wanted.stages.length) }, (_, index) => index).flatMap((index) => {
    const [before, after] = [facts.stages?.[index], wanted.stages[index]];
    const opensAt = planned[index];
    const isOpen = opensAt !== undefined && opensAt <= now;
    const share: PlanDifference = { field: `stages.${index + 1}.share`, from: before?.sharePercent ?? null, to: after?.sharePercent ?? null, refusal: isOpen ? `Stage ${index + 1} is open: it keeps its units.` : null };
    const isOtherShare = before !== undefined && after !== undefined && before.sharePercent !== after.sharePercent;
    return [
      ...changedMoment(`stages.${index + 1}.opensAt`, opensAt, after?.opensAt, isOpen ? `Stage ${index + 1} is open already.` : openingRefusal(wanted, index, now)),
      ...(isOtherShare ? [share] : []),
      ...(after === undefined ? [] : changedDrip(`stages.${index + 1}`, before?.drip, after.drip, isOpen ? `Stage ${index + 1} is open: it goes on as it was published.` : null)),
    ];
  });
}

function changedDrip(field: string, before: DripTerms | undefined, after: DripTerms | undefined, refusal: string | null): PlanDifference[] {
  const every = (drip: DripTerms | undefined) => (drip === undefined ? null : durationText(drip.everyMs));
  return [
    ...(before?.everyMs === after?.everyMs ? [] : [{ field: `${field}.every`, from: every(before), to: every(after), refusal }]),
    ...(before?.units === after?.units ? [] : [{ field: `${field}.units`, from: before?.units ?? null, to: after?.units ?? null, refusal }]),
  ];
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
  const { plan } = factsOf(state);
  const taken = countOf(state.counters.held, unit.sku) + countOf(state.counters.sold, unit.sku);
  if (quantity < taken) return `${taken} are held or sold already.`;
  const begun = begunUnits(plannedStages(plan), unit.sku, now).reduce((sum, units) => sum + units, 0);
  if (quantity < begun) return `${begun} are released already${begun > releasedUnits(unit, now) ? " or come with the drip that runs" : ""}, and an open stage keeps its units.`;
  return stages.every(({ opensAt }) => opensAt <= now) ? "Every stage is open, and an open stage keeps its units." : null;
}
