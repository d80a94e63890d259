import { and, asc, desc, eq, lt, lte, or, sql } from "drizzle-orm";
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { LibSQLDatabase } from "drizzle-orm/libsql";
import { attention, inboxEvents, inboxOutcomes, orderEvents, orders, payments, transfers } from "../../schema/orders.ts";
import { assert, Fault } from "../kernel/result.ts";
import { isOneOf, selectsOf } from "./json-rows.ts";
import type { OrderAppend, OrderFile, OrderStore } from "./order-store.ts";
import { cursorOf, parseCursor, paymentsOf } from "./order-store.ts";
import type { AccountBalance, TransferView } from "./port.ts";

/** D1, a libSQL file or a libSQL server: the union type-checks where a common base class does not. */
export type OrdersDatabase = DrizzleD1Database | LibSQLDatabase;

/** What all three have in common; a select with chosen columns does not type-check on the union. */
type SelectDatabase = BaseSQLiteDatabase<"async", unknown>;

/**
 * The port on drizzle. `batch` is the only transaction that all three stores
 * have; it rolls back as a whole when a unique key collides.
 */
export function drizzleOrderStore(db: OrdersDatabase): OrderStore {
  const query: SelectDatabase = db;
  const readAll = (orders: readonly string[]) => filesOf(db, query, orders);
  return {
    read: async (order) => (await readAll([order])).get(order) ?? { events: [], transfers: [] },
    readAll,

    async readEvents(ids) {
      const rows = await asFault(() => selectEvents(query, ids));
      return groupedBy(rows, (row) => row.order, (row) => row.body);
    },

    append: (append) => write(db, [append]),
    appendAll: (appends) => write(db, appends),

    async list({ drop, cursor, limit }) {
      const from = parseCursor(cursor);
      const rows = await asFault(() => query.select({ id: orders.id, placedAt: orders.placedAt }).from(orders)
        .where(and(
          eq(orders.drop, drop),
          from === null ? undefined : or(lt(orders.placedAt, from.placedAt), and(eq(orders.placedAt, from.placedAt), lt(orders.id, from.order))),
        ))
        .orderBy(desc(orders.placedAt), desc(orders.id)).limit(limit + 1));
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { orders: page.map((row) => row.id), next: rows.length > limit && last !== undefined ? cursorOf(last.placedAt, last.id) : null };
    },

    async orderOfPayment(payment) {
      const [row] = await asFault(() => query.select({ order: payments.orderId }).from(payments).where(eq(payments.id, payment)));
      return row?.order ?? null;
    },

    async transfers(order) {
      const rows = await asFault(() => query.select().from(transfers).where(eq(transfers.orderId, order)).orderBy(asc(transfers.position)));
      return rows.map(rowToTransfer);
    },

    accounts: () => accountBalances(db, query),

    ...inboxRows(db, query),
    ...attentionRows(query),
  };
}

function inboxRows(db: OrdersDatabase, query: SelectDatabase): Pick<OrderStore, "receive" | "inboxEvents" | "resolve"> {
  return {
    async receive(event, next) {
      const then = "outcome" in next
        ? db.insert(inboxOutcomes).values({ eventId: event.id, outcome: next.outcome, processedAt: event.receivedAt })
        : db.insert(attention).values({ subject: event.id, dueAt: next.attentionAt });
      try {
        await db.batch([db.insert(inboxEvents).values(event), then]);
        return "stored";
      } catch (error) {
        if (isUniqueViolation(error)) return "known";
        throw fault(error);
      }
    },

    async inboxEvents(ids) {
      const rows = await asFault(() => query.select({ event: inboxEvents, outcome: inboxOutcomes.outcome }).from(inboxEvents)
        .leftJoin(inboxOutcomes, eq(inboxOutcomes.eventId, inboxEvents.id)).where(isOneOf(inboxEvents.id, ids)));
      return new Map(rows.map((row) => [row.event.id, row]));
    },

    async resolve(outcomes) {
      const rows = outcomes.map(({ event, outcome, at }) => ({ eventId: event, outcome, processedAt: at }));
      await asFault(() => db.batch([
        db.delete(attention).where(isOneOf(attention.subject, outcomes.map(({ event }) => event))),
        ...selectsOf(inboxOutcomes, rows).map((select) => db.insert(inboxOutcomes).select(select).onConflictDoNothing()),
      ]));
    },
  };
}

function attentionRows(query: SelectDatabase): Pick<OrderStore, "due" | "postpone"> {
  return {
    async due(now, limit) {
      const rows = await asFault(() => query.select({ subject: attention.subject }).from(attention)
        .where(lte(attention.dueAt, now)).orderBy(asc(attention.dueAt), asc(attention.subject)).limit(limit));
      return rows.map((row) => row.subject);
    },

    async postpone(looks) {
      const isListed = sql`value ->> 'subject' in (select ${attention.subject} from ${attention})`;
      for (const select of selectsOf(attention, looks, isListed)) await asFault(() => query.insert(attention).select(select).onConflictDoUpdate(REPLACED));
    },
  };
}

/** A new time to look replaces the one before. */
const REPLACED = { target: attention.subject, set: { dueAt: sql`excluded.due_at` } };

/** One statement a table, however many orders: each statement costs the database a round of work. */
async function write(db: OrdersDatabase, appends: readonly OrderAppend[]): Promise<"appended" | "collided"> {
  const eventRows = appends.flatMap(({ order, after, events }) =>
    events.map((event, index) => ({ orderId: order, seq: after.events + index + 1, kind: event.kind, at: event.at, body: event })));
  const indexRows = appends.flatMap(({ order: id, events }) =>
    events.flatMap((event) => (event.kind === "placed" ? [{ id, drop: event.order.drop, placedAt: event.order.placedAt }] : [])));
  const paymentRows = appends.flatMap(({ order: orderId, events }) => paymentsOf(events).map((id) => ({ id, orderId })));
  const transferRows = appends.flatMap(({ after, transfers: rows }) =>
    rows.map(({ order, ...transfer }, index) => ({ ...transfer, orderId: order, position: after.transfers + index + 1 })));
  const attended = appends.flatMap(({ order: subject, attentionAt: dueAt }) => (dueAt === null ? [] : [{ subject, dueAt }]));
  const settled = appends.filter(({ attentionAt }) => attentionAt === null).map(({ order }) => order);
  const [first, ...rest] = [
    ...(settled.length === 0 ? [] : [db.delete(attention).where(isOneOf(attention.subject, settled))]),
    ...selectsOf(attention, attended).map((select) => db.insert(attention).select(select)
      .onConflictDoUpdate(REPLACED)),
    ...selectsOf(orderEvents, eventRows).map((select) => db.insert(orderEvents).select(select)),
    ...selectsOf(orders, indexRows).map((select) => db.insert(orders).select(select)),
    ...selectsOf(payments, paymentRows).map((select) => db.insert(payments).select(select).onConflictDoNothing()),
    ...selectsOf(transfers, transferRows).map((select) => db.insert(transfers).select(select)),
  ];
  assert(first !== undefined, "an append writes something");
  try {
    await db.batch([first, ...rest]);
    return "appended";
  } catch (error) {
    if (isUniqueViolation(error)) return "collided";
    throw fault(error);
  }
}

async function filesOf(db: OrdersDatabase, query: SelectDatabase, ids: readonly string[]): Promise<ReadonlyMap<string, OrderFile>> {
  const [eventRows, transferRows] = await asFault(() => db.batch([
    selectEvents(query, ids),
    query.select().from(transfers).where(isOneOf(transfers.orderId, ids)).orderBy(asc(transfers.orderId), asc(transfers.position)),
  ]));
  const transfersByOrder = groupedBy(transferRows, (row) => row.orderId, rowToTransfer);
  const eventsByOrder = groupedBy(eventRows, (row) => row.order, (row) => row.body);
  return new Map([...eventsByOrder].map(([order, events]) => [order, { events, transfers: transfersByOrder.get(order) ?? [] }]));
}

function selectEvents(query: SelectDatabase, ids: readonly string[]) {
  return query.select({ order: orderEvents.orderId, body: orderEvents.body }).from(orderEvents)
    .where(isOneOf(orderEvents.orderId, ids)).orderBy(asc(orderEvents.orderId), asc(orderEvents.seq));
}

function groupedBy<Row, Value>(rows: readonly Row[], keyOf: (row: Row) => string, valueOf: (row: Row) => Value): Map<string, Value[]> {
  return new Map([...Map.groupBy(rows, keyOf)].map(([key, group]) => [key, group.map(valueOf)]));
}

async function accountBalances(db: OrdersDatabase, query: SelectDatabase): Promise<readonly AccountBalance[]> {
  const total = sql<number>`sum(${transfers.amountMinor})`;
  const [debits, credits] = await asFault(() => db.batch([
    query.select({ account: transfers.debit, currency: transfers.currency, total }).from(transfers).where(eq(transfers.state, "posted")).groupBy(transfers.debit, transfers.currency),
    query.select({ account: transfers.credit, currency: transfers.currency, total }).from(transfers).where(eq(transfers.state, "posted")).groupBy(transfers.credit, transfers.currency),
  ]));
  const balances = new Map<string, AccountBalance>();
  for (const row of debits) balances.set(`${row.account}\n${row.currency}`, { account: row.account, currency: row.currency, debitMinor: row.total, creditMinor: 0 });
  for (const row of credits) {
    const debitMinor = balances.get(`${row.account}\n${row.currency}`)?.debitMinor ?? 0;
    balances.set(`${row.account}\n${row.currency}`, { account: row.account, currency: row.currency, debitMinor, creditMinor: row.total });
  }
  return [...balances.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, balance]) => balance);
}

function rowToTransfer(row: typeof transfers.$inferSelect): TransferView {
  const { orderId, position: _position, ...rest } = row;
  return { ...rest, order: orderId };
}

/**
 * D1, a libSQL file and a libSQL server name the collision by different codes
 * and on different levels of the cause chain; the sentence is SQLite's own.
 */
function isUniqueViolation(error: unknown): boolean {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    if (/UNIQUE constraint failed/.test(cause.message)) return true;
  }
  return false;
}

async function asFault<Value>(call: () => PromiseLike<Value>): Promise<Value> {
  try {
    return await call();
  } catch (error) {
    throw fault(error);
  }
}

function fault(cause: unknown): Fault {
  return new Fault("the order store did not answer", { retryable: true, cause });
}
