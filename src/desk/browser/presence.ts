/*
 * The screen of a pop-up: asks the desk for the code of this half minute, shows
 * it, and asks for the next one when it is due. A code that is over is taken
 * off the screen, so that nobody scans what no longer counts.
 */

/** The desk's answer, as far as this page reads it. */
interface ShownCode {
  readonly title: string;
  readonly tickets: number;
  readonly svg: string;
  readonly now: string;
  readonly nextAt: string;
  readonly expiresAt: string;
}

const RETRY_MS = 2_000;
const TICK_MS = 500;
const ANSWER_WITHIN_MS = 8_000;

const root = document.querySelector<HTMLElement>("[data-presence]");
const find = <Kind extends Element = HTMLElement>(selector: string) => document.querySelector<Kind>(selector);

function fill(name: string, text: string): void {
  const element = find(`[data-fill="${name}"]`);
  if (element !== null && element.textContent !== text) element.textContent = text;
}

/** A refusal that asking again does not change. */
class Refused extends Error {
  override readonly name = "Refused";
}

class CodeScreen {
  readonly #path: string;
  readonly #key: string;
  #code: ShownCode | null = null;
  /** The server's time less this page's own clock. */
  #offset = 0;
  #isAsking = false;
  #askAt = 0;

  constructor(drop: string, region: string, tickets: string, key: string) {
    this.#path = `/desk/api/drops/${encodeURIComponent(drop)}/presence/${encodeURIComponent(region)}?tickets=${encodeURIComponent(tickets)}`;
    this.#key = key;
  }

  #now(): number {
    return performance.now() + this.#offset;
  }

  /** Throws `Refused` with words where the desk will not give one. */
  async ask(): Promise<void> {
    this.#isAsking = true;
    try {
      const response = await fetch(this.#path, { headers: { authorization: `Bearer ${this.#key}` }, cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      if (response.status === 401) throw new Refused("This is not the desk's key.");
      if (response.status === 404) throw new Refused("This drop keeps nothing for people who are here.");
      if (response.status === 422) throw new Refused("The number of tickets is not one that a code may have.");
      if (!response.ok) throw new Error("the desk does not answer");
      const code = await response.json<ShownCode>();
      this.#offset = Date.parse(code.now) - performance.now();
      this.#code = code;
      this.#askAt = Date.parse(code.nextAt);
      fill("said", "");
    } finally {
      this.#isAsking = false;
    }
  }

  draw(): void {
    const code = this.#code;
    const isValid = code !== null && this.#now() < Date.parse(code.expiresAt);
    const picture = find<HTMLImageElement>("[data-code]");
    if (picture !== null) {
      picture.hidden = !isValid;
      const source = code === null ? "" : `data:image/svg+xml,${encodeURIComponent(code.svg)}`;
      if (isValid && picture.src !== source) picture.src = source;
    }
    if (code === null) return;
    fill("title", code.title);
    const seconds = Math.max(0, Math.ceil((this.#askAt - this.#now()) / 1_000));
    fill("left", `Good for ${code.tickets} tickets. The next one comes in ${seconds} s.`);
  }

  tick(): void {
    this.draw();
    if (this.#isAsking || this.#now() < this.#askAt) return;
    this.ask().catch((cause: unknown) => {
      this.#askAt = this.#now() + RETRY_MS;
      fill("said", cause instanceof Refused ? cause.message : "The desk does not answer right now. The code above counts until it disappears; this goes on by itself.");
    });
  }
}

/** Tablets go dark while nobody touches them; where they can be asked not to, they are. */
function keepAwake(): void {
  const ask = () => {
    if (document.visibilityState === "visible" && "wakeLock" in navigator) void navigator.wakeLock.request("screen").catch(() => undefined);
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}

async function begin(form: HTMLFormElement, drop: string, region: string): Promise<void> {
  const key = find<HTMLInputElement>('[data-field="key"]');
  const tickets = find<HTMLInputElement>('[data-field="tickets"]');
  if (key === null || tickets === null) return;
  const screen = new CodeScreen(drop, region, tickets.value, key.value.trim());
  try {
    await screen.ask();
  } catch (cause) {
    fill("said", cause instanceof Refused ? cause.message : "The desk does not answer right now. Try again in a moment.");
    key.select();
    return;
  }
  // Nobody who takes the tablet reads it out of the field.
  key.value = "";
  form.hidden = true;
  const section = find("[data-screen]");
  if (section !== null) section.hidden = false;
  screen.draw();
  setInterval(() => screen.tick(), TICK_MS);
  keepAwake();
}

const form = find<HTMLFormElement>('[data-form="key"]');
if (root !== null && form !== null) {
  const { drop = "", region = "" } = root.dataset;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void begin(form, drop, region);
  });
}
