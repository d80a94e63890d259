import * as v from "valibot";
import { nodeHashing } from "../../kernel/node-hashing.ts";
import { entryOfTicket } from "../../rehearsal/line.ts";
import { weightOfTicket } from "../../rehearsal/ticket.ts";
import type { Bot, Person, Want } from "../../rehearsal/crowd.ts";
import type { Reply } from "./http-client.ts";
import type { Gates } from "./gates.ts";
import type { LiveFeed } from "./live-feed.ts";
import { disguiseOf, type Invitations } from "./invitations.ts";
import type { Mailboxes } from "./mailboxes.ts";
import { type Evening, newEvening, type Notebook, notePretence, type ToldOrder } from "./notebook.ts";
import { payAt } from "./paying.ts";
import { codeOf, read, retryAfterMs, type Surroundings, Visitor, wait } from "./visitor.ts";
import type { RandomSource } from "../../rehearsal/random.ts";

/** The night as everybody in it knows it. */
export interface Night {
  readonly surroundings: Surroundings;
  readonly feed: LiveFeed;
  readonly gates: Gates;
  readonly mailboxes: Mailboxes;
  readonly invitations: Invitations;
  /** By lane: how many chances its tickets have in the draw. */
  readonly weights: Readonly<Record<string, number>>;
  readonly notebook: Notebook;
  readonly startsAt: number;
  readonly opensAt: number;
  readonly closesAt: number;
  readonly claimWindowMs: number;
  readonly holdMs: number;
  /** By region: where goods can be collected; null where they are sent. */
  readonly pickupPoints: Readonly<Record<string, string | null>>;
  /** By region: a country that it ships to; null where goods are only collected. */
  readonly shipsTo: Readonly<Record<string, string | null>>;
}

const JOINED = v.looseObject({ id: v.string(), entry: v.string(), ticket: v.string(), lane: v.string(), joinedAt: v.string() });
const PASS = v.looseObject({ pass: v.string(), expiresAt: v.string() });
const HELD = v.looseObject({ id: v.string(), state: v.string(), expiresAt: v.string(), totalMinor: v.number() });
const SHORT = v.looseObject({ available: v.optional(v.number(), 0) });
const PAYMENT = v.looseObject({ state: v.string(), url: v.nullable(v.string()) });
const ORDER = v.looseObject({ id: v.string(), state: v.string(), totalMinor: v.number(), receipt: v.string(), payment: PAYMENT });
const STATUS = v.looseObject({ state: v.string(), payment: v.looseObject({ state: v.string() }) });

const AGAIN_MS = 500;
const ORDER_POLL_MS = 700;

/** An order that can be paid. */
export interface PlacedOrder {
  readonly told: ToldOrder;
  /** Empty where the browser has it in a cookie. */
  readonly receipt: string;
  /** The provider's page. */
  readonly url: string;
}

/** The steps of somebody who shops, whichever way they take. */
export interface Shoppers {
  readonly evening: Evening;
  readonly night: Night;
  /** True when there is a ticket. */
  join(): Promise<boolean>;
  /** Waits for the turn; false when it never comes. */
  turn(): Promise<boolean>;
  /** Claims until there is something to hold; false when there never will be. */
  claim(): Promise<boolean>;
  /** Null when nothing was free, a text when it was refused for good. */
  hold(): Promise<{ readonly id: string } | string | null>;
  giveUp(hold: string): Promise<void>;
  /** Null when the store would not have it any more, or when nothing is to be paid. */
  order(hold: string): Promise<PlacedOrder | null>;
  pay(order: PlacedOrder): Promise<void>;
}

/** One shopper's way through the drop, from joining to the receipt; people and bots differ in when and why they take its steps. */
export class Shopping implements Shoppers {
  readonly visitor: Visitor;
  readonly evening: Evening;
  readonly night: Night;
  readonly #wants: readonly Want[];
  #pass: { readonly token: string; readonly expiresAt: number } | null = null;
  #ticket = "";

  constructor(shopper: Person | Bot, night: Night, random: RandomSource) {
    this.night = night;
    this.visitor = new Visitor(shopper.identity, night.surroundings, random, disguiseOf(shopper.shows));
    this.evening = newEvening(shopper);
    this.#wants = shopper.wants;
    night.notebook.evenings.push(this.evening);
  }

  get ticket(): string {
    return this.#ticket;
  }

  get pass(): string | null {
    return this.#pass?.token ?? null;
  }

  path(rest: string): string {
    return `/api/drops/${this.night.surroundings.drop}${rest}`;
  }

  /** Joins, through whatever the drop's gates ask for; true when there is a ticket. */
  async join(): Promise<boolean> {
    const { evening, visitor, night } = this;
    const id = evening.ticket ?? visitor.id("tkt");
    night.notebook.registerTicket(id, entryOfTicket(night.surroundings.drop, id, nodeHashing));
    const members = await night.gates.members(visitor, id);
    if (!members.ok) {
      evening.refusedJoin = members.rejection;
      return false;
    }
    const invite = night.invitations.textFor(evening.shopper.shows, visitor.random);
    return this.#joinWith(id, { ...members.value, ...(invite === null ? {} : { evidence: { invite } }) }, invite);
  }

  async #joinWith(id: string, members: Readonly<Record<string, unknown>>, invite: string | null): Promise<boolean> {
    const { evening, visitor, night } = this;
    const reply = await visitor.ask({ route: "PUT ticket", method: "PUT", path: this.path(`/tickets/${id}`), body: { jwk: visitor.jwk, wants: this.#wants, ...members } });
    if (reply.status === 429) {
      await wait(Math.min(retryAfterMs(reply, 2_000), 5_000));
      if (Date.now() < night.closesAt) return this.join();
    }
    if (reply.status !== 201) {
      evening.refusedJoin = codeOf(reply);
      // What was shown for a lane does not count: it is left out, as the page offers, and the gates are passed once more.
      if (evening.refusedJoin.startsWith("evidence_")) return this.#joinWithoutEvidence(id);
      return false;
    }
    night.invitations.noteUsed(invite);
    const joined = read(reply, JOINED);
    if (evening.entry !== null && evening.entry !== joined.entry) night.notebook.break("a ticket that was joined again became another", `${id}: ${evening.entry} and ${joined.entry}`);
    Object.assign(evening, { ticket: id, entry: joined.entry, lane: joined.lane, weight: weightOfTicket(joined.ticket), joinedAt: Date.parse(joined.joinedAt), refusedJoin: null });
    this.#ticket = joined.ticket;
    notePretence(evening, night.notebook);
    return true;
  }

  async #joinWithoutEvidence(id: string): Promise<boolean> {
    this.night.notebook.note("evidence for a lane that was refused at the join");
    const members = await this.night.gates.members(this.visitor, id);
    return members.ok && (await this.#joinWith(id, members.value, null));
  }

  /** Waits for the turn; false when it never comes. */
  async turn(): Promise<boolean> {
    const { entry, lane, weight, joinedAt } = this.evening;
    if (entry === null || joinedAt === null) return false;
    const isTurn = await this.night.feed.turnOf({ entry, lane, joinedAt, weight, wants: this.#wants });
    if (isTurn) this.evening.calledAt = Date.now();
    return isTurn;
  }

  /** Claims until there is a pass; false when there is nothing left to claim for. */
  async claim(): Promise<boolean> {
    const { visitor, evening, night } = this;
    while (Date.now() < night.closesAt && !night.feed.isGone(this.#wants)) {
      const reply = await visitor.ask({ lane: "buying", route: "POST pass", method: "POST", path: this.path("/passes"), body: {}, token: this.#ticket });
      if (reply.status === 201) {
        const { pass, expiresAt } = read(reply, PASS);
        this.#pass = { token: pass, expiresAt: Date.parse(expiresAt) };
        evening.admittedAt ??= Date.now();
        return true;
      }
      if (codeOf(reply) === "drop_closed") return false;
      if (codeOf(reply) === "credential_invalid") {
        evening.end = "the place belongs to another browser by now";
        return false;
      }
      // Called by the public state and not yet by the object, or asked to come back later.
      await wait(reply.status === 429 ? Math.min(retryAfterMs(reply, 1_000), 20_000) : AGAIN_MS * (1 + visitor.random.fraction()));
    }
    return false;
  }

  /** Tries to hold while the pass lasts; null when nothing was free, a text when it was refused for good. */
  async hold(): Promise<{ readonly id: string } | string | null> {
    const { visitor, night, evening } = this;
    let [id, lines] = [visitor.id("hld"), this.#wants];
    while (this.#pass !== null && Date.now() < this.#pass.expiresAt) {
      const reply = await visitor.ask({ lane: "buying", route: "PUT hold", method: "PUT", path: this.path(`/holds/${id}`), body: { lines }, token: this.#pass.token });
      if (reply.status === 201) {
        const held = read(reply, HELD);
        evening.holds.push({ id, units: lines.reduce((sum, { quantity }) => sum + quantity, 0) });
        this.#pass = { token: this.#pass.token, expiresAt: Date.parse(held.expiresAt) };
        return { id };
      }
      const code = codeOf(reply);
      if (code === "pass_expired") break;
      if (code !== "sold_out" && code !== "too_many_requests" && code !== "drop_paused") return code;
      if (night.feed.isGone(this.#wants)) return null;
      // Not all of it is free: the page offers what is left, and most people take that.
      const { available } = code === "sold_out" ? read(reply, SHORT) : { available: 0 };
      const [first] = lines;
      if (first !== undefined && available > 0 && available < first.quantity) [id, lines] = [visitor.id("hld"), [{ sku: first.sku, quantity: available }]];
      else await wait(AGAIN_MS * (1 + visitor.random.fraction()));
    }
    this.#pass = null;
    return null;
  }

  async giveUp(hold: string): Promise<void> {
    if (this.#pass === null) return;
    await this.visitor.ask({ lane: "buying", route: "DELETE hold", method: "DELETE", path: this.path(`/holds/${hold}`), token: this.#pass.token });
  }

  /** Orders what is held; null when the store would not have it any more. */
  async order(hold: string): Promise<PlacedOrder | null> {
    const { visitor, night, evening } = this;
    const { region, identity } = evening.shopper;
    const point = night.pickupPoints[region];
    const delivery = point == null
      ? { method: "ship", address: { name: "A rehearsal", line1: identity.street, postalCode: "10000", city: "Town", country: night.shipsTo[region] ?? identity.country } }
      : { method: "pickup", point };
    const id = visitor.id("ord");
    const email = night.gates.isEmailProven || evening.shopper.kind === "person" ? identity.email : madeUpAddress(visitor);
    const place = (): Promise<Reply> => visitor.ask({
      lane: "buying", route: "PUT order", method: "PUT", path: `/api/orders/${id}`, token: this.#pass?.token ?? "",
      body: { drop: night.surroundings.drop, hold, email, delivery, source: { region } },
    });
    let told: ToldOrder | null = null;
    let totalMinor = 0;
    for (const until = Date.now() + 90_000; Date.now() < until; await wait(ORDER_POLL_MS)) {
      const reply = await place();
      if (reply.status === 429) continue;
      if (reply.status !== 201) {
        if (told !== null) night.notebook.break("an order that was placed is refused", `${id}: ${reply.status} ${codeOf(reply)}`);
        evening.end = `order refused: ${codeOf(reply)}`;
        return null;
      }
      const order = read(reply, ORDER);
      if (told === null) {
        told = { id, hold, isPaid: false, isConfirmed: false };
        totalMinor = order.totalMinor;
        evening.orders.push(told);
      } else if (totalMinor !== order.totalMinor) night.notebook.break("an order changed its price", id);
      if (order.payment.url !== null) return { told, receipt: order.receipt, url: order.payment.url };
      if (order.state === "confirmed") {
        // Nothing to pay.
        told.isConfirmed = true;
        return null;
      }
    }
    evening.end = "the payment page never opened";
    return null;
  }

  /** Pays at the provider's hosted page, and reads the order until it has come to its end. */
  async pay({ told, receipt, url }: PlacedOrder): Promise<void> {
    const { evening, night, visitor } = this;
    told.isPaid = await payAt(visitor, url, { paying: evening.shopper.paying, pauseMaxMs: night.holdMs * 0.1 });
    if (!told.isPaid) {
      evening.end = "the payment was refused";
      return;
    }
    for (const until = Date.now() + 90_000; Date.now() < until; await wait(ORDER_POLL_MS * (1 + visitor.random.fraction()))) {
      const reply = await visitor.ask({ lane: "buying", route: "GET order", method: "GET", path: `/api/orders/${told.id}`, bearer: receipt });
      if (reply.status !== 200) continue;
      const { state } = read(reply, STATUS);
      if (state === "confirmed") told.isConfirmed = true;
      if (state === "confirmed" || state === "cancelled" || state === "expired") {
        evening.end = state === "confirmed" ? "bought" : `paid, and the order is ${state}`;
        return;
      }
    }
    evening.end = "paid, and no answer in time";
  }
}

/** Where no address is proven, a bot writes down any. */
function madeUpAddress(visitor: Visitor): string {
  return `${visitor.id("ord").slice(4).toLowerCase()}@made-up.example`;
}
