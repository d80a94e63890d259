import { Fault } from "../kernel/result.ts";
import type { NoticeReader, ProviderNotice } from "../payment/provider.ts";
import { DECLINES_MAX, lookAgainAt } from "./lifecycle.ts";
import type { OrderBook } from "./order-book.ts";
import { refundableMinor } from "./order-book.ts";
import type { OrderEvent } from "./order-event.ts";
import type { InboxEvent } from "./order-store.ts";
import type { SettlementPorts } from "./settlement-ports.ts";
import { advance, askProvider, openFile, record } from "./settlement.ts";

const WORK_BUDGET_MS = 5_000;
/** How long the queue has before the sweep takes an event up. */
const QUEUE_GRACE_MS = 30_000;

/** The largest webhook that is read; Stripe's own stay far below. */
export const WEBHOOK_BYTES_MAX = 1_000_000;

export interface ReceivedEvent {
  readonly id: string;
  /** The order, or else the payment, that it is about: events of one are worked off one after the other. */
  readonly about: string;
  readonly isToWorkOff: boolean;
}

const OF_NO_CONSEQUENCE = "ignored: of no consequence";

/**
 * Stores a verified webhook, once. Its id is answered so that the queue can be
 * told, with whether there is anything to work off; null when it is not
 * verified. Nothing is decided here but that an event says nothing to us: the
 * provider waits for the answer, and an event that is stored cannot be lost any
 * more.
 */
export async function receiveWebhook(ports: SettlementPorts, notices: NoticeReader, body: string, signature: string): Promise<ReceivedEvent | null> {
  const now = ports.now();
  const notice = await notices.verified(body, signature, now);
  if (notice === null) return null;
  const isUnderstood = UNDERSTOOD.has(notice.type);
  const answer = await ports.store.receive(
    { id: notice.id, type: notice.type, payload: body, receivedAt: now },
    isUnderstood ? { attentionAt: now + QUEUE_GRACE_MS } : { outcome: OF_NO_CONSEQUENCE },
  );
  return { id: notice.id, about: notice.order ?? notice.payment ?? notice.id, isToWorkOff: isUnderstood && answer === "stored" };
}

/**
 * Works off one stored webhook. The event itself moves no money: it says which
 * order to look at, and the provider is asked what is true, unless the book
 * knows it already. So the order of events, duplicates and days of delay make
 * no difference.
 */
export async function processInboxEvent(ports: SettlementPorts, notices: NoticeReader, isLive: boolean | null, id: string): Promise<void> {
  const event = await unprocessed(ports, id);
  if (event === null) return;
  await workOff(ports, notices, isLive, event);
}

/** The same for an event that the queue lost or gave up. What fails every time is looked at later each time, so that it does not keep the others from their turn. */
export async function sweepInboxEvent(ports: SettlementPorts, notices: NoticeReader, isLive: boolean | null, id: string): Promise<void> {
  const event = await unprocessed(ports, id);
  if (event === null) return;
  await ports.store.postpone([{ subject: id, dueAt: lookAgainAt(event.receivedAt, ports.now()) }]);
  await workOff(ports, notices, isLive, event);
}

async function unprocessed(ports: SettlementPorts, id: string): Promise<InboxEvent | null> {
  const row = (await ports.store.inboxEvents([id])).get(id);
  return row === undefined || row.outcome !== null ? null : row.event;
}

async function workOff(ports: SettlementPorts, notices: NoticeReader, isLive: boolean | null, event: InboxEvent): Promise<void> {
  // Without the provider's key nobody can tell which mode is ours: the event waits.
  if (isLive === null) throw new Fault("temporarily_unavailable", { retryable: true });
  const notice = notices.stored(event.payload);
  const outcome = notice === null ? "ignored: not understood" : await processNotice(ports, notice, isLive);
  await ports.store.resolve([{ event: event.id, outcome, at: ports.now() }]);
}

async function processNotice(ports: SettlementPorts, notice: ProviderNotice, isLive: boolean): Promise<string> {
  if (notice.isLive !== isLive) return "ignored: the other mode";
  const order = notice.order ?? (notice.payment === null ? null : await ports.store.orderOfPayment(notice.payment));
  const open = order === null ? null : await openFile(ports, order);
  if (open === null) return "ignored: no order of ours";
  if (notice.dispute !== null) {
    const isClosing = notice.type === "charge.dispute.closed";
    const recorded = await record(ports, open, (book) => disputeEvents(book, notice, isClosing, ports.now()));
    await advance(ports, recorded, WORK_BUDGET_MS);
    return "processed";
  }
  const told = notice.type === "payment_intent.payment_failed" ? await record(ports, open, (book) => declineEvents(book, notice, ports.now())) : open;
  const asked = isNews(told.book, notice.type) || isOfAnother(told.book, notice) ? await askProvider(ports, told, notice) : told;
  await advance(ports, asked, WORK_BUDGET_MS);
  return "processed";
}

const UNDERSTOOD: ReadonlySet<string> = new Set([
  "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed",
  "payment_intent.amount_capturable_updated", "payment_intent.processing", "payment_intent.payment_failed", "payment_intent.succeeded", "payment_intent.canceled",
  "charge.dispute.created", "charge.dispute.closed",
]);

/** Whether the event is about a second payment of the order, which somebody made in a page that the order does not know. */
function isOfAnother(book: OrderBook, notice: ProviderNotice): boolean {
  if (book.payment === null) return false;
  const isOtherPayment = notice.payment !== null && notice.payment !== book.payment.id && book.strays[notice.payment] === undefined;
  return isOtherPayment || (notice.payment === null && notice.session !== null && book.session !== null && notice.session !== book.session.id);
}

/** Whether an event of this type can say anything that the book does not know. */
function isNews(book: OrderBook, type: string): boolean {
  switch (type) {
    case "checkout.session.completed":
    case "checkout.session.async_payment_succeeded":
    case "payment_intent.amount_capturable_updated":
      return book.payment === null;
    case "payment_intent.processing":
      return book.payment === null && book.processing === null;
    case "payment_intent.succeeded":
      return !book.isCaptureFinal;
    case "payment_intent.canceled":
      return !book.isVoided && !book.isCaptureFinal;
    default:
      return book.payment === null && !book.isSessionClosed;
  }
}

/** A refused card is recorded once, while the order is not paid and none too many of them are known. */
function declineEvents(book: OrderBook, { id: notice }: ProviderNotice, at: number): readonly OrderEvent[] {
  const isNew = book.payment === null && book.declines.length < DECLINES_MAX && !book.declines.includes(notice);
  return isNew ? [{ kind: "declined", at, notice }] : [];
}

/** A dispute is recorded once, and closed once; a lost one takes back no more than is left of the money. */
function disputeEvents(book: OrderBook, notice: ProviderNotice, isClosing: boolean, at: number): readonly OrderEvent[] {
  if (notice.dispute === null || book.capturedMinor === 0) return [];
  const { id: dispute, status } = notice.dispute;
  const known = book.disputes[dispute]?.state;
  const amountMinor = Math.min(notice.dispute.amountMinor, refundableMinor(book));
  if (!isClosing) return known === undefined ? [{ kind: "disputed", at, dispute, amountMinor }] : [];
  if (known === "won" || known === "lost" || (status !== "won" && status !== "lost" && status !== "warning_closed")) return [];
  return [{ kind: "dispute_closed", at, dispute, amountMinor, outcome: status === "lost" ? "lost" : "won" }];
}
