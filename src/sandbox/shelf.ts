import type { Database, Row, SqlValue } from "./database.ts";
import type { RecordByPrefix, RecordPrefix } from "./records.ts";

/*
 * Records by id, and lists of them by what they belong to. Everything is found
 * through an index: a sale of thousands must not slow down as it goes.
 */

export interface ListQuery {
  /** Every filter must match: `{ payment_intent: "pi_…" }`. */
  readonly filters: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly startingAfter: string | null;
  readonly endingBefore: string | null;
  /** In epoch seconds, both inclusive. */
  readonly createdFrom: number | null;
  readonly createdUntil: number | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
}

export interface Shelf {
  find<Prefix extends RecordPrefix>(prefix: Prefix, id: string): RecordByPrefix[Prefix] | null;
  /** Stores a new record; `tags` are what lists of it can be filtered by. */
  add<Prefix extends RecordPrefix>(prefix: Prefix, record: RecordByPrefix[Prefix], tags?: Readonly<Record<string, string | null>>): void;
  update<Prefix extends RecordPrefix>(prefix: Prefix, record: RecordByPrefix[Prefix]): void;
  tag(prefix: RecordPrefix, id: string, tags: Readonly<Record<string, string | null>>): void;
  /** Newest first. */
  list<Prefix extends RecordPrefix>(prefix: Prefix, query: ListQuery): Page<RecordByPrefix[Prefix]>;
  /** All of a kind, oldest first: for the report of the books only. */
  all<Prefix extends RecordPrefix>(prefix: Prefix): RecordByPrefix[Prefix][];
  /** The clock changes the record `id` at `at`; null when it no longer does. */
  schedule(id: string, at: number | null): void;
  dueBy(now: number, limit: number): readonly string[];
  nextDueAt(): number | null;
  balance(currency: string): number;
  balances(): Readonly<Record<string, number>>;
  addToBalance(currency: string, amountMinor: number): void;
}

function documentOf<Prefix extends RecordPrefix>(_prefix: Prefix, row: Row): RecordByPrefix[Prefix] {
  // The one cast of the books: rows of a prefix are written by `add` and `update` only, with this type.
  return JSON.parse(String(row["document"])) as RecordByPrefix[Prefix];
}

function listStatement(prefix: RecordPrefix, query: ListQuery, cursor: number | null): { text: string; values: SqlValue[] } {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const where = (condition: string, ...bound: SqlValue[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  const [first, ...others] = Object.entries(query.filters).map(([name, value]) => `${prefix}/${name}=${value}`);
  const source = first === undefined ? "records r" : "tags t JOIN records r ON r.seq = t.seq";
  const seq = first === undefined ? "r.seq" : "t.seq";
  if (first === undefined) where("r.prefix = ?", prefix);
  else where("t.tag = ?", first);
  for (const other of others) where(`EXISTS (SELECT 1 FROM tags o WHERE o.tag = ? AND o.seq = ${seq})`, other);
  if (query.createdFrom !== null) where("r.created >= ?", query.createdFrom);
  if (query.createdUntil !== null) where("r.created <= ?", query.createdUntil);
  const backwards = query.endingBefore !== null;
  if (cursor !== null) where(`${seq} ${backwards ? ">" : "<"} ?`, cursor);
  values.push(query.limit + 1);
  return { text: `SELECT r.document FROM ${source} WHERE ${conditions.join(" AND ")} ORDER BY ${seq} ${backwards ? "ASC" : "DESC"} LIMIT ?`, values };
}

export function createShelf(database: Database): Shelf {
  const seqOf = (id: string): number | null => {
    const [row] = database.rows("SELECT seq FROM records WHERE id = ?", id);
    return row === undefined ? null : Number(row["seq"]);
  };
  const tag: Shelf["tag"] = (prefix, id, tags) => {
    for (const [name, value] of Object.entries(tags)) {
      if (value !== null) database.rows("INSERT OR IGNORE INTO tags SELECT ?, seq FROM records WHERE id = ?", `${prefix}/${name}=${value}`, id);
    }
  };
  return {
    find(prefix, id) {
      const [row] = database.rows("SELECT document FROM records WHERE id = ? AND prefix = ?", id, prefix);
      return row === undefined ? null : documentOf(prefix, row);
    },
    add(prefix, record, tags = {}) {
      database.rows("INSERT INTO records (id, prefix, created, document) VALUES (?, ?, ?, ?)",
        record.id, prefix, Math.floor(record.createdAt / 1_000), JSON.stringify(record));
      tag(prefix, record.id, tags);
    },
    update(_prefix, record) {
      database.rows("UPDATE records SET document = ? WHERE id = ?", JSON.stringify(record), record.id);
    },
    tag,
    list(prefix, query) {
      const edge = query.endingBefore ?? query.startingAfter;
      const cursor = edge === null ? null : seqOf(edge);
      const { text, values } = listStatement(prefix, query, cursor);
      const rows = database.rows(text, ...values);
      const items = rows.slice(0, query.limit).map((row) => documentOf(prefix, row));
      return { items: query.endingBefore === null ? items : items.toReversed(), hasMore: rows.length > query.limit };
    },
    all: (prefix) => database.rows("SELECT document FROM records WHERE prefix = ? ORDER BY seq", prefix).map((row) => documentOf(prefix, row)),
    schedule(id, at) {
      if (at === null) database.rows("DELETE FROM due WHERE id = ?", id);
      else database.rows("INSERT INTO due (id, at) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at", id, at);
    },
    dueBy: (now, limit) => database.rows("SELECT id FROM due WHERE at <= ? ORDER BY at LIMIT ?", now, limit).map((row) => String(row["id"])),
    nextDueAt() {
      const at = database.rows("SELECT min(at) AS at FROM due")[0]?.["at"] ?? null;
      return at === null ? null : Number(at);
    },
    balance: (currency) => Number(database.rows("SELECT amount FROM balances WHERE currency = ?", currency)[0]?.["amount"] ?? 0),
    balances: () => Object.fromEntries(database.rows("SELECT currency, amount FROM balances ORDER BY currency").map((row) => [String(row["currency"]), Number(row["amount"])])),
    addToBalance(currency, amountMinor) {
      database.rows("INSERT INTO balances (currency, amount) VALUES (?, ?) ON CONFLICT (currency) DO UPDATE SET amount = amount + excluded.amount", currency, amountMinor);
    },
  };
}
