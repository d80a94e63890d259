import { Fault } from "../../../src/kernel/result.ts";
import type { Agenda } from "../../../src/rehearsal/agenda.ts";
import type { FaultPlan } from "../../../src/rehearsal/faults.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import type { FaultName } from "./fault-names.ts";

/** After this much virtual time without an answer a caller stops waiting. */
const PATIENCE_MS = 5_000;
const RETRIES_MAX = 200;

type Served<Answer> = { readonly ok: true; readonly answer: Answer } | { readonly ok: false; readonly error: unknown };

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
    return new Promise<Answer>((resolve, reject) => {
      if (this.#faults.strikes("request-lost")) {
        this.#agenda.after(PATIENCE_MS, label, () => reject(unknown(label, "the request was lost")));
        return;
      }
      const isReplyLost = this.#faults.strikes("reply-lost");
      this.#agenda.after(this.#latencyMs(), label, () => {
        void served(serve).then((outcome) => {
          if (isReplyLost) this.#agenda.after(PATIENCE_MS, label, () => reject(unknown(label, "the reply was lost")));
          else this.#agenda.after(this.#latencyMs(), label, () => (outcome.ok ? resolve(outcome.answer) : reject(outcome.error)));
        });
      });
    });
  }

  /**
   * A call to the payment provider, which fails in more ways: it may break, or
   * never answer, each before it did anything or after it did everything.
   */
  callProvider<Answer>(label: string, serve: () => Answer): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const breaks = (why: string, afterMs: number) => this.#agenda.after(afterMs, label, () => reject(unknown(label, why)));
      if (this.#faults.strikes("provider-timeout-before")) return breaks("no answer", PATIENCE_MS);
      if (this.#faults.strikes("provider-500-before")) return breaks("500", this.#latencyMs());
      const isUnanswered = this.#faults.strikes("provider-timeout-after");
      const isBroken = !isUnanswered && this.#faults.strikes("provider-500-after");
      this.#agenda.after(this.#latencyMs(), label, () => {
        void served(serve).then((outcome) => {
          if (!outcome.ok) reject(outcome.error);
          else if (isUnanswered) breaks("no answer", PATIENCE_MS);
          else if (isBroken) breaks("500", this.#latencyMs());
          else this.#agenda.after(this.#latencyMs(), label, () => resolve(outcome.answer));
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
        await this.pause(this.#random.integer(50, 2_000), label);
      }
    }
  }

  pause(ms: number, label: string): Promise<void> {
    return new Promise((resolve) => this.#agenda.after(ms, label, resolve));
  }

  /** Mostly quick, now and then slow enough to arrive after what was sent a second later. */
  #latencyMs(): number {
    return this.#random.chance(0.05) ? this.#random.integer(200, 3_000) : this.#random.integer(1, 60);
  }
}

async function served<Answer>(serve: () => Answer | Promise<Answer>): Promise<Served<Answer>> {
  try {
    return { ok: true, answer: await serve() };
  } catch (error) {
    return { ok: false, error };
  }
}

function unknown(label: string, why: string): Fault {
  return new Fault(`${label}: ${why}`, { retryable: true });
}
