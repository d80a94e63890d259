import { describe, expect, it } from "vitest";
import { isKeptForOthers, type Situation, stepOf, whatCanBeTaken, whatIsLeft } from "../../../../src/storefront/browser/journey.ts";
import type { Live } from "../../../../src/storefront/browser/page-data.ts";
import { type Memory, NOTHING } from "../../../../src/storefront/browser/storage.ts";

const NOW = Date.parse("2026-12-04T18:00:10.000Z");
const at = (offsetMs: number) => new Date(NOW + offsetMs).toISOString();

const OPEN: Live = {
  asOf: at(0), now: at(0), phase: "open", stage: 1, available: 5, low: false, nextStageAt: at(1_800_000), waiting: 3, seed: "ab", quantiles: [],
  thresholds: [{ sku: "TEE", lane: "open", upTo: "05" }],
  items: [{ sku: "TEE", available: 5, soldOut: null }, { sku: "POSTER", available: 0, soldOut: "stage" }],
  head: { seq: 1, hash: "ab".repeat(32) },
};
const JOINED: Memory = {
  ...NOTHING, wants: [{ sku: "TEE", quantity: 2 }], ticketId: "tkt_X",
  ticket: { id: "tkt_X", entry: "ee", ticket: "t", lane: "open", joinedAt: at(-60_000), weight: 1 },
};
const HOLD = { id: "hld_X", state: "held" as const, lines: [{ sku: "TEE", quantity: 2, unitPriceMinor: 1, totalMinor: 2 }], totalMinor: 2, currency: "EUR", expiresAt: at(60_000) };

function step(change: Partial<Situation>): string {
  return stepOf({ memory: JOINED, live: OPEN, rank: "09", isShort: false, isAddressAsked: false, now: NOW, ...change });
}

describe("the step of a shopper", () => {
  it("is choosing without a ticket, joining while one is asked for, waiting until the draw", () => {
    expect(step({ memory: NOTHING })).toBe("choose");
    expect(step({ memory: { ...NOTHING, ticketId: "tkt_X" } })).toBe("joining");
    expect(step({ live: { ...OPEN, phase: "lobby", stage: null, seed: null }, rank: null })).toBe("waiting");
    expect(step({ live: { ...OPEN, phase: "drawing", seed: null }, rank: null })).toBe("drawing");
  });

  it("is in line behind the threshold and called at it", () => {
    expect(step({ rank: "06" })).toBe("line");
    expect(step({ rank: "05" })).toBe("called");
  });

  it("is asked what to do when only some of what is wanted is called, even with a pass: asking for the rest would lose it", () => {
    const live = { ...OPEN, thresholds: [...OPEN.thresholds, { sku: "MUG", lane: "open", upTo: "02" }], items: [...OPEN.items, { sku: "MUG", available: 9, soldOut: null }] };
    const wants = [{ sku: "TEE", quantity: 1 }, { sku: "MUG", quantity: 1 }];
    const memory = { ...JOINED, wants, pass: { token: "t", expiresAt: at(60_000) } };
    expect(step({ memory, live, rank: "05" })).toBe("short");
    expect(whatCanBeTaken(live, "05", memory)).toEqual([{ sku: "TEE", quantity: 1 }]);
    expect(step({ memory, live, rank: "02" })).toBe("called");
    expect(step({ memory, live, rank: "06" })).toBe("line");
    expect(step({ memory: { ...memory, wants: [{ sku: "MUG", quantity: 1 }] }, live, rank: "05" })).toBe("line");
    expect(whatCanBeTaken(live, null, memory)).toEqual([]);
  });

  it("keeps the place and names the stage when what is wanted is taken", () => {
    const memory = { ...JOINED, wants: [{ sku: "POSTER", quantity: 1 }] };
    expect(step({ memory })).toBe("stage-out");
    expect(step({ memory, live: { ...OPEN, phase: "sold-out", items: OPEN.items.map((item) => ({ ...item, soldOut: "stage" as const })) } })).toBe("stage-out");
    expect(step({ memory, live: { ...OPEN, phase: "sold-out", items: OPEN.items.map((item) => ({ ...item, soldOut: "final" as const })) } })).toBe("gone");
  });

  it("is holding until the millisecond in which the hold ends, whatever was stored about it", () => {
    const memory = { ...JOINED, hold: HOLD };
    expect(step({ memory, rank: "05", now: NOW + 59_999 })).toBe("held");
    expect(step({ memory, rank: "05", now: NOW + 60_000 })).toBe("rested");
  });

  it("never takes a second turn by itself after a hold ended or was given up", () => {
    expect(step({ memory: { ...JOINED, rest: { title: "", detail: "" } }, rank: "05" })).toBe("rested");
    expect(step({ memory: { ...JOINED, hold: { ...HOLD, state: "abandoned" } }, rank: "05" })).toBe("rested");
  });

  it("resumes a hold and an order from storage alone, before anything was heard of the store", () => {
    expect(step({ memory: { ...JOINED, hold: HOLD }, live: null, rank: null })).toBe("held");
    expect(step({ memory: { ...JOINED, hold: HOLD, order: { id: "ord_X", body: {}, handover: "", answer: null } }, live: null, rank: null })).toBe("ordered");
  });

  it("keeps a hold through a pause, and shows everyone else that the drop is paused", () => {
    expect(step({ memory: { ...JOINED, hold: HOLD }, live: { ...OPEN, phase: "paused" } })).toBe("held");
    expect(step({ live: { ...OPEN, phase: "paused" } })).toBe("paused");
  });

  it("ends with the drop", () => {
    expect(step({ live: { ...OPEN, phase: "closed" } })).toBe("closed");
    expect(step({ live: { ...OPEN, phase: "cancelled" } })).toBe("cancelled");
  });
});

describe("what is left", () => {
  it("offers no more than is free and nothing that is gone", () => {
    expect(whatIsLeft({ ...OPEN, items: [{ sku: "TEE", available: 1, soldOut: null }, { sku: "POSTER", available: 0, soldOut: "stage" }] }, "open", [{ sku: "TEE", quantity: 2 }, { sku: "POSTER", quantity: 1 }])).toEqual([{ sku: "TEE", quantity: 1 }]);
  });

  it("offers nothing that is kept for a lane in which the shopper does not stand, and says why", () => {
    const live = { ...OPEN, items: [{ sku: "TEE", available: 3, soldOut: null, byLane: [{ lane: "open", available: 0 }, { lane: "local", available: 3 }] }] };
    const wants = [{ sku: "TEE", quantity: 2 }];
    expect([whatIsLeft(live, "open", wants), whatIsLeft(live, "local", wants)]).toEqual([[], wants]);
    const inLane = (lane: string) => isKeptForOthers(live, { ...JOINED, wants, ticket: JOINED.ticket === null ? null : { ...JOINED.ticket, lane } });
    expect([inLane("open"), inLane("local")]).toEqual([true, false]);
  });
});
