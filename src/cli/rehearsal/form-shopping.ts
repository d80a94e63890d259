import * as v from "valibot";
import { nodeHashing } from "../../kernel/node-hashing.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import type { Bot, Person, Want } from "../../rehearsal/crowd.ts";
import { entryOfTicket } from "../../rehearsal/line.ts";
import type { RandomSource } from "../../rehearsal/random.ts";
import { FormBrowser, type FormPage } from "./form-browser.ts";
import { type Evening, newEvening, notePretence } from "./notebook.ts";
import { payAt } from "./paying.ts";
import type { Night, PlacedOrder, Shoppers } from "./shopping.ts";
import { disguiseOf } from "./invitations.ts";
import { read, Visitor, wait } from "./visitor.ts";

/** Whoever is told to wait longer than this for another code gives up: a lobby in a rehearsal is short. */
const CODE_PATIENCE_MS = 10_000;
/** Places are counted by the minute, which is not divided: the next one is worth waiting for. */
const PLACE_PATIENCE_MS = 61_000;
const TRIES_MAX = 3;
const ORDER_WITHIN_MS = 90_000;
/** The pages look again every 10 seconds, in a night whose claim window is a minute. In a shorter one they are asked as often in a claim window. */
const USUAL_CLAIM_WINDOW_MS = 60_000;
const LOOK_MIN_MS = 650;
/** A bot is not called sooner for looking more often, and many of them are only load. */
const BOT_LOOK_MIN_MS = 1_000;
const LOOK_BEFORE_OPENING_MS = 3_000;
/** A page may know two seconds earlier than the live object that is looked at. */
const LIVE_AGE_MAX_MS = 2_500;
/** A form that is taken in less than this was not judged by its time. */
const HASTY_MS = 300;

const STANDING = v.looseObject({ lane: v.string() });
/** Refusals after which the same can be had a little later. */
const NOT_NOW = ["Sold out for now", "Not your turn yet", "Please wait a little", "The drop is paused", "Your turn has passed"];
const IS_OVER = ["Sold out", "This drop is over", "This drop was cancelled"];
const HAS_GOODS = ["It is yours", "Handed over"];

/** One shopper's way through the drop without script: the same steps as the other way's, in plain forms. */
export class FormShopping implements Shoppers {
  readonly evening: Evening;
  readonly night: Night;
  readonly visitor: Visitor;
  readonly #wants: readonly Want[];
  readonly #base: string;
  #browser: FormBrowser;
  /** The smallest position that was shown. */
  #shown = Number.POSITIVE_INFINITY;

  constructor(shopper: Person | Bot, night: Night, random: RandomSource) {
    this.night = night;
    this.visitor = new Visitor(shopper.identity, night.surroundings, random, disguiseOf(shopper.shows));
    this.#browser = new FormBrowser(this.visitor);
    this.evening = newEvening(shopper);
    this.#wants = shopper.wants;
    this.#base = `/${shopper.region}/${night.surroundings.drop}/line`;
    night.notebook.evenings.push(this.evening);
  }

  get #isBot(): boolean {
    return this.evening.shopper.kind === "bot";
  }

  /** Proves the address and gets the place that belongs to it; true when there is one. */
  async join(): Promise<boolean> {
    const { evening, night } = this;
    let evidence = night.invitations.textFor(evening.shopper.shows, this.visitor.random);
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const code = await night.mailboxes.inTurn(evening.shopper.identity.email, () => this.#codeFor(evidence));
      const proven = code.ok ? await this.#prove(code.value) : code;
      if (proven.ok) {
        night.invitations.noteUsed(evidence);
        await this.#stand();
        return true;
      }
      evening.refusedJoin = proven.rejection;
      // What was shown does not count: it is left out, as the page says.
      if (evidence === null || !/invitation/i.test(proven.rejection)) return false;
      evidence = null;
    }
    return false;
  }

  /** Says what is wanted and by whom, and reads the code that comes. */
  async #codeFor(evidence: string | null): Promise<Result<string, string>> {
    const { night, evening } = this;
    const browser = this.#browser;
    const askedAt = Date.now();
    await browser.open(this.#base);
    if (browser.form(this.#base) === null && (await this.#isTooLate())) return rejected("the drop was over");
    const entered = { ...quantities(this.#wants), email: evening.shopper.identity.email, ...(evidence === null ? {} : { evidence }) };
    const isHasty = this.#isBot && this.visitor.random.chance(0.5);
    if (this.#isBot && this.visitor.random.chance(0.2)) await this.#tryFromElsewhere(entered);
    let page = await browser.send(this.#base, entered, { isHasty });
    if (isHasty) {
      night.notebook.note("forms that were sent faster than anybody reads");
      if (page.status < 400 && Date.now() - askedAt < HASTY_MS) night.notebook.break("a form was taken that was sent faster than anybody reads", evening.shopper.name);
    }
    if (page.heading === "Please send it once more") page = await browser.send(this.#base);
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      if (page.heading !== "Is this you?") return rejected(refusalText(page));
      if (page.status === 200) {
        const code = await night.mailboxes.newCode(evening.shopper.identity.email);
        if (code !== null) return accepted(code);
      } else if (page.retryAfterMs > CODE_PATIENCE_MS) return rejected("no more codes for this address");
      else await wait(page.retryAfterMs);
      page = await browser.send("/codes");
    }
    return rejected("no code arrived");
  }

  /** Whether nothing is left to join for: then a page has no form, and whoever comes that late has done nothing wrong. */
  async #isTooLate(): Promise<boolean> {
    const { feed } = this.night;
    if (!feed.isGone(this.#wants)) await wait(LIVE_AGE_MAX_MS);
    return feed.isGone(this.#wants);
  }

  /** The same form as another site would send it. */
  async #tryFromElsewhere(entered: Readonly<Record<string, string>>): Promise<void> {
    const { notebook } = this.night;
    const page = await this.#browser.send(this.#base, entered, { origin: "https://elsewhere.example" });
    notebook.note("forms that came from another site");
    if (page.status < 400) notebook.break("a form from another site was taken", this.evening.shopper.name);
    await this.#browser.open(this.#base);
  }

  /** Types the code; what is over the share of a network or a domain is tried again in the next minute. */
  async #prove(code: string): Promise<Result<null, string>> {
    const { night } = this;
    this.#noteTicket();
    for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
      const page = await this.#browser.send("/proof", { code });
      if (page.path.endsWith("/line/place")) return accepted(null);
      night.notebook.note(`forms: places refused with "${page.refusal ?? page.heading}"`);
      if (page.status !== 429 || page.retryAfterMs > PLACE_PATIENCE_MS || Date.now() + page.retryAfterMs > night.closesAt) return rejected(refusalText(page));
      await wait(page.retryAfterMs);
    }
    return rejected("no place in three minutes");
  }

  /** The page names the ticket that there will be, for staff to confirm. */
  #noteTicket(): void {
    const ticket = /<code>(tkt_[0-9A-Z]{26})<\/code>/.exec(this.#browser.page.html)?.[1];
    if (ticket === undefined) return;
    this.night.notebook.registerTicket(ticket, entryOfTicket(this.night.surroundings.drop, ticket, nodeHashing));
    this.evening.ticket = ticket;
  }

  /** Takes down whose place it is: this browser's own, or the one that the address has had before. */
  async #stand(): Promise<void> {
    const { evening, night } = this;
    const { notebook, surroundings } = night;
    const prefix = /<code>([0-9a-f]{12})…<\/code>/.exec(this.#browser.page.html)?.[1];
    const known = prefix === undefined ? undefined : notebook.ticketOf(prefix);
    const ticket = known?.ticket ?? evening.ticket ?? "";
    const entry = known?.entry ?? entryOfTicket(surroundings.drop, ticket, nodeHashing);
    if (evening.entry !== null && evening.entry !== entry) notebook.break("an address that was proven again got another place", `${evening.shopper.name}: ${evening.entry} and ${entry}`);
    const earlier = notebook.evenings.find((other) => other !== evening && other.entry === entry);
    const standing = await this.visitor.ask({ route: "GET ticket", method: "GET", path: `/api/drops/${surroundings.drop}/tickets/${ticket}` });
    const { lane } = read(standing, STANDING);
    Object.assign(evening, {
      ticket, entry, lane, refusedJoin: null, isMoved: earlier !== undefined,
      weight: earlier?.weight ?? night.weights[lane] ?? 1,
      joinedAt: evening.joinedAt ?? earlier?.joinedAt ?? Date.now(),
    });
    notePretence(evening, notebook);
    if (earlier !== undefined) notebook.note("places that were moved to the way without script by proving the address again");
  }

  /** Loses everything that the browser had, and comes back with the address alone. */
  async comeBack(): Promise<void> {
    this.#browser = new FormBrowser(this.visitor);
    this.#shown = Number.POSITIVE_INFINITY;
    if (!(await this.join())) this.night.notebook.note("forms: came back and got no code");
  }

  async turn(): Promise<boolean> {
    const { evening, night } = this;
    const { entry, lane, weight, joinedAt } = evening;
    if (entry === null || joinedAt === null) return false;
    const isLooking = evening.shopper.intent !== "never-comes";
    if (isLooking && this.#isBot) await wait(night.opensAt - Date.now());
    const isTurn = isLooking ? await this.#lookUntilCalled() : await night.feed.turnOf({ entry, lane, joinedAt, weight, wants: this.#wants });
    if (isTurn) evening.calledAt = Date.now();
    return isTurn;
  }

  claim(): Promise<boolean> {
    return this.#lookUntilCalled();
  }

  /** Looks as often as the page itself would, until it asks what to hold; false when nothing can be had any more. */
  async #lookUntilCalled(): Promise<boolean> {
    const { night } = this;
    while (Date.now() < night.closesAt) {
      const page = await this.#browser.open(`${this.#base}/place`, "looking");
      if (page.status === 200 && !page.path.startsWith(`${this.#base}/place`)) return this.#lostPlace(page);
      this.#notePosition();
      if (this.#browser.form("/hold") !== null) return true;
      if (IS_OVER.includes(page.heading)) return false;
      await wait(this.#lookAgainMs(page));
    }
    return false;
  }

  #lostPlace(page: FormPage): boolean {
    this.night.notebook.break("a browser without script lost its place", `${this.evening.shopper.name}: ${page.path}`);
    return false;
  }

  #lookAgainMs({ refresh }: FormPage): number {
    const { night } = this;
    const scaled = Math.max(this.#isBot ? BOT_LOOK_MIN_MS : LOOK_MIN_MS, ((refresh?.seconds ?? 10) * 1_000 * night.claimWindowMs) / USUAL_CLAIM_WINDOW_MS);
    const untilOpening = night.opensAt - Date.now();
    const usual = untilOpening > 0 ? Math.min(LOOK_BEFORE_OPENING_MS, untilOpening + LOOK_MIN_MS) : scaled;
    return usual * (0.9 + 0.2 * this.visitor.random.fraction());
  }

  #notePosition(): void {
    const cookie = this.#browser.cookie(`__Host-shown-${this.night.surroundings.drop}`);
    const to = Number(/-(\d+)$/.exec(cookie ?? "")?.[1] ?? Number.NaN);
    if (to > this.#shown) this.night.notebook.break("a position that was shown without script grew", `${this.evening.shopper.name}: ${this.#shown} and then ${to}`);
    if (Number.isFinite(to)) this.#shown = to;
  }

  /** Claims the turn and holds, in one step; null when nothing was free, a text when it was refused for good. */
  async hold(): Promise<{ readonly id: string } | string | null> {
    const { evening } = this;
    const fields = this.#browser.form("/hold")?.fields;
    if (fields === undefined) return null;
    const offered = Object.entries(fields).filter(([name, value]) => name.startsWith("quantity-") && Number(value) > 0);
    // What is offered is what is free of the wants, and most people take that.
    const lines = offered.length > 0 ? Object.fromEntries(offered) : Object.fromEntries(Object.entries(quantities(this.#wants)).filter(([name]) => name in fields));
    if (Object.keys(lines).length === 0) return null;
    const page = await this.#browser.send("/hold", lines, { lane: "buying" });
    const held = page.path.endsWith("/line/hold") ? this.#browser.form("/order")?.fields["hold"] : undefined;
    if (held !== undefined) {
      evening.admittedAt ??= Date.now();
      evening.holds.push({ id: held, units: Object.values(lines).reduce((sum, units) => sum + Number(units), 0) });
      return { id: held };
    }
    if (page.refusal !== null && !NOT_NOW.includes(page.refusal)) return refusalText(page);
    await wait(Math.max(page.retryAfterMs, LOOK_MIN_MS));
    return null;
  }

  async giveUp(): Promise<void> {
    await this.#browser.send("/hold/end", {}, { lane: "buying" });
  }

  /** Orders what is held; null when the store would not have it any more. */
  async order(hold: string): Promise<PlacedOrder | null> {
    const { evening } = this;
    const browser = this.#browser;
    const fields = browser.form("/order")?.fields ?? {};
    const address = fields["method"] === "ship" ? { name: "A rehearsal", line1: evening.shopper.identity.street, postalCode: "10000", city: "Town" } : {};
    let page = await browser.send("/order", address, { lane: "buying" });
    const id = /^\/orders\/(ord_[0-9A-Z]{26})/.exec(page.path)?.[1];
    if (id === undefined) {
      evening.end = `order refused: ${page.heading === "Your hold has ended" ? "hold_expired" : refusalText(page)}`;
      return null;
    }
    const told = { id, hold, isPaid: false, isConfirmed: false };
    evening.orders.push(told);
    for (const until = Date.now() + ORDER_WITHIN_MS; Date.now() < until;) {
      if (page.path.endsWith("/payment") && page.refresh !== null) return { told, receipt: "", url: page.refresh.url };
      if (HAS_GOODS.includes(page.heading)) {
        // Nothing to pay.
        told.isConfirmed = true;
        return null;
      }
      await wait(LOOK_MIN_MS);
      page = await browser.open(`/orders/${id}/payment`, "buying");
    }
    evening.end = "the payment page never opened";
    return null;
  }

  /** Pays at the provider's page, and looks at the order until it has come to its end. */
  async pay({ told, url }: PlacedOrder): Promise<void> {
    const { evening, night, visitor } = this;
    told.isPaid = await payAt(visitor, url, { paying: evening.shopper.paying, pauseMaxMs: night.holdMs * 0.1 });
    if (!told.isPaid) {
      evening.end = "the payment was refused";
      return;
    }
    for (const until = Date.now() + ORDER_WITHIN_MS; Date.now() < until; await wait(LOOK_MIN_MS * (1 + visitor.random.fraction()))) {
      const page = await this.#browser.open(`/orders/${told.id}`, "buying");
      if (page.status !== 200 || page.refresh !== null) continue;
      told.isConfirmed = HAS_GOODS.includes(page.heading);
      evening.end = told.isConfirmed ? "bought" : `paid, and the order says: ${page.heading}`;
      return;
    }
    evening.end = "paid, and no answer in time";
  }
}

function quantities(wants: readonly Want[]): Record<string, string> {
  return Object.fromEntries(wants.map(({ sku, quantity }) => [`quantity-${sku}`, String(quantity)]));
}

function refusalText({ status, refusal, heading }: FormPage): string {
  return `${status} ${refusal ?? heading}`;
}
