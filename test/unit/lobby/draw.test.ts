import { describe, expect, it } from "vitest";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { entryOf, isServed, rankOf } from "../../../src/lobby/draw.ts";

const OPENS_AT = 1_796_407_200_000;
const SEED = nodeHashing.sha256("a seed for these tests");
const entry = (index: number) => entryOf("moth-tee", `tkt_${index}`, nodeHashing);
const rank = (index: number, joinedAt: number, weight = 1) => rankOf({ entry: entry(index), weight, joinedAt }, OPENS_AT, SEED, nodeHashing);

describe("the draw", () => {
  it("gives the same rank to a ticket that joined nine minutes or one millisecond before the opening", () => {
    for (let index = 0; index < 50; index++) {
      expect(rank(index, OPENS_AT - 540_000)).toBe(rank(index, OPENS_AT - 1));
      expect(rank(index, OPENS_AT - 1)).toMatch(/^0[0-9a-f]{32}$/);
    }
  });

  it("spreads ranks evenly: none of sixteen equal ranges has a share that chance would not give", () => {
    const counts = Array.from({ length: 16 }, () => 0);
    const tickets = 16_000;
    for (let index = 0; index < tickets; index++) {
      const bucket = Number.parseInt(rank(index, OPENS_AT - 1).charAt(1), 16);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    const expected = tickets / 16;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // Fifteen degrees of freedom: one seed in a hundred thousand lies above 50.
    expect(chiSquare).toBeLessThan(50);
  });

  it("has no tie to the order of arrival", () => {
    const tickets = 10_000;
    const places = Array.from({ length: tickets }, (_, index) => ({ index, rank: rank(index, OPENS_AT - tickets + index) })).toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
    const mean = (tickets - 1) / 2;
    let covariance = 0;
    let variance = 0;
    places.forEach(({ index }, place) => {
      covariance += (index - mean) * (place - mean);
      variance += (place - mean) ** 2;
    });
    expect(Math.abs(covariance / variance)).toBeLessThan(0.04);
  });

  it("serves a ticket of weight three before one of weight one in three draws of four", () => {
    let wins = 0;
    for (let index = 0; index < 4_000; index++) if (rank(2 * index, 0, 3) < rank(2 * index + 1, 0)) wins++;
    expect(wins / 4_000).toBeGreaterThan(0.72);
    expect(wins / 4_000).toBeLessThan(0.78);
  });

  it("puts whoever joins at the opening or later behind all who are drawn, in the order of arrival", () => {
    const drawn = Array.from({ length: 500 }, (_, index) => rank(index, OPENS_AT - 1)).toSorted();
    const late = Array.from({ length: 500 }, (_, index) => rank(index, OPENS_AT + index));
    expect((drawn.at(-1) ?? "~") < (late[0] ?? "")).toBe(true);
    expect(late).toEqual(late.toSorted());
    expect(late[0]).toMatch(new RegExp(`^1${OPENS_AT.toString(16).padStart(12, "0")}[0-9a-f]{16}$`));
  });

  it("serves a rank up to and including the threshold, nobody before the first, everybody at the last", () => {
    const some = rank(1, OPENS_AT - 1);
    expect(isServed(some, some)).toBe(true);
    expect(isServed(some, `${some.slice(0, -1)}!`)).toBe(false);
    expect(isServed(some, null)).toBe(false);
    expect(isServed(rank(1, OPENS_AT + 5), "~")).toBe(true);
  });
});
