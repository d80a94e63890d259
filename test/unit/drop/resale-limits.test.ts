import { describe, expect, test } from "vitest";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { DropBook } from "../../../src/drop/drop-book.ts";
import { decideConfirm, decideFail, decideRestock } from "../../../src/drop/payments.ts";
import { decidePlanChange } from "../../../src/drop/plan-change.ts";
import type { ResaleLimits } from "../../../src/drop/plan.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { AT_ONCE, MINUTE, source, TestDrop } from "./cast.ts";

const stock = [{ sku: "MOTH", quantity: 30 }];

function limited(limits: Partial<ResaleLimits>, quantity = 30): TestDrop {
  return new TestDrop({ ...AT_ONCE, stock: [{ sku: "MOTH", quantity }], limits: { address: null, card: null, ...limits } }).open();
}

const confirm = (drop: TestDrop, { id }: PlacedOrder, card: string | null, payment = `pay of ${id}`) =>
  drop.run((state, now, hashing) => decideConfirm(state, id, payment, now, hashing, card));

/** Somebody of their own orders to an address, or says why not. */
function sent(drop: TestDrop, name: string, quantity: number, destination: string) {
  const sitting = drop.sit(name);
  const hold = drop.held(sitting, quantity);
  return { hold, sitting, answer: drop.place(sitting, hold, { destination }) };
}

function sentOrder(drop: TestDrop, name: string, quantity: number, destination: string): PlacedOrder {
  const { answer } = sent(drop, name, quantity, destination);
  if (!answer.ok) throw new Error(`not placed: ${JSON.stringify(answer.rejection)}`);
  return answer.value;
}

/** What the rows say of the counters, and nothing that was counted on the way. */
function recounted({ state }: TestDrop) {
  const rows = { holds: [...state.holds.values()], sittings: [...state.sittings.values()], orders: [...state.orders.values()], verdicts: [...state.verdicts.values()], seals: [...state.seals.values()], thresholds: [], calls: [], outbox: [] };
  return new DropBook({ facts: state.facts, tail: state.tail, rows }, nodeHashing).state.counters;
}

function expectRecounted(drop: TestDrop): void {
  const { itemsByDestination, itemsByCard } = recounted(drop);
  expect([...drop.state.counters.itemsByDestination].toSorted()).toEqual([...itemsByDestination].toSorted());
  expect([...drop.state.counters.itemsByCard].toSorted()).toEqual([...itemsByCard].toSorted());
}

describe("what one address is sent", () => {
  test("is at most its limit, whoever orders: the order over it is refused and says whose limit it is, and its hold can go elsewhere", () => {
    const drop = limited({ address: 3 });
    sentOrder(drop, "ana", 2, "weser 12");
    const { sitting, hold, answer } = sent(drop, "ben", 2, "weser 12");
    expect(answer).toEqual({ ok: false, rejection: { code: "limit_reached", limit: 3, per: "address" } });
    expect(drop.holdRow(hold.id).state).toBe("held");
    expect(drop.place(sitting, hold, { destination: "weser 14" }).ok).toBe(true);
    expect(sent(drop, "cem", 1, "weser 12").answer.ok).toBe(true);
    expect(sent(drop, "dia", 1, "weser 12").answer.ok).toBe(false);
    expectRecounted(drop);
  });

  test("does not count what is picked up, what goes elsewhere, or anything where the plan has no limit", () => {
    const drop = limited({ address: 2 });
    sentOrder(drop, "ana", 2, "weser 12");
    for (const name of ["ben", "cem"]) drop.ordered(name, 2);
    expect(sent(drop, "dia", 2, "weser 14").answer.ok).toBe(true);
    const without = new TestDrop({ ...AT_ONCE, stock }).open();
    for (const name of ["ana", "ben", "cem"]) sentOrder(without, name, 2, "weser 12");
    expect(without.state.counters.itemsByDestination.get("weser 12")).toBe(6);
  });

  test("has room again when an order is not paid in time, fails or is returned, and not because it is paid", () => {
    const ends: Readonly<Record<string, (drop: TestDrop, order: PlacedOrder) => void>> = {
      "it is not paid": (drop, order) => drop.readAt(order.payBy + 30_000),
      "it fails": (drop, { id }) => drop.run((state, now, hashing) => decideFail(state, id, now, hashing)),
      "it is returned": (drop, order) => {
        confirm(drop, order, null);
        drop.run((state, now, hashing) => decideRestock(state, { order: order.id, refund: "ref_1", lines: [{ sku: "MOTH", quantity: 2 }] }, now, hashing));
      },
    };
    for (const [why, end] of Object.entries(ends)) {
      const drop = limited({ address: 2 });
      end(drop, sentOrder(drop, "ana", 2, "weser 12"));
      expect([why, sent(drop, "ben", 2, "weser 12").answer.ok]).toEqual([why, true]);
      expectRecounted(drop);
    }
    const drop = limited({ address: 2 });
    confirm(drop, sentOrder(drop, "ana", 2, "weser 12"), null);
    expect(sent(drop, "ben", 1, "weser 12").answer.ok).toBe(false);
  });

  test("stays within its limit where money comes late for an order whose place at the address somebody else took", () => {
    const drop = limited({ address: 2 });
    const late = sentOrder(drop, "ana", 2, "weser 12");
    drop.readAt(late.payBy + 30_000);
    sentOrder(drop, "ben", 1, "weser 12");
    expect(confirm(drop, late, null)).toEqual({ verdict: "refused", at: drop.now });
    expect(drop.state.counters.itemsByDestination.get("weser 12")).toBe(1);
  });
});

describe("what one card pays for", () => {
  test("is at most its limit over sold orders: the next is refused with its reason, its units are there at once, and somebody else buys them", () => {
    const drop = limited({ card: 2 }, 4);
    expect(confirm(drop, drop.ordered("ana", 2), "card")).toEqual({ verdict: "sold", at: drop.now });
    const second = drop.ordered("ben", 2);
    expect(confirm(drop, second, "card")).toEqual({ verdict: "refused", at: drop.now, reason: "card_limit" });
    expect([drop.unitsHeld(), drop.unitsSold()]).toEqual([0, 2]);
    expect(drop.record.slice(-1)).toMatchObject([{ kind: "void", quantity: 2 }]);
    expect(drop.record.some((row) => JSON.stringify(row).includes("card"))).toBe(false);
    expect(confirm(drop, drop.ordered("cem", 2), "another card").verdict).toBe("sold");
    expectRecounted(drop);
  });

  test("is counted one after the other where several are confirmed in the same breath, and the answer of a payment never changes", () => {
    const drop = limited({ card: 3 });
    const orders = ["ana", "ben", "cem", "dia"].map((name) => drop.ordered(name, 1));
    const answers = orders.map((order) => confirm(drop, order, "card"));
    expect(answers.map(({ verdict }) => verdict)).toEqual(["sold", "sold", "sold", "refused"]);
    // Room for one more, and another card: the answer was given.
    const [first] = orders;
    drop.run((state, now, hashing) => decideRestock(state, { order: first?.id ?? "", refund: "ref_1", lines: [{ sku: "MOTH", quantity: 1 }] }, now, hashing));
    drop.now += MINUTE;
    expect(orders.map((order) => confirm(drop, order, "card"))).toEqual(answers);
    expect(orders.map((order) => confirm(drop, order, "another card"))).toEqual(answers);
    expect(drop.state.counters.itemsByCard.get("card")).toBe(2);
    expectRecounted(drop);
  });

  test("does not count what is no card, and nothing that was not sold to it", () => {
    const drop = limited({ card: 2 });
    for (const name of ["ana", "ben"]) expect(confirm(drop, drop.ordered(name, 2), null).verdict).toBe("sold");
    drop.ordered("cem", 2);
    expect(drop.state.counters.itemsByCard.size).toBe(0);
    expect(confirm(drop, drop.ordered("dia", 2), "card").verdict).toBe("sold");
  });

  test("has room again for what was returned, and late money is refused for the card's sake only where its units could be had", () => {
    const drop = limited({ card: 2 }, 4);
    const bought = drop.ordered("ana", 2);
    confirm(drop, bought, "card");
    const late = drop.ordered("ben", 2);
    drop.readAt(late.payBy + 30_000);
    const rows = drop.record.length;
    expect(confirm(drop, late, "card", "pay_1")).toMatchObject({ verdict: "refused", reason: "card_limit" });
    expect(drop.record).toHaveLength(rows);
    drop.run((state, now, hashing) => decideRestock(state, { order: bought.id, refund: "ref_1", lines: [{ sku: "MOTH", quantity: 2 }] }, now, hashing));
    expect(confirm(drop, late, "card", "pay_2").verdict).toBe("sold");
    const gone = drop.ordered("cem", 2);
    drop.readAt(gone.payBy + 30_000);
    drop.held(drop.sit("dia"), 2);
    expect(confirm(drop, gone, "card", "pay_3")).toEqual({ verdict: "refused", at: drop.now });
    expectRecounted(drop);
  });

  test("is counted whether or not there was a limit then, so that one which is published later holds for what was bought before", () => {
    const drop = new TestDrop({ ...AT_ONCE, stock }).open();
    confirm(drop, drop.ordered("ana", 2), "card");
    const change = (limits: ResaleLimits) => drop.run((state, now) => decidePlanChange(state, { source: source({ ...AT_ONCE, stock, limits }), publish: true, actor: "desk" }, now));
    expect(change({ address: null, card: 2 })).toEqual({ published: true, changes: [{ field: "limits.card", from: null, to: 2, refusal: null }] });
    expect(change({ address: null, card: 2 })).toEqual({ published: false, changes: [] });
    expect(confirm(drop, drop.ordered("ben", 1), "card")).toMatchObject({ reason: "card_limit" });
    expect(change({ address: 5, card: 3 }).changes).toEqual([{ field: "limits.address", from: null, to: 5, refusal: null }, { field: "limits.card", from: 2, to: 3, refusal: null }]);
    expect(confirm(drop, drop.ordered("cem", 1), "card").verdict).toBe("sold");
  });
});

test("orders that were refused for their card alone do not stop their network: no bank has refused anything", () => {
  const drop = limited({ card: 2 });
  const office = (name: string) => {
    const sitting = drop.sit(name);
    const hold = drop.hold(sitting, 1, { network: "office" });
    if (!hold.ok) throw new Error(`not held: ${hold.rejection.code}`);
    return drop.placed(sitting, hold.value);
  };
  for (const name of ["ana", "ben"]) expect(confirm(drop, office(name), "company")).toMatchObject({ verdict: "sold" });
  for (const name of ["cem", "dia", "eli", "fay", "gus", "hal"]) expect(confirm(drop, office(name), "company")).toMatchObject({ reason: "card_limit" });
  expect(confirm(drop, office("ida"), "her own")).toMatchObject({ verdict: "sold" });
});

test("an order that no more than one card may is refused to a turn twice, and that turn holds nothing more", () => {
  const drop = limited({ card: 2 });
  confirm(drop, drop.ordered("ana", 2), "card");
  const sitting = drop.sit("ben");
  for (const _ of [1, 2]) expect(confirm(drop, drop.placed(sitting, drop.held(sitting, 1)), "card")).toMatchObject({ reason: "card_limit" });
  expect(drop.hold(sitting, 1)).toMatchObject({ ok: false, rejection: { code: "too_many_requests" } });
  expect(drop.hold(drop.sit("cem"), 1).ok).toBe(true);
});
