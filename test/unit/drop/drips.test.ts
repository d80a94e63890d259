import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideControl } from "../../../src/drop/controls.ts";
import { dropSnapshot } from "../../../src/drop/live.ts";
import { planFromSource } from "../../../src/drop/plan-from-source.ts";
import { decidePlanChange } from "../../../src/drop/plan-change.ts";
import type { Plan, PlanSource, SourceStage } from "../../../src/drop/plan.ts";
import type { PlanChangeAnswer } from "../../../src/drop/port.ts";
import { nextStageAt, releasedUnits, stageAt } from "../../../src/drop/release.ts";
import { stepsOf, writtenNumber, writtenStages } from "../../../src/drop/written-stages.ts";
import { instantToWire } from "../../../src/kernel/time.ts";
import { MINUTE, source, T0, TestDrop } from "./cast.ts";

/** 20 units at the opening, 16 from the half hour on, five a minute, and four at the end: 5, 5, 5, 1. */
const DRIP: SourceStage = { sharePercent: 40, afterMs: 30 * MINUTE, drip: { everyMs: MINUTE, units: 5 } };
const STAGES: readonly SourceStage[] = [{ sharePercent: 50, afterMs: 0 }, DRIP, { sharePercent: 10, afterMs: 120 * MINUTE }];
const STOCK = [{ sku: "MOTH", quantity: 40 }, { sku: "PIN", quantity: 7 }];
const DRIPPING = { stages: STAGES, stock: STOCK } satisfies Partial<PlanSource>;

const at = instantToWire;
const planOf = (drop: TestDrop): Plan => {
  const plan = drop.state.facts?.plan;
  if (plan === undefined) throw new Error("the drop has no plan");
  return plan;
};
const unitsOf = (drop: TestDrop, sku = "MOTH") => planOf(drop).stock.find((unit) => unit.sku === sku)?.stages.map(({ units }) => units);
const openingsOf = (drop: TestDrop) => planOf(drop).stock[0]?.stages.map(({ opensAt }) => (opensAt - T0) / MINUTE);

function change(drop: TestDrop, config: Partial<PlanSource>, publish = true): PlanChangeAnswer {
  return drop.run((state, now) => decidePlanChange(state, { source: source({ ...DRIPPING, ...config }), publish, actor: "desk" }, now));
}
const reasonsOf = ({ changes }: PlanChangeAnswer) => changes.map(({ field, refusal }) => [field, refusal]);
const withDrip = (changes: Partial<SourceStage>) => ({ stages: STAGES.with(1, { ...DRIP, ...changes }) });

describe("a drip", () => {
  test("is planned as its steps: so many units of every sku at a time, the rest with the last, and a sku with less ends earlier", () => {
    const plan = planFromSource(source(DRIPPING), "0".repeat(64), T0);
    expect(plan.stock.map(({ stages }) => stages.map(({ units }) => units))).toEqual([[20, 5, 5, 5, 1, 4], [3, 3, 0, 0, 0, 1]]);
    expect(plan.stock[1]?.stages.map(({ opensAt }) => (opensAt - T0) / MINUTE)).toEqual([0, 30, 31, 32, 33, 120]);
    expect(plan.drips).toEqual([{ stage: 2, steps: 4 }]);
    expect(writtenStages(plan)).toEqual([{ number: 1, stage: 1, steps: 1 }, { number: 2, stage: 2, steps: 4 }, { number: 3, stage: 6, steps: 1 }]);
    expect([1, 2, 3, 4, 5, 6].map((stage) => writtenNumber(plan, stage))).toEqual([1, 2, 2, 2, 2, 3]);
  });

  test("comes out by the clock, step after step, whether or not anything ran, and every reader of the plan sees it as stages", () => {
    const drop = new TestDrop(DRIPPING).open();
    const released = (minutes: number) => releasedUnits(planOf(drop).stock[0] ?? { sku: "", quantity: 0, stages: [] }, T0 + minutes * MINUTE);
    expect([0, 29.999, 30, 30.999, 31, 32, 33, 119, 120].map(released)).toEqual([20, 20, 25, 25, 30, 35, 36, 36, 40]);
    drop.readAt(T0 + 31.5 * MINUTE);
    expect(dropSnapshot(drop.state, drop.now)?.live).toMatchObject({ stage: 3, available: 36, nextStageAt: T0 + 32 * MINUTE });
    expect([stageAt(planOf(drop), drop.now), nextStageAt(planOf(drop), T0 + 33 * MINUTE)]).toEqual([3, T0 + 120 * MINUTE]);
    expect(drop.record[0]).toMatchObject({ kind: "plan", drips: [{ stage: 2, steps: 4 }] });
  });

  test("of whatever share, size and step brings every unit of every sku once, and never more of one at a time than it says", () => {
    fc.assert(fc.property(
      fc.array(fc.nat(2_000), { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 98 }), fc.integer({ min: 10, max: 100 }),
      (quantities, share, units) => {
        const stock = quantities.map((quantity, index) => ({ sku: `SKU-${index}`, quantity }));
        const stages: SourceStage[] = [{ sharePercent: 1, afterMs: 0 }, { sharePercent: share, afterMs: 1_000, drip: { everyMs: 1_000, units } }, { sharePercent: 99 - share, afterMs: 200 * MINUTE }];
        const items = stock.map(({ sku }) => ({ sku, title: sku, priceMinor: 1, components: [{ sku, quantity: 1 }] }));
        const plan = planFromSource(source({ stages, stock, items }), "0".repeat(64), T0);
        for (const unit of plan.stock) {
          const own = unit.stages.map((stage) => stage.units);
          const dripped = own.slice(1, -1);
          expect(own.reduce((sum, part) => sum + part, 0)).toBe(unit.quantity);
          expect(Math.max(...dripped)).toBeLessThanOrEqual(units);
          // Whole steps, then one with the rest, then nothing.
          expect(dripped.toSorted((a, b) => b - a)).toEqual(dripped);
          expect(dripped.filter((part) => part > 0 && part < units).length).toBeLessThanOrEqual(1);
        }
        expect(plan.drips?.[0]?.steps ?? 1).toBe(stepsOf(plan.stock.map(({ stages: own }) => own.slice(1, -1).reduce((sum, stage) => sum + stage.units, 0)), { everyMs: 1_000, units }));
      },
    ), { numRuns: 300 });
  });

  test("is one stage for whoever sits down: two turns in all of it, and the third with the stage after it", () => {
    const drop = new TestDrop({ ...DRIPPING, claimWindowMs: 1_000 }).open(T0 + 30 * MINUTE);
    const turns: number[] = [];
    for (drop.now = T0 + 30 * MINUTE; drop.now < T0 + 34 * MINUTE; drop.now += 2_500) {
      const answer = drop.claim(drop.ticket("ana"));
      const stage = stageAt(planOf(drop), drop.now) ?? 0;
      if (answer.ok && answer.value.state === "admitted") turns.push(stage);
      else if (turns.length === 2) expect(answer).toEqual({ ok: false, rejection: { code: "too_many_requests", retryAt: T0 + 120 * MINUTE } });
    }
    expect(turns).toHaveLength(2);
    drop.now = T0 + 120 * MINUTE;
    expect(drop.claim(drop.ticket("ana"))).toMatchObject({ ok: true, value: { state: "admitted" } });
  });
});

describe("a published change of a drop that drips", () => {
  test("finds no difference in the same config before the drip, in the middle of it and after it", () => {
    const drop = new TestDrop(DRIPPING).open();
    for (const minutes of [0, 30, 31.5, 34, 121]) {
      drop.readAt(T0 + minutes * MINUTE);
      expect(change(drop, {})).toEqual({ changes: [], published: false });
    }
  });

  test("makes a drip of a stage that is not open yet, changes one, and takes it back", () => {
    const drop = new TestDrop(DRIPPING).open();
    expect(change(drop, withDrip({ drip: { everyMs: 2 * MINUTE, units: 8 } })).changes).toEqual([
      { field: "stages.2.every", from: "1m", to: "2m", refusal: null },
      { field: "stages.2.units", from: 5, to: 8, refusal: null },
    ]);
    expect([unitsOf(drop), unitsOf(drop, "PIN"), openingsOf(drop)]).toEqual([[20, 8, 8, 4], [3, 3, 0, 1], [0, 30, 32, 120]]);
    const plain = STAGES.with(1, { sharePercent: 40, afterMs: 30 * MINUTE });
    expect(change(drop, { stages: plain }).changes).toEqual([
      { field: "stages.2.every", from: "2m", to: null, refusal: null },
      { field: "stages.2.units", from: 8, to: null, refusal: null },
    ]);
    expect([unitsOf(drop), planOf(drop).drips]).toEqual([[20, 16, 4], []]);
    expect(drop.record.at(-1)).not.toHaveProperty("drips");
    expect(change(drop, { stages: plain.with(2, { sharePercent: 10, afterMs: 60 * MINUTE, drip: { everyMs: MINUTE, units: 1 } }) }).published).toBe(true);
    expect([unitsOf(drop), openingsOf(drop)]).toEqual([[20, 16, 1, 1, 1, 1], [0, 30, 60, 61, 62, 63]]);
  });

  test("leaves a drip that has begun as it was published: its share, its steps, and the units that are still to come of it", () => {
    const drop = new TestDrop(DRIPPING).open();
    drop.readAt(T0 + 31 * MINUTE);
    expect(reasonsOf(change(drop, withDrip({ drip: { everyMs: 2 * MINUTE, units: 5 } })))).toEqual([["stages.2.every", "Stage 2 is open: it goes on as it was published."]]);
    expect(reasonsOf(change(drop, { stages: STAGES.with(1, { ...DRIP, sharePercent: 30 }).with(2, { sharePercent: 20, afterMs: 120 * MINUTE }) }))).toEqual([["stages.2.share", "Stage 2 is open: it keeps its units."], ["stages.3.share", null]]);
    // 20 and all 16 of the drip stay.
    expect(reasonsOf(change(drop, { stock: [{ sku: "MOTH", quantity: 35 }, { sku: "PIN", quantity: 7 }] }))).toEqual([["items.MOTH.quantity", "36 are released already or come with the drip that runs, and an open stage keeps its units."]]);
    expect(change(drop, { stock: [{ sku: "MOTH", quantity: 50 }, { sku: "PIN", quantity: 7 }] }).published).toBe(true);
    expect([unitsOf(drop), openingsOf(drop)]).toEqual([[20, 5, 5, 5, 1, 14], [0, 30, 31, 32, 33, 120]]);
  });

  test("splits new units over the stages to come, and a drip among them gets as many steps as it needs", () => {
    const drop = new TestDrop(DRIPPING).open();
    expect(change(drop, { stock: [{ sku: "MOTH", quantity: 70 }, { sku: "PIN", quantity: 7 }] }).published).toBe(true);
    // 50 by 40 to 10: 40 and 10.
    expect(unitsOf(drop)).toEqual([20, ...Array<number>(8).fill(5), 10]);
    expect(openingsOf(drop)).toEqual([0, 30, 31, 32, 33, 34, 35, 36, 37, 120]);
  });

  test("never lets a drip run into the next stage or past the end, nor take more steps than a plan has room for", () => {
    const drop = new TestDrop(DRIPPING).open();
    const late = withDrip({ afterMs: 117 * MINUTE });
    const running = `The drip of stage 2 would last until ${at(T0 + 121 * MINUTE)}, and stage 3 opens at ${at(T0 + 120 * MINUTE)}.`;
    expect(change(drop, late)).toMatchObject({ published: false, changes: [{ field: "stages.2.opensAt", refusal: running }] });
    expect(change(drop, withDrip({ afterMs: 116 * MINUTE }), false).changes).toMatchObject([{ refusal: null }]);
    const many = { stock: [{ sku: "MOTH", quantity: 40_000 }, { sku: "PIN", quantity: 7 }] };
    expect(reasonsOf(change(drop, many))).toEqual([["items.MOTH.quantity", "With every step of a drip that is 6399 stages, and a drop has at most 200: let a drip bring more at once."]]);
    const last = { stages: [STAGES[0] ?? DRIP, { sharePercent: 50, afterMs: 236 * MINUTE, drip: { everyMs: MINUTE, units: 4 } }] };
    const drops = new TestDrop({ ...DRIPPING, ...last, stages: last.stages.with(1, { sharePercent: 50, afterMs: 200 * MINUTE, drip: { everyMs: MINUTE, units: 4 } }) }).open();
    expect(reasonsOf(change(drops, last))).toEqual([["stages.2.opensAt", `The drip of stage 2 would last until ${at(T0 + 241 * MINUTE)}, and the drop ends at ${at(T0 + 240 * MINUTE)}.`]]);
    expect(reasonsOf(change(drops, { ...last, closesAt: { at: T0 + 241 * MINUTE } }))).toEqual([["closesAt", null], ["stages.2.opensAt", null]]);
  });
});

describe("a published change of a drip with lanes", () => {
  const member = { lane: "member", sharePercent: 10, untilMs: MINUTE / 2, weight: 1, evidence: { kind: "invite" } } as const;
  const withLane = (config: Partial<PlanSource> = {}) => ({ ...config, lanes: [member] });

  test("never makes steps of which a lane would be kept another part than its share", () => {
    const drop = new TestDrop({ ...DRIPPING, lanes: [member] }).open();
    const nothing = "The drip of stage 2 is split step by step and would keep 0 of 16 MOTH for the lane member, whose share of them is 2. Let it bring 10 at a time, or a multiple of that.";
    expect(change(drop, withLane(withDrip({ drip: { everyMs: MINUTE, units: 4 } })))).toEqual({ published: false, changes: [{ field: "stages.2.units", from: 5, to: 4, refusal: nothing }] });
    const more = [{ sku: "MOTH", quantity: 70 }, { sku: "PIN", quantity: 7 }];
    const twice = "The drip of stage 2 is split step by step and would keep 8 of 40 MOTH for the lane member, whose share of them is 4. Let it bring 10 at a time, or a multiple of that.";
    expect(reasonsOf(change(drop, withLane({ stock: more })))).toEqual([["items.MOTH.quantity", twice]]);
    expect(unitsOf(drop)).toEqual([20, 5, 5, 5, 1, 4]);
    expect(change(drop, withLane({ ...withDrip({ drip: { everyMs: MINUTE, units: 10 } }), stock: more })).published).toBe(true);
    expect(unitsOf(drop)).toEqual([20, 10, 10, 10, 10, 10]);
  });

  test("is not kept from anything else by a drip that has begun with other steps", () => {
    const stages = STAGES.with(1, { ...DRIP, drip: { everyMs: MINUTE, units: 4 } });
    const drop = new TestDrop({ ...DRIPPING, stages, lanes: [member] }).open();
    const later = withLane({ stages, closesAt: { at: T0 + 300 * MINUTE } });
    expect(change(drop, later, false).changes).toMatchObject([{ field: "closesAt", refusal: expect.stringMatching(/would keep 0 of 16/) as string }]);
    drop.readAt(T0 + 31 * MINUTE);
    expect(change(drop, later).published).toBe(true);
  });

  test("never has more steps and items together than the live state has room for", () => {
    const stock = Array.from({ length: 20 }, (_, index) => ({ sku: `PIN-${index}`, quantity: 200 }));
    const items = stock.map(({ sku }) => ({ sku, title: sku, priceMinor: 300, components: [{ sku, quantity: 1 }] }));
    const plain: SourceStage[] = [{ sharePercent: 50, afterMs: 0 }, { sharePercent: 50, afterMs: 30 * MINUTE }];
    const drop = new TestDrop({ stages: plain, stock, items }).open();
    const dripping = (units: number) => ({ stock, items, stages: plain.with(1, { sharePercent: 50, afterMs: 30 * MINUTE, drip: { everyMs: MINUTE, units } }) });
    const many = "With every step of a drip that is 101 stages of 20 items and parts, 2020 together, and a drop has at most 2000: let a drip bring more at once.";
    expect(reasonsOf(change(drop, dripping(1)))).toEqual([["stages.2.every", many], ["stages.2.units", many]]);
    expect(change(drop, dripping(2)).published).toBe(true);
  });
});

describe("a drip that is put off", () => {
  const extend = (drop: TestDrop, stage: number, minutes: number) => drop.run((state, now, hashing) => decideControl(state, { kind: "extend", stage, byMs: minutes * MINUTE }, "desk", now, hashing));

  test("goes on later from any of its steps, and the changelog says so in one line", () => {
    const drop = new TestDrop(DRIPPING).open();
    extend(drop, 2, 10);
    drop.readAt(T0 + 41 * MINUTE);
    expect(openingsOf(drop)).toEqual([0, 40, 41, 42, 43, 130]);
    expect(extend(drop, 3, 5).ok).toBe(false);
    expect(extend(drop, 4, 5).ok).toBe(true);
    expect(openingsOf(drop)).toEqual([0, 40, 41, 47, 48, 135]);
    expect(drop.state.facts?.changes.map(({ changed }) => changed)).toEqual([
      [{ field: "stages.2.opensAt", from: at(T0 + 30 * MINUTE), to: at(T0 + 40 * MINUTE) }, { field: "stages.3.opensAt", from: at(T0 + 120 * MINUTE), to: at(T0 + 130 * MINUTE) }],
      [{ field: "stages.2.goesOnAt", from: at(T0 + 42 * MINUTE), to: at(T0 + 47 * MINUTE) }, { field: "stages.3.opensAt", from: at(T0 + 130 * MINUTE), to: at(T0 + 135 * MINUTE) }],
    ]);
    expect(change(drop, {}).changes).toEqual([]);
    expect(change(drop, { low: 4 }).published).toBe(true);
    expect(openingsOf(drop)).toEqual([0, 40, 41, 47, 48, 135]);
  });

  test("stays put off from a step on when new units lengthen it, and is still one stage for whoever sits down", () => {
    const drop = new TestDrop(DRIPPING).open();
    extend(drop, 4, 5);
    expect(openingsOf(drop)).toEqual([0, 30, 31, 37, 38, 125]);
    expect(change(drop, { stock: [{ sku: "MOTH", quantity: 50 }, { sku: "PIN", quantity: 7 }] }).published).toBe(true);
    expect([unitsOf(drop), openingsOf(drop)]).toEqual([[20, 5, 5, 5, 5, 4, 6], [0, 30, 31, 37, 38, 39, 125]]);
    expect(planOf(drop).drips).toEqual([{ stage: 2, steps: 5 }]);
  });

  test("is known for it when other steps come before it: a repeated extension adds nothing, a longer one the difference", () => {
    const plain = STAGES.with(1, { sharePercent: 40, afterMs: 30 * MINUTE });
    const drop = new TestDrop({ ...DRIPPING, stages: plain }).open();
    extend(drop, 3, 10);
    expect(change(drop, {}).published).toBe(true);
    const known = [0, 30, 31, 32, 33, 130];
    expect(openingsOf(drop)).toEqual(known);
    expect(drop.state.facts?.extensions).toEqual([{ stage: 6, byMs: 10 * MINUTE }]);
    expect(extend(drop, 6, 10).ok).toBe(true);
    expect(openingsOf(drop)).toEqual(known);
    expect(extend(drop, 6, 15).ok).toBe(true);
    expect(openingsOf(drop)).toEqual(known.with(5, 135));
    expect(change(drop, { stages: plain }).published).toBe(true);
    extend(drop, 3, 15);
    expect(openingsOf(drop)).toEqual([0, 30, 135]);
  });

  test("is known by its step as well, and no longer where the step is gone or the config moved it", () => {
    const drop = new TestDrop(DRIPPING);
    extend(drop, 4, 5);
    expect(openingsOf(drop)).toEqual([0, 30, 31, 37, 38, 125]);
    const early = STAGES.with(0, { sharePercent: 50, afterMs: 0, drip: { everyMs: MINUTE, units: 10 } });
    expect(change(drop, { stages: early }).published).toBe(true);
    extend(drop, 5, 5);
    expect(openingsOf(drop)).toEqual([0, 1, 30, 31, 37, 38, 125]);
    expect(change(drop, { stages: early.with(1, { ...DRIP, afterMs: 40 * MINUTE }) }).published).toBe(true);
    expect([openingsOf(drop), drop.state.facts?.extensions]).toEqual([[0, 1, 40, 41, 42, 43, 125], []]);
    extend(drop, 5, 5);
    expect(change(drop, { stages: early.with(1, { sharePercent: 40, afterMs: 40 * MINUTE }) }).published).toBe(true);
    expect([openingsOf(drop), drop.state.facts?.extensions]).toEqual([[0, 1, 40, 130], []]);
  });
});
