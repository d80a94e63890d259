import type { Hashing } from "../kernel/hashing.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { instantToWire } from "../kernel/time.ts";
import { unitsTaken } from "./counters.ts";
import { returnsUntil } from "./due-time.ts";
import { factsOf, movementsOf } from "./hold-movements.ts";
import type { Plan } from "./plan.ts";
import type { AwaitedReturns, Control, OutboxMessage } from "./port.ts";
import { stageOpenings } from "./release.ts";
import { type Decision, type DropFacts, type DropState, type HoldRow, unchanged } from "./state.ts";

type Controlled = Result<null, { readonly code: "control_not_possible" }>;

const DONE: Controlled = accepted(null);
const NOT_POSSIBLE: Controlled = rejected({ code: "control_not_possible" });

/** The emergency controls. Each is one row in the record, and doing it again changes nothing. */
export function decideControl(state: DropState, control: Control, actor: string, now: number, hashing: Hashing): Decision<Controlled> {
  const facts = factsOf(state);
  if (control.kind === "cancel" && facts.cancelled) return unchanged(DONE);
  if (facts.cancelled || now >= facts.plan.closesAt) return unchanged(NOT_POSSIBLE);
  switch (control.kind) {
    case "pause":
    case "resume": {
      const paused = control.kind === "pause";
      if (facts.paused === paused) return unchanged(DONE);
      return { outcome: DONE, changes: { facts: { ...facts, paused }, movements: [{ kind: control.kind, actor }] } };
    }
    case "extend":
      return extend(facts, control, actor, now);
    case "cancel":
      return cancel(state, actor, now, hashing);
  }
}

/**
 * Puts a stage that is not open yet, and all later ones, off. `byMs` counts from
 * the time that the plan named first, so that a repeated call changes nothing
 * and a larger one puts the stage off further. Released units never fall:
 * an open stage stays open, and nothing moves forward.
 */
function extend(facts: DropFacts, control: { readonly stage: number; readonly byMs: number }, actor: string, now: number): Decision<Controlled> {
  const { stage, byMs } = control;
  const { plan } = facts;
  const openings = stageOpenings(plan);
  const opensAt = openings[stage - 1];
  if (!Number.isSafeInteger(stage) || !Number.isSafeInteger(byMs) || byMs <= 0 || opensAt === undefined) return unchanged(NOT_POSSIBLE);
  const addedMs = byMs - (facts.extensions.find((extension) => extension.stage === stage)?.byMs ?? 0);
  if (addedMs === 0) return unchanged(DONE);
  if (addedMs < 0 || opensAt <= now || (openings.at(-1) ?? 0) + addedMs >= plan.closesAt) return unchanged(NOT_POSSIBLE);
  const extended = putOff(plan, stage, addedMs);
  const stages = stageOpenings(extended).map((at, index) => ({ stage: index + 1, opensAt: instantToWire(at) })).slice(stage - 1);
  const extensions = [...facts.extensions.filter((extension) => extension.stage !== stage), { stage, byMs }];
  return {
    outcome: DONE,
    changes: { facts: { ...facts, plan: extended, planVersion: facts.planVersion + 1, extensions }, movements: [{ kind: "extend", actor, stage, stages }] },
  };
}

function putOff(plan: Plan, fromStage: number, byMs: number): Plan {
  return {
    ...plan,
    opensAt: fromStage === 1 ? plan.opensAt + byMs : plan.opensAt,
    stock: plan.stock.map((unit) => ({
      ...unit,
      stages: unit.stages.map((stage, index) => (index + 1 < fromStage ? stage : { ...stage, opensAt: stage.opensAt + byMs })),
    })),
  };
}

/** The most orders that are named; a desk that has this many open looks into its list of orders. */
const NAMED_MAX = 100;

/** What a cancelled drop waits for, or did not live to see: orders that still count as sold. Null for any other drop. */
export function awaitedReturns(state: DropState): AwaitedReturns | null {
  const until = state.facts === null ? null : returnsUntil(state.facts);
  if (until === null) return null;
  const unreturned = [...state.holds.values()].filter((hold) => unitsTaken(hold).sold.some(({ quantity }) => quantity > 0));
  return { orders: unreturned.flatMap(({ order }) => order ?? []).slice(0, NAMED_MAX), until };
}

/**
 * Ends the drop: what is held or placed goes back at once, and settlement owes
 * everyone who ordered a void or a refund. What is sold comes back order by
 * order, each when its money is back: until then the buyer has bought it.
 */
function cancel(state: DropState, actor: string, now: number, hashing: Hashing): Decision<Controlled> {
  const facts = factsOf(state);
  const live = [...state.liveHolds].flatMap((id) => state.holds.get(id) ?? []);
  const ordered = [...state.holds.values()].filter((hold) => hold.state === "placed" || hold.state === "sold");
  return {
    outcome: DONE,
    changes: {
      facts: { ...facts, cancelled: true, cancelledAt: now },
      movements: [{ kind: "cancel", actor }, ...live.flatMap((hold) => movementsOf("void", hold, facts.plan, now, hashing))],
      holds: live.map((hold): HoldRow => ({ ...hold, state: "voided" })),
      outbox: ordered.flatMap((hold): OutboxMessage[] => (hold.order === null ? [] : [{ id: `order_cancelled:${hold.order}`, drop: facts.plan.drop, kind: "order_cancelled", order: hold.order }])),
    },
  };
}
