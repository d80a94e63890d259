import { isServed } from "../lobby/draw.ts";
import { availableItems, availableUnits, countOf, itemsWithin } from "./counters.ts";
import { linesOf } from "./due.ts";
import { factsOf, isSelling } from "./hold-movements.ts";
import type { Movement } from "./movements.ts";
import type { Plan, PlanItem } from "./plan.ts";
import type { Line, LinePage, LineRequest } from "./port.ts";
import { callId, thresholdOf } from "./sittings.ts";
import { type CallRow, type Decision, type DropFacts, type DropState, lineId, placeId, type ThresholdRow, unchanged } from "./state.ts";

/** The most ranks that one request of one line asks for. */
const RANKS_PER_REQUEST_MAX = 1_000;
/**
 * The fewest: before the last free unit there may stand many who have bought
 * already and take nothing, and a page comes only once a second.
 */
const RANKS_PER_REQUEST_MIN = 100;

/**
 * Which ranks of which lines could be served now: a line for every item of
 * which something is free that nobody who was called before could still want.
 */
export function wantedLines(state: DropState, now: number): LineRequest[] {
  if (!isServing(state, now)) return [];
  const { plan } = factsOf(state);
  const free = freeUnits(state, plan, now);
  return linesOf(plan).flatMap(({ sku, lane }): LineRequest[] => {
    const after = thresholdOf(state, sku, lane);
    const item = plan.items.find((candidate) => candidate.sku === sku);
    const room = item === undefined ? 0 : itemsWithin(item, (part) => countOf(free, part));
    return room < 1 || after === "~" ? [] : [{ sku, lane, after, count: Math.min(Math.max(room, RANKS_PER_REQUEST_MIN), RANKS_PER_REQUEST_MAX) }];
  });
}

interface Candidate {
  readonly rank: string;
  readonly sku: string;
  readonly lane: string;
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
  const free = freeUnits(state, plan, now);
  const candidates = linesOf(plan).flatMap((line) => candidatesOf(state, { plan, missing }, line, pages));
  candidates.sort((a, b) => (a.rank === b.rank ? 0 : a.rank < b.rank ? -1 : 1));
  const full = new Set<string>();
  const reached = new Map<string, Candidate>();
  const calls: CallRow[] = [];
  for (const candidate of candidates) {
    const id = lineId(candidate.sku, candidate.lane);
    const item = plan.items.find(({ sku }) => sku === candidate.sku);
    if (item === undefined || full.has(id)) continue;
    if (itemsWithin(item, (sku) => countOf(free, sku)) < 1) {
      full.add(id);
      continue;
    }
    reached.set(id, candidate);
    const standing = standingOf(state, plan, candidate, now);
    if (standing !== "satisfied") take(free, item, Math.min(candidate.quantity, plan.limitPerPerson));
    if (standing === "absent") calls.push({ id: callId(candidate.sku, candidate.lane, candidate.rank), ...candidate, calledAt: now });
  }
  if (reached.size === 0) return endedCalls.length === 0 ? unchanged(null) : { outcome: null, changes: { endedCalls } };
  const advances = [...reached.values()];
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
 * Units that are available and that nobody who was called is about to want:
 * available, less what called people in their claim window and admitted people
 * before their first hold would take. May be negative, when late claimants add
 * to those who were called.
 */
function freeUnits(state: DropState, plan: Plan, now: number): Map<string, number> {
  const free = new Map(plan.stock.map((stock) => [stock.sku, availableUnits(state, stock, now)]));
  // Wanting what is sold out takes nothing, or a bundle that nobody can have
  // would keep its other half from those who can.
  const inStock = new Map(plan.items.filter((item) => availableItems(state, plan, item, now) > 0).map((item) => [item.sku, item]));
  // A wish for more than one person may have cannot take more than that.
  const want = (line: Line, allowed = plan.limitPerPerson) => {
    const item = inStock.get(line.sku);
    if (item !== undefined) take(free, item, Math.min(line.quantity, allowed));
  };
  for (const call of state.calls.values()) if (!isCallOver(call, plan, now)) want(call);
  for (const id of state.undecidedSittings) {
    const sitting = state.sittings.get(id);
    if (sitting === undefined || now >= sitting.expiresAt) continue;
    // Whoever sits down again after buying keeps nothing from others beyond what may still be bought.
    const allowed = Math.max(0, plan.limitPerPerson - countOf(state.counters.itemsByEntry, sitting.entry));
    for (const line of sitting.wants) if (isServed(sitting.rank, thresholdOf(state, line.sku, sitting.lane))) want(line, allowed);
  }
  return free;
}

function take(free: Map<string, number>, item: PlanItem, quantity: number): void {
  for (const part of item.components) free.set(part.sku, countOf(free, part.sku) - part.quantity * quantity);
}

function isCallOver(call: CallRow, plan: Plan, now: number): boolean {
  return now >= call.calledAt + plan.claimWindowMs;
}

function endedCallsAt(state: DropState, now: number): string[] {
  const { plan } = factsOf(state);
  return [...state.calls.values()].filter((call) => isCallOver(call, plan, now)).map((call) => call.id);
}

/** The waiting ranks of one line beyond its threshold, as far as all shards together are complete. */
function candidatesOf(state: DropState, { plan, missing }: { plan: Plan; missing: readonly number[] }, line: { readonly sku: string; readonly lane: string }, pages: readonly LinePage[]): Candidate[] {
  const after = thresholdOf(state, line.sku, line.lane);
  const byShard = new Map<number, LinePage>();
  for (const page of pages) {
    // A page that starts elsewhere answers an older question; it would skip people.
    if (page.sku === line.sku && page.lane === line.lane && page.after === after) byShard.set(page.shard, page);
  }
  const required = Array.from({ length: plan.shards }, (_, shard) => shard).filter((shard) => !missing.includes(shard));
  if (byShard.size === 0 || required.some((shard) => !byShard.has(shard))) return [];
  const ofLine = [...byShard.values()];
  const completeTo = ofLine.reduce((least, page) => (page.completeTo < least ? page.completeTo : least), "~");
  return ofLine
    .flatMap((page) => page.waiting)
    .filter(({ rank }) => rank <= completeTo && (after === null || rank > after))
    .map(({ rank, quantity }) => ({ ...line, rank, quantity }));
}

/**
 * Whether a rank that is about to be served will come for this item: somebody
 * who has sat down is counted by the sitting, somebody who holds or has bought
 * is not coming, everyone else is absent and gets a call.
 */
function standingOf(state: DropState, plan: Plan, { lane, rank }: Candidate, now: number): "absent" | "seated" | "satisfied" {
  const entry = state.entryByPlace.get(placeId(lane, rank));
  if (entry === undefined) return "absent";
  if (countOf(state.counters.itemsByEntry, entry) >= plan.limitPerPerson) return "satisfied";
  const active = (state.sittingsByEntry.get(entry) ?? []).flatMap((id) => state.sittings.get(id) ?? []).find((sitting) => now < sitting.expiresAt);
  if (active === undefined) return "absent";
  return active.heldAt === null ? "seated" : "satisfied";
}
