import { capturableMinor } from "./intent.ts";
import type { BooksReport, DisputeReport, PaymentReport, SessionReport } from "./port.ts";
import type { Dispute, Intent, Session } from "./records.ts";
import { ripenDue, type Turn } from "./turn.ts";
import type { DeliveryCounts } from "./webhooks.ts";

const seconds = (at: number): number => Math.floor(at / 1_000);

export function disputeToReport(dispute: Dispute): DisputeReport {
  const { id, intent, status, reason, amountMinor, currency } = dispute;
  return { id, payment_intent: intent, status, reason, amount: amountMinor, currency };
}

function sessionToReport(session: Session): SessionReport {
  return {
    id: session.id, status: session.status, client_reference_id: session.clientReference, payment_intent: session.intent, currency: session.currency,
    amount_total: session.amountMinor, metadata: session.metadata, created: seconds(session.createdAt), expires_at: seconds(session.expiresAt),
  };
}

function intentToReport(intent: Intent, session: Session | undefined, dispute: Dispute | undefined): PaymentReport {
  return {
    id: intent.id, session: intent.session, client_reference_id: session?.clientReference ?? null, status: intent.status, currency: intent.currency,
    amount: intent.amountMinor, amount_authorised: intent.authorisedAt === null ? 0 : intent.amountMinor, amount_capturable: capturableMinor(intent),
    amount_received: intent.capturedMinor, amount_refunded: intent.refundedMinor,
    amount_disputed: dispute === undefined || dispute.status === "won" ? 0 : dispute.amountMinor,
    metadata: intent.terms.metadata, created: seconds(intent.createdAt),
  };
}

function movementToReport({ id, amountMinor, currency, metadata, createdAt }: { id: string; amountMinor: number; currency: string; metadata: Readonly<Record<string, string>>; createdAt: number }) {
  return { id, amount: amountMinor, currency, metadata, created: seconds(createdAt) };
}

/** Everything the books hold, as the clock has left it: for whoever reconciles with them. */
export function reportOf(turn: Turn, webhooks: DeliveryCounts): BooksReport {
  while (ripenDue(turn, 500)) { /* until nothing is due */ }
  const { shelf } = turn;
  const sessions = shelf.all("cs_test");
  const sessionById = new Map(sessions.map((session) => [session.id, session]));
  const disputes = shelf.all("dp");
  const disputeById = new Map(disputes.map((dispute) => [dispute.id, dispute]));
  return {
    sessions: sessions.map(sessionToReport),
    paymentIntents: shelf.all("pi").map((intent) => intentToReport(intent, sessionById.get(intent.session ?? ""), disputeById.get(intent.dispute ?? ""))),
    refunds: shelf.all("re").map((refund) => ({ ...movementToReport(refund), payment_intent: refund.intent })),
    transfers: shelf.all("tr").map((transfer) => ({ ...movementToReport(transfer), destination: transfer.destination, transfer_group: transfer.transferGroup })),
    payouts: shelf.all("po").map((payout) => ({ ...movementToReport(payout), status: payout.status })),
    disputes: disputes.map(disputeToReport),
    balances: shelf.balances(),
    webhooks,
  };
}
