import { describe, expect, test } from "vitest";
import { decideConfirm, decideFail } from "../../../src/drop/payments.ts";
import { UNNAMED_NETWORK } from "../../../src/drop/network-budgets.ts";
import { DropBook } from "../../../src/drop/drop-book.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import type { HoldView, Sitting, TicketFacts } from "../../../src/drop/port.ts";
import { AT_ONCE, MINUTE, T0, TestDrop } from "./cast.ts";

const NET = { network: "net" };
const stock = [{ sku: "MOTH", quantity: 100 }];

function crowdedDrop(unpaidHolds: number): TestDrop {
  return new TestDrop({ ...AT_ONCE, stock, budgets: { joinsPerMinute: 600, unpaidHolds } }).open();
}

describe("what one network holds unpaid", () => {
  test("is at most its budget, whoever asks; the next is told when to try again and holds nothing, and other networks do not notice", () => {
    const drop = crowdedDrop(3);
    for (const name of ["a", "b", "c"]) drop.held(drop.sit(name), 1, NET);
    const before = drop.record.length;
    const last = drop.sit("d");
    const rows = drop.record.length;
    expect(drop.hold(last, 1, NET)).toEqual({ ok: false, rejection: { code: "too_many_requests", retryAt: drop.now + 15_000 } });
    expect(drop.record).toHaveLength(rows);
    expect(rows).toBe(before + 1);
    expect(drop.hold(drop.sit("e"), 1, { network: "home" }).ok).toBe(true);
  });

  test("has room again when a hold is given up, sold or over, and an order that is not paid keeps its place", () => {
    const drop = crowdedDrop(1);
    const sitting = drop.sit("a");
    const hold = drop.held(sitting, 1, NET);
    const order = drop.placed(sitting, hold);
    const waiting = drop.sit("b");
    expect(drop.hold(waiting, 1, NET).ok).toBe(false);
    drop.run((state, now, hashing) => decideConfirm(state, order.id, "pay_1", now, hashing));
    const second = drop.held(waiting, 1, NET);
    expect(drop.hold(drop.sit("c"), 1, NET).ok).toBe(false);
    drop.readAt(second.expiresAt);
    expect(drop.hold(drop.sit("d"), 1, NET).ok).toBe(true);
  });

  test("does not grow by a swap, and a retry of a hold gets the hold although the network has no room", () => {
    const drop = crowdedDrop(1);
    const sitting = drop.sit("a");
    const first = drop.held(sitting, 1, { ...NET, id: "hld_first" });
    expect(drop.hold(sitting, 1, { ...NET, id: "hld_first" })).toEqual({ ok: true, value: first });
    expect(drop.hold(sitting, 2, { ...NET, replaces: first.id }).ok).toBe(true);
    expect(drop.hold(sitting, 1, NET).ok).toBe(false);
  });

  test("is the same after the object was started again", () => {
    const drop = crowdedDrop(2);
    for (const name of ["a", "b"]) drop.held(drop.sit(name), 1, NET);
    const rows = { holds: [...drop.state.holds.values()], sittings: [...drop.state.sittings.values()], orders: [], verdicts: [], seals: [...drop.state.seals.values()], thresholds: [...drop.state.thresholds.values()], calls: [], outbox: [] };
    drop.book = new DropBook({ facts: drop.state.facts, tail: drop.state.tail, rows }, nodeHashing);
    expect(drop.hold(drop.sit("c"), 1, NET)).toMatchObject({ ok: false, rejection: { code: "too_many_requests" } });
  });

  test("is wider for whoever does not say where they are on a local machine, and finite there too", () => {
    const drop = crowdedDrop(1);
    for (let index = 0; index < 20; index++) drop.held(drop.sit(`local-${index}`), 1, { network: UNNAMED_NETWORK });
    expect(drop.state.counters.unpaidByNetwork.get(UNNAMED_NETWORK)).toBe(20);
  });
});

describe("orders that fail at the till", () => {
  const failed = (drop: TestDrop, sitting: Sitting, hold: HoldView) => drop.run((state, now, hashing) => decideFail(state, drop.placed(sitting, hold).id, now, hashing));

  test("leave the same sitting a second try and no third, and keep nobody else of its network from holding", () => {
    const drop = crowdedDrop(10);
    const sitting = drop.sit("a");
    failed(drop, sitting, drop.held(sitting, 1, NET));
    const second = drop.held(sitting, 1, NET);
    failed(drop, sitting, second);
    const rows = drop.record.length;
    expect(drop.hold(sitting, 1, NET)).toEqual({ ok: false, rejection: { code: "too_many_requests", retryAt: second.expiresAt } });
    expect(drop.record).toHaveLength(rows);
    expect(drop.hold(drop.sit("b"), 1, NET).ok).toBe(true);
  });

  test("are not counted where the money came in the end", () => {
    const drop = crowdedDrop(10);
    const sitting = drop.sit("a");
    const hold = drop.held(sitting, 1, NET);
    failed(drop, sitting, hold);
    drop.run((state, now, hashing) => decideConfirm(state, state.holds.get(hold.id)?.order ?? "", "pay_1", now, hashing));
    failed(drop, sitting, drop.held(sitting, 1, NET));
    expect(drop.hold(sitting, 1, NET).ok).toBe(true);
  });
});

describe("holding and buying nothing", () => {
  const retryAt = (drop: TestDrop, ticket: TicketFacts) => {
    const answer = drop.claim(ticket);
    return answer.ok ? null : answer.rejection.code === "too_many_requests" ? answer.rejection.retryAt : answer.rejection.code;
  };
  const wasted = (drop: TestDrop, name: string, changes: Partial<TicketFacts> = {}): number => {
    const answer = drop.claim({ ...drop.ticket(name), ...changes });
    if (!answer.ok || answer.value.state !== "admitted") throw new Error(`${name} was not admitted`);
    return drop.held(answer.value.sitting).expiresAt;
  };

  test("doubles the wait for the next sitting, over the whole drop, and never beyond a quarter of an hour", () => {
    const drop = new TestDrop({ stock, stages: [10, 10, 10, 10, 10, 10, 40].map((sharePercent, index) => ({ sharePercent, afterMs: index * 32 * MINUTE })) }).open();
    const waits: number[] = [];
    for (let stage = 0; stage < 6; stage++) {
      drop.now = T0 + stage * 32 * MINUTE;
      drop.run(() => ({ outcome: null, changes: null }));
      if (drop.claim(drop.ticket("ana")).ok === false) drop.now = Number(retryAt(drop, drop.ticket("ana")));
      const endedAt = wasted(drop, "ana");
      drop.now = endedAt;
      waits.push((Number(retryAt(drop, drop.ticket("ana"))) - endedAt) / MINUTE);
    }
    expect(waits).toEqual([2, 4, 8, 15, 15, 15]);
  });

  test("leaves an honest second try in the same stage", () => {
    const drop = new TestDrop({ stock }).open();
    drop.now = wasted(drop, "ana");
    expect(retryAt(drop, drop.ticket("ana"))).toBe(drop.now + 2 * MINUTE);
    drop.now += 2 * MINUTE;
    const again = drop.sit("ana");
    expect(drop.hold(again).ok).toBe(true);
  });

  test("is remembered for the same browser and for the same proven address under another ticket, and for nobody else", () => {
    const drop = new TestDrop({ stock }).open();
    drop.now = wasted(drop, "ana", { person: "person of ana" });
    expect(retryAt(drop, { ...drop.ticket("ana-2"), keyThumbprint: "key-ana" })).toBe(drop.now + 2 * MINUTE);
    expect(retryAt(drop, { ...drop.ticket("ana-3"), person: "person of ana" })).toBe(drop.now + 2 * MINUTE);
    expect(retryAt(drop, { ...drop.ticket("ben"), person: "person of ben" })).toBeNull();
  });

  test("is what an order that was never paid comes to, and a paid one does not", () => {
    for (const isPaid of [false, true]) {
      const drop = new TestDrop({ stock }).open();
      const sitting = drop.sit("ana");
      const order = drop.placed(sitting, drop.held(sitting));
      if (isPaid) drop.run((state, now, hashing) => decideConfirm(state, order.id, "pay_1", now, hashing));
      else drop.run((state, now, hashing) => decideFail(state, order.id, now, hashing));
      drop.now = T0 + 8 * MINUTE;
      expect(retryAt(drop, drop.ticket("ana"))).toBe(drop.now + (isPaid ? 1 : 2) * MINUTE);
    }
  });

  test("is not what happened to somebody who was admitted and found nothing to hold", () => {
    const drop = new TestDrop({ stock }).open();
    drop.sit("ana");
    drop.now = T0 + MINUTE;
    expect(retryAt(drop, drop.ticket("ana"))).toBe(drop.now + MINUTE);
  });
});
