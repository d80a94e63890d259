/** The tables of a lobby shard, one element per release; an object runs those that it has not run yet. */
export const LOBBY_MIGRATIONS: readonly string[] = [
  `CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
   CREATE TABLE tickets (
     number INTEGER PRIMARY KEY, ticket TEXT NOT NULL UNIQUE, entry TEXT NOT NULL, lane TEXT NOT NULL, weight INTEGER NOT NULL,
     joined_at INTEGER NOT NULL, wants TEXT NOT NULL, key_thumbprint TEXT NOT NULL, shown_position INTEGER
   );
   CREATE TABLE seals (batch INTEGER PRIMARY KEY, end_number INTEGER NOT NULL, count INTEGER NOT NULL, root TEXT NOT NULL, acknowledged INTEGER NOT NULL);`,
  `ALTER TABLE tickets ADD COLUMN person TEXT;`,
  `CREATE TABLE spent (key TEXT PRIMARY KEY, ticket TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE network_minutes (network TEXT PRIMARY KEY, started_at INTEGER NOT NULL, joins INTEGER NOT NULL) WITHOUT ROWID;`,
  `CREATE TABLE redemptions (key TEXT NOT NULL, ticket TEXT NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (key, ticket)) WITHOUT ROWID;
   CREATE INDEX redemptions_by_end ON redemptions (expires_at);
   CREATE TABLE revocations (key TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE codes (id INTEGER PRIMARY KEY, person TEXT NOT NULL, ticket TEXT NOT NULL, mac TEXT NOT NULL, sent_at INTEGER NOT NULL, tries INTEGER NOT NULL);
   CREATE INDEX codes_by_person ON codes (person);
   CREATE INDEX codes_by_time ON codes (sent_at);`,
  // Plans that were heard of before there were gates, budgets and beacons ask for nothing.
  `UPDATE facts SET value = json_set(value, '$.plan.gates', json('{"work":null,"turnstile":null,"email":false}'), '$.plan.budgets', json('{"joinsPerMinute":600,"unpaidHolds":60}'), '$.plan.beacon', NULL) WHERE name = 'plan' AND json_type(value, '$.plan.gates') IS NULL;`,
  // Who stands in line with a ticket, and which addresses stand in the group of a ticket that is not theirs. Whoever was here before groups stands alone.
  `ALTER TABLE tickets ADD COLUMN members TEXT;
   ALTER TABLE redemptions ADD COLUMN member_since INTEGER;`,
  `ALTER TABLE codes ADD COLUMN network TEXT;`,
];
