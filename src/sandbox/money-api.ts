import * as v from "valibot";
import { accepted, rejected } from "../kernel/result.ts";
import { refundIntent } from "./intent.ts";
import { listOperation, type Answer, type Operation } from "./operation.ts";
import * as p from "./parameters.ts";
import { chargeIdOf, intentIdOfCharge, type Payout, type Refund, type Transfer } from "./records.ts";
import { badParameter, impossible, missing } from "./refusal.ts";
import { book, emitCharge, loadIntent, saveIntent, type Turn } from "./turn.ts";
import { balanceToWire, bookingToWire, payoutToWire, refundToWire, transferToWire, type Wire } from "./wire.ts";

/* Money that leaves: refunds, transfers to parties, payouts to the bank; and the balance that they move. */

/** The sandbox's bank is quick: a payout has arrived after this. */
export const PAYOUT_MS = 5_000;

const refundSchema = v.strictObject({
  payment_intent: v.optional(p.text(200)),
  charge: v.optional(p.text(200)),
  amount: v.optional(p.integer(0, 99_999_999)),
  reason: v.optional(v.picklist(["duplicate", "fraudulent", "requested_by_customer"])),
  metadata: v.optional(p.metadata),
  expand: p.expand,
});

function refund(turn: Turn, params: v.InferOutput<typeof refundSchema>): Answer {
  const id = params.payment_intent ?? (params.charge === undefined ? null : intentIdOfCharge(params.charge));
  if (id === null) return rejected(badParameter("payment_intent", "One of the following params should be provided for this request: payment_intent or charge.", "parameter_missing"));
  const intent = loadIntent(turn, id);
  if (intent === null) return rejected({ ...missing("payment_intent", id), param: "payment_intent" });
  // The bank has already taken a disputed amount back: refunding it would pay twice.
  if (intent.dispute !== null && turn.shelf.find("dp", intent.dispute)?.status !== "won") {
    return rejected(impossible("charge_disputed", `The charge of ${id} has been charged back; it cannot be refunded.`));
  }
  const refunded = refundIntent(intent, params.amount ?? null);
  if (!refunded.ok) return refunded;
  const refundId = turn.newId("re");
  const booking = book(turn, {
    type: "refund", category: "refund", amountMinor: -refunded.value.amountMinor, feeMinor: 0, currency: intent.currency, source: refundId, description: null,
  });
  const entry: Refund = {
    id: refundId, createdAt: turn.now, intent: intent.id, amountMinor: refunded.value.amountMinor, currency: intent.currency,
    reason: params.reason ?? null, metadata: params.metadata ?? {}, booking: booking.id,
  };
  turn.shelf.add("re", entry, { payment_intent: intent.id, charge: chargeIdOf(intent) });
  saveIntent(turn, refunded.value.intent);
  turn.events.push({ type: "refund.created", subject: intent.id, object: refundToWire(entry) });
  emitCharge(turn, "charge.refunded", refunded.value.intent);
  return accepted(refundToWire(entry));
}

const transferSchema = v.strictObject({
  amount: p.integer(1, 99_999_999),
  currency: p.currency,
  destination: p.text(200),
  description: v.optional(p.clearableText(1_000)),
  transfer_group: v.optional(p.text(255)),
  source_transaction: v.optional(p.text(200)),
  source_type: v.optional(v.picklist(["card"])),
  metadata: v.optional(p.metadata),
  expand: p.expand,
});

function transfer(turn: Turn, params: v.InferOutput<typeof transferSchema>): Answer {
  const source = params.source_transaction ?? null;
  if (source !== null) {
    const intent = loadIntent(turn, intentIdOfCharge(source));
    if (intent === null || chargeIdOf(intent) !== source) return rejected({ ...missing("charge", source), param: "source_transaction" });
  }
  if (turn.shelf.balance(params.currency) < params.amount) return rejected(impossible("balance_insufficient", "You have insufficient available funds for this transfer."));
  const id = turn.newId("tr");
  const booking = book(turn, { type: "transfer", category: "transfer", amountMinor: -params.amount, feeMinor: 0, currency: params.currency, source: id, description: params.description ?? null });
  const entry: Transfer = {
    id, createdAt: turn.now, amountMinor: params.amount, currency: params.currency, destination: params.destination, description: params.description ?? null,
    transferGroup: params.transfer_group ?? null, sourceCharge: source, metadata: params.metadata ?? {}, booking: booking.id,
  };
  turn.shelf.add("tr", entry, { destination: entry.destination, transfer_group: entry.transferGroup });
  turn.events.push({ type: "transfer.created", subject: id, object: transferToWire(entry) });
  return accepted(transferToWire(entry));
}

const payoutSchema = v.strictObject({
  amount: p.integer(1, 99_999_999),
  currency: p.currency,
  description: v.optional(p.clearableText(1_000)),
  statement_descriptor: v.optional(p.clearableText(22)),
  method: v.optional(v.picklist(["standard"])),
  metadata: v.optional(p.metadata),
  expand: p.expand,
});

function payout(turn: Turn, params: v.InferOutput<typeof payoutSchema>): Answer {
  if (turn.shelf.balance(params.currency) < params.amount) return rejected(impossible("balance_insufficient", "You have insufficient funds in your account for this payout."));
  const id = turn.newId("po");
  const booking = book(turn, { type: "payout", category: "payout", amountMinor: -params.amount, feeMinor: 0, currency: params.currency, source: id, description: params.description ?? null });
  const entry: Payout = {
    id, createdAt: turn.now, status: "in_transit", amountMinor: params.amount, currency: params.currency, description: params.description ?? null,
    statementDescriptor: params.statement_descriptor ?? null, arrivesAt: turn.now + PAYOUT_MS, metadata: params.metadata ?? {}, booking: booking.id,
  };
  turn.shelf.add("po", entry, {});
  turn.shelf.schedule(id, entry.arrivesAt);
  turn.events.push({ type: "payout.created", subject: id, object: payoutToWire(entry) });
  return accepted(payoutToWire(entry));
}

function creating<Schema extends v.GenericSchema<unknown, unknown>>(name: string, path: string, schema: Schema, run: (turn: Turn, params: v.InferOutput<Schema>) => Answer): Operation {
  return {
    name, path, method: "POST",
    run(turn, _id, tree) {
      const read = p.readParameters(schema, tree);
      return read.ok ? run(turn, read.value) : read;
    },
  };
}

const onlyExpand = v.strictObject({ expand: p.expand });

/** An endpoint that shows one record; `what` is the kind's name in a refusal. */
export function retrieving(name: string, path: string, what: string, find: (turn: Turn, id: string) => Wire | null): Operation {
  return {
    name, path, method: "GET",
    run(turn, id, tree) {
      const read = p.readParameters(onlyExpand, tree);
      if (!read.ok) return read;
      const found = find(turn, id);
      return found === null ? rejected(missing(what, id)) : accepted(found);
    },
  };
}

export const MONEY_OPERATIONS: readonly Operation[] = [
  creating("refunds.create", "refunds", refundSchema, refund),
  listOperation("re", "refunds.list", "refunds", ["payment_intent", "charge"], (_turn, entry) => refundToWire(entry)),
  retrieving("refunds.retrieve", "refunds/:id", "refund", (turn, id) => {
    const entry = turn.shelf.find("re", id);
    return entry === null ? null : refundToWire(entry);
  }),
  creating("transfers.create", "transfers", transferSchema, transfer),
  listOperation("tr", "transfers.list", "transfers", ["destination", "transfer_group"], (_turn, entry) => transferToWire(entry)),
  retrieving("transfers.retrieve", "transfers/:id", "transfer", (turn, id) => {
    const entry = turn.shelf.find("tr", id);
    return entry === null ? null : transferToWire(entry);
  }),
  creating("payouts.create", "payouts", payoutSchema, payout),
  listOperation("po", "payouts.list", "payouts", [], (_turn, entry) => payoutToWire(entry)),
  retrieving("payouts.retrieve", "payouts/:id", "payout", (turn, id) => {
    const entry = turn.shelf.find("po", id);
    return entry === null ? null : payoutToWire(entry);
  }),
  listOperation("txn", "balance_transactions.list", "balance_transactions", ["source", "type", "currency"], (_turn, entry) => bookingToWire(entry)),
  retrieving("balance_transactions.retrieve", "balance_transactions/:id", "balance_transaction", (turn, id) => {
    const entry = turn.shelf.find("txn", id);
    return entry === null ? null : bookingToWire(entry);
  }),
  retrieving("balance.retrieve", "balance", "balance", (turn) => balanceToWire(turn.shelf.balances())),
];
