import { capturableMinor } from "./intent.ts";
import type { BooksReport, DisputeReport } from "./port.ts";
import type { Dispute } from "./records.ts";
import { ripenDue, type Turn } from "./turn.ts";
import type { DeliveryCounts } from "./webhooks.ts";

export function disputeToReport(dispute: Dispute): DisputeReport {
  const { id, intent, status, reason, amountMinor, currency } = dispute;
  return { id, intent, status, reason, amountMinor, currency };
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
    asOf: turn.now,
    sessions: sessions.map((session) => ({
      id: session.id, status: session.status, reference: session.clientReference, intent: session.intent, currency: session.currency,
      amountMinor: session.amountMinor, metadata: session.metadata, createdAt: session.createdAt, expiresAt: session.expiresAt,
    })),
    intents: shelf.all("pi").map((intent) => {
      const dispute = intent.dispute === null ? undefined : disputeById.get(intent.dispute);
      return {
        id: intent.id, session: intent.session, reference: intent.session === null ? null : (sessionById.get(intent.session)?.clientReference ?? null),
        status: intent.status, currency: intent.currency, amountMinor: intent.amountMinor, authorisedMinor: intent.authorisedAt === null ? 0 : intent.amountMinor,
        capturableMinor: capturableMinor(intent), capturedMinor: intent.capturedMinor, refundedMinor: intent.refundedMinor,
        disputedMinor: dispute === undefined || dispute.status === "won" ? 0 : dispute.amountMinor, metadata: intent.terms.metadata, createdAt: intent.createdAt,
      };
    }),
    refunds: shelf.all("re").map(({ id, intent, amountMinor, currency, createdAt }) => ({ id, intent, amountMinor, currency, createdAt })),
    transfers: shelf.all("tr").map(({ id, destination, transferGroup, amountMinor, currency, createdAt }) => ({ id, destination, transferGroup, amountMinor, currency, createdAt })),
    payouts: shelf.all("po").map(({ id, status, amountMinor, currency, createdAt }) => ({ id, status, amountMinor, currency, createdAt })),
    disputes: disputes.map(disputeToReport),
    balances: shelf.balances(),
    webhooks,
  };
}
