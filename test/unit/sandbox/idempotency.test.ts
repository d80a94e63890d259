import { describe, expect, test } from "vitest";
import { DAY, failure, Provider } from "./provider.ts";

async function replay(provider: Provider, path: string, form: string, key: string): Promise<Response> {
  return provider.app.fetch(new Request(`http://127.0.0.1:8788${path}`, {
    method: "POST", body: form, headers: { authorization: "Bearer sk_test_x", "idempotency-key": key, "content-type": "application/x-www-form-urlencoded" },
  }));
}

describe("an idempotency key", () => {
  test("used by many requests at once has one effect and one answer", async () => {
    const provider = new Provider();
    const sessions = await Promise.all(Array.from({ length: 25 }, () => provider.session({}, { idempotencyKey: "open/ord_1" })));
    expect(new Set(sessions.map((session) => session.id)).size).toBe(1);
    expect((await provider.books.report()).sessions).toHaveLength(1);
  });

  test("gives the first answer byte for byte, also a refusal, whatever happened since", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment();
    const first = await replay(provider, `/v1/payment_intents/${intent}/capture`, "amount_to_capture=99999", "c1");
    expect(first.status).toBe(400);
    await provider.stripe.paymentIntents.cancel(intent);
    const second = await replay(provider, `/v1/payment_intents/${intent}/capture`, "amount_to_capture=99999", "c1");
    expect([second.status, await second.text(), second.headers.get("idempotent-replayed"), second.headers.get("request-id")])
      .toEqual([400, await first.text(), "true", first.headers.get("request-id")]);
  });

  test("with other parameters or another endpoint is an idempotency error and changes nothing; the order of parameters does not matter", async () => {
    const provider = new Provider();
    expect((await replay(provider, "/v1/customers", "name=A&email=a%40x.example", "k")).status).toBe(200);
    expect((await replay(provider, "/v1/customers", "email=a%40x.example&name=A", "k")).headers.get("idempotent-replayed")).toBe("true");
    expect(await failure(provider.stripe.customers.create({ name: "B" }, { idempotencyKey: "k" }))).toMatchObject({ type: "StripeIdempotencyError", statusCode: 400 });
    expect((await replay(provider, "/v1/refunds", "name=A&email=a%40x.example", "k")).status).toBe(400);
    expect((await provider.stripe.customers.list()).data).toHaveLength(1);
  });

  test("is forgotten after 24 hours, and kept through a restart until then", async () => {
    const provider = new Provider();
    const { id } = await provider.stripe.customers.create({ name: "A" }, { idempotencyKey: "k" });
    const restarted = provider.open();
    const again = await restarted.call({ method: "POST", path: "customers", form: "name=A", idempotencyKey: "k", authorization: "Bearer sk_test_x" });
    expect([again.isReplay, (JSON.parse(again.body) as { id: string }).id]).toEqual([true, id]);
    provider.now += DAY;
    expect((await provider.stripe.customers.create({ name: "A" }, { idempotencyKey: "k" })).id).not.toBe(id);
  });

  test("is not spent by parameters that were refused before any work", async () => {
    const provider = new Provider();
    expect(await failure(provider.stripe.customers.create({ email: "x".repeat(600) }, { idempotencyKey: "k" }))).toMatchObject({ statusCode: 400 });
    expect((await provider.stripe.customers.create({ email: "a@x.example" }, { idempotencyKey: "k" })).email).toBe("a@x.example");
  });

  test("longer than 255 characters is refused", async () => {
    const provider = new Provider();
    expect((await replay(provider, "/v1/customers", "name=A", "k".repeat(256))).status).toBe(400);
    expect((await replay(provider, "/v1/customers", "name=A", "k".repeat(255))).status).toBe(200);
  });

  test("that another request is still using is a conflict, and answered once that one is done", async () => {
    const provider = new Provider();
    await provider.json("PUT", "/sandbox/behaviour", { delayMs: { min: 60, max: 60 } });
    const first = provider.stripe.customers.create({ name: "A" }, { idempotencyKey: "k" });
    await new Promise((resolve) => setTimeout(resolve, 45));
    const second = await failure(provider.stripe.customers.create({ name: "A" }, { idempotencyKey: "k" }));
    expect(second).toMatchObject({ statusCode: 409, code: "idempotency_key_in_use" });
    const { id } = await first;
    provider.now += 60;
    expect((await provider.stripe.customers.create({ name: "A" }, { idempotencyKey: "k" })).id).toBe(id);
  });
});

describe("a hostile provider", () => {
  test("that times out after charging gives a retry with the same key the one charge", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment();
    await provider.json("PUT", "/sandbox/behaviour", { timeoutAfterCharging: { next: 1, hangMs: 5_000, on: ["intents.capture"] } });
    const impatient = provider.client(80);
    const lost = await failure(impatient.paymentIntents.capture(intent, { amount_to_capture: 9_000 }, { idempotencyKey: "cap" }));
    expect(lost.type).toBe("StripeConnectionError");
    expect((await provider.books.report()).paymentIntents).toMatchObject([{ amount_received: 9_000 }]);
    const retried = await impatient.paymentIntents.capture(intent, { amount_to_capture: 9_000 }, { idempotencyKey: "cap" });
    expect(retried).toMatchObject({ status: "succeeded", amount_received: 9_000 });
    expect((await provider.stripe.balanceTransactions.list()).data).toHaveLength(1);
  });

  test("that answers 500 after charging keeps saying so for the key, and has charged", async () => {
    const provider = new Provider();
    await provider.json("PUT", "/sandbox/behaviour", { errorAfterCharging: { next: 1 } });
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await failure(provider.session({}, { idempotencyKey: "open" }))).toMatchObject({ type: "StripeAPIError", statusCode: 500, headers: { "stripe-should-retry": "false" } });
    }
    expect((await provider.books.report()).sessions).toHaveLength(1);
    expect((await provider.session({}, { idempotencyKey: "other" })).status).toBe("open");
  });

  test("that answers 500 before charging has done nothing, and the same key works afterwards", async () => {
    const provider = new Provider();
    await provider.json("PUT", "/sandbox/behaviour", { errorBeforeCharging: { next: 1 } });
    expect(await failure(provider.session({}, { idempotencyKey: "open" }))).toMatchObject({ statusCode: 500 });
    expect((await provider.books.report()).sessions).toHaveLength(0);
    expect((await provider.session({}, { idempotencyKey: "open" })).status).toBe("open");
  });

  test("aims faults at the named operations only, and counts down", async () => {
    const provider = new Provider();
    await provider.json("PUT", "/sandbox/behaviour", { errorBeforeCharging: { next: 2, on: ["refunds.create"] } });
    const { intent } = await provider.payment("automatic");
    expect(await failure(provider.stripe.refunds.create({ payment_intent: intent }))).toMatchObject({ statusCode: 500 });
    expect((await provider.json("GET", "/sandbox/behaviour")).body["errorBeforeCharging"]).toMatchObject({ next: 1 });
    expect(await failure(provider.stripe.refunds.create({ payment_intent: intent }))).toMatchObject({ statusCode: 500 });
    expect((await provider.stripe.refunds.create({ payment_intent: intent })).status).toBe("succeeded");
  });

  test("declines the next cards although they would be approved, for the reason it was given", async () => {
    const provider = new Provider();
    await provider.json("PUT", "/sandbox/behaviour", { declines: { next: 1, reason: "lost_card" } });
    const { id } = await provider.session();
    expect((await provider.pay(id, { outcome: "approve" })).body["status"]).toBe("declined");
    expect((await provider.stripe.checkout.sessions.retrieve(id, { expand: ["payment_intent"] })).payment_intent).toMatchObject({ last_payment_error: { decline_code: "lost_card" } });
    expect((await provider.pay(id, { outcome: "approve" })).body["status"]).toBe("approved");
  });

  test("with the same seed fails in the same places", async () => {
    const run = async (seed: string): Promise<boolean[]> => {
      const provider = new Provider();
      await provider.json("PUT", "/sandbox/behaviour", { seed, errorBeforeCharging: { rate: 0.5 } });
      const outcomes: boolean[] = [];
      for (let index = 0; index < 40; index++) outcomes.push(await provider.stripe.customers.create({ name: "A" }).then(() => true, () => false));
      return outcomes;
    };
    const first = await run("nightjar");
    expect(await run("nightjar")).toEqual(first);
    expect(await run("another")).not.toEqual(first);
    expect(first.filter(Boolean).length).toBeGreaterThan(8);
    expect(first.filter(Boolean).length).toBeLessThan(32);
  });

  test("is described strictly: what is unknown or out of bounds is refused by name and changes nothing", async () => {
    const provider = new Provider();
    const friendly = (await provider.json("GET", "/sandbox/behaviour")).body;
    for (const [body, pointer] of [
      [{ declines: { rate: 1.5 } }, "/declines/rate"], [{ nonsense: 1 }, "/nonsense"], [{ delayMs: { min: 5, max: 1 } }, "/delayMs"],
      [{ webhooks: { duplicate: 1_000 } }, "/webhooks/duplicate"], [{ errorAfterCharging: { on: ["everything"] } }, "/errorAfterCharging/on/0"],
    ] as const) {
      const refused = await provider.json("PUT", "/sandbox/behaviour", body);
      expect(refused).toMatchObject({ status: 422, body: { code: "invalid_request", errors: [{ pointer }] } });
    }
    expect((await provider.json("GET", "/sandbox/behaviour")).body).toEqual(friendly);
    await provider.json("PUT", "/sandbox/behaviour", { webhooks: { withhold: true } });
    expect((await provider.json("PUT", "/sandbox/behaviour", {})).body).toEqual(friendly);
  });
});
