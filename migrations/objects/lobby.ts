/** The tables of a lobby shard, one element per release; an object runs those that it has not run yet. */
export const LOBBY_MIGRATIONS: readonly string[] = [
  `CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
   CREATE TABLE tickets (
     number INTEGER PRIMARY KEY, ticket TEXT NOT NULL UNIQUE, entry TEXT NOT NULL, lane TEXT NOT NULL, weight INTEGER NOT NULL,
     joined_at INTEGER NOT NULL, wants TEXT NOT NULL, key_thumbprint TEXT NOT NULL, shown_position INTEGER
   );
   CREATE TABLE seals (batch INTEGER PRIMARY KEY, end_number INTEGER NOT NULL, count INTEGER NOT NULL, root TEXT NOT NULL, acknowledged INTEGER NOT NULL);`,
  `ALTER TABLE tickets ADD COLUMN person TEXT;`,
];
