import type { WorkSolution } from "../../../schema/wire/ticket.ts";

/** A solution is not shown that would be too old on its way, and a new one is begun while the old one still holds. */
const RENEWED_BEFORE_END_MS = 60_000;

/** What came of the work: a solution, null where none is needed, `failed` where none can be had. */
export type Prepared = WorkSolution | null | "failed";

/** Work for one ticket that goes on beside the page until it reports or is ended. */
export interface WorkThread {
  onReport(hear: (prepared: Prepared) => void): void;
  end(): void;
}

interface Done {
  readonly ticket: string;
  readonly prepared: Prepared;
}

/**
 * Keeps a solved challenge for a ticket at hand: begun as soon as it may be
 * needed, begun again before it gets too old, and given up with the page.
 */
export class WorkAhead {
  readonly #start: (ticket: string) => WorkThread;
  readonly #now: () => number;
  #running: { readonly ticket: string; readonly thread: WorkThread } | null = null;
  #done: Done | null = null;
  #waiting: (() => void)[] = [];

  constructor(start: (ticket: string) => WorkThread, now: () => number) {
    this.#start = start;
    this.#now = now;
  }

  /** Sees to it that there is, or soon will be, a solution for `ticket`; null gives up what runs. */
  tend(ticket: string | null): void {
    if (this.#running !== null && this.#running.ticket !== ticket) this.#end();
    if (ticket === null || this.#running !== null || this.#isGood(ticket, RENEWED_BEFORE_END_MS)) return;
    const thread = this.#start(ticket);
    this.#running = { ticket, thread };
    thread.onReport((prepared) => {
      thread.end();
      if (this.#running?.thread !== thread) return;
      this.#running = null;
      this.#done = { ticket, prepared };
      this.#wake();
    });
  }

  /** Waits for what comes of it. What failed is told once, and begun again the next time. */
  async solution(ticket: string): Promise<Prepared> {
    for (;;) {
      const done = this.#done;
      if (done !== null && this.#isGood(ticket, 0)) {
        if (done.prepared === "failed") this.#done = null;
        return done.prepared;
      }
      this.tend(ticket);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** What there is was refused: the next one is new. */
  forget(): void {
    this.#done = null;
    this.#end();
  }

  #isGood(ticket: string, marginMs: number): boolean {
    if (this.#done?.ticket !== ticket) return false;
    const { prepared } = this.#done;
    return prepared === null || prepared === "failed" || this.#now() + marginMs < prepared.challenge.parameters.expiresAt * 1_000;
  }

  #end(): void {
    this.#running?.thread.end();
    this.#running = null;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
