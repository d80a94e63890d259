import { describe, expect, test } from "vitest";
import { decideConfirm, decideFail } from "../../../src/drop/payments.ts";
import { decideAbandon } from "../../../src/drop/holds.ts";
import { pressedHoldMs, UNNAMED_NETWORK } from "../../../src/drop/network-budgets.ts";
import { DropBook } from "../../../src/drop/drop-book.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import type { HoldCommand, HoldView, Sitting, TicketFacts } from "../../../src/drop/port.ts";
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

describe("a network with half of its budget of unpaid holds in use", () => {
  const lasts = (drop: TestDrop, name: string, command: Partial<HoldCommand> = NET) => drop.held(drop.sit(name), 1, command).expiresAt - drop.now;

  test("gets holds of half the time, and of the whole time again when it lets go; others do not notice", () => {
    const drop = crowdedDrop(4);
    expect([lasts(drop, "a"), lasts(drop, "b"), lasts(drop, "c"), lasts(drop, "d")]).toEqual([8, 8, 4, 4].map((minutes) => minutes * MINUTE));
    expect(lasts(drop, "e", { network: "home" })).toBe(8 * MINUTE);
    drop.readAt(T0 + 4 * MINUTE);
    expect(lasts(drop, "f"), "the two that came before the pressure are still held").toBe(4 * MINUTE);
    drop.readAt(T0 + 8 * MINUTE);
    expect(lasts(drop, "g")).toBe(8 * MINUTE);
  });

  test("neither shortens nor lengthens a sitting that has held already, and the time to pay stays five minutes", () => {
    const drop = crowdedDrop(2);
    const early = drop.sit("a");
    const first = drop.held(early, 1, NET);
    const late = drop.sit("b");
    const short = drop.held(late, 1, NET);
    expect(short.expiresAt).toBe(drop.now + 4 * MINUTE);
    drop.now += MINUTE;
    expect(drop.held(early, 2, { ...NET, replaces: first.id }).expiresAt).toBe(first.expiresAt);
    drop.run((state, now, hashing) => decideAbandon(state, first.id, early.entry, now, hashing));
    expect(drop.held(late, 1, { ...NET, replaces: short.id }).expiresAt, "the pressure is gone, the end stays").toBe(short.expiresAt);
    const last = drop.sit("c");
    const hold = drop.held(last, 1, { network: "home" });
    expect(drop.placed(last, hold).payBy).toBe(hold.expiresAt);
  });

  test("counts what goes back in a swap as gone, and an order that is not paid as there", () => {
    const drop = crowdedDrop(2);
    const sitting = drop.sit("a");
    const hold = drop.held(sitting, 1, NET);
    expect(drop.placed(sitting, hold).payBy).toBe(hold.expiresAt);
    const late = drop.sit("b");
    const short = drop.held(late, 1, NET);
    expect(short.expiresAt - drop.now).toBe(4 * MINUTE);
    expect(drop.placed(late, short).payBy).toBe(drop.now + 5 * MINUTE);
  });

  test.each([[30 * MINUTE, 15 * MINUTE], [8 * MINUTE, 4 * MINUTE], [3 * MINUTE, 2 * MINUTE], [2 * MINUTE, 2 * MINUTE], [10_000, 5_000]])("with a hold of %i ms gets %i ms: never less than two minutes, or half where the plan gives less than those", (holdTtlMs, pressedMs) => {
    expect(pressedHoldMs({ holdTtlMs })).toBe(pressedMs);
  });
});

describe("orders that fail at the till", () => {
  const heldBy = (drop: TestDrop, name: string): [Sitting, HoldView] => {
    const sitting = drop.sit(name);
    return [sitting, drop.held(sitting, 1, NET)];
  };
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

  test("of ever new people and browsers in one network stop that network after six in half an hour, and nobody else", () => {
    const drop = crowdedDrop(60);
    const start = drop.now;
    let orders = 0;
    for (let index = 0; index < 40; index++) {
      const sitting = drop.sit(`tester-${index}`);
      for (const _ of [1, 2]) {
        drop.now += 1_000;
        const answer = drop.hold(sitting, 1, NET);
        if (!answer.ok) {
          expect(answer.rejection).toEqual({ code: "too_many_requests", retryAt: start + 1_000 + 30 * MINUTE });
          continue;
        }
        failed(drop, sitting, answer.value);
        orders += 1;
      }
    }
    expect(orders).toBe(6);
    expect(drop.hold(drop.sit("neighbour"), 1, { network: "home" }).ok).toBe(true);
    for (const [late, isHeld] of [[-1, false], [0, true]] as const) {
      drop.now = start + 1_000 + 30 * MINUTE + late;
      expect(drop.hold(drop.sit(`later ${late}`), 1, NET).ok).toBe(isHeld);
    }
  });

  test("stop no network in which more people pay than fail, and are remembered when the object was started again", () => {
    const drop = crowdedDrop(60);
    const orderOf = (name: string) => drop.placed(...heldBy(drop, name));
    for (let index = 0; index < 7; index++) drop.run((state, now, hashing) => decideConfirm(state, orderOf(`buyer-${index}`).id, `pay_${index}`, now, hashing));
    for (let index = 0; index < 6; index++) failed(drop, ...heldBy(drop, `unlucky-${index}`));
    const waiting = [drop.sit("a"), drop.sit("b"), drop.sit("c")] as const;
    failed(drop, waiting[0], drop.held(waiting[0], 1, NET));
    expect(drop.hold(waiting[1], 1, NET)).toMatchObject({ ok: false, rejection: { code: "too_many_requests" } });
    const rows = { holds: [...drop.state.holds.values()], sittings: [...drop.state.sittings.values()], orders: [...drop.state.orders.values()], verdicts: [...drop.state.verdicts.values()], seals: [...drop.state.seals.values()], thresholds: [...drop.state.thresholds.values()], calls: [], outbox: [] };
    drop.book = new DropBook({ facts: drop.state.facts, tail: drop.state.tail, rows }, nodeHashing);
    expect(drop.hold(waiting[1], 1, NET)).toMatchObject({ ok: false, rejection: { code: "too_many_requests" } });
    // Late money for one of them: it did not fail after all.
    const [late] = [...drop.state.holds.values()].filter(({ state }) => state === "voided");
    drop.run((state, now, hashing) => decideConfirm(state, late?.order ?? "", "pay_late", now, hashing));
    expect(drop.hold(waiting[2], 1, NET).ok).toBe(true);
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
