import { beaconRound } from "../drop/beacon-chains.ts";
import type { DropSnapshot } from "../drop/port.ts";
import type { Clock } from "../kernel/time.ts";
import type { BeaconSource } from "../lobby/beacon.ts";
import type { LogLine, ShopDrop } from "./ports.ts";

/** Relays publish a round a moment after its time; whoever asks in a storm gets it no sooner. */
const AGAIN_AFTER_MS = 1_000;

interface BeaconErrandPorts {
  readonly now: Clock;
  readonly source: BeaconSource;
  drop(slug: string): Pick<ShopDrop, "beacon">;
  log(line: LogLine): void;
}

/**
 * Brings a drop the round of the beacon that its draw waits for. The Drop
 * object cannot fetch it, and so whoever sees the drop waiting does: the cron,
 * and every isolate that reads its live state. Many may bring it; one is enough,
 * and none can bring another one.
 */
export class BeaconErrand {
  readonly #ports: BeaconErrandPorts;
  readonly #againAt = new Map<string, number>();

  constructor(ports: BeaconErrandPorts) {
    this.#ports = ports;
  }

  /** Goes if the drop waits, its round is out, and nobody of this isolate went a moment ago; never fails. */
  async runWhenDue({ plan, live }: Pick<DropSnapshot, "plan" | "live">): Promise<void> {
    const named = beaconRound(plan);
    const now = this.#ports.now();
    if (named === null || plan.beacon === null || live.phase !== "drawing" || now < named.at || now < (this.#againAt.get(plan.drop) ?? 0)) return;
    this.#againAt.set(plan.drop, now + AGAIN_AFTER_MS);
    try {
      const signature = await this.#ports.source.round(plan.beacon, named.round);
      if (signature === null) return;
      const outcome = await this.#ports.drop(plan.drop).beacon(named.round, signature);
      if (outcome === "wrong") this.#ports.log({ code: "beacon_refused", drop: plan.drop, round: named.round });
    } catch (error) {
      // The next reader goes again; the draw waits for as long as it takes.
      this.#ports.log({ code: "beacon_not_brought", drop: plan.drop, round: named.round, error: error instanceof Error ? error.message.slice(0, 300) : "not an error" });
    }
  }
}
