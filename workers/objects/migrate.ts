import { assert } from "../../src/kernel/result.ts";

/**
 * Brings an object's tables to the newest form. Called inside a transaction: an
 * object that dies halfway begins again from where it was.
 */
export function migrate(sql: SqlStorage, migrations: readonly string[]): void {
  sql.exec("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)");
  const done = sql.exec<{ count: number }>("SELECT count(*) AS count FROM migrations").one().count;
  // An older build on newer tables would read rows that it does not understand.
  assert(done <= migrations.length, "the object's tables are not newer than this build");
  for (const [index, statements] of migrations.entries()) {
    if (index < done) continue;
    sql.exec(statements);
    sql.exec("INSERT INTO migrations (number) VALUES (?)", index + 1);
  }
}
