import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LinePage } from "../../../src/drop/port.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { entryOf } from "../../../src/lobby/draw.ts";
import { lastRankOf, ServiceLine } from "../../../src/lobby/line.ts";
import { positionIn } from "../../../src/lobby/quantiles.ts";
import { type BookedTicket, TicketBook } from "../../../src/lobby/tickets.ts";

const OPENS_AT = 1_796_407_200_000;
const SEED = nodeHashing.sha256("a seed for these tests");
const SKUS = ["MOTH-S", "MOTH-M", "MOTH-L"];
const WINDOW = { lobbyOpensAt: 0, opensAt: OPENS_AT, closesAt: OPENS_AT + 9_000_000, isOver: false, asksForPerson: false, limitPerPerson: 20, lanes: [] };

interface Wish {
  readonly lane: string;
  readonly wants: readonly { readonly sku: string; readonly quantity: number }[];
}

const wish: fc.Arbitrary<Wish> = fc.record({
  lane: fc.constantFrom("open", "open", "member"),
  wants: fc.uniqueArray(fc.record({ sku: fc.constantFrom(...SKUS), quantity: fc.integer({ min: 1, max: 3 }) }), { selector: ({ sku }) => sku, maxLength: 3 }),
});

function join(book: TicketBook, wishes: readonly Wish[], at: (index: number) => number): void {
  wishes.forEach(({ lane, wants }, index) => {
    const ticket = `tkt_${book.tickets.length}`;
    book.join({ ticket, entry: entryOf("moth-tee", ticket, nodeHashing), keyThumbprint: ticket, lane, weight: 1, wants, person: null, network: "net", spends: [] }, WINDOW, at(index));
  });
}

function seal(book: TicketBook): void {
  const count = book.tickets.length - book.sealedCount;
  book.seals.push({ batch: book.seals.length, end: book.tickets.length, count, root: "", acknowledged: true });
}

/** A shard after the draw: all of `drawn` sealed in time, all of `late` sealed afterwards. */
function shardOf(drawn: readonly Wish[], late: readonly Wish[]): { book: TicketBook; line: ServiceLine } {
  const book = new TicketBook();
  join(book, drawn, () => OPENS_AT - 1);
  seal(book);
  const line = new ServiceLine(SEED, OPENS_AT, nodeHashing);
  line.take(book, 1_000_000);
  join(book, late, (index) => OPENS_AT + 10 * index);
  seal(book);
  line.take(book, 1_000_000);
  return { book, line };
}

const wantedOf = (ticket: BookedTicket, sku: string) => ticket.wants.find((line) => line.sku === sku)?.quantity ?? 0;

function pageOf(shard: { book: TicketBook; line: ServiceLine }, sku: string, lane: string, after: string | null, count: number, now: number): LinePage {
  const { book, line } = shard;
  return line.page({ sku, lane, after, count }, { shard: 3, offeredCount: book.offeredCount, completeThrough: book.completeThrough(now) });
}

describe("a page of a line", () => {
  it("is exactly the next waiting ranks behind the threshold, of those who want the item in that lane", () => {
    fc.assert(
      fc.property(
        fc.array(wish, { maxLength: 90 }), fc.array(wish, { maxLength: 80 }), fc.constantFrom(...SKUS), fc.constantFrom("open", "member"), fc.nat({ max: 200 }), fc.integer({ min: 1, max: 40 }),
        (drawn, late, sku, lane, from, count) => {
          const shard = shardOf(drawn, late);
          const ranks = shard.book.tickets.map(({ rank }) => rank ?? "").toSorted();
          const after = ranks[from] ?? null;
          const page = pageOf(shard, sku, lane, after, count, OPENS_AT + 5_000);
          const expected = shard.book.tickets
            .filter((ticket) => wantedOf(ticket, sku) > 0 && ticket.lane === lane && (after === null || (ticket.rank ?? "") > after))
            .map((ticket) => ({ rank: ticket.rank, quantity: wantedOf(ticket, sku) }))
            .toSorted((a, b) => ((a.rank ?? "") < (b.rank ?? "") ? -1 : 1));
          expect(page.waiting).toEqual(expected.slice(0, count));
          expect(page.completeTo).toBe(expected.length >= count ? expected[count - 1]?.rank : lastRankOf(OPENS_AT + 4_999));
          expect(page).toMatchObject({ shard: 3, sku, lane, after });
        },
      ),
      { numRuns: 60 },
    );
  });

  it("stays complete: whoever joins after it was given ranks behind all that it says", () => {
    const shard = shardOf([{ lane: "open", wants: [{ sku: "MOTH-S", quantity: 1 }] }], []);
    const now = OPENS_AT + 700;
    const page = pageOf(shard, "MOTH-S", "open", null, 50, now);
    shard.book.closeThrough(shard.book.completeThrough(now));
    // Even with a clock that has fallen back by half a second.
    join(shard.book, [{ lane: "open", wants: [{ sku: "MOTH-S", quantity: 1 }] }], () => now - 500);
    shard.line.take(shard.book, 10);
    expect(shard.book.tickets.at(-1)?.rank).not.toBeNull();
    expect((shard.book.tickets.at(-1)?.rank ?? "") > page.completeTo).toBe(true);
  });

  it("offers nobody whose seal is not in the record, and claims nothing beyond", () => {
    const wants = [{ sku: "MOTH-S", quantity: 1 }];
    const shard = shardOf([{ lane: "open", wants }], []);
    join(shard.book, [{ lane: "open", wants }], () => OPENS_AT + 100);
    shard.line.take(shard.book, 10);
    const page = pageOf(shard, "MOTH-S", "open", null, 50, OPENS_AT + 900);
    expect(page.waiting).toHaveLength(1);
    expect(page.completeTo).toBe(lastRankOf(OPENS_AT + 99));
    expect((shard.book.tickets.at(-1)?.rank ?? "") > page.completeTo).toBe(true);
  });

  it("follows a change of wants, at the same rank", () => {
    const shard = shardOf([{ lane: "open", wants: [{ sku: "MOTH-S", quantity: 1 }] }], []);
    const { rank } = shard.book.tickets[0] ?? {};
    shard.book.join({ ticket: "tkt_0", entry: "", keyThumbprint: "tkt_0", lane: "open", weight: 1, wants: [{ sku: "MOTH-L", quantity: 2 }], person: null, network: "net", spends: [] }, WINDOW, OPENS_AT + 1);
    expect(pageOf(shard, "MOTH-S", "open", null, 5, OPENS_AT + 2).waiting).toEqual([]);
    expect(pageOf(shard, "MOTH-L", "open", null, 5, OPENS_AT + 2).waiting).toEqual([{ rank, quantity: 2 }]);
  });
});

describe("the census of a shard", () => {
  it("counts whom no threshold of a wanted item reaches, and gives each of them the right position", () => {
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 100 }), fc.nat({ max: 99 }), fc.constantFrom(...SKUS), fc.constantFrom("open", "member"), (drawn, cut, sku, lane) => {
        const { book, line } = shardOf(drawn, []);
        const upTo = book.tickets.map(({ rank }) => rank ?? "").toSorted()[cut] ?? null;
        const { waiting, quantiles } = line.census([{ sku, lane, upTo }]);
        const left = book.tickets
          .filter((ticket) => !(wantedOf(ticket, sku) > 0 && upTo !== null && (ticket.rank ?? "") <= upTo && ticket.lane === lane))
          .toSorted((a, b) => ((a.rank ?? "") < (b.rank ?? "") ? -1 : 1));
        expect(waiting).toBe(left.length);
        for (const of of ["open", "member"]) {
          const inLane = left.filter((ticket) => ticket.lane === of);
          const ofLane = quantiles.find((candidate) => candidate.lane === of);
          expect(ofLane?.count ?? 0).toBe(inLane.length);
          inLane.forEach((ticket, index) => expect(ofLane === undefined ? 0 : positionIn(ofLane, ticket.rank ?? "")).toBe(index + 1));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("counts those apart who are served for one thing and still want another", () => {
    const { book, line } = shardOf([{ lane: "open", wants: [{ sku: "MOTH-S", quantity: 1 }, { sku: "MOTH-M", quantity: 1 }] }, { lane: "open", wants: [{ sku: "MOTH-S", quantity: 1 }] }], []);
    const upTo = book.tickets.map(({ rank }) => rank ?? "").toSorted().at(-1) ?? null;
    const thresholds = [{ sku: "MOTH-S", lane: "open", upTo }, { sku: "MOTH-M", lane: "open", upTo: null }];
    expect([line.census(thresholds).waiting, line.unmet(thresholds)]).toEqual([0, 1]);
    expect(line.unmet([...thresholds, { sku: "MOTH-M", lane: "open", upTo }])).toBe(0);
  });

  it("ranks a full shard in portions to the same order as at once", () => {
    const wishes: Wish[] = Array.from({ length: 700 }, () => ({ lane: "open", wants: [{ sku: "MOTH-S", quantity: 1 }] }));
    const atOnce = shardOf(wishes, []);
    const book = new TicketBook();
    join(book, wishes, () => OPENS_AT - 1);
    seal(book);
    const line = new ServiceLine(SEED, OPENS_AT, nodeHashing);
    let portions = 1;
    while (!line.take(book, 64)) portions++;
    expect(portions).toBe(11);
    const page = pageOf({ book, line }, "MOTH-S", "open", null, 700, OPENS_AT + 1);
    expect(page.waiting).toEqual(pageOf(atOnce, "MOTH-S", "open", null, 700, OPENS_AT + 1).waiting);
    expect(page.waiting).toHaveLength(700);
  });
});
