import { expect, test } from "vitest";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { rankOfPlace, WaitingCrowd, type OwnPlace } from "../../../src/rehearsal/line.ts";
import { linksOf } from "../../../src/rehearsal/side-doors.ts";
import { weightOfTicket } from "../../../src/rehearsal/ticket.ts";

const OPENS_AT = 1_700_000_000_000;
const SEED = "5a".repeat(32);
const place = (entry: string, joinedAt = OPENS_AT - 1, lane = "open"): OwnPlace => ({ entry, lane, weight: 1, joinedAt, wants: [{ sku: "A" }] });
const rank = (of: OwnPlace) => rankOfPlace(of, OPENS_AT, SEED, nodeHashing);

test("whoever waits is called when the threshold of their own lane and item reaches their rank, and once only", () => {
  const places = ["a", "b", "c", "d"].map((entry) => place(entry)).toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1));
  const crowd = new WaitingCrowd<string>(OPENS_AT, nodeHashing);
  for (const one of places) crowd.stand(one.entry, one);
  const upTo = (index: number, sku = "A", lane = "open") => ({ seed: SEED, thresholds: [{ sku, lane, upTo: rank(places[index] ?? place("")) }] });
  expect(crowd.called({ seed: null, thresholds: [] })).toEqual([]);
  expect(crowd.called(upTo(3, "B"))).toEqual([]);
  expect(crowd.called(upTo(3, "A", "member"))).toEqual([]);
  expect(crowd.called(upTo(1))).toEqual(places.slice(0, 2).map(({ entry }) => entry));
  expect(crowd.called(upTo(1))).toEqual([]);
  expect(crowd.called(upTo(3))).toEqual(places.slice(2).map(({ entry }) => entry));
  expect(crowd.length).toBe(0);
});

test("somebody who comes late hears of a threshold that has passed already", () => {
  const crowd = new WaitingCrowd<string>(OPENS_AT, nodeHashing);
  const everyone = { seed: SEED, thresholds: [{ sku: "A", lane: "open", upTo: "~" }] };
  expect(crowd.called(everyone)).toEqual([]);
  crowd.stand("late", place("late", OPENS_AT + 5));
  expect(crowd.called(everyone)).toEqual(["late"]);
});

test("a ticket's owner reads its weight, and what cannot be read is one chance", () => {
  const token = (claims: object) => `t1.${btoa(JSON.stringify(claims)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}.mac`;
  expect([token({ weight: 3 }), token({}), token({ weight: -1 }), "nothing"].map(weightOfTicket)).toEqual([3, 1, 1, 1]);
});

test("a crawler finds every address of the store in a page, and none of anybody else's", () => {
  const html = '<a href="/drops/night/plan#top">p</a><form action="/q/go?a=1&amp;b=2"></form><script src="/built/drop.js"></script><a href="https://elsewhere.example/x">x</a><a href="//elsewhere.example">y</a><script type="application/json">{"live":"/api/drops/night/live"}</script>';
  expect(linksOf(html)).toEqual(["/drops/night/plan", "/q/go?a=1&b=2", "/built/drop.js", "/api/drops/night/live"]);
});
