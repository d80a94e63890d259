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
  // Holds from before there were lanes: everyone's, whose units are counted in no stage.
  `UPDATE holds SET row = json_set(row, '$.lane', 'open', '$.stage', 1) WHERE row ->> 'lane' IS NULL;`,
  // Plans from before they could be changed, and seals from before they said through when: those are taken as complete.
  `UPDATE facts SET row = json_set(row, '$.plannedAt', (SELECT CAST(round(unixepoch(row ->> 'at', 'subsec') * 1000) AS INTEGER) FROM record WHERE seq = 1), '$.stages', NULL, '$.changes', json('[]')) WHERE row ->> 'plannedAt' IS NULL;
   UPDATE seals SET row = json_set(row, '$.through', 9007199254740991) WHERE row ->> 'through' IS NULL;`,
  // Plans from before there were gates, budgets and beacons ask for nothing, and what was held then counts for no network and no person.
  `UPDATE facts SET row = json_set(row, '$.plan.gates', json('{"work":null,"turnstile":null,"email":false}'), '$.plan.budgets', json('{"joinsPerMinute":600,"unpaidHolds":60}'), '$.plan.beacon', NULL, '$.roots', NULL, '$.beacon', NULL) WHERE json_type(row, '$.plan.gates') IS NULL;
   UPDATE holds SET row = json_set(row, '$.network', 'unknown') WHERE row ->> 'network' IS NULL;
   UPDATE sittings SET row = json_set(row, '$.keyThumbprint', 'unknown ' || id, '$.person', NULL) WHERE row ->> 'keyThumbprint' IS NULL;`,
  // Drops from before an opening was kept see those that have passed once more.
  `UPDATE facts SET row = json_set(row, '$.openedAt', 0) WHERE row ->> 'openedAt' IS NULL;`,
];
