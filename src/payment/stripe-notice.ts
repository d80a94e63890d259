import Stripe from "stripe";
import * as v from "valibot";
import type { NoticeReader, ProviderNotice } from "./provider.ts";
import { fromStripeAmount } from "./stripe.ts";
import { strictJson } from "../kernel/strict-json.ts";

const TOLERANCE_SECONDS = 300;
/** Two during a rotation of the secret; many only from somebody who wants us to compute. */
const SIGNATURES_MAX = 10;
const HEADER_CHARACTERS_MAX = 4_096;

/**
 * A member that only some kinds of object have, or have as something else.
 * What is of another form is of no use to us, and no reason to refuse a signed
 * event: the provider would send it again for days.
 */
const maybe = <Schema extends v.GenericSchema>(schema: Schema) => v.fallback(v.nullable(schema), null);
const object = v.object({
  id: maybe(v.string()),
  client_reference_id: maybe(v.string()),
  metadata: maybe(v.record(v.string(), v.unknown())),
  payment_intent: maybe(v.union([v.string(), v.pipe(v.object({ id: v.string() }), v.transform(({ id }) => id))])),
  amount: maybe(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  currency: maybe(v.string()),
  status: maybe(v.string()),
});
const noticeSchema = v.object({
  id: v.pipe(v.string(), v.regex(/^evt_\w{1,250}$/)),
  type: v.pipe(v.string(), v.maxLength(200)),
  livemode: v.boolean(),
  data: v.fallback(v.object({ object }), { object: v.getFallbacks(object) }),
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
  const json = strictJson(body);
  if (json === null) return null;
  const parsed = v.safeParse(noticeSchema, json.value);
  if (!parsed.success) return null;
  const { id, type, livemode, data: { object: subject } } = parsed.output;
  const isSession = type.startsWith("checkout.session.");
  const isIntent = type.startsWith("payment_intent.");
  const isDispute = type.startsWith("charge.dispute.");
  const named = subject.metadata?.["order"];
  return {
    id, type, isLive: livemode,
    order: (isSession ? subject.client_reference_id : null) ?? (typeof named === "string" ? named : null),
    session: isSession ? subject.id : null,
    payment: isIntent ? subject.id : subject.payment_intent,
    dispute: isDispute && subject.id !== null
      ? { id: subject.id, amountMinor: Math.round(fromStripeAmount(subject.amount ?? 0, (subject.currency ?? "").toUpperCase())), status: subject.status ?? "" }
      : null,
  };
}
