import { spanWords } from "./clock.ts";
import { fill, find } from "./dom.ts";
import type { Errands } from "./errands.ts";
import type { PageData } from "./page-data.ts";

/* What a drop's page does once, when it opens. */

/** One listener for every button that says what it does: panels come and go, the listener stays. */
export function wireButtons(actions: Readonly<Record<string, () => void>>): void {
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-do]") : null;
    const action = target === null ? undefined : actions[target.dataset["do"] ?? ""];
    action?.();
  });
}

/** What was scanned arrives in the fragment; it is taken out of the address bar and kept. */
export function takeScanned(errands: Errands): void {
  const scanned = new URLSearchParams(location.hash.slice(1));
  const text = (name: string) => scanned.get(name) || null;
  const [coupon, invite, presence] = [text("coupon"), text("invite"), text("presence")];
  if (coupon !== null) errands.update({ coupon });
  if (invite !== null || presence !== null) {
    errands.update({ evidence: { ...errands.memory().evidence, ...(invite === null ? {} : { invite }), ...(presence === null ? {} : { presence }) } });
  }
  if (coupon !== null || invite !== null || presence !== null) history.replaceState(null, "", location.pathname + location.search);
  const field = find<HTMLInputElement>('input[name="coupon"]');
  if (field !== null && errands.memory().coupon !== null) field.placeholder = "From the code you scanned";
}

/** Says the remaining time at a few moments, for those who do not see the countdown. */
export function announceTimes(page: PageData, now: () => number): void {
  for (const leftMs of [600_000, 60_000, 10_000]) {
    const inMs = page.opensAt - leftMs - now();
    // A timer longer than 24 days would fire at once.
    if (inMs > 0 && inMs < 2_000_000_000) setTimeout(() => fill("said", `The drop opens in ${spanWords(page.opensAt - now())}.`), inMs);
  }
}
