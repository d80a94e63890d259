import type { PlacedOrder } from "../checkout/placed-order.ts";
import type { Hashing } from "../kernel/hashing.ts";
import { idFromHash } from "../kernel/ids.ts";
import { assert } from "../kernel/result.ts";
import { PROVIDER_ACCOUNT } from "../payment/provider.ts";
import type { OrderEvent } from "./order-event.ts";
import type { TransferView } from "./port.ts";
import { fitParts, reversedParts, splitGoods } from "./split.ts";

/*
 * The ledger is a list of transfers, each with a debit and a credit account, so
 * that it balances by construction. An authorisation makes pending transfers
 * from the provider to the parties; each of them is posted or voided at most
 * once, by a new row that names it. What a partial capture leaves is pending
 * again under a new row. A refund is a posted transfer the other way round.
 */

/**
 * The transfers that an event causes, given those that the order already has.
 * Their ids come from the business event, so that writing them twice collides.
 */
export function transfersOf(order: PlacedOrder, existing: readonly TransferView[], event: OrderEvent, hashing: Hashing): TransferView[] {
  const row = (cause: string, fields: Pick<TransferView, "debit" | "credit" | "amountMinor" | "state" | "pendingId">): TransferView => ({
    id: idFromHash("trf", hashing.sha256(["transfer", order.id, cause, fields.state, fields.debit, fields.credit].join("\n"))),
    order: order.id, currency: order.currency, at: event.at, ...fields,
  });
  const pend = (cause: string, party: string, amountMinor: number) =>
    row(cause, { debit: PROVIDER_ACCOUNT, credit: party, amountMinor, state: "pending", pendingId: null });
  const resolve = (cause: string, pending: TransferView, state: "posted" | "voided", amountMinor: number) =>
    row(cause, { debit: pending.debit, credit: pending.credit, amountMinor, state, pendingId: pending.id });

  switch (event.kind) {
    case "authorised": {
      const units = order.lines.reduce((sum, line) => sum + line.quantity, 0);
      return splitGoods(order.splits, units, event.amountMinor)
        .filter((part) => part.amountMinor > 0)
        .map((part) => pend(`authorise/${event.payment}`, part.party, part.amountMinor));
    }
    case "captured": {
      const cause = `capture/${event.payment}/${postedMinor(existing)}`;
      const pending = openPendings(existing);
      const wanted = splitGoods(order.splits, event.units, event.amountMinor);
      const amounts = fitParts(
        pending.map((transfer) => wanted.find((part) => part.party === transfer.credit)?.amountMinor ?? 0),
        pending.map((transfer) => transfer.amountMinor),
        event.amountMinor,
      );
      return pending.flatMap((transfer, index) => captureOne(transfer, amounts[index] ?? 0));

      function captureOne(transfer: TransferView, amountMinor: number): TransferView[] {
        if (amountMinor === 0) return event.kind === "captured" && event.isFinal ? [resolve(cause, transfer, "voided", transfer.amountMinor)] : [];
        const posted = resolve(cause, transfer, "posted", amountMinor);
        const restMinor = transfer.amountMinor - amountMinor;
        if (restMinor === 0) return [posted];
        const rest = pend(`${cause}/rest`, transfer.credit, restMinor);
        const isFinal = event.kind === "captured" && event.isFinal;
        return isFinal ? [posted, rest, resolve(cause, rest, "voided", restMinor)] : [posted, rest];
      }
    }
    case "voided":
      return openPendings(existing).map((transfer) => resolve(`void/${event.payment}`, transfer, "voided", transfer.amountMinor));
    case "refunded":
      return reverse(existing, event.amountMinor, `refund/${event.refund}`, row);
    case "dispute_closed":
      return event.outcome === "lost" ? reverse(existing, event.amountMinor, `dispute/${event.dispute}`, row) : [];
    default:
      return [];
  }
}

type RowMaker = (cause: string, fields: Pick<TransferView, "debit" | "credit" | "amountMinor" | "state" | "pendingId">) => TransferView;

/** Takes `amountMinor` back from the parties in proportion to what they got. */
function reverse(existing: readonly TransferView[], amountMinor: number, cause: string, row: RowMaker): TransferView[] {
  const parties = partyBalances(existing);
  const reversed = parties.reduce((sum, party) => sum + party.reversedMinor, 0);
  const posted = parties.reduce((sum, party) => sum + party.postedMinor, 0);
  assert(reversed + amountMinor <= posted, "no more is taken back than was captured");
  const target = reversedParts(parties.map((party) => party.postedMinor), reversed + amountMinor);
  const amounts = fitParts(
    parties.map((party, index) => (target[index] ?? 0) - party.reversedMinor),
    parties.map((party) => party.postedMinor - party.reversedMinor),
    amountMinor,
  );
  return parties.flatMap((party, index) => {
    const amount = amounts[index] ?? 0;
    return amount === 0 ? [] : [row(cause, { debit: party.party, credit: PROVIDER_ACCOUNT, amountMinor: amount, state: "posted", pendingId: null })];
  });
}

/** Pending transfers that were neither posted nor voided, in the order in which they were made. */
function openPendings(transfers: readonly TransferView[]): TransferView[] {
  const resolved = new Set(transfers.map((transfer) => transfer.pendingId));
  return transfers.filter((transfer) => transfer.state === "pending" && !resolved.has(transfer.id));
}

function partyBalances(transfers: readonly TransferView[]): { party: string; postedMinor: number; reversedMinor: number }[] {
  const balances = new Map<string, { party: string; postedMinor: number; reversedMinor: number }>();
  for (const transfer of transfers) {
    if (transfer.state !== "posted") continue;
    const isReversal = transfer.credit === PROVIDER_ACCOUNT;
    const party = isReversal ? transfer.debit : transfer.credit;
    const balance = balances.get(party) ?? { party, postedMinor: 0, reversedMinor: 0 };
    if (isReversal) balance.reversedMinor += transfer.amountMinor;
    else balance.postedMinor += transfer.amountMinor;
    balances.set(party, balance);
  }
  return [...balances.values()];
}

function postedMinor(transfers: readonly TransferView[]): number {
  return partyBalances(transfers).reduce((sum, party) => sum + party.postedMinor, 0);
}
