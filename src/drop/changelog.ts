import { instantToWire } from "../kernel/time.ts";
import type { Movement } from "./movements.ts";
import type { FieldChange, PublicChange } from "./port.ts";
import { stageOpenings } from "./release.ts";
import type { DropFacts } from "./state.ts";

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
      return {
        kind: "extend",
        changed: movement.stages.map(({ stage, opensAt }): FieldChange => {
          const from = openings[stage - 1];
          return { field: `stages.${stage}.opensAt`, from: from === undefined ? null : instantToWire(from), to: opensAt };
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
