import type { PendingWrite } from "../../../src/drop/drop-book.ts";
import { EMPTY_RECORD } from "../../../src/drop/record.ts";
import type { MovementRow } from "../../../src/drop/port.ts";
import type { DropFacts, HoldRow, StoredDrop, TableName, Tables } from "../../../src/drop/state.ts";
import { TABLE_NAMES } from "../../../src/drop/state.ts";
import { instantFromWire } from "../../../src/kernel/time.ts";

type StoredRows = { readonly [Name in TableName]: Map<string, Tables[Name]> };

/** What a Drop object has on its disk: written whole or not at all, and all that an eviction leaves. */
export class DropStorage {
  readonly record: MovementRow[] = [];
  facts: DropFacts | null = null;
  readonly #rows: StoredRows = {
    holds: new Map(), sittings: new Map(), orders: new Map(), verdicts: new Map(), seals: new Map(), thresholds: new Map(), calls: new Map(), outbox: new Map(),
  };

  /** What is on the disk now. Rows are never changed, only replaced, so that nobody can change what was written. */
  get rows(): { readonly [Name in TableName]: ReadonlyMap<string, Tables[Name]> } {
    return this.#rows;
  }

  get holds(): ReadonlyMap<string, HoldRow> {
    return this.#rows.holds;
  }

  /** Effects that settlement has not acknowledged. */
  get outboxSize(): number {
    return this.#rows.outbox.size;
  }

  write(pending: PendingWrite): void {
    this.record.push(...pending.record);
    if (pending.facts !== null) this.facts = pending.facts;
    for (const name of TABLE_NAMES) this.#writeRows(name, pending.rows[name]);
  }

  stored(): StoredDrop {
    const last = this.record.at(-1);
    const { holds, sittings, orders, verdicts, seals, thresholds, calls, outbox } = this.#rows;
    return {
      facts: this.facts,
      tail: last === undefined ? EMPTY_RECORD : { seq: last.seq, hash: last.hash, at: instantFromWire(last.at) ?? 0 },
      rows: {
        holds: [...holds.values()], sittings: [...sittings.values()], orders: [...orders.values()], verdicts: [...verdicts.values()],
        seals: [...seals.values()], thresholds: [...thresholds.values()], calls: [...calls.values()], outbox: [...outbox.values()],
      },
    };
  }

  #writeRows<Name extends TableName>(name: Name, rows: ReadonlyMap<string, Tables[Name] | null>): void {
    const table: Map<string, Tables[Name]> = this.#rows[name];
    for (const [id, row] of rows) {
      if (row === null) table.delete(id);
      // Frozen, where a disk would copy: what memory changes afterwards would not be on it.
      else table.set(id, frozen(row));
    }
  }
}

/** Frozen through and through; a copy of every row would take most of a simulation's time. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) frozen(member);
  return value;
}
