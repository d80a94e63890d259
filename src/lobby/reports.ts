import type { LinePage } from "../drop/port.ts";
import type { Census } from "./line.ts";
import type { ShardReport } from "./port.ts";
import { mergeQuantiles } from "./quantiles.ts";

/** A shard that was not heard of for this long no longer counts among those who wait. */
const REPORT_TTL_MS = 10_000;
/** A shard that was not heard of for this long is woken where its answer is needed: at the next reading, a second from now, it will be old. */
const SILENT_AFTER_MS = 500;

/** What the other shards last said, as shard 0 keeps it; a report is forgotten with the memory and told again within a second. */
export class ShardReports {
  readonly #byShard = new Map<number, { readonly report: ShardReport; readonly at: number }>();

  accept(report: ShardReport, now: number): void {
    this.#byShard.set(report.shard, { report, at: now });
  }

  /** Shard 0's own census together with those of all shards that were heard of lately. */
  mergedWith(own: Census, now: number): Census {
    const recent = this.#recent(now);
    return {
      waiting: recent.reduce((sum, report) => sum + report.waiting, own.waiting),
      quantiles: mergeQuantiles([own, ...recent].flatMap((part) => part.quantiles)),
    };
  }

  /** The line pages of the other shards, for the Drop object to go on with. */
  pages(now: number): LinePage[] {
    return this.#recent(now).flatMap((report) => report.pages);
  }

  /** The other shards of `shards` that have not been heard of lately. */
  silent(shards: number, now: number): number[] {
    const others = Array.from({ length: shards }, (_, shard) => shard).slice(1);
    return others.filter((shard) => now - (this.#byShard.get(shard)?.at ?? 0) >= SILENT_AFTER_MS);
  }

  #recent(now: number): ShardReport[] {
    return [...this.#byShard.values()].filter(({ at }) => now - at < REPORT_TTL_MS).map(({ report }) => report);
  }
}
