import type { Clock } from "../kernel/time.ts";

/**
 * The clock of one machine in a rehearsal: true time and an error that can be
 * changed at any moment. A step back is what a machine does when its clock is
 * corrected, or when an object moves to another machine.
 */
export class WanderingClock {
  readonly #trueTime: Clock;
  #errorMs = 0;

  constructor(trueTime: Clock) {
    this.#trueTime = trueTime;
  }

  /** What the machine believes; may be less than what it believed before. */
  readonly now: Clock = () => this.#trueTime() + this.#errorMs;

  /** Puts the clock wrong by `errorMs` from now on; 0 sets it right. */
  setError(errorMs: number): void {
    this.#errorMs = errorMs;
  }
}
