import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { payableStep } from "../../../src/kernel/money.ts";
import { checkout, moneyDesk, sweepOrder } from "../../../src/settlement/checkout.ts";
import { processInboxEvent, receiveWebhook } from "../../../src/settlement/inbox.ts";
import type { TransferView } from "../../../src/settlement/port.ts";
import { OPENING, placedOrder } from "../../support/placed-order.ts";
import { notice, plainNotices, settlementOnDoubles, sold } from "./doubles.ts";

const DAY_MS = 24 * 3_600_000;

const refund = (id: string, order: string, changes: Partial<Parameters<ReturnType<typeof moneyDesk>["refund"]>[0]> = {}) =>
  ({ id, order, lines: null, amountMinor: null, reason: "The print is smudged.", restock: null, ...changes });

function balances(transfers: readonly TransferView[]): Record<string, number> {
  const result: Record<string, number> = {};
  for (const { state, debit, credit, amountMinor } of transfers) {
    if (state !== "posted") continue;
    result[debit] = (result[debit] ?? 0) - amountMinor;
    result[credit] = (result[credit] ?? 0) + amountMinor;
  }
  return result;
}

/** Every pending transfer is resolved once, and pending money is what was posted, voided and is still open. */
function expectResolvedOnce(transfers: readonly TransferView[]): void {
  const resolutions = transfers.flatMap((transfer) => transfer.pendingId ?? []);
  expect(new Set(resolutions).size).toBe(resolutions.length);
  for (const id of resolutions) expect(transfers.find((transfer) => transfer.id === id)?.state).toBe("pending");
}

describe("capture follows the hand-over", () => {
  test("nothing is captured before it, and everything when all is handed over", async () => {
    const { desk, order, provider, store } = await sold({ capture: "on-fulfilment" });
    expect(provider.payment?.capturedMinor).toBe(0);
    expect(await desk.order(order.id)).toMatchObject({ state: "confirmed", payment: { state: "authorised" }, fulfilment: "none" });
    const answer = await desk.fulfil({ id: "ful_1", order: order.id, lines: null });
    expect(answer).toMatchObject({ ok: true, value: { payment: { state: "captured" }, capturedMinor: 12_600, fulfilment: "done" } });
    expect(balances(await store.transfers(order.id))).toEqual({ "provider:stripe": -12_600, "partner:kiosk-k": 900, "creator:ana": 8_820, platform: 2_880 });
    expect(await store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test("a card that is captured once is captured when nothing is open any more, for what was handed over", async () => {
    const { desk, order, provider, drop, store } = await sold({ capture: "on-fulfilment" });
    const part = await desk.fulfil({ id: "ful_1", order: order.id, lines: [{ sku: "MOTH-S", quantity: 1 }] });
    expect(part).toMatchObject({ ok: true, value: { fulfilment: "part", payment: { state: "authorised" }, capturedMinor: 0 } });
    const rest = await desk.refund(refund("ref_1", order.id));
    expect(rest).toMatchObject({ ok: true, value: { payment: { state: "captured" }, capturedMinor: 4_200, refundedMinor: 0, fulfilment: "done" } });
    expect(provider.done.filter((key) => key.startsWith("capture:"))).toEqual([`capture:${order.id}:0`]);
    expect(drop.restocked.get("ref_1")).toEqual([{ sku: "MOTH-S", quantity: 1 }, { sku: "MOTH-L", quantity: 1 }]);
    const transfers = await store.transfers(order.id);
    expectResolvedOnce(transfers);
    expect(balances(transfers)).toEqual({ "provider:stripe": -4_200, "partner:kiosk-k": 300, "creator:ana": 2_940, platform: 960 });
    expect(transfers.filter((transfer) => transfer.state === "voided").reduce((sum, transfer) => sum + transfer.amountMinor, 0)).toBe(8_400);
  });

  test("a card that is captured several times is captured at every hand-over", async () => {
    const { desk, order, provider, store } = await sold({ capture: "on-fulfilment" }, true);
    await desk.fulfil({ id: "ful_1", order: order.id, lines: [{ sku: "MOTH-L", quantity: 1 }] });
    expect(balances(await store.transfers(order.id))).toEqual({ "provider:stripe": -4_200, "partner:kiosk-k": 300, "creator:ana": 2_940, platform: 960 });
    expect(await desk.refund(refund("ref_1", order.id, { lines: [{ sku: "MOTH-S", quantity: 1 }] }))).toMatchObject({ ok: true, value: { refundedMinor: 0 } });
    await desk.fulfil({ id: "ful_2", order: order.id, lines: null });
    expect(provider.payment).toMatchObject({ status: "captured", capturedMinor: 8_400 });
    expect(provider.done.filter((key) => key.startsWith("capture:"))).toEqual([`capture:${order.id}:0`, `capture:${order.id}:4200`]);
    const transfers = await store.transfers(order.id);
    expectResolvedOnce(transfers);
    expect(balances(transfers)).toEqual({ "provider:stripe": -8_400, "partner:kiosk-k": 600, "creator:ana": 5_880, platform: 1_920 });
  });

  test("an order of which nothing is left to hand over is voided", async () => {
    const { desk, order, provider, drop } = await sold({ capture: "on-fulfilment" });
    expect(await desk.refund(refund("ref_1", order.id))).toMatchObject({ ok: true, value: { state: "cancelled", payment: { state: "voided" } } });
    expect(provider.payment?.status).toBe("cancelled");
    expect(drop.restocked.size).toBe(1);
  });

  test("what was handed over is captured before the authorisation ends", async () => {
    const { desk, order, ports, clock, store } = await sold({ capture: "on-fulfilment" });
    await desk.fulfil({ id: "ful_1", order: order.id, lines: [{ sku: "MOTH-S", quantity: 2 }] });
    const endsAt = OPENING + 1_000 + 7 * DAY_MS;
    expect(await store.due(endsAt - DAY_MS, 10)).toEqual([]);
    expect(await store.due(endsAt - DAY_MS / 2, 10)).toEqual([order.id]);
    clock.now = endsAt - DAY_MS / 2;
    await sweepOrder(ports, order.id);
    expect(await desk.order(order.id)).toMatchObject({ state: "confirmed", capturedMinor: 8_400, payment: { state: "captured" } });
  });

  test("the same hand-over twice is one, the same id with other lines is refused, and nothing is handed over twice", async () => {
    const { desk, order } = await sold();
    const lines = [{ sku: "MOTH-S", quantity: 2 }];
    const first = await desk.fulfil({ id: "ful_1", order: order.id, lines });
    expect(await desk.fulfil({ id: "ful_1", order: order.id, lines })).toEqual(first);
    expect(await desk.fulfil({ id: "ful_1", order: order.id, lines: null })).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(await desk.fulfil({ id: "ful_2", order: order.id, lines })).toEqual({ ok: false, rejection: { code: "fulfilment_not_possible" } });
    expect(await desk.fulfil({ id: "ful_3", order: order.id, lines: [{ sku: "MOTH-L", quantity: 1 }, { sku: "NONE", quantity: 1 }] }))
      .toEqual({ ok: false, rejection: { code: "unknown_sku", pointer: "/lines/1/sku" } });
    expect(await desk.fulfil({ id: "ful_4", order: "ord_unknown", lines: null })).toEqual({ ok: false, rejection: { code: "not_found" } });
  });

  test("nothing is handed over before the order is confirmed", async () => {
    const order = placedOrder();
    const { ports } = settlementOnDoubles(OPENING);
    await checkout(ports).open(order);
    expect(await moneyDesk(ports).fulfil({ id: "ful_1", order: order.id, lines: null })).toEqual({ ok: false, rejection: { code: "fulfilment_not_possible" } });
  });
});

describe("a refund", () => {
  test("takes back from each party in proportion, and all of it leaves nobody anything", async () => {
    const { desk, order, store, provider } = await sold();
    expect(await desk.refund(refund("ref_1", order.id, { amountMinor: 1_000 }))).toMatchObject({ ok: true, value: { payment: { state: "part-refunded" }, refundedMinor: 1_000 } });
    expect(balances(await store.transfers(order.id))["provider:stripe"]).toBe(-11_600);
    expect(await desk.refund(refund("ref_2", order.id))).toMatchObject({ ok: true, value: { payment: { state: "refunded" }, refundedMinor: 12_600 } });
    expect(Object.values(balances(await store.transfers(order.id)))).toEqual([0, 0, 0, 0]);
    expect(provider.refundedMinor()).toBe(12_600);
  });

  test("ends the same for each party in whatever order refunds are made", async () => {
    await fc.assert(fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 3_000 }), { minLength: 2, maxLength: 4 }), fc.nat(), async (wanted, seed) => {
      const ends = [];
      for (const sequence of [wanted, wanted.toSorted((a, b) => ((a * 7 + seed) % 13) - ((b * 7 + seed) % 13) || b - a)]) {
        const { desk, order, store } = await sold();
        for (const amountMinor of sequence) await desk.refund(refund(`ref_${amountMinor}`, order.id, { amountMinor }));
        ends.push(balances(await store.transfers(order.id)));
      }
      expect(ends[0]).toEqual(ends[1]);
    }), { numRuns: 40 });
  });

  test("of lines pays back exactly what the units cost after their discount, one by one or together", async () => {
    const lines = [{ sku: "MOTH-S", title: "Moth tee, S", quantity: 3, unitPriceMinor: 34, discountMinor: 2, totalMinor: 100, taxMinor: 0 }];
    const { desk, order } = await sold({ lines, totalMinor: 100, splits: [{ party: "platform", remainder: true }] });
    const seen = [];
    for (const id of ["ref_1", "ref_2", "ref_3"]) {
      const answer = await desk.refund(refund(id, order.id, { lines: [{ sku: "MOTH-S", quantity: 1 }] }));
      seen.push(answer.ok ? answer.value.refundedMinor : answer.rejection.code);
    }
    expect(seen).toEqual([33, 67, 100]);
    expect(await desk.refund(refund("ref_4", order.id, { lines: [{ sku: "MOTH-S", quantity: 1 }] }))).toEqual({ ok: false, rejection: { code: "refund_not_possible" } });
  });

  test("puts back on sale what was not handed over, and the rest only when it is told to", async () => {
    const { desk, order, drop } = await sold();
    await desk.fulfil({ id: "ful_1", order: order.id, lines: [{ sku: "MOTH-S", quantity: 1 }] });
    await desk.refund(refund("ref_1", order.id, { lines: [{ sku: "MOTH-S", quantity: 2 }] }));
    await desk.refund(refund("ref_2", order.id, { lines: [{ sku: "MOTH-L", quantity: 1 }], restock: false }));
    expect([...drop.restocked]).toEqual([["ref_1", [{ sku: "MOTH-S", quantity: 1 }]]]);
    const other = await sold();
    await other.desk.fulfil({ id: "ful_1", order: other.order.id, lines: null });
    await other.desk.refund(refund("ref_3", other.order.id, { lines: [{ sku: "MOTH-L", quantity: 1 }], restock: true }));
    expect([...other.drop.restocked]).toEqual([["ref_3", [{ sku: "MOTH-L", quantity: 1 }]]]);
  });

  test("is never larger than what is left, also when two whole ones are asked for at once", async () => {
    const { desk, order, provider, store } = await sold();
    expect(await desk.refund(refund("ref_0", order.id, { amountMinor: 12_601 }))).toEqual({ ok: false, rejection: { code: "refund_not_possible" } });
    expect(await desk.refund(refund("ref_0", order.id, { amountMinor: 0 }))).toEqual({ ok: false, rejection: { code: "refund_not_possible" } });
    const answers = await Promise.all(["ref_1", "ref_2", "ref_3"].map((id) => desk.refund(refund(id, order.id, { amountMinor: 12_600 }))));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
    expect(provider.refundedMinor()).toBe(12_600);
    expect(balances(await store.transfers(order.id))["provider:stripe"]).toBe(0);
  });

  test("asked for twice with one id is one, with another body it is refused", async () => {
    const { desk, order, provider } = await sold();
    await desk.refund(refund("ref_1", order.id, { amountMinor: 500 }));
    expect(await desk.refund(refund("ref_1", order.id, { amountMinor: 500 }))).toMatchObject({ ok: true, value: { refundedMinor: 500 } });
    expect(await desk.refund(refund("ref_1", order.id, { amountMinor: 600 }))).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(provider.refundedMinor()).toBe(500);
  });

  test("whose answer is lost stands, and is made once by whoever comes next", async () => {
    const { desk, order, provider, ports } = await sold();
    provider.troubles = ["lost answer"];
    expect(await desk.refund(refund("ref_1", order.id, { amountMinor: 500 }))).toMatchObject({ ok: true, value: { refundedMinor: 0, payment: { state: "captured" } } });
    await sweepOrder(ports, order.id);
    expect(await desk.order(order.id)).toMatchObject({ refundedMinor: 500, payment: { state: "part-refunded" } });
    expect(provider.refundedMinor()).toBe(500);
  });

  test("of units that are not paid for yet costs nobody anything", async () => {
    const { desk, order, provider } = await sold({ capture: "on-fulfilment" });
    expect(await desk.refund(refund("ref_1", order.id, { amountMinor: 100 }))).toEqual({ ok: false, rejection: { code: "refund_not_possible" } });
    expect(await desk.refund(refund("ref_2", order.id, { lines: [{ sku: "MOTH-L", quantity: 1 }] }))).toMatchObject({ ok: true, value: { refundedMinor: 0, payment: { state: "authorised" } } });
    await desk.fulfil({ id: "ful_1", order: order.id, lines: null });
    expect(provider.payment?.capturedMinor).toBe(8_400);
    expect(provider.refundedMinor()).toBe(0);
  });
});

describe("money in parts", () => {
  const world = fc.record({
    quantities: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    unitPrice: fc.integer({ min: 1, max: 999 }),
    fixedMinor: fc.integer({ min: 0, max: 3 }),
    percents: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 2 }),
    steps: fc.array(fc.record({ isRefund: fc.boolean(), line: fc.nat(2), quantity: fc.integer({ min: 1, max: 2 }) }), { maxLength: 8 }),
    isMulticapture: fc.boolean(),
    currency: fc.constantFrom("JPY", "EUR", "KWD"),
  });

  test("hand-overs and refunds in any order keep provider, order and ledger in step, to the minor unit", async () => {
    await fc.assert(fc.asyncProperty(world, async ({ quantities, unitPrice, fixedMinor, percents, steps, isMulticapture, currency }) => {
      const step = payableStep(currency);
      const lines = quantities.map((quantity, index) => {
        const discountMinor = index * step;
        const totalMinor = Math.max(0, quantity * unitPrice * step - discountMinor);
        return { sku: `S${index}`, title: `S${index}`, quantity, unitPriceMinor: unitPrice * step, discountMinor, totalMinor, taxMinor: 0 };
      });
      const totalMinor = lines.reduce((sum, line) => sum + line.totalMinor, 0);
      const splits = [{ party: "partner", fixedMinor }, ...percents.map((percent, index) => ({ party: `creator:${index}`, percent })), { party: "platform", remainder: true as const }];
      const { desk, order, provider, store } = await sold({ lines, totalMinor, splits, currency, capture: "on-fulfilment" }, isMulticapture);
      for (const [index, step] of steps.entries()) {
        const change = [{ sku: `S${step.line % lines.length}`, quantity: step.quantity }];
        await (step.isRefund ? desk.refund(refund(`ref_${index}`, order.id, { lines: change })) : desk.fulfil({ id: `ful_${index}`, order: order.id, lines: change }));
      }
      await desk.fulfil({ id: "ful_last", order: order.id, lines: null });
      const view = await desk.order(order.id);
      const transfers = await store.transfers(order.id);
      expectResolvedOnce(transfers);
      expect(transfers.every((transfer) => transfer.amountMinor > 0)).toBe(true);
      expect(view?.capturedMinor).toBe(provider.payment?.capturedMinor ?? 0);
      expect((provider.payment?.capturedMinor ?? 0) % step).toBe(0);
      expect(provider.refundedMinor() % step).toBe(0);
      expect(view?.refundedMinor).toBe(provider.refundedMinor());
      expect(balances(transfers)["provider:stripe"] ?? 0).toBe(provider.refundedMinor() - (provider.payment?.capturedMinor ?? 0));
      const open = transfers.filter((transfer) => transfer.state === "pending" && !transfers.some((other) => other.pendingId === transfer.id));
      expect(open).toEqual([]);
      expect(await store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    }), { numRuns: 300 });
  });
});

describe("a dispute", () => {
  async function disputed() {
    const world = await sold();
    const deliver = async (id: string, type: string, status: string) => {
      const body = notice(id, type, "", { payment: "pi_1", dispute: { id: "dp_1", amountMinor: 12_600, status } });
      await receiveWebhook(world.ports, plainNotices, body.replace('"order":""', '"order":null'), "");
      await processInboxEvent(world.ports, plainNotices, false, `evt_${id}`);
    };
    return { ...world, deliver };
  }

  test("that is lost takes the money back from the parties once, found by the payment alone", async () => {
    const { deliver, desk, order, store } = await disputed();
    await deliver("a", "charge.dispute.created", "needs_response");
    await deliver("b", "charge.dispute.closed", "lost");
    await deliver("c", "charge.dispute.closed", "lost");
    await deliver("d", "charge.dispute.created", "needs_response");
    expect(await desk.order(order.id)).toMatchObject({ payment: { state: "disputed" } });
    expect(Object.values(balances(await store.transfers(order.id)))).toEqual([0, 0, 0, 0]);
    expect(await desk.refund(refund("ref_1", order.id))).toMatchObject({ ok: true, value: { refundedMinor: 0 } });
    expect(await desk.refund(refund("ref_2", order.id, { amountMinor: 1 }))).toEqual({ ok: false, rejection: { code: "refund_not_possible" } });
  });

  test("that is won changes nobody's balance", async () => {
    const { deliver, desk, order, store } = await disputed();
    await deliver("b", "charge.dispute.closed", "won");
    await deliver("a", "charge.dispute.created", "needs_response");
    expect(await desk.order(order.id)).toMatchObject({ payment: { state: "captured" } });
    expect(balances(await store.transfers(order.id))["provider:stripe"]).toBe(-12_600);
  });
});
