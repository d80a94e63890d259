import type { Line } from "../drop/port.ts";
import { canonicalJson } from "../kernel/canonical.ts";
import { payableStep } from "../kernel/money.ts";
import type { Result } from "../kernel/result.ts";
import { accepted, rejected } from "../kernel/result.ts";
import type { LineBook, OrderBook } from "./order-book.ts";
import { applyEvent, refundableMinor, unitsOpen, unitsTotal } from "./order-book.ts";
import type { OrderEvent } from "./order-event.ts";
import type { FulfilCommand, MoneyRejection, RefundCommand } from "./port.ts";

type Decision = Result<readonly OrderEvent[], MoneyRejection>;

/**
 * Decides a hand-over. No event means that this very hand-over is recorded
 * already. Nothing is handed over before the drop sold it, or after the money
 * went back.
 */
export function decideFulfilment(book: OrderBook, command: FulfilCommand, at: number): Decision {
  const known = book.fulfilments.find((fulfilment) => fulfilment.fulfilment === command.id);
  if (known !== undefined) return isSame(known.requested, command.lines) ? accepted([]) : rejected({ code: "id_reused" });
  if (book.verdict !== "sold" || book.isCancelled || book.isVoided) return rejected({ code: "fulfilment_not_possible" });
  const unknown = unknownSku(book, command.lines);
  if (unknown !== null) return rejected(unknown);
  const open = unitsOpen(book);
  const lines = merged(command.lines ?? open);
  if (lines.length === 0 || !lines.every((line) => line.quantity >= 1 && line.quantity <= quantityOf(open, line.sku))) {
    return rejected({ code: "fulfilment_not_possible" });
  }
  return accepted([{ kind: "fulfilled", at, fulfilment: command.id, requested: command.lines, lines }]);
}

/**
 * Decides a refund: of lines, of an amount, or (with neither) of all that is
 * left. Units that were not handed over go first. Units that nobody was charged
 * for yet are withdrawn instead: the provider pays nothing back for them, and
 * their capture never happens.
 *
 * What was asked for counts at once, before the provider did it: of two refunds
 * at the same moment only what is left can be had by the second.
 */
export function decideRefund(book: OrderBook, command: RefundCommand, at: number): Decision {
  const requested = { lines: command.lines, amountMinor: command.amountMinor, restock: command.restock };
  const known = book.refunds.find((refund) => refund.event.refund === command.id);
  if (known !== undefined) {
    const isRetry = isSame(known.event.requested, requested) && known.event.reason === command.reason;
    return isRetry ? accepted([]) : rejected({ code: "id_reused" });
  }
  const notPossible = rejected({ code: "refund_not_possible" } as const);
  const isStanding = book.verdict === "sold" && !book.isCancelled && !book.isVoided;
  // An order that came to nothing still has its money where an automatic refund failed.
  if (!isStanding && book.capturedMinor === 0) return notPossible;
  const unknown = unknownSku(book, command.lines);
  if (unknown !== null) return rejected(unknown);
  if (command.lines !== null && command.amountMinor !== null) return notPossible;

  const units = unitsOfRefund(book, command);
  if (units === null) return notPossible;
  // Until the last capture, units that are still here were never paid for where the capture follows the hand-over.
  const isWithdrawal = book.order.capture === "on-fulfilment" && !book.isCaptureFinal;
  if (book.order.capture === "at-once" && book.order.totalMinor > 0 && !book.isCaptureFinal) return notPossible;
  const repaid = command.lines === null ? [] : [...(isWithdrawal ? [] : units.before), ...units.after];
  const event: OrderEvent = {
    kind: "refund_requested", at, refund: command.id, requested, reason: command.reason, amountMinor: 0,
    before: units.before, after: units.after, repaid,
    restock: isStanding ? restockOf(command.restock, units) : [],
  };
  const amountMinor = command.amountMinor ?? (command.lines === null ? refundableMinor(book) : costOf(book, event));
  const isNothing = amountMinor === 0 && units.before.length === 0 && units.after.length === 0;
  const isPayable = amountMinor % payableStep(book.order.currency) === 0;
  if (isNothing || !isPayable || amountMinor > refundableMinor(book)) return notPossible;
  return accepted([{ ...event, amountMinor }]);
}

/** Which units come back, the ones that are still here first; null when there are not as many. */
function unitsOfRefund(book: OrderBook, command: RefundCommand): { readonly before: readonly Line[]; readonly after: readonly Line[] } | null {
  const open = unitsOpen(book);
  const gone = unitsGone(book);
  if (command.lines === null) {
    const isAll = command.amountMinor === null || command.amountMinor === refundableMinor(book);
    if (command.amountMinor !== null && command.amountMinor <= 0) return null;
    return isAll ? { before: open, after: gone } : { before: [], after: [] };
  }
  const before: Line[] = [];
  const after: Line[] = [];
  for (const line of merged(command.lines)) {
    const stillHere = Math.min(line.quantity, quantityOf(open, line.sku));
    const handedOver = line.quantity - stillHere;
    if (line.quantity < 1 || handedOver > quantityOf(gone, line.sku)) return null;
    if (stillHere > 0) before.push({ sku: line.sku, quantity: stillHere });
    if (handedOver > 0) after.push({ sku: line.sku, quantity: handedOver });
  }
  return { before, after };
}

function restockOf(restock: boolean | null, units: { readonly before: readonly Line[]; readonly after: readonly Line[] }): readonly Line[] {
  if (restock === false) return [];
  return restock === true ? merged([...units.before, ...units.after]) : units.before;
}

/** What the repaid units cost: how far they move the money of their lines. */
function costOf(book: OrderBook, event: OrderEvent): number {
  const repaidMinor = (lines: readonly LineBook[]) => lines.reduce((sum, line) => sum + unitsTotal(line, line.repaid), 0);
  return repaidMinor(applyEvent(book, event).lines) - repaidMinor(book.lines);
}

/** Units that were handed over and not refunded since. */
export function unitsGone(book: OrderBook): readonly Line[] {
  return book.lines
    .map((line) => ({ sku: line.sku, quantity: line.handedOver - line.returnedAfter }))
    .filter((line) => line.quantity > 0);
}

function unknownSku(book: OrderBook, lines: readonly Line[] | null): Extract<MoneyRejection, { code: "unknown_sku" }> | null {
  const index = (lines ?? []).findIndex((line) => !book.lines.some((known) => known.sku === line.sku));
  return index === -1 ? null : { code: "unknown_sku", pointer: `/lines/${index}/sku` };
}

function merged(lines: readonly Line[]): Line[] {
  const quantities = new Map<string, number>();
  for (const line of lines) quantities.set(line.sku, (quantities.get(line.sku) ?? 0) + line.quantity);
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
}

function quantityOf(lines: readonly Line[], sku: string): number {
  return lines.reduce((sum, line) => sum + (line.sku === sku ? line.quantity : 0), 0);
}

/** Same content, whatever the order of the members. */
function isSame(one: unknown, other: unknown): boolean {
  return canonicalJson(one) === canonicalJson(other);
}
