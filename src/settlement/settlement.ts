import type { PlacedOrder } from "../checkout/placed-order.ts";
import type { Result } from "../kernel/result.ts";
import { accepted, assert, Fault } from "../kernel/result.ts";
import type { ProviderTruth } from "../payment/provider.ts";
import { transfersOf } from "./ledger.ts";
import { attentionAt, nextStep, observe, observeElsewhere } from "./lifecycle.ts";
import type { OrderBook } from "./order-book.ts";
import { applyEvent, foldOrder } from "./order-book.ts";
import type { OrderEvent } from "./order-event.ts";
import type { OrderFile } from "./order-store.ts";
import { viewOrder } from "./order-view.ts";
import type { OrderView } from "./port.ts";
import type { SettlementPorts } from "./settlement-ports.ts";
import { performStep } from "./step.ts";

/** An order as it is stored, with what it adds up to. */
export interface OpenFile {
  readonly file: OrderFile;
  readonly book: OrderBook;
}

/** How often a writer that collided reads again before it gives the work back to the queue. */
const COLLISIONS_MAX = 12;
/** More effects than any order can owe in a row; beyond it something is wrong, and the sweep comes back. */
const STEPS_MAX = 24;
/** What a second try still gets when the first has used up the time. */
const BUDGET_MS_MIN = 500;

export async function openFile(ports: SettlementPorts, order: string): Promise<OpenFile | null> {
  const file = await ports.store.read(order);
  const book = foldOrder(file.events);
  return book === null ? null : { file, book };
}

export function viewOf(open: OpenFile): OrderView {
  return viewOrder(open.book, open.file.events);
}

/** Writes the events after those that `open` has, with the transfers that they cause; null when somebody else wrote first. */
async function append(ports: SettlementPorts, order: PlacedOrder, open: OpenFile | null, events: readonly OrderEvent[]): Promise<OpenFile | null> {
  const before: OrderFile = open?.file ?? { events: [], transfers: [] };
  const transfers = events.reduce((rows, event) => [...rows, ...transfersOf(order, rows, event, ports.hashing)], before.transfers);
  const book = open === null ? foldOrder(events) : events.reduce(applyEvent, open.book);
  assert(book !== null, "an append has events");
  const answer = await ports.store.append({
    order: order.id,
    after: { events: before.events.length, transfers: before.transfers.length },
    events,
    transfers: transfers.slice(before.transfers.length),
    attentionAt: attentionAt(book),
  });
  return answer === "collided" ? null : { file: { events: [...before.events, ...events], transfers }, book };
}

/** Stores a placed order once; whoever comes second gets what the first one stored. */
export async function storeOrder(ports: SettlementPorts, order: PlacedOrder): Promise<OpenFile> {
  return (await openFile(ports, order.id)) ?? storeNewOrder(ports, order);
}

/** The same where the order is most likely new: it is written without looking first, because a shopper waits. */
export async function storeNewOrder(ports: SettlementPorts, order: PlacedOrder): Promise<OpenFile> {
  const stored = await append(ports, order, null, [{ kind: "placed", at: order.placedAt, order }]);
  const open = stored ?? (await openFile(ports, order.id));
  if (open === null) throw new Fault("the order could not be stored", { retryable: true });
  return open;
}

/**
 * Decides on the order's book and records what was decided. When another writer
 * was first, the book is read again and the decision made again: nothing is
 * decided on an old picture.
 */
export async function decide<Rejection>(
  ports: SettlementPorts, open: OpenFile, decision: (book: OrderBook) => Result<readonly OrderEvent[], Rejection>,
): Promise<Result<OpenFile, Rejection>> {
  let current = open;
  for (let attempt = 0; attempt < COLLISIONS_MAX; attempt++) {
    const decided = decision(current.book);
    if (!decided.ok) return decided;
    if (decided.value.length === 0) return accepted(current);
    const next = await append(ports, current.book.order, current, decided.value);
    if (next !== null) return accepted(next);
    current = await reopen(ports, current.book.order.id);
  }
  throw new Fault("too many writers of one order", { retryable: true });
}

/** As `decide`, where nothing can be refused. */
export async function record(ports: SettlementPorts, open: OpenFile, decision: (book: OrderBook) => readonly OrderEvent[]): Promise<OpenFile> {
  const answer = await decide<never>(ports, open, (book) => accepted(decision(book)));
  assert(answer.ok, "a decision that refuses nothing is accepted");
  return answer.value;
}

async function reopen(ports: SettlementPorts, order: string): Promise<OpenFile> {
  const open = await openFile(ports, order);
  assert(open !== null, "an order that exists stays");
  return open;
}

/**
 * Performs the effects that the order owes, one after the other, each recorded
 * before the next, until it owes none. Safe to run twice at the same time and
 * to be killed at any point: every effect is repeated under the same key, which
 * the order's own events decide, and of two records of it the second collides
 * and finds the first. `budgetMs` bounds the wait for a payment page.
 *
 * Throws a Fault when an effect's outcome stays unknown; the order is then
 * driven on by the queue and the sweep.
 */
export async function advance(ports: SettlementPorts, open: OpenFile, budgetMs: number): Promise<OpenFile> {
  let current = open;
  const began = ports.now();
  for (let count = 0; count < STEPS_MAX; count++) {
    const step = nextStep(current.book);
    if (step === null) return current;
    const events = await performStep(ports, current.book, step, Math.max(budgetMs - (ports.now() - began), BUDGET_MS_MIN));
    const next = await append(ports, current.book.order, current, events);
    current = next ?? (await reopen(ports, current.book.order.id));
  }
  throw new Fault("the order owes more effects than an order can", { retryable: true });
}

/** What an event of the provider says that it is about. */
interface Hint {
  readonly session: string | null;
  readonly payment: string | null;
}

/** Asks the provider what it knows and records what is new; also where a hint leads elsewhere than to the order's own page and payment. */
export async function askProvider(ports: SettlementPorts, open: OpenFile, hint: Hint): Promise<OpenFile> {
  const { session, payment, processing } = open.book;
  // The payment itself, once there is one: it may have been made in another session than the order's own.
  const own: Hint = payment === null ? { session: session?.id ?? hint.session, payment: processing ?? hint.payment } : { session: null, payment: payment.id };
  if (own.session === null && own.payment === null) return open;
  const truth = await ports.provider.truth(own);
  const known = truth === null ? open : await record(ports, open, (book) => observe(book, truth, ports.now(), ports.hashing));
  const elsewhere = leadsElsewhere(known.book, hint, truth);
  const found = elsewhere === null ? null : await ports.provider.truth(elsewhere);
  return found === null ? known : record(ports, known, (book) => observeElsewhere(book, found, ports.now(), ports.hashing));
}

/**
 * A page whose answer was lost is known to nobody but the provider. Should a
 * payment be made in it all the same, only this event tells, and asking about
 * the order's own page would never find it.
 */
function leadsElsewhere(book: OrderBook, hint: Hint, truth: ProviderTruth | null): Hint | null {
  if (hint.payment !== null) {
    const isKnown = hint.payment === truth?.payment?.id || hint.payment === book.payment?.id || book.strays[hint.payment] !== undefined;
    return isKnown ? null : { session: null, payment: hint.payment };
  }
  const isOtherPage = hint.session !== null && book.session !== null && hint.session !== book.session.id;
  return isOtherPage ? { session: hint.session, payment: null } : null;
}
