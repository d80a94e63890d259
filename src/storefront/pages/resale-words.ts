import type { Plan } from "../../drop/plan.ts";
import { resaleLimitsOf } from "../../drop/resale-limits.ts";

/** What one address may be sent and one card may pay for, each as a sentence; empty where there is no limit. */
export function resaleTerms(plan: Plan): string[] {
  const { address, card } = resaleLimitsOf(plan);
  return [
    ...(address === null ? [] : [`At most ${address} are sent to one postal address, whoever orders.`]),
    ...(card === null ? [] : [`One card pays for at most ${card}, whoever orders.`]),
  ];
}
