import type { DropConfig } from "../../config/store-config.ts";
import type { ApiPorts, PlannedDrop } from "../ports.ts";

export interface AnnouncedDrop extends PlannedDrop {
  readonly config: DropConfig;
}

/**
 * A drop that the public may know of, or null: before `announceAt` a drop and
 * a name that nobody ever used are the same. Names are looked up in the config
 * first, so that no request can make an object for a drop that is not there.
 */
export async function announcedDrop(ports: ApiPorts, slug: string | undefined): Promise<AnnouncedDrop | null> {
  const config = ports.store.drops.find((drop) => drop.slug === slug);
  if (config === undefined) return null;
  const planned = await ports.plan(config.slug);
  return planned === null || ports.now() < planned.plan.announceAt ? null : { config, plan: planned.plan, planHash: planned.planHash };
}
