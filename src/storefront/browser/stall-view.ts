import { formatMoney } from "../../kernel/money.ts";
import { anotherTurn, limitOf, unitsOrdered } from "./another.ts";
import { boardWords } from "./board.ts";
import { isDripping } from "./drips.ts";
import { lineWords } from "./choice.ts";
import { countdownText, spanWords } from "./clock.ts";
import { fill, find, make, show } from "./dom.ts";
import { isKeptForOthers, nextBoundaryAt, type Step, whatCanBeTaken } from "./journey.ts";
import { leftWords, outlookOf } from "./outlook.ts";
import type { Live, Order, PageData, WireLine } from "./page-data.ts";
import type { Memory } from "./storage.ts";
import { goneOf, shortWords, stageOutWords } from "./taken.ts";
import { laneWords, placeWords } from "./words.ts";

export interface View {
  readonly step: Step;
  /** The choosing panel is open over another step, to change what is wanted. */
  readonly isEditing: boolean;
  readonly isBusy: boolean;
  readonly memory: Memory;
  readonly live: Live | null;
  readonly rank: string | null;
  readonly eta: string | null;
  readonly now: number;
}

/** What is said aloud at a step; the steps about what is taken have words of their own. */
const SAID: Readonly<Record<Step, string>> = {
  choose: "",
  proving: "Say who you are to get your place.",
  joining: "You will be in the lobby as soon as it opens.",
  waiting: "You are in. Your place is kept in this browser.",
  drawing: "The order of service is being drawn.",
  line: "The order is drawn. You are in line.",
  called: "It is your turn. What you chose is being held for you.",
  short: "",
  rested: "Your turn has ended. You keep your place.",
  "stage-out": "",
  held: "Held for you. Pay before the time runs out.",
  ordered: "Your order is placed.",
  paused: "The drop is paused. Your place is kept.",
  gone: "Sold out. Every unit of this drop is sold.",
  closed: "This drop is over.",
  cancelled: "This drop was cancelled.",
};

const STATE_WORDS: Readonly<Record<Order["state"], string>> = {
  placed: "to be paid",
  confirming: "being confirmed",
  confirmed: "confirmed",
  cancelled: "cancelled",
  expired: "ended unpaid",
};

/** The hour of day for what is near, with its date for what is not. */
function timeText(at: number, now: number): string {
  const hour = { hour: "2-digit", minute: "2-digit" } as const;
  const isNear = at - now < 18 * 3_600_000;
  return new Intl.DateTimeFormat(document.documentElement.lang, isNear ? hour : { weekday: "short", day: "numeric", month: "short", ...hour }).format(at);
}

/**
 * Puts a situation on the page. Nothing here decides anything, and an element
 * whose words did not change is not touched, so that a screen reader is not
 * interrupted four times a second.
 */
export class StallView {
  readonly #page: PageData;
  #shownPanel = "";
  #said = "";
  #isFirst = true;

  constructor(page: PageData) {
    this.#page = page;
  }

  show(view: View): void {
    let said = SAID[view.step];
    if (view.live !== null) {
      this.#board(view.live, view.now);
      this.#stages(view.live);
      said = this.#offers(view, view.live) ?? said;
    }
    this.#line(view);
    this.#held(view);
    this.#ordered(view);
    this.#mine(view);
    this.#entering(view);
    for (const note of document.querySelectorAll<HTMLElement>("[data-late-after]")) note.hidden = view.now < Number(note.dataset["lateAfter"]);
    const panel = view.isEditing ? "choose" : view.step;
    this.#showPanel(panel);
    if (panel !== "choose") this.#say(said);
    find("#stall")?.setAttribute("aria-busy", String(view.isBusy));
  }

  #money(amountMinor: number): string {
    return formatMoney(amountMinor, this.#page.currency, this.#page.locale);
  }

  /** Only what is new: the countdown's own announcements stand in the same place. */
  #say(said: string): void {
    if (said === this.#said) return;
    this.#said = said;
    fill("said", said);
  }

  #showPanel(name: string): void {
    if (name === this.#shownPanel) return;
    this.#shownPanel = name;
    // The focus follows the panel only when it was in the stall or nowhere: somebody reading elsewhere is not pulled away.
    const isInStall = document.activeElement?.closest("#stall") != null || document.activeElement === document.body;
    for (const panel of document.querySelectorAll<HTMLElement>("[data-panel]")) panel.hidden = panel.dataset["panel"] !== name;
    const heading = find(`[data-panel="${name}"] h2`);
    if (!this.#isFirst && isInStall) heading?.focus({ preventScroll: true });
    // A panel that is shorter or longer than the last may begin out of sight.
    if (!this.#isFirst && isInStall && heading !== null && heading.getBoundingClientRect().top < 0) find("#stall")?.scrollIntoView({ block: "start" });
    this.#isFirst = false;
  }

  #board(live: Live, now: number): void {
    const { drips } = this.#page;
    const facts = { ...live, hasNextStage: live.nextStageAt !== null, isDripping: isDripping(live.stage, drips), drips };
    const words = boardWords(facts);
    const stall = find("#stall");
    if (stall !== null) stall.dataset["phase"] = live.phase;
    fill("phase", words.label);
    fill("sentence", words.sentence);
    const isLow = live.low && live.phase === "open";
    fill("low", isLow ? "Few left" : "");
    show("[data-low]", isLow);
    for (const { sku } of this.#page.items) fill(`left-${sku}`, leftWords(facts, live.items.find((item) => item.sku === sku)));
    const dueAt = live.nextStageAt !== null && live.stage !== null ? Date.parse(live.nextStageAt) : nextBoundaryAt(this.#page, live, now);
    const isCounting = dueAt !== null && words.nextLabel !== "";
    fill("next-label", isCounting ? words.nextLabel : "");
    fill("next-at", isCounting ? timeText(dueAt, now) : "");
    fill("clock", isCounting ? countdownText(dueAt - now) : "");
  }

  #stages(live: Live): void {
    const isOver = live.phase === "closed" || live.phase === "cancelled" || outlookOf({ ...live, hasNextStage: live.nextStageAt !== null }) === "gone";
    const isSelling = live.phase === "open" || live.phase === "sold-out";
    const nowWords = !isSelling ? "now" : live.available > 0 ? `now · ${live.available} left` : "now · none free";
    for (const row of document.querySelectorAll<HTMLElement>("[data-stage]")) {
      const number = Number(row.dataset["stage"]);
      const last = number + Number(row.dataset["steps"]) - 1;
      const state = last < (live.stage ?? 0) || isOver ? "past" : number <= (live.stage ?? 0) ? "now" : "next";
      if (row.className !== `is-${state}`) row.className = `is-${state}`;
      fill(`stage-${number}`, state === "past" ? "released" : state === "now" ? nowWords : "to come");
    }
  }

  #line({ memory, eta }: View): void {
    fill("wants", lineWords(this.#page, memory.wants));
    fill("entry", memory.ticket === null ? "" : `${memory.ticket.entry.slice(0, 12)}…`);
    fill("place", placeWords(memory.shown));
    fill("lane", laneWords(this.#page.lanes, memory.ticket?.lane));
    const next = "When your place is called, what you chose is held for you by itself. You need not be fast.";
    fill("line", eta === null ? next : `Likely ${eta}. ${next}`);
  }

  /** What is said when not everything can be had. Answers what is to be heard at this step, or null where it is not about that. */
  #offers({ step, memory, rank, now }: View, live: Live): string | null {
    const left = whatCanBeTaken(live, rank, memory);
    const nextText = () => {
      const at = Date.parse(live.nextStageAt ?? "");
      return `${timeText(at, now)}, in ${spanWords(at - now)}`;
    };
    const taken = { live, drips: this.#page.drips, wants: memory.wants, left, isKept: isKeptForOthers(live, memory), words: (lines: readonly WireLine[]) => lineWords(this.#page, lines), nextText };
    const stageOut = stageOutWords(taken);
    fill("stage-out-title", stageOut.title);
    fill("stage-out", stageOut.sentence);
    const short = shortWords(taken);
    fill("short-title", short.title);
    fill("short", short.sentence);
    fill("take-left", `Take ${lineWords(this.#page, left)}`);
    show('[data-do="take-left"]', left.length > 0);
    show('[data-do="wait"]', goneOf(live, memory.wants).length === 0);
    return step === "stage-out" ? stageOut.said : step === "short" ? short.said : null;
  }

  #held({ memory, now }: View): void {
    const { hold } = memory;
    if (hold === null) return;
    fill("hold-clock", countdownText(Date.parse(hold.expiresAt) - now));
    fill("hold-total", this.#money(hold.totalMinor));
    fill("pay", `Order and pay ${this.#money(hold.totalMinor)}`);
    const list = find<HTMLUListElement>('[data-panel="held"] [data-lines]');
    if (list === null || list.dataset["shown"] === hold.id) return;
    list.dataset["shown"] = hold.id;
    list.replaceChildren(...hold.lines.map((line) => make("li", {}, make("span", {}, lineWords(this.#page, [line])), make("span", {}, this.#money(line.totalMinor)))));
  }

  /** Every order of this browser stays in reach while another turn is taken. */
  #mine({ memory, isEditing }: View): void {
    const orders = [...memory.past, ...(memory.order === null || !isEditing ? [] : [memory.order])].flatMap(({ answer }) => (answer === null ? [] : [answer]));
    show("[data-mine]", orders.length > 0);
    const list = find("[data-mine-list]");
    const shown = orders.map(({ id, state }) => `${id} ${state}`).join();
    if (list === null || list.dataset["shown"] === shown) return;
    list.dataset["shown"] = shown;
    list.replaceChildren(...orders.map((order) => make("li", {}, make("a", { href: `/orders/${order.id}` }, lineWords(this.#page, order.lines)), ` ${STATE_WORDS[order.state]}`)));
  }

  #ordered({ memory, live, now }: View): void {
    const another = anotherTurn(this.#page, memory, live);
    fill("another", another.words);
    show('[data-fill="another"]', another.words !== "");
    fill("another-units", another.units === 1 ? "Order one more" : `Order up to ${another.units} more`);
    show('[data-do="another"]', another.units > 0);
    const order = memory.order;
    const answer = order?.answer ?? null;
    const payUrl = answer !== null && answer.state === "placed" ? answer.payment.url : null;
    show("[data-discount]", answer !== null && answer.discountMinor > 0);
    show('[data-link="order"]', answer !== null);
    show('[data-link="pay"]', payUrl !== null);
    if (order === null) return;
    if (answer === null) {
      fill("ordered", "Sending your order. It has a number already, so it is placed once whatever happens on the way.");
      return;
    }
    fill("order-total", this.#money(answer.totalMinor));
    fill("order-discount", `−${this.#money(answer.discountMinor)}`);
    fill("ordered", orderedWords(answer, payUrl !== null, now));
    find('[data-link="order"]')?.setAttribute("href", `/orders/${order.id}`);
    if (payUrl !== null) find('[data-link="pay"]')?.setAttribute("href", payUrl);
  }

  #entering(view: View): void {
    const { memory, now } = view;
    const untilLobbyMs = this.#page.lobbyOpensAt - now;
    fill("rested-title", memory.rest?.title ?? "Your hold has ended");
    fill("rested", memory.rest?.detail ?? "The time for this hold is over and the items went back. You keep your place: take your turn again while there is stock.");
    fill("joining", untilLobbyMs > 0 ? `The lobby opens in ${spanWords(untilLobbyMs)}. This page joins by itself; keep it open, or come back later.` : "Asking for your place.");
    fill("join", joinWords(view, untilLobbyMs));
    const ordered = unitsOrdered(memory);
    const people = memory.ticket?.people ?? 1;
    fill("limit", `${people === 1 ? `At most ${this.#page.limit} in all for each person.` : `You are ${people} in line together: at most ${limitOf(this.#page, memory)} in all.`}${ordered === 0 ? "" : ` You have ordered ${ordered}.`}`);
    show('[data-do="keep"]', view.isEditing);
    fill("scanned", memory.evidence?.invite === undefined ? "You are here: what you scanned counts when you join." : "Your invitation counts when you join.");
    show('[data-fill="scanned"]', memory.evidence !== null);
  }
}

function orderedWords(answer: Order, canPay: boolean, now: number): string {
  if (answer.state === "confirmed") return "Confirmed: it is yours. The order's page has the receipt.";
  if (canPay) return `Pay until ${timeText(Date.parse(answer.payBy), now)} and it is yours.`;
  return "The payment is being confirmed. You need not do anything; the order's page says how it ends.";
}

function joinWords({ isEditing, memory, live }: View, untilLobbyMs: number): string {
  if (isEditing && memory.order !== null) return "Take another turn";
  if (isEditing) return memory.hold === null ? "Save" : "Hold this instead";
  if (untilLobbyMs > 0) return "Join when the lobby opens";
  return live === null || live.phase === "lobby" || live.phase === "announced" ? "Join the lobby" : "Join the line";
}
