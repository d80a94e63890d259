import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeHashing } from "../../../../src/kernel/node-hashing.ts";
import { rankOf as serverRankOf } from "../../../../src/lobby/draw.ts";
import { isTicketServed, thresholdLookup } from "../../../../src/lobby/line.ts";
import { claimOutlook } from "../../../../src/storefront/api/claim-outlook.ts";
import type { Live } from "../../../../src/storefront/browser/page-data.ts";
import { isCalled, neverGrowing, positionOf, rankOf, type Position } from "../../../../src/storefront/browser/rank.ts";
import { liveAt, PLAN_HASH, testId } from "../../../support/storefront-doubles.ts";

const OPENS_AT = Date.parse("2026-12-04T18:00:00.000Z");
const hex64 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex"));

function liveWith(change: Partial<Live>): Live {
  return {
    asOf: "2026-12-04T18:00:05.000Z", now: "2026-12-04T18:00:05.000Z", phase: "open", stage: 1, available: 10, low: false, nextStageAt: null, waiting: 0,
    seed: "00", quantiles: [], thresholds: [], items: [], head: { seq: 1, hash: "ab".repeat(32) }, ...change,
  };
}

describe("a shopper's own rank", () => {
  it("is the same in the browser as on the server, for every entry, weight and arrival", async () => {
    await fc.assert(
      fc.asyncProperty(hex64, hex64, fc.integer({ min: 1, max: 5 }), fc.integer({ min: -600_000, max: 600_000 }), async (seed, entry, weight, offsetMs) => {
        const ticket = { entry, lane: "open", weight, joinedAt: OPENS_AT + offsetMs };
        expect(await rankOf(ticket, OPENS_AT, seed, crypto.subtle)).toBe(serverRankOf(ticket, OPENS_AT, seed, nodeHashing));
      }),
      { numRuns: 200 },
    );
  });

  it("is drawn one millisecond before the opening and by arrival at it", async () => {
    const seed = "ab".repeat(32);
    const rankAt = (joinedAt: number) => rankOf({ entry: "cd".repeat(32), lane: "open", weight: 1, joinedAt }, OPENS_AT, seed, crypto.subtle);
    expect((await rankAt(OPENS_AT - 1)).startsWith("0")).toBe(true);
    expect((await rankAt(OPENS_AT)).startsWith(`1${OPENS_AT.toString(16).padStart(12, "0")}`)).toBe(true);
  });
});

describe("the shown position", () => {
  const wants = [{ sku: "TEE", quantity: 1 }];

  it("counts exactly those ahead while the line is short, and not those already served", () => {
    const ranks = ["01", "02", "03", "04", "05"];
    const quantiles = [{ lane: "open", count: 5, ranks }];
    expect(positionOf(liveWith({ quantiles }), "04", "open", wants)).toEqual({ from: 4, to: 4 });
    const thresholds = [{ sku: "TEE", lane: "open", upTo: "02" }, { sku: "POSTER", lane: "open", upTo: "03" }];
    expect(positionOf(liveWith({ quantiles, thresholds }), "04", "open", wants)).toEqual({ from: 2, to: 2 });
  });

  it("is a range that holds the true place when the line is longer than its quantiles", () => {
    const all = Array.from({ length: 12_800 }, (_, index) => index.toString(16).padStart(8, "0"));
    const ranks = all.filter((_, index) => index % 100 === 99);
    const live = liveWith({ quantiles: [{ lane: "open", count: all.length, ranks }] });
    for (const index of [0, 1, 99, 100, 6_400, 12_798, 12_799]) {
      const place = positionOf(live, all[index] ?? "", "open", wants);
      expect(place === null ? 0 : place.from).toBeLessThanOrEqual(index + 1);
      expect(place === null ? 0 : place.to).toBeGreaterThanOrEqual(index + 1);
      expect((place?.to ?? 0) - (place?.from ?? 0)).toBeLessThanOrEqual(200);
    }
  });

  it("never grows, whatever the quantiles say next", () => {
    const position = fc.tuple(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 500 })).map(([from, width]): Position => ({ from, to: from + width }));
    fc.assert(fc.property(fc.array(fc.option(position), { minLength: 1, maxLength: 20 }), (told) => {
      let shown: Position | null = null;
      for (const next of told) {
        const before: Position | null = shown;
        shown = neverGrowing(shown, next);
        if (before !== null && shown !== null) {
          expect(shown.from).toBeLessThanOrEqual(before.from);
          expect(shown.to).toBeLessThanOrEqual(before.to);
        }
        if (shown !== null) expect(shown.from).toBeLessThanOrEqual(shown.to);
      }
    }));
  });

  it("calls a ticket by its own lane and its own items only", () => {
    const thresholds = [{ sku: "TEE", lane: "member", upTo: "~" }, { sku: "POSTER", lane: "open", upTo: "~" }, { sku: "TEE", lane: "open", upTo: "03" }];
    expect(isCalled(liveWith({ thresholds }), "04", "open", wants)).toBe(false);
    expect(isCalled(liveWith({ thresholds }), "03", "open", wants)).toBe(true);
    expect(isCalled(liveWith({ thresholds }), "04", "open", [{ sku: "POSTER", quantity: 1 }])).toBe(true);
  });
});

describe("whether a ticket is called", () => {
  const lane = fc.constantFrom("open", "local", "member");
  const sku = fc.constantFrom("TEE", "POSTER", "MUG");
  const wants = fc.uniqueArray(sku, { minLength: 1 }).map((skus) => skus.map((name) => ({ sku: name, quantity: 1 })));
  const upTo = fc.oneof(fc.constant(null), fc.constant("~"), fc.integer({ min: 0, max: 255 }).map((byte) => `0${byte.toString(16).padStart(2, "0")}`));
  const thresholds = fc.uniqueArray(fc.record({ sku, lane, upTo }), { selector: ({ sku: name, lane: of }) => `${name}/${of}` });

  it("is one rule for the lobby, the storefront's door and the browser: the thresholds of its own lane for what it wants", () => {
    fc.assert(
      fc.property(hex64, lane, wants, thresholds, (entry, of, wanted, moved) => {
        const seed = "ab".repeat(32);
        const ticket = { ticket: testId("tkt", "A"), drop: "moth-tee", entry, lane: of, weight: 1, joinedAt: OPENS_AT - 1, wants: wanted, keyThumbprint: "", person: null, planHash: PLAN_HASH, commitment: "" };
        const rank = serverRankOf(ticket, OPENS_AT, seed, nodeHashing);
        const expected = isTicketServed({ rank, lane: of, wants: wanted }, thresholdLookup(moved));
        expect(isCalled(liveWith({ thresholds: moved }), rank, of, wanted)).toBe(expected);
        expect(claimOutlook(ticket, liveAt(OPENS_AT + 1_000, { seed, thresholds: moved }), nodeHashing)).toEqual({ ok: true, value: expected ? "ask" : "wait" });
      }),
      { numRuns: 500 },
    );
  });

  it("does not come from the open lane's threshold for a ticket of another lane", () => {
    const live = liveWith({ thresholds: [{ sku: "TEE", lane: "open", upTo: "~" }, { sku: "TEE", lane: "local", upTo: null }] });
    expect(isCalled(live, "05", "local", [{ sku: "TEE", quantity: 1 }])).toBe(false);
    expect(isTicketServed({ rank: "05", lane: "local", wants: [{ sku: "TEE", quantity: 1 }] }, thresholdLookup(live.thresholds))).toBe(false);
  });
});
