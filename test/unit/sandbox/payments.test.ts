import { describe, expect, test } from "vitest";
import { DAY, failure, Provider } from "./provider.ts";

describe("an authorisation", () => {
  test("is captured once, at most in full, and what is not captured is released", async () => {
    const provider = new Provider();
    const { intent, session } = await provider.payment();
    expect(await failure(provider.stripe.paymentIntents.capture(intent, { amount_to_capture: 9_651 }))).toMatchObject({ statusCode: 400, code: "amount_too_large" });
    expect(await failure(provider.stripe.paymentIntents.capture(intent, { amount_to_capture: 0 }))).toMatchObject({ statusCode: 400 });
    const captured = await provider.stripe.paymentIntents.capture(intent, { amount_to_capture: 4_000 });
    expect(captured).toMatchObject({ status: "succeeded", amount_received: 4_000, amount_capturable: 0, amount: 9_650 });
    expect(await failure(provider.stripe.paymentIntents.capture(intent))).toMatchObject({ statusCode: 400, code: "payment_intent_unexpected_state" });
    expect(await failure(provider.stripe.paymentIntents.cancel(intent))).toMatchObject({ statusCode: 400, code: "payment_intent_unexpected_state" });
    expect((await provider.stripe.checkout.sessions.retrieve(session)).payment_status).toBe("paid");
    expect((await provider.books.report()).paymentIntents).toMatchObject([{ amount_authorised: 9_650, amount_received: 4_000, amount_capturable: 0 }]);
  });

  test("is not captured after it was cancelled, and cancelled once", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment();
    expect(await provider.stripe.paymentIntents.cancel(intent, { cancellation_reason: "abandoned" })).toMatchObject({ status: "canceled", cancellation_reason: "abandoned", amount_capturable: 0 });
    expect(await failure(provider.stripe.paymentIntents.capture(intent))).toMatchObject({ code: "payment_intent_unexpected_state" });
    expect(await failure(provider.stripe.paymentIntents.cancel(intent))).toMatchObject({ code: "payment_intent_unexpected_state" });
    expect((await provider.books.report()).balances).toEqual({});
  });

  test("runs out after seven days by the clock, even when no alarm has run", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment();
    const { intent: other } = await provider.payment();
    provider.now += 7 * DAY - 1;
    expect((await provider.stripe.paymentIntents.capture(other)).status).toBe("succeeded");
    provider.now += 1;
    expect(await failure(provider.stripe.paymentIntents.capture(intent))).toMatchObject({ code: "payment_intent_unexpected_state", message: expect.stringContaining("expired") as string });
    expect(await provider.stripe.paymentIntents.retrieve(intent)).toMatchObject({ status: "canceled", cancellation_reason: "expired" });
    expect(await provider.deliver()).toEqual(expect.arrayContaining(["charge.expired", "payment_intent.canceled"]));
  });

  test("a declined payment through the API is a card error with its decline code, and its intent remains", async () => {
    const provider = new Provider();
    const error = await failure(provider.stripe.paymentIntents.create({ amount: 500, currency: "eur", confirm: true, payment_method: "pm_card_visa_chargeDeclinedInsufficientFunds" }));
    expect(error).toMatchObject({ type: "StripeCardError", statusCode: 402, code: "card_declined", decline_code: "insufficient_funds" });
    expect((await provider.books.report()).paymentIntents).toMatchObject([{ status: "requires_payment_method", amount_authorised: 0 }]);
    const paid = await provider.stripe.paymentIntents.create({ amount: 500, currency: "EUR", confirm: true, payment_method: "pm_card_visa" });
    expect(paid).toMatchObject({ status: "succeeded", currency: "eur", amount_received: 500 });
  });
});

describe("a card", () => {
  const fingerprintBy = async (provider: Provider, card?: string) => {
    const { id } = await provider.session();
    await provider.pay(id, { outcome: "approve", ...(card === undefined ? {} : { card }) });
    const { payment_intent: paid } = await provider.stripe.checkout.sessions.retrieve(id, { expand: ["payment_intent.latest_charge"] });
    const charge = typeof paid === "string" || typeof paid?.latest_charge === "string" ? null : paid?.latest_charge;
    return charge?.payment_method_details?.card?.fingerprint;
  };

  test("has one fingerprint in every payment by its number, and no other card has it; sixteen digits that begin with 411111 are a card of their own", async () => {
    const provider = new Provider();
    const [plain, named, spaced] = [await fingerprintBy(provider), await fingerprintBy(provider, "approve"), await fingerprintBy(provider, "4242 4242 4242 4242")];
    expect(plain).toMatch(/^[0-9a-z]{16}$/);
    expect([named, spaced]).toEqual([plain, plain]);
    const own = await Promise.all(Array.from({ length: 50 }, (_, index) => fingerprintBy(provider, `411111${String(index).padStart(10, "0")}`)));
    expect(new Set([plain, ...own]).size).toBe(51);
    expect(await fingerprintBy(provider, "4111 1100 0000 0007")).toBe(own[7]);
  });

  test("of no known number is refused, and nothing is paid", async () => {
    const provider = new Provider();
    const { id } = await provider.session();
    for (const card of ["41111100000000", "4111110000000000x", "5111110000000000"]) expect((await provider.pay(id, { outcome: "approve", card })).status).toBe(422);
    expect((await provider.books.report()).paymentIntents).toEqual([]);
  });
});

describe("an authorisation for several captures", () => {
  const multicapture = { payment_method_options: { card: { request_multicapture: "if_available" as const } } };

  test("is captured in steps that each book their own money, and the last step releases the rest", async () => {
    const provider = new Provider();
    const { id } = await provider.session(multicapture);
    await provider.pay(id, { outcome: "approve" });
    const session = await provider.stripe.checkout.sessions.retrieve(id, { expand: ["payment_intent.latest_charge"] });
    expect(session.payment_intent).toMatchObject({ latest_charge: { payment_method_details: { card: { multicapture: { status: "available" } } } } });
    const intent = typeof session.payment_intent === "object" ? session.payment_intent?.id ?? "" : "";
    const step = (amount: number, isFinal: boolean) => provider.stripe.paymentIntents.capture(intent, { amount_to_capture: amount, final_capture: isFinal });
    expect(await step(4_000, false)).toMatchObject({ status: "requires_capture", amount_received: 4_000, amount_capturable: 5_650 });
    expect(await failure(step(5_651, false))).toMatchObject({ code: "amount_too_large" });
    expect(await failure(provider.stripe.paymentIntents.cancel(intent))).toMatchObject({ code: "payment_intent_unexpected_state" });
    expect(await step(5_000, false)).toMatchObject({ status: "requires_capture", amount_received: 9_000 });
    expect(await step(0, true)).toMatchObject({ status: "succeeded", amount_received: 9_000, amount_capturable: 0 });
    expect((await provider.stripe.balanceTransactions.list({ type: "charge" })).data.map((row) => row.amount)).toEqual([5_000, 4_000]);
  });

  test("keeps what was captured when the rest runs out", async () => {
    const provider = new Provider();
    const { id } = await provider.session(multicapture);
    await provider.pay(id, { outcome: "approve" });
    const intent = String((await provider.stripe.checkout.sessions.retrieve(id)).payment_intent);
    await provider.stripe.paymentIntents.capture(intent, { amount_to_capture: 4_000, final_capture: false });
    provider.now += 7 * DAY;
    expect(await provider.stripe.paymentIntents.retrieve(intent)).toMatchObject({ status: "succeeded", amount_received: 4_000, amount_capturable: 0 });
  });

  test("is not given to who did not ask for it", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment();
    expect(await failure(provider.stripe.paymentIntents.capture(intent, { amount_to_capture: 1, final_capture: false }))).toMatchObject({ statusCode: 400, param: "final_capture" });
  });
});

describe("refunds", () => {
  test("add up to at most what was captured, also when two full ones race", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment();
    expect(await failure(provider.stripe.refunds.create({ payment_intent: intent }))).toMatchObject({ statusCode: 400 });
    await provider.stripe.paymentIntents.capture(intent, { amount_to_capture: 5_000 });
    expect(await provider.stripe.refunds.create({ payment_intent: intent, amount: 1_000, reason: "requested_by_customer" })).toMatchObject({ amount: 1_000, status: "succeeded", payment_intent: intent });
    expect(await failure(provider.stripe.refunds.create({ payment_intent: intent, amount: 4_001 }))).toMatchObject({ code: "amount_too_large" });
    const race = await Promise.allSettled([provider.stripe.refunds.create({ payment_intent: intent }), provider.stripe.refunds.create({ payment_intent: intent })]);
    expect(race.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    expect(await failure(provider.stripe.refunds.create({ payment_intent: intent, amount: 1 }))).toMatchObject({ code: "charge_already_refunded" });
    const refunds = await provider.stripe.refunds.list({ payment_intent: intent });
    expect(refunds.data.map((refund) => refund.amount)).toEqual([4_000, 1_000]);
    expect((await provider.stripe.refunds.retrieve(refunds.data[0]?.id ?? "", { expand: ["payment_intent"] })).payment_intent).toMatchObject({ id: intent });
  });
});

describe("the balance", () => {
  test("is what was captured less fees, refunds, transfers, payouts and disputes, row by row", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment();
    await provider.stripe.paymentIntents.capture(intent);
    await provider.stripe.refunds.create({ payment_intent: intent, amount: 650 });
    const charge = await provider.stripe.paymentIntents.retrieve(intent, { expand: ["latest_charge.balance_transaction"] });
    expect(charge.latest_charge).toMatchObject({ amount_captured: 9_650, amount_refunded: 650, balance_transaction: { amount: 9_650, fee: 170, net: 9_480, type: "charge" } });
    const transfer = await provider.stripe.transfers.create({ amount: 3_000, currency: "eur", destination: "acct_ana", transfer_group: "ord_1" });
    const payout = await provider.stripe.payouts.create({ amount: 1_000, currency: "eur" });
    const rows = await provider.stripe.balanceTransactions.list({ limit: 100 });
    const balance = await provider.stripe.balance.retrieve();
    expect(rows.data.reduce((sum, row) => sum + row.net, 0)).toBe(9_480 - 650 - 3_000 - 1_000);
    expect(balance.available).toMatchObject([{ amount: 4_830, currency: "eur" }]);
    expect((await provider.stripe.transfers.retrieve(transfer.id)).destination).toBe("acct_ana");
    expect((await provider.stripe.transfers.list({ transfer_group: "ord_1" })).data).toHaveLength(1);
    expect((await provider.stripe.transfers.list({ transfer_group: "ord_2" })).data).toHaveLength(0);
    expect(await failure(provider.stripe.payouts.create({ amount: 4_831, currency: "eur" }))).toMatchObject({ code: "balance_insufficient" });
    expect(await failure(provider.stripe.transfers.create({ amount: 1, currency: "usd", destination: "acct_ana" }))).toMatchObject({ code: "balance_insufficient" });
    provider.now += 5_000;
    expect(await provider.deliver()).toContain("payout.paid");
    expect((await provider.stripe.payouts.retrieve(payout.id)).status).toBe("paid");
  });

  test("a dispute takes the amount and a fee, refuses refunds while it lasts, and a won one gives the amount back once", async () => {
    const provider = new Provider();
    const { intent } = await provider.payment("automatic");
    expect((await provider.json("POST", "/sandbox/disputes", { payment_intent: "pi_none" })).status).toBe(404);
    const opened = await provider.json("POST", "/sandbox/disputes", { payment_intent: intent, reason: "fraudulent" });
    expect(opened).toMatchObject({ status: 201, body: { status: "needs_response", amount: 9_650 } });
    expect((await provider.json("POST", "/sandbox/disputes", { payment_intent: intent })).status).toBe(409);
    expect(await failure(provider.stripe.refunds.create({ payment_intent: intent }))).toMatchObject({ code: "charge_disputed" });
    const id = String(opened.body["id"]);
    expect(await provider.stripe.disputes.retrieve(id)).toMatchObject({ payment_intent: intent, balance_transactions: [{ amount: -9_650, fee: 2_000 }] });
    expect((await provider.json("POST", `/sandbox/disputes/${id}/close`, { outcome: "won" })).body["status"]).toBe("won");
    expect((await provider.json("POST", `/sandbox/disputes/${id}/close`, { outcome: "lost" })).status).toBe(409);
    expect((await provider.books.report()).balances).toEqual({ eur: 9_480 - 2_000 });
    expect((await provider.stripe.disputes.list({ payment_intent: intent })).data).toHaveLength(1);
    expect(await provider.deliver()).toEqual(expect.arrayContaining(["charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed", "charge.dispute.funds_reinstated"]));
  });
});

describe("the API", () => {
  test("refuses without a key, for what does not exist, and for properties that cannot be expanded", async () => {
    const provider = new Provider();
    const bare = await provider.app.fetch(new Request("http://127.0.0.1:8788/v1/payment_intents/pi_1"));
    expect([bare.status, (await bare.json() as { error: { type: string } }).error.type]).toEqual([401, "invalid_request_error"]);
    expect(await failure(provider.stripe.paymentIntents.retrieve("pi_none"))).toMatchObject({ statusCode: 404, code: "resource_missing" });
    expect(await failure(provider.stripe.refunds.create({ payment_intent: "pi_none" }))).toMatchObject({ statusCode: 404, code: "resource_missing" });
    expect(await failure(provider.stripe.products.list())).toMatchObject({ statusCode: 404 });
    const { id } = await provider.session();
    expect(await failure(provider.stripe.checkout.sessions.retrieve(id, { expand: ["nonsense"] }))).toMatchObject({ statusCode: 400, param: "expand" });
    expect((await provider.app.fetch(new Request(`http://127.0.0.1:8788/sandbox/v1/checkout/sessions/${id}`, { headers: { authorization: "Bearer sk_test_x" } }))).status).toBe(200);
  });

  test("a request that is refused for its parameters changes nothing, even when the work was done before that was seen", async () => {
    const provider = new Provider();
    expect(await failure(provider.session({ expand: ["nonsense"] }))).toMatchObject({ statusCode: 400 });
    expect((await provider.books.report()).sessions).toHaveLength(0);
  });

  test("lists come newest first and in pages that miss nothing", async () => {
    const provider = new Provider();
    const made: string[] = [];
    for (let index = 0; index < 25; index++) made.push((await provider.stripe.customers.create({ email: index % 2 === 0 ? "even@x.example" : "odd@x.example", name: `C${index}` })).id);
    const seen: string[] = [];
    for await (const customer of provider.stripe.customers.list({ limit: 10 })) seen.push(customer.id);
    expect(seen).toEqual(made.toReversed());
    expect((await provider.stripe.customers.list({ email: "odd@x.example", limit: 100 })).data).toHaveLength(12);
    const before = await provider.stripe.customers.list({ ending_before: made[0] ?? "", limit: 2 });
    expect(before.data.map((customer) => customer.id)).toEqual([made[2], made[1]]);
    expect(await provider.stripe.customers.retrieve(made[3] ?? "")).toMatchObject({ name: "C3", metadata: {} });
    expect((await provider.stripe.customers.list({ created: { gt: provider.now / 1_000 } })).data).toHaveLength(0);
  });

  test("metadata with a hostile name is a name like any other", async () => {
    const provider = new Provider();
    const customer = await provider.stripe.customers.create({ metadata: { toString: "b" } });
    expect(customer.metadata).toEqual({ toString: "b" });
    const response = await provider.app.fetch(new Request("http://127.0.0.1:8788/v1/customers", { method: "POST", body: "__proto__[polluted]=1", headers: { authorization: "Bearer sk_test_x" } }));
    expect(response.status).toBe(400);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});
