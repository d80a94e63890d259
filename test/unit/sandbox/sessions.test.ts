import { describe, expect, test } from "vitest";
import { DAY, failure, MINUTE, ORIGIN, Provider, T0 } from "./provider.ts";

describe("a checkout session", () => {
  test("shows what it was made of, its page, and no payment until somebody starts to pay", async () => {
    const provider = new Provider();
    const session = await provider.session();
    expect(session).toMatchObject({
      object: "checkout.session", status: "open", payment_status: "unpaid", payment_intent: null, amount_total: 9_650, currency: "eur",
      client_reference_id: "ord_1", metadata: { order: "ord_1" }, customer_email: "ana@nightjar.example", expires_at: T0 / 1_000 + 1_800,
    });
    expect(session.id).toMatch(/^cs_test_/);
    expect(session.url).toBe(`${ORIGIN}/sandbox/pay/${session.id}`);
    const again = await provider.stripe.checkout.sessions.retrieve(session.id, { expand: ["line_items", "payment_intent"] });
    expect(again.line_items?.data.map((line) => [line.description, line.quantity, line.amount_total])).toEqual([["Moth tee, S", 2, 8_400], ["Poster", 1, 1_250]]);
    expect(again.payment_intent).toBeNull();
  });

  test("ends 30 minutes to 24 hours ahead, to the second, and is refused outside", async () => {
    const provider = new Provider();
    const at = (seconds: number) => provider.session({ expires_at: T0 / 1_000 + seconds });
    expect((await at(1_800)).status).toBe("open");
    expect((await at(86_400)).status).toBe("open");
    for (const seconds of [1_799, 86_401, -5]) {
      expect(await failure(at(seconds))).toMatchObject({ type: "StripeInvalidRequestError", statusCode: 400, param: "expires_at" });
    }
    expect((await provider.books.report()).sessions).toHaveLength(2);
  });

  test("a payment with manual capture leaves the session complete and unpaid, and the intent waiting for its capture", async () => {
    const provider = new Provider();
    const { id } = await provider.session();
    expect(await provider.pay(id, { outcome: "approve" })).toEqual({ status: 200, body: { status: "approved", redirect: `http://127.0.0.1:8787/orders/ord_1?paid=${id}` } });
    const session = await provider.stripe.checkout.sessions.retrieve(id, { expand: ["payment_intent.latest_charge"] });
    expect(session).toMatchObject({
      status: "complete", payment_status: "unpaid", url: null,
      payment_intent: {
        status: "requires_capture", amount: 9_650, amount_capturable: 9_650, amount_received: 0, capture_method: "manual", metadata: { order: "ord_1" },
        latest_charge: { object: "charge", captured: false, payment_method_details: { card: { capture_before: (T0 + 7 * DAY) / 1_000 } } },
      },
    });
  });

  test("automatic capture is paid at once", async () => {
    const provider = new Provider();
    const { session, intent } = await provider.payment("automatic");
    expect(await provider.stripe.checkout.sessions.retrieve(session)).toMatchObject({ status: "complete", payment_status: "paid" });
    expect(await provider.stripe.paymentIntents.retrieve(intent)).toMatchObject({ status: "succeeded", amount_received: 9_650 });
  });

  test("a declined card keeps the session open, with one intent for every attempt until one is approved", async () => {
    const provider = new Provider();
    const { id } = await provider.session();
    const declined = await provider.pay(id, { outcome: "approve", card: "4000 0000 0000 9995" });
    expect(declined.body).toMatchObject({ status: "declined", redirect: `${ORIGIN}/sandbox/pay/${id}`, message: "Your card has insufficient funds." });
    const open = await provider.stripe.checkout.sessions.retrieve(id, { expand: ["payment_intent"] });
    expect(open).toMatchObject({ status: "open", payment_intent: { status: "requires_payment_method", last_payment_error: { code: "card_declined", decline_code: "insufficient_funds" } } });
    await provider.pay(id, { outcome: "approve" });
    const { paymentIntents: intents } = await provider.books.report();
    expect(intents.map((intent) => [intent.status, intent.amount_authorised])).toEqual([["requires_capture", 9_650]]);
  });

  test("a session that is paid, expired or past its time is never paid again", async () => {
    const provider = new Provider();
    const { id: paid } = await provider.session();
    await provider.pay(paid, { outcome: "approve" });
    expect(await provider.pay(paid, { outcome: "approve" })).toMatchObject({ status: 409, body: { status: "complete" } });

    const { id: expired } = await provider.session();
    expect((await provider.stripe.checkout.sessions.expire(expired)).status).toBe("expired");
    expect(await provider.pay(expired, { outcome: "approve" })).toMatchObject({ status: 409, body: { status: "expired", redirect: "http://127.0.0.1:8787/orders/ord_1" } });

    const { id: late } = await provider.session();
    provider.now += 30 * MINUTE;
    expect(await provider.pay(late, { outcome: "approve" })).toMatchObject({ status: 409, body: { status: "expired" } });
    expect((await provider.books.report()).paymentIntents).toHaveLength(1);
  });

  test("of many payments of one session at once exactly one is taken", async () => {
    const provider = new Provider();
    const { id } = await provider.session();
    const answers = await Promise.all(Array.from({ length: 20 }, () => provider.pay(id, { outcome: "approve" })));
    expect(answers.filter(({ body }) => body["status"] === "approved")).toHaveLength(1);
    expect((await provider.books.report()).paymentIntents).toHaveLength(1);
  });

  test("only an open session can be expired, and what was begun in it is cancelled with it", async () => {
    const provider = new Provider();
    const { session } = await provider.payment();
    expect(await failure(provider.stripe.checkout.sessions.expire(session))).toMatchObject({ statusCode: 400, message: expect.stringContaining("status of complete") as string });
    const { id } = await provider.session();
    await provider.pay(id, { outcome: "decline" });
    const begun = (await provider.stripe.checkout.sessions.retrieve(id)).payment_intent;
    expect(await failure(provider.stripe.paymentIntents.cancel(String(begun)))).toMatchObject({ statusCode: 400, message: expect.stringContaining("Expire the Checkout Session") as string });
    await provider.stripe.checkout.sessions.expire(id);
    expect((await provider.stripe.paymentIntents.retrieve(String(begun))).status).toBe("canceled");
    expect(await failure(provider.stripe.checkout.sessions.expire(id))).toMatchObject({ statusCode: 400 });
  });

  test("a session ends by the clock with one event, whether the alarm or a reader sees it first", async () => {
    for (const first of ["alarm", "reader"]) {
      const provider = new Provider();
      const { id } = await provider.session();
      provider.now += 30 * MINUTE - 1;
      expect((await provider.stripe.checkout.sessions.retrieve(id)).status).toBe("open");
      expect(Math.min(...provider.wakeUps)).toBe(T0 + 30 * MINUTE);
      provider.now += 1;
      if (first === "alarm") await provider.deliver();
      expect((await provider.stripe.checkout.sessions.retrieve(id)).status).toBe("expired");
      await provider.deliver();
      expect(provider.received.map(({ event }) => event.type)).toEqual(["checkout.session.expired"]);
    }
  });

  test("a payment that is processing completes the session and is decided later, for or against", async () => {
    const provider = new Provider();
    for (const [card, end, type] of [["processing", "requires_capture", "checkout.session.async_payment_succeeded"], ["processing-declined", "requires_payment_method", "checkout.session.async_payment_failed"]] as const) {
      const { id } = await provider.session();
      expect((await provider.pay(id, { outcome: "approve", card })).body["status"]).toBe("processing");
      const session = await provider.stripe.checkout.sessions.retrieve(id, { expand: ["payment_intent"] });
      expect(session).toMatchObject({ status: "complete", payment_status: "unpaid", payment_intent: { status: "processing" } });
      const intent = typeof session.payment_intent === "object" ? session.payment_intent?.id ?? "" : "";
      expect(await failure(provider.stripe.paymentIntents.cancel(intent))).toMatchObject({ code: "payment_intent_unexpected_state" });
      await provider.deliver();
      provider.now += 5_000;
      const told = await provider.deliver();
      expect(told).toContain(type);
      expect((await provider.stripe.paymentIntents.retrieve(intent)).status).toBe(end);
    }
  });

  test("parameters are read strictly, and what would change the amount is refused instead of ignored", async () => {
    const provider = new Provider();
    expect(await failure(provider.session({ discounts: [{ coupon: "ten" }] }))).toMatchObject({ code: "parameter_unknown", param: "discounts" });
    expect(await failure(provider.session({ line_items: [] }))).toMatchObject({ statusCode: 400 });
    expect(await failure(provider.session({ success_url: "javascript:alert(1)" }))).toMatchObject({ param: "success_url" });
    expect(await failure(provider.session({ customer: "cus_nobody" }))).toMatchObject({ code: "resource_missing" });
    const line = (unit: number, quantity: number, currency = "eur") => ({ price_data: { currency, unit_amount: unit, product_data: { name: "Tee" } }, quantity });
    for (const lines of [[line(10.5, 1)], [line(-1, 1)], [line(100, 0)], [line(0, 1)], [line(99_999_999, 2)], [line(100, 1), line(100, 1, "usd")]]) {
      expect(await failure(provider.session({ line_items: lines })), JSON.stringify(lines)).toMatchObject({ statusCode: 400 });
    }
    expect((await provider.books.report()).sessions).toHaveLength(0);
  });
});
