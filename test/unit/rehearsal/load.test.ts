import { expect, test } from "vitest";
import type { LaneShare } from "../../../src/drop/plan.ts";
import { costOf, costTable, realAt } from "../../../src/rehearsal/cost.ts";
import type { NightFacts, RecordRow, ShopperFact } from "../../../src/rehearsal/facts.ts";
import { sharesOf } from "../../../src/rehearsal/findings.ts";
import { laneTables, lanesOf } from "../../../src/rehearsal/lane-shares.ts";
import { holdRate, joinRate, overloadOf, rateOf } from "../../../src/rehearsal/load.ts";
import { waysTable } from "../../../src/rehearsal/ways.ts";
import { night, OPENS_AT } from "../../support/rehearsed-night.ts";

const [HOUR_MS, MINUTE_MS] = [3_600_000, 60_000];

test("joins and holds a second are counted once each, with the busiest second and the mean", () => {
  expect(rateOf([])).toEqual({ count: 0, peak: 0, mean: 0 });
  expect(rateOf([1_000, 1_999, 2_000, 5_500])).toEqual({ count: 4, peak: 2, mean: 4 / 5 });
  const facts = night(50, 10);
  expect(holdRate(facts).count).toBe(60);
  // A place that was moved was joined once.
  expect(joinRate({ ...facts, shoppers: [...facts.shoppers, ...facts.shoppers.slice(0, 5).map((shopper) => ({ ...shopper, isMoved: true }))] }).count).toBe(60);
});

test("what the store could not take is counted over all routes", () => {
  const route = (answers: NightFacts["routes"][number]["answers"]) => ({ route: "PUT ticket", requests: 10, medianMs: 1, p95Ms: 1, p99Ms: 1, answers });
  expect(overloadOf({ routes: [route([["201", 7], ["503 temporarily_unavailable", 2], ["no answer", 1]]), route([["503", 3]])] })).toEqual({ unavailable: 5, unanswered: 1 });
});

test("every part of a rehearsal stands for its own part of the night, however differently they were shortened", () => {
  const facts = night(50, 10, { closesAt: OPENS_AT + 100_000 });
  const compression = { ...facts.terms.compression, stages: [{ sharePercent: 50, afterMs: 0 }, { sharePercent: 50, afterMs: 15_000 }] };
  const timed = { ...facts, terms: { ...facts.terms, compression, lobbyMs: 30_000, realLobbyMs: HOUR_MS, realStages: [0, 30 * MINUTE_MS], realSaleMs: 4 * HOUR_MS } };
  expect([-30_000, -15_000, 0, 7_500, 15_000, 100_000, 200_000].map((at) => realAt(timed, OPENS_AT + at))).toEqual([-HOUR_MS, -HOUR_MS / 2, 0, 15 * MINUTE_MS, 30 * MINUTE_MS, 4 * HOUR_MS, 4 * HOUR_MS]);
});

test("the cost takes what people do as counted, and what goes by the clock by the night's own hours", () => {
  const route = (name: string, requests: number) => ({ route: name, requests, medianMs: 1, p95Ms: 1, p99Ms: 1, answers: [] });
  const facts = night(50, 0, {
    routes: [route("PUT ticket", 50), route("GET live", 900), route("GET mail", 50), route("desk", 9)],
    calls: [{ kind: "LobbyObject", object: "a", second: 1, call: "join", calls: 50 }, { kind: "DropObject", object: "b", second: 1, call: "snapshot", calls: 700 }],
    shoppers: night(50, 0).shoppers.map((shopper) => ({ ...shopper, joinedAt: OPENS_AT - 1_000, calledAt: OPENS_AT })),
  });
  const { items, dollars, dollarsBeyond } = costOf(facts);
  const quantity = (what: string) => items.find((item) => item.what === what)?.quantity ?? Number.NaN;
  // Everybody waits for the whole lobby of half an hour, and the page looks four times a minute; two crons run for five and a half hours.
  expect(quantity("requests")).toBe(50 + 50 + 50 * 30 * 4 + 330 * 2);
  const spanSeconds = 4.5 * 3_600;
  expect(quantity("objectRequests")).toBe(50 + 50 + spanSeconds * 21);
  expect(quantity("objectGigabyteSeconds")).toBeCloseTo(2 * (spanSeconds + 3_600) * 0.128, 6);
  expect(dollars).toBeGreaterThan(0);
  expect(dollarsBeyond).toBe(0);
  // A faster rehearsal of the same night costs the same.
  const faster = { ...facts, terms: { ...facts.terms, lobbyMs: 500 }, shoppers: facts.shoppers.map((shopper) => ({ ...shopper, joinedAt: OPENS_AT - 500 })) };
  expect(costOf(faster).items).toEqual(items);
  expect(costTable(facts).note).toMatch(/^An estimate/);
});

test("beyond what a month includes every million is paid for", () => {
  const calls = [{ kind: "LobbyObject", object: "a", second: 1, call: "join", calls: 20_000_000 }];
  const { items, dollarsBeyond } = costOf(night(1, 0, { calls, routes: [] }));
  const requests = items.find(({ what }) => what === "objectRequests")?.quantity ?? 0;
  const written = items.find(({ what }) => what === "rowsWritten")?.quantity ?? 0;
  expect(dollarsBeyond).toBeCloseTo(((requests - 1_000_000) * 0.15 + (written - 50_000_000) * 1) / 1_000_000, 6);
});

const LOCAL: LaneShare = { lane: "local", sharePercent: 20, untilMs: 4_000, weight: 1, evidence: { kind: "presence", region: "berlin", near: { lat: 52.52, lon: 13.405 }, withinKm: 25 } };

/** Ten units of which two are kept for people nearby, and what three of them did. */
function nightWithLane(rows: readonly Partial<RecordRow>[]): NightFacts {
  const full = rows.map((row, index): RecordRow => ({ seq: index + 1, kind: "", at: OPENS_AT, sku: "A", quantity: 0, subject: "", ref: "", lane: "", stage: 0, upTo: "", ...row }));
  const shoppers = night(2, 1).shoppers.map((shopper, index): ShopperFact => ({ ...shopper, lane: index === 0 ? "local" : "open" }));
  return { ...night(2, 1), lanes: [LOCAL], stages: [{ opensAt: OPENS_AT, units: 10 }], stock: [{ sku: "A", units: 10, stages: [{ opensAt: OPENS_AT, units: 10 }] }], shoppers, rows: full };
}

test("what a lane took in its time is told apart from what came to everyone", () => {
  const held = (at: number, ref: string) => ({ kind: "hold", at: OPENS_AT + at, subject: "entry-0", ref, quantity: 1, stage: 1 });
  const admitted = { kind: "admit", subject: "entry-0", lane: "local", sku: "" };
  const sold = { kind: "sell", at: OPENS_AT + 5_000, subject: "entry-0", ref: "a", quantity: 1 };
  const [inTime] = lanesOf(nightWithLane([admitted, held(3_999, "a"), sold]));
  expect(inTime).toMatchObject({ kept: 2, taken: 1, sold: { people: 1, bots: 0 }, tickets: { people: 1, bots: 0 } });
  const [late] = lanesOf(nightWithLane([admitted, held(4_000, "a"), sold]));
  expect(late).toMatchObject({ kept: 2, taken: 0, sold: { people: 1, bots: 0 } });
  const [returned] = lanesOf(nightWithLane([admitted, held(1_000, "a"), { kind: "expire", at: OPENS_AT + 2_000, subject: "entry-0", ref: "a", quantity: 1 }, held(2_500, "b")]));
  expect(returned).toMatchObject({ kept: 2, taken: 1 });
  expect(laneTables(nightWithLane([admitted, held(0, "a"), sold]))[0]?.note).toMatch(/came to everyone: 1 units/);
  expect(laneTables(night(50, 10))).toEqual([]);
});

test("tickets, units and refusals are told by the way that somebody came, and a moved place is one ticket", () => {
  const facts = night(3, 1);
  const [first, second, third, bot] = facts.shoppers;
  if (first === undefined || second === undefined || third === undefined || bot === undefined) throw new Error("four came");
  const shoppers: ShopperFact[] = [
    first, { ...second, way: "forms" }, { ...third, entry: null, joinedAt: null, refused: "429 Please wait a little", refs: [], way: "forms" },
    { ...bot, refs: [] }, { ...bot, way: "forms", isMoved: true, refs: ["ref-3"] }, { ...bot, identity: "browser", entry: "entry-9", way: "browser", refs: [] },
  ];
  const { rows } = waysTable({ ...facts, shoppers });
  expect(rows).toEqual([
    ["people, with script", "1", "1", "1", "0", "1", "0", ""],
    ["bots, with script", "1", "1", "1", "0", "0", "0", ""],
    ["people, without script", "2", "1", "1", "0", "1", "1", "429 Please wait a little: 1"],
    ["bots, without script", "1", "0", "0", "1", "1", "0", ""],
    ["bots, real browsers", "1", "1", "1", "0", "0", "0", ""],
  ]);
  // A browser is one more identity and one more ticket of the bots; the moved place is neither.
  expect(sharesOf([{ ...facts, shoppers }])).toMatchObject({ identityShare: 2 / 4, ticketShare: 2 / 4 });
});
