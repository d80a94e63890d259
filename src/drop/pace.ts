import type { CheckoutPace } from "./port.ts";
import type { DropState } from "./state.ts";

/**
 * How long people take from being admitted to having paid, by the drop's own
 * clock. Counted from what is stored anyway, when somebody asks: a sale must
 * not pay for its statistics.
 */
export function checkoutPace(state: DropState): CheckoutPace {
  const tookMs = [...state.verdicts.values()]
    .flatMap(({ order, answer }) => {
      const hold = state.holds.get(state.orders.get(order)?.hold ?? "");
      const sitting = state.sittings.get(hold?.sitting ?? "");
      return answer.verdict === "sold" && sitting !== undefined ? [answer.at - sitting.admittedAt] : [];
    })
    .toSorted((a, b) => a - b);
  const middle = tookMs.length >> 1;
  const upper = tookMs[middle];
  if (upper === undefined) return { orders: 0, medianMs: null };
  const lower = tookMs.length % 2 === 0 ? (tookMs[middle - 1] ?? upper) : upper;
  return { orders: tookMs.length, medianMs: Math.round((lower + upper) / 2) };
}
