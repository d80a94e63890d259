import { describe, expect, test } from "vitest";
import { beaconRound, QUICKNET, SANDBOX_CHAIN } from "../../../src/drop/beacon-chains.ts";
import { decideBeacon } from "../../../src/drop/beacon.ts";
import { isSignedRound } from "../../../src/drop/beacon-signature.ts";
import { decideControl } from "../../../src/drop/controls.ts";
import { dropSnapshot } from "../../../src/drop/live.ts";
import type { BeaconOutcome } from "../../../src/drop/port.ts";
import { decideSeal } from "../../../src/drop/sealing.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { drandRound } from "../../../src/sandbox/drand.ts";
import { MINUTE, T0, TestDrop } from "./cast.ts";

/** Round 1000 of drand's quicknet as its relays have served it since August 2023. */
const RECORDED = {
  round: 1_000,
  signature: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
  randomness: "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
};
const ROOT = nodeHashing.sha256("");

const waiting = (shards = 1) => new TestDrop({ beacon: SANDBOX_CHAIN, shards, admit: "paced" });
const named = (drop: TestDrop) => {
  const { facts } = drop.state;
  const round = facts === null ? null : beaconRound(facts.plan);
  if (round === null) throw new Error("the plan names a beacon");
  return round;
};
const signatureOf = (round: number): string => drandRound(SANDBOX_CHAIN.chain, String(round), Number.MAX_SAFE_INTEGER, nodeHashing)?.signature ?? "";
const bring = (drop: TestDrop, at: number, round = named(drop).round, signature = signatureOf(round)): BeaconOutcome => {
  drop.now = at;
  return drop.run((state, now, hashing) => decideBeacon(state, { round, signature }, now, hashing));
};
const seal = (drop: TestDrop, shard: number) => drop.run((state, now) => decideSeal(state, { shard, batch: 0, count: 0, root: ROOT, through: T0 }, now));
const drawOf = (drop: TestDrop) => drop.record.find((row) => row.kind === "draw");

describe("a round of a beacon", () => {
  test("of drand's quicknet, as it was recorded, is its chain's; with one digit changed, of another round or of another chain it is not", () => {
    const { round, signature, randomness } = RECORDED;
    expect(isSignedRound(QUICKNET, round, signature, nodeHashing)).toBe(true);
    expect(nodeHashing.sha256(Buffer.from(signature, "hex"))).toBe(randomness);
    expect(isSignedRound(QUICKNET, round + 1, signature, nodeHashing)).toBe(false);
    expect(isSignedRound(SANDBOX_CHAIN, round, signature, nodeHashing)).toBe(false);
    for (const wrong of [`${signature.slice(0, -1)}8`, signature.toUpperCase(), signature.slice(2), `c0${"00".repeat(47)}`, ""]) expect(isSignedRound(QUICKNET, round, wrong, nodeHashing)).toBe(false);
  });

  test("is the first that comes out at least nine seconds after the opening", () => {
    const { genesisAt } = QUICKNET;
    for (const [opensAt, round] of [[genesisAt - 9_000, 1], [genesisAt - 8_999, 2], [genesisAt, 4], [genesisAt + 1, 5], [genesisAt + 3_000, 5]] as const) {
      const found = beaconRound({ beacon: QUICKNET, opensAt });
      expect(found).toEqual({ round, at: genesisAt + (round - 1) * 3_000 });
      expect((found?.at ?? 0) - opensAt).toBeGreaterThanOrEqual(9_000);
    }
  });
});

describe("a drop whose draw waits for a beacon", () => {
  test("names the round in its plan, draws when it is brought, and mixes it into the seed", () => {
    const drop = waiting().open();
    expect(drop.record[0]?.["beacon"]).toEqual({ chain: SANDBOX_CHAIN.chain, publicKey: SANDBOX_CHAIN.publicKey, genesisAt: new Date(SANDBOX_CHAIN.genesisAt).toISOString(), periodMs: 3_000, round: named(drop).round });
    expect([drawOf(drop), dropSnapshot(drop.state, drop.now)?.live.phase]).toEqual([undefined, "drawing"]);
    expect(bring(drop, named(drop).at)).toBe("taken");
    const { round } = named(drop);
    const signature = signatureOf(round);
    expect(drawOf(drop)?.["beacon"]).toEqual({ chain: SANDBOX_CHAIN.chain, round, signature, randomness: nodeHashing.sha256(Buffer.from(signature, "hex")) });
    expect(drop.state.facts?.seed).toBe(drawOf(drop)?.["seed"]);
    expect(dropSnapshot(drop.state, drop.now)?.live.phase).toBe("open");
    const alone = new TestDrop({ admit: "paced" }).open();
    expect(alone.state.facts?.seed).not.toBe(drop.state.facts?.seed);
  });

  test("draws once, whoever brings the round again", () => {
    const drop = waiting().open();
    bring(drop, named(drop).at);
    expect([bring(drop, drop.now + 5), bring(drop, drop.now + 5, 1, "00")]).toEqual(["not_needed", "not_needed"]);
    expect(drop.kinds().filter((kind) => kind === "draw")).toHaveLength(1);
  });

  test("takes no wrong round, no wrong signature, and none before its time", () => {
    const drop = waiting().open();
    const { round, at } = named(drop);
    expect(bring(drop, at - 1)).toBe("too_early");
    for (const [other, signature] of [[round + 1, signatureOf(round + 1)], [round, signatureOf(round + 1)], [round, RECORDED.signature], [round, "not hex"]] as const) expect(bring(drop, at, other, signature)).toBe("wrong");
    expect(drawOf(drop)).toBeUndefined();
  });

  test("never falls back on the secret alone: without the round it waits until it closes, and every unit is accounted for", () => {
    const drop = waiting().open();
    for (const at of [T0 + 40_000, T0 + 30 * MINUTE, T0 + 239 * MINUTE]) {
      drop.readAt(at);
      expect([drawOf(drop), dropSnapshot(drop.state, at)?.live.phase]).toEqual([undefined, "drawing"]);
    }
    drop.readAt(T0 + 240 * MINUTE);
    expect(drop.record.at(-1)).toMatchObject({ kind: "close", unsold: [{ sku: "MOTH", quantity: 10 }] });
    expect(bring(drop, T0 + 241 * MINUTE)).toBe("not_needed");
  });

  test("leaves out every shard that had not sealed when the round came out, so that nobody chooses which one to lose", () => {
    const drop = waiting(3);
    drop.now = T0;
    seal(drop, 0);
    drop.now = named(drop).at - 1;
    seal(drop, 1);
    drop.now = named(drop).at;
    seal(drop, 2);
    bring(drop, named(drop).at + 400);
    expect(drawOf(drop)).toMatchObject({ missing: [2] });
  });

  test("knows after a crash between the round and its arrival which shards had sealed", () => {
    const drop = waiting(2);
    drop.now = T0;
    seal(drop, 0);
    // Something reads the drop after the round's time; then the last shard comes.
    drop.readAt(named(drop).at + 1);
    expect(drop.writes.at(-1)?.facts?.roots).toEqual([ROOT, null]);
    seal(drop, 1);
    bring(drop, named(drop).at + 10_000);
    expect(drawOf(drop)).toMatchObject({ missing: [1] });
  });

  test("waits for a later round when its opening is put off", () => {
    const drop = waiting();
    const before = named(drop);
    drop.run((state, now, hashing) => decideControl(state, { kind: "extend", stage: 1, byMs: 10 * MINUTE }, "desk", now, hashing));
    const after = named(drop);
    expect(after.at).toBe(before.at + 10 * MINUTE);
    drop.open(T0 + 10 * MINUTE);
    expect(bring(drop, after.at, before.round, signatureOf(before.round))).toBe("wrong");
    expect(bring(drop, after.at)).toBe("taken");
  });
});
