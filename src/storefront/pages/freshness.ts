import type { LobbyLive } from "../../lobby/port.ts";

/** Nothing that a page says about stock may be older than this. */
const STALE_AFTER_MS = 2_000;

/** The next moment at which the plan itself changes what is true. */
export function nextBoundaryAt(live: LobbyLive, now: number): number {
  const { plan } = live;
  const moments = [plan.announceAt, plan.lobbyOpensAt, plan.opensAt, plan.closesAt, ...plan.stock.flatMap((unit) => unit.stages.map((stage) => stage.opensAt))];
  return moments.filter((at) => at > now).reduce((soonest, at) => Math.min(soonest, at), Number.POSITIVE_INFINITY);
}

/**
 * How long a page made from these states may be kept: what is left of two
 * seconds since the states were true, and never past the next opening or
 * close. Kept in whole seconds, so it rounds down, to nothing when need be.
 */
export function cacheControl(lives: readonly LobbyLive[], now: number): string {
  const leftMs = lives.map((live) => Math.min(live.live.asOf + STALE_AFTER_MS, nextBoundaryAt(live, now)) - now);
  const seconds = Math.max(0, Math.floor(Math.min(STALE_AFTER_MS, ...leftMs) / 1000));
  return seconds === 0 ? "no-store" : `public, max-age=1, s-maxage=${Math.min(seconds, 2)}`;
}
