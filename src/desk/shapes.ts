import * as v from "valibot";
import { VOUCHER_USES_MAX } from "../coupon/voucher.ts";
import { PRESENCE_TICKETS, PRESENCE_TICKETS_MAX } from "../gate/presence.ts";
import { idPattern } from "../kernel/ids.ts";
import { durationFromText } from "../kernel/time.ts";

/*
 * What the desk understands. Every shape is strict: a member that nobody asked
 * for is refused, so that a misspelt `restok` does not silently mean "no".
 */

const LINES_MAX = 50;
const QUANTITY_MAX = 1_000_000;
const EXTENSION_MS_MAX = 7 * 86_400_000;
const STAGES_MAX = 1_000;
export const ORDERS_PER_PAGE_MAX = 100;
const ORDERS_PER_PAGE = 50;
export const VOUCHERS_AT_ONCE_MAX = 500;
const INVITES_AT_ONCE_MAX = 500;

export const dropSlug = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "is not a drop's name"));
export const orderId = v.pipe(v.string(), v.regex(idPattern("ord"), "is not an order's id"));
/** Made by whoever asks; the same id with the same body gets the first answer. */
const commandId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/, "is 1 to 64 letters, digits, _ or -"));
const positive = (max: number) => v.pipe(v.number("is a number"), v.safeInteger("is a whole number"), v.minValue(1, "is at least 1"), v.maxValue(max, `is at most ${max}`));

const line = v.strictObject({ sku: v.pipe(v.string(), v.minLength(1), v.maxLength(64)), quantity: positive(QUANTITY_MAX) });
const lines = v.pipe(
  v.array(line),
  v.minLength(1, "names at least one line"),
  v.maxLength(LINES_MAX, `names at most ${LINES_MAX} lines`),
  v.check((list) => new Set(list.map(({ sku }) => sku)).size === list.length, "names every sku once"),
);

/** `pause`, `resume` and `cancel` need no word more than their address. */
export const emptyShape = v.strictObject({});

/** `by` is a duration such as `10m`. */
export const extendShape = v.strictObject({
  stage: positive(STAGES_MAX),
  by: v.pipe(
    v.string(),
    v.maxLength(32),
    v.transform((text) => durationFromText(text) ?? -1),
    v.check((ms) => ms >= 1_000 && ms <= EXTENSION_MS_MAX, "is a duration from 1s to 7d, such as 10m"),
  ),
});

/** `vars` are the tables of a wrangler config, read by the config's own rules. */
export const planChangeShape = v.strictObject({ vars: v.record(v.string(), v.unknown()), publish: v.boolean() });

export const fulfilmentShape = v.strictObject({ id: commandId, lines: v.optional(lines) });

export const refundShape = v.pipe(
  v.strictObject({
    id: commandId,
    lines: v.optional(lines),
    amountMinor: v.optional(positive(Number.MAX_SAFE_INTEGER)),
    reason: v.pipe(v.string(), v.trim(), v.minLength(1, "says why"), v.maxLength(500)),
    restock: v.optional(v.boolean()),
  }),
  // A refund of two sizes has none.
  v.forward(v.check((refund) => refund.lines === undefined || refund.amountMinor === undefined, "goes with lines or amountMinor, not with both"), ["amountMinor"]),
);

export const vouchersShape = v.strictObject({
  campaign: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  count: positive(VOUCHERS_AT_ONCE_MAX),
  uses: v.optional(positive(VOUCHER_USES_MAX), 1),
});

/** A ticket by the id that its owner shows. */
export const attestationShape = v.strictObject({ ticket: v.pipe(v.string(), v.regex(idPattern("tkt"), "is not a ticket's id")) });

export const inviteId = v.pipe(v.string(), v.regex(idPattern("inv"), "is not an invitation's id"));
export const regionSlug = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "is not a region's name"));

export const invitesShape = v.pipe(
  v.strictObject({
    lane: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    count: v.optional(positive(INVITES_AT_ONCE_MAX)),
    emails: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(254))), v.minLength(1, "names at least one address"), v.maxLength(INVITES_AT_ONCE_MAX, `names at most ${INVITES_AT_ONCE_MAX} addresses`))),
  }),
  v.forward(v.check((invites) => (invites.count === undefined) !== (invites.emails === undefined), "goes alone: either count or emails says how many"), ["count"]),
);

export const presenceQuery = v.strictObject({
  tickets: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,4}$/, "is a whole number"), v.transform(Number), v.minValue(1, "is at least 1"), v.maxValue(PRESENCE_TICKETS_MAX, `is at most ${PRESENCE_TICKETS_MAX}`)),
    String(PRESENCE_TICKETS),
  ),
});

export const ordersQuery = v.strictObject({
  drop: dropSlug,
  cursor: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(512))),
  limit: v.optional(v.pipe(v.string(), v.regex(/^\d{1,4}$/, "is a whole number"), v.transform(Number), v.minValue(1, "is at least 1"), v.maxValue(ORDERS_PER_PAGE_MAX, `is at most ${ORDERS_PER_PAGE_MAX}`)), String(ORDERS_PER_PAGE)),
});

export const transfersQuery = v.strictObject({ order: orderId });
