import { availableUnits, countOf, itemsWithin } from "./counters.ts";
import { keptUnits } from "./lanes.ts";
import type { Plan, PlanItem } from "./plan.ts";
import type { DropState } from "./state.ts";

/**
 * Whom there is still room for while the line moves: what is available, less
 * what people who were called or have sat down are about to want.
 *
 * What somebody of a lane is about to want comes off what is kept for that lane
 * first. What is kept beyond that is room for the lane whatever others want:
 * they cannot take it, so that a crowd of them who sit and do nothing must not
 * keep the lane's people waiting until their time is over.
 */
export class Room {
  /** Per stock unit, what is available less what anybody wants; negative where late claimants add to those who were called. */
  readonly #common = new Map<string, number>();
  /** Per lane and stock unit, what is kept and nobody of the lane is about to want. */
  readonly #kept = new Map<string, Map<string, number>>();
  readonly #lanes: readonly string[];

  constructor(state: DropState, plan: Plan, now: number) {
    this.#lanes = plan.lanes.map(({ lane }) => lane);
    for (const stock of plan.stock) {
      this.#common.set(stock.sku, availableUnits(state, stock, now));
      for (const { lane, units } of keptUnits(state, plan, stock, now)) this.#keptFor(lane).set(stock.sku, units);
    }
  }

  /** How many of an item there is room for in a lane; for no lane less than for everyone. */
  itemsFor(item: PlanItem, lane: string): number {
    return itemsWithin(item, (sku) => this.#unitsFor(sku, lane));
  }

  /** Somebody of a lane is about to want so many of an item. */
  take(item: PlanItem, lane: string, quantity: number): void {
    const kept = this.#kept.get(lane);
    for (const part of item.components) {
      const units = part.quantity * quantity;
      this.#common.set(part.sku, countOf(this.#common, part.sku) - units);
      kept?.set(part.sku, Math.max(0, countOf(kept, part.sku) - units));
    }
  }

  #unitsFor(sku: string, lane: string): number {
    let units = countOf(this.#common, sku);
    if (this.#lanes.length === 0) return units;
    for (const other of this.#lanes) if (other !== lane) units -= countOf(this.#kept.get(other) ?? NOTHING, sku);
    return Math.max(units, countOf(this.#kept.get(lane) ?? NOTHING, sku));
  }

  #keptFor(lane: string): Map<string, number> {
    const kept = this.#kept.get(lane) ?? new Map<string, number>();
    this.#kept.set(lane, kept);
    return kept;
  }
}

const NOTHING: ReadonlyMap<string, number> = new Map();
