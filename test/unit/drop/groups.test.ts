import { describe, expect, test } from "vitest";
import { decideConfirm } from "../../../src/drop/payments.ts";
import type { PlanSource } from "../../../src/drop/plan.ts";
import type { Sitting } from "../../../src/drop/port.ts";
import { AT_ONCE, MINUTE, T0, TestDrop } from "./cast.ts";

const TERMS: Partial<PlanSource> = { ...AT_ONCE, groupMax: 4, limitPerPerson: 2, stock: [{ sku: "MOTH", quantity: 40 }] };

/** The sitting of so many people with one ticket, which is `person`'s. */
function sitTogether(drop: TestDrop, name: string, people: number, person = name): Sitting {
  const answer = drop.claim({ ...drop.ticket(name, [{ sku: "MOTH", quantity: 2 * people }]), person, ...(people === 1 ? {} : { people }) });
  if (!answer.ok || answer.value.state !== "admitted") throw new Error(`${name} was not admitted`);
  return answer.value.sitting;
}

const reached = (limit: number) => ({ ok: false, rejection: { code: "limit_reached", limit } });

describe("people who stand in line together", () => {
  test("have in one turn what each of them might have had, and not one more, in however many holds", () => {
    const drop = new TestDrop(TERMS).open();
    const three = sitTogether(drop, "ana", 3);
    expect(drop.hold(three, 7)).toEqual({ ok: false, rejection: { code: "quantity_not_allowed", pointer: "/lines/0/quantity", max: 6, people: 3 } });
    const first = drop.held(three, 4);
    expect(drop.hold(three, 3)).toEqual(reached(6));
    drop.held(three, 2);
    expect(drop.hold(three, 1)).toEqual(reached(6));
    expect(drop.hold(three, 5, { replaces: first.id })).toEqual(reached(6));
    expect(drop.unitsHeld()).toBe(6);
  });

  test("leave whoever stands alone with the limit of one, in the same drop", () => {
    const drop = new TestDrop(TERMS).open();
    sitTogether(drop, "ana", 4);
    const alone = sitTogether(drop, "ben", 1);
    expect(drop.hold(alone, 3)).toEqual({ ok: false, rejection: { code: "quantity_not_allowed", pointer: "/lines/0/quantity", max: 2 } });
    drop.held(alone, 2);
    expect(drop.hold(alone, 1)).toEqual(reached(2));
  });

  test("order under their owner's address up to their limit, over all their turns, and under nobody else's", () => {
    const drop = new TestDrop(TERMS).open();
    const three = sitTogether(drop, "ana", 3);
    const hold = drop.held(three, 4);
    expect(drop.place(three, hold, { person: "ben" })).toEqual({ ok: false, rejection: { code: "identity_differs" } });
    const order = drop.placed(three, hold, { person: "ana" });
    drop.run((state, now, hashing) => decideConfirm(state, order.id, "pay_1", now, hashing));
    drop.readAt(drop.now + 30 * MINUTE);
    const again = sitTogether(drop, "ana", 3);
    expect(drop.hold(again, 3)).toEqual(reached(6));
    const rest = drop.held(again, 2);
    expect(drop.placed(again, rest, { person: "ana" }).lines).toMatchObject([{ quantity: 2 }]);
    expect(drop.hold(again, 1)).toEqual(reached(6));
  });

  test("get late money's units again within their limit", () => {
    const drop = new TestDrop(TERMS).open();
    const three = sitTogether(drop, "ana", 3);
    const hold = drop.held(three, 6);
    const order = drop.placed(three, hold, { person: "ana" });
    drop.readAt(order.payBy + MINUTE);
    expect(drop.holdRow(hold.id).state).toBe("expired");
    expect(drop.run((state, now, hashing) => decideConfirm(state, order.id, "pay_late", now, hashing))).toMatchObject({ verdict: "sold" });
  });

  test("stand in the record with their number, and whoever is alone without one", () => {
    const drop = new TestDrop(TERMS).open();
    sitTogether(drop, "ana", 3);
    sitTogether(drop, "ben", 1);
    expect(drop.record[0]).toMatchObject({ kind: "plan", group: 4, limitPerPerson: 2 });
    const admitted = drop.record.filter(({ kind }) => kind === "admit");
    expect(admitted.map((row) => "people" in row ? row["people"] : null)).toEqual([3, null]);
    const plain = new TestDrop(AT_ONCE).open();
    expect(plain.record[0]).not.toHaveProperty("group");
  });

  test("are never more than the plan lets stand together, whatever a ticket says", () => {
    const drop = new TestDrop(TERMS).open();
    expect(() => sitTogether(drop, "ana", 5)).toThrow("no ticket stands for more people");
    const plain = new TestDrop(AT_ONCE).open(T0);
    expect(() => sitTogether(plain, "ana", 2)).toThrow("no ticket stands for more people");
  });
});
