import { instantToWire } from "../kernel/time.ts";
import type { Movement } from "./movements.ts";
import type { FieldChange, PublicChange } from "./port.ts";
import { stageOpenings } from "./release.ts";
import type { DropFacts } from "./state.ts";
import { writtenNumber, writtenStages } from "./written-stages.ts";

/** The live state carries them to every page; a seller who presses pause for a joke must not make it heavy. */
const CHANGES_MAX = 100;

/**
 * The facts with what a movement changed of the published plan, if it is such a
 * one: made from the very row, so that the changelog and the record cannot say
 * two things. `before` are the facts as they were before the decision.
 */
export function withChange(facts: DropFacts, movement: Movement, row: { readonly seq: number; readonly at: number }, before: DropFacts | null): DropFacts {
  const changed = changedBy(movement, before);
  if (changed === null) return facts;
  return { ...facts, changes: [...facts.changes, { ...row, ...changed }].slice(-CHANGES_MAX) };
}

function changedBy(movement: Movement, before: DropFacts | null): Pick<PublicChange, "kind" | "changed"> | null {
  switch (movement.kind) {
    case "plan":
      return movement.changed === undefined ? null : { kind: "plan", changed: movement.changed };
    case "extend": {
      const openings = before === null ? [] : stageOpenings(before.plan);
      const written = before === null ? [] : writtenStages(before.plan);
      return {
        kind: "extend",
        changed: movement.stages.flatMap(({ stage, opensAt }): FieldChange[] => {
          const number = before === null ? stage : writtenNumber(before.plan, stage);
          const isFirst = written.some((one) => one.stage === stage);
          // The further steps of a drip move with the first that is named: two hundred lines would say no more.
          if (!isFirst && stage !== movement.stage) return [];
          const from = openings[stage - 1];
          return [{ field: `stages.${number}.${isFirst ? "opensAt" : "goesOnAt"}`, from: from === undefined ? null : instantToWire(from), to: opensAt }];
        }),
      };
    }
    case "pause":
    case "resume":
    case "cancel":
      return { kind: movement.kind, changed: [] };
    default:
      return null;
  }
}
