import { assert } from "../kernel/result.ts";
import { beaconRound } from "./beacon-chains.ts";
import { nextStageAt } from "./release.ts";
import type { DropFacts, DropState, HoldRow } from "./state.ts";

/** The units of an unpaid order come back this long after `payBy`: the till closes before the goods go back. */
export const TILL_TO_SHELF_MS = 30_000;

/** A shard that has not sealed this long after the opening is drawn without. */
export const SEAL_GRACE_MS = 30_000;

/** When a placed hold's units come back by the clock. */
export function unitsBackAt(hold: HoldRow): number {
  assert(hold.payBy !== null, "a placed hold has a time to pay");
  return hold.payBy + TILL_TO_SHELF_MS;
}

/** The next instant at which time alone changes a held or placed hold. */
export function holdDueAt(hold: HoldRow): number {
  if (hold.state === "held") return hold.expiresAt;
  return hold.payBy !== null && !hold.tillClosed ? hold.payBy : unitsBackAt(hold);
}

/** Whether a shard has sealed the tickets that take part in the draw. */
export function isSealed(state: DropState, shard: number): boolean {
  return state.seals.has(sealId(shard, 0));
}

export function sealId(shard: number, batch: number): string {
  return `${shard}/${batch}`;
}

/**
 * When the draw is made: at the opening once every shard has sealed, else when
 * the grace is over; with a beacon once its round is here. Infinite when it is
 * made or never will be.
 */
export function drawDueAt(state: DropState): number {
  const { facts } = state;
  if (facts === null || facts.seed !== null || facts.cancelled || facts.closedAt !== null) return Number.POSITIVE_INFINITY;
  const named = beaconRound(facts.plan);
  if (named !== null) return facts.roots === null || facts.beacon === null ? Number.POSITIVE_INFINITY : named.at;
  const shards = Array.from({ length: facts.plan.shards }, (_, shard) => shard);
  return shards.every((shard) => isSealed(state, shard)) ? facts.plan.opensAt : facts.plan.opensAt + SEAL_GRACE_MS;
}

/**
 * When a shard can no longer be part of a draw that waits for a beacon: as soon
 * as its round is out. Whoever could still seal then could choose, with the
 * round in sight, which shard to lose. Infinite where there is nothing to end.
 */
export function sealingEndsAt({ facts }: DropState): number {
  if (facts === null || facts.roots !== null || facts.seed !== null || facts.cancelled || facts.closedAt !== null) return Number.POSITIVE_INFINITY;
  return beaconRound(facts.plan)?.at ?? Number.POSITIVE_INFINITY;
}

/** For so long a cancelled drop waits for the units of orders whose money goes back. */
const RETURNS_WAIT_MS = 24 * 3_600_000;

/** Until when a cancelled drop waits for units to come back; null for any other drop. */
export function returnsUntil({ plan, cancelledAt }: DropFacts): number | null {
  return cancelledAt === null ? null : Math.max(plan.closesAt, cancelledAt + RETURNS_WAIT_MS);
}

/**
 * When the books can be closed: at the close, or when the last hold that
 * outlives it has ended. Of a cancelled drop nothing stays sold: its books wait
 * until the units of every order that was paid back are back too, but not for
 * ever, since a refund may fail for good.
 */
export function closeDueAt(state: DropState): number {
  const { facts } = state;
  if (facts === null || facts.closedAt !== null || state.liveHolds.size > 0) return Number.POSITIVE_INFINITY;
  return state.counters.sold.size === 0 ? facts.plan.closesAt : (returnsUntil(facts) ?? facts.plan.closesAt);
}

/** When the next stage opens; infinite after the last, and where none opens any more. */
export function openingDueAt({ facts }: DropState): number {
  if (facts === null || facts.cancelled || facts.closedAt !== null) return Number.POSITIVE_INFINITY;
  return nextStageAt(facts.plan, facts.openedAt) ?? Number.POSITIVE_INFINITY;
}

export function lifecycleDueAt(state: DropState): number {
  return Math.min(openingDueAt(state), sealingEndsAt(state), drawDueAt(state), closeDueAt(state));
}

/** The hold that an entry of the timetable speaks of, or null where the hold has ended or is due at another time. */
export function holdDueBy(state: DropState, { id, at }: { readonly id: string; readonly at: number }): HoldRow | null {
  const hold = state.liveHolds.has(id) ? state.holds.get(id) : undefined;
  return hold !== undefined && holdDueAt(hold) === at ? hold : null;
}

/** The earliest instant at which time alone changes anything. Entries of the timetable that no longer hold are let go. */
export function nextDueAt(state: DropState): number {
  let first = state.timetable.first;
  while (first !== null && holdDueBy(state, first) === null) {
    state.timetable.dropFirst();
    first = state.timetable.first;
  }
  return Math.min(lifecycleDueAt(state), first?.at ?? Number.POSITIVE_INFINITY);
}
