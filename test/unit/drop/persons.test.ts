import { describe, expect, test } from "vitest";
import type { Sitting } from "../../../src/drop/port.ts";
import { AT_ONCE, MINUTE, TestDrop } from "./cast.ts";

/** The sitting of a ticket whose address was proven. */
function sitAs(drop: TestDrop, name: string, person: string): Sitting {
  const answer = drop.claim({ ...drop.ticket(name), person });
  if (!answer.ok || answer.value.state !== "admitted") throw new Error(`${name} was not admitted`);
  return answer.value.sitting;
}

describe("a person who is known when they hold", () => {
  test("has the limit over holds and orders of all their tickets, and a refused hold consumes nothing", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const [phone, laptop] = [sitAs(drop, "phone", "ana"), sitAs(drop, "laptop", "ana")];
    drop.held(phone, 1);
    expect(drop.hold(laptop, 2)).toEqual({ ok: false, rejection: { code: "limit_reached", limit: 2 } });
    const second = drop.held(laptop, 1);
    expect(drop.hold(phone, 1)).toEqual({ ok: false, rejection: { code: "limit_reached", limit: 2 } });
    expect(drop.placed(laptop, second, { person: "ana" }).lines).toHaveLength(1);
    expect(drop.hold(phone, 1)).toEqual({ ok: false, rejection: { code: "limit_reached", limit: 2 } });
    expect(drop.unitsHeld()).toBe(2);
  });

  test("may place what fills the limit, change a hold for another, and hold again what ran out", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const sitting = sitAs(drop, "phone", "ana");
    const first = drop.held(sitting, 2);
    const instead = drop.held(sitting, 2, { replaces: first.id });
    drop.readAt(instead.expiresAt);
    expect(drop.holdRow(instead.id).state).toBe("expired");
    // Whoever lets a hold run out waits a while for the next turn.
    drop.readAt(instead.expiresAt + 20 * MINUTE);
    const other = sitAs(drop, "laptop", "ana");
    expect(drop.place(other, drop.held(other, 2), { person: "ana" }).ok).toBe(true);
  });

  test("orders with the address that the place belongs to, and keeps the hold when another was named", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const sitting = sitAs(drop, "phone", "ana");
    const hold = drop.held(sitting);
    expect(drop.place(sitting, hold, { person: "ben" })).toEqual({ ok: false, rejection: { code: "identity_differs" } });
    expect(drop.holdRow(hold.id).state).toBe("held");
    expect(drop.place(sitting, hold, { person: "ana" }).ok).toBe(true);
  });

  test("is not asked for where the ticket belongs to nobody in particular", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const sitting = drop.sit("ana");
    expect(drop.place(sitting, drop.held(sitting), { person: "whoever" }).ok).toBe(true);
  });
});
