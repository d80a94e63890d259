import { describe, expect, test } from "vitest";
import { decideAbandon, holdFor } from "../../../src/drop/holds.ts";
import { decideServe } from "../../../src/drop/line.ts";
import { decideConfirm } from "../../../src/drop/payments.ts";
import { AT_ONCE, MINUTE, T0, TestDrop } from "./cast.ts";

const one = { stock: [{ sku: "MOTH", quantity: 1 }], ...AT_ONCE };

describe("a hold", () => {
  test("one millisecond before the opening it is refused with the opening, and at the opening it is taken", () => {
    const drop = new TestDrop({ shards: 1 });
    drop.readAt(T0 - 1);
    const nobody = { id: "pas_x", entry: "e", admittedAt: 0, expiresAt: 0 };
    expect(drop.hold(nobody)).toEqual({ ok: false, rejection: { code: "drop_not_open", opensAt: T0 } });
    drop.open(T0);
    expect(drop.hold(drop.sit("ana")).ok).toBe(true);
  });

  test("a thousand buyers for the last unit: exactly one has it, and the refused learn when more comes", () => {
    const drop = new TestDrop({ ...one, stock: [{ sku: "MOTH", quantity: 2 }], stages: [{ sharePercent: 50, afterMs: 0 }, { sharePercent: 50, afterMs: MINUTE }] }).open();
    const sittings = Array.from({ length: 1_000 }, (_, index) => drop.sit(`buyer-${index}`));
    const answers = sittings.map((sitting) => drop.hold(sitting));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
    const refused = answers.filter((answer) => !answer.ok);
    expect(refused).toHaveLength(999);
    expect(refused.every((answer) => !answer.ok && answer.rejection.code === "sold_out" && answer.rejection.nextStageAt === T0 + MINUTE && answer.rejection.available === 0)).toBe(true);
    expect(drop.unitsHeld()).toBe(1);
  });

  test("it ends in its own millisecond: one before, the unit is taken; at it, the next person has it, and no alarm ran", () => {
    const drop = new TestDrop(one).open();
    const ana = drop.sit("ana");
    const ben = drop.sit("ben");
    // Ben's window must outlast Ana's hold, so he sits again when it ends.
    const hold = drop.held(ana);
    drop.now = hold.expiresAt - 1;
    const benAgain = drop.sit("ben");
    expect(benAgain.id).not.toBe(ben.id);
    expect(drop.hold(benAgain)).toMatchObject({ ok: false, rejection: { code: "sold_out" } });
    drop.now = hold.expiresAt;
    expect(drop.hold(benAgain).ok).toBe(true);
    expect(drop.holdRow(hold.id).state).toBe("expired");
  });

  test("the first accepted hold fixes the end for all holds of the sitting, and replacing never moves it", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const ana = drop.sit("ana");
    const first = drop.held(ana);
    drop.now += 3 * MINUTE;
    const second = drop.held(ana, 2, { replaces: first.id });
    expect(second.expiresAt).toBe(first.expiresAt);
    expect(drop.holdRow(first.id).state).toBe("abandoned");
    expect(drop.unitsHeld()).toBe(2);
    drop.now = first.expiresAt;
    expect(drop.hold(ana)).toEqual({ ok: false, rejection: { code: "pass_expired" } });
  });

  test("a retry gets the first answer, another body under the id is refused, and another person learns nothing", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const ana = drop.sit("ana");
    const ben = drop.sit("ben");
    const first = drop.hold(ana, 1, { id: "hld_same" });
    const rows = drop.record.length;
    expect(drop.hold(ana, 1, { id: "hld_same" })).toEqual(first);
    expect(drop.hold(ana, 2, { id: "hld_same" })).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(drop.hold(ben, 1, { id: "hld_same" })).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(holdFor(drop.state, "hld_same", ben.entry)).toBeNull();
    expect(drop.run((state, now, hashing) => decideAbandon(state, "hld_same", ben.entry, now, hashing))).toEqual({ ok: false, rejection: { code: "not_found" } });
    expect(drop.record).toHaveLength(rows);
  });

  test("fifty requests of one person with a limit of two hold exactly two units, and refused ones consume nothing", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const ana = drop.sit("ana");
    const answers = Array.from({ length: 50 }, () => drop.hold(ana));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(2);
    expect(answers.filter((answer) => !answer.ok && answer.rejection.code === "limit_reached")).toHaveLength(48);
    expect(drop.unitsHeld()).toBe(2);
  });

  test("what a person ordered in one sitting counts in the next, and what ran out does not", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const ana = drop.sit("ana");
    const bought = drop.held(ana, 1);
    const ranOut = drop.held(ana, 1);
    const order = drop.placed(ana, bought);
    drop.run((state, now, hashing) => decideConfirm(state, order.id, "pay_1", now, hashing));
    drop.now = ranOut.expiresAt + MINUTE;
    const again = drop.sit("ana");
    expect(drop.holdRow(ranOut.id).state).toBe("expired");
    expect(drop.hold(again, 2)).toMatchObject({ ok: false, rejection: { code: "limit_reached" } });
    expect(drop.hold(again, 1).ok).toBe(true);
  });

  test("quantities that no drop allows and unknown skus are refused with a pointer, and nothing is held", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const ana = drop.sit("ana");
    for (const quantity of [0, -1, 1.5, 3, Number.NaN, 2 ** 53]) {
      expect(drop.hold(ana, quantity)).toEqual({ ok: false, rejection: { code: "quantity_not_allowed", pointer: "/lines/0/quantity", max: 2 } });
    }
    expect(drop.hold(ana, [])).toMatchObject({ ok: false, rejection: { code: "quantity_not_allowed", pointer: "/lines" } });
    expect(drop.hold(ana, [{ sku: "MOTH", quantity: 2 }, { sku: "MOTH", quantity: 1 }])).toMatchObject({ ok: false, rejection: { pointer: "/lines" } });
    expect(drop.hold(ana, [{ sku: "MOTH", quantity: 1 }, { sku: "WASP", quantity: 1 }])).toEqual({ ok: false, rejection: { code: "unknown_sku", pointer: "/lines/1/sku" } });
    expect(drop.unitsHeld()).toBe(0);
  });

  test("without a sitting of one's own, or after it ended, nothing is held", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const ana = drop.sit("ana");
    const ben = drop.ticket("ben");
    expect(drop.hold({ ...ana, id: "pas_none" })).toEqual({ ok: false, rejection: { code: "not_admitted" } });
    expect(drop.hold({ ...ana, entry: ben.entry })).toEqual({ ok: false, rejection: { code: "not_admitted" } });
    drop.now = ana.expiresAt;
    expect(drop.hold(ana)).toEqual({ ok: false, rejection: { code: "pass_expired" } });
  });

  test("a sku whose line has not come so far is not admitted, though another one of the person's is", () => {
    const skus = ["MOTH", "WASP"];
    const drop = new TestDrop({
      ...AT_ONCE, admit: "paced", stock: skus.map((sku) => ({ sku, quantity: 5 })),
      items: skus.map((sku) => ({ sku, title: sku, priceMinor: 100, components: [{ sku, quantity: 1 }] })),
    }).open();
    drop.run((state, now) => decideServe(state, [{ shard: 0, sku: "MOTH", lane: "open", after: null, waiting: [{ rank: `0${"f".repeat(32)}`, quantity: 1 }], completeTo: "1" }], now));
    const ana = drop.sit("ana", skus.map((sku) => ({ sku, quantity: 1 })));
    expect(drop.hold(ana, [{ sku: "MOTH", quantity: 1 }, { sku: "WASP", quantity: 1 }])).toEqual({ ok: false, rejection: { code: "not_admitted" } });
    expect(drop.hold(ana, [{ sku: "MOTH", quantity: 1 }]).ok).toBe(true);
  });

  test("a hold that swaps itself for a larger one is refused whole when the units are not there, and keeps what it had", () => {
    const drop = new TestDrop(one).open();
    const ana = drop.sit("ana");
    const first = drop.held(ana);
    expect(drop.hold(ana, 2, { replaces: first.id })).toMatchObject({ ok: false, rejection: { code: "sold_out", available: 1 } });
    expect(drop.holdRow(first.id).state).toBe("held");
    expect(drop.hold(ana, 1, { replaces: first.id }).ok).toBe(true);
    expect(drop.unitsHeld()).toBe(1);
  });

  test("the end of one hold among thousands is found without looking at the others", () => {
    const drop = new TestDrop({ ...AT_ONCE, stock: [{ sku: "MOTH", quantity: 2_000 }] }).open();
    for (let index = 0; index < 2_000; index++) {
      drop.now = T0 + index;
      drop.held(drop.sit(`p${index}`));
    }
    let looks = 0;
    const get = drop.state.holds.get.bind(drop.state.holds);
    drop.state.holds.get = (id) => {
      looks++;
      return get(id);
    };
    for (const ended of [1, 2, 3]) {
      drop.readAt(T0 + 8 * MINUTE + ended - 1);
      expect(drop.unitsHeld()).toBe(2_000 - ended);
    }
    expect(looks).toBeLessThan(50);
    drop.readAt(T0 + 8 * MINUTE + 2_000);
    expect([drop.unitsHeld(), drop.kinds().filter((kind) => kind === "expire").length]).toEqual([0, 2_000]);
  });

  test("giving a hold up twice is one row, and the unit is free at once", () => {
    const drop = new TestDrop(one).open();
    const ana = drop.sit("ana");
    const hold = drop.held(ana);
    const abandon = () => drop.run((state, now, hashing) => decideAbandon(state, hold.id, ana.entry, now, hashing));
    expect(abandon()).toMatchObject({ ok: true, value: { state: "abandoned" } });
    expect(abandon()).toMatchObject({ ok: true, value: { state: "abandoned" } });
    expect(drop.kinds().filter((kind) => kind === "abandon")).toHaveLength(1);
    expect(drop.hold(drop.sit("ben")).ok).toBe(true);
  });
});

describe("items that share a component", () => {
  const shared = {
    ...AT_ONCE, limitPerPerson: 4, stock: [{ sku: "TEE", quantity: 3 }, { sku: "PIN", quantity: 10 }],
    items: [
      { sku: "TEE", title: "Tee", priceMinor: 100, components: [{ sku: "TEE", quantity: 1 }] },
      { sku: "SET", title: "Tee and two pins", priceMinor: 150, components: [{ sku: "TEE", quantity: 1 }, { sku: "PIN", quantity: 2 }] },
    ],
  };
  const wants = [{ sku: "TEE", quantity: 1 }, { sku: "SET", quantity: 1 }];

  test("two lines of one cart are summed per component before they are checked", () => {
    const drop = new TestDrop(shared).open();
    const ana = drop.sit("ana", wants);
    expect(drop.hold(ana, [{ sku: "TEE", quantity: 2 }, { sku: "SET", quantity: 2 }])).toMatchObject({ ok: false, rejection: { code: "sold_out" } });
    expect(drop.unitsHeld("TEE")).toBe(0);
    expect(drop.hold(ana, [{ sku: "TEE", quantity: 1 }, { sku: "SET", quantity: 2 }]).ok).toBe(true);
    expect([drop.unitsHeld("TEE"), drop.unitsHeld("PIN")]).toEqual([3, 4]);
  });

  test("a bundle's movements are one row per stock unit", () => {
    const drop = new TestDrop(shared).open();
    drop.held(drop.sit("ana", wants), [{ sku: "SET", quantity: 2 }]);
    const rows = drop.record.filter((row) => row.kind === "hold").map((row) => [row["sku"], row["quantity"]]);
    expect(rows).toEqual([["TEE", 2], ["PIN", 4]]);
  });
});
