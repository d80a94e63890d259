import type { Plan } from "./plan.ts";

/*
 * People who stand in line together: one ticket, one entry of weight 1, one
 * turn, and as much in all as each of them might have had. What was stored or
 * sent before there were groups says nothing of them, and is about one person.
 */

/** The most that any config may ask for. */
export const GROUP_MAX = 10;

/** Up to how many people may stand in line with one ticket; 1 where everyone stands alone. */
export function groupMaxOf({ groupMax }: Pick<Plan, "groupMax">): number {
  return groupMax ?? 1;
}

/** How many people a ticket, or the sitting that it got, stands for. */
export function peopleOf({ people }: { readonly people?: number }): number {
  return people ?? 1;
}

/** How many items so many people may have together. */
export function limitOf(plan: Pick<Plan, "limitPerPerson">, people: number): number {
  return plan.limitPerPerson * people;
}
