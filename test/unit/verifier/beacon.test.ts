import { describe, expect, test } from "vitest";
import { beaconRound, QUICKNET, SANDBOX_CHAIN } from "../../../src/drop/beacon-chains.ts";
import { decideBeacon } from "../../../src/drop/beacon.ts";
import type { BeaconTerms } from "../../../src/drop/plan.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { drandRound } from "../../../src/sandbox/drand.ts";
import { ownHashing } from "../../../src/verifier/sha256.ts";
import { NO_QUESTIONS, type Report, verifyDrop } from "../../../src/verifier/verify.ts";
import { MINUTE, T0 } from "../drop/cast.ts";
import { clone, materialOf, Night, type PublicDrop, rechained, storeKeys } from "./real-record.ts";

/* A draw that waited for a beacon, and everything about it that a seller could forge. */

const keys = storeKeys();
const verify = (drop: PublicDrop): Report => verifyDrop(materialOf(drop), NO_QUESTIONS, { hashing: ownHashing, progress: () => undefined });
const signatureOf = (round: number): string => drandRound(SANDBOX_CHAIN.chain, String(round), Number.MAX_SAFE_INTEGER, nodeHashing)?.signature ?? "";
const randomnessOf = (signature: string): string => nodeHashing.sha256(Buffer.from(signature, "hex"));

/** `isLate`: the second shard seals when the round is out already. */
function drawnNight(isLate = false): PublicDrop {
  const night = new Night({ beacon: SANDBOX_CHAIN });
  const { drop } = night;
  for (let number = 0; number < 6; number++) night.join(`person ${number}`, "MOTH", T0 - MINUTE + number);
  const { facts } = drop.state;
  const named = facts === null ? null : beaconRound(facts.plan);
  if (named === null) throw new Error("the plan names a beacon");
  drop.now = T0 + 20;
  night.seal(isLate ? [0] : [0, 1]);
  drop.now = named.at + 300;
  drop.run((state, now, hashing) => decideBeacon(state, { round: named.round, signature: signatureOf(named.round) }, now, hashing));
  night.serve();
  for (const { sitting, ticket } of night.claimAll()) drop.hold(sitting, ticket.wants);
  return night.public(keys);
}

const honest = drawnNight();
const draw = honest.rows.find((row) => row.kind === "draw");
if (draw === undefined) throw new Error("the draw was made");
const used = draw["beacon"] as { chain: string; round: number; signature: string; randomness: string };

describe("the verifier and a beacon", () => {
  test("finds a draw right that waited for its round, and says what that proves", () => {
    const report = verify(honest);
    expect(report).toMatchObject({ verdict: "right", findings: [] });
    expect(report.untold[0]).toMatch(/not drand's/);
  });

  test("finds a draw right that went without a shard which sealed after the round", () => {
    const report = verify(drawnNight(true));
    expect(report).toMatchObject({ verdict: "right", findings: [] });
    expect(report.untold.some((words) => words.startsWith("Shard 1 did not seal in time"))).toBe(true);
  });

  const otherRound = signatureOf(used.round + 1);
  const forgeries: readonly [string, Record<string, unknown>, RegExp][] = [
    ["does without it", { beacon: undefined }, /does without the beacon/],
    ["uses another chain", { beacon: { ...used, chain: QUICKNET.chain } }, /another beacon than the plan names/],
    ["uses another round", { beacon: { ...used, round: used.round + 1, signature: otherRound, randomness: randomnessOf(otherRound) } }, /and the plan's is round/],
    ["uses another round's signature", { beacon: { ...used, signature: otherRound, randomness: randomnessOf(otherRound) } }, /signature its network did not make/],
    ["uses a signature that is none", { beacon: { ...used, signature: "0".repeat(96), randomness: randomnessOf("0".repeat(96)) } }, /signature its network did not make/],
    ["uses other randomness", { beacon: { ...used, randomness: "0".repeat(64) } }, /randomness is not the SHA-256/],
    ["was made before its round", { at: new Date(T0 + 5_000).toISOString() }, /before its round of the beacon could come out/],
    ["calls a shard missing", { missing: [1] }, /names shard 1 as missing/],
  ];
  test.each(forgeries)("finds the draw that %s", (_, change, says) => {
    const rows = rechained(clone(honest.rows).map((row) => (row.kind === "draw" ? JSON.parse(JSON.stringify({ ...row, ...change })) : row)));
    const [first] = verify({ ...honest, rows }).findings;
    expect([first?.seq, first?.words]).toEqual([draw.seq, expect.stringMatching(says)]);
  });

  test("finds a shard that is counted although it sealed once the round was out", () => {
    const roundAt = Date.parse(draw.at) - 300;
    const rows = rechained(honest.rows.map((row) => (row.kind === "seal" && row["shard"] === 1 ? { ...row, at: new Date(roundAt).toISOString() } : row)));
    expect(verify({ ...honest, rows }).findings[0]).toMatchObject({ seq: draw.seq, words: expect.stringMatching(/names no shard as missing, and it was shard 1/) });
  });

  const terms = (change: Partial<Record<keyof BeaconTerms | "round", unknown>>) => verify({ ...honest, rows: rechained(honest.rows.map((row) => (row.kind === "plan" ? { ...row, beacon: { ...(row["beacon"] as object), ...change } } : row))) }).findings[0];

  test("finds a plan that names another round, or says of drand's quicknet what is not true", () => {
    expect(terms({ round: used.round + 1 })).toMatchObject({ seq: 1, words: expect.stringMatching(/the first one that comes out 9 seconds after the opening is/) });
    expect(terms({ chain: QUICKNET.chain })).toMatchObject({ seq: 1, words: expect.stringMatching(/says something else of it than is published/) });
  });
});
