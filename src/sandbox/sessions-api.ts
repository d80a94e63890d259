import * as v from "valibot";
import { accepted, rejected } from "../kernel/result.ts";
import { listOperation, type Answer, type Operation } from "./operation.ts";
import * as p from "./parameters.ts";
import type { Session, SessionLine } from "./records.ts";
import { badParameter, missing } from "./refusal.ts";
import { expireSession, isChargeable, sessionEnd, WHOLE_TENS } from "./session.ts";
import { closeUnpaid, loadIntent, loadSession, sessionView, type Turn } from "./turn.ts";
import { linesToWire, type Wire } from "./wire.ts";

const ignored = v.optional(v.unknown());

const lineItem = v.strictObject({
  price_data: v.strictObject({
    currency: p.currency,
    unit_amount: p.amount,
    product_data: v.strictObject({
      name: p.text(250), description: v.optional(p.clearableText(5_000)), metadata: v.optional(p.metadata), images: ignored, tax_code: ignored, unit_label: ignored,
    }),
    // "exclusive" would add tax to the price, which the sandbox does not reckon.
    tax_behavior: v.optional(v.picklist(["inclusive", "unspecified"])),
  }),
  quantity: p.integer(1, 10_000),
  metadata: v.optional(p.metadata),
});

export const intentTerms = {
  capture_method: v.optional(v.picklist(["automatic", "automatic_async", "manual"])),
  description: v.optional(p.clearableText(1_000)),
  metadata: v.optional(p.metadata),
  receipt_email: v.optional(p.clearableText(512)),
  statement_descriptor: v.optional(p.clearableText(22)),
  statement_descriptor_suffix: ignored,
  transfer_group: v.optional(p.text(255)),
  setup_future_usage: ignored,
  shipping: ignored,
};

export const methodOptions = v.optional(v.looseObject({ card: v.optional(v.looseObject({ request_multicapture: v.optional(v.picklist(["if_available", "never"])) })) }));

/*
 * Members that change what a shopper sees but not what is paid are taken and
 * ignored. Those that would change an amount (discounts, shipping rates,
 * exclusive tax) are unknown here and refused: ignoring them would charge
 * something else than the caller means.
 */
const createSchema = v.strictObject({
  mode: v.literal("payment"),
  ui_mode: v.optional(v.picklist(["hosted", "hosted_page"])),
  line_items: v.pipe(p.list(lineItem, 100), v.minLength(1, "A session needs a line item.")),
  currency: v.optional(p.currency),
  success_url: p.webAddress,
  cancel_url: v.optional(p.webAddress),
  client_reference_id: v.optional(p.text(200)),
  customer: v.optional(p.text(200)),
  customer_email: v.optional(p.text(512)),
  expires_at: v.optional(p.integer(0, 9_999_999_999)),
  locale: v.optional(v.pipe(v.string(), v.regex(/^(auto|[a-z]{2,3}(-[A-Za-z0-9]{2,4})?)$/, "Invalid locale."))),
  metadata: v.optional(p.metadata),
  payment_intent_data: v.optional(v.strictObject(intentTerms)),
  branding_settings: v.optional(v.looseObject({ display_name: v.optional(p.clearableText(200)) })),
  expand: p.expand,
  payment_method_types: ignored, allowed_payment_method_types: ignored, excluded_payment_method_types: ignored, payment_method_options: methodOptions, payment_method_configuration: ignored,
  submit_type: ignored, customer_creation: ignored, customer_update: ignored, billing_address_collection: ignored, phone_number_collection: ignored,
  name_collection: ignored, custom_text: ignored, custom_fields: ignored, consent_collection: ignored, origin_context: ignored,
  saved_payment_method_options: methodOptions, wallet_options: ignored, integration_identifier: ignored, shipping_address_collection: ignored,
});

type CreateParameters = v.InferOutput<typeof createSchema>;

export function termsFrom(
  data: v.InferOutput<v.StrictObjectSchema<typeof intentTerms, undefined>> | undefined, options: v.InferOutput<typeof methodOptions>,
): Session["terms"] {
  const isManual = data?.capture_method === "manual";
  return {
    captureMethod: isManual ? "manual" : "automatic",
    isMulticapture: isManual && options?.card?.request_multicapture === "if_available",
    description: data?.description ?? null, metadata: data?.metadata ?? {}, receiptEmail: data?.receipt_email ?? null,
    statementDescriptor: data?.statement_descriptor ?? null, transferGroup: data?.transfer_group ?? null,
  };
}

function create(turn: Turn, params: CreateParameters): Answer {
  const [first] = params.line_items;
  const currency = first?.price_data.currency ?? "";
  const stray = params.line_items.findIndex((line) => line.price_data.currency !== currency);
  if (stray !== -1 || (params.currency ?? currency) !== currency) {
    return rejected(badParameter(`line_items[${Math.max(stray, 0)}][price_data][currency]`, "All line items of a session have the same currency."));
  }
  const lines: SessionLine[] = params.line_items.map(({ price_data: price, quantity }) => ({
    id: turn.newId("li"), name: price.product_data.name, description: price.product_data.description ?? null, unitAmountMinor: price.unit_amount, quantity,
  }));
  const amountMinor = lines.reduce((sum, line) => sum + line.unitAmountMinor * line.quantity, 0);
  if (amountMinor < 1 || amountMinor > 99_999_999) {
    return rejected(badParameter("line_items", "The Checkout Session's total amount due must be between 1 and 99999999 in minor units.", amountMinor < 1 ? "amount_too_small" : "amount_too_large"));
  }
  if (!isChargeable(amountMinor, currency)) return rejected(badParameter("line_items", WHOLE_TENS));
  const end = sessionEnd(params.expires_at ?? null, turn.now);
  if (!end.ok) return end;
  const customer = params.customer === undefined ? null : turn.shelf.find("cus", params.customer);
  if (params.customer !== undefined && customer === null) return rejected({ ...missing("customer", params.customer), param: "customer" });
  const session: Session = {
    id: turn.newId("cs_test"), createdAt: turn.now, status: "open", currency, amountMinor, lines,
    storeName: params.branding_settings?.display_name ?? null, locale: params.locale === "auto" ? null : (params.locale ?? null),
    clientReference: params.client_reference_id ?? null, customer: customer?.id ?? null, email: params.customer_email ?? customer?.email ?? null,
    metadata: params.metadata ?? {}, successUrl: params.success_url, cancelUrl: params.cancel_url ?? null, expiresAt: end.value,
    terms: termsFrom(params.payment_intent_data, params.payment_method_options), intent: null,
  };
  turn.shelf.add("cs_test", session, { customer: session.customer, client_reference_id: session.clientReference });
  turn.shelf.schedule(session.id, session.expiresAt);
  return accepted(sessionView(turn, session));
}

function expire(turn: Turn, id: string): Answer {
  const session = loadSession(turn, id);
  if (session === null) return rejected(missing("checkout.session", id));
  const expired = expireSession(session);
  if (!expired.ok) return expired;
  closeUnpaid(turn, expired.value);
  return accepted(sessionView(turn, expired.value));
}

/** A session asked for by the id of its payment, or newest first. */
const list = listOperation("cs_test", "sessions.list", "checkout/sessions", ["payment_intent", "customer", "client_reference_id"], (turn, listed) => {
  return sessionView(turn, loadSession(turn, listed.id) ?? listed);
});

const onlyExpand = v.strictObject({ expand: p.expand });

function retrieve(turn: Turn, id: string): Answer {
  const session = loadSession(turn, id);
  if (session === null) return rejected(missing("checkout.session", id));
  if (session.intent !== null) loadIntent(turn, session.intent);
  return accepted(sessionView(turn, session));
}

function lines(turn: Turn, id: string): Answer {
  const session = turn.shelf.find("cs_test", id);
  return session === null ? rejected(missing("checkout.session", id)) : accepted(linesToWire(session));
}

function withoutParameters(run: (turn: Turn, id: string) => Answer): Operation["run"] {
  return (turn, id, tree) => {
    const read = p.readParameters(onlyExpand, tree);
    return read.ok ? run(turn, id) : read;
  };
}

export const SESSION_OPERATIONS: readonly Operation[] = [
  {
    name: "sessions.create", method: "POST", path: "checkout/sessions",
    run(turn, _id, tree) {
      const read = p.readParameters(createSchema, tree);
      return read.ok ? create(turn, read.value) : read;
    },
  },
  list,
  { name: "sessions.retrieve", method: "GET", path: "checkout/sessions/:id", run: withoutParameters(retrieve) },
  { name: "sessions.expire", method: "POST", path: "checkout/sessions/:id/expire", run: withoutParameters(expire) },
  {
    name: "sessions.lines", method: "GET", path: "checkout/sessions/:id/line_items",
    run(turn, id, tree) {
      const read = p.readParameters(v.strictObject({ limit: v.optional(p.integer(1, 100)), expand: p.expand }), tree);
      return read.ok ? lines(turn, id) : read;
    },
  },
];

/** The lines of a session, for who asks to have them within it. */
export function sessionLines(turn: Turn, id: string): Wire | null {
  const session = turn.shelf.find("cs_test", id);
  return session === null ? null : linesToWire(session);
}
