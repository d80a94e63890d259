import { createApi, jitter, wait } from "./api.ts";
import { type Checkout, createCheckout } from "./checkout.ts";
import { type Choice, createChoice } from "./choice.ts";
import { createClock, spanWords } from "./clock.ts";
import { fill, find, localiseTimes, pageData, show } from "./dom.ts";
import { createErrands, type Errands, type Outcome } from "./errands.ts";
import { isHolding, nextBoundaryAt, type Step, stepOf, totalUnits, whatIsLeft } from "./journey.ts";
import { followLive, type LiveFeed } from "./live.ts";
import type { Live, PageData } from "./page-data.ts";
import { neverGrowing, positionOf, rankOf } from "./rank.ts";
import { createStallView } from "./stall-view.ts";

/*
 * The module of a drop's page: looks at the situation, shows it, and does what
 * the shopper would otherwise have to be fast at.
 */

const TICK_MS = 250;

function start(page: PageData): void {
  const clock = createClock(() => performance.now(), page.now);
  const api = createApi(clock, (words) => {
    fill("trouble", words ?? "");
    show('[data-fill="trouble"]', words !== null);
  });
  const errands = createErrands(page, api, clock, () => render());
  const view = createStallView(page);
  const choice: Choice = createChoice(page, () => render());
  const form = find<HTMLFormElement>('[data-form="checkout"]');
  const checkout: Checkout | null = form === null ? null : createCheckout(page, form, () => void placeOrder());
  let live: Live | null = null;
  let rank: { readonly seed: string; readonly value: string } | null = null;
  let eta: string | null = null;
  let isShort = false;
  let isEditing = false;
  let isBusy = false;
  let nextActAt = 0;
  let lastStep: Step | null = null;

  const step = (): Step => stepOf({ memory: errands.memory(), live, rank: rank?.value ?? null, isShort, now: clock.now() });

  function render(): void {
    const now = clock.now();
    const current = step();
    view({ step: current, isEditing, isBusy, memory: errands.memory(), live, eta, now });
    const join = find<HTMLButtonElement>('[data-do="join"]');
    if (join !== null) join.disabled = totalUnits(choice.lines()) === 0 || isBusy;
    if (current !== lastStep) arrive(current);
    lastStep = current;
    act(current, now);
  }

  /** Once, at the beginning of a step. */
  function arrive(current: Step): void {
    if (current === "line") void askForTime();
    if (current === "rested" || current === "ordered") isEditing = false;
    if (current === "stage-out") isShort = false;
  }

  /** What the page does by itself at a step; an errand that runs is left alone. */
  function act(current: Step, now: number): void {
    if (isBusy || isEditing || now < nextActAt) return;
    const memory = errands.memory();
    // What comes back without a change is not asked for again in the same breath.
    nextActAt = now + 1_000 * jitter();
    if (current === "rested" && memory.rest?.isUntilFree === true && live !== null && totalUnits(whatIsLeft(live, memory.wants)) === totalUnits(memory.wants)) errands.update({ rest: null });
    if (current === "joining" && now >= page.lobbyOpensAt) void run(() => errands.join());
    else if (current === "called") void run(() => errands.takeTurn(memory.wants));
    else if (memory.sending !== null && memory.pass !== null && current === "held") void run(() => errands.takeTurn(memory.wants));
    else if (current === "ordered" && memory.order?.answer === null) void run(() => errands.order({ email: "", delivery: null, coupon: null }, ""));
  }

  async function run(errand: () => Promise<Outcome>): Promise<boolean> {
    isBusy = true;
    refuse(null);
    try {
      const outcome = await errand();
      if (!outcome.done) refused(outcome.refusal);
      return outcome.done;
    } catch {
      refuse("This browser would not keep or use the key that your place is bound to. Private windows and old browsers do that; try another one.");
      await wait(3_000);
      return false;
    } finally {
      isBusy = false;
      render();
    }
  }

  function refuse(words: string | null): void {
    fill("refusal", words ?? "");
    show('[data-fill="refusal"]', words !== null);
    if (words !== null) find('[data-fill="refusal"]')?.scrollIntoView({ block: "nearest" });
  }

  function refused(refusal: { readonly code: string; readonly title: string; readonly detail: string }): void {
    const isHeld = isHolding(errands.memory(), clock.now());
    if (refusal.code === "sold_out" && !isHeld) isShort = true;
    else if (refusal.code === "credential_invalid" && lastStep === "called") {
      // The key or the ticket is not ours any more: without it the old place cannot be shown to be ours.
      errands.update({ ticket: null, ticketId: null, shown: null, pass: null });
      refuse(`${refusal.title}. Join again to get a new place.`);
    }
    else if (!isHeld && errands.memory().ticket !== null && lastStep === "called") errands.update({ rest: { title: refusal.title, detail: refusal.detail }, pass: null });
    else refuse(`${refusal.title}. ${refusal.detail}`);
    feed.refresh();
  }

  async function askForTime(): Promise<void> {
    await wait(4_000 * jitter());
    const standing = await errands.standing();
    if (standing?.eta != null) eta = `in ${spanWords(Date.parse(standing.eta.from) - clock.now())} to ${spanWords(Date.parse(standing.eta.to) - clock.now())}`;
  }

  async function learnRank(state: Live): Promise<void> {
    const { ticket } = errands.memory();
    if (ticket === null || state.seed === null) return;
    if (rank?.seed !== state.seed + ticket.entry) {
      const value = await rankOf({ entry: ticket.entry, lane: ticket.lane, weight: ticket.weight, joinedAt: Date.parse(ticket.joinedAt) }, page.opensAt, state.seed, crypto.subtle);
      rank = { seed: state.seed + ticket.entry, value };
    }
    const memory = errands.memory();
    const shown = neverGrowing(memory.shown, positionOf(state, rank.value, ticket.lane, memory.wants));
    if (shown?.from !== memory.shown?.from || shown?.to !== memory.shown?.to) errands.update({ shown });
    else render();
  }

  async function placeOrder(): Promise<void> {
    if (checkout === null || isBusy) return;
    const { coupon } = errands.memory();
    const isDone = await run(() => errands.order(checkout.body(coupon), checkout.handover()));
    const answer = errands.memory().order?.answer;
    if (isDone && answer != null) location.assign(answer.payment.url ?? `/orders/${answer.id}`);
  }

  /** The hosted page or another tab may have ended the order meanwhile. */
  async function checkOrder(): Promise<void> {
    const status = await errands.orderStatus();
    const { order } = errands.memory();
    if (status === null || order === null) return;
    if (status.state !== "expired" && status.state !== "cancelled") errands.update({ order: { ...order, answer: status } });
    else errands.update({ order: null, hold: null, pass: null, rest: { title: "The order ended unpaid", detail: "The time to pay was over, and the items went back. You keep your place: you may take a turn again while there is stock." } });
  }

  const feed: LiveFeed = followLive({
    drop: page.drop,
    clock,
    nextBoundaryAt: () => nextBoundaryAt(page, live, clock.now()),
    onConnection: (isHeard) => {
      if (isBusy) return;
      fill("trouble", isHeard ? "" : "The store does not answer right now. What you see may be old; this page goes on by itself.");
      show('[data-fill="trouble"]', !isHeard);
    },
    onLive: (state) => {
      if (live !== null && state.stage !== live.stage) isShort = false;
      live = state;
      api.learnNonce(state.dpopNonce);
      void learnRank(state);
      render();
    },
  });

  wireButtons({
    join: () => void (async () => {
      const wants = choice.lines();
      const isHeld = isHolding(errands.memory(), clock.now());
      isShort = false;
      if (isEditing && isHeld) {
        if (await run(() => errands.change(wants))) isEditing = false;
      } else {
        const wasIn = errands.memory().ticket !== null;
        if ((await run(() => errands.want(wants))) && !wasIn) await run(() => errands.join());
        isEditing = false;
      }
      render();
    })(),
    keep: () => { isEditing = false; render(); },
    change: () => {
      isEditing = true;
      refuse(null);
      const memory = errands.memory();
      choice.set(isHolding(memory, clock.now()) ? (memory.hold?.lines ?? memory.wants) : memory.wants);
      find('[data-panel="choose"] h2')?.focus({ preventScroll: true });
    },
    leave: () => errands.leave(),
    "give-up": () => void run(() => errands.giveUp()),
    again: () => { isShort = false; errands.update({ rest: null, hold: null, pass: null }); },
    wait: () => { isShort = false; errands.update({ pass: null, rest: { title: "You keep waiting", detail: "Nothing is held for you now. Your place is kept, and you are called again by itself once all of what you want is free.", isUntilFree: true } }); },
    "take-left": () => void (async () => {
      const left = live === null ? [] : whatIsLeft(live, errands.memory().wants);
      isShort = false;
      if (left.length > 0) await run(() => errands.takeTurn(left));
    })(),
  });
  takeScannedCoupon(errands);
  choice.set(errands.memory().wants);
  localiseTimes(document.documentElement.lang);
  announceTimes(page, () => clock.now());
  void checkOrder();
  addEventListener("storage", () => { void (live === null ? null : learnRank(live)); render(); });
  addEventListener("pageshow", (event) => { if (event.persisted) { feed.refresh(); void checkOrder(); } });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") feed.refresh(); });
  setInterval(render, TICK_MS);
  render();
}

function wireButtons(actions: Readonly<Record<string, () => void>>): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-do]") : null;
    const action = target === null ? undefined : actions[target.dataset["do"] ?? ""];
    action?.();
  });
}

/** A scanned voucher arrives in the fragment; it is taken out of the address bar and kept. */
function takeScannedCoupon(errands: Errands): void {
  const coupon = new URLSearchParams(location.hash.slice(1)).get("coupon");
  if (coupon !== null && coupon !== "") {
    errands.update({ coupon });
    history.replaceState(null, "", location.pathname + location.search);
  }
  const field = find<HTMLInputElement>('input[name="coupon"]');
  if (field !== null && errands.memory().coupon !== null) field.placeholder = "From the code you scanned";
}

/** Says the remaining time at a few moments, for those who do not see the countdown. */
function announceTimes(page: PageData, now: () => number): void {
  for (const leftMs of [600_000, 60_000, 10_000]) {
    const inMs = page.opensAt - leftMs - now();
    // A timer longer than 24 days would fire at once.
    if (inMs > 0 && inMs < 2_000_000_000) setTimeout(() => fill("said", `The drop opens in ${spanWords(page.opensAt - now())}.`), inMs);
  }
}

const data = pageData();
if (data !== null) {
  // The server wrote this into the same page; its shape is the type that both are built from.
  const page = data as PageData;
  document.documentElement.classList.add("script");
  if (window.isSecureContext && "subtle" in crypto && "indexedDB" in window) start(page);
  else {
    for (const panel of document.querySelectorAll<HTMLElement>("[data-panel]")) panel.hidden = panel.dataset["panel"] !== "unable";
    fill("unable", "A place in line is bound to a key that your browser makes and keeps. This browser, or this unencrypted address, does not allow that. Open the page over https in a current browser.");
  }
}
