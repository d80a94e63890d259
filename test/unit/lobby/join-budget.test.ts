import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JoinBudget, shardPart } from "../../../src/lobby/join-budget.ts";

const NOON = 1_000_000;
const MINUTE = 60_000;

describe("the joins of a network", () => {
  it("are so many in the minute that begins with the first of them, and then as many again", () => {
    const budget = new JoinBudget();
    const ask = (at: number) => budget.ask("net", 3, at);
    expect([ask(NOON), ask(NOON + 10), ask(NOON + 50_000)]).toEqual([null, null, null]);
    expect(ask(NOON + 50_001)).toBe(NOON + MINUTE);
    expect(ask(NOON + MINUTE - 1)).toBe(NOON + MINUTE);
    expect([ask(NOON + MINUTE), ask(NOON + MINUTE), ask(NOON + MINUTE), ask(NOON + MINUTE)]).toEqual([null, null, null, NOON + 2 * MINUTE]);
  });

  it("never cost another network anything", () => {
    const budget = new JoinBudget();
    for (let count = 0; count < 100; count++) budget.ask("flood", 3, NOON);
    expect(budget.ask("home", 3, NOON)).toBeNull();
  });

  it("are still counted after the shard was evicted, from what was stored with its tickets", () => {
    const before = new JoinBudget();
    for (let count = 0; count < 3; count++) before.ask("net", 3, NOON);
    const stored = before.takeChanged();
    expect(stored).toEqual([{ network: "net", startedAt: NOON, joins: 3 }]);
    expect(before.takeChanged()).toEqual([]);
    const after = new JoinBudget();
    for (const minute of stored) after.restore(minute);
    expect(after.ask("net", 3, NOON + 20_000)).toBe(NOON + MINUTE);
  });

  it("are not held against a network for an hour because a clock was set back by one", () => {
    const budget = new JoinBudget();
    for (let count = 0; count < 4; count++) budget.ask("net", 3, NOON + 60 * MINUTE);
    expect(budget.ask("net", 3, NOON)).toBeNull();
  });

  it("of networks that were never given a ticket are forgotten with their minute, so that refusing a crowd fills no memory", () => {
    const budget = new JoinBudget();
    for (let count = 0; count < 1_000; count++) budget.ask(`net-${count}`, 3, NOON);
    budget.ask("late", 3, NOON + 2 * MINUTE);
    expect(budget.takeChanged()).toEqual([{ network: "late", startedAt: NOON + 2 * MINUTE, joins: 1 }]);
  });
});

describe("a shard's part of the budget", () => {
  it("is all of it for the only shard, never more than all, and in sum at most the stated slack above all", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 128 }), (joins, shards) => {
        const part = shardPart(joins, shards);
        expect(part).toBeLessThanOrEqual(joins);
        expect(part * shards).toBeGreaterThanOrEqual(joins);
        expect(part * shards).toBeLessThanOrEqual(joins + 4 * Math.sqrt(joins * shards) + shards);
        if (shards === 1) expect(part).toBe(joins);
      }),
    );
  });

  it("lets a network that joins within its budget through, however the dice fall over sixteen shards", () => {
    let refused = 0;
    let seed = 7;
    const dice = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    for (let minute = 0; minute < 200; minute++) {
      const perShard = Array<number>(16).fill(0);
      for (let join = 0; join < 600; join++) {
        const shard = Math.floor(dice() * 16);
        perShard[shard] = (perShard[shard] ?? 0) + 1;
      }
      if (Math.max(...perShard) > shardPart(600, 16)) refused++;
    }
    expect(refused).toBeLessThanOrEqual(1);
  });
});
