import type { StockRow } from "../../schema/wire/record.ts";
import type { Findings } from "./findings.ts";
import { largestRemainder, type LaneTerms, type Schedule } from "./schedule.ts";
import type { Stock } from "./stock.ts";

/** Shares may have decimals; a millionth of a percent is what they are counted in. */
const SCALE = 1_000_000;

/**
 * What each stage keeps for the lanes while it is theirs: nobody else may take
 * of it. Said as one sum: after every row, what is released and free is at
 * least what is still kept.
 */
export class Reserves {
  readonly #schedule: Schedule;
  readonly #stock: Stock;
  readonly #findings: Findings;
  readonly #lanes: readonly LaneTerms[];
  /** Units that entries of a lane hold or bought out of a stage, by lane, sku and stage. */
  readonly #taken = new Map<string, number>();
  /** In which stage a hold was made, by its public name; it gives back to that stage. */
  readonly #madeIn = new Map<string, number>();

  constructor(schedule: Schedule, stock: Stock, findings: Findings) {
    this.#schedule = schedule;
    this.#stock = stock;
    this.#findings = findings;
    this.#lanes = schedule.first.lanes;
  }

  move(row: StockRow, lane: string, at: number): void {
    if (this.#lanes.length === 0) return;
    if (row.kind === "hold") this.#madeIn.set(row.ref, row.stage);
    const sign = row.kind === "hold" ? 1 : row.kind === "place" || row.kind === "sell" ? 0 : -1;
    const key = keyOf(lane, row.sku, this.#madeIn.get(row.ref) ?? row.stage);
    this.#taken.set(key, (this.#taken.get(key) ?? 0) + sign * row.quantity);
    const free = this.#schedule.releasedAt(row.sku, at) - this.#stock.takenOf(row.sku);
    const kept = this.#keptAt(row.sku, at);
    if (kept > free) this.#findings.row(row, `leaves ${free} units of ${row.sku}, and ${kept} were kept for ${this.#lanes.map((terms) => terms.lane).join(" and ")}: somebody outside took of them`);
  }

  #keptAt(sku: string, at: number): number {
    const stages = this.#schedule.stagesOf(sku);
    const open = this.#schedule.stageAt(at);
    const stage = stages[open - 1];
    if (stage === undefined) return 0;
    const shares = this.#lanes.map(({ sharePercent }) => Math.round(sharePercent * SCALE));
    const parts = largestRemainder(stage.units, [...shares, 100 * SCALE - shares.reduce((sum, share) => sum + share, 0)]);
    const nextAt = stages[open]?.opensAt ?? Number.POSITIVE_INFINITY;
    return this.#lanes.reduce((sum, { lane, untilMs }, index) => {
      const isKept = at < Math.min(stage.opensAt + untilMs, nextAt);
      return isKept ? sum + Math.max(0, (parts[index] ?? 0) - (this.#taken.get(keyOf(lane, sku, open)) ?? 0)) : sum;
    }, 0);
  }
}

function keyOf(lane: string, sku: string, stage: number): string {
  return `${lane}/${sku}/${stage}`;
}
