import type { LaneShare } from "../../drop/plan.ts";
import { nodeHashing } from "../../kernel/node-hashing.ts";
import type { CallFact, NightFacts, NightTerms, OrderFact, RouteFact, ShopperFact } from "../../rehearsal/facts.ts";
import { rankOfPlace, recordNameOfHold } from "../../rehearsal/line.ts";
import { quantile } from "../../rehearsal/statistics.ts";
import type { Evidence } from "./evidence.ts";
import type { Evening } from "./notebook.ts";
import type { Night } from "./shopping.ts";

interface Measured {
  readonly night: Night;
  readonly evidence: Evidence;
  readonly terms: NightTerms;
  readonly stages: NightFacts["stages"];
  readonly calls: readonly CallFact[];
  readonly remarks: readonly string[];
  readonly lanes: readonly LaneShare[];
  /** How long the store was away after each kill, in milliseconds. */
  readonly crashes: readonly number[];
  readonly tookSeconds: number;
}

/** Everything that a night left behind, in the report's own form. */
export function factsOf({ night, evidence, terms, stages, calls, remarks, crashes, lanes, tookSeconds }: Measured): NightFacts {
  const { evenings, broken, tried } = night.notebook;
  const { http, drop, visitors } = night.surroundings;
  const { seed, keptMs, ...proven } = evidence;
  return {
    terms, stages, calls, tookSeconds, ...proven,
    lanes: lanes.map((share) => ({ ...share, untilMs: keptMs[share.lane] ?? share.untilMs })),
    opensAt: night.opensAt, closesAt: night.closesAt,
    shoppers: evenings.map((evening) => shopperFact(evening, night, seed)),
    orders: evenings.flatMap(({ orders }) => orders.map((order): OrderFact => ({ id: order.id, ref: recordNameOfHold(drop, order.hold, nodeHashing), isPaid: order.isPaid, isConfirmed: order.isConfirmed }))),
    routes: routeFacts(night),
    requestsBySecond: [...http.bySecond].toSorted(([a], [b]) => a - b),
    faults: [
      ...(["request-lost", "reply-lost", "slow-network"] as const).map((fault) => [fault, visitors.reduce((sum, { faults }) => sum + faults.struck(fault), 0)] as const),
      ["tabs closed, and opened again with what was stored", evenings.filter(({ shopper, ticket }) => shopper.kind === "person" && shopper.closesTab && ticket !== null).length],
      ["cards declined first", evenings.filter(({ shopper, orders }) => shopper.paying === "second-card" && orders.length > 0).length],
      ["payment pages left, and come back to", evenings.filter(({ shopper, orders }) => shopper.paying === "comes-back" && orders.length > 0).length],
      ["webhooks sent twice and out of order", evidence.payments.filter(({ authorisedMinor }) => authorisedMinor > 0).length],
      ["kill -9 and restart", crashes.length],
    ],
    tried: [...tried],
    broken: [...broken].map(([what, { count, examples }]) => ({ what, count, examples })),
    remarks: [
      ...remarks, ...crashes.map((ms) => `After the kill the store was away for ${(ms / 1_000).toFixed(1)} s of the machine's own time; what the tracing had not handed out by then is not among the requests per object.`),
      ...lateRemark(night),
      liveRemark(night),
      "The provider was told to be slow, to fail in two of a hundred requests, to hang after one in a hundred, and to send every webhook twice and out of order.",
      "All requests come from one process on this machine, over at most 114 connections to the store; the network of each is what the Rehearsal header says.",
    ],
  };
}

function liveRemark({ feed }: Night): string {
  const { readings, failedReadings, socketsOpened, socketMessages, oldestMs } = feed.counts;
  return `The live state was read ${readings} times by one reader that stands for the edge's cache (${failedReadings} readings failed), and heard ${socketMessages} times on ${socketsOpened} sockets; it was at most ${oldestMs} ms old. Nobody who waits asked for himself: every client works its rank out of what is told to all.`;
}

/** A machine that is slower than it was measured makes people late who meant to be early. */
function lateRemark({ notebook, opensAt }: Night): string[] {
  const late = notebook.evenings.filter(({ shopper, joinedAt }) => shopper.arrival <= 1 && joinedAt !== null && joinedAt >= opensAt).length;
  return late === 0 ? [] : [`${late} who came to the lobby in time had their ticket only after the opening, because the machine was slower than it was measured before; they stand behind everybody who was drawn.`];
}

function shopperFact({ shopper, entry, lane, weight, joinedAt, calledAt, admittedAt, refusedJoin, isMoved, holds, end }: Evening, { opensAt, surroundings }: Night, seed: string | null): ShopperFact {
  const isBrowser = shopper.kind === "bot" && shopper.tactic === "browser";
  const rank = entry === null || joinedAt === null || seed === null ? null : rankOfPlace({ entry, lane, joinedAt, weight, wants: [] }, opensAt, seed, nodeHashing);
  return {
    class: shopper.kind === "person" ? "people" : "bots", way: isBrowser ? "browser" : shopper.way, intent: shopper.intent, wants: shopper.wants, identity: shopper.identity.email,
    entry, lane, joinedAt, rank, calledAt, admittedAt, refused: entry === null ? (refusedJoin ?? "gave up") : null, isMoved,
    refs: holds.map(({ id }) => recordNameOfHold(surroundings.drop, id, nodeHashing)), end,
  };
}

function routeFacts({ surroundings }: Night): RouteFact[] {
  return [...surroundings.http.routes]
    .map(([route, { answers, tookMs }]): RouteFact => ({
      route, requests: tookMs.length,
      medianMs: quantile(tookMs, 0.5) ?? 0, p95Ms: quantile(tookMs, 0.95) ?? 0, p99Ms: quantile(tookMs, 0.99) ?? 0,
      answers: [...answers].toSorted(([, a], [, b]) => b - a),
    }))
    .toSorted((a, b) => b.requests - a.requests);
}
