import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dropSnapshot } from "../../../src/drop/live.ts";
import { decideConfirm as confirm } from "../../../src/drop/payments.ts";
import { planFromSource } from "../../../src/drop/plan-from-source.ts";
import { nextStageAt, releasedUnits, stageAt, stageUnits } from "../../../src/drop/release.ts";
import { Defect } from "../../../src/kernel/result.ts";
import { MINUTE, source, T0, TestDrop } from "./cast.ts";

describe("the split of a quantity over stages", () => {
  test.each([[1, [1, 0, 0]], [2, [1, 1, 0]], [3, [1, 1, 1]], [7, [3, 3, 1]], [100, [40, 40, 20]], [101, [41, 40, 20]], [0, [0, 0, 0]]])("%i by 40/40/20 is %j", (quantity, parts) => {
    expect(stageUnits(quantity, [40, 40, 20])).toEqual(parts);
  });

  test("40/40/20 of every quantity up to 100,000 sums to it, and no part is more than one unit from its exact share", () => {
    const shares = [40, 40, 20];
    let wrong = 0;
    for (let quantity = 0; quantity <= 100_000; quantity++) {
      const parts = stageUnits(quantity, shares);
      const sum = parts.reduce((total, part) => total + part, 0);
      const isNear = parts.every((part, index) => part >= 0 && Math.abs(part * 100 - quantity * (shares[index] ?? 0)) < 100);
      if (sum !== quantity || !isNear) wrong += 1;
    }
    expect(wrong).toBe(0);
  });

  test("any list of stages: parts are whole, never negative, within a unit of their share, and sum to the quantity", () => {
    const stageList = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 12 }).map((weights) => {
      const sum = weights.reduce((total, weight) => total + weight, 0);
      return weights.map((weight) => (weight * 100) / sum);
    });
    fc.assert(fc.property(fc.integer({ min: 0, max: 100_000 }), stageList, (quantity, shares) => {
      const parts = stageUnits(quantity, shares);
      expect(parts.reduce((total, part) => total + part, 0)).toBe(quantity);
      for (const [index, part] of parts.entries()) {
        expect(Number.isSafeInteger(part) && part >= 0).toBe(true);
        expect(Math.abs(part - (quantity * (shares[index] ?? 0)) / 100)).toBeLessThan(1.01);
      }
    }), { numRuns: 2_000 });
  });
});

describe("the plan", () => {
  test("relative moments are counted once, from when the drop is first seen", () => {
    const relative = { announceAt: { afterFirstSeenMs: 0 }, lobbyOpensAt: { afterFirstSeenMs: 0 }, opensAt: { afterFirstSeenMs: 20_000 }, closesAt: { afterFirstSeenMs: 300 * MINUTE } };
    const plan = planFromSource(source(relative), "c0", 1_000);
    expect(plan.opensAt).toBe(21_000);
    expect(plan.stock[0]?.stages.map((stage) => stage.opensAt)).toEqual([21_000, 21_000 + 30 * MINUTE, 21_000 + 120 * MINUTE]);
    expect(plan.closesAt).toBe(1_000 + 300 * MINUTE);
  });

  test("a stage that would open after the close is a defect, not a plan", () => {
    expect(() => planFromSource(source({ closesAt: { at: T0 + 120 * MINUTE } }), "c0", 0)).toThrow(Defect);
  });

  test("an item whose component is not counted anywhere is a defect, not a plan", () => {
    const items = [{ sku: "GHOST", title: "Ghost", priceMinor: 1, components: [{ sku: "NOBODY", quantity: 1 }] }];
    expect(() => planFromSource(source({ items }), "c0", 0)).toThrow(Defect);
  });

  test("a stage is open from its own millisecond on and not one earlier", () => {
    const plan = planFromSource(source({ stock: [{ sku: "MOTH", quantity: 100 }] }), "c0", 0);
    const stock = plan.stock[0];
    if (stock === undefined) throw new Error("the plan has a stock unit");
    expect([T0 - 1, T0, T0 + 30 * MINUTE - 1, T0 + 30 * MINUTE, T0 + 120 * MINUTE].map((now) => releasedUnits(stock, now))).toEqual([0, 40, 40, 80, 100]);
    expect([T0 - 1, T0, T0 + 120 * MINUTE].map((now) => stageAt(plan, now))).toEqual([null, 1, 3]);
    expect([T0 - 1, T0, T0 + 120 * MINUTE].map((now) => nextStageAt(plan, now))).toEqual([T0, T0 + 30 * MINUTE, null]);
  });
});

describe("the live state", () => {
  const phaseAt = (drop: TestDrop, now: number) => {
    drop.readAt(now);
    return dropSnapshot(drop.state, drop.book.timeOf(now))?.live;
  };

  test("the phases follow the clock and the draw", () => {
    const drop = new TestDrop();
    expect(phaseAt(drop, T0 - 31 * MINUTE)?.phase).toBe("announced");
    expect(phaseAt(drop, T0 - 30 * MINUTE)?.phase).toBe("lobby");
    expect(phaseAt(drop, T0)?.phase).toBe("drawing");
    drop.open(T0 + 10);
    expect(phaseAt(drop, T0 + 20)).toMatchObject({ phase: "open", stage: 1, available: 4, nextStageAt: T0 + 30 * MINUTE });
    expect(phaseAt(drop, T0 + 240 * MINUTE)).toMatchObject({ phase: "closed", available: 0, nextStageAt: null });
  });

  test("sold out is 'stage' while a release or a hold can bring a unit back, and 'final' when nothing can", () => {
    const drop = new TestDrop({ stock: [{ sku: "MOTH", quantity: 2 }], stages: [{ sharePercent: 50, afterMs: 0 }, { sharePercent: 50, afterMs: MINUTE }] }).open();
    const soldOut = () => dropSnapshot(drop.state, drop.now)?.live.items[0]?.soldOut;
    const first = drop.ordered("ana");
    expect(soldOut()).toBe("stage");
    drop.run((state, now, hashing) => confirm(state, first.id, "pay_1", now, hashing));
    expect(soldOut()).toBe("stage");
    drop.now = T0 + MINUTE;
    const second = drop.ordered("ben");
    expect(soldOut()).toBe("stage");
    expect(dropSnapshot(drop.state, drop.now)?.live.phase).toBe("sold-out");
    drop.run((state, now, hashing) => confirm(state, second.id, "pay_2", now, hashing));
    expect(soldOut()).toBe("final");
  });

  test("low is said from the plan's number down to one, and not at none", () => {
    const drop = new TestDrop({ stock: [{ sku: "MOTH", quantity: 3 }], stages: [{ sharePercent: 100, afterMs: 0 }], low: 2 }).open();
    const live = () => dropSnapshot(drop.state, drop.now)?.live;
    const seen = [live()?.low];
    for (const name of ["ana", "ben", "cy"]) {
      drop.ordered(name);
      seen.push(live()?.low);
    }
    expect(seen).toEqual([false, true, true, false]);
  });
});
