import { NO_GATES, type PlanSource, USUAL_BUDGETS } from "../../../src/drop/plan.ts";
import type { DropPort, HoldCommand, PlaceCommand, TicketFacts } from "../../../src/drop/port.ts";
import { idFromRandom } from "../../../src/kernel/ids.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { entryOf } from "../../../src/lobby/draw.ts";
import { ORDER_TOTAL_MINOR } from "./provider.ts";

const SKU = "MOTH";
const HOUR_MS = 3_600_000;

/** A drop with more stock than anyone wants, in which everybody is served at once. */
export function planSource(drop: string, opensAt: number): PlanSource {
  return {
    drop, title: "Moth tee", currency: "EUR",
    announceAt: { at: opensAt - HOUR_MS }, lobbyOpensAt: { at: opensAt - HOUR_MS }, opensAt: { at: opensAt }, closesAt: { at: opensAt + 4 * HOUR_MS },
    stages: [{ sharePercent: 100, afterMs: 0 }],
    stock: [{ sku: SKU, quantity: 1_000_000 }],
    items: [{ sku: SKU, title: "Moth tee", priceMinor: ORDER_TOTAL_MINOR, components: [{ sku: SKU, quantity: 1 }] }],
    lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null, limitPerPerson: 2, holdTtlMs: 8 * 60_000, capture: "at-once", low: 2,
    splits: [{ party: "partner:kiosk-k", fixedMinor: 300 }, { party: "creator:ana", percent: 70 }, { party: "platform", remainder: true }],
    campaigns: [], shards: 1, claimWindowMs: 10 * 60_000, admit: "all", tax: null,
  };
}

export function freshId(prefix: "tkt" | "hld" | "ord"): string {
  return idFromRandom(prefix, crypto.getRandomValues(new Uint8Array(26)));
}

/** Somebody who has been admitted, and the hold that they are going to ask for. */
export async function admittedHolds(drop: string, port: DropPort, count: number, parallel: number): Promise<HoldCommand[]> {
  await port.plan(planSource(drop, Date.now() - 1_000));
  await port.seal({ shard: 0, batch: 0, count: 0, root: nodeHashing.sha256(""), through: Number.MAX_SAFE_INTEGER });
  return inLanes(Array.from({ length: count }, (_, index) => index), parallel, async () => {
    const ticket = freshId("tkt");
    const entry = entryOf(drop, ticket, nodeHashing);
    const facts: TicketFacts = { ticket, shard: 0, entry, lane: "open", weight: 1, joinedAt: Date.now(), wants: [{ sku: SKU, quantity: 1 }], keyThumbprint: ticket, person: null };
    const claim = await port.claim(facts);
    if (!claim.ok || claim.value.state !== "admitted") throw new Error(`not admitted: ${JSON.stringify(claim)}`);
    return { id: freshId("hld"), sitting: claim.value.sitting.id, entry, lines: [{ sku: SKU, quantity: 1 }], replaces: null, network: `net-${entry.slice(0, 4)}` };
  });
}

export async function placedFrom(port: DropPort, hold: HoldCommand): Promise<PlacedOrder> {
  const held = await port.hold(hold);
  if (!held.ok) throw new Error(`not held: ${JSON.stringify(held.rejection)}`);
  const order = freshId("ord");
  const command: PlaceCommand = {
    id: order, hold: hold.id, sitting: hold.sitting, entry: hold.entry, person: order, email: `${order.toLowerCase()}@shopper.example`,
    delivery: { method: "pickup", point: "kiosk-k", slot: null }, coupon: null, region: "berlin", locale: "de-DE", returnTo: "https://store.example",
  };
  const placed = await port.place(command);
  if (!placed.ok) throw new Error(`not placed: ${JSON.stringify(placed.rejection)}`);
  return placed.value;
}

/** Works on every item, so many at a time, and gives the results in the order of the items. */
export async function inLanes<Item, Value>(items: readonly Item[], parallel: number, work: (item: Item) => Promise<Value>): Promise<Value[]> {
  const results: Value[] = [];
  const waiting = items.entries();
  await Promise.all(Array.from({ length: parallel }, async () => {
    for (const [index, item] of waiting) results[index] = await work(item);
  }));
  return results;
}
