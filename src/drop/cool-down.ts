import { countOf } from "./counters.ts";
import type { Plan } from "./plan.ts";
import type { TicketFacts } from "./port.ts";
import type { DropState, SittingRow } from "./state.ts";

/** Long enough that holding again and again is no way to keep goods from others, short enough to come back within a stage. */
const COOL_DOWN_MAX_MS = 15 * 60_000;

/** The names under which everything of one browser and of one person is found, whatever tickets they have. */
export function ownersOf({ keyThumbprint, person }: Pick<TicketFacts, "keyThumbprint" | "person">): string[] {
  return [`key/${keyThumbprint}`, ...(person === null ? [] : [`person/${person}`])];
}

/**
 * Until when a ticket cannot sit down again. After any sitting of the stage
 * that is one claim window. Whoever held and bought nothing has kept goods from
 * others: each such sitting of the same ticket, browser or person, over the
 * whole drop, doubles the wait after the latest of them. Somebody who was
 * admitted and got nothing to hold has kept nothing from anyone.
 */
export function coolUntil(state: DropState, plan: Plan, ticket: TicketFacts, stageSittings: readonly SittingRow[], now: number): number {
  const wasted = sittingsOfOwners(state, ticket).filter((sitting) => isWasted(state, sitting, now));
  return Math.max(
    0,
    ...stageSittings.map((sitting) => sitting.expiresAt + plan.claimWindowMs),
    ...wasted.map((sitting) => sitting.expiresAt + coolDownMs(plan, wasted.length)),
  );
}

function coolDownMs({ claimWindowMs }: Plan, wasted: number): number {
  return Math.max(claimWindowMs, Math.min(claimWindowMs * 2 ** wasted, COOL_DOWN_MAX_MS));
}

/** Held something, is over, and no order of it is on its way or paid. */
function isWasted(state: DropState, sitting: SittingRow, now: number): boolean {
  return sitting.heldAt !== null && now >= sitting.expiresAt && countOf(state.counters.ordersBySitting, sitting.id) === 0;
}

function sittingsOfOwners(state: DropState, ticket: TicketFacts): SittingRow[] {
  const ids = new Set([
    ...(state.sittingsByEntry.get(ticket.entry) ?? []),
    ...ownersOf(ticket).flatMap((owner) => state.sittingsByOwner.get(owner) ?? []),
  ]);
  return [...ids].flatMap((id) => state.sittings.get(id) ?? []);
}
