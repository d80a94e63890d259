import { describe, expect, test } from "vitest";
import type { LaneShare } from "../../../src/drop/plan.ts";
import { distanceKm, laneFor, type LaneEvidenceShown } from "../../../src/gate/lane.ts";

const BERLIN = { lat: 52.52, lon: 13.405 };
const POTSDAM = { lat: 52.3906, lon: 13.0645 };
const HAMBURG = { lat: 53.5511, lon: 9.9937 };

const local: LaneShare = { lane: "local", sharePercent: 20, untilMs: 600_000, weight: 1, evidence: { kind: "presence", region: "berlin", near: BERLIN, withinKm: 40 } };
const kiosk: LaneShare = { lane: "kiosk", sharePercent: 5, untilMs: 600_000, weight: 1, evidence: { kind: "presence", region: "berlin", near: BERLIN, withinKm: null } };
const member: LaneShare = { lane: "member", sharePercent: 10, untilMs: 600_000, weight: 1, evidence: { kind: "invite" } };
const shown = (changes: Partial<LaneEvidenceShown> = {}): LaneEvidenceShown => ({ near: null, presence: null, invite: null, ...changes });
const laneBy = (lanes: readonly LaneShare[], evidence: Partial<LaneEvidenceShown>) => {
  const { lane, by } = laneFor(lanes, shown(evidence));
  return [lane, by];
};

describe("the lane of a ticket", () => {
  test("is the open one without evidence, and where the drop has no lanes", () => {
    expect(laneFor([local, kiosk, member], shown())).toEqual({ lane: "open", weight: 1, by: null });
    expect(laneFor([], shown({ near: BERLIN, presence: { region: "berlin" }, invite: { lane: "member" } }))).toEqual({ lane: "open", weight: 1, by: null });
  });

  test("is local as far as the distance of the plan and not a step further", () => {
    expect(laneBy([local], { near: POTSDAM })).toEqual(["local", "location"]);
    expect(laneBy([local], { near: HAMBURG })).toEqual(["open", null]);
    const northOf = (km: number) => ({ lat: BERLIN.lat + km / (Math.PI * 6_371 / 180), lon: BERLIN.lon });
    expect(laneBy([local], { near: northOf(39.999) })).toEqual(["local", "location"]);
    expect(laneBy([local], { near: northOf(40.001) })).toEqual(["open", null]);
  });

  test("is local with the code of its own pop-up, wherever the platform believes the phone to be", () => {
    expect(laneBy([local], { presence: { region: "berlin" }, near: HAMBURG })).toEqual(["local", "presence"]);
    expect(laneBy([local], { presence: { region: "hamburg" } })).toEqual(["open", null]);
  });

  test("needs the code where the plan names no distance", () => {
    expect(laneBy([kiosk], { near: BERLIN })).toEqual(["open", null]);
    expect(laneBy([kiosk], { presence: { region: "berlin" } })).toEqual(["kiosk", "presence"]);
  });

  test("is a member's with an invitation to that very lane", () => {
    expect(laneBy([member], { invite: { lane: "member" } })).toEqual(["member", "invite"]);
    expect(laneBy([member], { invite: { lane: "local" } })).toEqual(["open", null]);
    expect(laneBy([local], { invite: { lane: "local" } })).toEqual(["open", null]);
  });

  test("is the best of those that fit: chances in the draw, then the share, then the time, then the order of the plan", () => {
    const everything = { near: BERLIN, presence: { region: "berlin" }, invite: { lane: "member" } };
    for (const lanes of [[local, kiosk, member], [member, kiosk, local]]) {
      expect(laneBy(lanes, everything)).toEqual(["local", "location"]);
      expect(laneFor(lanes.map((share) => (share === member ? { ...member, weight: 3 } : share)), shown(everything))).toEqual({ lane: "member", weight: 3, by: "invite" });
    }
    const equal = { ...member, sharePercent: 20 };
    expect(laneBy([local, equal], everything)).toEqual(["local", "location"]);
    expect(laneBy([equal, local], everything)).toEqual(["member", "invite"]);
    expect(laneBy([local, { ...equal, untilMs: 600_001 }], everything)).toEqual(["member", "invite"]);
  });
});

test("distances are along the globe: known cities, across the date line, and from pole to pole", () => {
  expect(distanceKm(BERLIN, HAMBURG)).toBeCloseTo(255, -1);
  expect(distanceKm(BERLIN, BERLIN)).toBe(0);
  expect(distanceKm({ lat: 0, lon: 179.9 }, { lat: 0, lon: -179.9 })).toBeCloseTo(22.2, 0);
  expect(distanceKm({ lat: 90, lon: 0 }, { lat: -90, lon: 77 })).toBeCloseTo(Math.PI * 6_371, 3);
});
