import type { DropConfig } from "../config/store-config.ts";
import type { BeaconErrand } from "./beacon-errand.ts";
import type { ApiPorts } from "./ports.ts";

/**
 * After this nothing of a closed drop moves by itself any more, and its objects
 * are left asleep. A payment ends at the latest fifteen minutes after its order
 * and the goods are back half a minute later; the rest is time for the last
 * messages, which the object itself repeats until they are acknowledged.
 */
const QUIET_AFTER_CLOSE_MS = 3_600_000;

/**
 * Wakes every drop of the config: makes its plan when there is none, and lets
 * the drop and its lobby do whatever is due. For cron, so that a drop goes on
 * within a minute when every alarm was lost. One drop's fault is not another's.
 *
 * A drop that is over costs nothing: from an hour after its end no request goes
 * to its objects, not even the question for its plan. The end is what the plan
 * said when it was read last, else what the config says; where the config counts
 * from the first visit, a fresh isolate has to ask once.
 */
export class DropSweep {
  readonly #ports: ApiPorts;
  readonly #beacons: Pick<BeaconErrand, "runWhenDue">;
  readonly #closings = new Map<string, number>();

  constructor(ports: ApiPorts, beacons: Pick<BeaconErrand, "runWhenDue">) {
    this.#ports = ports;
    this.#beacons = beacons;
  }

  async run(): Promise<void> {
    await Promise.all(
      this.#ports.store.drops.map((config) =>
        this.#sweepDrop(config).catch((error: unknown) => {
          this.#ports.log({ code: "sweep_failed", drop: config.slug, error: error instanceof Error ? error.message.slice(0, 300) : "not an error" });
        }),
      ),
    );
  }

  async #sweepDrop(config: DropConfig): Promise<void> {
    const { closesAt } = config.source;
    if (this.#isQuiet(this.#closings.get(config.slug) ?? ("at" in closesAt ? closesAt.at : Number.POSITIVE_INFINITY))) return;
    const drop = this.#ports.drop(config.slug);
    // The first source wins, so that this changes nothing for a drop that has its plan.
    const snapshot = await drop.plan(config.source);
    const { plan } = snapshot;
    this.#closings.set(config.slug, plan.closesAt);
    if (this.#isQuiet(plan.closesAt)) return;
    const shards = Array.from({ length: plan.shards }, (_, shard) => this.#ports.lobby(config.slug, shard).sweep());
    const outcomes = await Promise.allSettled([drop.sweep(), this.#beacons.runWhenDue(snapshot), ...shards]);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  #isQuiet(closesAt: number): boolean {
    return this.#ports.now() > closesAt + QUIET_AFTER_CLOSE_MS;
  }
}
