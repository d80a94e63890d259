import type { Clock } from "../../src/kernel/time.ts";
import type { Waking } from "../../src/lobby/rhythm.ts";

/** The shard's timer and alarm, set to what the rhythm says and touched only when that is news: setting an alarm is a write. */
export class LobbyWaking {
  readonly #storage: DurableObjectStorage;
  readonly #clock: Clock;
  readonly #wake: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #alarmAt: number | null = null;

  constructor(storage: DurableObjectStorage, clock: Clock, wake: () => void) {
    this.#storage = storage;
    this.#clock = clock;
    this.#wake = wake;
  }

  /** The alarm has gone off: there is none until it is set again. */
  alarmRang(): void {
    this.#alarmAt = null;
  }

  /** An alarm that is set earlier than needed stays: waking once for nothing is cheaper than writing again and again. */
  async arrange({ timerAt, alarmAt }: Waking): Promise<void> {
    if (timerAt === null && this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
    if (timerAt !== null && this.#timer === null) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#wake();
      }, timerAt - this.#clock());
    }
    // One whose time is past without having rung was lost, or rings in a moment: set again, it can do no harm.
    if (alarmAt !== null && (this.#alarmAt === null || alarmAt < this.#alarmAt || this.#alarmAt <= this.#clock())) {
      this.#alarmAt = alarmAt;
      await this.#storage.setAlarm(alarmAt);
    }
  }
}
