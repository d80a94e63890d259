import type { Hashing } from "../kernel/hashing.ts";
import { assert } from "../kernel/result.ts";
import { applyChanges, rebuild } from "./apply.ts";
import { DUE_STEPS } from "./due.ts";
import { nextDueAt } from "./due-time.ts";
import type { MovementRow } from "./port.ts";
import { type Changes, type Decision, type DropFacts, type DropState, type RowChanges, type StoredDrop, TABLE_NAMES, type TableName, type Tables } from "./state.ts";

/** What must become durable in one transaction; null stands for a row that is gone. */
export interface PendingWrite {
  readonly record: readonly MovementRow[];
  readonly facts: DropFacts | null;
  readonly rows: { readonly [Name in TableName]: ReadonlyMap<string, Tables[Name] | null> };
}

type PendingRows = { readonly [Name in TableName]: Map<string, Tables[Name] | null> };

/**
 * One drop in memory: decides commands one after the other and collects what
 * they change, until the caller takes it away to write it. Nothing that is not
 * written may be told to anyone. After a throw the book is spoiled; make
 * another from storage.
 */
export class DropBook {
  readonly state: DropState;
  readonly #hashing: Hashing;
  #record: MovementRow[] = [];
  #factsChanged = false;
  #rows = emptyRows();

  constructor(stored: StoredDrop, hashing: Hashing) {
    this.state = rebuild(stored);
    this.#hashing = hashing;
  }

  /** The drop's time: the clock's, but never before the last row of the record, nor before a stage that has opened. */
  timeOf(clock: number): number {
    return Math.max(clock, this.state.tail.at, this.state.facts?.openedAt ?? 0);
  }

  /** Settles what is due at `now`, then decides and applies one command. */
  perform<Outcome>(now: number, decide: (state: DropState, now: number, hashing: Hashing) => Decision<Outcome>): Outcome {
    this.settle(now);
    const { outcome, changes } = decide(this.state, now, this.#hashing);
    if (changes !== null) this.#apply(changes, now);
    // A last seal makes the draw due in the same instant.
    this.settle(now);
    return outcome;
  }

  /** Writes what time alone has changed. */
  settle(now: number): void {
    if (this.state.facts === null || now < this.state.dueAt) return;
    for (const step of DUE_STEPS) {
      const changes = step(this.state, now, this.#hashing);
      if (changes !== null) this.#apply(changes, now);
    }
    this.state.dueAt = nextDueAt(this.state);
    assert(this.state.dueAt > now, "what is due is settled");
  }

  /** Hands over what is to be written, or null when nothing changed. */
  takePending(): PendingWrite | null {
    const isEmpty = this.#record.length === 0 && !this.#factsChanged && TABLE_NAMES.every((name) => this.#rows[name].size === 0);
    if (isEmpty) return null;
    const pending: PendingWrite = { record: this.#record, facts: this.#factsChanged ? this.state.facts : null, rows: this.#rows };
    this.#record = [];
    this.#factsChanged = false;
    this.#rows = emptyRows();
    return pending;
  }

  #apply(changes: Changes, now: number): void {
    this.#record.push(...applyChanges(this.state, changes, now, this.#hashing));
    this.#factsChanged ||= changes.facts !== undefined;
    for (const name of TABLE_NAMES) putAll(this.#rows, changes, name);
    for (const id of changes.endedCalls ?? []) this.#rows.calls.set(id, null);
    for (const id of changes.acknowledged ?? []) this.#rows.outbox.set(id, null);
  }
}

function putAll<Name extends TableName>(rows: PendingRows, changes: RowChanges, name: Name): void {
  const changed: readonly Tables[Name][] | undefined = changes[name];
  for (const row of changed ?? []) rows[name].set(row.id, row);
}

function emptyRows(): PendingRows {
  return { holds: new Map(), sittings: new Map(), orders: new Map(), verdicts: new Map(), seals: new Map(), thresholds: new Map(), calls: new Map(), outbox: new Map() };
}
