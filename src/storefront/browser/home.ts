import { countdownText, createClock } from "./clock.ts";
import { find, localiseTimes, pageData } from "./dom.ts";

/* The module of the store's front and of the papers: times in the viewer's zone, and countdowns. */

const data = pageData();
const now = typeof data === "object" && data !== null && "now" in data ? Number(data.now) : Number.NaN;
const clock = createClock(() => performance.now(), now);

function count(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-until]")) {
    const leftMs = Number(element.dataset["until"]) - clock.now();
    element.textContent = leftMs > 0 ? `in ${countdownText(leftMs)}` : "now: open it to see";
  }
}

localiseTimes(document.documentElement.lang);
if (!Number.isNaN(now) && find("[data-until]") !== null) {
  count();
  setInterval(count, 500);
}
