import type { ApiPorts } from "../ports.ts";
import type { AnnouncedDrop } from "./announced-drop.ts";
import { shardOf } from "./tickets.ts";

/** A window that has just ended is remembered for those who were on their way in it, and whose clock is not the shard's. */
const WINDOW_KEPT_MS = 60_000;

/** Something that may be had so many times in a window of the clock. */
export interface CountedUse {
  /** What is counted; it also says which shard counts. */
  readonly key: string;
  /** Who uses it: the same one counts once. */
  readonly by: string;
  /** How many may have it in one window. */
  readonly uses: number;
  readonly windowMs: number;
}

/** Counts one use in the window of `now`. Answers null, or when the next window begins where this one is used up. */
export async function countInWindow(ports: ApiPorts, drop: AnnouncedDrop, { key, by, uses, windowMs }: CountedUse, now: number): Promise<number | null> {
  const window = Math.floor(now / windowMs);
  const nextAt = (window + 1) * windowMs;
  const used = await shardOf(ports, drop, key).redeem({ key: `${key}/${window}`, ticket: by, uses, expiresAt: nextAt + WINDOW_KEPT_MS });
  return used.ok ? null : nextAt;
}
