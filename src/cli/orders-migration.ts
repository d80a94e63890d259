import { drizzle as d1 } from "drizzle-orm/d1";
import { migrate as migrateD1 } from "drizzle-orm/d1/migrator";
import type { Miniflare } from "miniflare";
import type { OrdersServer } from "./local-vars.ts";
import { projectPath } from "./project.ts";

/** Brings the database of orders to the newest schema, wherever it is. Safe to run again. */
export async function migrateOrders(runtime: Miniflare, orders: OrdersServer | null): Promise<void> {
  const options = { migrationsFolder: projectPath("migrations") };
  if (orders === null) {
    await migrateD1(d1(await runtime.getD1Database("ORDERS", "settlement")), options);
    return;
  }
  // Loaded only here: its client takes half a second that a start on D1 need not wait.
  const [{ drizzle: libsql }, { migrate: migrateLibsql }] = await Promise.all([import("drizzle-orm/libsql"), import("drizzle-orm/libsql/migrator")]);
  const database = libsql({ connection: { url: orders.url, ...(orders.token === null ? {} : { authToken: orders.token }) } });
  try {
    await migrateLibsql(database, options);
  } finally {
    database.$client.close();
  }
}
