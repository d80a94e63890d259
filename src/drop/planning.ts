import { configuredStages } from "./changed-stages.ts";
import type { PlanSource } from "./plan.ts";
import { planFromSource } from "./plan-from-source.ts";
import { planMovement } from "./record.ts";
import { type Decision, type DropState, unchanged } from "./state.ts";

/** The draw's secret and the promise about it, fresh for a drop that has no plan yet. */
export interface Commitment {
  /** 32 random bytes in hex. */
  readonly secret: string;
  readonly commitment: string;
}

/** Makes the plan of a drop that is seen for the first time; any later source changes nothing. */
export function decidePlan(state: DropState, source: PlanSource, fresh: Commitment, now: number): Decision<null> {
  if (state.facts !== null) return unchanged(null);
  const plan = planFromSource(source, fresh.commitment, now);
  return {
    outcome: null,
    changes: {
      // The plan's hash is known once its row is chained, and is set there.
      facts: { plan, planHash: "", planVersion: 1, secret: fresh.secret, paused: false, cancelled: false, cancelledAt: null, roots: null, beacon: null, openedAt: 0, seed: null, missing: [], closedAt: null, extensions: [], plannedAt: now, stages: configuredStages({ plannedAt: now }, source), changes: [] },
      movements: [planMovement(plan)],
    },
  };
}
