import { isServed } from "../lobby/draw.ts";
import { countOf, itemsWithin } from "./counters.ts";
import { linesOf } from "./due.ts";
import { groupMaxOf, limitOf, peopleOf } from "./groups.ts";
import { factsOf, isSelling } from "./hold-movements.ts";
import { unitsFor } from "./lanes.ts";
import type { Movement } from "./movements.ts";
import { OPEN_LANE, type Plan, type PlanItem } from "./plan.ts";
import type { Line, LinePage, LineRequest } from "./port.ts";
import { Room } from "./room.ts";
import { callId, limitOfEntry, thresholdOf } from "./sittings.ts";
import { type CallRow, type Decision, type DropFacts, type DropState, lineId, placeId, type ThresholdRow, unchanged } from "./state.ts";

/** The most ranks that one request of one line asks for. */
const RANKS_PER_REQUEST_MAX = 1_000;
/**
 * The fewest: before the last free unit there may stand many who have bought
 * already and take nothing, and a page comes only once a second.
 */
const RANKS_PER_REQUEST_MIN = 100;
/**
 * Ranks are asked for this long before there is room for them: the shards answer
 * with their next reading, and a place that falls free must not wait for that.
 */
const ASKED_AHEAD_MS = 1_500;

/**
 * Which ranks of which lines could be served now or in a moment: a line for
 * every item and lane for which something is free that nobody who was called
 * before could still want.
 */
export function wantedLines(state: DropState, now: number): LineRequest[] {
  if (!isServing(state, now)) return [];
  const { plan } = factsOf(state);
  const free = freeRoom(state, plan, now + ASKED_AHEAD_MS);
  return linesOf(plan).flatMap(({ sku, lane }): LineRequest[] => {
    const after = thresholdOf(state, sku, lane);
    const item = plan.items.find((candidate) => candidate.sku === sku);
    const room = item === undefined ? 0 : free.itemsFor(item, lane);
    return room < 1 || after === "~" ? [] : [{ sku, lane, after, count: Math.min(Math.max(room, RANKS_PER_REQUEST_MIN), RANKS_PER_REQUEST_MAX) }];
  });
}

/** When the next call, sitting or hold ends, after which somebody else may have the place; null where there is none. */
export function nextTurnAt(state: DropState, now: number): number | null {
  if (!isServing(state, now)) return null;
  const { claimWindowMs } = factsOf(state).plan;
  let next = state.dueAt;
  const consider = (at: number) => {
    if (at > now && at < next) next = at;
  };
  for (const { calledAt } of state.calls.values()) consider(calledAt + claimWindowMs);
  for (const id of state.undecidedSittings) consider(state.sittings.get(id)?.expiresAt ?? now);
  return Number.isFinite(next) ? next : null;
}

/** Up to where a line has come. */
interface Place {
  readonly sku: string;
  readonly lane: string;
  readonly rank: string;
}

interface Candidate extends Place {
  readonly quantity: number;
}

/**
 * Moves the thresholds over the ranks that the shards name, in the order of the
 * draw over all lines, for as long as there is room. A line advances only as
 * far as every shard has told the whole truth, so that nobody is passed over
 * because a shard was slow.
 */
export function decideServe(state: DropState, pages: readonly LinePage[], now: number): Decision<null> {
  const endedCalls = endedCallsAt(state, now);
  if (!isServing(state, now)) return unchanged(null);
  const { plan, missing } = factsOf(state);
  const free = freeRoom(state, plan, now);
  const candidates = plan.items.flatMap(({ sku }) => candidatesOf(state, { plan, missing }, sku, pages));
  candidates.sort((a, b) => (a.rank === b.rank ? 0 : a.rank < b.rank ? -1 : 1));
  const full = new Set<string>();
  const reached = new Map<string, Place>();
  const calls: CallRow[] = [];
  for (const candidate of candidates) {
    const id = lineId(candidate.sku, candidate.lane);
    const item = plan.items.find(({ sku }) => sku === candidate.sku);
    if (item === undefined || full.has(id)) continue;
    if (free.itemsFor(item, candidate.lane) < 1) {
      full.add(id);
      continue;
    }
    reached.set(id, candidate);
    const standing = standingOf(state, plan, candidate, now);
    // How many people stand behind a rank the page does not say; no shard lets one wish for more than they may have.
    if (standing !== "satisfied") free.take(item, candidate.lane, Math.min(candidate.quantity, limitOf(plan, groupMaxOf(plan))));
    if (standing === "absent") calls.push({ id: callId(candidate.sku, candidate.lane, candidate.rank), ...candidate, calledAt: now });
  }
  if (reached.size === 0) return endedCalls.length === 0 ? unchanged(null) : { outcome: null, changes: { endedCalls } };
  const advances = advancesOf(state, plan, reached);
  return {
    outcome: null,
    changes: {
      endedCalls,
      calls,
      movements: advances.map(({ sku, lane, rank }): Movement => ({ kind: "serve", sku, lane, upTo: rank })),
      thresholds: advances.map(({ sku, lane, rank }): ThresholdRow => ({ id: lineId(sku, lane), upTo: rank })),
    },
  };
}

function isServing(state: DropState, now: number): boolean {
  const facts: DropFacts = factsOf(state);
  return facts.seed !== null && !facts.paused && isSelling(facts, now);
}

/**
 * How far the lines move. Where everyone's line comes to a rank the lanes' lines
 * of the same item come along, so that nobody is worse off in a lane than out of
 * it, whoever joins a lane's line late or changes what is wanted. They pass over
 * nobody: see `horizonOf`. The lanes come first, so that this holds after every
 * row of the record.
 */
function advancesOf(state: DropState, plan: Plan, reached: ReadonlyMap<string, Place>): Place[] {
  const lines = linesOf(plan);
  return [...lines.filter(({ lane }) => lane !== OPEN_LANE), ...lines.filter(({ lane }) => lane === OPEN_LANE)].flatMap(({ sku, lane }) => {
    const own = reached.get(lineId(sku, lane))?.rank ?? "";
    const everyone = reached.get(lineId(sku, OPEN_LANE))?.rank ?? "";
    const rank = own > everyone ? own : everyone;
    return rank > (thresholdOf(state, sku, lane) ?? "") ? [{ sku, lane, rank }] : [];
  });
}

/**
 * The room that is left by people in their claim window who were called, and by
 * admitted people before their first hold.
 */
function freeRoom(state: DropState, plan: Plan, now: number): Room {
  const room = new Room(state, plan, now);
  const inStock = stockLookup(state, plan, now);
  // A wish for more than may be had cannot take more than that.
  const want = (line: Line, lane: string, allowed = limitOf(plan, groupMaxOf(plan))) => {
    const item = inStock(line.sku, lane);
    if (item !== null) room.take(item, lane, Math.min(line.quantity, allowed));
  };
  for (const call of state.calls.values()) if (!isCallOver(call, plan, now)) want(call, call.lane);
  for (const id of state.undecidedSittings) {
    const sitting = state.sittings.get(id);
    if (sitting === undefined || now >= sitting.expiresAt) continue;
    // Whoever sits down again after buying keeps nothing from others beyond what may still be bought.
    const allowed = Math.max(0, limitOf(plan, peopleOf(sitting)) - countOf(state.counters.itemsByEntry, sitting.entry));
    for (const line of sitting.wants) if (isServed(sitting.rank, thresholdOf(state, line.sku, sitting.lane))) want(line, sitting.lane, allowed);
  }
  return room;
}

/**
 * Finds an item of which somebody in a lane could have one now, or null. Wanting
 * what is sold out takes nothing, or a bundle that nobody can have would keep
 * its other half from those who can; and what is kept for others is as good as
 * sold out.
 */
function stockLookup(state: DropState, plan: Plan, now: number): (sku: string, lane: string) => PlanItem | null {
  const known = new Map<string, PlanItem | null>();
  return (sku, lane) => {
    const id = lineId(sku, lane);
    const before = known.get(id);
    if (before !== undefined) return before;
    const item = plan.items.find((candidate) => candidate.sku === sku) ?? null;
    const found = item !== null && itemsWithin(item, (part) => unitsFor(state, plan, part, lane, now)) > 0 ? item : null;
    known.set(id, found);
    return found;
  };
}

function isCallOver(call: CallRow, plan: Plan, now: number): boolean {
  return now >= call.calledAt + plan.claimWindowMs;
}

function endedCallsAt(state: DropState, now: number): string[] {
  const { plan } = factsOf(state);
  return [...state.calls.values()].filter((call) => isCallOver(call, plan, now)).map((call) => call.id);
}

/** What the shards together say of one line: who waits beyond its threshold, and up to which rank that is everybody. */
interface Waiting {
  readonly lane: string;
  readonly candidates: readonly Candidate[];
  readonly completeTo: string;
}

/** The waiting ranks of one item in all lanes, as far as the truth about them is complete. */
function candidatesOf(state: DropState, drop: { readonly plan: Plan; readonly missing: readonly number[] }, sku: string, pages: readonly LinePage[]): Candidate[] {
  const ofItem = pages.filter((page) => page.sku === sku);
  const waiting = linesOf(drop.plan).flatMap((line) => (line.sku === sku ? [waitingOf(state, drop, line, ofItem)] : []));
  const horizon = horizonOf(state, sku, waiting);
  return waiting.flatMap(({ lane, candidates }) => (lane === OPEN_LANE ? candidates.filter(({ rank }) => rank <= horizon) : candidates));
}

/**
 * How far everyone's line may go: only as far as each lane's line is known, or
 * somebody in a lane would be passed over by others of a worse rank because of a
 * page that was full or late. Up to there whoever stands in a lane is served
 * before them, since a lane has room wherever everyone has.
 */
function horizonOf(state: DropState, sku: string, waiting: readonly Waiting[]): string {
  let horizon = "~";
  for (const { lane, completeTo } of waiting) {
    if (lane !== OPEN_LANE && thresholdOf(state, sku, lane) !== "~" && completeTo < horizon) horizon = completeTo;
  }
  return horizon;
}

/** The waiting ranks of one line beyond its threshold, as far as all shards together are complete; nobody where one is silent. */
function waitingOf(state: DropState, { plan, missing }: { readonly plan: Plan; readonly missing: readonly number[] }, line: { readonly sku: string; readonly lane: string }, pages: readonly LinePage[]): Waiting {
  const after = thresholdOf(state, line.sku, line.lane);
  const byShard = new Map<number, LinePage>();
  for (const page of pages) {
    // A page that starts elsewhere answers an older question; it would skip people.
    if (page.lane === line.lane && page.after === after) byShard.set(page.shard, page);
  }
  const required = Array.from({ length: plan.shards }, (_, shard) => shard).filter((shard) => !missing.includes(shard));
  if (byShard.size === 0 || required.some((shard) => !byShard.has(shard))) return { lane: line.lane, candidates: [], completeTo: "" };
  const ofLine = [...byShard.values()];
  const completeTo = ofLine.reduce((least, page) => (page.completeTo < least ? page.completeTo : least), "~");
  const candidates = ofLine
    .flatMap((page) => page.waiting)
    .filter(({ rank }) => rank <= completeTo && (after === null || rank > after))
    .map(({ rank, quantity }) => ({ ...line, rank, quantity }));
  return { lane: line.lane, candidates, completeTo };
}

/**
 * Whether a rank that is about to be served will come for this item: somebody
 * who has sat down is counted by the sitting, somebody who holds or has bought
 * is not coming, everyone else is absent and gets a call.
 */
function standingOf(state: DropState, plan: Plan, { lane, rank }: Candidate, now: number): "absent" | "seated" | "satisfied" {
  const entry = state.entryByPlace.get(placeId(lane, rank));
  if (entry === undefined) return "absent";
  if (countOf(state.counters.itemsByEntry, entry) >= limitOfEntry(state, plan, entry)) return "satisfied";
  const active = (state.sittingsByEntry.get(entry) ?? []).flatMap((id) => state.sittings.get(id) ?? []).find((sitting) => now < sitting.expiresAt);
  if (active === undefined) return "absent";
  return active.heldAt === null ? "seated" : "satisfied";
}
