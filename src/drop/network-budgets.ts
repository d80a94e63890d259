import type { NetworkBudgets, Plan } from "./plan.ts";

/**
 * The network of everyone who does not say where they are, which happens on a
 * local machine alone: every other network is known by a keyed hash, and that
 * is never this.
 */
export const UNNAMED_NETWORK = "local";

/** Wide enough for a test crowd of a thousand people a few times over, and still finite. */
const UNNAMED_BUDGETS: NetworkBudgets = { joinsPerMinute: 30_000, unpaidHolds: 10_000 };

/** What a network, by its keyed hash, may do in a drop. */
export function budgetsOf(plan: Plan, network: string): NetworkBudgets {
  return network === UNNAMED_NETWORK ? UNNAMED_BUDGETS : plan.budgets;
}
