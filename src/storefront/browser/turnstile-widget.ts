import { find } from "./dom.ts";

/** What is used of the widget's script. */
interface TurnstileScript {
  render(container: HTMLElement, options: Readonly<Record<string, unknown>>): string;
  reset(widget: string): void;
  remove(widget: string): void;
}

declare global {
  interface Window {
    readonly turnstile?: TurnstileScript;
  }
}

/** The widget's script comes from another house: it may be late, or kept out by the browser. */
const SCRIPT_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 200;

/** Turnstile's widget for one ticket at a time; each of its tokens is good for one try. */
export class TurnstileWidget {
  readonly #siteKey: string;
  #shown: { readonly ticket: string; readonly id: string } | null = null;
  #token: string | null = null;
  #isBroken = false;

  constructor(siteKey: string) {
    this.#siteKey = siteKey;
  }

  tend(ticket: string | null): void {
    const { turnstile } = window;
    const container = find("[data-turnstile]");
    if (turnstile === undefined || container === null || this.#shown?.ticket === ticket) return;
    if (this.#shown !== null) turnstile.remove(this.#shown.id);
    this.#shown = null;
    this.#token = null;
    this.#isBroken = false;
    if (ticket === null) return;
    const id = turnstile.render(container, {
      sitekey: this.#siteKey, action: "join", cData: ticket,
      callback: (token: string) => { this.#token = token; },
      "expired-callback": () => { this.#token = null; },
      "error-callback": () => { this.#isBroken = true; },
    });
    this.#shown = { ticket, id };
  }

  /** A token that was not used yet; `failed` when the widget does not come or says so. */
  async token(ticket: string): Promise<{ readonly token: string } | "failed"> {
    const until = performance.now() + SCRIPT_WITHIN_MS;
    for (;;) {
      this.tend(ticket);
      const token = this.#token;
      if (token !== null) {
        this.forget();
        return { token };
      }
      // A widget that is shown may wait for its visitor; one that never came is not waited for.
      if (this.#isBroken || (this.#shown === null && performance.now() > until)) return "failed";
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Asks the widget for another token. */
  forget(): void {
    this.#token = null;
    this.#isBroken = false;
    if (this.#shown !== null) window.turnstile?.reset(this.#shown.id);
  }
}
