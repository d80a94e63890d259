import { describe, expect, test } from "vitest";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { cardInDrop } from "../../../src/settlement/card-in-drop.ts";
import { checkout, settleMessage } from "../../../src/settlement/checkout.ts";
import { sideBySide } from "../../../src/settlement/side-by-side.ts";
import { OPENING, placedOrder } from "../../support/placed-order.ts";
import { settlementOnDoubles } from "./doubles.ts";

const FINGERPRINT = "Xt5EWLLDS7FJjR1c";

/** An order whose page was paid by a card, and what became of it. */
async function paidBy(card: string | null, refusal: "card_limit" | null = null, order: PlacedOrder = placedOrder()) {
  const world = settlementOnDoubles(OPENING + 1_000);
  world.provider.card = card;
  if (refusal !== null) Object.assign(world.drop, { verdict: "refused", refusal });
  await checkout(world.ports).open(order);
  world.provider.pay(order);
  const view = await checkout(world.ports).refresh(order.id);
  if (view === null) throw new Error("the order is gone");
  return { ...world, order, view };
}

describe("the card that pays", () => {
  test("is told to the drop as a hash that only this drop knows it by, and its fingerprint is kept nowhere", async () => {
    const { drop, store, order } = await paidBy(FINGERPRINT);
    const mark = cardInDrop(FINGERPRINT, order, nodeHashing);
    expect(drop.cards).toEqual([mark]);
    expect(mark).toMatch(/^[0-9a-f]{64}$/);
    expect(mark).not.toBe(cardInDrop(FINGERPRINT, { planHash: "c".repeat(64) }, nodeHashing));
    expect(JSON.stringify(await store.read(order.id))).not.toContain(FINGERPRINT);
  });

  test("is named by no hash where the provider names none, as of a bank transfer", async () => {
    const { drop, view } = await paidBy(null);
    expect([drop.cards, view.state, view.capturedMinor]).toEqual([[null], "confirmed", 12_600]);
  });

  test("that is refused by the drop for its limit has its payment released at once; the order says why, the ledger is empty, and a repetition finds the same end", async () => {
    const { ports, drop, provider, store, clock, order, view } = await paidBy(FINGERPRINT, "card_limit");
    expect([view.state, view.payment.state, view.capturedMinor]).toEqual(["cancelled", "voided", 0]);
    expect(view.timeline.map(({ text }) => text)).toEqual(expect.arrayContaining([expect.stringMatching(/^This card has paid for as many as one card may in this drop\. You will not be charged/)]));
    expect(view.timeline.some(({ text }) => /after the time to pay/.test(text))).toBe(false);
    expect(await store.accounts()).toEqual([]);
    // The drop has taken its units back with its answer.
    expect(drop.failed).toEqual([]);
    const effects = [...provider.done];
    clock.now += 60_000;
    await checkout(ports).refresh(order.id);
    await settleMessage(ports, { id: "out_1", drop: order.drop, kind: "order_placed", order });
    expect([provider.done, drop.confirmed]).toEqual([effects, [`${order.id}/pi_1`]]);
  });

  test("is told with each of many payments that are confirmed in one call", async () => {
    const world = settlementOnDoubles(OPENING + 1_000);
    world.provider.card = FINGERPRINT;
    const orders = ["A", "B"].map((letter) => placedOrder({ id: `ord_0000000000000000000000000${letter}` }));
    const told: unknown[] = [];
    const drop = { confirmAll: async (payments: readonly unknown[]) => (told.push(...payments), payments.map(() => ({ verdict: "sold" as const, at: 0 }))) };
    const ports = { ...world.ports, drop: () => Object.assign(Object.create(world.drop), drop) };
    await sideBySide(ports, (ms, run) => void setTimeout(run, ms), orders.map(({ id }) => async (common) => {
      await common.drop("moth-tee").confirm(id, `pi_${id}`, "mark");
    }));
    expect(told).toEqual(orders.map(({ id }) => ({ order: id, payment: `pi_${id}`, card: "mark" })));
  });
});

test("money that was captured already for an order over the limit of its card is paid back whole, and the refund says why", async () => {
  const world = settlementOnDoubles(OPENING + 1_000);
  const order = placedOrder();
  world.provider.card = FINGERPRINT;
  Object.assign(world.drop, { verdict: "refused", refusal: "card_limit" });
  await checkout(world.ports).open(order);
  world.provider.pay(order);
  // Somebody captured it in the provider's own dashboard.
  Object.assign(world.provider.payment ?? {}, { status: "captured", capturedMinor: order.totalMinor });
  const view = await checkout(world.ports).refresh(order.id);
  expect([view?.state, view?.payment.state, world.provider.refundedMinor()]).toEqual(["cancelled", "refunded", order.totalMinor]);
  const { events } = await world.store.read(order.id);
  expect(events.find(({ kind }) => kind === "refund_requested")).toMatchObject({ reason: "This card has paid for as many as one card may in this drop." });
});
