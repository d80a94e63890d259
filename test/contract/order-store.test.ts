import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient } from "@libsql/client";
import { drizzle as drizzleD1 } from "drizzle-orm/d1";
import { migrate as migrateD1 } from "drizzle-orm/d1/migrator";
import { drizzle as drizzleLibsql } from "drizzle-orm/libsql";
import { migrate as migrateLibsql } from "drizzle-orm/libsql/migrator";
import { drizzle as drizzleWeb } from "drizzle-orm/libsql/web";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orderEvents, transfers } from "../../schema/orders.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { Fault } from "../../src/kernel/result.ts";
import { drizzleOrderStore } from "../../src/settlement/drizzle-order-store.ts";
import { transfersOf } from "../../src/settlement/ledger.ts";
import { memoryOrderStore } from "../../src/settlement/memory-order-store.ts";
import type { OrderEvent } from "../../src/settlement/order-event.ts";
import type { OrderStore } from "../../src/settlement/order-store.ts";
import { OPENING, placedOrder } from "../support/placed-order.ts";
import { startSqld } from "../support/sqld.ts";

/* One suite for the port, run over every implementation: whatever settlement relies on holds on each. */

const MIGRATIONS = { migrationsFolder: path.resolve(import.meta.dirname, "../../migrations") };

interface Opened {
  readonly store: OrderStore;
  close(): Promise<void>;
}

const IMPLEMENTATIONS: Readonly<Record<string, () => Promise<Opened>>> = {
  memory: async () => ({ store: memoryOrderStore(), close: async () => {} }),
  async d1() {
    const runtime = new Miniflare(convertV4MiniflareOptions({
      name: "contract", compatibilityDate: "2026-10-15", d1Databases: { ORDERS: "orders" }, cf: false,
      modules: true, script: "export default { fetch: () => new Response(null, { status: 404 }) }",
    }));
    const db = drizzleD1(await runtime.getD1Database("ORDERS", "contract"));
    await migrateD1(db, MIGRATIONS);
    return { store: drizzleOrderStore(db), close: () => runtime.dispose() };
  },
  async "libsql file"() {
    const directory = await mkdtemp(path.join(tmpdir(), "tranche-libsql-"));
    const client = createClient({ url: `file:${path.join(directory, "orders.db")}` });
    const db = drizzleLibsql({ client });
    await migrateLibsql(db, MIGRATIONS);
    return {
      store: drizzleOrderStore(db),
      async close() {
        client.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
  async "libsql server"() {
    const server = await startSqld();
    await migrateLibsql(drizzleLibsql({ connection: { url: server.url } }), MIGRATIONS);
    // The same client as in the Worker, not the one for Node.
    return { store: drizzleOrderStore(drizzleWeb({ connection: { url: server.url } })), close: () => server.stop() };
  },
};

const counts = new Map<string, number>();

for (const [name, openStore] of Object.entries(IMPLEMENTATIONS)) {
  describe(`the order store on ${name}`, () => {
    let opened: Opened;
    beforeAll(async () => (opened = await openStore()));
    afterAll(() => opened?.close());
    const check = (title: string, run: (store: OrderStore) => Promise<void>) => {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      test(title, () => run(opened.store));
    };
    contract(check);
  });
}

test("every implementation passed the same number of tests", () => {
  expect([...counts.keys()]).toEqual(["memory", "d1", "libsql file", "libsql server"]);
  expect(new Set(counts.values()).size).toBe(1);
  expect(counts.get("d1")).toBeGreaterThan(10);
});

let orderNumber = 0;

/** A fresh order: the suite's stores are shared by its tests. */
function freshOrder(changes: Parameters<typeof placedOrder>[0] = {}) {
  return placedOrder({ id: `ord_${String(++orderNumber).padStart(26, "0")}`, ...changes });
}

async function place(store: OrderStore, order = freshOrder(), attentionAt: number | null = null) {
  const event: OrderEvent = { kind: "placed", at: order.placedAt, order };
  expect(await store.append({ order: order.id, after: { events: 0, transfers: 0 }, events: [event], transfers: [], attentionAt })).toBe("appended");
  return order;
}

function authorise(order: ReturnType<typeof placedOrder>, payment: string) {
  const event: OrderEvent = { kind: "authorised", at: OPENING + 1, payment, amountMinor: order.totalMinor, captureBefore: null, isMulticapture: false };
  return { event, rows: transfersOf(order, [], event, nodeHashing) };
}

function contract(check: (title: string, run: (store: OrderStore) => Promise<void>) => void): void {
  check("an order that was never placed has an empty file", async (store) => {
    expect(await store.read("ord_unknown")).toEqual({ events: [], transfers: [] });
  });

  check("what was appended is read back whole and in order", async (store) => {
    const order = await place(store);
    const { event, rows } = authorise(order, `pi_${order.id}`);
    const due: OrderEvent = { kind: "due", at: OPENING + 2 };
    expect(await store.append({ order: order.id, after: { events: 1, transfers: 0 }, events: [event, due], transfers: rows, attentionAt: null })).toBe("appended");
    const file = await store.read(order.id);
    expect(file.events).toEqual([{ kind: "placed", at: order.placedAt, order }, event, due]);
    expect(file.transfers).toEqual(rows);
    expect(await store.transfers(order.id)).toEqual(rows);
    expect(rows).toHaveLength(3);
  });

  check("of two writers of one order exactly one is first, and the other's rows are nowhere", async (store) => {
    const order = await place(store);
    const answers = await Promise.all(["a", "b", "c", "d"].map((writer) => {
      const { event, rows } = authorise(order, `pi_${order.id}_${writer}`);
      return store.append({ order: order.id, after: { events: 1, transfers: 0 }, events: [event], transfers: rows, attentionAt: null });
    }));
    expect(answers.toSorted()).toEqual(["appended", "collided", "collided", "collided"]);
    const file = await store.read(order.id);
    expect(file.events).toHaveLength(2);
    expect(file.transfers).toHaveLength(3);
    const winners = await Promise.all(["a", "b", "c", "d"].map((writer) => store.orderOfPayment(`pi_${order.id}_${writer}`)));
    expect(winners.filter((winner) => winner !== null)).toEqual([order.id]);
  });

  check("a writer with an old picture collides and changes nothing, not even the work list", async (store) => {
    const order = await place(store, freshOrder(), OPENING + 10);
    const stale = { order: order.id, after: { events: 0, transfers: 0 }, events: [{ kind: "due" as const, at: OPENING }], transfers: [], attentionAt: OPENING + 99_000 };
    expect(await store.append(stale)).toBe("collided");
    expect((await store.read(order.id)).events).toHaveLength(1);
    expect(await store.due(OPENING + 10, 1_000)).toContain(order.id);
  });

  check("a pending transfer is resolved at most once, and a second resolution takes its event with it", async (store) => {
    const order = await place(store);
    const { event, rows } = authorise(order, `pi_${order.id}`);
    await store.append({ order: order.id, after: { events: 1, transfers: 0 }, events: [event], transfers: rows, attentionAt: null });
    const captured: OrderEvent = { kind: "captured", at: OPENING + 2, payment: `pi_${order.id}`, amountMinor: order.totalMinor, units: 3, isFinal: true };
    const voided: OrderEvent = { kind: "voided", at: OPENING + 3, payment: `pi_${order.id}`, by: "us" };
    const posted = transfersOf(order, rows, captured, nodeHashing);
    const wrong = transfersOf(order, rows, voided, nodeHashing);
    expect(await store.append({ order: order.id, after: { events: 2, transfers: 3 }, events: [captured], transfers: posted, attentionAt: null })).toBe("appended");
    expect(await store.append({ order: order.id, after: { events: 3, transfers: 6 }, events: [voided], transfers: wrong, attentionAt: null })).toBe("collided");
    const file = await store.read(order.id);
    expect(file.events.map((stored) => stored.kind)).toEqual(["placed", "authorised", "captured"]);
    expect(file.transfers.map((transfer) => transfer.state)).toEqual(["pending", "pending", "pending", "posted", "posted", "posted"]);
  });

  check("accounts add up posted transfers only, and their debits equal their credits", async (store) => {
    const currency = `X${String(++orderNumber).padStart(2, "0")}`.slice(0, 3);
    const order = await place(store, freshOrder({ currency }));
    const { event, rows } = authorise(order, `pi_${order.id}`);
    await store.append({ order: order.id, after: { events: 1, transfers: 0 }, events: [event], transfers: rows, attentionAt: null });
    const ofOrder = async () => (await store.accounts()).filter((account) => account.currency === currency);
    expect(await ofOrder()).toEqual([]);
    const captured: OrderEvent = { kind: "captured", at: OPENING + 2, payment: `pi_${order.id}`, amountMinor: order.totalMinor, units: 3, isFinal: true };
    await store.append({ order: order.id, after: { events: 2, transfers: 3 }, events: [captured], transfers: transfersOf(order, rows, captured, nodeHashing), attentionAt: null });
    expect(await ofOrder()).toEqual([
      { account: "creator:ana", currency, debitMinor: 0, creditMinor: 8_820 },
      { account: "partner:kiosk-k", currency, debitMinor: 0, creditMinor: 900 },
      { account: "platform", currency, debitMinor: 0, creditMinor: 2_880 },
      { account: "provider:stripe", currency, debitMinor: 12_600, creditMinor: 0 },
    ]);
  });

  check("a drop's orders come newest first, each once, page by page", async (store) => {
    const drop = `drop-${++orderNumber}`;
    const placedAt = [5, 3, 3, 9, 1].map((minute) => OPENING + minute * 60_000);
    const placed = [];
    for (const at of placedAt) placed.push(await place(store, freshOrder({ drop, placedAt: at })));
    await place(store, freshOrder({ drop: `${drop}-other` }));
    const expected = placed.toSorted((a, b) => b.placedAt - a.placedAt || (a.id < b.id ? 1 : -1)).map((order) => order.id);
    const first = await store.list({ drop, cursor: null, limit: 2 });
    const second = await store.list({ drop, cursor: first.next, limit: 2 });
    const third = await store.list({ drop, cursor: second.next, limit: 2 });
    expect([...first.orders, ...second.orders, ...third.orders]).toEqual(expected);
    expect(third.next).toBeNull();
  });

  check("many orders' events are read at once, each order's in its order", async (store) => {
    const placed = [];
    for (let count = 0; count < 12; count++) placed.push(await place(store));
    const ids = placed.map((order) => order.id);
    // More ids than D1 takes bound parameters, and one that is not an id at all.
    const unknown = Array.from({ length: 150 }, (_, index) => `ord_unknown_${index}`);
    const files = await store.readEvents([...unknown, ...ids, "'; drop table orders; --"]);
    expect([...files.keys()].toSorted()).toEqual(ids.toSorted());
    expect(files.get(ids[0] ?? "")).toEqual([{ kind: "placed", at: placed[0]?.placedAt, order: placed[0] }]);
  });

  check("many orders' files are read at once, each whole and in its order", async (store) => {
    const written = [];
    for (let count = 0; count < 5; count++) {
      const order = await place(store);
      const { event, rows } = authorise(order, `pi_${order.id}`);
      if (count % 2 === 0) await store.append({ order: order.id, after: { events: 1, transfers: 0 }, events: [event], transfers: rows, attentionAt: null });
      written.push({ order, file: await store.read(order.id) });
    }
    const unknown = Array.from({ length: 150 }, (_, index) => `ord_unknown_${index}`);
    const files = await store.readAll([...unknown, ...written.map(({ order }) => order.id).toReversed(), '"]; drop table orders; --']);
    expect(files.size).toBe(5);
    for (const { order, file } of written) expect(files.get(order.id)).toEqual(file);
    expect(written[0]?.file.transfers).toHaveLength(3);
    expect(written[1]?.file.transfers).toEqual([]);
  });

  check("what many orders append is written at once, more rows than a statement has parameters, and each is read back as it was", async (store) => {
    const title = 'Moth "ü" \u0000 \ud83e\udd8b \\ \'; drop table orders; --';
    const placed = Array.from({ length: 120 }, () => freshOrder({ dropTitle: title }));
    expect(await store.appendAll(placed.map((order) => ({
      order: order.id, after: { events: 0, transfers: 0 }, events: [{ kind: "placed" as const, at: order.placedAt, order }], transfers: [], attentionAt: order.placedAt + 20_000,
    })))).toBe("appended");
    const authorised = placed.map((order) => ({ order, ...authorise(order, `pi_${order.id}`) }));
    const settled = new Set(placed.slice(0, 60).map(({ id }) => id));
    expect(await store.appendAll(authorised.map(({ order, event, rows }) => ({
      order: order.id, after: { events: 1, transfers: 0 }, events: [event, { kind: "due" as const, at: OPENING + 2 }], transfers: rows, attentionAt: settled.has(order.id) ? null : OPENING + 30_000,
    })))).toBe("appended");
    const files = await store.readAll(placed.map(({ id }) => id));
    for (const { order, event, rows } of authorised) {
      expect(files.get(order.id)).toEqual({ events: [{ kind: "placed", at: order.placedAt, order }, event, { kind: "due", at: OPENING + 2 }], transfers: rows });
    }
    const due = new Set(await store.due(OPENING + 30_000, 10_000));
    expect(placed.map(({ id }) => due.has(id))).toEqual(placed.map(({ id }) => !settled.has(id)));
    expect(await store.orderOfPayment(`pi_${placed[7]?.id}`)).toBe(placed[7]?.id);
  });

  check("of appends that are written at once nothing is written when one of them collides, wherever it stands", async (store) => {
    const orders = [await place(store), await place(store), await place(store)];
    for (const late of orders) {
      await store.append({ order: late.id, after: { events: (await store.read(late.id)).events.length, transfers: 0 }, events: [{ kind: "due", at: OPENING + 1 }], transfers: [], attentionAt: null });
      const appends = orders.map((order) => {
        const { event, rows } = authorise(order, `pi_${order.id}_${late.id}`);
        return { order: order.id, after: { events: 1, transfers: 0 }, events: [event], transfers: rows, attentionAt: OPENING + 77_000 };
      });
      expect(await store.appendAll(appends)).toBe("collided");
    }
    for (const order of orders) {
      const file = await store.read(order.id);
      expect(file.events.map(({ kind }) => kind)).toEqual(["placed", "due"]);
      expect(file.transfers).toEqual([]);
      expect(await store.orderOfPayment(`pi_${order.id}_${orders[0]?.id}`)).toBeNull();
    }
    const due = await store.due(OPENING + 99_000, 10_000);
    for (const order of orders) expect(due).not.toContain(order.id);
  });

  check("two appends of one order collide also when they are written at once", async (store) => {
    const order = await place(store);
    const append = { order: order.id, after: { events: 1, transfers: 0 }, events: [{ kind: "due" as const, at: OPENING + 1 }], transfers: [], attentionAt: null };
    expect(await store.appendAll([append, append])).toBe("collided");
    expect((await store.read(order.id)).events).toHaveLength(1);
  });

  check("what is too long for one parameter is written together all the same", async (store) => {
    const orders = [await place(store), await place(store), await place(store)];
    const effect = "refund:".padEnd(300_000, "ü");
    expect(await store.appendAll(orders.map((order) => ({
      order: order.id, after: { events: 1, transfers: 0 }, events: [{ kind: "effect_failed" as const, at: OPENING, effect }], transfers: [], attentionAt: null,
    })))).toBe("appended");
    for (const order of orders) expect((await store.read(order.id)).events[1]).toEqual({ kind: "effect_failed", at: OPENING, effect });
  });

  check("many webhook events are read and resolved at once, and the first outcome of each stays", async (store) => {
    const events = Array.from({ length: 120 }, () => ({ id: `evt_${++orderNumber}`, type: "x", payload: `{"a":"'\\u0000"}`, receivedAt: OPENING }));
    for (const event of events) await store.receive(event, { attentionAt: OPENING + 30_000 });
    const ids = events.map(({ id }) => id);
    await store.resolve([{ event: ids[0] ?? "", outcome: "ignored: first", at: OPENING + 1 }]);
    await store.resolve(events.slice(0, 100).map(({ id }) => ({ event: id, outcome: "processed", at: OPENING + 2 })));
    const rows = await store.inboxEvents([...ids, "evt_unknown"]);
    expect([...rows.keys()].toSorted()).toEqual(ids.toSorted());
    events.forEach((event, index) => expect(rows.get(event.id)).toEqual({ event, outcome: index === 0 ? "ignored: first" : index < 100 ? "processed" : null }));
    const due = new Set(await store.due(OPENING + 30_000, 10_000));
    expect(ids.filter((id) => due.has(id))).toEqual(ids.slice(100));
  });

  check("a webhook event is stored once, however often and however parallel it arrives", async (store) => {
    const event = { id: `evt_${++orderNumber}`, type: "checkout.session.completed", payload: '{"a":"ü\\u0000"}', receivedAt: OPENING };
    const answers = await Promise.all(Array.from({ length: 10 }, () => store.receive(event, { attentionAt: OPENING + 30_000 })));
    expect(answers.filter((answer) => answer === "stored")).toHaveLength(1);
    expect(answers.filter((answer) => answer === "known")).toHaveLength(9);
    expect((await store.inboxEvents([event.id])).get(event.id)).toEqual({ event, outcome: null });
    expect(await store.inboxEvents(["evt_unknown"])).toEqual(new Map());
  });

  check("an event stays on the work list until it has an outcome, and the first outcome stays", async (store) => {
    const event = { id: `evt_${++orderNumber}`, type: "x", payload: "{}", receivedAt: OPENING };
    await store.receive(event, { attentionAt: OPENING + 30_000 });
    expect(await store.due(OPENING + 29_999, 1_000)).not.toContain(event.id);
    expect(await store.due(OPENING + 30_000, 1_000)).toContain(event.id);
    await store.resolve([{ event: event.id, outcome: "processed", at: OPENING + 31_000 }]);
    await store.resolve([{ event: event.id, outcome: "ignored: later", at: OPENING + 32_000 }]);
    expect(await store.due(OPENING + 99_000, 1_000)).not.toContain(event.id);
    expect((await store.inboxEvents([event.id])).get(event.id)?.outcome).toBe("processed");
  });

  check("an event of no consequence is stored with its outcome, once, and nobody has to look at it", async (store) => {
    const event = { id: `evt_${++orderNumber}`, type: "customer.created", payload: "{}", receivedAt: OPENING };
    const answers = await Promise.all(Array.from({ length: 4 }, () => store.receive(event, { outcome: "ignored: x" })));
    expect(answers.toSorted()).toEqual(["known", "known", "known", "stored"]);
    expect((await store.inboxEvents([event.id])).get(event.id)).toEqual({ event, outcome: "ignored: x" });
    expect(await store.due(Number.MAX_SAFE_INTEGER, 10_000)).not.toContain(event.id);
  });

  check("an order leaves the work list with the append that settles it, and looking again later moves it", async (store) => {
    const order = await place(store, freshOrder(), OPENING + 20_000);
    expect(await store.due(OPENING + 20_000, 1_000)).toContain(order.id);
    await store.postpone([{ subject: order.id, dueAt: OPENING + 60_000 }, { subject: "ord_unknown", dueAt: OPENING }]);
    expect(await store.due(OPENING + 59_999, 1_000)).not.toContain(order.id);
    expect(await store.due(OPENING + 60_000, 1_000)).toContain(order.id);
    await store.append({ order: order.id, after: { events: 1, transfers: 0 }, events: [{ kind: "due", at: OPENING + 61_000 }], transfers: [], attentionAt: null });
    await store.postpone([{ subject: order.id, dueAt: OPENING + 1 }]);
    expect(await store.due(OPENING + 999_000, 1_000)).not.toContain(order.id);
    expect(await store.due(OPENING + 999_000, 1_000)).not.toContain("ord_unknown");
  });

  check("the work list gives those that wait longest first, and no more than asked for", async (store) => {
    const early = -1_000_000;
    const ids = [];
    for (const offset of [30, 10, 20]) ids.push((await place(store, freshOrder(), early + offset)).id);
    expect(await store.due(early + 100, 2)).toEqual([ids[1], ids[2]]);
  });

  check("a payment belongs to the order that named it first", async (store) => {
    const one = await place(store);
    const other = await place(store);
    const payment = `pi_shared_${++orderNumber}`;
    for (const order of [one, other]) {
      await store.append({ order: order.id, after: { events: 1, transfers: 0 }, events: [{ kind: "processing", at: OPENING, payment }], transfers: [], attentionAt: null });
    }
    expect(await store.orderOfPayment(payment)).toBe(one.id);
    expect(await store.orderOfPayment("pi_unknown")).toBeNull();
  });
}

test("the schema has the two keys on which append-only rests", () => {
  expect(Object.keys(orderEvents)).toEqual(expect.arrayContaining(["orderId", "seq"]));
  expect(transfers.pendingId.isUnique).toBe(true);
});

test("a store that does not answer is a retryable fault, not a collision", async () => {
  const server = await startSqld();
  const store = drizzleOrderStore(drizzleWeb({ connection: { url: server.url } }));
  await server.stop();
  const order = placedOrder();
  const append = store.append({ order: order.id, after: { events: 0, transfers: 0 }, events: [{ kind: "placed", at: OPENING, order }], transfers: [], attentionAt: null });
  await expect(append).rejects.toBeInstanceOf(Fault);
  await expect(append).rejects.toMatchObject({ retryable: true });
});
