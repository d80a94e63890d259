import * as v from "valibot";
import { TicketId } from "./ids.ts";

/**
 * Asks for a code to an e-mail address, for the ticket that is going to join
 * with it. A code with `group` only lets the address stand in the ticket's
 * group: it is lent to somebody else, and must not be good for the address's
 * own place.
 */
export const CodeRequest = v.strictObject({
  ticket: TicketId,
  email: v.pipe(v.string(), v.maxLength(254, "At most 254 characters are understood.")),
  group: v.optional(v.boolean()),
});

const Seconds = v.pipe(v.number(), v.integer("Seconds are whole."), v.minValue(1, "A second at least."));

/** The same for every address, whether it is known here or not. */
export const CodeAnswer = v.strictObject({
  /** How long the code that is on its way may be used. */
  validSeconds: Seconds,
});
export type CodeAnswer = v.InferOutput<typeof CodeAnswer>;
