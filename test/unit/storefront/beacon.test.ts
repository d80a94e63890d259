import { describe, expect, it } from "vitest";
import { beaconRound, QUICKNET, SANDBOX_CHAIN } from "../../../src/drop/beacon-chains.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { drandRound } from "../../../src/sandbox/drand.ts";
import { BeaconErrand } from "../../../src/storefront/beacon-errand.ts";
import { beaconRelays } from "../../../src/storefront/beacon-relays.ts";
import type { LogLine } from "../../../src/storefront/ports.ts";
import { liveAt, OPENS_AT } from "../../support/storefront-doubles.ts";
import { Provider } from "../sandbox/provider.ts";

const ROUND = 12_345;
const genuine = drandRound(SANDBOX_CHAIN.chain, String(ROUND), Number.MAX_SAFE_INTEGER, nodeHashing);
const other = drandRound(SANDBOX_CHAIN.chain, String(ROUND + 1), Number.MAX_SAFE_INTEGER, nodeHashing);

type Relay = (url: string, init: RequestInit) => Promise<Response>;

/** Relays by their name, each answering in its way. */
function sourceOf(relays: Readonly<Record<string, Relay>>) {
  return beaconRelays({ relays: Object.keys(relays).map((name) => `https://${name}.example`), hashing: nodeHashing, fetch: (url, init) => relays[new URL(url).hostname.split(".")[0] ?? ""]?.(url, init) ?? Promise.reject(new Error("no such relay")) });
}
const says = (body: unknown, status = 200): Relay => async () => new Response(JSON.stringify(body), { status });
const down: Relay = async () => Promise.reject(new Error("down"));
const silent: Relay = (_, init) => new Promise((_resolve, reject) => init.signal?.addEventListener("abort", () => reject(new Error("timed out"))));

describe("the relays of a beacon", () => {
  it("give the round that any one of them answers rightly, however the others fail", async () => {
    const source = sourceOf({
      down, missing: says({ error: "not found" }, 404), empty: says({}), long: says({ ...genuine, more: "x".repeat(5_000) }),
      lying: says({ round: ROUND, signature: other?.signature }), elsewhere: says(other), moved: async () => Response.redirect("https://evil.example/", 302), right: says(genuine),
    });
    expect(await source.round(SANDBOX_CHAIN, ROUND)).toBe(genuine?.signature);
  });

  it("give nothing when none answers rightly, and do not wait for one that never answers", async () => {
    expect(await sourceOf({ down, lying: says({ round: ROUND, signature: other?.signature }), silent }).round(SANDBOX_CHAIN, ROUND)).toBeNull();
    // The same answer under a chain whose key did not make it.
    expect(await sourceOf({ right: says(genuine) }).round(QUICKNET, ROUND)).toBeNull();
  });

  it("are asked for the round of the chain that the plan names", async () => {
    const asked: string[] = [];
    await sourceOf({ one: async (url) => (asked.push(url), new Response("{}")) }).round(QUICKNET, 7);
    expect(asked).toEqual([`https://one.example/${QUICKNET.chain}/public/7`]);
  });
});

describe("the sandbox's beacon", () => {
  it("serves a round from its time on, signed by the chain's key, and nothing of another chain", async () => {
    const provider = new Provider();
    const round = Math.floor((provider.now - SANDBOX_CHAIN.genesisAt) / SANDBOX_CHAIN.periodMs) + 1;
    const source = beaconRelays({ relays: ["http://sandbox/sandbox/drand"], hashing: nodeHashing, fetch: async (url, init) => provider.app.request(url, init) });
    expect(await source.round(SANDBOX_CHAIN, round)).toMatch(/^[0-9a-f]{96}$/);
    expect(await source.round(SANDBOX_CHAIN, round + 1)).toBeNull();
    expect((await provider.app.request(`/sandbox/drand/${QUICKNET.chain}/public/1`)).status).toBe(404);
    expect((await provider.app.request(`/sandbox/drand/${SANDBOX_CHAIN.chain}/public/latest`)).status).toBe(404);
  });
});

describe("the errand of bringing a round", () => {
  const drawing = liveAt(OPENS_AT + 20_000, { phase: "drawing", seed: null, thresholds: [] }, { beacon: SANDBOX_CHAIN });
  const named = beaconRound(drawing.plan);
  if (named === null) throw new Error("the plan names a beacon");

  function errandAt(now: number, source: () => Promise<string | null> = async () => genuine?.signature ?? null, beacon: () => Promise<"taken" | "wrong"> = async () => "taken") {
    const world = { now, asked: [] as number[], brought: [] as number[], logged: [] as LogLine[] };
    const errand = new BeaconErrand({
      now: () => world.now,
      source: { round: async (_, round) => (world.asked.push(round), source()) },
      drop: () => ({ beacon: async (round) => (world.brought.push(round), beacon()) }),
      log: (line) => void world.logged.push(line),
    });
    return { world, errand };
  }

  it("is run for a drop that is drawing, from the round's time on, and not more than once a second", async () => {
    const { world, errand } = errandAt(named.at - 1);
    await errand.runWhenDue(drawing);
    expect(world.asked).toEqual([]);
    world.now = named.at;
    await Promise.all([errand.runWhenDue(drawing), errand.runWhenDue(drawing)]);
    world.now = named.at + 999;
    await errand.runWhenDue(drawing);
    expect([world.asked, world.brought]).toEqual([[named.round], [named.round]]);
    world.now = named.at + 1_000;
    await errand.runWhenDue(drawing);
    expect(world.asked).toHaveLength(2);
  });

  it("is not run for a drop that waits for no beacon, or not any more", async () => {
    const { world, errand } = errandAt(named.at + 5_000);
    await errand.runWhenDue(liveAt(OPENS_AT + 20_000, { phase: "drawing", seed: null }));
    await errand.runWhenDue({ ...drawing, live: { ...drawing.live, phase: "open" } });
    await errand.runWhenDue({ ...drawing, live: { ...drawing.live, phase: "lobby" } });
    expect(world.asked).toEqual([]);
  });

  it("tells the log what went wrong and goes again with the next reader", async () => {
    const failing = errandAt(named.at, async () => Promise.reject(new Error("no way out")));
    await failing.errand.runWhenDue(drawing);
    expect(failing.world.logged).toMatchObject([{ code: "beacon_not_brought", round: named.round }]);
    const refused = errandAt(named.at, undefined, async () => "wrong");
    await refused.errand.runWhenDue(drawing);
    expect(refused.world.logged).toMatchObject([{ code: "beacon_refused" }]);
    const early = errandAt(named.at, async () => null);
    await early.errand.runWhenDue(drawing);
    expect([early.world.brought, early.world.logged]).toEqual([[], []]);
  });
});
