import Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { backoffMs, signatureHeader } from "../../../src/sandbox/webhooks.ts";
import { DAY, Provider, SECRET, T0 } from "./provider.ts";

const FLOW = ["payment_intent.created", "charge.succeeded", "payment_intent.amount_capturable_updated", "checkout.session.completed"];

describe("webhooks", () => {
  test("every change is told once, in order, signed so that the official client verifies it", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment();
    expect(await provider.deliver()).toEqual(FLOW);
    await provider.stripe.paymentIntents.capture(intent);
    expect(await provider.deliver()).toEqual(["charge.captured", "payment_intent.succeeded"]);
    expect(await provider.deliver()).toEqual([]);
    expect(await provider.books.deliveries()).toEqual({ pending: 0, withheld: 0, givenUp: 0, nextAt: null });
    const last = provider.received.at(-1)?.event;
    expect(last).toMatchObject({ object: "event", livemode: false, data: { object: { id: intent, status: "succeeded" } } });
    expect(await provider.stripe.events.retrieve(last?.id ?? "")).toMatchObject({ type: "payment_intent.succeeded" });
    expect((await provider.stripe.events.list({ type: "checkout.session.completed" })).data).toHaveLength(1);
  });

  test("an event is a snapshot: what happens afterwards does not change it", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment();
    await provider.stripe.paymentIntents.capture(intent);
    await provider.deliver();
    const capturable = provider.received.find(({ event }) => event.type === "payment_intent.amount_capturable_updated")?.event;
    expect(capturable?.data.object).toMatchObject({ status: "requires_capture", amount_received: 0 });
  });

  test("a body that was changed, another secret and an old signature do not verify", async () => {
    const { stripe } = new Provider();
    const body = JSON.stringify({ id: "evt_1", object: "event" });
    const header = signatureHeader(body, SECRET, T0, nodeHashing);
    const verify = (text: string, secret: string, at: number) => stripe.webhooks.constructEventAsync(text, header, secret, 300, undefined, at);
    await expect(verify(body, SECRET, T0)).resolves.toMatchObject({ id: "evt_1" });
    await expect(verify(`${body} `, SECRET, T0)).rejects.toBeInstanceOf(Stripe.errors.StripeSignatureVerificationError);
    await expect(verify(body, "whsec_other", T0)).rejects.toBeInstanceOf(Stripe.errors.StripeSignatureVerificationError);
    await expect(verify(body, SECRET, T0 + 301_000)).rejects.toBeInstanceOf(Stripe.errors.StripeSignatureVerificationError);
  });

  test("what the store did not acknowledge is sent again with growing pauses, signed anew, until it is", async () => {
    const provider = new Provider();
    provider.storeAnswers = () => 503;
    await provider.stripe.customers.create({ name: "A" });
    for (const [attempt, pause] of [1_000, 5_000, 15_000, 60_000].entries()) {
      await provider.deliver();
      expect((await provider.books.deliveries()).nextAt).toBe(provider.now + pause);
      expect(backoffMs(attempt + 1)).toBe(pause);
      expect(provider.wakeUps.at(-1)).toBe(provider.now + pause);
      provider.now += pause;
    }
    provider.storeAnswers = () => { throw new Error("the connection was lost"); };
    await provider.deliver();
    provider.now += DAY;
    provider.storeAnswers = () => 200;
    expect(await provider.deliver()).toEqual(["customer.created"]);
  });

  test("a store that never answers is given up after three days, and a redirect is no acknowledgement", async () => {
    const provider = new Provider();
    provider.storeAnswers = () => 302;
    await provider.stripe.customers.create({ name: "A" });
    for (let hours = 0; hours <= 96; hours++) {
      await provider.deliver();
      provider.now += 60 * 60_000;
    }
    expect(await provider.books.deliveries()).toMatchObject({ pending: 0, givenUp: 1 });
    expect(provider.received).toHaveLength(0);
  });

  test("duplicates, reordering and delays are as the behaviour says", async () => {
    const provider = new Provider();
    await provider.json("PUT", "/sandbox/behaviour", { seed: "a", webhooks: { duplicate: 2 } });
    await provider.payment();
    expect((await provider.deliver()).toSorted()).toEqual(FLOW.flatMap((type) => [type, type, type]).toSorted());

    await provider.json("PUT", "/sandbox/behaviour", { seed: "a", webhooks: { reorder: true } });
    await provider.payment();
    provider.now += 2_000;
    expect(await provider.deliver()).toEqual(FLOW.toReversed());

    await provider.json("PUT", "/sandbox/behaviour", { seed: "a", webhooks: { delayMs: { min: 30_000, max: 60_000 } } });
    await provider.payment();
    provider.now += 29_999;
    expect(await provider.deliver()).toEqual([]);
    provider.now += 30_001;
    expect((await provider.deliver()).toSorted()).toEqual(FLOW.toSorted());
  });

  test("withheld webhooks wait for their release, however long that takes", async () => {
    const provider = new Provider();
    await provider.json("PUT", "/sandbox/behaviour", { webhooks: { withhold: true } });
    await provider.payment();
    provider.now += 4 * DAY;
    expect(await provider.deliver()).toEqual([]);
    expect(await provider.json("POST", "/sandbox/webhooks/release")).toEqual({ status: 200, body: { released: 4 } });
    expect(provider.wakeUps.at(-1)).toBe(provider.now);
    // The three days count from the release: a store that stumbles over it is asked again.
    provider.storeAnswers = () => 503;
    await provider.deliver();
    provider.storeAnswers = () => 200;
    provider.now += 1_000;
    expect(await provider.deliver()).toEqual(FLOW);
  });

  test("what was not yet delivered is still there after a restart, with its alarm", async () => {
    const provider = new Provider();
    provider.storeAnswers = () => 500;
    const { session } = await provider.payment();
    await provider.deliver();
    provider.wakeUps = [];
    const restarted = provider.open();
    restarted.arm();
    expect(provider.wakeUps).toEqual([provider.now + 1_000]);
    provider.now += 1_000;
    provider.storeAnswers = () => 200;
    await restarted.alarm();
    expect(provider.received.map(({ event }) => event.type)).toEqual(FLOW);
    expect((await restarted.report()).sessions).toMatchObject([{ id: session, status: "complete" }]);
  });

  test("nothing is sent without a secret to sign with, and nothing is lost", async () => {
    const provider = new Provider();
    const { createBooks } = await import("../../../src/sandbox/books.ts");
    let posts = 0;
    const books = createBooks({
      database: provider.database, hashing: nodeHashing, now: () => provider.now, pageOrigin: "http://127.0.0.1", webhookSecret: null, mailKey: null, turnstileSecret: null,
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)), sleep: async () => {}, wakeAt: () => {},
      post: async () => { posts++; return 200; },
    });
    await provider.stripe.customers.create({ name: "A" });
    await books.alarm();
    expect([posts, (await books.deliveries()).pending]).toEqual([0, 1]);
  });
});
