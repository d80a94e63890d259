import * as v from "valibot";
import { accepted, rejected } from "../kernel/result.ts";
import { cardFace, cardFromText } from "./cards.ts";
import { cancelIntent, captureIntent, newIntent, type CaptureStep, type NewIntent } from "./intent.ts";
import { listOperation, type Answer, type Operation } from "./operation.ts";
import * as p from "./parameters.ts";
import { chargeIdOf, intentIdOfCharge, type Intent } from "./records.ts";
import { badParameter, cardRefused, impossible, missing } from "./refusal.ts";
import { intentTerms, methodOptions, termsFrom } from "./sessions-api.ts";
import { isChargeable, WHOLE_TENS } from "./session.ts";
import { bookCapture, emitCharge, emitIntent, loadIntent, loadSession, presentCard, saveIntent, type Turn } from "./turn.ts";
import { chargeToWire, intentToWire } from "./wire.ts";

/** Opens an intent in the books and says so. */
export function addIntent(turn: Turn, from: Omit<NewIntent, "id" | "now">): Intent {
  const intent = newIntent({ ...from, id: turn.newId("pi"), now: turn.now });
  turn.shelf.add("pi", intent, { customer: intent.customer, transfer_group: intent.terms.transferGroup });
  emitIntent(turn, "payment_intent.created", intent);
  return intent;
}

const createSchema = v.strictObject({
  ...intentTerms,
  amount: p.integer(1, 99_999_999),
  currency: p.currency,
  customer: v.optional(p.text(200)),
  confirm: v.optional(p.flag),
  payment_method: v.optional(p.text(200)),
  off_session: v.optional(v.unknown()),
  payment_method_types: v.optional(v.unknown()),
  automatic_payment_methods: v.optional(v.unknown()),
  payment_method_options: methodOptions,
  return_url: v.optional(p.webAddress),
  expand: p.expand,
});

function create(turn: Turn, params: v.InferOutput<typeof createSchema>): Answer {
  if (params.customer !== undefined && turn.shelf.find("cus", params.customer) === null) {
    return rejected({ ...missing("customer", params.customer), param: "customer" });
  }
  if (params.confirm === true && params.payment_method === undefined) {
    return rejected(badParameter("payment_method", "Missing required param: payment_method.", "parameter_missing"));
  }
  if (!isChargeable(params.amount, params.currency)) return rejected(badParameter("amount", WHOLE_TENS));
  const intent = addIntent(turn, { amountMinor: params.amount, currency: params.currency, terms: termsFrom(params, params.payment_method_options), session: null, customer: params.customer ?? null });
  return params.confirm === true ? confirm(turn, intent, params.payment_method ?? "") : accepted(intentToWire(intent));
}

function confirm(turn: Turn, intent: Intent, method: string): Answer {
  const card = cardFromText(method);
  if (card === null) return rejected({ ...missing("payment_method", method), status: 400, param: "payment_method" });
  if (intent.status !== "requires_payment_method") {
    return rejected(impossible("payment_intent_unexpected_state", `You cannot confirm this PaymentIntent because it has a status of ${intent.status}.`));
  }
  const paid = presentCard(turn, intent, cardFace(card), card.verdict);
  return paid.lastError === null ? accepted(intentToWire(paid)) : rejected(cardRefused(paid.lastError, paid.id));
}

function capture(turn: Turn, intent: Intent, step: CaptureStep): Answer {
  const captured = captureIntent(intent, step, turn.now);
  if (!captured.ok) return captured;
  const booked = bookCapture(turn, captured.value.intent, captured.value.stepMinor);
  saveIntent(turn, booked);
  if (captured.value.stepMinor > 0) emitCharge(turn, "charge.captured", booked);
  emitIntent(turn, booked.status === "succeeded" ? "payment_intent.succeeded" : "payment_intent.amount_capturable_updated", booked);
  return accepted(intentToWire(booked));
}

function cancel(turn: Turn, intent: Intent, reason: string | null): Answer {
  const session = intent.session === null ? null : loadSession(turn, intent.session);
  if (session?.status === "open") {
    return rejected(impossible("payment_intent_unexpected_state", "You cannot cancel the PaymentIntent of an open Checkout Session. Expire the Checkout Session instead."));
  }
  // Reading the session may have ended it, and its intent with it.
  const canceled = cancelIntent(loadIntent(turn, intent.id) ?? intent, reason, turn.now);
  if (!canceled.ok) return canceled;
  saveIntent(turn, canceled.value);
  emitIntent(turn, "payment_intent.canceled", canceled.value);
  return accepted(intentToWire(canceled.value));
}

/** An endpoint on an intent that exists, with its parameters read strictly. */
function onIntent<Schema extends v.GenericSchema<unknown, unknown>>(
  schema: Schema, run: (turn: Turn, intent: Intent, params: v.InferOutput<Schema>) => Answer,
): Operation["run"] {
  return (turn, id, tree) => {
    const read = p.readParameters(schema, tree);
    if (!read.ok) return read;
    const intent = loadIntent(turn, id);
    return intent === null ? rejected(missing("payment_intent", id)) : run(turn, intent, read.value);
  };
}

const retrieveSchema = v.strictObject({ expand: p.expand, client_secret: v.optional(v.string()) });
const captureSchema = v.strictObject({
  amount_to_capture: v.optional(p.integer(0, 99_999_999)), final_capture: v.optional(p.flag), metadata: v.optional(p.metadata),
  statement_descriptor: v.optional(v.unknown()), statement_descriptor_suffix: v.optional(v.unknown()), expand: p.expand,
});
const cancelSchema = v.strictObject({
  cancellation_reason: v.optional(v.picklist(["abandoned", "duplicate", "fraudulent", "requested_by_customer"])), expand: p.expand,
});
const confirmSchema = v.strictObject({ payment_method: p.text(200), return_url: v.optional(p.webAddress), off_session: v.optional(v.unknown()), expand: p.expand });

export const INTENT_OPERATIONS: readonly Operation[] = [
  {
    name: "intents.create", method: "POST", path: "payment_intents",
    run(turn, _id, tree) {
      const read = p.readParameters(createSchema, tree);
      return read.ok ? create(turn, read.value) : read;
    },
  },
  listOperation("pi", "intents.list", "payment_intents", ["customer", "transfer_group"], (turn, intent) => intentToWire(loadIntent(turn, intent.id) ?? intent)),
  { name: "intents.retrieve", method: "GET", path: "payment_intents/:id", run: onIntent(retrieveSchema, (_turn, intent) => accepted(intentToWire(intent))) },
  { name: "intents.confirm", method: "POST", path: "payment_intents/:id/confirm", run: onIntent(confirmSchema, (turn, intent, params) => confirm(turn, intent, params.payment_method)) },
  {
    name: "intents.capture", method: "POST", path: "payment_intents/:id/capture",
    run: onIntent(captureSchema, (turn, intent, params) => capture(turn, intent, { amountMinor: params.amount_to_capture ?? null, isFinal: params.final_capture ?? true })),
  },
  {
    name: "intents.cancel", method: "POST", path: "payment_intents/:id/cancel",
    run: onIntent(cancelSchema, (turn, intent, params) => cancel(turn, intent, params.cancellation_reason ?? null)),
  },
  {
    name: "charges.retrieve", method: "GET", path: "charges/:id",
    run(turn, id, tree) {
      const read = p.readParameters(v.strictObject({ expand: p.expand }), tree);
      if (!read.ok) return read;
      const intent = loadIntent(turn, intentIdOfCharge(id));
      return intent === null || chargeIdOf(intent) !== id ? rejected(missing("charge", id)) : accepted(chargeToWire(intent, id));
    },
  },
];
