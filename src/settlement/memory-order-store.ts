import type { OrderEvent } from "./order-event.ts";
import type { InboxEvent, OrderAppend, OrderFile, OrderStore } from "./order-store.ts";
import { cursorOf, parseCursor, paymentsOf } from "./order-store.ts";
import type { AccountBalance, TransferView } from "./port.ts";

/** The port in memory, for tests and rehearsals: the same collisions, no disk. */
export function memoryOrderStore(): OrderStore {
  const events = new Map<string, OrderEvent[]>();
  const transfers: TransferView[] = [];
  const placed: { readonly id: string; readonly drop: string; readonly placedAt: number }[] = [];
  const payments = new Map<string, string>();
  const attention = new Map<string, number>();
  const transfersOf = (order: string) => transfers.filter((transfer) => transfer.order === order);

  const fileOf = (order: string): OrderFile => ({ events: [...(events.get(order) ?? [])], transfers: transfersOf(order) });

  const isTaken = (append: OrderAppend): boolean => {
    const isStale = append.after.events !== (events.get(append.order) ?? []).length || append.after.transfers !== transfersOf(append.order).length;
    const ids = new Set(transfers.map((transfer) => transfer.id));
    const resolved = new Set(transfers.flatMap((transfer) => transfer.pendingId ?? []));
    return isStale || append.transfers.some((row) => ids.has(row.id) || (row.pendingId !== null && resolved.has(row.pendingId)));
  };

  const write = (append: OrderAppend): void => {
    events.set(append.order, [...(events.get(append.order) ?? []), ...append.events]);
    transfers.push(...append.transfers);
    for (const event of append.events) {
      if (event.kind === "placed") placed.push({ id: append.order, drop: event.order.drop, placedAt: event.order.placedAt });
    }
    for (const payment of paymentsOf(append.events)) if (!payments.has(payment)) payments.set(payment, append.order);
    if (append.attentionAt === null) attention.delete(append.order);
    else attention.set(append.order, append.attentionAt);
  };

  const appendAll = (appends: readonly OrderAppend[]): "appended" | "collided" => {
    // Two of one order are two writers: the second has not seen the first.
    if (new Set(appends.map(({ order }) => order)).size < appends.length || appends.some(isTaken)) return "collided";
    appends.forEach(write);
    return "appended";
  };

  return {
    read: async (order) => fileOf(order),
    readAll: async (orders) => new Map(orders.filter((order) => events.has(order)).map((order) => [order, fileOf(order)])),
    readEvents: async (orders) => new Map(orders.flatMap((order) => (events.has(order) ? [[order, [...(events.get(order) ?? [])]]] : []))),

    append: async (append) => appendAll([append]),
    appendAll: async (appends) => appendAll(appends),

    async list({ drop, cursor, limit }) {
      const from = parseCursor(cursor);
      const rows = placed
        .filter((row) => row.drop === drop)
        .filter((row) => from === null || row.placedAt < from.placedAt || (row.placedAt === from.placedAt && row.id < from.order))
        .toSorted((a, b) => b.placedAt - a.placedAt || (a.id < b.id ? 1 : -1));
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { orders: page.map((row) => row.id), next: rows.length > limit && last !== undefined ? cursorOf(last.placedAt, last.id) : null };
    },

    orderOfPayment: async (payment) => payments.get(payment) ?? null,
    transfers: async (order) => transfersOf(order),

    accounts: async () => balancesOf(transfers),

    ...inboxInMemory(attention),

    due: async (now, limit) =>
      [...attention].filter(([, dueAt]) => dueAt <= now).toSorted(([a, aDueAt], [b, bDueAt]) => aDueAt - bDueAt || (a < b ? -1 : 1)).slice(0, limit).map(([subject]) => subject),
    async postpone(looks) {
      for (const { subject, dueAt } of looks) if (attention.has(subject)) attention.set(subject, dueAt);
    },
  };
}

function balancesOf(transfers: readonly TransferView[]): readonly AccountBalance[] {
  const balances = new Map<string, AccountBalance>();
  const add = (account: string, currency: string, debitMinor: number, creditMinor: number) => {
    const balance = balances.get(`${account}\n${currency}`) ?? { account, currency, debitMinor: 0, creditMinor: 0 };
    balances.set(`${account}\n${currency}`, { ...balance, debitMinor: balance.debitMinor + debitMinor, creditMinor: balance.creditMinor + creditMinor });
  };
  for (const transfer of transfers) {
    if (transfer.state !== "posted") continue;
    add(transfer.debit, transfer.currency, transfer.amountMinor, 0);
    add(transfer.credit, transfer.currency, 0, transfer.amountMinor);
  }
  return [...balances.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, balance]) => balance);
}

function inboxInMemory(attention: Map<string, number>): Pick<OrderStore, "receive" | "inboxEvents" | "resolve"> {
  const inbox = new Map<string, { readonly event: InboxEvent; outcome: string | null }>();
  return {
    async receive(event, next) {
      if (inbox.has(event.id)) return "known";
      inbox.set(event.id, { event, outcome: "outcome" in next ? next.outcome : null });
      if ("attentionAt" in next) attention.set(event.id, next.attentionAt);
      return "stored";
    },
    inboxEvents: async (ids) => new Map(ids.flatMap((id) => {
      const row = inbox.get(id);
      return row === undefined ? [] : [[id, { ...row }]];
    })),
    async resolve(outcomes) {
      for (const { event, outcome } of outcomes) {
        const row = inbox.get(event);
        if (row !== undefined) row.outcome ??= outcome;
        attention.delete(event);
      }
    },
  };
}
