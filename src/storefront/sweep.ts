import type { DropConfig } from "../config/store-config.ts";
import type { BeaconErrand } from "./beacon-errand.ts";
import type { ApiPorts } from "./ports.ts";

/** After this nothing of a drop moves by itself any more, and its objects are left asleep. */
const QUIET_AFTER_CLOSE_MS = 7 * 86_400_000;

/**
 * Wakes every drop of the config: makes its plan when there is none, and lets
 * the drop and its lobby do whatever is due. For cron, so that a drop goes on
 * within a minute when every alarm was lost. One drop's fault is not another's.
 */
export async function sweepDrops(ports: ApiPorts, beacons: Pick<BeaconErrand, "runWhenDue">): Promise<void> {
  await Promise.all(
    ports.store.drops.map((config) =>
      sweepDrop(ports, beacons, config).catch((error: unknown) => {
        ports.log({ code: "sweep_failed", drop: config.slug, error: error instanceof Error ? error.message.slice(0, 300) : "not an error" });
      }),
    ),
  );
}

async function sweepDrop(ports: ApiPorts, beacons: Pick<BeaconErrand, "runWhenDue">, config: DropConfig): Promise<void> {
  const drop = ports.drop(config.slug);
  // The first source wins, so that this changes nothing for a drop that has its plan.
  const snapshot = await drop.plan(config.source);
  const { plan } = snapshot;
  if (ports.now() > plan.closesAt + QUIET_AFTER_CLOSE_MS) return;
  const shards = Array.from({ length: plan.shards }, (_, shard) => ports.lobby(config.slug, shard).sweep());
  const outcomes = await Promise.allSettled([drop.sweep(), beacons.runWhenDue(snapshot), ...shards]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
