import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import type { OrderView } from "../../../src/settlement/port.ts";
import type { SettlementMessage } from "../../../src/settlement/queue-batch.ts";
import { inLanes } from "./drops.ts";
import { ORDER_TOTAL_MINOR } from "./provider.ts";

export interface SettlementDoor {
  fetch(address: string, init: RequestInit): Promise<Response>;
  queue(queue: string, messages: readonly { readonly id: string; readonly timestamp: Date; readonly attempts: number; readonly body: SettlementMessage }[]): Promise<{ readonly outcome: string; readonly retryMessages?: readonly unknown[] }>;
}

/** The webhook with which the provider says that an order was paid. */
export interface SignedEvent {
  readonly id: string;
  readonly order: string;
  readonly body: string;
  readonly signature: string;
}

export async function paidEvent({ id }: PlacedOrder, secret: string): Promise<SignedEvent> {
  const event = `evt_${id}`;
  const object = { id: `cs_${id}`, object: "checkout.session", client_reference_id: id, payment_intent: `pi_${id}`, status: "complete", amount_total: ORDER_TOTAL_MINOR, metadata: { order: id } };
  const seconds = Math.floor(Date.now() / 1_000);
  const body = JSON.stringify({ id: event, object: "event", type: "checkout.session.completed", livemode: false, created: seconds, data: { object } });
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${seconds}.${body}`));
  return { id: event, order: id, body, signature: `t=${seconds},v1=${Buffer.from(mac).toString("hex")}` };
}

/** Hands webhooks in at the door, so many at the same time. */
export async function receiveAll(settlement: SettlementDoor, events: readonly SignedEvent[], parallel: number): Promise<void> {
  await inLanes(events, parallel, async ({ body, signature }) => {
    const answer = await settlement.fetch("https://settlement/webhooks/stripe", { method: "POST", headers: { "content-type": "application/json", "stripe-signature": signature }, body });
    if (!answer.ok) throw new Error(`a webhook was answered with ${answer.status}`);
    await answer.arrayBuffer();
  });
}

/** Hands the queue's batches over that name the stored webhooks: `size` in each, and the next when these are settled. */
export async function settleAll(settlement: SettlementDoor, events: readonly SignedEvent[], size: number): Promise<void> {
  for (let at = 0; at < events.length; at += size) {
    const messages = events.slice(at, at + size).map(({ id, order }) => ({ id, timestamp: new Date(), attempts: 1, body: { inbox: id, about: order } }));
    const { outcome, retryMessages } = await settlement.queue("payments", messages);
    if (outcome !== "ok" || (retryMessages?.length ?? 0) > 0) throw new Error(`a batch was not settled: ${outcome}, ${retryMessages?.length ?? 0} to be tried again`);
  }
}

export function isCaptured(view: OrderView | null): boolean {
  return view?.payment.state === "captured";
}
