import type { OrderEvent } from "./order-event.ts";
import type { AccountBalance, TransferView } from "./port.ts";

/** Everything that is stored of one order, in order. */
export interface OrderFile {
  readonly events: readonly OrderEvent[];
  readonly transfers: readonly TransferView[];
}

/** What is written together or not at all. */
export interface OrderAppend {
  readonly order: string;
  /** How many events and transfers the writer had seen; the next ones follow. */
  readonly after: { readonly events: number; readonly transfers: number };
  readonly events: readonly OrderEvent[];
  readonly transfers: readonly TransferView[];
  /** When the sweep should look at the order again; null when it owes and awaits nothing. */
  readonly attentionAt: number | null;
}

export interface InboxEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: string;
  readonly receivedAt: number;
}

/** An event with what became of it; null while it is still to be worked off. */
export interface InboxRow {
  readonly event: InboxEvent;
  readonly outcome: string | null;
}

export interface InboxOutcome {
  readonly event: string;
  readonly outcome: string;
  /** When it was worked off. */
  readonly at: number;
}

/** When to look at an order or an event again. */
export interface Look {
  readonly subject: string;
  readonly dueAt: number;
}

/**
 * Orders, the ledger and the inbox of webhook events. Append-only: a writer
 * whose picture of an order is out of date collides, reads again and decides
 * again. Nothing is locked, and no call is made while anything is.
 */
export interface OrderStore {
  /** The file of an order; empty when there is none. */
  read(order: string): Promise<OrderFile>;
  /** The files of many orders at once; an order that there is none of is left out. */
  readAll(orders: readonly string[]): Promise<ReadonlyMap<string, OrderFile>>;
  readEvents(orders: readonly string[]): Promise<ReadonlyMap<string, readonly OrderEvent[]>>;
  /** Writes all of it, or nothing when somebody else was first. */
  append(append: OrderAppend): Promise<"appended" | "collided">;
  /** Writes the appends of many orders at once, at least one: all of them, or nothing when somebody else was first with any. */
  appendAll(appends: readonly OrderAppend[]): Promise<"appended" | "collided">;
  /** A drop's orders, newest first, beyond the cursor of the page before. */
  list(query: { readonly drop: string; readonly cursor: string | null; readonly limit: number }): Promise<{ readonly orders: readonly string[]; readonly next: string | null }>;
  orderOfPayment(payment: string): Promise<string | null>;
  transfers(order: string): Promise<readonly TransferView[]>;
  /** Posted debits and credits of every account, by account and currency. */
  accounts(): Promise<readonly AccountBalance[]>;

  /** Stores a webhook event once: with its outcome, or for the sweep to look at by `attentionAt` if nobody did before. */
  receive(event: InboxEvent, next: { readonly attentionAt: number } | { readonly outcome: string }): Promise<"stored" | "known">;
  /** The events by id, with what became of each; one that never arrived is left out. */
  inboxEvents(ids: readonly string[]): Promise<ReadonlyMap<string, InboxRow>>;
  /** Records what became of events, all of them or none; the first record of an event stays. */
  resolve(outcomes: readonly InboxOutcome[]): Promise<void>;

  /** Subjects (orders and events) whose time to look at has come, the longest waiting first. */
  due(now: number, limit: number): Promise<readonly string[]>;
  /** Looks again later, each subject once. One that rests already stays at rest. */
  postpone(looks: readonly Look[]): Promise<void>;
}

/** A cursor names the last order of the page before: when it was placed, then its id. */
export function cursorOf(placedAt: number, order: string): string {
  return `${placedAt}.${order}`;
}

/** Null when it is no cursor of ours; the list then begins at its start. */
export function parseCursor(cursor: string | null): { readonly placedAt: number; readonly order: string } | null {
  const match = /^(\d{1,16})\.(\w{1,64})$/.exec(cursor ?? "");
  return match === null ? null : { placedAt: Number(match[1]), order: match[2] ?? "" };
}

/** The provider's payments that an append names, each of which belongs to its order from then on. */
export function paymentsOf(events: readonly OrderEvent[]): readonly string[] {
  return [...new Set(events.flatMap((event) => (event.kind === "processing" || event.kind === "authorised" ? [event.payment] : [])))];
}
