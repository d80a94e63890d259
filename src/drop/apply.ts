import type { Hashing } from "../kernel/hashing.ts";
import { assert } from "../kernel/result.ts";
import { withChange } from "./changelog.ts";
import { ownersOf } from "./cool-down.ts";
import { countHold, countMovement, countOf, countUnits, emptyCounters, unitsTaken } from "./counters.ts";
import { holdDueAt, lifecycleDueAt } from "./due-time.ts";
import { assertKept } from "./lanes.ts";
import { EFFECTS, isStockMovement, type UnitCount } from "./movements.ts";
import type { MovementRow } from "./port.ts";
import { EMPTY_RECORD, rowAfter } from "./record.ts";
import { type Changes, type DropState, type HoldRow, placeId, type SittingRow, type StoredDrop, TABLE_NAMES } from "./state.ts";
import { Timetable } from "./timetable.ts";

export function emptyState(): DropState {
  return {
    facts: null, tail: EMPTY_RECORD,
    holds: new Map(), sittings: new Map(), orders: new Map(), verdicts: new Map(), seals: new Map(), thresholds: new Map(), calls: new Map(), outbox: new Map(),
    counters: emptyCounters(), liveHolds: new Set(), timetable: new Timetable(), undecidedSittings: new Set(), sittingsByEntry: new Map(), sittingsByOwner: new Map(), entryByPlace: new Map(), sealedThrough: new Map(),
    dueAt: Number.POSITIVE_INFINITY,
  };
}

/** The state from what was stored. Totals are recounted from the rows, not read. */
export function rebuild(stored: StoredDrop): DropState {
  const state = emptyState();
  state.facts = stored.facts;
  state.tail = stored.tail;
  for (const name of TABLE_NAMES) putRows(state, { [name]: stored.rows[name] });
  for (const hold of state.holds.values()) countUnits(state.counters, hold);
  state.dueAt = Number.NEGATIVE_INFINITY;
  return state;
}

/**
 * Applies a decision to memory and answers the rows that it adds to the record.
 * The caller stores both before it tells anyone. A broken invariant throws and
 * leaves the state half changed: the caller rebuilds it from storage.
 */
export function applyChanges(state: DropState, changes: Changes, now: number, hashing: Hashing): MovementRow[] {
  const before = state.facts;
  if (changes.facts !== undefined) state.facts = changes.facts;
  const rows: MovementRow[] = [];
  const moved = new Map<string, number>();
  for (const movement of changes.movements ?? []) {
    const row = rowAfter(state.tail, movement, now, hashing);
    state.tail = { seq: row.seq, hash: row.hash, at: now };
    rows.push(row);
    assert(state.facts !== null, "the first row of a record is its plan");
    // The first row's hash is the plan's name for good: tickets, seed and receipts carry it.
    if (movement.kind === "plan" && row.seq === 1) state.facts = { ...state.facts, planHash: row.hash };
    state.facts = withChange(state.facts, movement, { seq: row.seq, at: now }, before);
    if (!isStockMovement(movement)) continue;
    countMovement(state.counters, state.facts.plan, movement, now);
    const { held, sold } = EFFECTS[movement.kind];
    tally(moved, `held ${movement.sku}`, held * movement.quantity);
    tally(moved, `sold ${movement.sku}`, sold * movement.quantity);
  }
  for (const hold of changes.holds ?? []) {
    const before = state.holds.get(hold.id);
    if (before !== undefined) tallyUnits(moved, before, 1);
    tallyUnits(moved, hold, -1);
  }
  // The record and the rows are two accounts of the same units; where they part, nothing is written.
  assert([...moved.values()].every((units) => units === 0), "the movements say what the holds say");
  putRows(state, changes);
  if (state.facts !== null) assertKept(state, state.facts.plan, changes.movements ?? [], now);
  for (const id of changes.endedCalls ?? []) state.calls.delete(id);
  for (const id of changes.acknowledged ?? []) state.outbox.delete(id);
  if (changes.facts !== undefined || changes.seals !== undefined || state.liveHolds.size === 0) state.dueAt = Math.min(state.dueAt, lifecycleDueAt(state));
  return rows;
}

function tally(counts: Map<string, number>, key: string, amount: number): void {
  counts.set(key, countOf(counts, key) + amount);
}

function tallyUnits(counts: Map<string, number>, hold: HoldRow, sign: 1 | -1): void {
  const taken = unitsTaken(hold);
  const each = (of: string, units: readonly UnitCount[]) => {
    for (const { sku, quantity } of units) tally(counts, `${of} ${sku}`, sign * quantity);
  };
  each("held", taken.held);
  each("sold", taken.sold);
}

function putRows(state: DropState, changes: Changes): void {
  for (const row of changes.holds ?? []) putHold(state, row);
  for (const row of changes.sittings ?? []) putSitting(state, row);
  for (const row of changes.orders ?? []) state.orders.set(row.id, row);
  for (const row of changes.verdicts ?? []) state.verdicts.set(row.id, row);
  for (const row of changes.seals ?? []) {
    state.seals.set(row.id, row);
    state.sealedThrough.set(row.shard, Math.max(row.through, state.sealedThrough.get(row.shard) ?? 0));
  }
  for (const row of changes.thresholds ?? []) state.thresholds.set(row.id, row);
  for (const row of changes.calls ?? []) state.calls.set(row.id, row);
  for (const row of changes.outbox ?? []) state.outbox.set(row.id, row);
}

function putHold(state: DropState, hold: HoldRow): void {
  const before = state.holds.get(hold.id);
  if (before !== undefined) countHold(state.counters, before, -1);
  countHold(state.counters, hold, 1);
  state.holds.set(hold.id, hold);
  if (hold.state === "held" || hold.state === "placed") {
    const dueAt = holdDueAt(hold);
    if (before === undefined || !state.liveHolds.has(hold.id) || holdDueAt(before) !== dueAt) state.timetable.enter(hold.id, dueAt);
    state.liveHolds.add(hold.id);
    state.dueAt = Math.min(state.dueAt, dueAt);
  } else state.liveHolds.delete(hold.id);
}

function putSitting(state: DropState, sitting: SittingRow): void {
  if (!state.sittings.has(sitting.id)) {
    state.sittingsByEntry.set(sitting.entry, [...(state.sittingsByEntry.get(sitting.entry) ?? []), sitting.id]);
    for (const owner of ownersOf(sitting)) state.sittingsByOwner.set(owner, [...(state.sittingsByOwner.get(owner) ?? []), sitting.id]);
    state.entryByPlace.set(placeId(sitting.lane, sitting.rank), sitting.entry);
  }
  state.sittings.set(sitting.id, sitting);
  if (sitting.heldAt === null) state.undecidedSittings.add(sitting.id);
  else state.undecidedSittings.delete(sitting.id);
}
