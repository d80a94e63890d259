import { getTableColumns, sql, type Column, type SQL } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";

/*
 * Rows of any number in one statement and with one bound parameter: as a JSON
 * text that the database takes apart. A statement a row would cost a round of
 * work each, and D1 takes at most 100 parameters in one statement.
 */

/** D1 takes 2 MB in one parameter; a character is at most three bytes of UTF-8. */
const PARAMETER_CHARACTERS_MAX = 500_000;

/**
 * What to insert into the table: of the rows those that fulfil the condition,
 * in each select as many as one parameter holds; nothing where there are no rows.
 */
export function selectsOf<Table extends SQLiteTable>(table: Table, rows: readonly Table["$inferInsert"][], condition = sql`true`): SQL[] {
  const columns: Record<string, Column> = getTableColumns(table);
  const values = sql.raw(Object.values(columns).map(({ name }) => `value ->> '${name}'`).join(", "));
  // The condition is for SQLite's parser: without one it would read an "on conflict" that follows as the join's.
  return textsOf(rows.map((row) => storedForm(columns, row))).map((text) => sql`select ${values} from json_each(${text}) where ${condition}`);
}

/** Whether the column has one of the values, however many these are. */
export function isOneOf(column: Column, values: readonly string[]): SQL {
  return sql`${column} in (select value from json_each(${JSON.stringify(values)}))`;
}

/** Each value as its column stores it, under the column's name; an object is stored as a text, and stays one. */
function storedForm(columns: Readonly<Record<string, Column>>, row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(columns).map(([key, column]) => {
    const value = row[key] ?? null;
    return [column.name, value === null ? null : column.mapToDriverValue(value)];
  })));
}

/** JSON arrays of the rows, each short enough for one parameter. */
function textsOf(rows: readonly string[]): string[] {
  const texts: string[] = [];
  let part: string[] = [];
  let characters = 0;
  for (const row of rows) {
    if (part.length > 0 && characters + row.length > PARAMETER_CHARACTERS_MAX) {
      texts.push(`[${part.join(",")}]`);
      part = [];
      characters = 0;
    }
    part.push(row);
    characters += row.length;
  }
  return part.length === 0 ? texts : [...texts, `[${part.join(",")}]`];
}
