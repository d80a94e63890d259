import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Database, Row } from "../../src/sandbox/database.ts";

/** The sandbox's database in memory: the same SQLite and the same statements as in the Worker. */
export function memoryDatabase(): Database {
  const sqlite = new DatabaseSync(":memory:");
  const prepared = new Map<string, StatementSync>();
  const statementOf = (text: string): StatementSync => {
    const known = prepared.get(text) ?? sqlite.prepare(text);
    prepared.set(text, known);
    return known;
  };
  return {
    rows: (statement, ...values) => statementOf(statement).all(...values) as Row[], // SQLite's own types, narrowed: the books store text, integers and null.
    transaction(work) {
      sqlite.exec("BEGIN");
      try {
        const value = work();
        sqlite.exec("COMMIT");
        return value;
      } catch (error) {
        sqlite.exec("ROLLBACK");
        throw error;
      }
    },
  };
}
