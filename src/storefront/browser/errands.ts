import { type Answer, type Api, jitter, type Refusal, wait } from "./api.ts";
import { type ServerClock, spanWords } from "./clock.ts";
import type { Door } from "./door.ts";
import type { FriendCode } from "./friends-port.ts";
import { friendAt, isAddressAsked, isEvidenceDue } from "./identity.ts";
import { freshId } from "./ids.ts";
import { isHolding } from "./journey.ts";
import type { Claim, Hold, Order, OrderStatus, PageData, Standing, Ticket, WireLine } from "./page-data.ts";
import { makeKeys, publicJwk } from "./proof.ts";
import { keysOf, type Memory, memoryKey, recall, remember, rememberReceipt, type RememberedOrder } from "./storage.ts";

/** How an errand ended: done, or with words for the shopper. */
export type Outcome = { readonly done: true } | { readonly done: false; readonly refusal: Refusal };

export interface OrderBody {
  readonly email: string;
  readonly delivery: unknown;
  readonly coupon: string | null;
}

/** Something that was prepared may have grown too old on its way; what is refused twice more is not the clock's fault. */
const GATE_ATTEMPTS_MAX = 3;

/** A refused code in words about the code. */
function codeRefusal(refusal: Refusal): Refusal {
  if (refusal.code === "invalid_request") return { ...refusal, title: "This is not an e-mail address", detail: "Look whether something is missing or mistyped." };
  if (refusal.code !== "too_many_requests") return refusal;
  return { ...refusal, title: "No further code for a while", detail: `Several were sent already, and the newest one works. You can ask for another in ${spanWords(refusal.waitMs)}.` };
}

function friendWords({ code, detail }: Refusal, email: string): Pick<Refusal, "title" | "detail"> {
  if (code === "identity_invalid") return { title: `The code of ${email} is not right`, detail };
  if (code === "identity_in_use") return { title: `${email} has a place already`, detail: "One person has one place. Leave them out, or name another address of theirs." };
  return { title: `Look at ${email} again`, detail: "Each person needs an address of their own." };
}

function isGateRefusal({ code }: Refusal): boolean {
  return code === "challenge_needed" || code === "challenge_failed";
}

const DONE: Outcome = { done: true };
const endedWith = (refusal: Refusal): Outcome => ({ done: false, refusal });
const ADDRESS_FULL = "As many were ordered to this postal address as one address may be sent of this drop. Choose a pick-up point or another address: what you hold stays yours until its time ends.";

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

/** Refusals after which an id is of no use to whoever joins. */
function isTaken(refusal: Refusal): boolean {
  return refusal.code === "id_reused" || refusal.ticket !== undefined;
}

/** Refusals after which the pass admits to nothing any more. */
function endsSitting(refusal: Refusal): boolean {
  return refusal.code === "pass_expired" || refusal.code === "not_admitted" || refusal.code === "credential_invalid";
}

/**
 * What the page does for the shopper. Every errand reads the browser's memory
 * anew, writes its id down before it is sent, and runs alone: a second tab
 * waits for the first and then finds the answer already there.
 */
export class Errands {
  readonly #page: PageData;
  readonly #api: Api;
  readonly #clock: ServerClock;
  readonly #onChange: () => void;
  readonly #door: Promise<Door> | null;
  readonly #key: string;
  readonly #base: string;

  constructor(page: PageData, api: Api, clock: ServerClock, onChange: () => void, door: Promise<Door> | null = null) {
    this.#page = page;
    this.#api = api;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#door = door;
    this.#key = memoryKey(page.drop, page.planHash);
    this.#base = `/api/drops/${page.drop}`;
  }

  memory(): Memory {
    return recall(this.#key);
  }

  update(change: Partial<Memory>): void {
    remember(this.#key, { ...this.memory(), ...change });
    this.#onChange();
  }

  join(): Promise<Outcome> {
    return this.#alone(async () => {
      if (this.memory().ticket !== null) return DONE;
      // Begun, and gone on with as soon as it is known who joins: the code is for this very id.
      const ticketId = await this.#joiningId();
      const isAsked = isAddressAsked({ ...this.memory(), ticketId }, this.#page, this.#clock.now());
      if (!isAsked) return this.#join();
      this.update({ ticketId });
      return DONE;
    });
  }

  /** Joins again with evidence that was scanned since: until the opening it can still change the lane. */
  reenter(): Promise<Outcome> {
    return this.#alone(async () => (isEvidenceDue(this.memory(), this.#page, this.#clock.now()) ? this.#putTicket() : DONE));
  }

  /** Has a code sent to an address. */
  sendCode(email: string): Promise<Outcome> {
    return this.#alone(async () => {
      const ticket = await this.#joiningId();
      const answer = await this.#api.ask<unknown>({ method: "POST", path: `${this.#base}/codes`, body: { ticket, email } });
      if (!answer.ok) return endedWith(codeRefusal(answer.refusal));
      this.update({ ticketId: ticket, asked: { email, at: this.#clock.now() } });
      return DONE;
    });
  }

  /** Has a code sent to a friend who is to stand in line with the ticket that is going to be joined. */
  askFriend(email: string): Promise<Outcome> {
    return this.#alone(async () => {
      const ticket = await this.#joiningId();
      const answer = await this.#api.ask<unknown>({ method: "POST", path: `${this.#base}/codes`, body: { ticket, email, group: true } });
      if (!answer.ok) return endedWith(codeRefusal(answer.refusal));
      const { friends } = this.memory();
      this.update({ ticketId: ticket, friends: friends.includes(email) ? friends : [...friends, email] });
      return DONE;
    });
  }

  /** Joins with the code that came to the address, and with those of the friends. */
  prove(code: string, group: readonly FriendCode[]): Promise<Outcome> {
    return this.#alone(async () => {
      const { asked } = this.memory();
      if (asked === null) return DONE;
      this.update({ identity: { email: asked.email, code, ...(group.length === 0 ? {} : { group }) } });
      return this.memory().ticket === null ? this.#join() : this.#putTicket();
    });
  }

  /** Joins with an address that needs no proof before the order does. */
  nameAddress(email: string): Promise<Outcome> {
    return this.#alone(async () => {
      this.update({ identity: { email } });
      return this.memory().ticket === null ? this.#join() : this.#putTicket();
    });
  }

  /** Stores other wants; with a ticket the store is told too, and the rank stays. */
  want(wants: readonly WireLine[]): Promise<Outcome> {
    return this.#alone(async () => {
      this.update({ wants });
      return this.memory().ticket === null ? DONE : this.#putTicket();
    });
  }

  /** Takes back a join that was not answered yet. Addresses may be tied to its id already, which is the next one's therefore. */
  leave(): void {
    const { ticketId, spareId, identity } = this.memory();
    this.update({ ticketId: null, asked: null, identity: null, friends: [], spareId: identity?.code === undefined ? spareId : (ticketId ?? spareId) });
  }

  /** Claims a pass if there is none and holds `lines`. */
  takeTurn(lines: readonly WireLine[]): Promise<Outcome> {
    return this.#alone(async () => {
      // Another tab was first, and what it holds is held for this one too.
      if (isHolding(this.memory(), this.#clock.now()) && this.memory().sending === null) return DONE;
      const claimed = await this.#claim();
      return claimed.done ? this.#putHold(lines) : claimed;
    });
  }

  /** Holds `lines` instead of what is held, at once or not at all. */
  change(lines: readonly WireLine[]): Promise<Outcome> {
    return this.#alone(() => this.#putHold(lines));
  }

  giveUp(): Promise<Outcome> {
    return this.#alone(() => this.#abandon());
  }

  order(body: OrderBody, handover: string): Promise<Outcome> {
    return this.#alone(async () => {
      const { hold, order } = this.memory();
      if (order !== null) return this.#putOrder(order);
      if (hold === null) return DONE;
      const coupon = body.coupon === null ? {} : { coupon: body.coupon };
      const sent = { drop: this.#page.drop, hold: hold.id, email: body.email, delivery: body.delivery, source: { region: this.#page.region }, ...coupon };
      return this.#putOrder({ id: freshId("ord"), body: sent, handover, answer: null });
    });
  }

  /** Goes on with an order that was sent and not answered. */
  resendOrder(): Promise<Outcome> {
    return this.#alone(async () => {
      const { order } = this.memory();
      return order === null ? DONE : this.#putOrder(order);
    });
  }

  /** Puts the order with those of earlier turns and asks for `wants` in another one; the place in line stays. */
  another(wants: readonly WireLine[]): Promise<Outcome> {
    return this.#alone(async () => {
      const { order, past } = this.memory();
      if (order?.answer == null) return DONE;
      this.update({ wants });
      const told = await this.#putTicket();
      if (told.done) this.update({ past: [...past, order], order: null, hold: null, rest: null });
      return told;
    });
  }

  /** What became of an order that this browser placed, or null when it cannot be read. */
  async orderStatus(order: RememberedOrder): Promise<OrderStatus | null> {
    if (order.answer === null) return null;
    const answer = await this.#api.ask<OrderStatus>({ method: "GET", path: `/api/orders/${order.id}`, bearer: order.answer.receipt });
    return answer.ok ? answer.value : null;
  }

  async standing(): Promise<Standing | null> {
    const { ticketId } = this.memory();
    if (ticketId === null) return null;
    const answer = await this.#api.ask<Standing>({ method: "GET", path: `${this.#base}/tickets/${ticketId}` });
    return answer.ok ? answer.value : null;
  }

  /** One errand at a time over all tabs of this browser. */
  async #alone(errand: () => Promise<Outcome>): Promise<Outcome> {
    return "locks" in navigator ? navigator.locks.request(this.#key, errand) : errand();
  }

  #keys(): Promise<CryptoKeyPair> {
    return keysOf(this.#page.drop, makeKeys);
  }

  async #join(): Promise<Outcome> {
    const outcome = await this.#putTicket();
    const theirs = outcome.done ? undefined : outcome.refusal.ticket;
    if (theirs === undefined) return outcome;
    // The person has a place already. It was proven here that it is theirs, so that it is this browser's from now on.
    const { identity } = this.memory();
    // Who stands in line with it was said when it was joined.
    this.update({ ticketId: theirs, identity: identity === null ? null : { email: identity.email, ...(identity.code === undefined ? {} : { code: identity.code }) } });
    return this.#putTicket();
  }

  /** The id of the join that was begun, or one for a new one. */
  async #joiningId(): Promise<string> {
    const { ticketId, spareId } = this.memory();
    return ticketId ?? spareId ?? (await this.#door)?.draft() ?? freshId("tkt");
  }

  async #putTicket(): Promise<Outcome> {
    const door = this.#door === null ? null : await this.#door;
    const id = await this.#joiningId();
    this.update({ ticketId: id });
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#sendTicket(id, door);
      // Taken back while the door was being prepared.
      if (answer === null) return DONE;
      if (!answer.ok && door !== null && isGateRefusal(answer.refusal) && attempt < GATE_ATTEMPTS_MAX) door.renew();
      else if (!answer.ok) return this.#refusedTicket(answer.refusal);
      else {
        const { identity, address } = this.memory();
        this.update({ ticket: { ...answer.value, weight: weightOf(answer.value.ticket) }, evidence: null, asked: null, identity: null, friends: [], spareId: null, address: identity?.email ?? address });
        return DONE;
      }
    }
  }

  /** A ticket that is there already is proven instead of passing the gates again. */
  async #sendTicket(id: string, door: Door | null): Promise<Answer<Ticket> | null> {
    const { ticket } = this.memory();
    const keys = await this.#keys();
    const shown = door === null || ticket !== null ? null : await door.show(id);
    if (shown?.ok === false) return shown;
    if (this.memory().ticketId !== id) return null;
    const body = { jwk: await publicJwk(keys), wants: this.memory().wants, ...shown?.members, ...this.#introduction() };
    const bound = ticket === null || (door === null && this.memory().evidence === null) ? {} : { bound: { token: ticket.ticket, keys } };
    return this.#api.ask<Ticket>({ method: "PUT", path: `${this.#base}/tickets/${id}`, body, ...bound });
  }

  /** Who joins and what speaks for a lane, as far as there is anything to say. */
  #introduction(): { readonly identity?: unknown; readonly evidence?: unknown } {
    const { ticket, identity, evidence, address } = this.memory();
    // After the opening it changes nothing any more, and may be too old to be shown at all.
    const isShown = evidence !== null && (ticket === null || isEvidenceDue(this.memory(), this.#page, this.#clock.now()));
    const named = identity ?? (isShown && address !== null ? { email: address } : null);
    return { ...(named === null ? {} : { identity: named }), ...(isShown ? { evidence } : {}) };
  }

  /** For which ticket's id the door should be prepared now; see `DoorHost`. */
  prepared(): { readonly ticket: string } | "draft" | null {
    const { ticket, ticketId } = this.memory();
    const now = this.#clock.now();
    return ticket !== null || now < this.#page.lobbyOpensAt || now >= this.#page.closesAt ? null : (ticketId === null ? "draft" : { ticket: ticketId });
  }

  /**
   * An id that was refused is not kept, so that the next join starts with a fresh
   * one. One that an address was proven for is, unless somebody has it or the
   * address has another place: with a fresh id the address would lead back to
   * this one, and whoever stands in line with it would be lost on the way.
   */
  #refusedTicket(refusal: Refusal): Outcome {
    const { ticket, ticketId, identity } = this.memory();
    if (refusal.code === "lobby_not_open") return DONE;
    // The id is kept: the next code is for it as well, and the page asks for it again.
    const about = identity?.group?.[friendAt(refusal) ?? -1]?.email ?? null;
    if (refusal.code === "identity_invalid" || about !== null) this.update({ identity: null });
    else if (refusal.code === "evidence_invalid" || refusal.code === "evidence_used") this.update({ evidence: null, ...(ticket === null ? this.#keptForNext(identity, ticketId) : {}) });
    else if (ticket === null && isTaken(refusal)) this.update({ ticketId: null, spareId: null });
    else if (ticket === null) this.update(identity?.code === undefined ? { ticketId: null } : this.#keptForNext(identity, ticketId));
    return endedWith(about === null ? refusal : { ...refusal, ...friendWords(refusal, about) });
  }

  /** A proven address counts for the next try as well, under the id that it was proven for; a named one is asked for again. */
  #keptForNext(identity: Memory["identity"], id: string | null): Partial<Memory> {
    const isProven = identity?.code !== undefined;
    return { ticketId: null, spareId: isProven ? id : null, identity: isProven ? identity : null };
  }

  async #claim(): Promise<Outcome> {
    const { pass, ticket } = this.memory();
    if (ticket === null || (pass !== null && Date.parse(pass.expiresAt) > this.#clock.now())) return DONE;
    const bound = { token: ticket.ticket, keys: await this.#keys() };
    const answer = await this.#api.ask<Claim>({ method: "POST", path: `${this.#base}/passes`, body: {}, bound });
    if (!answer.ok) return endedWith(answer.refusal);
    if ("pass" in answer.value) this.update({ pass: { token: answer.value.pass, expiresAt: answer.value.expiresAt } });
    // Called by the public state, not yet by the object: it will be in a moment.
    else await wait(1_000 * jitter());
    return DONE;
  }

  async #putHold(lines: readonly WireLine[]): Promise<Outcome> {
    const { pass, hold, sending } = this.memory();
    if (pass === null) return DONE;
    const replaces = hold !== null && isHolding(this.memory(), this.#clock.now()) ? hold.id : null;
    const next = sending ?? { id: freshId("hld"), lines, replaces };
    this.update({ sending: next });
    const body = { lines: next.lines.map(({ sku, quantity }) => ({ sku, quantity })), ...(next.replaces === null ? {} : { replaces: next.replaces }) };
    const bound = { token: pass.token, keys: await this.#keys() };
    const answer = await this.#api.ask<Hold>({ method: "PUT", path: `${this.#base}/holds/${next.id}`, body, bound });
    if (!answer.ok) {
      this.update({ sending: null, ...(endsSitting(answer.refusal) ? { pass: null } : {}) });
      return endedWith(answer.refusal);
    }
    // The pass serves the whole sitting, which ends with its holds.
    this.update({ sending: null, hold: answer.value, wants: body.lines, pass: { token: pass.token, expiresAt: answer.value.expiresAt } });
    return DONE;
  }

  async #putOrder(order: RememberedOrder): Promise<Outcome> {
    const { pass } = this.memory();
    // Another tab was first: its order is the order.
    if (order.answer !== null) return DONE;
    if (pass === null) {
      this.update({ order: null });
      return DONE;
    }
    this.update({ order });
    const bound = { token: pass.token, keys: await this.#keys() };
    const answer = await this.#api.ask<Order>({ method: "PUT", path: `/api/orders/${order.id}`, body: order.body, bound });
    if (!answer.ok) return this.#refusedOrder(answer.refusal);
    const { drop, region, title, locale, deliveryNote } = this.#page;
    rememberReceipt(order.id, { receipt: answer.value.receipt, drop, region, title, locale, handover: order.handover, note: deliveryNote ?? "" });
    // What was typed is not kept longer than it takes to send it.
    this.update({ order: { ...order, body: null, answer: answer.value } });
    return DONE;
  }

  #refusedOrder(refusal: Refusal): Outcome {
    const isHoldOver = refusal.code === "hold_expired" || (refusal.code === "limit_reached" && refusal.per !== "address");
    // A scanned code that is refused is not sent again: the next try is for the price that is shown.
    const isCouponOver = refusal.code === "coupon_invalid" || refusal.code === "coupon_used_up";
    this.update({ order: null, ...(isCouponOver ? { coupon: null } : {}), ...(isHoldOver ? { hold: null, pass: null, rest: { title: refusal.title, detail: refusal.detail } } : {}) });
    return endedWith(refusal.per === "address" ? { ...refusal, detail: ADDRESS_FULL } : refusal);
  }

  async #abandon(): Promise<Outcome> {
    const { hold, pass } = this.memory();
    if (hold === null || pass === null) return DONE;
    const bound = { token: pass.token, keys: await this.#keys() };
    const answer = await this.#api.ask<Hold>({ method: "DELETE", path: `${this.#base}/holds/${hold.id}`, bound });
    if (!answer.ok && answer.refusal.code === "order_placed") return endedWith(answer.refusal);
    this.update({ hold: null, pass: null, rest: { title: "You gave it up", detail: "The items went back for the next in line. You keep your place: you may take a turn again while there is stock." } });
    return DONE;
  }
}
