import { groupMaxOf } from "../../drop/groups.ts";
import type { Plan } from "../../drop/plan.ts";

const NUMBERS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/** "up to four people"; null where everyone stands in line alone. */
function upTo(plan: Pick<Plan, "groupMax">): string | null {
  const most = groupMaxOf(plan);
  return most === 1 ? null : `up to ${NUMBERS[most - 2] ?? most} people`;
}

/** That people may stand in line together, in one sentence and what it means; null where they may not. */
export function togetherText(plan: Pick<Plan, "groupMax" | "limitPerPerson">): string | null {
  const people = upTo(plan);
  if (people === null) return null;
  return `${people.replace(/^u/, "U")} can stand in line together: one place and one chance in the draw for all of them, and ${plan.limitPerPerson} for each. Every one of them proves an e-mail address.`;
}
