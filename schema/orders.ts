import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { OrderEvent } from "../src/settlement/order-event.ts";

/*
 * Where orders and money live: D1, a libSQL file or a libSQL server, with the
 * same tables. Everything but `attention` is append-only; a second writer
 * of the same row collides with a unique key instead of overwriting it.
 */

/** One row an order, for listing a drop's orders newest first. */
export const orders = sqliteTable("orders", {
  id: text("id").primaryKey(),
  drop: text("drop_slug").notNull(),
  placedAt: integer("placed_at").notNull(),
}, (table) => [index("orders_by_drop").on(table.drop, table.placedAt, table.id)]);

/** What happened to an order, in order. The key is the lock: two writers of one `seq` collide. */
export const orderEvents = sqliteTable("order_events", {
  orderId: text("order_id").notNull(),
  seq: integer("seq").notNull(),
  kind: text("kind").notNull(),
  at: integer("at").notNull(),
  body: text("body", { mode: "json" }).$type<OrderEvent>().notNull(),
}, (table) => [primaryKey({ columns: [table.orderId, table.seq] })]);

/** Which order a provider's payment belongs to, for events that name only the payment. */
export const payments = sqliteTable("payments", {
  id: text("id").primaryKey(),
  orderId: text("order_id").notNull(),
});

/** The ledger. `pending_id` is unique: a pending transfer is posted or voided at most once. */
export const transfers = sqliteTable("transfers", {
  id: text("id").primaryKey(),
  orderId: text("order_id").notNull(),
  /** Which transfer of its order this is, from 1. */
  position: integer("position").notNull(),
  debit: text("debit").notNull(),
  credit: text("credit").notNull(),
  amountMinor: integer("amount_minor").notNull(),
  currency: text("currency").notNull(),
  state: text("state", { enum: ["pending", "posted", "voided"] }).notNull(),
  pendingId: text("pending_id").unique(),
  at: integer("at").notNull(),
}, (table) => [uniqueIndex("transfers_by_order").on(table.orderId, table.position)]);

/** Webhook events as they arrived, each once, before anybody answered "200". */
export const inboxEvents = sqliteTable("inbox_events", {
  id: text("id").primaryKey(),
  type: text("type").notNull(),
  payload: text("payload").notNull(),
  receivedAt: integer("received_at").notNull(),
});

/** What became of a webhook event; one that has no row here is still to be processed. */
export const inboxOutcomes = sqliteTable("inbox_outcomes", {
  eventId: text("event_id").primaryKey(),
  outcome: text("outcome").notNull(),
  processedAt: integer("processed_at").notNull(),
});

/**
 * The sweep's work list: orders that owe an effect or wait for somebody, and
 * webhook events that are not processed, with the time to look again. Derived
 * from the other tables and replaced with each append, so it is the one table
 * whose rows change and go.
 */
export const attention = sqliteTable("attention", {
  /** An order's id or a webhook event's id. */
  subject: text("subject").primaryKey(),
  dueAt: integer("due_at").notNull(),
}, (table) => [index("attention_by_time").on(table.dueAt)]);
