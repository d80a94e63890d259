export type SqlValue = string | number | null;
export type Row = Readonly<Record<string, SqlValue>>;

/**
 * The little of SQLite that the books need, synchronously: an object's storage
 * in the Worker, `node:sqlite` in tests, so both run the same statements.
 */
export interface Database {
  rows(statement: string, ...values: SqlValue[]): readonly Row[];
  /** Everything that `work` writes, or nothing when it throws. */
  transaction<Value>(work: () => Value): Value;
}

const TABLES = [
  // `seq` is the order in which things happened: lists are newest first by it, and cursors are made of it.
  `CREATE TABLE IF NOT EXISTS records (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, prefix TEXT NOT NULL, created INTEGER NOT NULL, document TEXT NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS records_by_prefix ON records (prefix, seq)`,
  // What lists can be filtered by, such as `re/payment_intent=pi_…`.
  `CREATE TABLE IF NOT EXISTS tags (tag TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (tag, seq)) WITHOUT ROWID`,
  // When the clock next changes a record by itself.
  `CREATE TABLE IF NOT EXISTS due (id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS due_by_time ON due (at)`,
  `CREATE TABLE IF NOT EXISTS balances (currency TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS answers (
     key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, request TEXT NOT NULL,
     made_at INTEGER NOT NULL, ready_at INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS answers_by_time ON answers (made_at)`,
  `CREATE TABLE IF NOT EXISTS deliveries (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL,
     due_at INTEGER NOT NULL, first_at INTEGER NOT NULL, attempts INTEGER NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS deliveries_by_time ON deliveries (state, due_at, seq)`,
  `CREATE TABLE IF NOT EXISTS behaviour (one INTEGER PRIMARY KEY CHECK (one = 1), document TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS mail (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE, recipient TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS mail_by_recipient ON mail (recipient, seq)`,
  // What was accepted and does not arrive until it is released.
  `CREATE TABLE IF NOT EXISTS withheld_mail (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE, recipient TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL)`,
  // Widget tokens that were asked about, by their hash: each is good once.
  `CREATE TABLE IF NOT EXISTS turnstile_tokens (token TEXT PRIMARY KEY, key TEXT, at INTEGER NOT NULL) WITHOUT ROWID`,
] as const;

export function createTables(database: Database): void {
  for (const table of TABLES) database.rows(table);
}
