import type { LobbyLive } from "../../lobby/port.ts";

/** Nothing that a page says about stock may be older than this. */
const STALE_AFTER_MS = 2_000;

/** The next moment at which the plan itself changes what is true. */
function nextBoundaryAt(live: LobbyLive, now: number): number {
  const { plan } = live;
  const moments = [plan.announceAt, plan.lobbyOpensAt, plan.opensAt, plan.closesAt, ...plan.stock.flatMap((unit) => unit.stages.map((stage) => stage.opensAt))];
  return moments.filter((at) => at > now).reduce((soonest, at) => Math.min(soonest, at), Number.POSITIVE_INFINITY);
}

/**
 * Until when a page made from these states says the truth: two seconds after
 * the oldest of them was true, and never past the next opening or close.
 * `readAt` are the times of whatever else it shows.
 */
export function trueUntil(lives: readonly LobbyLive[], now: number, ...readAt: readonly number[]): number {
  const ends = lives.map((live) => Math.min(live.live.asOf + STALE_AFTER_MS, nextBoundaryAt(live, live.live.asOf)));
  return Math.min(now + STALE_AFTER_MS, ...ends, ...readAt.map((at) => at + STALE_AFTER_MS));
}

/**
 * What caches on the way may do with a page that is true for `leftMs` more.
 * They count whole seconds, so it rounds down; with less than one left they
 * have to ask again each time.
 */
export function cacheHeader(leftMs: number): string {
  const seconds = Math.max(0, Math.floor(Math.min(STALE_AFTER_MS, leftMs) / 1_000));
  return seconds === 0 ? "no-cache" : `public, max-age=1, s-maxage=${seconds}`;
}
