import type { Hashing } from "../kernel/hashing.ts";
import { accepted, assert, rejected, type Result } from "../kernel/result.ts";
import { isServed, rankOf } from "../lobby/draw.ts";
import { coolUntil } from "./cool-down.ts";
import { groupMaxOf, limitOf, peopleOf } from "./groups.ts";
import { factsOf } from "./hold-movements.ts";
import type { Plan } from "./plan.ts";
import type { ClaimAnswer, ClaimRejection, Sitting, TicketFacts } from "./port.ts";
import { stageAt } from "./release.ts";
import { type CallRow, type Decision, type DropState, lineId, type SittingRow, unchanged } from "./state.ts";
import { nextWrittenStageAt, writtenNumber } from "./written-stages.ts";

/** How often one ticket may sit down in one stage; a whole drip is one, or whoever holds and lets go could do so again with every step. */
export const SITTINGS_PER_STAGE_MAX = 2;

type Claim = Result<ClaimAnswer, ClaimRejection>;

/**
 * Admits a ticket whose rank is served for anything that it wants, and gives it
 * a sitting with the id that the caller made. A repeated claim while the
 * sitting lasts gets the same sitting, even while the drop is paused.
 */
export function decideClaim(state: DropState, ticket: TicketFacts, sittingId: string, now: number, hashing: Hashing): Decision<Claim> {
  const { plan, seed, paused, cancelled } = factsOf(state);
  if (cancelled || now >= plan.closesAt) return unchanged(rejected({ code: "drop_closed" }));
  if (seed === null) return unchanged(accepted({ state: "waiting", rank: null }));
  const before = sittingsOf(state, ticket.entry);
  const active = before.find((sitting) => now < sitting.expiresAt);
  if (active !== undefined) return unchanged(accepted({ state: "admitted", sitting: sittingView(active) }));
  if (paused) return unchanged(rejected({ code: "drop_paused" }));
  if (plan.admit === "paced" && !isInSeal(state, ticket)) return unchanged(accepted({ state: "waiting", rank: null }));
  const rank = rankOf(ticket, plan.opensAt, seed, hashing);
  if (!ticket.wants.some(({ sku }) => isServed(rank, thresholdOf(state, sku, ticket.lane)))) {
    return unchanged(accepted({ state: "waiting", rank }));
  }
  const stage = stageAt(plan, now) ?? 1;
  const inStage = before.filter((sitting) => writtenNumber(plan, sitting.stage) === writtenNumber(plan, stage));
  if (inStage.length >= SITTINGS_PER_STAGE_MAX) {
    return unchanged(rejected({ code: "too_many_requests", retryAt: nextWrittenStageAt(plan, now) ?? plan.closesAt }));
  }
  const retryAt = coolUntil(state, plan, ticket, inStage, now);
  if (now < retryAt) return unchanged(rejected({ code: "too_many_requests", retryAt }));
  const people = peopleOf(ticket);
  assert(people >= 1 && people <= groupMaxOf(plan), "no ticket stands for more people than the plan lets stand together");
  const together = people === 1 ? {} : { people };
  const sitting: SittingRow = {
    id: sittingId, entry: ticket.entry, keyThumbprint: ticket.keyThumbprint, person: ticket.person, lane: ticket.lane, rank, wants: ticket.wants, stage,
    admittedAt: now, expiresAt: now + plan.claimWindowMs, heldAt: null, holds: 0, ...together,
  };
  return {
    outcome: accepted({ state: "admitted", sitting: sittingView(sitting) }),
    changes: {
      movements: [{ kind: "admit", subject: ticket.entry, rank, lane: ticket.lane, ...together }],
      sittings: [sitting],
      endedCalls: ticket.wants.map(({ sku }) => callId(sku, ticket.lane, rank)).filter((id) => state.calls.has(id)),
    },
  };
}

/**
 * Whether the record has the seal that a ticket is in: whoever is admitted must
 * be found there. Thresholds come from pages of sealed tickets, and no shard
 * that is waited for lets one pass somebody who is not sealed. But for a shard
 * that the draw missed nobody waits: its drawn and its late tickets alike are
 * passed by the others' thresholds before their seal is here. Where nothing is
 * paced, which is only on a laptop, nobody is asked to wait for a seal either.
 */
function isInSeal({ sealedThrough }: DropState, { shard, joinedAt }: TicketFacts): boolean {
  return joinedAt <= (sealedThrough.get(shard) ?? 0);
}

/** How many items an entry may have in all: as many as the people who stand in line as this one. */
export function limitOfEntry(state: DropState, plan: Plan, entry: string): number {
  const [sitting] = sittingsOf(state, entry);
  return limitOf(plan, sitting === undefined ? 1 : peopleOf(sitting));
}

/** Every sitting that an entry had, oldest first. */
export function sittingsOf(state: DropState, entry: string): SittingRow[] {
  return (state.sittingsByEntry.get(entry) ?? []).flatMap((id) => state.sittings.get(id) ?? []);
}

export function thresholdOf(state: DropState, sku: string, lane: string): string | null {
  return state.thresholds.get(lineId(sku, lane))?.upTo ?? null;
}

export function callId(sku: string, lane: string, rank: string): CallRow["id"] {
  return `${lineId(sku, lane)}/${rank}`;
}

function sittingView({ id, entry, admittedAt, expiresAt }: SittingRow): Sitting {
  return { id, entry, admittedAt, expiresAt };
}
