import * as v from "valibot";
import { unevenDrip } from "../drop/lanes.ts";
import type { DripTerms, LaneShare, Moment, SourceStage } from "../drop/plan.ts";
import { portionsOf, STAGE_UNITS_MAX, STAGES_MAX, steppedStage, stepsOf } from "../drop/written-stages.ts";
import { durationText } from "../kernel/time.ts";
import { duration, list, type Mistakes, table, wholeNumber } from "./fields.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DEFAULT_STAGES = [{ share: 40, after: "0s" }, { share: 40, after: "30m" }, { share: 20, after: "2h" }];

/** The `stages` of a drop as they are written. */
export function stageFields(isLocal: boolean) {
  return v.optional(list(table({
    share: wholeNumber(1, 100, "This must be a whole percentage from 1 to 100."),
    after: duration(0, 90 * 24 * 60 * MINUTE_MS, "This must be a duration counted from the opening, such as 0s, 30m or 2h."),
    every: v.optional(duration(isLocal ? SECOND_MS : 10 * SECOND_MS, 60 * MINUTE_MS, `This must be a duration from ${isLocal ? "1s" : "10s"} to 1h: how often the drip brings more.`)),
    units: v.optional(wholeNumber(1, 100_000, "This must be a whole number from 1 to 100000: how many units of every item the drip brings at a time.")),
  }), 1, 20), DEFAULT_STAGES);
}

export interface WrittenStage {
  readonly share: number;
  readonly after: number;
  readonly every?: number | undefined;
  readonly units?: number | undefined;
}

interface StageSurroundings {
  readonly opensAt?: Moment | undefined;
  readonly closesAt?: Moment | undefined;
  /** What is counted; null while that cannot be read. */
  readonly stock: readonly { readonly sku: string; readonly quantity: number }[] | null;
  /** For whom a part of every step is kept; null while that cannot be read. */
  readonly lanes: readonly LaneShare[] | null;
}

export function sourceStage({ share, after, every, units }: WrittenStage): SourceStage {
  return { sharePercent: share, afterMs: after, ...(every === undefined || units === undefined ? {} : { drip: { everyMs: every, units } }) };
}

/** Names whatever the stages of a drop cannot be. */
export function checkStages(name: string, stages: readonly WrittenStage[], { opensAt, closesAt, stock, lanes }: StageSurroundings, mistakes: Mistakes): void {
  const before = mistakes.list.length;
  const sum = stages.reduce((total, { share }) => total + share, 0);
  if (sum !== 100) mistakes.add(name, "stages", `The shares must sum to 100; they sum to ${sum}.`);
  if (stages[0] !== undefined && stages[0].after !== 0) mistakes.add(name, "stages[0].after", "The first stage opens with the drop: this must be 0s.");
  const isComparable = opensAt !== undefined && closesAt !== undefined && "at" in opensAt === "at" in closesAt;
  const lastsMs = isComparable ? momentMs(closesAt) - momentMs(opensAt) : null;
  for (const [index, stage] of stages.entries()) {
    const earlier = stages[index - 1];
    if (earlier !== undefined && stage.after <= earlier.after) mistakes.add(name, `stages[${index}].after`, "Each stage must open later than the one before it.");
    if ((stage.every === undefined) !== (stage.units === undefined)) {
      mistakes.add(name, `stages[${index}].${stage.every === undefined ? "every" : "units"}`, "A drip says both: how many units of every item it brings at a time (units), and how often (every).");
    }
    if (lastsMs !== null && stage.after > 0 && stage.after >= lastsMs) mistakes.add(name, `stages[${index}].after`, "This stage would open when the drop is over already.");
  }
  // How long a drip lasts can be told only of shares and times that are right.
  if (stock !== null && mistakes.list.length === before) checkDrips(name, stages.map(sourceStage), { lastsMs, stock, lanes: lanes ?? [] }, mistakes);
}

interface DripSurroundings {
  readonly lastsMs: number | null;
  readonly stock: NonNullable<StageSurroundings["stock"]>;
  readonly lanes: readonly LaneShare[];
}

function checkDrips(name: string, stages: readonly SourceStage[], { lastsMs, stock, lanes }: DripSurroundings, mistakes: Mistakes): void {
  const portions = portionsOf(stock, stages.map(({ sharePercent }) => sharePercent));
  const steps = stages.map(({ drip }, index) => stepsOf(portions[index]?.values() ?? [], drip));
  const count = steps.reduce((sum, own) => sum + own, 0);
  const longest = steps.indexOf(Math.max(...steps));
  if (count > STAGES_MAX) {
    mistakes.add(name, `stages[${longest}].units`, `This drip takes ${steps[longest]} steps; with every step counted as a stage the drop has ${count}, and it may have ${STAGES_MAX}. Let it bring more at a time.`);
  } else if (count * stock.length > STAGE_UNITS_MAX) {
    mistakes.add(name, `stages[${longest}].units`, `This drip takes ${steps[longest]} steps; with every step counted as a stage the drop has ${count} for ${stock.length} items and parts each, ${count * stock.length} together, and they may be ${STAGE_UNITS_MAX}. Let it bring more at a time.`);
  } else {
    for (const [index, { afterMs, drip }] of stages.entries()) {
      const uneven = unevenDrip("This drip", steppedStage({ opensAt: afterMs, drip, units: portions[index] ?? new Map<string, number>() }), lanes);
      if (uneven !== null) mistakes.add(name, `stages[${index}].units`, uneven);
    }
  }
  for (const [index, { afterMs, drip }] of stages.entries()) {
    if (drip === undefined) continue;
    const outMs = afterMs + lengthMs(drip, steps[index] ?? 1);
    const nextMs = stages[index + 1]?.afterMs ?? lastsMs;
    if (nextMs === null || outMs <= nextMs) continue;
    const end = stages[index + 1] === undefined ? "the drop closes" : `stage ${index + 2} opens`;
    mistakes.add(name, `stages[${index}].every`, `This drip takes ${steps[index]} steps and lasts until ${durationText(outMs)} after the opening; ${end} at ${durationText(nextMs)}.`);
  }
}

/** A drip lasts as long as all its steps, the last of them included: those who wait for it have as much time as for the others. */
function lengthMs({ everyMs }: DripTerms, steps: number): number {
  return steps * everyMs;
}

function momentMs(time: Moment): number {
  return "at" in time ? time.at : time.afterFirstSeenMs;
}
