import { raiseAlarm } from "./alarm.ts";
import { limitOf, unitsOrdered } from "./another.ts";
import { announceTimes, takeScanned, wireButtons } from "./arrival.ts";
import { type Api, createApi, jitter, type Refusal, wait } from "./api.ts";
import { type Checkout, createCheckout } from "./checkout.ts";
import { type Choice, createChoice } from "./choice.ts";
import { createClock, type ServerClock, spanWords } from "./clock.ts";
import type { Door, DoorHost } from "./door.ts";
import { fill, find, localiseTimes, pageData, show } from "./dom.ts";
import { Errands, type Outcome } from "./errands.ts";
import { createIdentity, fillOrderAddress, type Identity, isAddressAsked, isEvidenceDue } from "./identity.ts";
import { isHolding, nextBoundaryAt, type Step, stepOf, totalUnits, whatCanBeTaken } from "./journey.ts";
import { followLive, type LiveFeed } from "./live.ts";
import type { DoorFacts, Live, PageData } from "./page-data.ts";
import { neverGrowing, positionOf, rankOf } from "./rank.ts";
import { StallView } from "./stall-view.ts";
import { bearWitnessOfLive } from "./witness.ts";
import type { Rest } from "./storage.ts";

const TICK_MS = 250;

function trouble(words: string | null): void {
  fill("trouble", words ?? "");
  show('[data-fill="trouble"]', words !== null);
}

function refuse(words: string | null): void {
  fill("refusal", words ?? "");
  show('[data-fill="refusal"]', words !== null);
  if (words !== null) find('[data-fill="refusal"]')?.scrollIntoView({ block: "nearest" });
}

/** A turn that was refused in words for the shopper; a break says how long it is. */
function restAfter(refusal: Refusal, leftMs: number): Rest {
  if (refusal.code !== "too_many_requests") return { title: refusal.title, detail: refusal.detail };
  if (refusal.waitMs >= leftMs) return { title: "No further turn", detail: "Everybody has two turns in a stage, you had yours, and no further stage comes. What you ordered stays yours." };
  return { title: "A short break", detail: `You had a turn a moment ago. The next one can start in ${spanWords(refusal.waitMs)}; your place is kept.` };
}

/**
 * The module of a drop's page: looks at the situation, shows it, and does what
 * the shopper would otherwise have to be fast at.
 */
class DropPage {
  readonly #page: PageData;
  readonly #clock: ServerClock;
  readonly #api: Api;
  readonly #errands: Errands;
  readonly #view: StallView;
  readonly #choice: Choice;
  readonly #checkout: Checkout | null;
  readonly #identity: Identity | null;
  readonly #feed: LiveFeed;
  #live: Live | null = null;
  #rank: { readonly of: string; readonly value: string } | null = null;
  #eta: string | null = null;
  #isShort = false;
  #isEditing = false;
  /** What is chosen is for another order beside the one there is. */
  #isAnother = false;
  #isBusy = false;
  #nextActAt = 0;
  #lastStep: Step | null = null;

  constructor(page: PageData) {
    this.#page = page;
    this.#clock = createClock(() => performance.now(), page.now);
    this.#api = createApi(this.#clock, trouble);
    this.#errands = new Errands(page, this.#api, this.#clock, () => this.render(), page.door === null ? null : this.#openDoor(page.door));
    this.#view = new StallView(page);
    const form = find<HTMLFormElement>('[data-form="checkout"]');
    this.#checkout = form === null ? null : createCheckout(page, form, () => void this.#placeOrder());
    // Whoever stands together may choose more than was chosen for one.
    this.#identity = createIdentity(page, this.#errands, this.#clock, (errand) => this.#run(errand), () => this.#change());
    this.#choice = createChoice(page, () => limitOf(page, this.#errands.memory()) - unitsOrdered(this.#errands.memory()), () => this.#allowJoining());
    this.#feed = followLive({
      drop: page.drop,
      clock: this.#clock,
      nextBoundaryAt: () => nextBoundaryAt(page, this.#live, this.#clock.now()),
      onLive: (live) => this.#hear(live),
      onConnection: (isHeard) => {
        if (!this.#isBusy) trouble(isHeard ? null : "The store does not answer right now. What you see may be old; this page goes on by itself.");
      },
    });
  }

  start(): void {
    takeScanned(this.#errands);
    this.#choice.set(this.#errands.memory().wants);
    wireButtons({
      join: () => void this.#choose(),
      keep: () => this.#edit(false),
      change: () => this.#change(),
      leave: () => this.#errands.leave(),
      "give-up": () => void this.#run(() => this.#errands.giveUp()),
      again: () => this.#again(),
      another: () => this.#another(),
      wait: () => this.#keepWaiting(),
      "take-left": () => void this.#takeLeft(),
    });
    localiseTimes(document.documentElement.lang);
    announceTimes(this.#page, () => this.#clock.now());
    addEventListener("storage", () => this.#otherTabDid());
    addEventListener("pageshow", (event) => { if (event.persisted) this.#wake(); });
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") this.#wake(); });
    setInterval(() => this.render(), TICK_MS);
    void this.#checkOrder();
    this.render();
  }

  /** Loads what prepares the door's checks; a drop without such gates never does. */
  async #openDoor(facts: DoorFacts): Promise<Door> {
    const { createDoor }: { createDoor(facts: DoorFacts, host: DoorHost): Door } = await import(facts.module);
    return createDoor(facts, { now: () => this.#clock.now(), wanted: () => this.#errands.prepared(), say: trouble });
  }

  render(): void {
    const now = this.#clock.now();
    const step = stepOf({ memory: this.#errands.memory(), live: this.#live, rank: this.#rank?.value ?? null, isShort: this.#isShort, isAddressAsked: isAddressAsked(this.#errands.memory(), this.#page, now), now });
    this.#identity?.show(this.#errands.memory(), now);
    if (step !== this.#lastStep) this.#arrive(step);
    this.#lastStep = step;
    this.#view.show({ step, isEditing: this.#isEditing, isBusy: this.#isBusy, memory: this.#errands.memory(), live: this.#live, rank: this.#rank?.value ?? null, eta: this.#eta, now });
    this.#allowJoining();
    this.#act(step, now);
  }

  #allowJoining(): void {
    const join = find<HTMLButtonElement>('[data-do="join"]');
    const isNothing = totalUnits(this.#choice.lines()) === 0;
    if (join !== null) join.disabled = isNothing || this.#isBusy;
    // Emptied and not hidden: a description is read out from hidden elements too.
    fill("join-hint", isNothing ? "Choose how many first." : "");
  }

  /** Once, at the beginning of a step. */
  #arrive(step: Step): void {
    if (step === "line") void this.#askForTime();
    if (step === "held") fillOrderAddress(this.#errands.memory().address);
    if (step === "rested" || step === "ordered") {
      this.#isEditing = false;
      this.#isAnother = false;
    }
    if (step === "stage-out") this.#isShort = false;
  }

  /** What the page does by itself at a step; an errand that runs is left alone. */
  #act(step: Step, now: number): void {
    if (this.#isBusy || this.#isEditing || now < this.#nextActAt) return;
    const memory = this.#errands.memory();
    const isResending = step === "held" && memory.sending !== null;
    // What comes back without a change is not asked for again in the same breath.
    this.#nextActAt = now + 1_000 * jitter();
    if (step === "joining" && now >= this.#page.lobbyOpensAt) void this.#run(() => this.#errands.join());
    else if (step === "waiting" && isEvidenceDue(memory, this.#page, now)) void this.#run(() => this.#errands.reenter());
    else if (step === "called" || isResending) void this.#run(() => this.#errands.takeTurn(memory.wants));
    else if (step === "ordered" && memory.order?.answer === null) void this.#run(() => this.#errands.resendOrder());
    else if (step === "rested" && memory.rest?.isUntilFree === true && this.#isAllFree()) this.#again();
  }

  #isAllFree(): boolean {
    const memory = this.#errands.memory();
    return this.#live !== null && totalUnits(whatCanBeTaken(this.#live, this.#rank?.value ?? null, memory)) === totalUnits(memory.wants);
  }

  async #run(errand: () => Promise<Outcome>): Promise<boolean> {
    this.#isBusy = true;
    refuse(null);
    try {
      const outcome = await errand();
      if (!outcome.done) this.#refused(outcome.refusal);
      return outcome.done;
    } catch {
      refuse("This browser would not keep or use the key that your place is bound to. Private windows and old browsers do that; try another one.");
      await wait(3_000);
      return false;
    } finally {
      this.#isBusy = false;
      this.render();
    }
  }

  #refused(refusal: Refusal): void {
    const memory = this.#errands.memory();
    const isHeld = isHolding(memory, this.#clock.now());
    const isMyTurn = !isHeld && memory.ticket !== null && (this.#lastStep === "called" || this.#lastStep === "short");
    if (refusal.code === "sold_out" && !isHeld) this.#isShort = true;
    else if (refusal.code === "drop_paused" && isMyTurn) this.#nextActAt = this.#clock.now() + 5_000;
    else if (refusal.code === "credential_invalid" && isMyTurn) {
      // The key or the ticket is not ours any more: without it the old place cannot be shown to be ours.
      this.#errands.update({ ticket: null, ticketId: null, shown: null, pass: null });
      refuse(`${refusal.title}. Join again to get a new place.`);
    } else if (isMyTurn) this.#errands.update({ rest: restAfter(refusal, this.#page.closesAt - this.#clock.now()), pass: null });
    else refuse(`${refusal.title}. ${refusal.detail}`);
    this.#feed.refresh();
  }

  #hear(live: Live): void {
    if (this.#live !== null && live.stage !== this.#live.stage) this.#isShort = false;
    this.#live = live;
    const complaint = bearWitnessOfLive(this.#page.drop, this.#page.planHash, live);
    if (complaint !== null) raiseAlarm(complaint, this.#page.drop);
    this.#api.learnNonce(live.dpopNonce);
    void this.#learnRank(live);
    this.render();
  }

  async #learnRank(live: Live): Promise<void> {
    const { ticket } = this.#errands.memory();
    if (ticket === null || live.seed === null) return;
    const of = `${live.seed}/${ticket.entry}`;
    if (this.#rank?.of !== of) {
      const own = { entry: ticket.entry, lane: ticket.lane, weight: ticket.weight, joinedAt: Date.parse(ticket.joinedAt) };
      this.#rank = { of, value: await rankOf(own, this.#page.opensAt, live.seed, crypto.subtle) };
    }
    const { shown, wants } = this.#errands.memory();
    const next = neverGrowing(shown, positionOf(live, this.#rank.value, ticket.lane, wants));
    if (next?.from !== shown?.from || next?.to !== shown?.to) this.#errands.update({ shown: next });
    else this.render();
  }

  /** Once a while after the draw, spread out so that a crowd does not ask at once. */
  async #askForTime(): Promise<void> {
    await wait(4_000 * jitter());
    const standing = await this.#errands.standing();
    const words = (at: string) => spanWords(Date.parse(at) - this.#clock.now());
    if (standing?.eta != null) this.#eta = `in ${words(standing.eta.from)} to ${words(standing.eta.to)}`;
  }

  async #choose(): Promise<void> {
    const wants = this.#choice.lines();
    const memory = this.#errands.memory();
    this.#isShort = false;
    if (this.#isAnother) {
      if (await this.#run(() => this.#errands.another(wants))) this.#edit(false);
      return;
    }
    if (this.#isEditing && isHolding(memory, this.#clock.now())) {
      if (await this.#run(() => this.#errands.change(wants))) this.#edit(false);
      return;
    }
    const isWanted = await this.#run(() => this.#errands.want(wants));
    this.#edit(false);
    if (isWanted && memory.ticket === null) await this.#run(() => this.#errands.join());
  }

  #edit(isEditing: boolean): void {
    this.#isEditing = isEditing;
    if (!isEditing) this.#isAnother = false;
    this.render();
  }

  #change(): void {
    const { hold, wants } = this.#errands.memory();
    refuse(null);
    this.#choice.set(isHolding(this.#errands.memory(), this.#clock.now()) ? (hold?.lines ?? wants) : wants);
    this.#edit(true);
    find('[data-panel="choose"] h2')?.focus({ preventScroll: true });
  }

  #another(): void {
    refuse(null);
    this.#choice.set([]);
    this.#isAnother = true;
    this.#edit(true);
    find('[data-panel="choose"] h2')?.focus({ preventScroll: true });
  }

  #again(): void {
    this.#isShort = false;
    this.#errands.update({ rest: null, hold: null, pass: null });
  }

  #keepWaiting(): void {
    this.#isShort = false;
    this.#errands.update({ pass: null, rest: { title: "You keep waiting", detail: "Nothing is held for you now. Your place is kept, and you are called again by itself once all of what you want is free.", isUntilFree: true } });
  }

  async #takeLeft(): Promise<void> {
    const left = this.#live === null ? [] : whatCanBeTaken(this.#live, this.#rank?.value ?? null, this.#errands.memory());
    this.#isShort = false;
    if (left.length > 0) await this.#run(() => this.#errands.takeTurn(left));
  }

  async #placeOrder(): Promise<void> {
    const checkout = this.#checkout;
    if (checkout === null || this.#isBusy) return;
    const { coupon } = this.#errands.memory();
    const isDone = await this.#run(() => this.#errands.order(checkout.body(coupon), checkout.handover()));
    const answer = this.#errands.memory().order?.answer;
    if (isDone && answer != null) location.assign(answer.payment.url ?? `/orders/${answer.id}`);
  }

  /** The hosted page, the clock or another tab may have ended the order meanwhile. */
  async #checkOrder(): Promise<void> {
    await this.#checkPast();
    const { order } = this.#errands.memory();
    const status = order === null ? null : await this.#errands.orderStatus(order);
    if (status === null || order === null || this.#errands.memory().order?.id !== order.id) return;
    if (status.state !== "expired" && status.state !== "cancelled") this.#errands.update({ order: { ...order, answer: status } });
    else this.#errands.update({ order: null, hold: null, pass: null, rest: { title: "The order ended unpaid", detail: "The time to pay was over, and the items went back. You keep your place: you may take a turn again while there is stock." } });
  }

  /** Orders of earlier turns end without the page as well; what they leave free may be had again. */
  async #checkPast(): Promise<void> {
    for (const order of this.#errands.memory().past) {
      const status = await this.#errands.orderStatus(order);
      if (status === null) continue;
      const { past } = this.#errands.memory();
      this.#errands.update({ past: past.map((known) => (known.id === order.id ? { ...known, answer: status } : known)) });
    }
  }

  #otherTabDid(): void {
    if (this.#live !== null) void this.#learnRank(this.#live);
    this.render();
  }

  #wake(): void {
    this.#feed.refresh();
    void this.#checkOrder();
  }
}

const data = pageData();
if (data !== null) {
  // The server wrote this into the same page; its shape is the type that both are built from.
  const page = data as PageData;
  document.documentElement.classList.add("script");
  if (window.isSecureContext && "subtle" in crypto && "indexedDB" in window) new DropPage(page).start();
  else {
    for (const panel of document.querySelectorAll<HTMLElement>("[data-panel]")) panel.hidden = panel.dataset["panel"] !== "unable";
    fill("unable", "A place in line is bound to a key that your browser makes and keeps. This browser, or this unencrypted address, does not allow that. Open the page over https in a current browser.");
  }
}
