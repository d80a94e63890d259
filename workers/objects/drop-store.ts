import { DROP_MIGRATIONS } from "../../migrations/objects/drop.ts";
import type { PendingWrite } from "../../src/drop/drop-book.ts";
import type { MovementRow } from "../../src/drop/port.ts";
import { EMPTY_RECORD, type RecordTail } from "../../src/drop/record.ts";
import { type DropFacts, type StoredDrop, TABLE_NAMES, type TableName, type Tables } from "../../src/drop/state.ts";
import { migrate } from "./migrate.ts";

/** A bound value may hold 2 MB; a statement carries rows up to a quarter of that. */
const STATEMENT_CHARACTERS_MAX = 500_000;

/** The Drop object's tables. Everything here is synchronous; an answer leaves the object only after what was written before it is durable. */
export class DropStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    storage.transactionSync(() => migrate(this.#sql, DROP_MIGRATIONS));
  }

  load(): StoredDrop {
    const facts = this.#sql.exec<{ row: string }>("SELECT row FROM facts").toArray()[0];
    const rows = <Name extends TableName>(name: Name): readonly Tables[Name][] =>
      this.#sql.exec<{ row: string }>(`SELECT row FROM ${name}`).toArray().map(({ row }) => storedJson<Tables[Name]>(row));
    return {
      facts: facts === undefined ? null : storedJson<DropFacts>(facts.row),
      tail: this.#tail(),
      rows: {
        holds: rows("holds"), sittings: rows("sittings"), orders: rows("orders"), verdicts: rows("verdicts"),
        seals: rows("seals"), thresholds: rows("thresholds"), calls: rows("calls"), outbox: rows("outbox"),
      },
    };
  }

  /** One transaction for everything that a group of commands changed. */
  write(pending: PendingWrite): void {
    this.#storage.transactionSync(() => {
      for (const text of statementsOf(pending.record)) {
        // No REPLACE: a second row with a number that exists must fail, not rewrite the record.
        this.#sql.exec("INSERT INTO record (seq, row) SELECT value ->> 'seq', value FROM json_each(?)", text);
      }
      if (pending.facts !== null) this.#sql.exec("INSERT OR REPLACE INTO facts (id, row) VALUES (1, ?)", JSON.stringify(pending.facts));
      for (const name of TABLE_NAMES) this.#writeTable(name, pending.rows[name]);
    });
  }

  /** Rows from `from` up to and with `to`, at most `limit` of them. */
  recordRows(from: number, to: number, limit: number): MovementRow[] {
    const rows = this.#sql.exec<{ row: string }>("SELECT row FROM record WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ?", from, to, limit);
    return rows.toArray().map(({ row }) => storedJson<MovementRow>(row));
  }

  #writeTable(name: TableName, changed: ReadonlyMap<string, unknown>): void {
    if (changed.size === 0) return;
    const present = [...changed.values()].filter((row) => row !== null);
    const gone = [...changed].filter(([, row]) => row === null).map(([id]) => id);
    for (const text of statementsOf(present)) {
      this.#sql.exec(`INSERT OR REPLACE INTO ${name} (id, row) SELECT value ->> 'id', value FROM json_each(?)`, text);
    }
    for (const text of statementsOf(gone)) this.#sql.exec(`DELETE FROM ${name} WHERE id IN (SELECT value FROM json_each(?))`, text);
  }

  #tail(): RecordTail {
    const last = this.#sql.exec<{ row: string }>("SELECT row FROM record ORDER BY seq DESC LIMIT 1").toArray()[0];
    if (last === undefined) return EMPTY_RECORD;
    const { seq, hash, at } = storedJson<MovementRow>(last.row);
    return { seq, hash, at: Date.parse(at) };
  }
}

/** JSON arrays of the rows, each short enough for one statement. */
function statementsOf(rows: readonly unknown[]): string[] {
  const statements: string[] = [];
  let parts: string[] = [];
  let characters = 0;
  for (const row of rows) {
    const text = JSON.stringify(row);
    if (parts.length > 0 && characters + text.length > STATEMENT_CHARACTERS_MAX) {
      statements.push(`[${parts.join(",")}]`);
      parts = [];
      characters = 0;
    }
    parts.push(text);
    characters += text.length;
  }
  if (parts.length > 0) statements.push(`[${parts.join(",")}]`);
  return statements;
}

/** What this object wrote itself, under its own migrations, needs no parser; the type is the caller's knowledge of the table. */
function storedJson<Row>(text: string): Row {
  return JSON.parse(text) as Row;
}
