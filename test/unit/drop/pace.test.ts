import { expect, test } from "vitest";
import { checkoutPace } from "../../../src/drop/pace.ts";
import { decideConfirm } from "../../../src/drop/payments.ts";
import { MINUTE, TestDrop } from "./cast.ts";

test("the time to checkout is the median from admission to the sale, and only sales count", () => {
  const drop = new TestDrop().open();
  expect(checkoutPace(drop.state)).toEqual({ orders: 0, medianMs: null });
  const orders = ["ana", "ben", "cy"].map((name) => drop.ordered(name));
  const openedAt = drop.now;
  for (const [index, minutes] of [1, 2, 4].entries()) {
    drop.now = openedAt + minutes * MINUTE;
    const order = orders[index]?.id ?? "";
    drop.run((state, now, hashing) => decideConfirm(state, order, `pay_${order}`, now, hashing));
    const medians = [1, 1.5, 2];
    expect(checkoutPace(drop.state)).toEqual({ orders: index + 1, medianMs: (medians[index] ?? 0) * MINUTE });
  }
  drop.ordered("dee");
  expect(checkoutPace(drop.state).orders).toBe(3);
});
