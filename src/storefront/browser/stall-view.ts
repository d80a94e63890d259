import { formatMoney } from "../../kernel/money.ts";
import { boardWords } from "./board.ts";
import { lineWords } from "./choice.ts";
import { countdownText, spanWords } from "./clock.ts";
import { fill, find, make, show } from "./dom.ts";
import { nextBoundaryAt, type Step, whatIsLeft } from "./journey.ts";
import type { Live, Order, PageData } from "./page-data.ts";
import type { Memory } from "./storage.ts";
import { leftWords, placeWords } from "./words.ts";

/*
 * Puts a situation on the page. Nothing here decides anything, and a panel
 * that did not change is not touched, so that a screen reader is not
 * interrupted four times a second.
 */

export interface View {
  readonly step: Step | "unable";
  /** The choosing panel is open over another step, to change what is wanted. */
  readonly isEditing: boolean;
  readonly isBusy: boolean;
  readonly memory: Memory;
  readonly live: Live | null;
  readonly eta: string | null;
  readonly now: number;
}

const SAID: Readonly<Record<Step, string>> = {
  choose: "",
  joining: "You will be in the lobby as soon as it opens.",
  waiting: "You are in. Your place is kept in this browser.",
  drawing: "The order of service is being drawn.",
  line: "The order is drawn. You are in line.",
  called: "It is your turn. What you chose is being held for you.",
  short: "Not all of what you chose is free.",
  rested: "Your turn has ended. You keep your place.",
  "stage-out": "Sold out in this stage. Your place is kept for the next one.",
  held: "Held for you. Pay before the time runs out.",
  ordered: "Your order is placed.",
  paused: "The drop is paused. Your place is kept.",
  gone: "Sold out.",
  closed: "This drop is over.",
  cancelled: "This drop was cancelled.",
};

export function createStallView(page: PageData): (view: View) => void {
  let shownPanel = "";
  let isFirst = true;
  const money = (amountMinor: number) => formatMoney(amountMinor, page.currency, page.locale);
  const language = document.documentElement.lang;
  const soon = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
  const later = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  /** A time of day for what is near, with its date for what is not. */
  const timeText = (at: number, now: number) => (at - now < 18 * 3_600_000 ? soon : later).format(at);

  function showPanel(name: string, step: View["step"]): void {
    if (name === shownPanel) return;
    shownPanel = name;
    for (const panel of document.querySelectorAll<HTMLElement>("[data-panel]")) panel.hidden = panel.dataset["panel"] !== name;
    if (step !== "unable" && name !== "choose") fill("said", SAID[step]);
    // The focus follows the panel only when it was in the stall: somebody reading elsewhere is not pulled away.
    const isInStall = document.activeElement?.closest("#stall") != null || document.activeElement === document.body;
    if (!isFirst && isInStall) find(`[data-panel="${name}"] h2`)?.focus({ preventScroll: true });
    isFirst = false;
  }

  function board(view: View): void {
    const { live, now } = view;
    if (live === null) return;
    const words = boardWords({ ...live, hasNextStage: live.nextStageAt !== null });
    fill("phase", words.label);
    fill("sentence", words.sentence);
    show("[data-low]", live.low && live.phase === "open");
    for (const { sku } of page.items) fill(`left-${sku}`, leftWords(live, sku));
    const dueAt = live.nextStageAt !== null && live.stage !== null ? Date.parse(live.nextStageAt) : nextBoundaryAt(page, live, now);
    const isCounting = dueAt !== null && words.nextLabel !== "";
    fill("next-label", isCounting ? words.nextLabel : "");
    fill("next-at", isCounting ? timeText(dueAt, now) : "");
    fill("clock", isCounting ? countdownText(dueAt - now) : "");
    for (const row of document.querySelectorAll<HTMLElement>("[data-stage]")) {
      const number = Number(row.dataset["stage"]);
      const isOver = live.phase === "closed" || live.phase === "cancelled";
      const state = number < (live.stage ?? 0) || isOver ? "past" : number === live.stage ? "now" : "next";
      if (row.className !== `is-${state}`) row.className = `is-${state}`;
      fill(`stage-${number}`, state === "past" ? "released" : state === "now" ? (live.available > 0 ? `now · ${live.available} left` : "now · none free") : "to come");
    }
  }

  function line(view: View): void {
    const { memory, live, eta } = view;
    fill("wants", lineWords(page, memory.wants));
    fill("entry", memory.ticket === null ? "" : `${memory.ticket.entry.slice(0, 12)}…`);
    fill("place", placeWords(memory.shown));
    const next = "When your place is called, what you chose is held for you by itself. You need not be fast.";
    fill("line", eta === null ? next : `Likely ${eta}. ${next}`);
    if (live === null) return;
    const nextAt = live.nextStageAt === null ? null : Date.parse(live.nextStageAt);
    const after = nextAt === null ? "No further stage comes. If somebody does not pay in time, units come back, and your place counts for them." : `Stage ${(live.stage ?? 0) + 1} opens at ${timeText(nextAt, view.now)}, in ${spanWords(nextAt - view.now)}. Your place is kept: you need not do anything.`;
    fill("stage-out", `${lineWords(page, memory.wants)}: everything in this stage is taken by people before you. ${after}`);
    const left = whatIsLeft(live, memory.wants);
    fill("short", left.length === 0 ? `Of ${lineWords(page, memory.wants)}, nothing is free at this moment. ${after}` : `You chose ${lineWords(page, memory.wants)}. Still free: ${lineWords(page, left)}.`);
    fill("take-left", `Take ${lineWords(page, left)}`);
    show('[data-do="take-left"]', left.length > 0);
  }

  function held(view: View): void {
    const { hold } = view.memory;
    if (hold === null) return;
    fill("hold-clock", countdownText(Date.parse(hold.expiresAt) - view.now));
    fill("hold-total", money(hold.totalMinor));
    fill("pay", `Order and pay ${money(hold.totalMinor)}`);
    const list = find<HTMLUListElement>('[data-panel="held"] [data-lines]');
    const words = hold.lines.map((item) => `${lineWords(page, [item])}\n${money(item.totalMinor)}`);
    if (list === null || list.dataset["shown"] === words.join()) return;
    list.dataset["shown"] = words.join();
    list.replaceChildren(...words.map((word) => make("li", {}, ...word.split("\n").map((part) => make("span", {}, part)))));
  }

  function ordered(view: View): void {
    const { order } = view.memory;
    const answer = order?.answer ?? null;
    show("[data-discount]", answer !== null && answer.discountMinor > 0);
    show('[data-link="order"]', answer !== null);
    show('[data-link="pay"]', answer !== null && answer.payment.url !== null && answer.state === "placed");
    if (order === null || answer === null) {
      fill("ordered", "Sending your order. It has a number already, so it is placed once whatever happens on the way.");
      return;
    }
    fill("order-total", money(answer.totalMinor));
    fill("order-discount", `−${money(answer.discountMinor)}`);
    fill("ordered", orderedWords(answer, view.now));
    find<HTMLAnchorElement>('[data-link="order"]')?.setAttribute("href", `/orders/${order.id}`);
    if (answer.payment.url !== null) find<HTMLAnchorElement>('[data-link="pay"]')?.setAttribute("href", answer.payment.url);
  }

  function orderedWords(answer: Order, now: number): string {
    if (answer.state === "confirmed") return "Confirmed: it is yours. The order's page has the receipt.";
    if (answer.payment.url !== null && answer.state === "placed") return `Pay until ${timeText(Date.parse(answer.payBy), now)} and it is yours.`;
    return "The payment is being confirmed. You need not do anything; the order's page says how it ends.";
  }

  function joinWords({ isEditing, memory, live, now }: View): string {
    if (isEditing) return memory.hold === null ? "Save" : "Hold this instead";
    if (now < page.lobbyOpensAt) return "Join when the lobby opens";
    return live === null || live.phase === "lobby" || live.phase === "announced" ? "Join the lobby" : "Join the line";
  }

  return (view) => {
    board(view);
    line(view);
    held(view);
    ordered(view);
    fill("rested", view.memory.rest?.detail ?? "The time for this hold is over and the items went back. You keep your place: take your turn again while there is stock.");
    if (view.memory.rest !== null) fill("rested-title", view.memory.rest.title);
    fill("joining", view.now < page.lobbyOpensAt ? `The lobby opens in ${spanWords(page.lobbyOpensAt - view.now)}. This page joins by itself; keep it open, or come back later.` : "Asking for your place.");
    fill("join", joinWords(view));
    show('[data-do="keep"]', view.isEditing);
    showPanel(view.isEditing ? "choose" : view.step, view.step);
    find("#stall")?.setAttribute("aria-busy", String(view.isBusy));
  };
}
