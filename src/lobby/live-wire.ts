import { instantToWire } from "../kernel/time.ts";
import type { LobbyLive } from "./port.ts";

/**
 * The live object as shoppers get it, over HTTP and over the socket. `now` is
 * the server's time at sending: a browser's countdown runs on it, since phones'
 * clocks are wrong.
 */
export function liveToWire(live: LobbyLive, now: number): Record<string, unknown> {
  const { asOf, head } = live.live;
  return { asOf: instantToWire(asOf), now: instantToWire(now), ...lastingPart(live), head: { seq: head.seq, hash: head.hash } };
}

/**
 * What a change is judged by: the live object without the times that move by
 * themselves, and without the record's head, which moves with every row: what
 * shows nowhere on a page must not cost a message to every socket.
 */
export function liveFingerprint(live: LobbyLive): string {
  return JSON.stringify(lastingPart(live));
}

function lastingPart({ live, waiting, quantiles }: LobbyLive): Record<string, unknown> {
  return {
    phase: live.phase,
    stage: live.stage,
    available: live.available,
    low: live.low,
    nextStageAt: live.nextStageAt === null ? null : instantToWire(live.nextStageAt),
    waiting,
    seed: live.seed,
    quantiles: quantiles.map(({ lane, count, ranks }) => ({ lane, count, ranks })),
    thresholds: live.thresholds.map(({ sku, lane, upTo }) => ({ sku, lane, upTo })),
    items: live.items.map(({ sku, available, soldOut, byLane }) => ({ sku, available, soldOut, ...(byLane === undefined ? {} : { byLane }) })),
  };
}
