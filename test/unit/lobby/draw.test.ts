import { describe, expect, it } from "vitest";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { entryOf, isServed, rankOf } from "../../../src/lobby/draw.ts";

const OPENS_AT = 1_796_407_200_000;
const SEED = nodeHashing.sha256("a seed for these tests");
const entry = (index: number) => entryOf("moth-tee", `tkt_${index}`, nodeHashing);
const rank = (index: number, joinedAt: number, weight = 1) => rankOf({ entry: entry(index), weight, joinedAt }, OPENS_AT, SEED, nodeHashing);

/** Pearson's correlation between the numbers 0 … n−1, each once, and the places at which they stand. */
function correlationOfPlaces(order: readonly number[]): number {
  const mean = (order.length - 1) / 2;
  const covariance = order.reduce((sum, index, place) => sum + (index - mean) * (place - mean), 0);
  return covariance / ((order.length * (order.length ** 2 - 1)) / 12);
}

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

  describe("of a hundred thousand tickets that came one after the other", () => {
    const tickets = 100_000;
    const order = Array.from({ length: tickets }, (_, index) => ({ index, rank: rank(index, OPENS_AT - tickets + index) })).toSorted((a, b) => (a.rank < b.rank ? -1 : 1));

    it("has a correlation of arrival and position below 0.02 in either direction", () => {
      expect(Math.abs(correlationOfPlaces(order.map(({ index }) => index)))).toBeLessThan(0.02);
    });

    it("has as many of each tenth of the arrivals in each tenth of the positions as chance gives", () => {
      const cells = Array.from({ length: 100 }, () => 0);
      order.forEach(({ index }, place) => {
        const cell = 10 * Math.floor((10 * index) / tickets) + Math.floor((10 * place) / tickets);
        cells[cell] = (cells[cell] ?? 0) + 1;
      });
      const expected = tickets / 100;
      const chiSquare = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 81 degrees of freedom, since every row and column is full: chance lies above 103 once in twenty times.
      expect(chiSquare).toBeLessThan(103);
    });

    it("gives those of the last millisecond the odds of those who came nine minutes before the opening", () => {
      // Every second ticket came late; the other half is the nine minutes.
      const places = Array.from({ length: tickets }, (_, index) => ({ isLast: index % 2 === 0, rank: rank(index, index % 2 === 0 ? OPENS_AT - 1 : OPENS_AT - 540_000) })).toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
      const served = places.slice(0, 1_000).filter(({ isLast }) => isLast).length;
      // Of a thousand served, 500 with a standard deviation of 16.
      expect(Math.abs(served - 500)).toBeLessThan(41);
    });

    it("would be caught if the order of arrival weighed only a little", () => {
      // The same measure over a draw that is bent by a fiftieth of the time of arrival must not pass.
      const bent = order.map(({ index }, place) => ({ index, key: place + index / 25 })).toSorted((a, b) => a.key - b.key);
      expect(correlationOfPlaces(bent.map(({ index }) => index))).toBeGreaterThan(0.02);
    });
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
