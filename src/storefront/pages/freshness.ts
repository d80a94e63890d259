import type { LobbyLive } from "../../lobby/port.ts";
import { nextBoundary } from "../../lobby/rhythm.ts";

/** Nothing that a page says about stock may be older than this. */
const STALE_AFTER_MS = 2_000;

/**
 * Until when a page made from these states says the truth: two seconds after
 * the oldest of them was true, and never past the next moment at which the plan
 * itself changes what is true.
 * `readAt` are the times of whatever else it shows.
 */
export function trueUntil(lives: readonly LobbyLive[], now: number, ...readAt: readonly number[]): number {
  const ends = lives.map((live) => Math.min(live.live.asOf + STALE_AFTER_MS, nextBoundary(live.plan, live.live.asOf)));
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
