import { type NetworkBudgets, type Plan, USUAL_BUDGETS } from "./plan.ts";

/**
 * The network of everyone who does not say where they are, which happens on a
 * local machine alone: every other network is known by a keyed hash, and that
 * is never this.
 */
export const UNNAMED_NETWORK = "local";

/** How the storefront tells a shard which network opens a socket, by its keyed hash. Whatever a client writes there is overwritten. */
export const NETWORK_HEADER = "tranche-network";

/** Wide enough for a test crowd of a thousand people a few times over, and still finite. */
const UNNAMED_BUDGETS: NetworkBudgets = { joinsPerMinute: 30_000, unpaidHolds: 10_000 };

/** What a network, by its keyed hash, may do in a drop. */
export function budgetsOf(plan: Plan, network: string): NetworkBudgets {
  return network === UNNAMED_NETWORK ? UNNAMED_BUDGETS : plan.budgets;
}

/**
 * How many sockets a network, by its keyed hash, may have open on all shards of
 * a drop: one for everyone whom it may bring in a minute. A drop that lets few
 * join from a place does not keep those who are there from watching.
 */
export function socketsMaxOf(plan: Plan, network: string): number {
  return Math.max(USUAL_BUDGETS.joinsPerMinute, budgetsOf(plan, network).joinsPerMinute);
}

/** Time enough to fill in a form and to press a button; whoever is short of a card at hand has the time to pay after that. */
const PRESSED_HOLD_MIN_MS = 2 * 60_000;

/**
 * How long a hold lasts that is made while its network is under pressure: half
 * of the plan's time. It is never brought below two minutes by that; where the
 * plan itself gives less, which it can on a local machine alone, it is half.
 */
export function pressedHoldMs({ holdTtlMs }: Pick<Plan, "holdTtlMs">): number {
  const halfMs = Math.ceil(holdTtlMs / 2);
  return holdTtlMs < PRESSED_HOLD_MIN_MS ? halfMs : Math.max(halfMs, PRESSED_HOLD_MIN_MS);
}

/** Whether a network that has so many unpaid holds already uses half of its budget or more: what it lets lie comes back sooner then. */
export function isPressed(plan: Plan, network: string, unpaidHolds: number): boolean {
  return 2 * unpaidHolds >= budgetsOf(plan, network).unpaidHolds;
}
