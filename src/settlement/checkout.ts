import type { Result } from "../kernel/result.ts";
import { accepted, Fault, unreachable } from "../kernel/result.ts";
import type { PlacedOrder } from "../checkout/placed-order.ts";
import type { OutboxMessage } from "../drop/port.ts";
import { decideFulfilment, decideRefund } from "./desk-decisions.ts";
import { attentionAt, captureDeadline, lookAgainAt, tillClosesAt } from "./lifecycle.ts";
import type { OrderBook } from "./order-book.ts";
import { foldOrder, unitsOpen } from "./order-book.ts";
import type { OrderEvent } from "./order-event.ts";
import { viewOrder } from "./order-view.ts";
import type { CheckoutPort, MoneyDeskPort, MoneyRejection, OrderView } from "./port.ts";
import type { OpenFile } from "./settlement.ts";
import type { SettlementPorts } from "./settlement-ports.ts";
import { advance, askProvider, decide, openFile, record, storeNewOrder, storeOrder, viewOf } from "./settlement.ts";
import { idFromHash } from "../kernel/ids.ts";

/** How long a shopper waits for the payment page before the order is "confirming" and driven on from behind. */
const OPEN_BUDGET_MS = 3_000;
const WORK_BUDGET_MS = 5_000;

/** What the storefront asks of settlement. */
export function checkout(ports: SettlementPorts): CheckoutPort {
  return {
    async open(order) {
      const open = await storeNewOrder(ports, order);
      if (open.book.order.drop !== order.drop) throw new Fault("another drop has an order of this id", { retryable: false });
      return viewOf(await unlessFault(() => advance(ports, open, OPEN_BUDGET_MS), () => reread(ports, open)));
    },
    async order(id) {
      const open = await openFile(ports, id);
      return open === null ? null : viewOf(open);
    },
    async refresh(id) {
      const open = await openFile(ports, id);
      if (open === null) return null;
      const isWaiting = open.book.payment === null && open.book.session !== null && !open.book.isSessionClosed;
      const refreshed = await unlessFault(
        async () => advance(ports, isWaiting ? await askProvider(ports, open, { session: null, payment: null }) : open, WORK_BUDGET_MS),
        () => reread(ports, open),
      );
      return viewOf(refreshed);
    },
  };
}

/** What the desk asks of settlement. What was decided stands even when the provider is slow to follow. */
export function moneyDesk(ports: SettlementPorts): MoneyDeskPort {
  const command = async (
    order: string, decision: (book: OrderBook) => Result<readonly OrderEvent[], MoneyRejection>,
  ): Promise<Result<OrderView, MoneyRejection>> => {
    const open = await openFile(ports, order);
    if (open === null) return { ok: false, rejection: { code: "not_found" } };
    const decided = await decide(ports, open, decision);
    if (!decided.ok) return decided;
    const advanced = await unlessFault(() => advance(ports, decided.value, WORK_BUDGET_MS), () => reread(ports, decided.value));
    return accepted(viewOf(advanced));
  };
  return {
    async orders(query) {
      const page = await ports.store.list(query);
      const files = await ports.store.readEvents(page.orders);
      const orders = page.orders.flatMap((id) => {
        const events = files.get(id) ?? [];
        const book = foldOrder(events);
        return book === null ? [] : [viewOrder(book, events)];
      });
      return { orders, next: page.next };
    },
    async order(id) {
      const open = await openFile(ports, id);
      return open === null ? null : viewOf(open);
    },
    fulfil: (fulfilment) => command(fulfilment.order, (book) => decideFulfilment(book, fulfilment, ports.now())),
    refund: (refund) => command(refund.order, (book) => decideRefund(book, refund, ports.now())),
    accounts: () => ports.store.accounts(),
    transfers: (order) => ports.store.transfers(order),
  };
}

/**
 * Does what a message of a drop's outbox asks for. When this answers "settled",
 * the work is durable and the message may be acknowledged; a Fault means not yet.
 *
 * "later": the storefront is opening this very payment for a waiting shopper.
 * Two requests with one key at the same time, and the provider refuses one of
 * them, which could be the shopper's.
 */
export async function settleMessage(ports: SettlementPorts, message: OutboxMessage): Promise<"settled" | "later"> {
  switch (message.kind) {
    case "order_placed": {
      const open = await storeOrder(ports, message.order);
      if (open.book.order.drop !== message.drop) {
        // The shopper made the id and used it in another drop before: there is no second order of it, and these units are free.
        await ports.drop(message.drop).fail(message.order.id);
        return "settled";
      }
      if (open.book.session === null && ports.now() < message.order.placedAt + OPEN_BUDGET_MS + 1_000) return "later";
      await advance(ports, open, WORK_BUDGET_MS);
      return "settled";
    }
    case "payment_due":
      return tell(ports, message.drop, message.order, (book, at) => (book.isDue ? [] : [{ kind: "due", at }]));
    case "order_expired":
      return tell(ports, message.drop, message.order, (book, at) => (book.isExpired || book.verdict === "sold" ? [] : [{ kind: "expired", at }]));
    case "order_cancelled":
      return tell(ports, message.drop, message.order, (book, at) => (book.isCancelled ? [] : [{ kind: "cancelled", at }]));
    default:
      return unreachable(message);
  }
}

async function tell(ports: SettlementPorts, drop: string, order: string, news: (book: OrderBook, at: number) => readonly OrderEvent[]): Promise<"settled"> {
  const open = (await openFile(ports, order)) ?? (await storeFromDrop(ports, drop, order));
  // A shopper's id may stand in two drops; what happens to the second must never end, or pay back, the order of the first.
  if (open.book.order.drop !== drop) return "settled";
  const told = await record(ports, open, (book) => news(book, ports.now()));
  await advance(ports, told, WORK_BUDGET_MS);
  return "settled";
}

/** Messages may overtake each other: an order that we never saw is fetched from the drop. */
async function storeFromDrop(ports: SettlementPorts, drop: string, order: string): Promise<OpenFile> {
  const placed: PlacedOrder | null = await ports.drop(drop).placed(order);
  if (placed === null) throw new Fault("the drop does not know this order", { retryable: true });
  return storeOrder(ports, placed);
}

/**
 * Looks after one order whose time has come: asks the provider, closes the till
 * when the time to pay is over, captures what was handed over before the
 * authorisation ends, performs what is owed. Whatever stays unresolved is
 * looked at again, later each time, at most every six hours.
 */
export async function sweepOrder(ports: SettlementPorts, order: string): Promise<void> {
  const now = ports.now();
  const open = await openFile(ports, order);
  if (open === null) return;
  // Before the work, so that an order which fails every time does not keep the others from their turn.
  await ports.store.postpone([{ subject: order, dueAt: laterLook(open.book, now) }]);
  try {
    await lookAfter(ports, open, now);
  } catch (error) {
    // Failures on the way were recorded, and each record asks for another look soon: not for ever.
    if (error instanceof Fault) await ports.store.postpone([{ subject: order, dueAt: laterLook(open.book, now) }]);
    throw error;
  }
}

async function lookAfter(ports: SettlementPorts, open: OpenFile, now: number): Promise<void> {
  const closed = await record(ports, open, (book) => (isTillOpen(book) && now >= tillClosesAt(book) ? [{ kind: "due", at: now }] : []));
  const asked = needsProvider(closed.book) ? await askProvider(ports, closed, { session: null, payment: null }) : closed;
  const kept = await record(ports, asked, (book) => lastCapture(ports, book, now));
  const done = await advance(ports, kept, WORK_BUDGET_MS);
  await ports.store.postpone([{ subject: open.book.order.id, dueAt: Math.max(attentionAt(done.book) ?? 0, laterLook(done.book, now)) }]);
}

/** How long money may be at the provider before it is looked for, where a bank is deciding; and for how long that is worth asking so often. */
const DECIDING_LOOK_MS = 4 * 60_000;
const DECIDING_MS = 60 * 60_000;

/** After half as long as the order has been silent, and in time for the closing of the till. */
function laterLook(book: OrderBook, now: number): number {
  const isDeciding = book.payment === null && book.processing !== null && !book.hasFailed && now - book.lastAt < DECIDING_MS;
  const backoff = Math.min(lookAgainAt(book.lastAt, now), isDeciding ? now + DECIDING_LOOK_MS : Number.POSITIVE_INFINITY);
  const till = tillClosesAt(book);
  return isTillOpen(book) && till > now ? Math.min(backoff, till) : backoff;
}

function isTillOpen(book: OrderBook): boolean {
  return book.payment === null && !book.isDue && book.verdict === null;
}

function needsProvider(book: OrderBook): boolean {
  if (book.payment === null) return (book.session !== null || book.processing !== null) && !book.isSessionClosed;
  return book.verdict === "sold" && !book.isCaptureFinal && !book.isVoided;
}

/** Close to the end of an authorisation, what is not handed over yet is given up, so that what was can be captured. */
function lastCapture(ports: SettlementPorts, book: OrderBook, now: number): readonly OrderEvent[] {
  const isWaiting = book.verdict === "sold" && book.payment !== null && !book.isCaptureFinal && !book.isVoided && !book.isCancelled;
  if (!isWaiting || now < captureDeadline(book)) return [];
  const open = unitsOpen(book);
  if (open.length === 0 || book.lines.every((line) => line.handedOver === 0)) return [];
  const id = idFromHash("ref", ports.hashing.sha256(`authorisation-ends\n${book.order.id}`));
  const command = { id, order: book.order.id, lines: open, amountMinor: null, reason: "The bank's approval ends before these were handed over.", restock: false };
  const decided = decideRefund(book, command, now);
  return decided.ok ? decided.value : [];
}

async function reread(ports: SettlementPorts, open: OpenFile): Promise<OpenFile> {
  return (await openFile(ports, open.book.order.id)) ?? open;
}

async function unlessFault<Value>(work: () => Promise<Value>, otherwise: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return otherwise();
  }
}
