import * as v from "valibot";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { disputeFeeMinor } from "./fees.ts";
import { retrieving } from "./money-api.ts";
import { listOperation, type Answer, type Operation } from "./operation.ts";
import * as p from "./parameters.ts";
import { chargeIdOf, type Customer, type Dispute } from "./records.ts";
import { impossible, missing, type Refusal } from "./refusal.ts";
import { book, bookingsOf, loadIntent, saveIntent, type Turn } from "./turn.ts";
import { customerToWire, disputeToWire, type Wire } from "./wire.ts";

/* Customers, their disputes, and the events that tell about everything. */

const EVIDENCE_MS = 7 * 24 * 60 * 60 * 1_000;

const customerSchema = v.strictObject({
  email: v.optional(p.clearableText(512)),
  name: v.optional(p.clearableText(256)),
  phone: v.optional(p.clearableText(50)),
  description: v.optional(p.clearableText(350)),
  metadata: v.optional(p.metadata),
  address: v.optional(v.unknown()),
  shipping: v.optional(v.unknown()),
  preferred_locales: v.optional(v.unknown()),
  expand: p.expand,
});

function addCustomer(turn: Turn, params: v.InferOutput<typeof customerSchema>): Answer {
  const customer: Customer = {
    id: turn.newId("cus"), createdAt: turn.now, email: params.email ?? null, name: params.name ?? null, phone: params.phone ?? null,
    description: params.description ?? null, metadata: params.metadata ?? {},
  };
  turn.shelf.add("cus", customer, { email: customer.email });
  turn.events.push({ type: "customer.created", subject: customer.id, object: customerToWire(customer) });
  return accepted(customerToWire(customer));
}

function disputeView(turn: Turn, dispute: Dispute): Wire {
  return disputeToWire(dispute, bookingsOf(turn, dispute));
}

function saveDispute(turn: Turn, dispute: Dispute, types: readonly string[]): void {
  turn.shelf.update("dp", dispute);
  for (const type of types) turn.events.push({ type, subject: dispute.intent, object: disputeView(turn, dispute) });
}

export interface DisputeOpening {
  readonly intent: string;
  readonly reason: string;
  /** Null: everything that was captured and not refunded, or all of the capture when nothing is left. */
  readonly amountMinor: number | null;
}

/** A cardholder's bank takes a captured payment back, with a fee, until the dispute is decided. */
export function openDispute(turn: Turn, opening: DisputeOpening): Result<Dispute, Refusal> {
  const intent = loadIntent(turn, opening.intent);
  if (intent === null) return rejected(missing("payment_intent", opening.intent));
  if (intent.capturedMinor === 0) return rejected(impossible("payment_intent_unexpected_state", "Only a captured payment can be disputed."));
  if (intent.dispute !== null) return rejected(impossible("charge_disputed", "This payment is disputed already."));
  const amountMinor = opening.amountMinor ?? (intent.capturedMinor - intent.refundedMinor || intent.capturedMinor);
  if (amountMinor < 1 || amountMinor > intent.capturedMinor) return rejected(impossible("amount_too_large", "A dispute is over at most what was captured.", "amount"));
  const id = turn.newId("dp");
  const booking = book(turn, {
    type: "adjustment", category: "dispute", amountMinor: -amountMinor, feeMinor: disputeFeeMinor(intent.currency), currency: intent.currency, source: id,
    description: `Chargeback withdrawal for ${chargeIdOf(intent)}`,
  });
  const dispute: Dispute = {
    id, createdAt: turn.now, status: "needs_response", intent: intent.id, amountMinor, currency: intent.currency, reason: opening.reason,
    evidenceDueAt: turn.now + EVIDENCE_MS, closedAt: null, bookings: [booking.id],
  };
  turn.shelf.add("dp", dispute, { payment_intent: intent.id, charge: chargeIdOf(intent) });
  saveIntent(turn, { ...intent, dispute: id });
  saveDispute(turn, dispute, ["charge.dispute.created", "charge.dispute.funds_withdrawn"]);
  return accepted(dispute);
}

/** Decides a dispute once: won gives the amount back (the fee is not), lost leaves it gone. */
export function closeDispute(turn: Turn, id: string, outcome: "won" | "lost"): Result<Dispute, Refusal> {
  const dispute = turn.shelf.find("dp", id);
  if (dispute === null) return rejected(missing("dispute", id));
  if (dispute.status !== "needs_response") return rejected(impossible("dispute_closed", `This dispute is already ${dispute.status}.`));
  const closed: Dispute = { ...dispute, status: outcome, closedAt: turn.now };
  if (outcome === "lost") {
    saveDispute(turn, closed, ["charge.dispute.closed"]);
    return accepted(closed);
  }
  const booking = book(turn, {
    type: "adjustment", category: "dispute_reversal", amountMinor: dispute.amountMinor, feeMinor: 0, currency: dispute.currency, source: id, description: "Chargeback reversal",
  });
  const won: Dispute = { ...closed, bookings: [...closed.bookings, booking.id] };
  saveDispute(turn, won, ["charge.dispute.closed", "charge.dispute.funds_reinstated"]);
  return accepted(won);
}

export const PEOPLE_OPERATIONS: readonly Operation[] = [
  {
    name: "customers.create", method: "POST", path: "customers",
    run(turn, _id, tree) {
      const read = p.readParameters(customerSchema, tree);
      return read.ok ? addCustomer(turn, read.value) : read;
    },
  },
  listOperation("cus", "customers.list", "customers", ["email"], (_turn, customer) => customerToWire(customer)),
  retrieving("customers.retrieve", "customers/:id", "customer", (turn, id) => {
    const customer = turn.shelf.find("cus", id);
    return customer === null ? null : customerToWire(customer);
  }),
  listOperation("dp", "disputes.list", "disputes", ["payment_intent", "charge"], disputeView),
  retrieving("disputes.retrieve", "disputes/:id", "dispute", (turn, id) => {
    const dispute = turn.shelf.find("dp", id);
    return dispute === null ? null : disputeView(turn, dispute);
  }),
  {
    // The merchant gives in: that is what closing means in the API.
    name: "disputes.close", method: "POST", path: "disputes/:id/close",
    run(turn, id) {
      const closed = closeDispute(turn, id, "lost");
      return closed.ok ? accepted(disputeView(turn, closed.value)) : closed;
    },
  },
  listOperation("evt", "events.list", "events", ["type"], (_turn, event) => event.body),
  retrieving("events.retrieve", "events/:id", "event", (turn, id) => turn.shelf.find("evt", id)?.body ?? null),
];
