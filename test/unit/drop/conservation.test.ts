import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DropBook } from "../../../src/drop/drop-book.ts";
import { nextDueAt } from "../../../src/drop/due-time.ts";
import { recount } from "../../../src/drop/conservation.ts";
import { decideControl } from "../../../src/drop/controls.ts";
import { decideAbandon } from "../../../src/drop/holds.ts";
import { decideConfirm, decideFail, decideProcessing, decideRestock } from "../../../src/drop/payments.ts";
import type { HoldView, Sitting } from "../../../src/drop/port.ts";
import { type OrderRow, type StoredDrop, TABLE_NAMES } from "../../../src/drop/state.ts";
import { CHAIN_START, linkHash } from "../../../src/kernel/chain.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { Defect } from "../../../src/kernel/result.ts";
import { MINUTE, T0, TestDrop } from "./cast.ts";

const SKUS = ["TEE", "SET", "PIN"];
const shop = {
  limitPerPerson: 3, stock: [{ sku: "TEE", quantity: 11 }, { sku: "PIN", quantity: 17 }],
  items: [
    { sku: "TEE", title: "Tee", priceMinor: 400, components: [{ sku: "TEE", quantity: 1 }] },
    { sku: "SET", title: "Tee and two pins", priceMinor: 600, components: [{ sku: "TEE", quantity: 1 }, { sku: "PIN", quantity: 2 }] },
    { sku: "PIN", title: "Pin", priceMinor: 150, components: [{ sku: "PIN", quantity: 1 }] },
  ],
};

const step = fc.record({
  act: fc.constantFrom(
    "sit", "sit", "sit", "hold", "hold", "hold", "swap", "place", "place", "place", "confirm", "confirm", "confirm",
    "fail", "processing", "abandon", "restock", "pause", "resume", "resume", "resume", "wait", "cancel",
  ),
  who: fc.nat(3), sku: fc.constantFrom(...SKUS), quantity: fc.integer({ min: 1, max: 3 }), waitMs: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: MINUTE / 2 }) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 12 * MINUTE }) }),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Plays one random step; whatever is not possible at the moment is refused or skipped, as in life. */
function play(drop: TestDrop, { act, who, sku, quantity, waitMs }: Step, seats: Map<number, Sitting>, cart: Map<number, HoldView>): void {
  const name = `person-${who}`;
  const sitting = seats.get(who);
  const hold = cart.get(who);
  const order = hold === undefined ? undefined : [...drop.state.orders.values()].find((row) => row.hold === hold.id);
  if (act === "wait") drop.now += waitMs;
  if (act === "sit") {
    const answer = drop.claim(drop.ticket(name, SKUS.map((wanted) => ({ sku: wanted, quantity: 1 }))));
    if (answer.ok && answer.value.state === "admitted") seats.set(who, answer.value.sitting);
  }
  if ((act === "hold" || act === "swap") && sitting !== undefined) {
    const answer = drop.hold(sitting, [{ sku, quantity }], act === "swap" && hold !== undefined ? { replaces: hold.id } : {});
    if (answer.ok) cart.set(who, answer.value);
  }
  // Two people share an address, so that counting by person matters.
  if (act === "place" && sitting !== undefined && hold !== undefined) drop.place(sitting, hold, { person: `address-${who % 3}` });
  if (act === "abandon" && hold !== undefined) drop.run((state, now, hashing) => decideAbandon(state, hold.id, drop.holdRow(hold.id).entry, now, hashing));
  if (act === "pause" || act === "resume") drop.run((state, now, hashing) => decideControl(state, { kind: act }, "desk", now, hashing));
  // Rarely, or most runs would end early.
  if (act === "cancel" && quantity === 3 && who === 0) drop.run((state, now, hashing) => decideControl(state, { kind: "cancel" }, "desk", now, hashing));
  if (order === undefined) return;
  if (act === "confirm") drop.run((state, now, hashing) => decideConfirm(state, order.id, `pay of ${order.id} ${quantity}`, now, hashing));
  if (act === "fail") drop.run((state, now, hashing) => decideFail(state, order.id, now, hashing));
  if (act === "processing") drop.run((state) => decideProcessing(state, order.id));
  if (act === "restock") drop.run((state, now, hashing) => decideRestock(state, { order: order.id, refund: `ref of ${order.id} ${quantity}`, lines: [{ sku: order.placed.lines[0]?.sku ?? "", quantity: 1 }] }, now, hashing));
}

/** Puts back whatever of a sold order no refund has put back yet. */
function takeBack(drop: TestDrop, { id, hold, refunds }: OrderRow): void {
  const row = drop.holdRow(hold);
  if (row.state !== "sold") return;
  const back = (sku: string) => refunds.flatMap(({ lines }) => lines).filter((line) => line.sku === sku).reduce((sum, line) => sum + line.quantity, 0);
  const lines = row.lines.map(({ sku, quantity }) => ({ sku, quantity: quantity - back(sku) })).filter(({ quantity }) => quantity > 0);
  drop.run((state, now, hashing) => decideRestock(state, { order: id, refund: `cancelled:${id}`, lines }, now, hashing));
}

/** What storage would hold after everything that was written, put together from the writes alone. */
function stored(drop: TestDrop): StoredDrop {
  const tables = Object.fromEntries(TABLE_NAMES.map((name) => [name, new Map<string, unknown>()]));
  let facts: StoredDrop["facts"] = null;
  for (const write of drop.writes) {
    facts = write.facts ?? facts;
    for (const name of TABLE_NAMES) {
      for (const [id, row] of write.rows[name]) {
        if (row === null) tables[name]?.delete(id);
        else tables[name]?.set(id, row);
      }
    }
  }
  const rows = Object.fromEntries(TABLE_NAMES.map((name) => [name, [...(tables[name]?.values() ?? [])]])) as unknown as StoredDrop["rows"];
  return { facts, tail: drop.state.tail, rows };
}

describe("conservation", () => {
  test("over random runs: every row within the release, totals equal a recount, the chain links, and at close every unit is sold, unsold or withheld", () => {
    let sales = 0;
    fc.assert(fc.property(fc.array(step, { minLength: 50, maxLength: 250, size: "max" }), (steps) => {
      const drop = new TestDrop(shop).open();
      const seats = new Map<number, Sitting>();
      const cart = new Map<number, HoldView>();
      for (let who = 0; who < 4; who++) play(drop, { act: "sit", who, sku: "TEE", quantity: 1, waitMs: 0 }, seats, cart);
      for (const one of steps) {
        play(drop, one, seats, cart);
        expect(drop.state.counters).toEqual(recount(drop.state.holds.values()));
        for (const items of [...drop.state.counters.itemsByEntry.values(), ...drop.state.counters.itemsByPerson.values()]) expect(items).toBeLessThanOrEqual(3);
      }
      drop.readAt(T0 + 400 * MINUTE);
      // As settlement does it: of a cancelled drop every order is paid back, and its units return.
      if (drop.state.facts?.cancelled === true) for (const order of drop.state.orders.values()) takeBack(drop, order);
      const close = drop.record.filter((row) => row.kind === "close");
      expect(close).toHaveLength(1);
      if (drop.state.facts?.cancelled === true) expect(drop.unitsSold("TEE") + drop.unitsSold("PIN"), "nothing of a cancelled drop stays sold").toBe(0);
      const [sold, unsold, withheld] = ["sold", "unsold", "withheld"].map((member) => close[0]?.[member] as { quantity: number }[]);
      expect(shop.stock.map((_, index) => (sold?.[index]?.quantity ?? 0) + (unsold?.[index]?.quantity ?? 0) + (withheld?.[index]?.quantity ?? 0))).toEqual([11, 17]);
      sales += drop.kinds().filter((kind) => kind === "sell").length;
      let prevHash = CHAIN_START;
      for (const { prevHash: previous, hash, ...movement } of drop.record) {
        expect(previous).toBe(prevHash);
        expect(linkHash(prevHash, movement, nodeHashing)).toBe(hash);
        prevHash = hash;
      }
    }), { numRuns: 150 });
    // A run in which nothing is ever sold would prove nothing.
    expect(sales).toBeGreaterThan(100);
  }, 30_000);

  test("a book made again from what was written decides like the one that wrote it", () => {
    fc.assert(fc.property(fc.array(step, { minLength: 30, maxLength: 120, size: "max" }), (steps) => {
      const drop = new TestDrop(shop).open();
      const seats = new Map<number, Sitting>();
      const cart = new Map<number, HoldView>();
      for (const one of steps) play(drop, one, seats, cart);
      drop.readAt(drop.now);
      const again = new DropBook(stored(drop), nodeHashing);
      again.settle(again.timeOf(drop.now));
      expect(again.takePending()).toBeNull();
      const { dueAt: _due, ...before } = drop.state;
      const { dueAt: _dueAgain, ...after } = again.state;
      expect(sorted(after)).toEqual(sorted(before));
      expect(nextDueAt(again.state)).toBe(nextDueAt(drop.state));
    }), { numRuns: 60 });
  }, 30_000);

  test("a movement that would go over the release stops the write", () => {
    const drop = new TestDrop({ stock: [{ sku: "MOTH", quantity: 1 }] }).open();
    const hold = drop.holdRow(drop.held(drop.sit("ana")).id);
    const movement = { kind: "hold" as const, sku: "MOTH", quantity: 1, stage: 1, subject: hold.entry, ref: "ff" };
    expect(() => drop.run(() => ({ outcome: null, changes: { movements: [movement], holds: [{ ...hold, id: "hld_second" }] } }))).toThrow(Defect);
  });

  test("a decision whose rows and movements disagree stops the write", () => {
    const drop = new TestDrop().open();
    const hold = drop.holdRow(drop.held(drop.sit("ana")).id);
    expect(() => drop.run(() => ({ outcome: null, changes: { holds: [{ ...hold, state: "sold" as const }] } }))).toThrow(Defect);
  });
});

/** Maps and sets without the order in which they were filled, which storage does not keep. */
function sorted(state: object): unknown {
  return Object.fromEntries(Object.entries(state).map(([name, value]) => {
    if (value instanceof Map) return [name, [...value].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))];
    return [name, value instanceof Set ? [...value].toSorted() : value];
  }));
}
