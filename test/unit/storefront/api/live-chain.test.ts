import { describe, expect, it } from "vitest";
import { Fault } from "../../../../src/kernel/result.ts";
import type { LobbyLive } from "../../../../src/lobby/port.ts";
import { isServable, LIVE_AGE_MAX_MS, liveChain, type LiveSources } from "../../../../src/storefront/live-chain.ts";
import { liveAt, OPENS_AT, plan } from "../../../support/storefront-doubles.ts";

const START = OPENS_AT + 60_000;

interface Chain {
  now: number;
  asked: number;
  readonly cached: Map<string, LobbyLive>;
  readonly chain: ReturnType<typeof liveChain>;
}

/** A chain whose lobby answers with the state of its own moment, or with what `lobby` says. */
function newChain(overrides: Partial<LiveSources> = {}, lobby?: () => LobbyLive | null): Chain {
  const cached = new Map<string, LobbyLive>();
  const state = { now: START, asked: 0, cached };
  const chain = liveChain({
    now: () => state.now,
    cache: { read: async (slug) => cached.get(slug) ?? null, write: async (slug, live) => void cached.set(slug, live) },
    askLobby: async () => {
      state.asked++;
      return lobby === undefined ? liveAt(state.now) : lobby();
    },
    makePlan: async () => null,
    later: () => undefined,
    ...overrides,
  });
  return Object.assign(state, { chain });
}

describe("the live chain", () => {
  it("asks the lobby once for any number of readers within half a second", async () => {
    const world = newChain();
    for (let reader = 0; reader < 1_000; reader++) await world.chain.live("moth-tee");
    world.now += 500;
    await world.chain.live("moth-tee");
    expect(world.asked).toBe(1);
  });

  it("never serves a copy that is older than two seconds, whatever the clock does between two readers", async () => {
    const world = newChain();
    for (let step = 0; step < 2_000; step++) {
      world.now += (step * 7_919) % 2_600;
      const live = await world.chain.live("moth-tee");
      expect(world.now - (live?.live.asOf ?? 0)).toBeLessThanOrEqual(LIVE_AGE_MAX_MS);
    }
  });

  it.each([
    ["the lobby's opening", plan.lobbyOpensAt],
    ["the opening", plan.opensAt],
    ["the next stage", OPENS_AT + 1_800_000],
    ["the close", plan.closesAt],
  ])("does not serve a copy from before %s after it", async (_what, boundary) => {
    const world = newChain();
    world.now = boundary - 1;
    expect((await world.chain.live("moth-tee"))?.live.asOf).toBe(boundary - 1);
    world.now = boundary;
    expect((await world.chain.live("moth-tee"))?.live.asOf).toBe(boundary);
    expect(isServable(liveAt(boundary - 1), boundary - 1)).toBe(true);
    expect(isServable(liveAt(boundary - 1), boundary)).toBe(false);
  });

  it("takes the edge's copy while it is young and in the same stretch of time, and asks the lobby otherwise", async () => {
    for (const [asOf, now, asked] of [[START - 900, START, 0], [START - 1_100, START, 1], [OPENS_AT - 1, OPENS_AT, 1]] as const) {
      const world = newChain();
      world.now = now;
      world.cached.set("moth-tee", liveAt(asOf));
      await world.chain.live("moth-tee");
      expect(world.asked).toBe(asked);
    }
  });

  it("leaves the others on the old copy while one reader fetches a newer one", async () => {
    const waiting: (() => void)[] = [];
    let asked = 0;
    let now = START;
    const chain = liveChain({
      now: () => now,
      cache: { read: async () => null, write: async () => undefined },
      askLobby: async () => {
        asked++;
        if (asked > 1) await new Promise<void>((resolve) => waiting.push(resolve));
        return liveAt(now);
      },
      makePlan: async () => null,
      later: () => undefined,
    });
    await chain.live("moth-tee");
    now += 700;
    const slow = chain.live("moth-tee");
    const others = await Promise.all(Array.from({ length: 50 }, () => chain.live("moth-tee")));
    expect(others.every((live) => live?.live.asOf === START)).toBe(true);
    expect(asked).toBe(2);
    for (const release of waiting) release();
    expect((await slow)?.live.asOf).toBe(START + 700);
  });

  it("does not let a slow answer replace a newer one", async () => {
    const states = [liveAt(START), liveAt(START - 300)];
    const world = newChain({}, () => states.shift() ?? null);
    await world.chain.live("moth-tee");
    world.now += 600;
    expect((await world.chain.live("moth-tee"))?.live.asOf).toBe(START);
  });

  it("says that it cannot tell rather than something old when the lobby has lost the drop", async () => {
    const world = newChain({}, () => liveAt(START - 3_000));
    await expect(world.chain.live("moth-tee")).rejects.toBeInstanceOf(Fault);
    expect((await world.chain.planned("moth-tee"))?.plan.drop).toBe("moth-tee");
  });

  it("reads again when the clock was set back, instead of serving one copy until the clock has caught up", async () => {
    const world = newChain();
    await world.chain.live("moth-tee");
    world.cached.clear();
    world.now -= 600_000;
    expect((await world.chain.live("moth-tee"))?.live.asOf).toBe(START - 600_000);
    world.now += 1_500;
    expect((await world.chain.live("moth-tee"))?.live.asOf).toBe(START - 598_500);
  });

  it("goes past a cache that fails", async () => {
    const world = newChain({ cache: { read: async () => Promise.reject(new Error("no cache")), write: async () => Promise.reject(new Error("no cache")) } });
    expect((await world.chain.live("moth-tee"))?.live.asOf).toBe(START);
  });

  it("makes the plan of a drop that nobody has seen yet, and answers from it even before a shard has heard", async () => {
    const { waiting: _waiting, quantiles: _quantiles, ...snapshot } = liveAt(START);
    const world = newChain({ makePlan: async () => snapshot }, () => null);
    expect(await world.chain.live("moth-tee")).toMatchObject({ planHash: snapshot.planHash, waiting: 0, quantiles: [] });
    expect(await newChain({}, () => null).chain.live("unknown")).toBeNull();
  });

  it("spreads its reads over the plan's shards once the plan is known", async () => {
    const shards: number[] = [];
    let now = START;
    const chain = liveChain({
      now: () => now,
      cache: { read: async () => null, write: async () => undefined },
      askLobby: async (_slug, count) => {
        shards.push(count);
        return liveAt(now);
      },
      makePlan: async () => null,
      later: () => undefined,
    });
    await chain.live("moth-tee");
    now += 5_000;
    await chain.live("moth-tee");
    expect(shards).toEqual([1, plan.shards]);
  });
});
