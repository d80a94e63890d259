import type { DropSnapshot } from "../drop/port.ts";
import { Fault } from "../kernel/result.ts";
import type { Clock } from "../kernel/time.ts";
import type { LobbyLive } from "../lobby/port.ts";
import { nextBoundary } from "../lobby/rhythm.ts";

/** No answer about a drop's state is older than this. */
export const LIVE_AGE_MAX_MS = 2_000;
/** After this a copy in memory is replaced by whoever asks next; the others go on with it meanwhile. */
const MEMORY_FRESH_MS = 500;
/** A copy in memory is served for at most this long after it was read. */
const MEMORY_KEEP_MS = 1_000;
/** A plan changes only by a published change, and the Drop object judges everything again. */
const PLAN_KEEP_MS = 30_000;
/** How long one refresh may keep the others from starting theirs. */
const REFRESH_CLAIM_MS = 500;

/** The edge's copy, shared by the isolates of one place. */
export interface LiveCache {
  read(slug: string): Promise<LobbyLive | null>;
  write(slug: string, live: LobbyLive): Promise<void>;
}

export interface LiveSources {
  readonly now: Clock;
  readonly cache: LiveCache;
  /** Asks one of the drop's lobby shards, any of `shards`; null when the drop was never planned. */
  askLobby(slug: string, shards: number): Promise<LobbyLive | null>;
  /** Makes the plan from the config; null when the config has no such drop. */
  makePlan(slug: string): Promise<DropSnapshot | null>;
  /** Lets work go on after the answer is sent. */
  later(work: Promise<unknown>): void;
}

export interface LiveChain {
  live(slug: string): Promise<LobbyLive | null>;
  /** The copy that `live` would answer with at once, or null: then only `live` knows. */
  atHand(slug: string): LobbyLive | null;
  /** Whatever copy there is, up to half a minute old: for the plan, never for stock or time. */
  planned(slug: string): Promise<LobbyLive | null>;
}

interface Copy {
  readonly live: LobbyLive;
  readonly readAt: number;
  /** The last millisecond in which it may be served. */
  readonly servableUntil: number;
  /** Until when somebody else is fetching a newer one. */
  refreshingUntil: number;
}

/** The last millisecond in which a copy may be served: it is two seconds old then, or a boundary comes with the next one. */
function lastServableAt({ plan, live: { asOf } }: DropSnapshot): number {
  return Math.min(asOf + LIVE_AGE_MAX_MS, nextBoundary(plan, asOf) - 1);
}

/** Whether a copy may be served at `now`: at most two seconds old, and no boundary between then and now. */
export function isServable(copy: DropSnapshot, now: number): boolean {
  return now <= lastServableAt(copy);
}

/**
 * The live state through isolate memory, the edge's cache and a lobby shard.
 *
 * Requests do not wait for each other's reads: workerd ends a request that
 * hangs on another one's promise. While one request fetches a newer copy the
 * others are served from the old one, as long as that one may be served.
 */
export function liveChain(sources: LiveSources): LiveChain {
  const memory = new Map<string, Copy>();

  function keep(slug: string, live: LobbyLive): LobbyLive {
    const known = memory.get(slug);
    // A slower read must not put an older state in the place of a newer one.
    if (known !== undefined && known.live.live.asOf > live.live.asOf && sources.now() >= known.readAt && isServable(known.live, sources.now())) return known.live;
    const readAt = sources.now();
    memory.set(slug, { live, readAt, servableUntil: Math.min(lastServableAt(live), readAt + MEMORY_KEEP_MS), refreshingUntil: 0 });
    return live;
  }

  function atHand(slug: string): LobbyLive | null {
    const copy = memory.get(slug);
    if (copy === undefined) return null;
    const now = sources.now();
    // Read in the future means that the clock was set back: nothing is known about the copy's age.
    const isTrue = copy.readAt <= now && now <= copy.servableUntil;
    return isTrue && (now - copy.readAt <= MEMORY_FRESH_MS || now < copy.refreshingUntil) ? copy.live : null;
  }

  /** The plan says how many shards there are, whatever the config says by now; until it is known there is shard 0. */
  const askLobby = (slug: string) => sources.askLobby(slug, memory.get(slug)?.live.plan.shards ?? 1);

  async function fetched(slug: string): Promise<LobbyLive | null> {
    const cached = await sources.cache.read(slug).catch(() => null);
    if (cached !== null && Math.abs(sources.now() - cached.live.asOf) <= MEMORY_KEEP_MS && isServable(cached, sources.now())) return keep(slug, cached);
    const read = (await askLobby(slug)) ?? (await firstSeen(slug));
    if (read === null) return null;
    sources.later(sources.cache.write(slug, read).catch(() => undefined));
    return keep(slug, read);
  }

  /** The first visitor of a drop makes its plan. The shards may need a moment to hear of it. */
  async function firstSeen(slug: string): Promise<LobbyLive | null> {
    const snapshot = await sources.makePlan(slug);
    if (snapshot === null) return null;
    return (await askLobby(slug)) ?? { ...snapshot, waiting: 0, quantiles: [] };
  }

  return {
    atHand,

    async live(slug) {
      const ready = atHand(slug);
      if (ready !== null) return ready;
      const copy = memory.get(slug);
      if (copy !== undefined) copy.refreshingUntil = sources.now() + REFRESH_CLAIM_MS;
      const live = await fetched(slug);
      // A shard that cannot reach the drop answers with what it last heard; that is not the state now.
      if (live !== null && sources.now() - live.live.asOf > LIVE_AGE_MAX_MS) throw new Fault("the live state is older than two seconds", { retryable: true });
      return live;
    },

    async planned(slug) {
      const copy = memory.get(slug);
      return copy !== undefined && sources.now() - copy.readAt <= PLAN_KEEP_MS ? copy.live : fetched(slug);
    },
  };
}
