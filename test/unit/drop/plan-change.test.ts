import { describe, expect, test } from "vitest";
import { decideControl } from "../../../src/drop/controls.ts";
import { dropSnapshot } from "../../../src/drop/live.ts";
import { decideConfirm } from "../../../src/drop/payments.ts";
import { decidePlanChange } from "../../../src/drop/plan-change.ts";
import type { PlanSource } from "../../../src/drop/plan.ts";
import type { PlanChangeAnswer } from "../../../src/drop/port.ts";
import { releasedUnits } from "../../../src/drop/release.ts";
import { instantToWire } from "../../../src/kernel/time.ts";
import { MINUTE, source, T0, TestDrop } from "./cast.ts";

const STAGES = source().stages;
const MOTH = item(source().items);
const at = (ms: number) => instantToWire(ms);

/** The first of a list that has one. */
function item<Item>(list: readonly Item[] | undefined): Item {
  const [first] = list ?? [];
  if (first === undefined) throw new Error("the list is empty");
  return first;
}

/** Compares a config with the running plan, or publishes it. */
function change(drop: TestDrop, config: Partial<PlanSource>, publish = true): PlanChangeAnswer {
  return drop.run((state, now) => decidePlanChange(state, { source: source(config), publish, actor: "desk" }, now));
}

const unitsOf = (drop: TestDrop) => drop.state.facts?.plan.stock[0]?.stages.map(({ units }) => units);
const openingsOf = (drop: TestDrop) => drop.state.facts?.plan.stock[0]?.stages.map(({ opensAt }) => (opensAt - T0) / MINUTE);
const reasonsOf = ({ changes }: PlanChangeAnswer) => changes.map(({ field, refusal }) => [field, refusal]);

describe("a published change of the plan", () => {
  test("is one row with the whole plan, who published it, the prices and what is different, and nothing the second time", () => {
    const drop = new TestDrop().open();
    const items = [{ ...MOTH, priceMinor: 3900, title: "Moth tee, second print" }];
    const first = item(drop.record);
    expect(change(drop, { items, low: 3 }, false)).toEqual({
      published: false,
      changes: [
        { field: "items.MOTH.title", from: "Moth tee", to: "Moth tee, second print", refusal: null },
        { field: "items.MOTH.priceMinor", from: 4200, to: 3900, refusal: null },
        { field: "low", from: 2, to: 3, refusal: null },
      ],
    });
    expect(drop.kinds().filter((kind) => kind === "plan")).toHaveLength(1);
    expect(change(drop, { items, low: 3 }).published).toBe(true);
    const row = item(drop.record.slice(-1));
    const { seq: _seq, at: _at, hash: _hash, prevHash: _prev, actor, prices, changed, ...plan } = row;
    const { seq: _first, at: _firstAt, hash: _firstHash, prevHash: _firstPrev, ...asBefore } = first;
    expect(plan).toEqual(asBefore);
    expect({ actor, prices }).toEqual({ actor: "desk", prices: [{ sku: "MOTH", priceMinor: 3900 }] });
    expect(changed).toEqual([{ field: "items.MOTH.title", from: "Moth tee", to: "Moth tee, second print" }, { field: "items.MOTH.priceMinor", from: 4200, to: 3900 }, { field: "low", from: 2, to: 3 }]);
    const rows = drop.record.length;
    expect(change(drop, { items, low: 3 })).toEqual({ changes: [], published: false });
    expect(drop.record).toHaveLength(rows);
    expect(dropSnapshot(drop.state, drop.now)).toMatchObject({ planVersion: 2, planHash: first.hash, changes: [{ seq: row.seq, at: T0, kind: "plan", changed }] });
  });

  test("of a price leaves holds and orders at theirs, and new holds get the new one", () => {
    const drop = new TestDrop().open();
    const [ana, ben] = [drop.sit("ana"), drop.sit("ben")];
    const before = drop.held(ana);
    change(drop, { items: [{ ...MOTH, priceMinor: 3900 }] });
    expect(drop.held(ben).totalMinor).toBe(3900);
    expect(drop.placed(ana, before).totalMinor).toBe(4200);
  });

  test("is all or nothing: one thing that may not be changed keeps the others from it", () => {
    const drop = new TestDrop().open();
    const answer = change(drop, { items: [{ ...MOTH, priceMinor: 3900 }], limitPerPerson: 3 });
    expect(answer.published).toBe(false);
    expect(reasonsOf(answer)).toEqual([["limitPerPerson", "People joined the lobby under it."], ["items.MOTH.priceMinor", null]]);
    expect(drop.state.facts?.plan.items[0]?.priceMinor).toBe(4200);
    expect(drop.kinds().filter((kind) => kind === "plan")).toHaveLength(1);
  });

  test.each<[string, Partial<PlanSource>, string]>([
    ["currency", { currency: "USD" }, "currency"],
    ["tax", { tax: { label: "VAT", percent: 19 } }, "tax"],
    ["lanes", { lanes: [{ lane: "member", sharePercent: 10, untilMs: MINUTE, weight: 1, evidence: { kind: "invite" } }] }, "lanes"],
    ["gates", { gates: { work: null, turnstile: null, email: true } }, "gates"],
    ["shards", { shards: 2 }, "lobby.shards"],
    ["claim window", { claimWindowMs: 2 * MINUTE }, "lobby.claimWindow"],
    ["pacing", { admit: "paced" }, "lobby.admit"],
    ["hold time", { holdTtlMs: 9 * MINUTE }, "hold"],
    ["capture", { capture: "at-once" }, "capture"],
    ["splits", { splits: [{ party: "creator:ana", remainder: true }] }, "splits"],
    ["components", { items: [{ ...MOTH, components: [{ sku: "MOTH", quantity: 2 }] }] }, "items.MOTH.components"],
    ["name", { drop: "other" }, "drop"],
  ])("never touches the %s", (_, config, field) => {
    const drop = new TestDrop().open();
    const answer = change(drop, config);
    expect(answer.published).toBe(false);
    expect(answer.changes.filter(({ refusal }) => refusal !== null).map((found) => found.field)).toEqual([field]);
  });

  test("adds no item and takes none out", () => {
    const drop = new TestDrop().open();
    const pin = { sku: "PIN", title: "Pin", priceMinor: 300, components: [{ sku: "PIN", quantity: 1 }] };
    const answer = change(drop, { items: [pin], stock: [{ sku: "PIN", quantity: 5 }] });
    expect(answer.published).toBe(false);
    expect(answer.changes.every(({ refusal }) => refusal !== null)).toBe(true);
    expect(answer.changes.map(({ field }) => field)).toEqual(["items.MOTH", "items.PIN", "parts.MOTH.quantity", "items.PIN.quantity"]);
  });

  test("is not possible once the drop is over or cancelled", () => {
    const drop = new TestDrop().open();
    drop.run((state, now, hashing) => decideControl(state, { kind: "cancel" }, "desk", now, hashing));
    expect(reasonsOf(change(drop, { low: 5 }))).toEqual([["low", "The drop is over."]]);
    const late = new TestDrop().open();
    late.now = T0 + 240 * MINUTE;
    expect(reasonsOf(change(late, { closesAt: { at: T0 + 300 * MINUTE } }))).toEqual([["closesAt", "The drop is over."]]);
  });
});

describe("stages and quantities", () => {
  test("new units are apportioned over the stages that are not open; an open stage keeps its units and its time", () => {
    const drop = new TestDrop().open();
    expect(unitsOf(drop)).toEqual([4, 4, 2]);
    const answer = change(drop, { stock: [{ sku: "MOTH", quantity: 17 }] });
    expect(answer).toEqual({ published: true, changes: [{ field: "items.MOTH.quantity", from: 10, to: 17, refusal: null }] });
    // 13 by 40 to 20: 8.67 and 4.33.
    expect(unitsOf(drop)).toEqual([4, 9, 4]);
    expect(change(drop, { stock: [{ sku: "MOTH", quantity: 17 }] }).changes).toEqual([]);
    drop.readAt(T0 + 30 * MINUTE);
    expect(change(drop, { stock: [{ sku: "MOTH", quantity: 17 }] }).changes, "a stage that has opened since makes no difference").toEqual([]);
    change(drop, { stock: [{ sku: "MOTH", quantity: 15 }] });
    expect(unitsOf(drop)).toEqual([4, 9, 2]);
  });

  test("a quantity is never less than what is held or sold, nor than what is released, and never changes once every stage is open", () => {
    const drop = new TestDrop().open();
    const order = drop.ordered("ana", 2);
    drop.run((state, now, hashing) => decideConfirm(state, order.id, "pay", now, hashing));
    drop.held(drop.sit("ben"), 1);
    expect(reasonsOf(change(drop, { stock: [{ sku: "MOTH", quantity: 2 }] }))).toEqual([["items.MOTH.quantity", "3 are held or sold already."]]);
    expect(reasonsOf(change(drop, { stock: [{ sku: "MOTH", quantity: 3 }] }))).toEqual([["items.MOTH.quantity", "4 are released already, and an open stage keeps its units."]]);
    expect(change(drop, { stock: [{ sku: "MOTH", quantity: 4 }] }).published).toBe(true);
    expect(unitsOf(drop)).toEqual([4, 0, 0]);
    drop.readAt(T0 + 120 * MINUTE);
    expect(reasonsOf(change(drop, { stock: [{ sku: "MOTH", quantity: 5 }] }))).toEqual([["items.MOTH.quantity", "Every stage is open, and an open stage keeps its units."]]);
  });

  test("shares of stages to come may change, those of an open stage may not", () => {
    const drop = new TestDrop().open();
    const shares = (...percents: number[]) => ({ stages: STAGES.map((stage, index) => ({ ...stage, sharePercent: percents[index] ?? 0 })) });
    expect(reasonsOf(change(drop, shares(50, 30, 20)))).toEqual([["stages.1.share", "Stage 1 is open: it keeps its units."], ["stages.2.share", null]]);
    expect(change(drop, shares(40, 20, 40)).published).toBe(true);
    expect(unitsOf(drop)).toEqual([4, 2, 4]);
  });

  test("a stage moves to any time that is not past, in order, and before the end; what is released never falls", () => {
    const drop = new TestDrop().open();
    drop.now = T0 + 10 * MINUTE;
    const moved = (...afterMinutes: number[]) => ({ stages: STAGES.map((stage, index) => ({ ...stage, afterMs: (afterMinutes[index] ?? 0) * MINUTE })) });
    expect(reasonsOf(change(drop, moved(0, 10, 120)))).toEqual([["stages.2.opensAt", `Stage 2 can open at ${at(T0 + 10 * MINUTE + 5_000)} at the earliest, so that everybody hears of it before.`]]);
    expect(change(drop, moved(0, 9, 120)).published).toBe(false);
    expect(reasonsOf(change(drop, moved(0, 130, 120)))).toEqual([["stages.2.opensAt", "Stages open one after the other, and before the drop ends."]]);
    expect(reasonsOf(change(drop, moved(0, 30, 240)))).toEqual([["stages.3.opensAt", "Stages open one after the other, and before the drop ends."]]);
    expect(change(drop, moved(0, 11, 60)).published).toBe(true);
    expect(openingsOf(drop)).toEqual([0, 11, 60]);
    drop.now = T0 + 12 * MINUTE;
    const released = () => releasedUnits(item(drop.state.facts?.plan.stock), drop.now);
    expect(released()).toBe(8);
    expect(reasonsOf(change(drop, moved(0, 20, 60)))).toEqual([["stages.2.opensAt", "Stage 2 is open already."]]);
    expect(released()).toBe(8);
  });

  test("the opening moves with everything that follows it, but not so close that a shard could miss it", () => {
    const drop = new TestDrop({}, T0 - 60 * MINUTE);
    drop.now = T0 - 10 * MINUTE;
    const opening = (opensAt: number) => ({ opensAt: { at: opensAt } });
    expect(change(drop, opening(T0 - 9 * MINUTE)).published).toBe(false);
    expect(change(drop, opening(T0 + 15 * MINUTE)).published).toBe(true);
    expect(drop.state.facts?.plan.opensAt).toBe(T0 + 15 * MINUTE);
    expect(openingsOf(drop)).toEqual([15, 45, 135]);
    drop.readAt(T0 + 15 * MINUTE - 1);
    expect(dropSnapshot(drop.state, drop.now)?.live.phase).toBe("lobby");
    drop.open(T0 + 15 * MINUTE);
    expect(dropSnapshot(drop.state, drop.now)?.live.phase).toBe("open");
  });

  test("an extension at the desk stays when a config is published that never knew of it", () => {
    const drop = new TestDrop().open();
    drop.run((state, now, hashing) => decideControl(state, { kind: "extend", stage: 2, byMs: 10 * MINUTE }, "desk", now, hashing));
    expect(change(drop, {}).changes).toEqual([]);
    expect(change(drop, { low: 4 }).published).toBe(true);
    expect(openingsOf(drop)).toEqual([0, 40, 130]);
    expect(change(drop, { low: 4, stages: STAGES.with(1, { sharePercent: 40, afterMs: 35 * MINUTE }) }).changes).toEqual([{ field: "stages.2.opensAt", from: at(T0 + 40 * MINUTE), to: at(T0 + 35 * MINUTE), refusal: null }]);
    expect(openingsOf(drop)).toEqual([0, 35, 130]);
    // Counted from what was published last.
    drop.run((state, now, hashing) => decideControl(state, { kind: "extend", stage: 2, byMs: 10 * MINUTE }, "desk", now, hashing));
    expect(openingsOf(drop)).toEqual([0, 45, 140]);
  });

  test("the end moves beyond the last stage and not into the past", () => {
    const drop = new TestDrop().open();
    expect(reasonsOf(change(drop, { closesAt: { at: T0 + 120 * MINUTE } }))).toEqual([["closesAt", `The drop has to end after its last stage, which opens at ${at(T0 + 120 * MINUTE)}.`]]);
    expect(change(drop, { closesAt: { at: T0 + 121 * MINUTE } }).published).toBe(true);
    expect(change(drop, { closesAt: { at: T0 + 500 * MINUTE } }).published).toBe(true);
    drop.readAt(T0 + 300 * MINUTE);
    expect(dropSnapshot(drop.state, drop.now)?.live.phase).toBe("open");
  });

  test("relative times count from when the drop was first seen, also in a change", () => {
    const times = { announceAt: { afterFirstSeenMs: 0 }, lobbyOpensAt: { afterFirstSeenMs: 0 }, opensAt: { afterFirstSeenMs: 20_000 }, closesAt: { afterFirstSeenMs: 240 * MINUTE } };
    const drop = new TestDrop(times, T0 - 20_000).open();
    drop.now = T0 + 5 * MINUTE;
    expect(change(drop, times).changes).toEqual([]);
    expect(change(drop, { ...times, closesAt: { afterFirstSeenMs: 300 * MINUTE } }).changes).toMatchObject([{ field: "closesAt", to: at(T0 - 20_000 + 300 * MINUTE), refusal: null }]);
  });
});

describe("campaigns and budgets", () => {
  const night = { id: "night", percentOff: 10, region: null, validFrom: T0 - MINUTE, validUntil: T0 + 60 * MINUTE, uses: 5, typed: "SECRET-WORD" };

  test("campaigns come and get more uses or as many as were used, and their words are not in the record", () => {
    const drop = new TestDrop({ campaigns: [night] }).open();
    const sitting = drop.sit("ana");
    drop.placed(sitting, drop.held(sitting), { coupon: { campaign: "night", voucher: "1", voucherUses: 1, region: "berlin" } });
    expect(reasonsOf(change(drop, { campaigns: [{ ...night, uses: 0 }] }))).toEqual([["campaigns.night.uses", "It has been used 1 times already."]]);
    expect(change(drop, { campaigns: [{ ...night, percentOff: 20 }] }).published).toBe(false);
    expect(change(drop, { campaigns: [] }).published).toBe(false);
    expect(change(drop, { campaigns: [{ ...night, uses: 1 }, { ...night, id: "second", typed: "OTHER-WORD" }] }).published).toBe(true);
    expect(JSON.stringify(drop.record)).not.toMatch(/SECRET-WORD|OTHER-WORD/);
  });

  test("budgets of a network may change at any time", () => {
    const drop = new TestDrop().open();
    expect(change(drop, { budgets: { joinsPerMinute: 6_000, unpaidHolds: 1 } }).changes.map(({ field }) => field)).toEqual(["budgets.joins", "budgets.holds"]);
    expect(drop.state.facts?.plan.budgets.unpaidHolds).toBe(1);
  });
});

describe("the changelog", () => {
  test("names pauses, resumptions, extensions and the cancellation with their rows and times, once each", () => {
    const drop = new TestDrop().open();
    for (const control of [{ kind: "pause" }, { kind: "pause" }, { kind: "resume" }, { kind: "extend", stage: 2, byMs: MINUTE }, { kind: "extend", stage: 2, byMs: MINUTE }, { kind: "cancel" }, { kind: "cancel" }] as const) {
      drop.now += 1_000;
      drop.run((state, now, hashing) => decideControl(state, control, "desk", now, hashing));
    }
    const changes = dropSnapshot(drop.state, drop.now)?.changes ?? [];
    expect(changes.map(({ kind }) => kind)).toEqual(["pause", "resume", "extend", "cancel"]);
    expect(changes[2]?.changed).toEqual([
      { field: "stages.2.opensAt", from: at(T0 + 30 * MINUTE), to: at(T0 + 31 * MINUTE) },
      { field: "stages.3.opensAt", from: at(T0 + 120 * MINUTE), to: at(T0 + 121 * MINUTE) },
    ]);
    for (const { seq, at: when, kind } of changes) expect(drop.record[seq - 1]).toMatchObject({ seq, kind, at: at(when) });
  });
});
