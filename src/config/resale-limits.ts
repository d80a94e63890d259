import * as v from "valibot";
import type { ResaleLimits } from "../drop/plan.ts";
import { type Mistakes, table, wholeNumber } from "./fields.ts";

const ADDRESS_EXPLANATION = "This must be a whole number from 1 to 100: how many items one postal address may be sent in the drop.";
const CARD_EXPLANATION = "This must be a whole number from 1 to 100: how many items one card may pay for in the drop.";

/** `limits = { address = 4, card = 4 }`: how much may go to one address and be paid by one card; what is left out has no limit. */
export const limitFields = v.pipe(
  table({
    address: v.optional(wholeNumber(1, 100, ADDRESS_EXPLANATION)),
    card: v.optional(wholeNumber(1, 100, CARD_EXPLANATION)),
  }),
  v.transform(({ address, card }): ResaleLimits => ({ address: address ?? null, card: card ?? null })),
);

/** Whoever buys as much as one person may would be refused by the address or the card: no drop means that. */
export function checkLimits(name: string, limits: ResaleLimits, limitPerPerson: number, mistakes: Mistakes): void {
  for (const field of ["address", "card"] as const) {
    const limit = limits[field];
    if (limit !== null && limit < limitPerPerson) mistakes.add(name, `limits.${field}`, `This must be at least limitPerPerson, which is ${limitPerPerson}: one person buys as many for one ${field}.`);
  }
}
