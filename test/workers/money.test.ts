import { applyD1Migrations, runInDurableObject, type D1Migration } from "cloudflare:test";
import { env as workerEnv, exports as workerExports } from "cloudflare:workers";
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { clientId, orderUntil, payAt, request, Shopper, type Answer, type Sender } from "../support/shopper.ts";

/*
 * The whole product in one isolate, and the one clock that it shares moved by
 * hand: alarms run by the real clock, so here they never do anything.
 */

// The runtime types know nothing of this test's own Worker: these are its entrances and bindings.
const entrances = workerExports as unknown as Record<"default" | "Provider" | "Desk", { fetch: Sender }>;
const env = workerEnv as unknown as {
  ORDERS: D1Database;
  MIGRATIONS: D1Migration[];
  STRIPE_WEBHOOK_SECRET: string;
  DESK_KEY: string;
  DROP: DurableObjectNamespace;
};

const STORE = "http://store.test";
const SANDBOX = "http://sandbox.test";
const store: Sender = (url, init) => entrances.default.fetch(url, init);
const sandbox: Sender = (url, init) => entrances.Provider.fetch(url, init);

let now = Date.parse("2026-12-04T18:00:00.000Z");

function moveTo(at: number): void {
  now = at;
  vi.setSystemTime(at);
}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  moveTo(now);
  await applyD1Migrations(env.ORDERS, env.MIGRATIONS);
});
afterAll(() => {
  vi.useRealTimers();
});
beforeEach(async () => {
  const answer = await request("PUT", `${SANDBOX}/sandbox/behaviour`, { body: { webhooks: { withhold: true } }, sender: sandbox });
  expect(answer.status).toBeLessThan(300);
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function admittedShopper(drop: string, sku: string): Promise<Shopper> {
  const shopper = new Shopper(STORE, drop, { sender: store });
  const joined = await shopper.join([{ sku, quantity: 1 }]);
  expect(joined.status, JSON.stringify(joined.body)).toBe(201);
  const until = performance.now() + 10_000;
  for (;;) {
    const claim = await shopper.claim();
    if (claim.status === 201) return shopper;
    if (performance.now() > until) throw new Error(`not admitted: ${claim.status} ${JSON.stringify(claim.body)}`);
    moveTo(now + 1_000);
    await pause(20);
  }
}

interface Bought {
  readonly shopper: Shopper;
  readonly hold: string;
  readonly order: string;
  readonly placed: Answer;
}

async function placedOrder(drop: string, sku: string): Promise<Bought> {
  const shopper = await admittedShopper(drop, sku);
  const hold = clientId("hld");
  const held = await shopper.hold([{ sku, quantity: 1 }], hold);
  expect(held.status, JSON.stringify(held.body)).toBe(201);
  const order = clientId("ord");
  const placed = await shopper.order(hold, { id: order });
  expect(placed.status, JSON.stringify(placed.body)).toBe(201);
  expect(placed.body.payment.url).toContain(SANDBOX);
  return { shopper, hold, order, placed };
}

interface ProviderEvent {
  readonly id: string;
  readonly type: string;
}

async function eventsOf(order: string): Promise<ProviderEvent[]> {
  const { body } = await request("GET", `${SANDBOX}/sandbox/v1/events?limit=100`, { headers: { authorization: "Bearer sk_test_of_the_test" }, sender: sandbox });
  const ofOrder = (event: { data: { object: { metadata?: { order?: string }; client_reference_id?: string } } }) =>
    event.data.object.metadata?.order === order || event.data.object.client_reference_id === order;
  return body.data.filter(ofOrder);
}

async function deliver(event: ProviderEvent): Promise<number> {
  const payload = JSON.stringify(event);
  const timestamp = Math.floor(now / 1000);
  const signature = createHmac("sha256", env.STRIPE_WEBHOOK_SECRET).update(`${timestamp}.${payload}`).digest("hex");
  const response = await store(`${STORE}/webhooks/stripe`, {
    method: "POST",
    headers: { "content-type": "application/json", "stripe-signature": `t=${timestamp},v1=${signature}` },
    body: payload,
  });
  await response.text();
  return response.status;
}

async function transfersOf(order: string): Promise<{ id: string; credit: string; debit: string; amountMinor: number; state: string }[]> {
  const { body } = await request("GET", `${STORE}/desk/api/ledger/transfers?order=${order}`, { headers: { authorization: `Bearer ${env.DESK_KEY}` }, sender: store });
  return body.transfers;
}

async function booksOf(order: string): Promise<{ status: string; amount_received: number }[]> {
  const { body } = await request("GET", `${SANDBOX}/sandbox/books`, { sender: sandbox });
  return body.paymentIntents.filter((intent: { metadata: { order?: string } }) => intent.metadata.order === order);
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, index) => permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]));
}

async function expectOneSale({ shopper, order, placed }: Bought): Promise<void> {
  const final = await orderUntil(shopper, order, placed.body.receipt, (body) => body.state === "confirmed" && body.payment.state === "captured", 10_000);
  expect(final.body.totalMinor).toBe(4200);
  const posted = (await transfersOf(order)).filter((transfer) => transfer.state === "posted");
  expect(posted.map((transfer) => [transfer.credit, transfer.amountMinor]).toSorted()).toEqual([["creator:ana", 2940], ["partner:kiosk-k", 300], ["platform", 960]]);
  expect((await booksOf(order)).map((intent) => [intent.status, intent.amount_received])).toEqual([["succeeded", 4200]]);
}

describe("webhooks and the shopper's return in every order", () => {
  test("the same webhook ten times in parallel is one order, one capture and one set of transfers", async () => {
    const bought = await placedOrder("flow", "FLOW");
    await payAt(bought.placed.body.payment.url, "approve", sandbox);
    const events = await eventsOf(bought.order);
    const completed = events.find((event) => event.type === "checkout.session.completed");
    if (completed === undefined) throw new Error("the provider made no completion event");
    const statuses = await Promise.all(Array.from({ length: 10 }, () => deliver(completed)));
    expect(new Set(statuses)).toEqual(new Set([200]));
    await expectOneSale(bought);
  });

  test("every order of the flow's events, each twice, with the redirect before, between and after: always the same end", async () => {
    const sample = await placedOrder("flow", "FLOW");
    await payAt(sample.placed.body.payment.url, "approve", sandbox);
    const kinds = (await eventsOf(sample.order)).map((event) => event.type);
    expect(kinds).toContain("checkout.session.completed");
    expect(kinds.length).toBeGreaterThanOrEqual(2);
    const orders = permutations([...kinds, "redirect"]);
    const playedOut = async (sequence: readonly string[]) => {
      const bought = await placedOrder("flow", "FLOW");
      await payAt(bought.placed.body.payment.url, "approve", sandbox);
      const events = await eventsOf(bought.order);
      for (const step of [...sequence, ...sequence]) {
        if (step === "redirect") {
          expect((await bought.shopper.read(bought.order, bought.placed.body.receipt)).status).toBe(200);
          continue;
        }
        const event = events.find((candidate) => candidate.type === step);
        if (event === undefined) throw new Error(`the provider made no ${step} event`);
        expect(await deliver(event)).toBe(200);
      }
      await expectOneSale(bought);
      // What the capture itself set off arrives last, or twice.
      for (const event of await eventsOf(bought.order)) expect(await deliver(event)).toBe(200);
      await expectOneSale(bought);
    };
    // Several at a time: nothing of one order may depend on another one's.
    for (let first = 0; first < orders.length; first += 12) await Promise.all(orders.slice(first, first + 12).map(playedOut));
    console.info(`${orders.length} orders of ${kinds.length} events and the redirect, each event twice: one final state each`);
  }, 300_000);

  test("two tabs that place and pay the same hold make one order and one charge", async () => {
    const bought = await placedOrder("tabs", "ONE");
    const second = await bought.shopper.order(bought.hold);
    expect(second.status).toBe(409);
    expect(second.body.code).toBe("order_placed");
    const payments = await Promise.all([payAt(bought.placed.body.payment.url, "approve", sandbox), payAt(bought.placed.body.payment.url, "approve", sandbox)]);
    expect(payments.filter((answer) => answer.status < 400).length).toBeGreaterThanOrEqual(1);
    for (const event of await eventsOf(bought.order)) await deliver(event);
    await expectOneSale(bought);
  });

  test("a webhook without a signature, with a wrong one, too old or from the future is refused and stores nothing", async () => {
    const { status, body } = await request("POST", `${STORE}/webhooks/stripe`, { body: { id: "evt_1", type: "checkout.session.completed" }, sender: store });
    expect([status, body.code]).toEqual([400, "webhook_unverified"]);
    for (const offset of [-301, 3_600]) {
      const payload = JSON.stringify({ id: `evt_${offset}`, type: "checkout.session.completed", data: { object: {} } });
      const timestamp = Math.floor(now / 1000) + offset;
      const signature = createHmac("sha256", env.STRIPE_WEBHOOK_SECRET).update(`${timestamp}.${payload}`).digest("hex");
      const response = await store(`${STORE}/webhooks/stripe`, { method: "POST", headers: { "content-type": "application/json", "stripe-signature": `t=${timestamp},v1=${signature}` }, body: payload });
      expect(response.status).toBe(400);
      await response.text();
    }
  });
});

describe("late money", () => {
  const payTime = 13 * 60_000;

  test("a payment that is heard of after the goods went back takes the unit again when the stage still has it", async () => {
    const bought = await placedOrder("late-free", "ONE");
    await payAt(bought.placed.body.payment.url, "approve", sandbox);
    moveTo(now + payTime);
    const live = await bought.shopper.live();
    expect(live.body.items[0].available, "the unit is free again").toBe(1);
    for (const event of await eventsOf(bought.order)) await deliver(event);
    await expectOneSale(bought);
    moveTo(now + 2_000);
    expect((await bought.shopper.live()).body.items[0].available).toBe(0);
  });

  test("when somebody else has the unit by then, the payment is voided, nothing is booked, and the shopper reads which", async () => {
    const bought = await placedOrder("late-gone", "ONE");
    await payAt(bought.placed.body.payment.url, "approve", sandbox);
    moveTo(now + payTime);
    const other = await placedOrder("late-gone", "ONE");
    for (const event of await eventsOf(bought.order)) await deliver(event);
    const end = await orderUntil(bought.shopper, bought.order, bought.placed.body.receipt, (body) => body.payment.state === "voided", 10_000);
    expect(["expired", "cancelled"]).toContain(end.body.state);
    expect(end.body.timeline.map((entry: { text: string }) => entry.text).join(" ")).toMatch(/gone.*not (be )?charged/);
    expect((await booksOf(bought.order)).map((intent) => [intent.status, intent.amount_received])).toEqual([["canceled", 0]]);
    expect((await transfersOf(bought.order)).filter((transfer) => transfer.state === "posted")).toEqual([]);
    // The answer is final: a retry never turns "refused" into "sold".
    for (const event of await eventsOf(bought.order)) await deliver(event);
    expect((await bought.shopper.read(bought.order, bought.placed.body.receipt)).body.payment.state).toBe("voided");
    await payAt(other.placed.body.payment.url, "approve", sandbox);
    for (const event of await eventsOf(other.order)) await deliver(event);
    await expectOneSale(other);
  });

  test("the till closes at payBy: the payment page refuses the card before the goods go back", async () => {
    const bought = await placedOrder("till", "ONE");
    moveTo(Date.parse(bought.placed.body.payBy) + 1);
    await (env.DROP.getByName("till") as unknown as { sweep(): Promise<void> }).sweep();
    await vi.waitFor(async () => {
      const { body } = await request("GET", `${SANDBOX}/sandbox/books`, { sender: sandbox });
      expect(body.sessions.find((session: { client_reference_id: string }) => session.client_reference_id === bought.order)).toMatchObject({ status: "expired" });
    }, { timeout: 10_000, interval: 200 });
    expect((await payAt(bought.placed.body.payment.url, "approve", sandbox)).status).toBe(409);
    expect((await bought.shopper.live()).body.items[0].available, "the goods are still out").toBe(0);
    moveTo(Date.parse(bought.placed.body.payBy) + 30_001);
    expect((await bought.shopper.live()).body.items[0].available).toBe(1);
    expect(await booksOf(bought.order)).toEqual([]);
  });

  test("an order that nobody pays ends as expired and says so, although no alarm has run", async () => {
    const bought = await placedOrder("unpaid", "ONE");
    await runInDurableObject(env.DROP.getByName("unpaid"), (_instance, state) => state.storage.deleteAlarm());
    moveTo(now + payTime);
    await (env.DROP.getByName("unpaid") as unknown as { sweep(): Promise<void> }).sweep();
    const end = await orderUntil(bought.shopper, bought.order, bought.placed.body.receipt, (body) => body.state === "expired", 10_000);
    expect(end.body.payment.url).toBeNull();
    expect((await transfersOf(bought.order)).filter((transfer) => transfer.state !== "voided" && transfer.state !== "pending")).toEqual([]);
  });
});
