import Stripe from "stripe";
import * as v from "valibot";
import type { NoticeReader, ProviderNotice } from "./provider.ts";

const TOLERANCE_SECONDS = 300;
/** Two during a rotation of the secret; many only from somebody who wants us to compute. */
const SIGNATURES_MAX = 10;
const HEADER_CHARACTERS_MAX = 4_096;

const reference = v.nullish(v.union([v.string(), v.object({ id: v.string() })]));
const noticeSchema = v.object({
  id: v.pipe(v.string(), v.regex(/^evt_\w{1,250}$/)),
  type: v.pipe(v.string(), v.maxLength(200)),
  livemode: v.boolean(),
  data: v.object({
    object: v.object({
      object: v.optional(v.string()),
      id: v.optional(v.string()),
      client_reference_id: v.nullish(v.string()),
      metadata: v.nullish(v.record(v.string(), v.string())),
      payment_intent: reference,
      amount: v.optional(v.number()),
      status: v.nullish(v.string()),
    }),
  }),
});

/** Reads Stripe's webhooks: the SDK checks the signature, and we what it lets through. */
export function stripeNotices(secret: string): NoticeReader {
  // Webhooks are checked without any call to Stripe: the key of this instance is never used.
  const { webhooks } = new Stripe("sk_unused");
  const crypto = Stripe.createSubtleCryptoProvider();
  return {
    async verified(body, signature, now) {
      if (!isTimely(signature, now)) return null;
      try {
        await webhooks.constructEventAsync(body, signature, secret, TOLERANCE_SECONDS, crypto, now);
      } catch {
        return null;
      }
      return parseNotice(body);
    },
    stored: parseNotice,
  };
}

/** The SDK refuses old timestamps but takes those of the future, which would make a captured webhook good for ever. */
function isTimely(signature: string, now: number): boolean {
  if (signature.length > HEADER_CHARACTERS_MAX) return false;
  const items = signature.split(",").map((item) => item.split("="));
  if (items.filter(([scheme]) => scheme === "v1").length > SIGNATURES_MAX) return false;
  const times = items.filter(([scheme]) => scheme === "t").map(([, seconds]) => Number(seconds));
  const [time] = times;
  return times.length === 1 && time !== undefined && Number.isInteger(time) && Math.abs(Math.floor(now / 1_000) - time) <= TOLERANCE_SECONDS;
}

function parseNotice(body: string): ProviderNotice | null {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return null;
  }
  const parsed = v.safeParse(noticeSchema, json);
  if (!parsed.success) return null;
  const { id, type, livemode, data: { object } } = parsed.output;
  const isSession = type.startsWith("checkout.session.");
  const isIntent = type.startsWith("payment_intent.");
  const intent = typeof object.payment_intent === "string" ? object.payment_intent : (object.payment_intent?.id ?? null);
  const isDispute = type.startsWith("charge.dispute.");
  return {
    id, type, isLive: livemode,
    order: (isSession ? object.client_reference_id : null) ?? object.metadata?.["order"] ?? null,
    session: isSession ? (object.id ?? null) : null,
    payment: isIntent ? (object.id ?? null) : intent,
    dispute: isDispute && object.id !== undefined ? { id: object.id, amountMinor: object.amount ?? 0, status: object.status ?? "" } : null,
  };
}
