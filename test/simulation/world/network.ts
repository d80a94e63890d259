import { Fault } from "../../../src/kernel/result.ts";
import type { Agenda } from "../../../src/rehearsal/agenda.ts";
import type { FaultPlan } from "../../../src/rehearsal/faults.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import type { FaultName } from "./fault-names.ts";

/** After this much virtual time without an answer a caller stops waiting. */
const PATIENCE_MS = 5_000;
const RETRIES_MAX = 200;

/**
 * Calls between machines. Each takes its time on the way there and back, so
 * that calls overtake one another; some never arrive, and some are carried out
 * although nobody hears of it.
 */
export class Network {
  readonly #agenda: Agenda;
  readonly #faults: FaultPlan<FaultName>;
  readonly #random: RandomSource;

  constructor(agenda: Agenda, faults: FaultPlan<FaultName>, random: RandomSource) {
    this.#agenda = agenda;
    this.#faults = faults;
    this.#random = random;
  }

  /** One attempt. A `Fault` means that nobody knows whether it was carried out. */
  call<Answer>(label: string, serve: () => Answer | Promise<Answer>): Promise<Answer> {
    const unknown = (why: string) => new Fault(`${label}: ${why}`, { retryable: true });
    return new Promise<Answer>((resolve, reject) => {
      if (this.#faults.strikes("request-lost")) {
        this.#agenda.after(PATIENCE_MS, `${label} times out`, () => reject(unknown("the request was lost")));
        return;
      }
      const isReplyLost = this.#faults.strikes("reply-lost");
      this.#agenda.after(this.#latencyMs(), label, () => {
        void this.#served(serve).then((outcome) => {
          if (isReplyLost) this.#agenda.after(PATIENCE_MS, `${label} times out`, () => reject(unknown("the reply was lost")));
          else if (outcome.ok) this.#agenda.after(this.#latencyMs(), `${label} answered`, () => resolve(outcome.answer));
          else this.#agenda.after(this.#latencyMs(), `${label} failed`, () => reject(outcome.error));
        });
      });
    });
  }

  /** Calls until there is an answer: for what is idempotent. */
  async insist<Answer>(label: string, serve: () => Answer | Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.call(label, serve);
      } catch (error) {
        if (!(error instanceof Fault) || !error.retryable || attempt === RETRIES_MAX) throw error;
        await this.pause(this.#random.integer(50, 2_000), `${label} again`);
      }
    }
  }

  pause(ms: number, label: string): Promise<void> {
    return new Promise((resolve) => this.#agenda.after(ms, label, resolve));
  }

  async #served<Answer>(serve: () => Answer | Promise<Answer>): Promise<{ ok: true; answer: Answer } | { ok: false; error: unknown }> {
    try {
      return { ok: true, answer: await serve() };
    } catch (error) {
      return { ok: false, error };
    }
  }

  /** Mostly quick, now and then slow enough to arrive after what was sent a second later. */
  #latencyMs(): number {
    return this.#random.chance(0.05) ? this.#random.integer(200, 3_000) : this.#random.integer(1, 60);
  }
}
