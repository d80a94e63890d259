import type { Hashing } from "../kernel/hashing.ts";
import { drawSeed } from "../lobby/draw.ts";
import { closingBalance } from "./conservation.ts";
import { closeDueAt, drawDueAt, holdDueAt, holdDueBy, openingDueAt, sealId, sealingEndsAt, unitsBackAt } from "./due-time.ts";
import { factsOf, movementsOf } from "./hold-movements.ts";
import type { Movement } from "./movements.ts";
import { OPEN_LANE, type Plan } from "./plan.ts";
import type { OutboxMessage } from "./port.ts";
import { stageOpenings } from "./release.ts";
import { type Changes, type DropState, type HoldRow, lineId, type ThresholdRow } from "./state.ts";

/**
 * What time alone changes, in the order in which it is written. Each step is
 * decided on the state that the step before it left. They run before every
 * command and every read: an alarm that never came changes nothing.
 */
export const DUE_STEPS: readonly ((state: DropState, now: number, hashing: Hashing) => Changes | null)[] = [openStages, endHolds, endSealing, draw, close];

/**
 * Keeps that a stage has opened. Whoever was told so acts on it, the shards by
 * sealing who is there: were the clock set back afterwards, the same stage could
 * be put off, and people would join before an opening whose line is sealed.
 */
function openStages(state: DropState, now: number): Changes | null {
  if (openingDueAt(state) > now) return null;
  const facts = factsOf(state);
  return { facts: { ...facts, openedAt: stageOpenings(facts.plan).findLast((opensAt) => opensAt <= now) ?? facts.openedAt } };
}

/** Ends what ran out: held by its expiry, placed by its time to pay and the half minute after it. */
function endHolds(state: DropState, now: number, hashing: Hashing): Changes | null {
  const due = state.timetable.dueBy(now).flatMap((entry) => holdDueBy(state, entry) ?? []);
  if (due.length === 0) return null;
  const { plan } = factsOf(state);
  due.sort((a, b) => holdDueAt(a) - holdDueAt(b) || (a.id < b.id ? -1 : 1));
  const holds: HoldRow[] = [];
  const movements: Movement[] = [];
  const outbox: OutboxMessage[] = [];
  for (const hold of due) {
    if (hold.state === "placed" && hold.order !== null && !hold.tillClosed) {
      // An extension closes the till a second time; its message is another one.
      outbox.push({ id: `payment_due:${hold.order}:${hold.payBy}`, drop: plan.drop, kind: "payment_due", order: hold.order });
    }
    if (hold.state === "placed" && unitsBackAt(hold) > now) {
      holds.push({ ...hold, tillClosed: true });
      continue;
    }
    if (hold.order !== null) outbox.push({ id: `order_expired:${hold.order}`, drop: plan.drop, kind: "order_expired", order: hold.order });
    movements.push(...movementsOf("expire", hold, plan, now, hashing));
    holds.push({ ...hold, state: "expired", tillClosed: true });
  }
  return { movements, holds, outbox };
}

/** Settles which shards take part in a draw that waits for a beacon, before anybody can act on its round. */
function endSealing(state: DropState, now: number): Changes | null {
  if (sealingEndsAt(state) > now) return null;
  const facts = factsOf(state);
  return { facts: { ...facts, roots: firstRoots(state, facts.plan) } };
}

/** The root of each shard's first seal, null where there is none. */
function firstRoots(state: DropState, plan: Plan): readonly (string | null)[] {
  return Array.from({ length: plan.shards }, (_, shard) => state.seals.get(sealId(shard, 0))?.root ?? null);
}

/** Makes the draw: the secret is revealed, and nothing that was sealed can change any more. */
function draw(state: DropState, now: number, hashing: Hashing): Changes | null {
  if (drawDueAt(state) > now) return null;
  const facts = factsOf(state);
  const { plan, planHash, secret, beacon } = facts;
  const roots = facts.roots ?? firstRoots(state, plan);
  const missing = roots.flatMap((root, shard) => (root === null ? [shard] : []));
  const seed = drawSeed({ drop: plan.drop, planHash, secret, roots, beacon }, hashing);
  const lines = plan.admit === "all" ? linesOf(plan) : [];
  return {
    facts: { ...facts, seed, missing },
    movements: [
      { kind: "draw", secret, missing, seed, ...(beacon === null ? {} : { beacon }) },
      ...lines.map(({ sku, lane }): Movement => ({ kind: "serve", sku, lane, upTo: "~" })),
    ],
    thresholds: lines.map(({ sku, lane }): ThresholdRow => ({ id: lineId(sku, lane), upTo: "~" })),
  };
}

/** Closes the books once nothing can move any more: every unit is sold, unsold or withheld. */
function close(state: DropState, now: number): Changes | null {
  if (closeDueAt(state) > now) return null;
  const facts = factsOf(state);
  return { facts: { ...facts, closedAt: now }, movements: [{ kind: "close", ...closingBalance(state, facts.plan, facts.cancelledAt ?? now) }] };
}

/** Every line of a drop: an item and a lane. */
export function linesOf(plan: Plan): { readonly sku: string; readonly lane: string }[] {
  const lanes = lanesOf(plan);
  return plan.items.flatMap(({ sku }) => lanes.map((lane) => ({ sku, lane })));
}

/** The lanes of a drop by name, everyone's first. */
export function lanesOf(plan: Plan): string[] {
  return [OPEN_LANE, ...plan.lanes.map(({ lane }) => lane)];
}
