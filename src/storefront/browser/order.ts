import { formatMoney } from "../../kernel/money.ts";
import { createApi, jitter, wait } from "./api.ts";
import { countdownText, createClock, type ServerClock } from "./clock.ts";
import { fill, find, make, pageData, show } from "./dom.ts";
import type { OrderStatus } from "./page-data.ts";
import { recallReceipt, type RememberedReceipt } from "./storage.ts";
import { fulfilmentWords, hasHandover, orderWords, paymentWords } from "./words.ts";

/*
 * The module of an order's page: reads the order with the receipt that this
 * browser keeps, and goes on asking until the answer is final.
 */

interface OrderPageData {
  readonly order: string;
  readonly now: number;
  readonly store: string;
  readonly support: string;
}

const NO_RECEIPT = "This browser has no receipt for this order. Open the page in the browser that you ordered with; the receipt is kept there and nowhere in the address, so that nobody else can read your order. If that browser is gone, write to the store.";

/** The order's state for machines that read the page: schema.org's words, as microdata. */
const SCHEMA_STATES: Readonly<Record<OrderStatus["state"], string>> = {
  placed: "https://schema.org/OrderPaymentDue",
  confirming: "https://schema.org/OrderProcessing",
  confirmed: "https://schema.org/OrderProcessing",
  cancelled: "https://schema.org/OrderCancelled",
  expired: "https://schema.org/OrderCancelled",
};

function instants(): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

function drawReceipt(order: OrderStatus, remembered: RememberedReceipt, locale: string): void {
  const money = (amountMinor: number) => formatMoney(amountMinor, order.currency, locale);
  const lines = order.lines.map((line) => make("li", {}, make("span", {}, `${line.quantity} × ${line.title}`), make("span", {}, money(line.unitPriceMinor * line.quantity))));
  find(".receipt [data-lines]")?.replaceChildren(...lines);
  const isConfirmed = order.state === "confirmed";
  fill("receipt-title", isConfirmed ? "Receipt" : "The order");
  show('[data-do="save"]', isConfirmed);
  find("[data-order-status]")?.setAttribute("href", SCHEMA_STATES[order.state]);
  fill("discount", `−${money(order.discountMinor)}`);
  fill("total", money(order.totalMinor));
  fill("refunded", money(order.refundedMinor));
  fill("payment", paymentWords(order));
  fill("fulfilment", fulfilmentWords(order));
  fill("handover", remembered.handover);
  fill("note", remembered.note);
  show("[data-discount]", order.discountMinor > 0);
  show("[data-refunded]", order.refundedMinor > 0);
  const isComing = hasHandover(order);
  show("[data-fulfilment]", isComing);
  show("[data-handover]", isComing && remembered.handover !== "");
  show("[data-note]", isComing && remembered.note !== "");
  show("[data-receipt]", true);
  const format = instants();
  const story = order.timeline.map((entry) => make("li", {}, make("time", { datetime: entry.at }, format.format(Date.parse(entry.at))), make("span", {}, entry.text)));
  find("[data-timeline]")?.replaceChildren(...story);
  show("[data-story]", story.length > 0);
}

function drawState(order: OrderStatus, locale: string): boolean {
  const words = orderWords(order, locale);
  fill("headline", words.headline);
  fill("sentence", words.sentence);
  document.title = `${words.headline} · ${document.title.split(" · ").at(-1) ?? ""}`;
  const canPay = order.payment.url !== null && order.state === "placed" && (order.payment.state === "pending" || order.payment.state === "none" || order.payment.state === "failed");
  show('[data-link="pay"]', canPay);
  if (canPay) find('[data-link="pay"]')?.setAttribute("href", order.payment.url ?? "");
  return words.isOpen;
}

function keepCounting(clock: ServerClock, order: () => OrderStatus | null): void {
  setInterval(() => {
    const current = order();
    const leftMs = current !== null && current.state === "placed" ? Date.parse(current.payBy) - clock.now() : 0;
    show('[data-fill="clock"]', leftMs > 0);
    fill("clock", countdownText(leftMs));
  }, 250);
}

/** What this page reads in a receipt; the rest is kept as it came. */
interface SignedReceipt {
  readonly receipt: { readonly tax: { readonly label: string; readonly percent: number; readonly includedMinor: number } | null };
}

/** The signed receipt with its schema.org form, to keep as a file; null when it cannot be had now. */
async function readReceipt(page: OrderPageData, receipt: string): Promise<SignedReceipt | null> {
  try {
    const response = await fetch(`/api/orders/${page.order}/receipt`, { headers: { authorization: `Bearer ${receipt}` }, cache: "no-store", signal: AbortSignal.timeout(10_000) });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

/** The tax that the total contains, as the signed receipt states it. */
function drawTax({ receipt: { tax } }: SignedReceipt, order: OrderStatus, locale: string): void {
  if (tax === null) return;
  fill("tax-label", `includes ${tax.percent.toLocaleString(locale)} % ${tax.label}`);
  fill("tax", formatMoney(tax.includedMinor, order.currency, locale));
  show("[data-tax]", true);
}

function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function start(page: OrderPageData): Promise<void> {
  const remembered = recallReceipt(page.order);
  if (remembered === null) {
    fill("headline", "No receipt here");
    fill("sentence", NO_RECEIPT);
    return;
  }
  const clock = createClock(() => performance.now(), page.now);
  const api = createApi(clock, (words) => {
    fill("trouble", words ?? "");
    show('[data-fill="trouble"]', words !== null);
  });
  const locale = remembered.locale === "" ? navigator.language : remembered.locale;
  let order: OrderStatus | null = null;
  let isTaxDrawn = false;
  let wake = () => {};
  const home = find('[data-link="drop"]');
  home?.setAttribute("href", `/${remembered.region}/${remembered.drop}`);
  show('[data-link="drop"]', remembered.drop !== "");
  keepCounting(clock, () => order);
  find('[data-do="print"]')?.addEventListener("click", () => print());
  find('[data-do="save"]')?.addEventListener("click", () => void readReceipt(page, remembered.receipt).then((receipt) => { if (receipt !== null) saveFile(`receipt-${page.order}.json`, JSON.stringify(receipt, null, 2)); }));
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") wake(); });

  for (let round = 0; ; round++) {
    const answer = await api.ask<OrderStatus>({ method: "GET", path: `/api/orders/${page.order}`, bearer: remembered.receipt });
    if (!answer.ok) {
      fill("headline", answer.refusal.title);
      fill("sentence", answer.refusal.detail);
      return;
    }
    order = answer.value;
    const isOpen = drawState(order, locale);
    drawReceipt(order, remembered, locale);
    if (order.state === "confirmed" && !isTaxDrawn) {
      const receipt = await readReceipt(page, remembered.receipt);
      if (receipt !== null) drawTax(receipt, order, locale);
      isTaxDrawn = receipt !== null;
    }
    // A final answer is still read again now and then: a refund or the handover may follow.
    const delayMs = isOpen ? Math.min(10_000, 1_200 * 1.15 ** round) : 60_000;
    await Promise.race([wait(delayMs * jitter()), new Promise<void>((resolve) => { wake = resolve; })]);
  }
}

const data = pageData();
// The server wrote this into the same page; its shape is the type above.
if (data !== null) void start(data as OrderPageData);
