import { describe, expect, test } from "vitest";
import { decideControl } from "../../../src/drop/controls.ts";
import { decideConfirm, decideFail, decideProcessing, decideRestock } from "../../../src/drop/payments.ts";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import type { Line } from "../../../src/drop/port.ts";
import { AT_ONCE, MINUTE, T0, TestDrop } from "./cast.ts";

const one = { stock: [{ sku: "MOTH", quantity: 1 }], ...AT_ONCE };
const confirm = (drop: TestDrop, order: PlacedOrder, payment = `pay of ${order.id}`) =>
  drop.run((state, now, hashing) => decideConfirm(state, order.id, payment, now, hashing));
const processing = (drop: TestDrop, order: PlacedOrder) => drop.run((state) => decideProcessing(state, order.id));
const restock = (drop: TestDrop, order: PlacedOrder, refund: string, lines: readonly Line[]) =>
  drop.run((state, now, hashing) => decideRestock(state, { order: order.id, refund, lines }, now, hashing));
const outboxKinds = (drop: TestDrop) => [...drop.state.outbox.values()].map((message) => message.kind);

describe("an order", () => {
  test("is priced by the plan, and a retry of it gets the first answer while another body is refused", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const ana = drop.sit("ana");
    const hold = drop.held(ana, 2);
    const first = drop.place(ana, hold, { id: "ord_same" });
    expect(first).toMatchObject({ ok: true, value: { totalMinor: 8400, currency: "EUR", planHash: drop.record[0]?.hash } });
    drop.now += 1;
    expect(drop.place(ana, hold, { id: "ord_same" })).toEqual(first);
    expect(drop.place(ana, hold, { id: "ord_same", email: "eve@nightjar.example" })).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(drop.place(ana, hold)).toEqual({ ok: false, rejection: { code: "order_placed" } });
    expect(outboxKinds(drop)).toEqual(["order_placed"]);
  });

  test("can be placed up to the last millisecond of its hold and not at its end, even when no alarm has run", () => {
    for (const [late, isPlaced] of [[-1, true], [0, false]] as const) {
      const drop = new TestDrop(one).open();
      const ana = drop.sit("ana");
      const hold = drop.held(ana);
      drop.now = hold.expiresAt + late;
      const answer = drop.place(ana, hold);
      expect(answer.ok).toBe(isPlaced);
      if (!answer.ok) expect(answer.rejection).toEqual({ code: "hold_expired" });
    }
  });

  test("somebody else's hold reads as not found", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const hold = drop.held(drop.sit("ana"));
    expect(drop.place(drop.sit("ben"), hold)).toEqual({ ok: false, rejection: { code: "not_found" } });
  });

  test("a person is counted over all of their tickets, and the order over the limit gives its hold back", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const [ana, alias] = [drop.sit("ana"), drop.sit("ana-again")];
    drop.placed(ana, drop.held(ana, 2), { person: "ana" });
    const hold = drop.held(alias);
    expect(drop.place(alias, hold, { person: "ana" })).toEqual({ ok: false, rejection: { code: "limit_reached", limit: 2 } });
    // The answer was lost, and the browser asks again.
    expect(drop.place(alias, hold, { person: "ana" })).toEqual({ ok: false, rejection: { code: "limit_reached", limit: 2 } });
    expect(drop.holdRow(hold.id).state).toBe("abandoned");
    expect(drop.unitsHeld()).toBe(2);
  });
});

describe("the time to pay", () => {
  test("is at least five minutes, and the till closes half a minute before the goods go back", () => {
    const drop = new TestDrop(one).open();
    const ana = drop.sit("ana");
    const hold = drop.held(ana);
    drop.now = hold.expiresAt - 1_000;
    const order = drop.placed(ana, hold);
    expect(order.payBy).toBe(drop.now + 5 * MINUTE);
    drop.readAt(order.payBy - 1);
    expect(outboxKinds(drop)).toEqual(["order_placed"]);
    drop.readAt(order.payBy);
    expect(outboxKinds(drop)).toEqual(["order_placed", "payment_due"]);
    drop.readAt(order.payBy + 29_999);
    expect(drop.unitsHeld()).toBe(1);
    drop.readAt(order.payBy + 30_000);
    expect(drop.unitsHeld()).toBe(0);
    expect(outboxKinds(drop)).toEqual(["order_placed", "payment_due", "order_expired"]);
    expect(drop.record.at(-1)).toMatchObject({ kind: "expire", quantity: 1 });
  });

  test("a payment that is processing extends it once, to fifteen minutes after placing, and the till closes again", () => {
    const drop = new TestDrop(one).open();
    const order = drop.ordered("ana");
    drop.readAt(order.payBy);
    expect(processing(drop, order)).toBe(order.placedAt + 15 * MINUTE);
    drop.readAt(order.payBy + MINUTE);
    expect(drop.unitsHeld()).toBe(1);
    expect(processing(drop, order)).toBe(order.placedAt + 15 * MINUTE);
    drop.readAt(order.placedAt + 15 * MINUTE);
    expect([...drop.state.outbox.values()].filter((message) => message.kind === "payment_due")).toHaveLength(2);
    drop.readAt(order.placedAt + 15 * MINUTE + 30_000);
    expect(drop.unitsHeld()).toBe(0);
    expect(processing(drop, { ...order, id: "ord_unknown" })).toBeNull();
  });

  test("a confirmation one millisecond before the units come back wins", () => {
    const drop = new TestDrop(one).open();
    const order = drop.ordered("ana");
    drop.now = order.payBy + 29_999;
    expect(confirm(drop, order)).toEqual({ verdict: "sold", at: drop.now });
    drop.readAt(T0 + 60 * MINUTE);
    expect([drop.unitsHeld(), drop.unitsSold()]).toEqual([0, 1]);
  });

  test("late money takes the unit again when it is free, in the record as a hold and a sale", () => {
    const drop = new TestDrop(one).open();
    const order = drop.ordered("ana");
    drop.readAt(order.payBy + 30_000);
    expect(confirm(drop, order).verdict).toBe("sold");
    expect(drop.kinds().slice(-3)).toEqual(["expire", "hold", "sell"]);
    expect(drop.unitsSold()).toBe(1);
  });

  test("late money is refused when somebody else has the unit, and stays refused when the unit comes back", () => {
    const drop = new TestDrop(one).open();
    const order = drop.ordered("ana");
    drop.now = order.payBy + 30_000;
    const ben = drop.sit("ben");
    const hold = drop.held(ben);
    const refused = confirm(drop, order, "pay_late");
    expect(refused.verdict).toBe("refused");
    drop.readAt(hold.expiresAt);
    expect(drop.unitsHeld()).toBe(0);
    expect(confirm(drop, order, "pay_late")).toEqual(refused);
    expect(drop.unitsSold()).toBe(0);
  });

  test("late money does not take a person over the limit", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const order = drop.ordered("ana", 2);
    drop.now = order.payBy + 2 * MINUTE;
    const again = drop.sit("ana");
    drop.placed(again, drop.held(again, 2));
    expect(confirm(drop, order).verdict).toBe("refused");
  });

  test("a second payment for an order that is sold is refused, and the first one's retry is not", () => {
    const drop = new TestDrop(one).open();
    const order = drop.ordered("ana");
    const sold = confirm(drop, order, "pay_1");
    drop.now += 1_000;
    expect(confirm(drop, order, "pay_2").verdict).toBe("refused");
    expect(confirm(drop, order, "pay_1")).toEqual(sold);
    expect(drop.kinds().filter((kind) => kind === "sell")).toHaveLength(1);
  });

  test("an order that failed gives its units back at once, once", () => {
    const drop = new TestDrop(one).open();
    const order = drop.ordered("ana");
    const fail = () => drop.run((state, now, hashing) => decideFail(state, order.id, now, hashing));
    fail();
    fail();
    expect(drop.kinds().filter((kind) => kind === "void")).toHaveLength(1);
    expect(drop.hold(drop.sit("ben")).ok).toBe(true);
  });
});

describe("units of a refunded order", () => {
  test("come back once per refund, never more than were sold, and no longer count against the person", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const order = drop.ordered("ana", 2);
    confirm(drop, order);
    expect(restock(drop, order, "ref_1", [{ sku: "MOTH", quantity: 1 }])).toBe("restocked");
    expect(restock(drop, order, "ref_1", [{ sku: "MOTH", quantity: 1 }])).toBe("restocked");
    expect(restock(drop, order, "ref_2", [{ sku: "MOTH", quantity: 2 }])).toBe("more_than_was_sold");
    expect(drop.unitsSold()).toBe(1);
    drop.now += 9 * MINUTE;
    expect(drop.hold(drop.sit("ana"), 1).ok).toBe(true);
    expect(restock(drop, order, "ref_3", [{ sku: "MOTH", quantity: 1 }])).toBe("restocked");
    expect(drop.unitsSold()).toBe(0);
  });

  test("do not move any more once the books are closed", () => {
    const drop = new TestDrop(one).open();
    const order = drop.ordered("ana");
    confirm(drop, order);
    drop.readAt(T0 + 240 * MINUTE);
    const rows = drop.record.length;
    expect(drop.record.at(-1)?.kind).toBe("close");
    expect(restock(drop, order, "ref_1", [{ sku: "MOTH", quantity: 1 }])).toBe("restocked");
    expect(drop.record).toHaveLength(rows);
  });
});

describe("coupons", () => {
  const terms = { id: "berlin-night", percentOff: 10, region: "berlin", validFrom: T0, validUntil: T0 + 60 * MINUTE, uses: 3, typed: null };
  const coupon = { campaign: "berlin-night", voucher: "v1", voucherUses: null, region: "berlin" };
  const campaign = { ...AT_ONCE, stock: [{ sku: "MOTH", quantity: 50 }], campaigns: [terms] };
  const placeWith = (drop: TestDrop, name: string, changes: object = {}) => {
    const sitting = drop.sit(name);
    return drop.place(sitting, drop.held(sitting), { coupon: { ...coupon, ...changes } });
  };

  test("a campaign is spent exactly as often as it may be", () => {
    const drop = new TestDrop(campaign).open();
    const answers = Array.from({ length: 20 }, (_, index) => placeWith(drop, `buyer-${index}`));
    expect(answers.filter((answer) => answer.ok && answer.value.discountMinor === 420)).toHaveLength(3);
    expect(answers.filter((answer) => !answer.ok && answer.rejection.code === "coupon_used_up")).toHaveLength(17);
  });

  test("a voucher's own uses bound it within its campaign", () => {
    const drop = new TestDrop(campaign).open();
    expect(placeWith(drop, "ana", { voucherUses: 1 }).ok).toBe(true);
    expect(placeWith(drop, "ben", { voucherUses: 1 })).toEqual({ ok: false, rejection: { code: "coupon_used_up" } });
    expect(placeWith(drop, "cy", { voucherUses: 1, voucher: "v2" }).ok).toBe(true);
  });

  test("unknown, foreign, early and late coupons get one answer, and the hold stays", () => {
    const drop = new TestDrop(campaign).open();
    expect(placeWith(drop, "ana", { campaign: "lyon-night" })).toEqual({ ok: false, rejection: { code: "coupon_invalid" } });
    expect(placeWith(drop, "ben", { region: "lyon" })).toEqual({ ok: false, rejection: { code: "coupon_invalid" } });
    drop.now = terms.validUntil;
    expect(placeWith(drop, "cy")).toEqual({ ok: false, rejection: { code: "coupon_invalid" } });
    expect(drop.unitsHeld()).toBe(1);
  });

  test("it is given back when the order runs out, not when it is refunded, and late money must find it unspent", () => {
    const drop = new TestDrop({ ...campaign, campaigns: [{ ...terms, uses: 1 }] }).open();
    const first = placeWith(drop, "ana");
    if (!first.ok) throw new Error("the first coupon is spent");
    drop.now = first.value.payBy + 30_000;
    const second = placeWith(drop, "ben");
    if (!second.ok) throw new Error("the coupon came back");
    expect(confirm(drop, first.value).verdict).toBe("refused");
    expect(confirm(drop, second.value).verdict).toBe("sold");
    restock(drop, second.value, "ref_1", [{ sku: "MOTH", quantity: 1 }]);
    expect(placeWith(drop, "cy")).toEqual({ ok: false, rejection: { code: "coupon_used_up" } });
  });
});

describe("a cancelled drop", () => {
  test("gives everything held back, owes every order a void or a refund, refuses money, and closes with what was withheld", () => {
    const drop = new TestDrop().open();
    const sold = drop.ordered("ana");
    confirm(drop, sold);
    const placed = drop.ordered("ben");
    const hold = drop.held(drop.sit("cy"));
    const cancel = () => drop.run((state, now, hashing) => decideControl(state, { kind: "cancel" }, "desk", now, hashing));
    expect(cancel().ok).toBe(true);
    const rows = drop.record.length;
    expect(cancel().ok).toBe(true);
    expect(drop.record).toHaveLength(rows);
    expect(drop.holdRow(hold.id).state).toBe("voided");
    expect([...drop.state.outbox.values()].filter((message) => message.kind === "order_cancelled").map((message) => message.order).toSorted()).toEqual([sold.id, placed.id].toSorted());
    expect(confirm(drop, placed).verdict).toBe("refused");
    restock(drop, sold, "ref_1", [{ sku: "MOTH", quantity: 1 }]);
    drop.readAt(T0 + 240 * MINUTE);
    expect(drop.record.at(-1)).toMatchObject({
      kind: "close", sold: [{ sku: "MOTH", quantity: 0 }], unsold: [{ sku: "MOTH", quantity: 4 }], withheld: [{ sku: "MOTH", quantity: 6 }],
    });
  });
});
