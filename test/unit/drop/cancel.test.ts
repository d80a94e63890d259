import { describe, expect, test } from "vitest";
import { awaitedReturns, decideControl } from "../../../src/drop/controls.ts";
import { decideConfirm, decideRestock } from "../../../src/drop/payments.ts";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { MINUTE, T0, TestDrop } from "./cast.ts";

const CLOSES_AT = T0 + 240 * MINUTE;
const DAY = 24 * 60 * MINUTE;

/** A drop with two paid orders, cancelled a minute before its end. */
function cancelled(): { drop: TestDrop; orders: readonly PlacedOrder[] } {
  const drop = new TestDrop().open();
  const orders = [drop.ordered("ana", 2), drop.ordered("ben", 1)];
  for (const { id } of orders) drop.run((state, now, hashing) => decideConfirm(state, id, `pay of ${id}`, now, hashing));
  drop.held(drop.sit("cem"));
  drop.now = CLOSES_AT - MINUTE;
  drop.run((state, now, hashing) => decideControl(state, { kind: "cancel" }, "desk", now, hashing));
  return { drop, orders };
}

const paidBack = (drop: TestDrop, { id, lines }: PlacedOrder) =>
  drop.run((state, now, hashing) => decideRestock(state, { order: id, refund: `cancelled:${id}`, lines: lines.map(({ sku, quantity }) => ({ sku, quantity })) }, now, hashing));
const closeOf = (drop: TestDrop) => drop.record.find(({ kind }) => kind === "close");

describe("the books of a cancelled drop", () => {
  test("wait until every unit that was paid back is back, and then say that nothing was sold", () => {
    const { drop, orders } = cancelled();
    expect(awaitedReturns(drop.state)).toEqual({ orders: orders.map(({ id }) => id), until: CLOSES_AT - MINUTE + DAY });
    drop.readAt(CLOSES_AT + 60 * MINUTE);
    expect(closeOf(drop)).toBeUndefined();
    for (const order of orders) paidBack(drop, order);
    expect(awaitedReturns(drop.state)?.orders).toEqual([]);
    expect(closeOf(drop)).toMatchObject({ sold: [{ sku: "MOTH", quantity: 0 }], unsold: [{ sku: "MOTH", quantity: 10 }], withheld: [{ sku: "MOTH", quantity: 0 }] });
  });

  test("do not close before the end that was published, although everything is back", () => {
    const { drop, orders } = cancelled();
    for (const order of orders) paidBack(drop, order);
    drop.readAt(CLOSES_AT - 1);
    expect(closeOf(drop)).toBeUndefined();
    drop.readAt(CLOSES_AT);
    expect(closeOf(drop)).toBeDefined();
  });

  test("wait for a day at the most, and name the order whose refund could not be made, then and afterwards", () => {
    const { drop, orders: [ana, ben] } = cancelled();
    if (ana === undefined || ben === undefined) throw new Error("there are two orders");
    paidBack(drop, ana);
    drop.readAt(CLOSES_AT - MINUTE + DAY - 1);
    expect(closeOf(drop)).toBeUndefined();
    drop.readAt(CLOSES_AT - MINUTE + DAY);
    expect(closeOf(drop)).toMatchObject({ sold: [{ sku: "MOTH", quantity: 1 }], unsold: [{ sku: "MOTH", quantity: 9 }] });
    expect(awaitedReturns(drop.state)?.orders).toEqual([ben.id]);
  });

  test("of a drop that was not cancelled wait for nobody", () => {
    const drop = new TestDrop().open();
    const order = drop.ordered("ana", 2);
    drop.run((state, now, hashing) => decideConfirm(state, order.id, "pay", now, hashing));
    expect(awaitedReturns(drop.state)).toBeNull();
    drop.readAt(CLOSES_AT);
    expect(closeOf(drop)).toMatchObject({ sold: [{ sku: "MOTH", quantity: 2 }] });
  });
});
