import Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { stripeNotices } from "../../../src/payment/stripe-notice.ts";
import { OPENING } from "../../support/placed-order.ts";

const SECRET = "whsec_for_these_tests";
const { webhooks } = new Stripe("sk_test_unused");
const reader = stripeNotices(SECRET);
const body = JSON.stringify({
  id: "evt_1", object: "event", type: "checkout.session.completed", livemode: false,
  data: { object: { id: "cs_1", object: "checkout.session", client_reference_id: "ord_1", payment_intent: "pi_1", metadata: { order: "ord_1", drop: "moth-tee" } } },
});
const seconds = (at: number) => Math.floor(at / 1_000);
const sign = (payload: string, timestamp: number, secret = SECRET) => webhooks.generateTestHeaderString({ payload, secret, timestamp });

describe("a webhook is verified", () => {
  test("when its signature and its time are right", async () => {
    expect(await reader.verified(body, sign(body, seconds(OPENING)), OPENING)).toEqual({
      id: "evt_1", type: "checkout.session.completed", isLive: false, order: "ord_1", session: "cs_1", payment: "pi_1", dispute: null,
    });
  });

  test("with the signatures of two secrets, as during a rotation", async () => {
    const old = sign(body, seconds(OPENING), "whsec_the_old_one_before").split(",")[1];
    expect(await reader.verified(body, `${sign(body, seconds(OPENING))},${old}`, OPENING)).not.toBeNull();
  });

  test.each([-300, 300])("up to 300 s off our clock (%d)", async (offset) => {
    expect(await reader.verified(body, sign(body, seconds(OPENING) + offset), OPENING)).not.toBeNull();
  });
});

describe("a webhook is refused", () => {
  const good = () => sign(body, seconds(OPENING));
  test.each([-301, 301, 3_600])("when its time is %d s off", async (offset) => {
    expect(await reader.verified(body, sign(body, seconds(OPENING) + offset), OPENING)).toBeNull();
  });

  test("when one byte of the body changed, or it was written again", async () => {
    expect(await reader.verified(body.replace("ord_1", "ord_2"), good(), OPENING)).toBeNull();
    expect(await reader.verified(JSON.stringify(JSON.parse(body), null, 1), good(), OPENING)).toBeNull();
  });

  test.each([
    ["no signature", ""],
    ["another secret", sign(body, seconds(OPENING), "whsec_somebody_else")],
    ["the old scheme alone", good().replace("v1=", "v0=")],
    ["two times", `t=${seconds(OPENING)},${good()}`],
    ["no time", good().split(",")[1] ?? ""],
    ["eleven signatures, one of them right", `${good()}${",v1=00".repeat(10)}`],
    ["a header without end", `${good()},x=${"0".repeat(5_000)}`],
  ])("with %s", async (_title, header) => {
    expect(await reader.verified(body, header, OPENING)).toBeNull();
  });

  test("when the secret is not set, whatever it is signed with", async () => {
    expect(await stripeNotices("").verified(body, sign(body, seconds(OPENING), "x"), OPENING)).toBeNull();
  });

  test.each([["not JSON", "{"], ["not an event", '{"id":1}'], ["an array", "[]"], ["an id of another kind", body.replace("evt_1", "../x")]])("when a signed body is %s", async (_title, text) => {
    expect(await reader.verified(text, sign(text, seconds(OPENING)), OPENING)).toBeNull();
  });
});

describe("what a notice names", () => {
  const of = (type: string, object: unknown) => reader.stored(JSON.stringify({ id: "evt_2", type, livemode: true, data: { object } }));
  test("an intent's event names the payment and the order of its metadata", () => {
    expect(of("payment_intent.succeeded", { id: "pi_7", metadata: { order: "ord_7" } })).toMatchObject({ order: "ord_7", payment: "pi_7", session: null, isLive: true });
  });
  test("a dispute names its payment and its amount", () => {
    expect(of("charge.dispute.created", { id: "dp_1", amount: 500, status: "needs_response", payment_intent: "pi_7" })).toMatchObject({
      order: null, payment: "pi_7", dispute: { id: "dp_1", amountMinor: 500, status: "needs_response" },
    });
  });
  test("a dispute's amount is counted as we count it where the provider counts in hundredths of nothing", () => {
    expect(of("charge.dispute.created", { id: "dp_1", amount: 12_300, currency: "isk", payment_intent: "pi_7" })).toMatchObject({ dispute: { amountMinor: 123 } });
  });
  test.each([
    ["an amount of null", { id: "plan_1", amount: null }],
    ["metadata that are no text", { id: "x", metadata: { order: 7 } }],
    ["a payment of another form", { id: "x", payment_intent: 7, status: { a: 1 } }],
    ["no object that we know", null],
  ])("a signed event with %s is verified all the same, and names no order", async (_title, object) => {
    const text = JSON.stringify({ id: "evt_4", type: "plan.created", livemode: false, data: { object } });
    expect(await reader.verified(text, sign(text, seconds(OPENING)), OPENING)).toMatchObject({ id: "evt_4", order: null, payment: null, dispute: null });
  });
  test("members called __proto__ reach nothing", () => {
    expect(reader.stored('{"id":"evt_3","type":"x","livemode":false,"__proto__":{"admin":true},"data":{"object":{"metadata":{"__proto__":"x"}}}}')).toMatchObject({ id: "evt_3", order: null });
    expect(({} as Record<string, unknown>)["admin"]).toBeUndefined();
  });
});
