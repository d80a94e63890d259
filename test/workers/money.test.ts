import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { clientId, orderUntil, payAt, request, type Answer, type Shopper } from "../support/shopper.ts";
import { beginClock, called, deliver, endClock, eventsOf, joined, loseAlarm, moveTo, post, stage, storedWebhooks, withholdWebhooks } from "./whole-stage.ts";

/*
 * The whole product in one isolate, and the one clock that it shares moved by
 * hand: alarms run by the real clock, so here they never do anything.
 */

const { store: STORE, sandbox: SANDBOX, storeSender: store, sandboxSender: sandbox } = stage;

beforeAll(beginClock);
afterAll(endClock);
beforeEach(withholdWebhooks);

interface Bought {
  readonly shopper: Shopper;
  readonly hold: string;
  readonly order: string;
  readonly placed: Answer;
}

async function placedOrder(drop: string, sku: string, somebody?: Shopper): Promise<Bought> {
  const shopper = somebody ?? (await stage.admitted(drop, sku, 1));
  const hold = clientId("hld");
  const held = await shopper.hold([{ sku, quantity: 1 }], hold);
  expect(held.status, JSON.stringify(held.body)).toBe(201);
  const order = clientId("ord");
  const placed = await shopper.order(hold, { id: order });
  expect(placed.status, JSON.stringify(placed.body)).toBe(201);
  expect(placed.body.payment.url).toContain(SANDBOX);
  return { shopper, hold, order, placed };
}

async function transfersOf(order: string): Promise<{ id: string; credit: string; debit: string; amountMinor: number; state: string }[]> {
  const { body } = await request("GET", `${STORE}/desk/api/ledger/transfers?order=${order}`, { headers: { authorization: `Bearer ${stage.deskKey}` }, sender: store });
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
    await Promise.all(Array.from({ length: 10 }, () => deliver(completed)));
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
        await deliver(event);
      }
      await expectOneSale(bought);
      // What the capture itself set off arrives last, or twice.
      for (const event of await eventsOf(bought.order)) await deliver(event);
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
    const before = await storedWebhooks();
    const { status, body } = await request("POST", `${STORE}/webhooks/stripe`, { body: { id: "evt_1", type: "checkout.session.completed" }, sender: store });
    expect([status, body.code]).toEqual([400, "webhook_unverified"]);
    const event = { id: "evt_2", type: "checkout.session.completed", livemode: false, data: { object: {} } };
    expect(await post(event, { skewSeconds: -301 })).toBe(400);
    expect(await post(event, { skewSeconds: 3_600 })).toBe(400);
    expect(await post(event, { secret: "whsec_of_somebody_else" })).toBe(400);
    expect(await storedWebhooks()).toBe(before);
    expect(await post(event)).toBe(200);
    expect(await storedWebhooks()).toBe(before + 1);
  });
});

describe("late money", () => {
  const payTime = 13 * 60_000;

  test("a payment that is heard of after the goods went back takes the unit again when the stage still has it", async () => {
    const bought = await placedOrder("late-free", "ONE");
    await payAt(bought.placed.body.payment.url, "approve", sandbox);
    await stage.later(payTime);
    const live = await bought.shopper.live();
    expect(live.body.items[0].available, "the unit is free again").toBe(1);
    for (const event of await eventsOf(bought.order)) await deliver(event);
    await expectOneSale(bought);
    await stage.later(2_000);
    expect((await bought.shopper.live()).body.items[0].available).toBe(0);
  });

  test("when somebody else has the unit by then, the payment is voided, nothing is booked, and the shopper reads which", async () => {
    const bought = await placedOrder("late-gone", "ONE");
    await payAt(bought.placed.body.payment.url, "approve", sandbox);
    // In the line already: the till asks the provider a second after the time is over, and must find the unit taken.
    const next = await joined("late-gone", "ONE", 1);
    await stage.later(payTime);
    await called(next);
    const other = await placedOrder("late-gone", "ONE", next);
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
    await stage.sweep("till");
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
    await loseAlarm("unpaid");
    await stage.later(payTime);
    await stage.sweep("unpaid");
    const end = await orderUntil(bought.shopper, bought.order, bought.placed.body.receipt, (body) => body.state === "expired", 10_000);
    expect(end.body.payment.url).toBeNull();
    expect((await transfersOf(bought.order)).filter((transfer) => transfer.state !== "voided" && transfer.state !== "pending")).toEqual([]);
  });
});

describe("cards that are tried out", () => {
  test("close the payment page with the eighth that is refused and free the units; after two such orders the same turn holds nothing more, and others do", async () => {
    const triedOut = async (somebody?: Shopper): Promise<Bought> => {
      const bought = await placedOrder("flow", "FLOW", somebody);
      for (let card = 0; card < 8; card++) expect((await payAt(bought.placed.body.payment.url, "decline", sandbox)).status).toBe(200);
      const refused = (await eventsOf(bought.order)).filter(({ type }) => type === "payment_intent.payment_failed");
      expect(refused).toHaveLength(8);
      for (const event of refused) await deliver(event);
      const holdState = async () => (await bought.shopper.proven("GET", `/api/drops/flow/holds/${bought.hold}`, bought.shopper.pass)).body.state;
      await vi.waitFor(async () => expect(await holdState()).toBe("voided"), { timeout: 10_000, interval: 200 });
      expect((await payAt(bought.placed.body.payment.url, "approve", sandbox)).status).toBe(409);
      expect((await bought.shopper.read(bought.order, bought.placed.body.receipt)).body).toMatchObject({ state: "cancelled", payment: { state: "failed" } });
      return bought;
    };
    const { shopper } = await triedOut();
    await triedOut(shopper);
    expect((await shopper.hold([{ sku: "FLOW", quantity: 1 }])).body).toMatchObject({ status: 429, code: "too_many_requests" });
    await placedOrder("flow", "FLOW");
  });
});
