import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CUTS_MAX, mergeQuantiles, positionIn, quantilesOf } from "../../../src/lobby/quantiles.ts";

const rankText = (value: number) => `0${value.toString(16).padStart(32, "0")}`;
const ranksOf = (values: Iterable<number>) => [...new Set(values)].map(rankText).toSorted();

describe("the quantiles of one line", () => {
  it("are the whole line while it is short, so that every position is exact", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { maxLength: CUTS_MAX }), (values) => {
        const ranks = ranksOf(values);
        const quantiles = quantilesOf("open", ranks);
        expect(quantiles.ranks).toEqual(ranks);
        ranks.forEach((rank, index) => expect(positionIn(quantiles, rank)).toBe(index + 1));
      }),
    );
  });

  it("are at most 128 ranks of a long line, whose positions are late by less than one part and never early", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { minLength: 129, maxLength: 900 }), (values) => {
        const ranks = ranksOf(values);
        const quantiles = quantilesOf("open", ranks);
        expect(quantiles.ranks).toHaveLength(CUTS_MAX);
        expect(quantiles.ranks.at(-1)).toBe(ranks.at(-1));
        ranks.forEach((rank, index) => {
          const position = positionIn(quantiles, rank);
          expect(position).toBeGreaterThanOrEqual(index + 1);
          expect(position - (index + 1)).toBeLessThan(ranks.length / CUTS_MAX + 1);
        });
      }),
      { numRuns: 40 },
    );
  });
});

describe("the merged quantiles of several shards", () => {
  it("are exact while all shards together are short", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.nat(), fc.nat({ max: 3 })), { selector: ([value]) => value, maxLength: CUTS_MAX }), (tickets) => {
        const shards = [0, 1, 2, 3].map((shard) => quantilesOf("open", ranksOf(tickets.filter(([, of]) => of === shard).map(([value]) => value))));
        const [merged] = mergeQuantiles(shards);
        expect(merged?.ranks).toEqual(ranksOf(tickets.map(([value]) => value)));
        expect(merged?.count).toBe(tickets.length);
      }),
    );
  });

  it("misplace nobody by more than two parts of the whole line, however unequal the shards are", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.nat(), fc.nat({ max: 9 })), { selector: ([value]) => value, minLength: 300, maxLength: 3_000 }), (tickets) => {
        const shardOf = (weight: number) => (weight < 6 ? 0 : weight < 8 ? 1 : weight < 9 ? 2 : 3);
        const shards = [0, 1, 2, 3].map((shard) => quantilesOf("open", ranksOf(tickets.filter(([, weight]) => shardOf(weight) === shard).map(([value]) => value))));
        const [merged] = mergeQuantiles(shards);
        expect(merged?.ranks).toHaveLength(CUTS_MAX);
        expect(merged?.count).toBe(tickets.length);
        if (merged === undefined) return;
        const bound = (2 * tickets.length) / CUTS_MAX + shards.length + 1;
        ranksOf(tickets.map(([value]) => value)).forEach((rank, index) => expect(Math.abs(positionIn(merged, rank) - (index + 1))).toBeLessThanOrEqual(bound));
      }),
      { numRuns: 25 },
    );
  });

  it("keep lanes apart", () => {
    const merged = mergeQuantiles([quantilesOf("open", ranksOf([1, 5])), quantilesOf("member", ranksOf([2])), quantilesOf("open", ranksOf([3]))]);
    expect(merged).toEqual([
      { lane: "member", count: 1, ranks: ranksOf([2]) },
      { lane: "open", count: 3, ranks: ranksOf([1, 3, 5]) },
    ]);
  });
});
