import * as v from "valibot";

/*
 * The names that travel between browsers and the store. Every id is made by
 * the client, so that a retry names the same thing and gets the first answer.
 */

const CROCKFORD = "[0-9A-HJKMNP-TV-Z]{26}";

/** A drop's or a region's name in URLs: lower-case words joined by hyphens. */
export const Slug = v.pipe(v.string(), v.regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "A slug has lower-case letters, digits and single hyphens."), v.maxLength(64, "A slug has at most 64 characters."));

export const TicketId = v.pipe(v.string(), v.regex(new RegExp(`^tkt_${CROCKFORD}$`), "A ticket's id is tkt_ and 26 characters of Crockford base32."));
export const HoldId = v.pipe(v.string(), v.regex(new RegExp(`^hld_${CROCKFORD}$`), "A hold's id is hld_ and 26 characters of Crockford base32."));
export const OrderId = v.pipe(v.string(), v.regex(new RegExp(`^ord_${CROCKFORD}$`), "An order's id is ord_ and 26 characters of Crockford base32."));

/** What can be bought, by its name in the plan. */
export const Sku = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "A sku has at most 64 letters, digits, dots, hyphens and underscores."));

/** SHA-256 in lower-case hex. */
export const Sha256Hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "A hash is 64 lower-case hex digits."));

/**
 * RFC 3339 in UTC with milliseconds, and an instant that there is: a 60th second
 * or a 13th month has the form, is no number, and every comparison with it is
 * false, so that whatever asks for "before" would let it pass.
 */
export const Instant = v.pipe(
  v.string(),
  v.regex(/^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/, "An instant is RFC 3339 in UTC with milliseconds."),
  v.check(isDay, "There is no such day."),
);

/** Whether the month has that day; some engines read the 30th of February as a day in March. */
function isDay(instant: string): boolean {
  const at = Date.parse(instant);
  return !Number.isNaN(at) && new Date(at).toISOString() === instant;
}

/** Whole minor units: cents, yen, fils. */
export const AmountMinor = v.pipe(v.number(), v.safeInteger("An amount is a whole number of minor units."));

/** ISO 4217. */
export const Currency = v.pipe(v.string(), v.regex(/^[A-Z]{3}$/, "A currency is three capital letters."));

/**
 * A quantity that any drop could allow. The drop's own limit is judged where
 * the plan is known; this bound only keeps arithmetic exact.
 */
export const Quantity = v.pipe(
  v.number(),
  v.safeInteger("A quantity is a whole number."),
  v.minValue(1, "A quantity is at least 1."),
  v.maxValue(1_000, "A quantity is at most 1000."),
);

export const LineRequest = v.strictObject({ sku: Sku, quantity: Quantity });
/** What somebody wants: at least one line; the door also refuses the same sku twice. */
export const LinesRequest = v.pipe(
  v.array(LineRequest),
  v.minLength(1, "At least one line is needed."),
  v.maxLength(50, "At most 50 lines are understood."),
);
