import { describe, expect, test } from "vitest";
import { Fault } from "../../../src/kernel/result.ts";
import { KEY_OF_ANOTHER, ProviderFailure } from "../../../src/payment/provider.ts";
import { stripeProvider, toStripeAmount } from "../../../src/payment/stripe.ts";
import { OPENING, placedOrder } from "../../support/placed-order.ts";

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly key: string | null;
  readonly params: Record<string, string>;
}

type Reply = { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> } | "no answer";

/** The real SDK on a way out that records what is asked and answers what it is told. */
function recording(replies: readonly Reply[], hasMulticapture = false) {
  const asked: Recorded[] = [];
  const waiting = [...replies];
  const provider = stripeProvider({
    key: "sk_test_recorded",
    hasMulticapture,
    async fetch(input, init) {
      const request = new Request(input, init);
      const url = new URL(request.url);
      const text = request.method === "POST" ? await request.text() : url.search.slice(1);
      asked.push({ method: request.method, path: url.pathname, key: request.headers.get("idempotency-key"), params: Object.fromEntries(new URLSearchParams(text)) });
      const reply = waiting.shift() ?? "no answer";
      if (reply === "no answer") throw new TypeError("network connection lost");
      return Response.json(reply.body, { status: reply.status, headers: reply.headers ?? {} });
    },
  });
  return { provider, asked };
}

const refusal = (status: number, code: string) => ({ status, body: { error: { type: status === 402 ? "card_error" : "invalid_request_error", code, message: "no" } } });
const intent = (changes: Record<string, unknown> = {}) => ({
  id: "pi_1", object: "payment_intent", amount: 12_600, amount_received: 0, currency: "eur", status: "requires_capture", metadata: { order: "ord_1" },
  latest_charge: { id: "ch_1", object: "charge", payment_method_details: { card: { capture_before: 1_796_000_000 } } }, ...changes,
});
const session = (changes: Record<string, unknown> = {}) => ({
  id: "cs_1", object: "checkout.session", status: "open", url: "https://checkout.stripe.com/c/pay/cs_1", client_reference_id: "ord_1", payment_intent: null, ...changes,
});

describe("opening a payment page", () => {
  test("asks for the order's exact total with manual capture, once per order", async () => {
    const { provider, asked } = recording([{ status: 200, body: session() }]);
    const order = placedOrder();
    expect(await provider.openSession(order, 3_000, `session:${order.id}`)).toEqual({ id: "cs_1", url: "https://checkout.stripe.com/c/pay/cs_1" });
    const [request] = asked;
    expect(request).toMatchObject({ method: "POST", path: "/v1/checkout/sessions", key: `session:${order.id}` });
    expect(request?.params).toMatchObject({
      mode: "payment", client_reference_id: order.id, customer_email: "ida@example.org",
      "metadata[order]": order.id, "metadata[drop]": "moth-tee",
      "payment_intent_data[capture_method]": "manual", "payment_intent_data[metadata][order]": order.id,
      "line_items[0][price_data][unit_amount]": "8400", "line_items[0][price_data][currency]": "eur", "line_items[0][quantity]": "1",
      "line_items[0][price_data][product_data][name]": "2 × Moth tee, S",
      "line_items[1][price_data][unit_amount]": "4200",
      success_url: `https://store.example/orders/${order.id}`, cancel_url: `https://store.example/orders/${order.id}`,
    });
  });

  test("the parameters depend on the order alone, and the page outlives 30 minutes whenever it is opened before the goods go back", async () => {
    const { provider, asked } = recording([{ status: 200, body: session() }, { status: 200, body: session() }]);
    await provider.openSession(placedOrder(), 3_000, "session:1");
    await provider.openSession(placedOrder(), 1_000, "session:1");
    expect(asked[0]?.params).toEqual(asked[1]?.params);
    const endsAt = Number(asked[0]?.params["expires_at"]) * 1_000;
    expect(endsAt - (OPENING + 15 * 60_000)).toBeGreaterThanOrEqual(31 * 60_000);
    expect(endsAt - OPENING).toBeLessThan(24 * 3_600_000);
  });

  test("a refusal is a value, a lost answer or a 5xx is a retryable fault, and nothing is retried inside", async () => {
    const order = placedOrder();
    expect(await recording([refusal(400, "parameter_invalid_integer")]).provider.openSession(order, 3_000, "session:1")).toEqual({ refused: "parameter_invalid_integer" });
    for (const reply of ["no answer", refusal(500, "x"), refusal(503, "x"), refusal(429, "lock_timeout"), refusal(409, "idempotency_key_in_use"), refusal(401, "api_key_expired")] as const) {
      const { provider, asked } = recording([reply, { status: 200, body: session() }]);
      const opening = provider.openSession(order, 3_000, "session:1");
      await expect(opening).rejects.toBeInstanceOf(Fault);
      await expect(opening).rejects.toMatchObject({ retryable: true });
      expect(asked).toHaveLength(1);
    }
  });

  test("an answered 5xx is a failure that stays under its key, and says whether it was replayed; no answer and a 429 are not", async () => {
    const open = (reply: Reply) => recording([reply]).provider.openSession(placedOrder(), 3_000, "session:1");
    await expect(open(refusal(500, "x"))).rejects.toMatchObject({ retryable: true, isReplay: false });
    await expect(open({ ...refusal(500, "x"), headers: { "Idempotent-Replayed": "true" } })).rejects.toMatchObject({ isReplay: true });
    for (const reply of ["no answer", refusal(429, "lock_timeout"), refusal(409, "idempotency_key_in_use")] as const) {
      await expect(open(reply)).rejects.not.toBeInstanceOf(ProviderFailure);
    }
  });

  test("waits no longer than its budget", async () => {
    const provider = stripeProvider({
      key: "sk_test_slow", hasMulticapture: false,
      fetch: (_input, init) => new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")))),
    });
    const began = performance.now();
    await expect(provider.openSession(placedOrder(), 50, "session:1")).rejects.toBeInstanceOf(Fault);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test("several captures are asked for only where the account has them", async () => {
    const { provider, asked } = recording([{ status: 200, body: session() }], true);
    await provider.openSession(placedOrder(), 3_000, "session:1");
    expect(asked[0]?.params["payment_method_options[card][request_multicapture]"]).toBe("if_available");
  });
});

describe("amounts", () => {
  test.each([["EUR", 1_234, 1_234], ["JPY", 1_234, 1_234], ["ISK", 1_234, 123_400], ["UGX", 5, 500], ["KWD", 1_230, 1_230], ["KWD", 1_234, null]])("%s %d is written as %s", (currency, minor, written) => {
    expect(toStripeAmount(minor, currency)).toBe(written);
  });

  test("an amount that cannot be charged is refused without asking", async () => {
    const { provider, asked } = recording([]);
    expect(await provider.openSession(placedOrder({ currency: "KWD", totalMinor: 1_234 }), 3_000, "session:1")).toEqual({ refused: "amount_not_chargeable" });
    expect(asked).toEqual([]);
  });
});

describe("the provider's truth", () => {
  test("of an unpaid page has no payment", async () => {
    const { provider } = recording([{ status: 200, body: session() }]);
    expect(await provider.truth({ session: "cs_1", payment: null })).toEqual({
      order: "ord_1", session: { id: "cs_1", status: "open", url: "https://checkout.stripe.com/c/pay/cs_1" }, payment: null,
    });
  });

  test.each([
    ["requires_payment_method", "unpaid"], ["requires_action", "unpaid"], ["processing", "processing"],
    ["requires_capture", "authorised"], ["succeeded", "captured"], ["canceled", "cancelled"],
  ])("calls an intent that is %s %s", async (status, expected) => {
    const { provider } = recording([{ status: 200, body: session({ status: "complete", url: null, payment_intent: intent({ status }) }) }]);
    expect(await provider.truth({ session: "cs_1", payment: "pi_1" })).toMatchObject({ session: { status: "complete" }, payment: { id: "pi_1", status: expected, currency: "EUR", captureBefore: 1_796_000_000_000 } });
  });

  test("of a payment alone names its order", async () => {
    const { provider, asked } = recording([{ status: 200, body: intent({ amount_received: 300, latest_charge: null }) }]);
    expect(await provider.truth({ session: null, payment: "pi_1" })).toEqual({
      order: "ord_1", session: null,
      payment: { id: "pi_1", status: "authorised", amountMinor: 12_600, capturedMinor: 300, currency: "EUR", captureBefore: null, isMulticapture: false, card: null },
    });
    expect(asked[0]?.path).toBe("/v1/payment_intents/pi_1");
  });

  test.each([
    ["of a card", { type: "card", card: { fingerprint: "Xt5EWLLDS7FJjR1c" } }, "Xt5EWLLDS7FJjR1c"],
    ["of a wallet's card, which has a number of its own", { type: "card", card: { fingerprint: "Zz9EWLLDS7FJjR1c", wallet: { type: "apple_pay" } } }, "Zz9EWLLDS7FJjR1c"],
    ["of a card that the provider does not name", { type: "card", card: { fingerprint: null } }, null],
    ["of what is no card", { type: "sepa_debit", sepa_debit: { fingerprint: "bank" } }, null],
  ])("names the card %s", async (_, details, card) => {
    const { provider } = recording([{ status: 200, body: intent({ latest_charge: { id: "ch_1", object: "charge", payment_method_details: details } }) }]);
    expect(await provider.truth({ session: null, payment: "pi_1" })).toMatchObject({ payment: { card } });
  });

  test("of something unknown is null, of a provider that does not answer a fault", async () => {
    expect(await recording([refusal(404, "resource_missing")]).provider.truth({ session: "cs_9", payment: null })).toBeNull();
    await expect(recording(["no answer"]).provider.truth({ session: "cs_9", payment: null })).rejects.toBeInstanceOf(Fault);
  });
});

describe("closing a payment page", () => {
  test("says that it is closed", async () => {
    const { provider, asked } = recording([{ status: 200, body: session({ status: "expired", url: null }) }]);
    expect(await provider.closeSession("cs_1")).toMatchObject({ session: { status: "expired" }, payment: null });
    expect(asked[0]).toMatchObject({ method: "POST", path: "/v1/checkout/sessions/cs_1/expire" });
  });

  test("that was paid meanwhile answers with the payment", async () => {
    const { provider } = recording([refusal(400, "checkout_session_not_open"), { status: 200, body: session({ status: "complete", payment_intent: intent() }) }]);
    expect(await provider.closeSession("cs_1")).toMatchObject({ session: { status: "complete" }, payment: { status: "authorised" } });
  });
});

describe("effects on a payment", () => {
  const made = { id: "ref_1", payment: "pi_1", amountMinor: 100, currency: "EUR", key: "refund:ref_1" };
  const list = (refund: string, status: string) => ({ status: 200, body: { object: "list", data: [{ id: "re_1", status, metadata: { refund } }], has_more: false } });

  test("carry the key of their business event", async () => {
    const { provider, asked } = recording([{ status: 200, body: intent() }, { status: 200, body: intent() }, list("ref_2", "succeeded"), { status: 200, body: { id: "re_1", status: "succeeded" } }]);
    expect(await provider.capture({ payment: "pi_1", amountMinor: 4_200, currency: "EUR", isFinal: true, isMulticapture: false, key: "capture:1" })).toEqual({ isDone: true });
    expect(await provider.voidPayment("pi_1", "void:1")).toEqual({ isDone: true });
    expect(await provider.refund(made)).toEqual({ isDone: true });
    expect(asked).toEqual([
      { method: "POST", path: "/v1/payment_intents/pi_1/capture", key: "capture:1", params: { amount_to_capture: "4200" } },
      { method: "POST", path: "/v1/payment_intents/pi_1/cancel", key: "void:1", params: {} },
      { method: "GET", path: "/v1/refunds", key: null, params: { payment_intent: "pi_1", limit: "100" } },
      { method: "POST", path: "/v1/refunds", key: "refund:ref_1", params: { payment_intent: "pi_1", amount: "100", "metadata[refund]": "ref_1" } },
    ]);
  });

  test("a part of several captures says that more may follow", async () => {
    const { provider, asked } = recording([{ status: 200, body: intent() }]);
    await provider.capture({ payment: "pi_1", amountMinor: 1, currency: "EUR", isFinal: false, isMulticapture: true, key: "capture:1" });
    expect(asked[0]?.params).toEqual({ amount_to_capture: "1", final_capture: "false" });
  });

  test("a declined capture is final, one without an answer is unknown", async () => {
    const capture = { payment: "pi_1", amountMinor: 1, currency: "EUR", isFinal: true, isMulticapture: false, key: "capture:1" };
    expect(await recording([refusal(402, "card_declined")]).provider.capture(capture)).toEqual({ isDone: false, reason: "card_declined" });
    await expect(recording(["no answer"]).provider.capture(capture)).rejects.toBeInstanceOf(Fault);
  });

  test("a refund that was made long ago is found by its name, and never made again under a key that was forgotten", async () => {
    const { provider, asked } = recording([list("ref_1", "succeeded")]);
    expect(await provider.refund(made)).toEqual({ isDone: true });
    expect(asked.map(({ method }) => method)).toEqual(["GET"]);
    expect(await recording([list("ref_2", "succeeded"), refusal(400, "charge_already_refunded")]).provider.refund(made)).toEqual({ isDone: false, reason: "charge_already_refunded" });
    expect(await recording([list("ref_1", "failed"), refusal(400, "charge_already_refunded")]).provider.refund(made)).toEqual({ isDone: false, reason: "charge_already_refunded" });
  });

  test("a 5xx to the search for a refund says nothing about the refund's key, one to the refund itself does", async () => {
    const replayed = { ...refusal(500, "x"), headers: { "idempotent-replayed": "true" } };
    await expect(recording([refusal(500, "x")]).provider.refund(made)).rejects.not.toBeInstanceOf(ProviderFailure);
    await expect(recording([list("ref_2", "succeeded"), replayed]).provider.refund(made)).rejects.toMatchObject({ isReplay: true });
    for (const effect of [
      recording([replayed]).provider.voidPayment("pi_1", "void:1"),
      recording([replayed]).provider.capture({ payment: "pi_1", amountMinor: 1, currency: "EUR", isFinal: true, isMulticapture: false, key: "capture:1" }),
    ]) await expect(effect).rejects.toMatchObject({ isReplay: true });
  });

  test("a key that came with other parameters before is told apart from every other refusal", async () => {
    const reply = { status: 400, body: { error: { type: "idempotency_error", message: "no" } } };
    expect(await recording([reply]).provider.voidPayment("pi_1", "void:1")).toEqual({ isDone: false, reason: KEY_OF_ANOTHER });
  });

  test("a refund of which nobody can tell whether it was made is not made now", async () => {
    const { provider, asked } = recording(["no answer", { status: 200, body: { id: "re_1", status: "succeeded" } }]);
    await expect(provider.refund(made)).rejects.toBeInstanceOf(Fault);
    expect(asked.map(({ method }) => method)).toEqual(["GET"]);
  });

  test("the rest of a payment that is captured in parts is let go by a last capture of nothing", async () => {
    const { provider, asked } = recording([{ status: 200, body: intent() }]);
    await provider.capture({ payment: "pi_1", amountMinor: 0, currency: "EUR", isFinal: true, isMulticapture: true, key: "release:1" });
    expect(asked[0]?.params).toEqual({ amount_to_capture: "0", final_capture: "true" });
  });
});
