import { assert } from "../kernel/result.ts";
import { type Counters, countHold, countOf, countUnits, emptyCounters } from "./counters.ts";
import type { UnitCount } from "./movements.ts";
import type { Plan } from "./plan.ts";
import { releasedUnits } from "./release.ts";
import type { DropState, HoldRow } from "./state.ts";

export interface ClosingBalance {
  readonly sold: readonly UnitCount[];
  readonly unsold: readonly UnitCount[];
  readonly withheld: readonly UnitCount[];
}

/**
 * Where every unit of the plan ended, per sku: sold, released but unsold, or
 * withheld because its stage never opened (a cancelled drop). The three sum to
 * the plan's quantity, and the holds counted one by one say the same, or the
 * books are not closed.
 */
export function closingBalance(state: DropState, plan: Plan, endedAt: number): ClosingBalance {
  const recounted = recount(state.holds.values());
  const balance = plan.stock.map((stock) => {
    assert(countOf(recounted.sold, stock.sku) === countOf(state.counters.sold, stock.sku), "the running totals are what the holds say");
    assert(countOf(state.counters.held, stock.sku) === 0, "nothing is held when the books are closed");
    const released = releasedUnits(stock, endedAt);
    const sold = countOf(state.counters.sold, stock.sku);
    const unsold = released - sold;
    const withheld = stock.quantity - released;
    assert(unsold >= 0 && withheld >= 0 && sold + unsold + withheld === stock.quantity, "sold, unsold and withheld are the plan's quantity");
    return { sku: stock.sku, sold, unsold, withheld };
  });
  return {
    sold: balance.map(({ sku, sold }) => ({ sku, quantity: sold })),
    unsold: balance.map(({ sku, unsold }) => ({ sku, quantity: unsold })),
    withheld: balance.map(({ sku, withheld }) => ({ sku, quantity: withheld })),
  };
}

/** The totals counted again from the holds alone; what the running totals must equal. */
export function recount(holds: Iterable<HoldRow>): Counters {
  const counters = emptyCounters();
  for (const hold of holds) {
    countHold(counters, hold, 1);
    countUnits(counters, hold);
  }
  return counters;
}
