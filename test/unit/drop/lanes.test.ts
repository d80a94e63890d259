import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recount } from "../../../src/drop/conservation.ts";
import { decideControl } from "../../../src/drop/controls.ts";
import { decideAbandon } from "../../../src/drop/holds.ts";
import { keptUnits, nextReleaseAt, reservesOf, unitsFor } from "../../../src/drop/lanes.ts";
import { decideServe, wantedLines } from "../../../src/drop/line.ts";
import { dropSnapshot } from "../../../src/drop/live.ts";
import { decideConfirm, decideFail, decideRestock } from "../../../src/drop/payments.ts";
import type { LaneShare, PlanSource } from "../../../src/drop/plan.ts";
import type { Line, LinePage, Sitting } from "../../../src/drop/port.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { rankOf } from "../../../src/lobby/draw.ts";
import { LaneLedger } from "../../support/lane-ledger.ts";
import { AT_ONCE, MINUTE, T0, TestDrop } from "./cast.ts";

const laneOf = (lane: string, sharePercent: number, untilMs: number): LaneShare => ({ lane, sharePercent, untilMs, weight: 1, evidence: { kind: "invite" } });
const LOCAL = laneOf("local", 40, 10 * MINUTE);
const MEMBER = laneOf("member", 20, 5 * MINUTE);

/** Ten units at once, four of them kept for locals and two for members. */
const reserved = (changes: Partial<PlanSource> = {}) => new TestDrop({ ...AT_ONCE, lanes: [LOCAL, MEMBER], limitPerPerson: 10, ...changes }).open();

function sitIn(drop: TestDrop, name: string, lane: string, wants?: readonly Line[]): Sitting {
  const answer = drop.claim({ ...drop.ticket(name, wants), lane });
  if (!answer.ok || answer.value.state !== "admitted") throw new Error(`${name} was not admitted: ${JSON.stringify(answer)}`);
  return answer.value.sitting;
}

const units = (drop: TestDrop, lane: string, sku = "MOTH") => unitsFor(drop.state, planOf(drop), sku, lane, drop.now);
const kept = (drop: TestDrop, sku = "MOTH") => {
  const stock = planOf(drop).stock.find((unit) => unit.sku === sku);
  if (stock === undefined) throw new Error("there is no such stock");
  return keptUnits(drop.state, planOf(drop), stock, drop.now);
};

function planOf(drop: TestDrop) {
  const plan = drop.state.facts?.plan;
  if (plan === undefined) throw new Error("there is no plan");
  return plan;
}

describe("the reserves of a stage", () => {
  test("are split by largest remainder in the order of the lanes, everyone's part last", () => {
    const parts = (count: number, ...shares: number[]) => reservesOf(count, shares.map((share, index) => laneOf(`lane-${index}`, share, MINUTE))).map((part) => part.units);
    expect(parts(10, 20, 10)).toEqual([2, 1]);
    expect(parts(7, 20, 10)).toEqual([1, 1]);
    expect(parts(1, 20, 10)).toEqual([0, 0]);
    expect(parts(1, 50)).toEqual([1]);
    expect(parts(0, 50)).toEqual([0]);
    expect(parts(3, 33, 33)).toEqual([1, 1]);
    expect(parts(101, 20, 10)).toEqual([20, 10]);
  });

  test("and everyone's part sum to the stage, and no lane is further than one unit from its share", () => {
    fc.assert(fc.property(fc.nat(200_000), fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 4 }), (count, shares) => {
      const parts = reservesOf(count, shares.map((share, index) => laneOf(`lane-${index}`, share, MINUTE)));
      expect(parts.reduce((sum, part) => sum + part.units, 0)).toBeLessThanOrEqual(count);
      for (const [index, part] of parts.entries()) expect(Math.abs(part.units * 100 - count * (shares[index] ?? 0))).toBeLessThan(100);
    }));
  });
});

describe("what is kept for a lane", () => {
  test("is not there for others before its time is over, and is everyone's from that very millisecond on, alarm or not", () => {
    const drop = reserved();
    expect([units(drop, "open"), units(drop, "local"), units(drop, "member")]).toEqual([4, 8, 6]);
    const sitting = sitIn(drop, "ana", "open");
    expect(drop.hold(sitting, 5)).toEqual({ ok: false, rejection: { code: "sold_out", sku: "MOTH", available: 4, nextStageAt: null } });
    drop.held(sitting, 4);
    expect([units(drop, "open"), units(drop, "local"), units(drop, "member")]).toEqual([0, 4, 2]);
    drop.now = T0 + 5 * MINUTE - 1;
    expect(units(drop, "open")).toBe(0);
    drop.now += 1;
    expect([units(drop, "open"), units(drop, "local")]).toEqual([2, 6]);
    drop.now = T0 + 10 * MINUTE - 1;
    const late = sitIn(drop, "ben", "open");
    expect(drop.hold(late, 7)).toMatchObject({ ok: false, rejection: { available: 6 } });
    drop.now += 1;
    expect(drop.hold(late, 10).ok).toBe(true);
  });

  test("is had by the lane itself however much everyone has taken, and beyond it the lane is served like everyone", () => {
    const drop = reserved();
    drop.held(sitIn(drop, "ana", "open"), 4);
    drop.held(sitIn(drop, "kim", "local"), 4);
    expect(drop.hold(sitIn(drop, "lou", "local"), 1)).toMatchObject({ ok: false, rejection: { code: "sold_out", available: 0 } });
    const other = reserved();
    other.held(sitIn(other, "kim", "local"), 8);
    expect(kept(other)).toEqual([{ lane: "member", units: 2 }]);
    expect([units(other, "open"), units(other, "local"), units(other, "member")]).toEqual([0, 0, 2]);
  });

  test("comes back with units that the lane gives back, up to the reserve, and with nobody else's", () => {
    const drop = reserved();
    const local = sitIn(drop, "kim", "local");
    const four = drop.held(local, 4);
    const two = drop.held(local, 2);
    const open = sitIn(drop, "ana", "open");
    const hold = drop.held(open, 2);
    const abandon = (id: string, { entry }: Sitting) => drop.run((state, now, hashing) => decideAbandon(state, id, entry, now, hashing));
    abandon(two.id, local);
    expect(kept(drop)).toEqual([{ lane: "member", units: 2 }]);
    abandon(four.id, local);
    expect(kept(drop)).toEqual([{ lane: "local", units: 4 }, { lane: "member", units: 2 }]);
    abandon(hold.id, open);
    expect(units(drop, "open")).toBe(4);
  });

  test("lets a swap use what it gives back, and nothing of what is kept for others", () => {
    const drop = reserved();
    const open = sitIn(drop, "ana", "open");
    const four = drop.held(open, 4);
    expect(drop.hold(open, 5, { replaces: four.id })).toMatchObject({ ok: false, rejection: { code: "sold_out", available: 4 } });
    expect(drop.hold(open, 3, { replaces: four.id }).ok).toBe(true);
    const local = sitIn(drop, "kim", "local");
    const own = drop.held(local, 5);
    expect(drop.hold(local, 6, { replaces: own.id })).toMatchObject({ ok: false, rejection: { available: 5 } });
    expect(drop.hold(local, 1, { replaces: own.id }).ok).toBe(true);
    expect(units(drop, "open")).toBe(1);
  });

  test("is the open stage's alone: what a lane left of the one before is everyone's, and what it took there counts there", () => {
    const drop = new TestDrop({ stages: [{ sharePercent: 50, afterMs: 0 }, { sharePercent: 50, afterMs: 30 * MINUTE }], stock: [{ sku: "MOTH", quantity: 20 }], lanes: [LOCAL], limitPerPerson: 10, holdTtlMs: 60 * MINUTE }).open();
    const early = drop.held(sitIn(drop, "kim", "local"), 3);
    drop.now = T0 + 30 * MINUTE;
    expect(kept(drop)).toEqual([{ lane: "local", units: 4 }]);
    expect(units(drop, "open")).toBe(20 - 3 - 4);
    // Units of the first stage come back in the second: they were never of the second one's reserve.
    drop.run((state, now, hashing) => decideAbandon(state, early.id, drop.holdRow(early.id).entry, now, hashing));
    expect(kept(drop)).toEqual([{ lane: "local", units: 4 }]);
    expect(units(drop, "open")).toBe(16);
  });

  test("never lasts into the next stage, however long the plan says", () => {
    const drop = new TestDrop({ stages: [{ sharePercent: 50, afterMs: 0 }, { sharePercent: 50, afterMs: 5 * MINUTE }], lanes: [laneOf("local", 40, 60 * MINUTE)], limitPerPerson: 10 }).open();
    drop.now = T0 + 5 * MINUTE - 1;
    expect(kept(drop)).toEqual([{ lane: "local", units: 2 }]);
    drop.now += 1;
    expect(kept(drop)).toEqual([{ lane: "local", units: 2 }]);
    expect(units(drop, "open")).toBe(8);
  });

  test("is not taken by late money of others, and counts in the stage in which a lane's late money took it", () => {
    const stages = { stages: [{ sharePercent: 50, afterMs: 0 }, { sharePercent: 50, afterMs: 30 * MINUTE }], stock: [{ sku: "MOTH", quantity: 20 }], lanes: [LOCAL], limitPerPerson: 10 };
    const confirm = (drop: TestDrop, order: string) => drop.run((state, now, hashing) => decideConfirm(state, order, `pay_${order}`, now, hashing)).verdict;
    const ordered = (drop: TestDrop, name: string, lane: string, quantity: number) => {
      const sitting = sitIn(drop, name, lane);
      return drop.placed(sitting, drop.held(sitting, quantity)).id;
    };
    const drop = new TestDrop(stages).open();
    const [stranger, local] = [ordered(drop, "ana", "open", 6), ordered(drop, "kim", "local", 4)];
    drop.now = T0 + 30 * MINUTE;
    drop.held(sitIn(drop, "ben", "open"), 10);
    drop.held(sitIn(drop, "cem", "open"), 1);
    // Nine are there, four of them kept.
    expect([units(drop, "open"), units(drop, "local")]).toEqual([5, 9]);
    expect(confirm(drop, stranger)).toBe("refused");
    expect(confirm(drop, local)).toBe("sold");
    expect(kept(drop)).toEqual([]);
    expect(units(drop, "open")).toBe(5);
  });

  test("is a hold's for all of its lines or for none, where bundles share a component", () => {
    const drop = new TestDrop({
      ...AT_ONCE, lanes: [laneOf("local", 50, 10 * MINUTE)], limitPerPerson: 10, stock: [{ sku: "TEE", quantity: 4 }, { sku: "PIN", quantity: 2 }],
      items: [
        { sku: "SET", title: "Tee with a pin", priceMinor: 900, components: [{ sku: "TEE", quantity: 1 }, { sku: "PIN", quantity: 1 }] },
        { sku: "TEE", title: "Tee", priceMinor: 400, components: [{ sku: "TEE", quantity: 1 }] },
      ],
    }).open();
    const wants = [{ sku: "SET", quantity: 1 }, { sku: "TEE", quantity: 1 }];
    const open = sitIn(drop, "ana", "open", wants);
    expect(drop.hold(open, [{ sku: "SET", quantity: 1 }, { sku: "TEE", quantity: 2 }])).toMatchObject({ ok: false, rejection: { code: "sold_out", sku: "SET", available: 1 } });
    expect(drop.hold(open, [{ sku: "SET", quantity: 2 }])).toMatchObject({ ok: false, rejection: { available: 1 } });
    drop.held(open, wants);
    drop.held(sitIn(drop, "kim", "local", wants), wants);
    expect([units(drop, "local", "TEE"), units(drop, "local", "PIN")]).toEqual([0, 0]);
  });

  test("is part of what is available, and nothing is called sold out because of it", () => {
    const drop = reserved();
    drop.held(sitIn(drop, "ana", "open"), 4);
    expect(dropSnapshot(drop.state, drop.now)?.live).toMatchObject({ phase: "open", available: 6, items: [{ sku: "MOTH", available: 6, soldOut: null }] });
    drop.held(sitIn(drop, "kim", "local"), 4);
    drop.held(sitIn(drop, "lou", "member"), 2);
    expect(dropSnapshot(drop.state, drop.now)?.live).toMatchObject({ phase: "sold-out", available: 0, items: [{ available: 0, soldOut: "stage" }] });
  });

  test("moves the next moment at which the clock alone changes something to its end", () => {
    const drop = new TestDrop({ lanes: [LOCAL, MEMBER] });
    const moments: number[] = [];
    for (let at = T0; Number.isFinite(at); at = nextReleaseAt(planOf(drop), at)) moments.push((at - T0) / MINUTE);
    expect(moments).toEqual([0, 5, 10, 30, 35, 40, 120, 125, 130]);
  });
});

describe("the line with lanes", () => {
  const rank = (number: number) => `0${number.toString(16).padStart(32, "0")}`;
  const paced = (changes: Partial<PlanSource> = {}) => reserved({ admit: "paced", limitPerPerson: 1, ...changes });
  const upTo = (drop: TestDrop, lane: string) => dropSnapshot(drop.state, drop.now)?.live.thresholds.find((threshold) => threshold.lane === lane)?.upTo ?? null;

  /** Who waits, by lane; every shard page is full after `perPage`. */
  function serve(drop: TestDrop, waiting: Readonly<Record<string, readonly number[]>>, { perPage = 100, silent = [] as readonly string[] } = {}): void {
    const pages = wantedLines(drop.state, drop.now).flatMap(({ sku, lane, after }): LinePage[] => {
      if (silent.includes(lane)) return [];
      const beyond = (waiting[lane] ?? []).map(rank).filter((one) => after === null || one > after).toSorted();
      const page = beyond.slice(0, perPage);
      return [{ shard: 0, sku, lane, after, waiting: page.map((one) => ({ rank: one, quantity: 1 })), completeTo: beyond.length > page.length ? (page.at(-1) ?? "~") : "~" }];
    });
    drop.run((state, now) => decideServe(state, pages, now));
  }

  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  const called = (drop: TestDrop, lane: string) => [...drop.state.calls.values()].filter((call) => call.lane === lane).length;

  test("calls everyone to what is not kept, and a lane's people to what is kept for them, whatever they drew", () => {
    const drop = paced();
    serve(drop, { open: range(1, 50), local: range(60, 70), member: range(80, 90) });
    expect([called(drop, "open"), called(drop, "local"), called(drop, "member")]).toEqual([4, 4, 2]);
    expect([upTo(drop, "open"), upTo(drop, "local"), upTo(drop, "member")]).toEqual([rank(4), rank(63), rank(81)]);
  });

  test("never puts somebody in a lane behind everyone of a worse rank, and lets the lanes' own people use the reserve first", () => {
    const drop = paced();
    serve(drop, { open: range(4, 50), local: range(1, 3), member: [] });
    // Three locals take of the four that are kept for them; four units are everyone's.
    expect([called(drop, "open"), called(drop, "local")]).toEqual([4, 3]);
    expect(upTo(drop, "open")).toBe(rank(7));
    expect([upTo(drop, "local"), upTo(drop, "member")]).toEqual([rank(7), rank(7)]);
  });

  test("does not let everyone pass a lane of which a page was full, or which a shard has not told of", () => {
    const drop = paced();
    serve(drop, { open: range(10, 50), local: range(1, 9), member: [] }, { perPage: 2 });
    expect([upTo(drop, "open"), upTo(drop, "local")]).toEqual([null, rank(2)]);
    const silent = paced();
    serve(silent, { open: range(10, 50), local: range(1, 9), member: [] }, { silent: ["member"] });
    expect([upTo(silent, "open"), upTo(silent, "local")]).toEqual([null, rank(8)]);
  });

  test("writes the lanes' thresholds before everyone's, so that no row of the record shows a lane behind", () => {
    const drop = paced();
    serve(drop, { open: range(1, 50), local: [], member: [] });
    expect(drop.record.filter((row) => row.kind === "serve").map((row) => [row["lane"], row["upTo"]])).toEqual([["local", rank(4)], ["member", rank(4)], ["open", rank(4)]]);
  });

  test("goes on for everyone when a lane's time is over and its people did not come", () => {
    const drop = paced({ limitPerPerson: 10 });
    serve(drop, { open: range(1, 50), local: [60], member: [] });
    expect([called(drop, "open"), called(drop, "local")]).toEqual([4, 1]);
    drop.now = T0 + 2 * MINUTE;
    drop.readAt(drop.now);
    drop.now = T0 + 5 * MINUTE;
    serve(drop, { open: range(1, 50), local: [60], member: [] });
    expect(upTo(drop, "open")).toBe(rank(4 + 6));
    drop.now = T0 + 10 * MINUTE;
    serve(drop, { open: range(1, 50), local: [60], member: [] });
    expect(upTo(drop, "open")).toBe(rank(4 + 6 + 10));
  });

  test("calls a lane's people to their reserve although a crowd of others sits and takes nothing", () => {
    const drop = paced();
    const seed = drop.state.facts?.seed ?? "";
    const crowd = range(1, 30).map((index) => drop.ticket(`idler-${index}`)).map((ticket) => ({ ticket, rank: rankOf(ticket, T0, seed, nodeHashing) })).toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
    const page = (lane: string, ranks: readonly string[], after: string | null): LinePage => ({ shard: 0, sku: "MOTH", lane, after, waiting: ranks.map((one) => ({ rank: one, quantity: 1 })), completeTo: "~" });
    const idlers = crowd.map((one) => one.rank);
    const round = (waiting: readonly string[]) => drop.run((state, now) => {
      const after = (lane: string) => state.thresholds.get(`${lane}/MOTH`)?.upTo ?? null;
      const beyond = (lane: string, ranks: readonly string[]) => page(lane, ranks.filter((one) => one > (after(lane) ?? "")), after(lane));
      return decideServe(state, [beyond("open", waiting), beyond("local", []), beyond("member", [])], now);
    });
    for (let turn = 0; turn < 3; turn++) {
      round(idlers);
      drop.now += MINUTE;
    }
    // All who were called and did not come sit down at once: more people than there are units.
    const served = crowd.filter((one) => one.rank <= (upTo(drop, "open") ?? ""));
    expect(served.length).toBeGreaterThan(10);
    for (const { ticket } of served) expect(drop.claim(ticket)).toMatchObject({ ok: true, value: { state: "admitted" } });
    expect(wantedLines(drop.state, drop.now).map(({ lane }) => lane)).toEqual(["local", "member"]);
    const before = upTo(drop, "local");
    drop.run((state, now) => decideServe(state, [page("local", range(1, 9).map((index) => `0f${index.toString().padStart(31, "0")}`), before)], now));
    expect(called(drop, "local")).toBe(4);
  });
});

describe("whatever happens", () => {
  interface Step {
    readonly kind: number;
    readonly lane: number;
    readonly quantity: number;
    readonly pick: number;
  }
  const step: fc.Arbitrary<Step> = fc.record({ kind: fc.nat(10), lane: fc.nat(2), quantity: fc.integer({ min: 1, max: 4 }), pick: fc.nat(1_000) });
  const drops = fc.record({
    shares: fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 39 })),
    untils: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
    quantities: fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 12 })),
    stageGap: fc.integer({ min: 2, max: 30 }),
  });
  const ITEMS = [
    { sku: "TEE", title: "Tee", priceMinor: 400, components: [{ sku: "TEE", quantity: 1 }] },
    { sku: "PIN", title: "Pin", priceMinor: 100, components: [{ sku: "PIN", quantity: 1 }] },
    { sku: "SET", title: "A tee and two pins", priceMinor: 900, components: [{ sku: "TEE", quantity: 1 }, { sku: "PIN", quantity: 2 }] },
  ];

  test("what is kept is there, nobody takes it from a lane, and nobody is refused what is not kept from them", () => {
    let [refusedForReserve, held] = [0, 0];
    fc.assert(fc.property(drops, fc.array(step, { minLength: 10, maxLength: 60 }), ({ shares, untils, quantities, stageGap }, steps) => {
      const lanes = [laneOf("local", shares[0], untils[0] * MINUTE), laneOf("member", shares[1], untils[1] * MINUTE)];
      const drop = new TestDrop({
        stages: [{ sharePercent: 50, afterMs: 0 }, { sharePercent: 30, afterMs: stageGap * MINUTE }, { sharePercent: 20, afterMs: 2 * stageGap * MINUTE }],
        stock: [{ sku: "TEE", quantity: quantities[0] }, { sku: "PIN", quantity: quantities[1] }], items: ITEMS, lanes, limitPerPerson: 8, holdTtlMs: 6 * MINUTE,
      }).open();
      const [plan] = drop.record;
      if (plan === undefined) throw new Error("a record begins with its plan");
      const ledger = new LaneLedger(plan as never);
      let read = 0;
      const check = () => {
        for (const row of drop.record.slice(read)) expect(ledger.read(row)).toBeNull();
        read = drop.record.length;
      };
      check();
      const people: { readonly sitting: Sitting; readonly lane: string }[] = [];
      const holds: { readonly id: string; readonly entry: string; readonly sitting: Sitting; readonly lane: string }[] = [];
      const orders: { readonly id: string; readonly lines: readonly Line[] }[] = [];
      const wants = ITEMS.map(({ sku }) => ({ sku, quantity: 1 }));
      for (const [index, { kind, lane: which, quantity, pick }] of steps.entries()) {
        const lane = ["open", "local", "member"][which] ?? "open";
        const hold = holds[pick % Math.max(1, holds.length)];
        const order = orders[pick % Math.max(1, orders.length)];
        if (kind <= 3) {
          const swapped = kind === 3 ? hold : undefined;
          const sitting = swapped?.sitting ?? sitIn(drop, `person-${index}`, lane, wants);
          const own = swapped?.lane ?? lane;
          people.push({ sitting, lane: own });
          const lines = [{ sku: ITEMS[pick % 3]?.sku ?? "", quantity }];
          const free = (sku: string) => ledger.within(sku, own, drop.now);
          const back = swapped !== undefined && drop.state.holds.get(swapped.id)?.state === "held";
          const needs = ITEMS[pick % 3]?.components ?? [];
          const isThere = needs.every((part) => part.quantity * quantity <= free(part.sku));
          const answer = drop.hold(sitting, lines, swapped === undefined ? {} : { replaces: swapped.id });
          if (!back && swapped === undefined) {
            expect(answer.ok).toBe(isThere);
            if (!answer.ok && needs.every((part) => part.quantity * quantity <= ledger.available(part.sku, drop.now))) refusedForReserve += 1;
          }
          if (answer.ok) {
            held += 1;
            holds.push({ id: answer.value.id, entry: sitting.entry, sitting, lane: own });
          }
        } else if (kind === 4) drop.now += quantity * 2 * MINUTE;
        else if (kind === 5) drop.now += pick;
        else if (kind === 6 && hold !== undefined) drop.run((state, now, hashing) => decideAbandon(state, hold.id, hold.entry, now, hashing));
        else if (kind === 7 && hold !== undefined) {
          const view = drop.state.holds.get(hold.id);
          const placed = view?.state === "held" ? drop.place(hold.sitting, { id: hold.id } as never) : null;
          if (placed?.ok === true) orders.push({ id: placed.value.id, lines: placed.value.lines.map(({ sku, quantity: count }) => ({ sku, quantity: count })) });
        } else if (kind === 8 && order !== undefined) drop.run((state, now, hashing) => decideConfirm(state, order.id, `pay_${index}`, now, hashing));
        else if (kind === 9 && order !== undefined) drop.run((state, now, hashing) => (pick % 2 === 0 ? decideFail(state, order.id, now, hashing) : decideRestock(state, { order: order.id, refund: `ref_${index}`, lines: order.lines }, now, hashing)));
        else if (kind === 10) drop.run((state, now, hashing) => decideControl(state, { kind: "extend", stage: 2 + (pick % 2), byMs: quantity * MINUTE }, "desk", now, hashing));
        drop.readAt(drop.now);
        check();
        for (const sku of ["TEE", "PIN"]) {
          expect(kept(drop, sku).filter((part) => part.units > 0)).toEqual(ledger.lanes.map((of) => ({ lane: of, units: ledger.kept(sku, of, drop.now) })).filter((part) => part.units > 0));
          expect(unitsFor(drop.state, planOf(drop), sku, "open", drop.now)).toBeGreaterThanOrEqual(0);
          for (const of of ["local", "member"]) expect(units(drop, of, sku)).toBeGreaterThanOrEqual(units(drop, "open", sku));
        }
        expect(Object.fromEntries(recount(drop.state.holds.values()).takenInLanes)).toEqual(Object.fromEntries(drop.state.counters.takenInLanes));
      }
      // After the last lapse everything is everyone's.
      drop.readAt(T0 + 239 * MINUTE);
      check();
      for (const sku of ["TEE", "PIN"]) expect(units(drop, "open", sku)).toBe(ledger.available(sku, drop.now));
    }), { numRuns: 150 });
    expect([refusedForReserve > 25, held > 250]).toEqual([true, true]);
  }, 30_000);
});
