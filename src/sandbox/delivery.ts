import type { Hashing } from "../kernel/hashing.ts";
import type { Clock } from "../kernel/time.ts";
import type { Shelf } from "./shelf.ts";
import { signatureHeader, type Delivery, type DeliveryQueue } from "./webhooks.ts";

export interface DeliveryPorts {
  readonly queue: DeliveryQueue;
  readonly shelf: Shelf;
  readonly now: Clock;
  readonly hashing: Hashing;
  /** Null: the store could not verify anything, so nothing is sent. */
  readonly secret: string | null;
  /** Posts an event to the store and gives the status; throws when there is none. */
  post(body: string, headers: Readonly<Record<string, string>>): Promise<number>;
}

const AT_ONCE = 8;
const BATCH = 64;

/** Sends one delivery and notes how it went. Any answer but 2xx, a redirect too, is a failure. */
async function deliver(ports: DeliveryPorts, delivery: Delivery): Promise<void> {
  const event = ports.shelf.find("evt", delivery.event);
  const body = JSON.stringify(event?.body ?? {});
  const signature = ports.secret === null ? null : signatureHeader(body, ports.secret, ports.now(), ports.hashing);
  const status = signature === null ? 0 : await ports.post(body, {
    "content-type": "application/json; charset=utf-8", "stripe-signature": signature, "user-agent": "Stripe/1.0 (Tranche sandbox)",
  }).catch(() => 0);
  if (status >= 200 && status < 300) ports.queue.succeeded(delivery);
  else ports.queue.failed(delivery, ports.now());
}

/**
 * Sends what is due: several subjects at once, the events of one subject one
 * after the other in the order of the queue. A batch at a time, so that the
 * caller can arm its alarm again in between; true when more is due.
 */
export async function deliverDue(ports: DeliveryPorts): Promise<boolean> {
  const due = ports.queue.due(ports.now(), BATCH);
  const lines = [...Map.groupBy(due, (delivery) => delivery.subject).values()];
  const worker = async (): Promise<void> => {
    for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
      for (const delivery of line) await deliver(ports, delivery);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return due.length === BATCH;
}
