import { describe, expect, it } from "vitest";
import type { Plan } from "../../../../src/drop/plan.ts";
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

describe("a state at hand", () => {
  it("is what a reader would get at once, and never what only a read can tell, whatever the clock does", async () => {
    const world = newChain();
    expect(world.chain.atHand("moth-tee")).toBeNull();
    let given = 0;
    for (let step = 0; step < 5_000; step++) {
      // Forward by up to 1.3 s, and now and then back by a minute.
      world.now += step % 97 === 96 ? -60_000 : (step * 7_919) % 1_300;
      const ready = world.chain.atHand("moth-tee");
      const asked = world.asked;
      const live = await world.chain.live("moth-tee");
      if (ready === null) continue;
      given++;
      expect(ready).toBe(live);
      expect(world.asked).toBe(asked);
      expect(isServable(ready, world.now)).toBe(true);
    }
    expect(given).toBeGreaterThan(500);
  });

  it("ends with the millisecond before each boundary of the plan, and after two seconds", async () => {
    const at = async (asOf: number, now: number): Promise<boolean> => {
      const world = newChain({}, () => liveAt(asOf));
      // A copy is read late in its two seconds, so that its age ends before it is due to be read again.
      world.now = Math.max(asOf, now - 100);
      await world.chain.live("moth-tee").catch(() => undefined);
      world.now = now;
      return world.chain.atHand("moth-tee") !== null;
    };
    for (const boundary of [plan.announceAt, plan.lobbyOpensAt, plan.opensAt, OPENS_AT + 1_800_000, plan.closesAt]) {
      expect([await at(boundary - 50, boundary - 1), await at(boundary - 50, boundary), await at(boundary, boundary + 50)]).toEqual([true, false, true]);
    }
    expect([await at(START, START + LIVE_AGE_MAX_MS), await at(START, START + LIVE_AGE_MAX_MS + 1)]).toEqual([true, false]);
  });

  it("ends where a lane's time is over: what others may take changes in that millisecond", async () => {
    const lanes: Plan["lanes"] = [{ lane: "local", sharePercent: 20, untilMs: 600_000, weight: 1, evidence: { kind: "invite" } }];
    const servable = (asOf: number, now: number) => isServable(liveAt(asOf, {}, { lanes }), now);
    for (const lapse of [OPENS_AT + 600_000, OPENS_AT + 2_400_000]) {
      expect([servable(lapse - 50, lapse - 1), servable(lapse - 50, lapse), servable(lapse, lapse + 50)]).toEqual([true, false, true]);
    }
  });

  it("is the old one while somebody reads a newer one", async () => {
    const world = newChain({ cache: { read: async () => null, write: async () => undefined } });
    await world.chain.live("moth-tee");
    world.now += 501;
    expect(world.chain.atHand("moth-tee")).toBeNull();
    const reading = world.chain.live("moth-tee");
    expect(world.chain.atHand("moth-tee")?.live.asOf).toBe(START);
    await reading;
    expect(world.chain.atHand("moth-tee")?.live.asOf).toBe(START + 501);
  });
});

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
