import { applyD1Migrations, runInDurableObject, type D1Migration } from "cloudflare:test";
import { env as workerEnv, exports as workerExports } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { expect, vi } from "vitest";
import { request, Shopper, type Sender } from "../support/shopper.ts";
import type { MovedStage } from "../support/state-watch.ts";

/* All Workers in one isolate as a stage: its doors, its one clock, and the provider's webhooks delivered by hand. */

// The runtime types know nothing of this test's own Worker: these are its entrances and bindings.
const entrances = workerExports as unknown as Record<"default" | "Provider", { fetch: Sender }>;
const env = workerEnv as unknown as {
  ORDERS: D1Database;
  MIGRATIONS: D1Migration[];
  STRIPE_WEBHOOK_SECRET: string;
  DESK_KEY: string;
  DROP: DurableObjectNamespace;
};

const STORE = "http://store.test";
const SANDBOX = "http://sandbox.test";
const storeSender: Sender = (url, init) => entrances.default.fetch(url, init);
const sandboxSender: Sender = (url, init) => entrances.Provider.fetch(url, init);

let now = Date.parse("2026-12-04T18:00:00.000Z");

export function moveTo(at: number): void {
  now = at;
  vi.setSystemTime(at);
}

export async function beginClock(): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"] });
  moveTo(now);
  await applyD1Migrations(env.ORDERS, env.MIGRATIONS);
}

export function endClock(): void {
  vi.useRealTimers();
}

/** From now on the provider tells nobody anything by itself. */
export async function withholdWebhooks(): Promise<void> {
  expect((await request("PUT", `${SANDBOX}/sandbox/behaviour`, { body: { webhooks: { withhold: true } }, sender: sandboxSender })).status).toBe(200);
}

export interface ProviderEvent {
  readonly id: string;
  readonly type: string;
}

/** What the provider has told of an order, the newest first. */
export async function eventsOf(order: string): Promise<ProviderEvent[]> {
  const events: (ProviderEvent & { readonly data: { readonly object: { readonly metadata?: { readonly order?: string }; readonly client_reference_id?: string } } })[] = [];
  let after = "";
  for (;;) {
    const { body } = await request("GET", `${SANDBOX}/sandbox/v1/events?limit=100${after}`, { headers: { authorization: "Bearer sk_test_of_the_test" }, sender: sandboxSender });
    events.push(...body.data);
    if (body.has_more !== true) break;
    after = `&starting_after=${body.data.at(-1).id}`;
  }
  return events.filter(({ data: { object } }) => object.metadata?.order === order || object.client_reference_id === order);
}

/** How many webhooks settlement has stored. */
export async function storedWebhooks(): Promise<number> {
  return (await env.ORDERS.prepare("SELECT count(*) AS count FROM inbox_events").first<number>("count")) ?? 0;
}

/** Posts an event signed as the provider would, or at another time or by somebody else; answers the status. */
export async function post(event: unknown, { skewSeconds = 0, secret = env.STRIPE_WEBHOOK_SECRET } = {}): Promise<number> {
  const payload = JSON.stringify(event);
  const timestamp = Math.floor(now / 1_000) + skewSeconds;
  const signature = createHmac("sha256", secret).update(`${timestamp}.${payload}`).digest("hex");
  const response = await storeSender(`${STORE}/webhooks/stripe`, { method: "POST", headers: { "content-type": "application/json", "stripe-signature": `t=${timestamp},v1=${signature}` }, body: payload });
  await response.text();
  return response.status;
}

export async function deliver(event: unknown): Promise<void> {
  expect(await post(event)).toBe(200);
}

/** Takes a drop's alarm away, as a platform that loses it would. */
export async function loseAlarm(drop: string): Promise<void> {
  await runInDurableObject(env.DROP.getByName(drop), (_instance, state) => state.storage.deleteAlarm());
}

/** Somebody who stands in a drop's line. */
export async function joined(drop: string, sku: string, quantity: number): Promise<Shopper> {
  const shopper = new Shopper(STORE, drop, { sender: storeSender });
  expect((await shopper.join([{ sku, quantity }])).status).toBe(201);
  return shopper;
}

/** Claims until the line reaches this ticket; time goes on meanwhile. */
export async function called(shopper: Shopper): Promise<void> {
  for (const until = performance.now() + 10_000; performance.now() < until;) {
    if ((await shopper.claim()).status === 201) return;
    moveTo(now + 1_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("not admitted");
}

export const stage: MovedStage = {
  store: STORE, sandbox: SANDBOX, deskKey: env.DESK_KEY, storeSender, sandboxSender,
  async admitted(drop, sku, quantity) {
    const shopper = await joined(drop, sku, quantity);
    await called(shopper);
    return shopper;
  },
  async news(order) {
    const ofOrder = await eventsOf(order);
    expect(ofOrder.length).toBeGreaterThan(0);
    for (const event of ofOrder) await deliver(event);
  },
  later: async (ms) => moveTo(now + ms),
  sweep: (drop) => (env.DROP.getByName(drop) as unknown as { sweep(): Promise<void> }).sweep(),
};
