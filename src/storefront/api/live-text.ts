import { instantToWire } from "../../kernel/time.ts";
import { liveToWire } from "../../lobby/live-wire.ts";
import type { LobbyLive } from "../../lobby/port.ts";

type LiveText = (live: LobbyLive, now: number, dpopNonce: string) => string;

/**
 * The live object as JSON. Between two readings of a drop only the server's
 * time and the nonce differ, so that the rest, up to 128 ranks for each lane, is
 * written once for each copy of the state and goes when the copy does.
 */
export function liveTexts(): LiveText {
  const tails = new WeakMap<LobbyLive, string>();
  const tailOf = (live: LobbyLive) => {
    const known = tails.get(live);
    if (known !== undefined) return known;
    const { now: _sentAt, ...lasting } = liveToWire(live, live.live.asOf);
    const tail = JSON.stringify(lasting).slice(1, -1);
    tails.set(live, tail);
    return tail;
  };
  return (live, now, dpopNonce) => `{"now":"${instantToWire(now)}","dpopNonce":${JSON.stringify(dpopNonce)},${tailOf(live)}}`;
}
