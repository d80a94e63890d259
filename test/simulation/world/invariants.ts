import type { PlanSource } from "../../../src/drop/plan.ts";
import type { HoldRow } from "../../../src/drop/state.ts";
import { assert } from "../../../src/kernel/result.ts";
import type { DropStorage } from "./drop-storage.ts";
import type { RecordAuditor } from "./record-auditor.ts";

/** As the contract has it: the till closes half a minute before the goods go back. */
const TILL_TO_SHELF_MS = 30_000;

/**
 * What must be true of a drop's storage after every write, counted from its
 * rows without any of the product's own counting.
 */
export function checkDrop(source: PlanSource, storage: DropStorage, auditor: RecordAuditor, cardOf: (order: string) => string | null): void {
  const now = auditor.lastAt;
  const endBySitting = new Map<string, number>();
  const held = new Map<string, number>();
  const sold = new Map<string, number>();
  const byEntry = new Map<string, number>();
  const byPerson = new Map<string, number>();
  const peopleBehind = new Map<string, number>();
  const byCampaign = new Map<string, number>();
  const byVoucher = new Map<string, number>();
  const byHouse = new Map<string, number>();
  const byCard = new Map<string, number>();
  for (const hold of storage.holds.values()) {
    const end = endBySitting.get(hold.sitting) ?? hold.expiresAt;
    assert(end === hold.expiresAt, "the first hold of a sitting fixes the end of all of them");
    endBySitting.set(hold.sitting, end);
    checkTime(hold, now);
    const isLive = hold.state === "held" || hold.state === "placed";
    if (!isLive && hold.state !== "sold") continue;
    const items = hold.lines.reduce((sum, line) => sum + line.quantity, 0) - hold.returnedItems;
    add(byEntry, hold.entry, items);
    if (hold.person !== null) add(byPerson, hold.person, items);
    const people = storage.rows.sittings.get(hold.sitting)?.people ?? 1;
    // The address of whoever joins for others stands for all of them.
    for (const who of [hold.entry, hold.person ?? hold.entry]) peopleBehind.set(who, Math.max(people, peopleBehind.get(who) ?? 1));
    // By the order's own address and the provider's own books, not by what the hold says of either.
    const delivery = storage.rows.orders.get(hold.order ?? "")?.placed.delivery;
    if (delivery?.method === "ship") add(byHouse, delivery.address.postalCode.replaceAll(" ", ""), items);
    const card = hold.state === "sold" && hold.order !== null ? cardOf(hold.order) : null;
    if (card !== null) add(byCard, card, items);
    if (hold.coupon !== null) {
      add(byCampaign, hold.coupon.campaign, 1);
      if (hold.coupon.voucher !== "typed") add(byVoucher, hold.coupon.voucher, 1);
    }
    for (const { sku, quantity } of unitsOf(hold, source)) add(isLive ? held : sold, sku, quantity);
    for (const { sku, quantity } of hold.returned) add(sold, sku, -quantity);
  }
  for (const { sku } of source.stock) {
    const recounted = auditor.count(sku);
    assert(recounted.held === (held.get(sku) ?? 0), `the record and the holds agree on what is held of ${sku}`);
    assert(recounted.sold === (sold.get(sku) ?? 0), `the record and the holds agree on what is sold of ${sku}`);
  }
  for (const [who, items] of [...byEntry, ...byPerson]) assert(items <= source.limitPerPerson * (peopleBehind.get(who) ?? 1), "nobody has more than one person may have, and no group more than its people");
  const { address, card } = source.limits ?? { address: null, card: null };
  for (const items of byHouse.values()) assert(address === null || items <= address, "no address is sent more than one address may be sent");
  for (const items of byCard.values()) assert(card === null || items <= card, "no card pays for more sold items than one card may");
  for (const campaign of source.campaigns) assert((byCampaign.get(campaign.id) ?? 0) <= campaign.uses, "a campaign is spent at most as often as it may be");
  for (const uses of byVoucher.values()) assert(uses <= 1, "a voucher for one use is spent once");
}

/** Time ends what is held, at its time: not when an alarm rings, and not a millisecond before. */
function checkTime(hold: HoldRow, now: number): void {
  const endsAt = hold.payBy === null ? hold.expiresAt : hold.payBy + TILL_TO_SHELF_MS;
  if (hold.state === "held" || hold.state === "placed") assert(endsAt > now, "nothing is kept past its time");
  if (hold.state === "expired") assert(endsAt <= now, "nothing expires before its time");
  if (hold.payBy !== null) assert(hold.payBy >= hold.expiresAt, "placing an order never shortens the time");
}

/** What a hold takes of each stock unit, from the plan and not from what the hold says of itself. */
function unitsOf(hold: HoldRow, source: PlanSource): { readonly sku: string; readonly quantity: number }[] {
  return hold.lines.flatMap((line) => {
    const item = source.items.find((candidate) => candidate.sku === line.sku);
    assert(item !== undefined, "what is held can be bought");
    return item.components.map((part) => ({ sku: part.sku, quantity: part.quantity * line.quantity }));
  });
}

function add(counts: Map<string, number>, key: string, amount: number): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}
