import { GROUP_MAX } from "../drop/groups.ts";
import type { ResaleLimits } from "../drop/plan.ts";
import { type Mistakes, wholeNumber } from "./fields.ts";

/** `group = 4`: up to how many people may stand in line with one ticket. */
export const groupField = wholeNumber(1, GROUP_MAX, `This must be a whole number from 1 to ${GROUP_MAX}: up to how many people may stand in line with one ticket.`);

interface GroupTerms {
  readonly group: number;
  readonly asksForAddress: boolean;
  readonly limitPerPerson: number;
  readonly limits: ResaleLimits;
}

/** Without proven addresses whoever says that they are four would get four times as much, and nobody could count them. */
export function checkGroup(name: string, { group, asksForAddress, limitPerPerson, limits }: GroupTerms, mistakes: Mistakes): void {
  if (group === 1) return;
  if (!asksForAddress) mistakes.add(name, "group", "People can stand in line together only where every one of them proves an address: this needs gates = { email = true }.");
  const together = group * limitPerPerson;
  for (const field of ["address", "card"] as const) {
    const limit = limits[field];
    // Below the limit of one person the field is a mistake already.
    if (limit !== null && limit >= limitPerPerson && limit < together) mistakes.add(name, `limits.${field}`, `This must be at least ${together}: a group of ${group} buys as many for one ${field}.`);
  }
}
