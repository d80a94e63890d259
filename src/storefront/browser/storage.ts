import type { FriendCode } from "./friends-port.ts";
import type { Hold, Order, Ticket, WireLine } from "./page-data.ts";
import type { Position } from "./rank.ts";

/*
 * What this browser remembers of a drop. Ids are written down before they are
 * sent: whatever was lost on the way, the same id gets the first answer, so a
 * closed tab or a second one never joins, holds or orders twice.
 */

export interface RememberedOrder {
  readonly id: string;
  readonly body: unknown;
  /** How and where it is handed over, in words. */
  readonly handover: string;
  readonly answer: Order | null;
}

export interface Memory {
  readonly wants: readonly WireLine[];
  readonly ticketId: string | null;
  readonly ticket: (Ticket & { readonly weight: number }) | null;
  readonly shown: Position | null;
  readonly pass: { readonly token: string; readonly expiresAt: string } | null;
  readonly hold: Hold | null;
  /** A hold that was asked for and not answered yet; it is asked for again under the same id. */
  readonly sending: { readonly id: string; readonly lines: readonly WireLine[]; readonly replaces: string | null } | null;
  readonly order: RememberedOrder | null;
  /** Orders of earlier turns, oldest first. */
  readonly past: readonly RememberedOrder[];
  /** A voucher that was scanned, or a word that was typed. */
  readonly coupon: string | null;
  readonly rest: Rest | null;
  /** A scanned invitation or pop-up code that no ticket was joined with yet. */
  readonly evidence: { readonly invite?: string; readonly presence?: string } | null;
  /** The address to which a code was sent, and when, by the server's clock. */
  readonly asked: { readonly email: string; readonly at: number } | null;
  /** What the next join says of who joins. */
  readonly identity: { readonly email: string; readonly code?: string; readonly group?: readonly FriendCode[] } | null;
  /** Friends to whom a code was sent, so that they stand in line with the ticket that is going to be joined. */
  readonly friends: readonly string[];
  /** The address with which the ticket was joined: the order goes to it. */
  readonly address: string | null;
  /** An id for which an address was proven, and under which nothing was had yet. */
  readonly spareId: string | null;
}

/** Why the shopper is not called again by itself: only the shopper starts a new turn after one ended. */
export interface Rest {
  readonly title: string;
  readonly detail: string;
  /** Ends by itself once all of what is wanted is free. */
  readonly isUntilFree?: boolean;
}

export const NOTHING: Memory = {
  wants: [], ticketId: null, ticket: null, shown: null, pass: null, hold: null, sending: null, order: null, past: [], coupon: null, rest: null,
  evidence: null, asked: null, identity: null, friends: [], address: null, spareId: null,
};

/** A receipt credential and where it was bought, kept by the order's id. */
export interface RememberedReceipt {
  readonly receipt: string;
  readonly drop: string;
  readonly region: string;
  readonly title: string;
  readonly locale: string;
  readonly handover: string;
  /** The seller's words about every way of handing over; empty where there are none. */
  readonly note: string;
}

function read(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    // Storage can be switched off, full or edited by hand: then nothing is remembered.
    return null;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // The visit goes on without a memory; closing the tab then loses the place.
  }
}

/**
 * The name under which a drop is remembered. It carries the plan's hash: a drop
 * that was started anew has the same address but knows none of the old tickets.
 */
export function memoryKey(drop: string, planHash: string): string {
  return `tranche:${drop}:${planHash.slice(0, 16)}`;
}

export function recall(key: string): Memory {
  const found = read(key);
  return typeof found === "object" && found !== null ? { ...NOTHING, ...found } : NOTHING;
}

export function remember(key: string, memory: Memory): void {
  write(key, memory);
}

export function rememberReceipt(order: string, receipt: RememberedReceipt): void {
  write(`tranche:order:${order}`, receipt);
}

export function recallReceipt(order: string): RememberedReceipt | null {
  const found = read(`tranche:order:${order}`);
  if (typeof found !== "object" || found === null) return null;
  const texts: Record<string, unknown> = { ...found };
  const text = (name: string) => (typeof texts[name] === "string" ? texts[name] : "");
  if (text("receipt") === "") return null;
  return { receipt: text("receipt"), drop: text("drop"), region: text("region"), title: text("title"), locale: text("locale"), handover: text("handover"), note: text("note") };
}

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("tranche", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error ?? new Error("the key store does not open"));
  });
}

function isKeyPair(value: unknown): value is CryptoKeyPair {
  return typeof value === "object" && value !== null && "privateKey" in value && "publicKey" in value;
}

/**
 * The drop's key pair, made on first use. IndexedDB keeps a key that script
 * cannot read out; `add` lets the first of two tabs win, and both use its key.
 */
export async function keysOf(drop: string, make: () => Promise<CryptoKeyPair>): Promise<CryptoKeyPair> {
  const store = await database();
  const stored = await request(() => store.transaction("keys").objectStore("keys").get(drop));
  if (isKeyPair(stored)) return stored;
  const fresh = await make();
  try {
    await request(() => store.transaction("keys", "readwrite").objectStore("keys").add(fresh, drop));
    return fresh;
  } catch {
    const winner = await request(() => store.transaction("keys").objectStore("keys").get(drop));
    return isKeyPair(winner) ? winner : fresh;
  }
}

function request<Value>(start: () => IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const running = start();
    running.onsuccess = () => resolve(running.result);
    running.onerror = () => reject(running.error ?? new Error("the key store does not answer"));
  });
}
