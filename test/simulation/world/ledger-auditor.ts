import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { assert } from "../../../src/kernel/result.ts";
import { PROVIDER_ACCOUNT } from "../../../src/payment/provider.ts";
import type { OrderEvent } from "../../../src/settlement/order-event.ts";
import type { TransferView } from "../../../src/settlement/port.ts";

/*
 * The ledger counted again, with none of the product's arithmetic: parts are
 * computed here in fractions, and compared with what was stored.
 */

interface Balance {
  readonly inMinor: number;
  readonly outMinor: number;
  /** Neither posted nor voided. */
  readonly pendingMinor: number;
}

export function balanceOf(transfers: readonly TransferView[]): Balance {
  const resolved = new Set(transfers.map((row) => row.pendingId));
  const sum = (isIncluded: (row: TransferView) => boolean) => transfers.reduce((total, row) => (isIncluded(row) ? total + row.amountMinor : total), 0);
  return {
    inMinor: sum((row) => row.state === "posted" && row.debit === PROVIDER_ACCOUNT),
    outMinor: sum((row) => row.state === "posted" && row.credit === PROVIDER_ACCOUNT),
    pendingMinor: sum((row) => row.state === "pending" && !resolved.has(row.id)),
  };
}

/** What is true of one order's transfers at any moment. */
export function checkTransfers(transfers: readonly TransferView[], order: PlacedOrder): void {
  const byId = new Map<string, TransferView>();
  const resolved = new Set<string>();
  for (const row of transfers) {
    assert(!byId.has(row.id), "a transfer is written once");
    byId.set(row.id, row);
    assert(Number.isSafeInteger(row.amountMinor) && row.amountMinor > 0, "a transfer moves a whole amount above nothing");
    assert((row.debit === PROVIDER_ACCOUNT) !== (row.credit === PROVIDER_ACCOUNT), "a transfer is between the provider and a party");
    assert(row.currency === order.currency, "a transfer is in the currency of its order");
    if (row.state === "pending") continue;
    if (row.pendingId === null) {
      assert(row.state === "posted" && row.credit === PROVIDER_ACCOUNT, "what was never pending is money that goes back");
      continue;
    }
    const pending = byId.get(row.pendingId);
    assert(pending?.state === "pending" && pending.debit === row.debit && pending.credit === row.credit, "what is resolved was pending between the same two");
    assert(row.amountMinor <= pending.amountMinor, "no more is posted than was pending");
    assert(!resolved.has(row.pendingId), "a pending transfer is resolved once");
    resolved.add(row.pendingId);
  }
  for (const party of new Set(order.splits.map((rule) => rule.party))) {
    const took = transfers.reduce((sum, row) => (row.state === "posted" && row.credit === party ? sum + row.amountMinor : sum), 0);
    const gave = transfers.reduce((sum, row) => (row.state === "posted" && row.debit === party ? sum + row.amountMinor : sum), 0);
    assert(gave <= took, "no party gives back more than it got");
  }
}

/** Of dinars no card pays the third decimal; the other currencies of the worlds are paid to the last one. */
const stepOf = ({ currency }: PlacedOrder): number => (currency === "KWD" ? 10 : 1);

/** Where the money follows the hand-over, no more of it is taken than what was handed over costs. */
export function checkCaptures(order: PlacedOrder, events: readonly OrderEvent[]): void {
  const amounts = events.flatMap((event) => (event.kind === "captured" || event.kind === "refund_requested" ? [event.amountMinor] : []));
  assert(amounts.every((amountMinor) => amountMinor % stepOf(order) === 0), `only what a card can pay is captured or paid back: ${amounts.join(", ")} ${order.currency}`);
  if (order.capture === "at-once") return;
  const captured = events.reduce((sum, event) => (event.kind === "captured" ? sum + event.amountMinor : sum), 0);
  if (captured === 0) return;
  const handedOver = events.flatMap((event) => (event.kind === "fulfilled" ? event.lines : []));
  let costMinor = 0;
  for (const line of order.lines) {
    const units = handedOver.reduce((sum, given) => (given.sku === line.sku ? sum + given.quantity : sum), 0);
    costMinor += stepOf(order) * Math.ceil((line.totalMinor * Math.min(units, line.quantity)) / line.quantity / stepOf(order));
  }
  assert(captured <= costMinor, `no more is captured than was handed over: ${captured} of ${costMinor}`);
}

/** At the end: each party has what the rules that were stored with the order give it, and a refund takes from each in proportion. */
export function checkSplits(order: PlacedOrder, events: readonly OrderEvent[], transfers: readonly TransferView[]): void {
  const units = order.lines.reduce((sum, line) => sum + line.quantity, 0);
  const authorised = events.find((event) => event.kind === "authorised");
  if (authorised !== undefined && authorised.amountMinor > 0) {
    const promised = partsOf(order, units, authorised.amountMinor);
    const pended = new Map<string, number>();
    const first = transfers.filter((row) => row.at === authorised.at && row.state === "pending");
    for (const row of first) pended.set(row.credit, (pended.get(row.credit) ?? 0) + row.amountMinor);
    for (const [party, amountMinor] of promised ?? []) assert((pended.get(party) ?? 0) === amountMinor, `${party} is promised its part: ${pended.get(party) ?? 0} of ${amountMinor}`);
  }
  const captures = events.filter((event) => event.kind === "captured");
  const captured = captures.reduce((sum, event) => sum + event.amountMinor, 0);
  const posted = (of: "credit" | "debit", party: string) => transfers.reduce((sum, row) => (row.state === "posted" && row[of] === party ? sum + row.amountMinor : sum), 0);
  const isWhole = captured > 0 && captures.length === 1 && captured === order.totalMinor;
  for (const [party, amountMinor] of isWhole ? (partsOf(order, units, captured) ?? []) : []) {
    assert(posted("credit", party) === amountMinor, `${party} gets its part: ${posted("credit", party)} of ${amountMinor}`);
  }
  const back = events.reduce((sum, event) => (event.kind === "refunded" || (event.kind === "dispute_closed" && event.outcome === "lost") ? sum + event.amountMinor : sum), 0);
  for (const { party } of order.splits) {
    const share = captured === 0 ? 0 : (posted("credit", party) * back) / captured;
    assert(Math.abs(posted("debit", party) - share) <= order.splits.length, `${party} gives back its part of a refund: ${posted("debit", party)} of about ${share}`);
  }
}

/** What each party gets of an amount, or null where the rules promise more than there is. */
function partsOf(order: PlacedOrder, units: number, amountMinor: number): Map<string, number> | null {
  const parts = new Map<string, number>();
  let left = amountMinor;
  const give = (party: string, part: number) => {
    parts.set(party, (parts.get(party) ?? 0) + part);
    left -= part;
  };
  for (const rule of order.splits) if ("fixedMinor" in rule) give(rule.party, rule.fixedMinor * units);
  const shares = order.splits.flatMap((rule) => ("percent" in rule ? [{ party: rule.party, tenThousandths: Math.round(rule.percent * 10_000) }] : []));
  // The rest up to the whole takes part in the rounding like a party, and is given to nobody by it.
  const rest = 1_000_000 - shares.reduce((sum, share) => sum + share.tenThousandths, 0);
  const exact = [...shares, { party: "", tenThousandths: rest }].map((share, index) => {
    const product = BigInt(amountMinor) * BigInt(share.tenThousandths);
    return { ...share, index, whole: Number(product / 1_000_000n), fraction: product % 1_000_000n };
  });
  const unit = amountMinor - exact.reduce((sum, share) => sum + share.whole, 0);
  const lucky = exact.toSorted((a, b) => (a.fraction === b.fraction ? a.index - b.index : a.fraction > b.fraction ? -1 : 1)).slice(0, unit).map(({ index }) => index);
  for (const share of exact) if (share.party !== "") give(share.party, share.whole + (lucky.includes(share.index) ? 1 : 0));
  if (left < 0) return null;
  const remainder = order.splits.find((rule) => "remainder" in rule);
  if (remainder !== undefined) give(remainder.party, left);
  return parts;
}
