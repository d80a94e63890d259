/**
 * The tables of a Drop object, one element per release; an object runs those
 * that it has not run yet. Rows are JSON: the state in memory is what decides,
 * and a table only has to give it back.
 */
export const DROP_MIGRATIONS: readonly string[] = [
  `CREATE TABLE facts (id INTEGER PRIMARY KEY CHECK (id = 1), row TEXT NOT NULL);
   CREATE TABLE record (seq INTEGER PRIMARY KEY, row TEXT NOT NULL);
   CREATE TABLE holds (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE sittings (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE orders (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE verdicts (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE seals (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE thresholds (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE calls (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE outbox (id TEXT PRIMARY KEY, row TEXT NOT NULL) WITHOUT ROWID;`,
];
