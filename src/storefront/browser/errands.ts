import { type Answer, type Api, type Refusal, wait, jitter } from "./api.ts";
import type { ServerClock } from "./clock.ts";
import { freshId } from "./ids.ts";
import { isHolding } from "./journey.ts";
import type { Claim, Hold, Order, OrderStatus, PageData, Standing, Ticket, WireLine } from "./page-data.ts";
import { makeKeys, publicJwk } from "./proof.ts";
import { keysOf, type Memory, memoryKey, recall, remember, rememberReceipt } from "./storage.ts";

/*
 * What the page does for the shopper. Every errand reads the browser's memory
 * anew, writes its id down before it is sent, and runs alone: a second tab
 * waits for the first and then finds the answer already there.
 */

/** How an errand ended: done, or with words for the shopper. */
export type Outcome = { readonly done: true } | { readonly done: false; readonly refusal: Refusal };

export interface Errands {
  memory(): Memory;
  join(): Promise<Outcome>;
  /** Stores other wants; with a ticket the store is told too, and the rank stays. */
  want(wants: readonly WireLine[]): Promise<Outcome>;
  leave(): void;
  /** Claims a pass if there is none and holds `lines`. */
  takeTurn(lines: readonly WireLine[]): Promise<Outcome>;
  /** Holds `lines` instead of what is held, at once or not at all. */
  change(lines: readonly WireLine[]): Promise<Outcome>;
  giveUp(): Promise<Outcome>;
  order(body: OrderBody, handover: string): Promise<Outcome>;
  /** What became of an order that this browser placed, or null when it cannot be read. */
  orderStatus(): Promise<OrderStatus | null>;
  standing(): Promise<Standing | null>;
  update(change: Partial<Memory>): void;
}

export interface OrderBody {
  readonly email: string;
  readonly delivery: unknown;
  readonly coupon: string | null;
}

const DONE: Outcome = { done: true };
const endedWith = (refusal: Refusal): Outcome => ({ done: false, refusal });

/** The drawing weight that the ticket itself states; the middle part of the token is public. */
export function weightOf(ticket: string): number {
  try {
    const claims: unknown = JSON.parse(atob((ticket.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")));
    const weight = typeof claims === "object" && claims !== null && "weight" in claims ? claims.weight : 1;
    return typeof weight === "number" && Number.isSafeInteger(weight) && weight >= 1 ? weight : 1;
  } catch {
    return 1;
  }
}

export function createErrands(page: PageData, api: Api, clock: ServerClock, onChange: () => void): Errands {
  const key = memoryKey(page.drop, page.planHash);
  const base = `/api/drops/${page.drop}`;
  const memory = () => recall(key);
  const keys = () => keysOf(page.drop, makeKeys);

  function update(change: Partial<Memory>): void {
    remember(key, { ...memory(), ...change });
    onChange();
  }

  /** One errand at a time over all tabs of this browser. */
  async function alone(errand: () => Promise<Outcome>): Promise<Outcome> {
    return "locks" in navigator ? navigator.locks.request(key, errand) : errand();
  }

  async function putTicket(): Promise<Outcome> {
    const { ticketId, wants } = memory();
    const id = ticketId ?? freshId("tkt");
    update({ ticketId: id });
    const body = { jwk: await publicJwk(await keys()), wants };
    const answer = await api.ask<Ticket>({ method: "PUT", path: `${base}/tickets/${id}`, body });
    if (!answer.ok) return refusedTicket(answer.refusal);
    update({ ticket: { ...answer.value, weight: weightOf(answer.value.ticket) } });
    return DONE;
  }

  /** An id that belongs to another key cannot be used again by this browser: it starts over with a fresh one. */
  function refusedTicket(refusal: Refusal): Outcome {
    if (refusal.code === "lobby_not_open") return DONE;
    if (memory().ticket === null) update({ ticketId: null });
    return endedWith(refusal);
  }

  async function claim(): Promise<Outcome> {
    const { pass, ticket } = memory();
    if (ticket === null || (pass !== null && Date.parse(pass.expiresAt) > clock.now())) return DONE;
    const answer = await api.ask<Claim>({ method: "POST", path: `${base}/passes`, body: {}, bound: { token: ticket.ticket, keys: await keys() } });
    if (!answer.ok) return endedWith(answer.refusal);
    if ("pass" in answer.value) update({ pass: { token: answer.value.pass, expiresAt: answer.value.expiresAt } });
    // Called by the public state, not yet by the object: it will be in a moment.
    else await wait(1_000 * jitter());
    return DONE;
  }

  async function putHold(lines: readonly WireLine[]): Promise<Outcome> {
    const { pass, hold, sending } = memory();
    if (pass === null) return DONE;
    const replaces = hold !== null && isHolding(memory(), clock.now()) ? hold.id : null;
    const next = sending ?? { id: freshId("hld"), lines, replaces };
    update({ sending: next });
    const body = { lines: next.lines, ...(next.replaces === null ? {} : { replaces: next.replaces }) };
    const answer = await api.ask<Hold>({ method: "PUT", path: `${base}/holds/${next.id}`, body, bound: { token: pass.token, keys: await keys() } });
    if (answer.ok) {
      // The pass serves the whole sitting, which ends with its holds.
      update({ sending: null, hold: answer.value, wants: next.lines, pass: { token: pass.token, expiresAt: answer.value.expiresAt } });
      return DONE;
    }
    update({ sending: null, ...(endsSitting(answer.refusal) ? { pass: null } : {}) });
    return endedWith(answer.refusal);
  }

  async function putOrder(body: OrderBody, handover: string): Promise<Outcome> {
    const { hold, pass, order } = memory();
    // Another tab was first: its order is the order.
    if (order !== null && order.answer !== null) return DONE;
    if (hold === null || pass === null) {
      update({ order: null });
      return DONE;
    }
    const sent = {
      drop: page.drop, hold: hold.id, email: body.email, delivery: body.delivery, source: { region: page.region },
      ...(body.coupon === null ? {} : { coupon: body.coupon }),
    };
    const next = order ?? { id: freshId("ord"), body: sent, handover, answer: null };
    update({ order: next });
    const answer = await api.ask<Order>({ method: "PUT", path: `/api/orders/${next.id}`, body: next.body, bound: { token: pass.token, keys: await keys() } });
    if (!answer.ok) return refusedOrder(answer.refusal);
    const { receipt } = answer.value;
    rememberReceipt(next.id, { receipt, drop: page.drop, region: page.region, title: page.title, locale: page.locale, handover: next.handover });
    update({ order: { ...next, body: null, answer: answer.value } });
    return DONE;
  }

  function refusedOrder(refusal: Refusal): Outcome {
    const isHoldOver = refusal.code === "hold_expired" || refusal.code === "limit_reached";
    update({ order: null, ...(isHoldOver ? { hold: null, pass: null, rest: { title: refusal.title, detail: refusal.detail } } : {}) });
    return endedWith(refusal);
  }

  async function abandon(): Promise<Outcome> {
    const { hold, pass } = memory();
    if (hold === null || pass === null) return DONE;
    const answer: Answer<Hold> = await api.ask({ method: "DELETE", path: `${base}/holds/${hold.id}`, bound: { token: pass.token, keys: await keys() } });
    if (!answer.ok && answer.refusal.code === "order_placed") return endedWith(answer.refusal);
    update({ hold: null, pass: null, rest: { title: "You gave it up", detail: "The items went back for the next in line. You keep your place: you may take a turn again while there is stock." } });
    return DONE;
  }

  return {
    memory,
    update,
    join: () => alone(async () => (memory().ticket === null ? putTicket() : DONE)),
    want: (wants) => alone(async () => {
      update({ wants });
      return memory().ticket === null ? DONE : putTicket();
    }),
    leave: () => update({ ticketId: null }),
    change: (lines) => alone(() => putHold(lines)),
    takeTurn: (lines) => alone(async () => {
      // Another tab was first, and what it holds is held for this one too.
      if (isHolding(memory(), clock.now()) && memory().sending === null) return DONE;
      const claimed = await claim();
      return claimed.done ? putHold(lines) : claimed;
    }),
    giveUp: () => alone(abandon),
    order: (body, handover) => alone(() => putOrder(body, handover)),
    async orderStatus() {
      const { order } = memory();
      if (order === null || order.answer === null) return null;
      const answer = await api.ask<OrderStatus>({ method: "GET", path: `/api/orders/${order.id}`, bearer: order.answer.receipt });
      return answer.ok ? answer.value : null;
    },
    async standing() {
      const { ticketId } = memory();
      if (ticketId === null) return null;
      const answer = await api.ask<Standing>({ method: "GET", path: `${base}/tickets/${ticketId}` });
      return answer.ok ? answer.value : null;
    },
  };
}

function endsSitting(refusal: Refusal): boolean {
  return refusal.code === "pass_expired" || refusal.code === "not_admitted" || refusal.code === "credential_invalid";
}
