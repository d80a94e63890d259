import { describe, expect, it } from "vitest";
import type { Plan } from "../../../src/drop/plan.ts";
import { ShardReports } from "../../../src/lobby/reports.ts";
import { liveFingerprint, liveToWire } from "../../../src/lobby/live-wire.ts";
import { dropAnswerLifetime, nextBoundary, nextSealAt, nextWaking, type Rhythm, shardAnswerLifetime } from "../../../src/lobby/rhythm.ts";
import { quantilesOf } from "../../../src/lobby/quantiles.ts";
import { lobbyLiveAt, OPENS_AT, plan, snapshotAt, STAGE_TWO_AT } from "./plan-double.ts";

describe("how long an answer is shown", () => {
  it("is a second in a quiet hour, and two when nothing newer can be had", () => {
    expect(dropAnswerLifetime(snapshotAt(OPENS_AT + 60_000))).toEqual({ freshMs: 1_000, graceMs: 2_000 });
  });

  it("is never past the opening, the next stage or the close", () => {
    for (const boundary of [plan.lobbyOpensAt, OPENS_AT, STAGE_TWO_AT, plan.closesAt]) {
      expect(dropAnswerLifetime(snapshotAt(boundary - 300))).toEqual({ freshMs: 300, graceMs: 300 });
      expect(dropAnswerLifetime(snapshotAt(boundary)).freshMs).toBe(1_000);
    }
  });

  it("ends when somebody's turn does, so that the place goes to the next one at once, and never asks more than twice a second", () => {
    const turnEnding = (inMs: number) => ({ ...snapshotAt(OPENS_AT + 60_000), nextTurnAt: OPENS_AT + 60_000 + inMs });
    expect(dropAnswerLifetime(turnEnding(700)).freshMs).toBe(700);
    expect(dropAnswerLifetime(turnEnding(5)).freshMs).toBe(600);
    expect(dropAnswerLifetime(turnEnding(9_000)).freshMs).toBe(1_000);
  });

  it("counts the time that shard 0 had it already", () => {
    expect(shardAnswerLifetime(snapshotAt(OPENS_AT + 60_000), OPENS_AT + 60_700)).toEqual({ freshMs: 300, graceMs: 1_300 });
  });

  it("never makes another shard ask in a storm when its clock is far ahead", () => {
    expect(shardAnswerLifetime(snapshotAt(OPENS_AT + 60_000), OPENS_AT + 90_000).freshMs).toBeGreaterThanOrEqual(20);
  });

  it("ends where a lane's time is over: what it left is everyone's from that millisecond on", () => {
    const lanes: Plan["lanes"] = [{ lane: "local", sharePercent: 20, untilMs: 600_000, weight: 1, evidence: { kind: "invite" } }];
    const withLanes = (asOf: number) => ({ ...snapshotAt(asOf), plan: { ...plan, lanes } });
    for (const lapse of [OPENS_AT + 600_000, STAGE_TWO_AT + 600_000]) {
      expect(nextBoundary({ ...plan, lanes }, lapse - 1)).toBe(lapse);
      expect(dropAnswerLifetime(withLanes(lapse - 300))).toEqual({ freshMs: 300, graceMs: 300 });
      expect(nextWaking({ plan: { ...plan, lanes }, phase: "open", isOver: false, hasSeed: true, tickets: 10, unmet: 4, sockets: 0, sealDueAt: null, turnAt: Number.POSITIVE_INFINITY }, lapse - 300).alarmAt).toBe(lapse);
    }
  });

  it("has no boundary after the close", () => {
    expect(nextBoundary(plan, plan.closesAt)).toBe(Number.POSITIVE_INFINITY);
    expect(nextBoundary(plan, OPENS_AT)).toBe(STAGE_TWO_AT);
  });
});

describe("when a shard wakes up by itself", () => {
  const state: Rhythm = { plan, phase: "open", isOver: false, hasSeed: true, tickets: 10, unmet: 4, sockets: 0, sealDueAt: null, turnAt: Number.POSITIVE_INFINITY };

  it("is only at the opening while the lobby fills, and every second for whoever listens", () => {
    const filling = { ...state, phase: "lobby" as const, hasSeed: false };
    expect(nextWaking(filling, OPENS_AT - 60_000)).toEqual({ timerAt: null, alarmAt: OPENS_AT });
    expect(nextWaking({ ...filling, sockets: 3 }, OPENS_AT - 60_000)).toEqual({ timerAt: OPENS_AT - 59_000, alarmAt: OPENS_AT });
    expect(nextWaking({ ...filling, sockets: 3 }, OPENS_AT - 400)).toEqual({ timerAt: OPENS_AT, alarmAt: OPENS_AT });
  });

  it("is when somebody's turn ends, which a slower rhythm would sleep through", () => {
    const now = OPENS_AT + 60_000;
    expect(nextWaking({ ...state, phase: "sold-out", turnAt: now + 300 }, now).alarmAt).toBe(now + 300);
    expect(nextWaking({ ...state, phase: "sold-out", turnAt: now - 1 }, now).alarmAt).toBe(now + 5_000);
  });

  it("is not before the lobby opens, even with listeners", () => {
    expect(nextWaking({ ...state, sockets: 3 }, plan.lobbyOpensAt - 3_600_000)).toEqual({ timerAt: null, alarmAt: plan.lobbyOpensAt });
  });

  it("is every second while somebody waits, less often while nothing is free, and never late for the next stage", () => {
    expect(nextWaking(state, OPENS_AT + 5_000)).toEqual({ timerAt: null, alarmAt: OPENS_AT + 6_000 });
    expect(nextWaking({ ...state, phase: "sold-out" }, OPENS_AT + 5_000)).toEqual({ timerAt: null, alarmAt: OPENS_AT + 10_000 });
    expect(nextWaking({ ...state, phase: "sold-out" }, STAGE_TWO_AT - 200)).toEqual({ timerAt: null, alarmAt: STAGE_TWO_AT });
  });

  it("is when a seal is due, and until the draw is seen by whoever has tickets in it", () => {
    expect(nextWaking({ ...state, unmet: 0, sealDueAt: OPENS_AT + 7_000 }, OPENS_AT + 6_500).alarmAt).toBe(OPENS_AT + 7_000);
    expect(nextWaking({ ...state, unmet: 0, hasSeed: false }, OPENS_AT + 6_500).alarmAt).toBe(OPENS_AT + 7_500);
  });

  it("is never again once everybody is served, nobody is there or the drop is over", () => {
    expect(nextWaking({ ...state, unmet: 0 }, OPENS_AT + 5_000)).toEqual({ timerAt: null, alarmAt: null });
    expect(nextWaking({ ...state, unmet: 0, tickets: 0, hasSeed: false }, OPENS_AT + 5_000)).toEqual({ timerAt: null, alarmAt: null });
    expect(nextWaking({ ...state, isOver: true, sockets: 2 }, OPENS_AT + 5_000)).toEqual({ timerAt: null, alarmAt: null });
    expect(nextWaking({ ...state, plan: null }, OPENS_AT + 5_000)).toEqual({ timerAt: null, alarmAt: null });
  });
});

describe("when the next seal is due", () => {
  const seal = { batch: 0, end: 2, count: 2, root: "00", acknowledged: true };
  const ticket = { ticket: "t", entry: "e", lane: "open", weight: 1, joinedAt: 0, wants: [], keyThumbprint: "k", person: null, index: 0, rank: null, shownPosition: null };
  const times = { opensAt: 10_000, lateSealAt: 0, retryAt: 0 };

  it("is at the opening, then once a second while late tickets come, and null while all are in the record", () => {
    expect(nextSealAt({ seals: [], sealedCount: 0, tickets: [] }, times, 9_000)).toBe(10_000);
    expect(nextSealAt({ seals: [seal], sealedCount: 2, tickets: [ticket, ticket] }, times, 11_000)).toBeNull();
    expect(nextSealAt({ seals: [seal], sealedCount: 2, tickets: [ticket, ticket, ticket] }, { ...times, lateSealAt: 10_500 }, 11_000)).toBe(11_500);
  });

  it("is when an unanswered seal may be sent again, and now when the clock has fallen back", () => {
    const waiting = { seals: [{ ...seal, acknowledged: false }], sealedCount: 2, tickets: [ticket, ticket] };
    expect(nextSealAt(waiting, { ...times, retryAt: 12_000 }, 11_500)).toBe(12_000);
    expect(nextSealAt(waiting, { ...times, retryAt: 90_000 }, 11_500)).toBe(11_500);
  });
});

describe("what shard 0 knows of the others", () => {
  const own = { waiting: 2, quantiles: [quantilesOf("open", ["0a", "0c"])] };
  const report = { shard: 1, waiting: 1, quantiles: [quantilesOf("open", ["0b"])], pages: [{ shard: 1, sku: "MOTH-S", lane: "open", after: null, waiting: [], completeTo: "1" }] };

  it("adds up to one line, the newest report of each shard counting once", () => {
    const reports = new ShardReports();
    reports.accept({ ...report, waiting: 7 }, 0);
    reports.accept(report, 1_000);
    expect(reports.mergedWith(own, 2_000)).toEqual({ waiting: 3, quantiles: [{ lane: "open", count: 3, ranks: ["0a", "0b", "0c"] }] });
    expect(reports.pages(2_000)).toEqual(report.pages);
  });

  it("names those that must be woken: the ones never heard of, and the ones silent for half a second", () => {
    const reports = new ShardReports();
    reports.accept(report, 5_000);
    expect(reports.silent(4, 5_499)).toEqual([2, 3]);
    expect(reports.silent(4, 5_500)).toEqual([1, 2, 3]);
    expect(reports.silent(1, 6_000)).toEqual([]);
  });

  it("no longer counts a shard that was not heard of for ten seconds", () => {
    const reports = new ShardReports();
    reports.accept(report, 0);
    expect(reports.mergedWith(own, 9_999).waiting).toBe(3);
    expect(reports.mergedWith(own, 10_000).waiting).toBe(2);
    expect(reports.pages(10_000)).toEqual([]);
  });
});

describe("the live object on the wire", () => {
  const live = lobbyLiveAt(OPENS_AT, { seed: "5".repeat(64), thresholds: [{ sku: "MOTH-S", lane: "open", upTo: "0abc" }] }, { waiting: 3, quantiles: [quantilesOf("open", ["0a", "0b", "0c"])] });

  it("has the members of the contract, and nothing of the plan or of what the drop asks the lobby", () => {
    expect(liveToWire(live, OPENS_AT + 250)).toEqual({
      asOf: "2026-12-04T18:00:00.000Z",
      now: "2026-12-04T18:00:00.250Z",
      phase: "open",
      stage: 1,
      available: 32,
      low: false,
      nextStageAt: "2026-12-04T18:30:00.000Z",
      waiting: 3,
      seed: "5".repeat(64),
      quantiles: [{ lane: "open", count: 3, ranks: ["0a", "0b", "0c"] }],
      thresholds: [{ sku: "MOTH-S", lane: "open", upTo: "0abc" }],
      items: [{ sku: "MOTH-S", available: 32, soldOut: null }],
      head: { seq: 1, hash: "ab".repeat(32) },
    });
  });

  it("has not changed when only time has passed", () => {
    expect(liveFingerprint({ ...live, live: { ...live.live, asOf: OPENS_AT + 5_000 } })).toBe(liveFingerprint(live));
    expect(liveFingerprint({ ...live, waiting: 2 })).not.toBe(liveFingerprint(live));
  });
});
