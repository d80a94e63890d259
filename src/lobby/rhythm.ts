import { lapsesOf } from "../drop/lanes.ts";
import type { Plan } from "../drop/plan.ts";
import type { DropSnapshot, Phase } from "../drop/port.ts";
import type { TicketBook } from "./tickets.ts";

/*
 * When a shard reads, how long it may show what it read, and when it wakes up
 * by itself.
 */

/** The age up to which a shard shows what it has read. */
const LIVE_TTL_MS = 1_000;
/** The age up to which a shard shows it when the next reading failed. */
const LIVE_GRACE_MS = 2_000;
/** The shortest time between two readings of shard 0 by another, however far apart their clocks are. */
const SHARD_READ_MIN_MS = 20;
/** The shortest time between two readings of the Drop object, however often somebody's turn ends: with some room, so that no second sees three. */
const DROP_READ_MIN_MS = 600;
/** While nothing can be had, only a hold that runs out can change the line: it is looked at less often. */
const IDLE_TICK_MS = 5_000;
/** Late tickets are sealed at most this often, and an unanswered seal is sent again after it. */
export const SEAL_INTERVAL_MS = 1_000;
/** A socket's timer dies with the object; this alarm finds those who still wait. */
const TIMER_BACKUP_MS = 15_000;

/** The next moment after `after` at which the drop's state changes by the clock alone; infinite when there is none. */
export function nextBoundary(plan: Plan, after: number): number {
  let next = Number.POSITIVE_INFINITY;
  const consider = (at: number) => {
    if (at > after && at < next) next = at;
  };
  for (const at of [plan.announceAt, plan.lobbyOpensAt, plan.opensAt, plan.closesAt]) consider(at);
  for (const unit of plan.stock) for (const stage of unit.stages) consider(stage.opensAt);
  // What a lane has not taken is everyone's from here on, and everyone's line may move.
  for (const at of lapsesOf(plan)) consider(at);
  return next;
}

/** Whether the drop's end has been seen: nothing that happens in a lobby matters any more. */
export function isOverPhase(phase: Phase): boolean {
  return phase === "closed" || phase === "cancelled";
}

/** For how long an answer may be shown, counted from the moment of asking. */
interface Lifetime {
  /** Until the next reading. */
  readonly freshMs: number;
  /** Until when it may stand in for a reading that failed. */
  readonly graceMs: number;
}

/**
 * How long shard 0 may show what the Drop object answered. Measured on the Drop
 * object's own time, so that a difference of clocks neither stretches the answer
 * beyond a boundary nor asks in a storm.
 */
export function dropAnswerLifetime(snapshot: DropSnapshot): Lifetime {
  const { plan, live } = snapshot;
  const boundaryMs = nextBoundary(plan, live.asOf) - live.asOf;
  return { freshMs: Math.min(LIVE_TTL_MS, boundaryMs, turnInMs(snapshot)), graceMs: Math.min(LIVE_GRACE_MS, boundaryMs) };
}

/** How long after its making a snapshot's line may go on because somebody's turn ends; infinite where nobody has one. */
export function turnInMs({ live, nextTurnAt }: DropSnapshot): number {
  return nextTurnAt === null ? Number.POSITIVE_INFINITY : Math.max(DROP_READ_MIN_MS, nextTurnAt - live.asOf);
}

/**
 * How long another shard may show what it got from shard 0, which had it for a
 * while already. `now` is the shard's clock at the moment of asking.
 */
export function shardAnswerLifetime(snapshot: DropSnapshot, now: number): Lifetime {
  const ageMs = Math.max(0, now - snapshot.live.asOf);
  const { freshMs, graceMs } = dropAnswerLifetime(snapshot);
  return { freshMs: Math.max(SHARD_READ_MIN_MS, freshMs - ageMs), graceMs: graceMs - ageMs };
}

/**
 * When a shard's next seal is to be made or sent again; null when all who joined
 * are in the record. `lateSealAt` is when the last late batch was sealed,
 * `retryAt` before when nothing is to be sent again; both are 0 at first.
 */
export function nextSealAt(
  { seals, sealedCount, tickets }: Pick<TicketBook, "seals" | "sealedCount" | "tickets">,
  { opensAt, lateSealAt, retryAt }: { readonly opensAt: number; readonly lateSealAt: number; readonly retryAt: number },
  now: number,
): number | null {
  // Both were set a second ahead at most; what lies further away was set before the clock fell back.
  const soon = (at: number) => (at - now > SEAL_INTERVAL_MS ? now : at);
  if (seals.length === 0) return Math.max(opensAt, soon(retryAt));
  if (seals.at(-1)?.acknowledged === false) return soon(retryAt);
  return sealedCount < tickets.length ? Math.max(soon(lateSealAt + SEAL_INTERVAL_MS), soon(retryAt)) : null;
}

/** What a shard knows when it asks itself when to wake up. */
export interface Rhythm {
  readonly plan: Plan | null;
  readonly phase: Phase | null;
  readonly isOver: boolean;
  readonly hasSeed: boolean;
  readonly tickets: number;
  /** Tickets that want something to which their line has not come. */
  readonly unmet: number;
  readonly sockets: number;
  /** Null when nothing waits for a seal or for its acknowledgement. */
  readonly sealDueAt: number | null;
  /** When somebody's turn ends, as of the last reading; infinite where nobody has one. */
  readonly turnAt: number;
}

export interface Waking {
  /** A timer in memory: it keeps the object awake, so there is one only while somebody listens. */
  readonly timerAt: number | null;
  readonly alarmAt: number | null;
}

const QUIET: Waking = { timerAt: null, alarmAt: null };

/**
 * When the shard wakes up by itself. Before the opening that is the opening; then
 * once a second while somebody waits or listens; never once the drop is over, and
 * not while nobody is there: whoever comes wakes it.
 */
export function nextWaking(state: Rhythm, now: number): Waking {
  const { plan } = state;
  if (plan === null || state.isOver) return QUIET;
  if (now < plan.lobbyOpensAt) return { timerAt: null, alarmAt: state.sockets > 0 ? plan.lobbyOpensAt : plan.opensAt };
  // A turn that is over already was seen with the reading that named it, or will be with the next.
  const changeAt = Math.min(nextBoundary(plan, now), state.turnAt > now ? state.turnAt : Number.POSITIVE_INFINITY);
  const tickAt = Math.min(now + LIVE_TTL_MS, changeAt);
  const timerAt = state.sockets > 0 ? tickAt : null;
  if (now < plan.opensAt) return { timerAt, alarmAt: plan.opensAt };
  if (state.sealDueAt !== null) return { timerAt, alarmAt: Math.max(now, state.sealDueAt) };
  // Seeing the draw made is the shard's own business only while it has tickets to rank.
  const isAwaited = state.unmet > 0 || (!state.hasSeed && state.tickets > 0);
  if (!isAwaited) return { timerAt, alarmAt: null };
  if (timerAt !== null) return { timerAt, alarmAt: now + TIMER_BACKUP_MS };
  const isIdle = state.phase === "sold-out" || state.phase === "paused";
  return { timerAt, alarmAt: Math.min(now + (isIdle ? IDLE_TICK_MS : LIVE_TTL_MS), changeAt) };
}
