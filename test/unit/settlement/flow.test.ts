import { describe, expect, test } from "vitest";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { checkout, moneyDesk, settleMessage, sweepOrder } from "../../../src/settlement/checkout.ts";
import { processInboxEvent, receiveWebhook } from "../../../src/settlement/inbox.ts";
import { Fault } from "../../../src/kernel/result.ts";
import { OPENING, placedOrder } from "../../support/placed-order.ts";
import { notice, plainNotices, settlementOnDoubles } from "./doubles.ts";

const MINUTE_MS = 60_000;
type World = ReturnType<typeof settlementOnDoubles>;

async function deliver(world: World, body: string): Promise<void> {
  const received = await receiveWebhook(world.ports, plainNotices, body, "");
  await processInboxEvent(world.ports, plainNotices, false, received?.id ?? "");
}

async function opened(order: PlacedOrder, now = OPENING + 1_000): Promise<World> {
  const world = settlementOnDoubles(now);
  world.drop.order = order;
  await checkout(world.ports).open(order);
  return world;
}

const view = async (world: World, order: PlacedOrder) => {
  const found = await checkout(world.ports).order(order.id);
  if (found === null) throw new Error("the order is gone");
  return found;
};

/** What everyone must agree on at the end, whatever happened on the way. */
async function outcome(world: World, order: PlacedOrder) {
  const { state, payment, capturedMinor, refundedMinor } = await view(world, order);
  const transfers = await world.store.transfers(order.id);
  const balances = await world.store.accounts();
  const debits = balances.reduce((sum, account) => sum + account.debitMinor, 0);
  const credits = balances.reduce((sum, account) => sum + account.creditMinor, 0);
  expect(debits).toBe(credits);
  const posted = transfers.filter((transfer) => transfer.state === "posted" && transfer.pendingId !== null).reduce((sum, transfer) => sum + transfer.amountMinor, 0);
  expect(posted).toBe(capturedMinor);
  return {
    state, payment: payment.state, capturedMinor, refundedMinor,
    transfers: transfers.map(({ at: _at, ...transfer }) => transfer),
    effects: world.provider.done.filter((key) => !key.startsWith("close:")).toSorted(),
  };
}

describe("the flow of an order that is paid", () => {
  const order = placedOrder();
  const inputs: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
    completed: (world) => deliver(world, notice("completed", "checkout.session.completed", order.id, { session: "cs_1" })),
    capturable: (world) => deliver(world, notice("capturable", "payment_intent.amount_capturable_updated", order.id, { payment: "pi_1" })),
    succeeded: (world) => deliver(world, notice("succeeded", "payment_intent.succeeded", order.id, { payment: "pi_1" })),
    redirect: (world) => checkout(world.ports).refresh(order.id),
    outbox: (world) => settleMessage(world.ports, { id: "out_1", drop: order.drop, kind: "order_placed", order }),
  };

  test("every order of webhooks, redirect and outbox, each twice, ends in one order, one capture and one set of transfers", async () => {
    const outcomes = new Set<string>();
    let runs = 0;
    for (const sequence of permutations(Object.values(inputs))) {
      const world = await opened(order);
      world.provider.pay(order);
      for (const input of [...sequence, ...sequence]) await input(world);
      outcomes.add(JSON.stringify(await outcome(world, order)));
      expect(world.drop.confirmed).toEqual([`${order.id}/pi_1`]);
      runs++;
    }
    expect(runs).toBe(120);
    expect(outcomes.size).toBe(1);
    const [only] = outcomes;
    const end = JSON.parse(only ?? "null") as Awaited<ReturnType<typeof outcome>>;
    expect(end).toMatchObject({ state: "confirmed", payment: "captured", capturedMinor: 12_600, refundedMinor: 0 });
    expect(end.effects).toEqual([`capture:${order.id}:0`, `session:${order.id}`]);
    expect(end.transfers.map((transfer) => [transfer.state, transfer.credit, transfer.amountMinor])).toEqual([
      ["pending", "partner:kiosk-k", 900], ["pending", "creator:ana", 8_820], ["pending", "platform", 2_880],
      ["posted", "partner:kiosk-k", 900], ["posted", "creator:ana", 8_820], ["posted", "platform", 2_880],
    ]);
  });

  test("ten copies of each webhook at the same moment have one effect", async () => {
    const world = await opened(order);
    world.provider.pay(order);
    const all = Object.values(inputs).flatMap((input) => Array.from({ length: 10 }, () => input(world)));
    await Promise.all(all);
    expect(await outcome(world, order)).toMatchObject({ state: "confirmed", payment: "captured", capturedMinor: 12_600 });
    expect(world.provider.done.filter((key) => key.startsWith("capture:"))).toHaveLength(1);
    const { timeline } = await view(world, order);
    expect(timeline.map((entry) => entry.kind)).toEqual(["placed", "session_opened", "authorised", "sold", "captured"]);
  });

  test("lost requests and lost answers at the provider change nothing but the time", async () => {
    for (const troubles of [["lost answer"], ["lost request"], ["lost answer", "lost answer"], ["lost request", "lost answer"]] as const) {
      const world = await opened(order);
      world.provider.pay(order);
      world.provider.troubles = [...troubles];
      for (let attempt = 0; attempt < 4; attempt++) await inputs["completed"]?.(world).catch(() => {});
      await sweepOrder(world.ports, order.id);
      expect(await outcome(world, order)).toMatchObject({ state: "confirmed", capturedMinor: 12_600 });
      expect(world.provider.payment?.capturedMinor).toBe(12_600);
    }
  });

  test("a payment page that the provider is slow to open leaves the order confirming, and the outbox opens the same one", async () => {
    const world = settlementOnDoubles(OPENING);
    world.provider.troubles = ["lost answer"];
    const first = await checkout(world.ports).open(order);
    expect(first).toMatchObject({ state: "confirming", payment: { state: "none", url: null } });
    expect(await settleMessage(world.ports, { id: "out_1", drop: order.drop, kind: "order_placed", order })).toBe("later");
    world.clock.now = OPENING + 5_000;
    expect(await settleMessage(world.ports, { id: "out_1", drop: order.drop, kind: "order_placed", order })).toBe("settled");
    expect(await view(world, order)).toMatchObject({ state: "placed", payment: { state: "pending", url: "https://pay.example/cs_1" } });
    expect(world.provider.done).toEqual([`session:${order.id}`]);
  });

  test("a webhook that never comes is made up for by the sweep", async () => {
    const world = await opened(order);
    world.provider.pay(order);
    const dueAt = OPENING + 1_000 + 120_000;
    expect(await world.store.due(dueAt - 1, 10)).toEqual([]);
    expect(await world.store.due(dueAt, 10)).toEqual([order.id]);
    world.clock.now = dueAt;
    await sweepOrder(world.ports, order.id);
    expect(await outcome(world, order)).toMatchObject({ state: "confirmed", payment: "captured" });
    expect(await world.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });
});

describe("the time to pay", () => {
  const order = placedOrder();
  const due = { id: "out_2", drop: order.drop, kind: "payment_due", order: order.id } as const;
  const expired = { id: "out_3", drop: order.drop, kind: "order_expired", order: order.id } as const;

  test("an order that nobody pays has its payment page closed and ends as expired", async () => {
    const world = await opened(order);
    await settleMessage(world.ports, due);
    expect(world.provider.session.status).toBe("expired");
    expect((await view(world, order)).payment.url).toBeNull();
    await settleMessage(world.ports, expired);
    expect(await view(world, order)).toMatchObject({ state: "expired", payment: { state: "failed", url: null } });
    expect(world.drop.failed).toEqual([]);
    expect(await world.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test("the page's end may be heard of before the drop's word: the order has expired all the same, and the drop is not told", async () => {
    const world = await opened(order);
    world.clock.now = order.payBy;
    world.provider.session.status = "expired";
    await deliver(world, notice("end", "checkout.session.expired", order.id, { session: "cs_1" }));
    await settleMessage(world.ports, due);
    await settleMessage(world.ports, expired);
    expect(await view(world, order)).toMatchObject({ state: "expired", payment: { state: "failed", url: null } });
    expect(world.drop.failed).toEqual([]);
  });

  test("a page that turns out to be paid when it is closed is treated as authorised", async () => {
    const world = await opened(order);
    world.provider.pay(order);
    await settleMessage(world.ports, due);
    expect(await outcome(world, order)).toMatchObject({ state: "confirmed", payment: "captured" });
  });

  test("late money takes the units again when the drop has them", async () => {
    const world = await opened(order);
    world.provider.pay(order, "processing");
    await settleMessage(world.ports, due);
    await settleMessage(world.ports, expired);
    expect(await view(world, order)).toMatchObject({ state: "expired" });
    if (world.provider.payment !== null) world.provider.payment.status = "authorised";
    await deliver(world, notice("late", "payment_intent.amount_capturable_updated", order.id, { payment: "pi_1" }));
    expect(await outcome(world, order)).toMatchObject({ state: "confirmed", payment: "captured" });
  });

  test("late money that the drop refuses is voided, said so, and never sold by a retry", async () => {
    const world = await opened(order);
    world.drop.verdict = "refused";
    world.provider.pay(order);
    for (let copy = 0; copy < 3; copy++) {
      await deliver(world, notice(`late${copy}`, "checkout.session.completed", order.id, { session: "cs_1" }));
      await settleMessage(world.ports, expired);
      world.drop.verdict = "sold";
    }
    const end = await outcome(world, order);
    expect(end).toMatchObject({ state: "expired", payment: "voided", capturedMinor: 0 });
    expect(end.transfers.filter((transfer) => transfer.state === "voided").map((transfer) => transfer.amountMinor)).toEqual([900, 8_820, 2_880]);
    expect(world.provider.payment?.status).toBe("cancelled");
    const { timeline } = await view(world, order);
    expect(timeline.map((entry) => entry.text).join("\n")).toMatch(/You will not be charged[\s\S]*released/);
  });

  test("refused money that the provider captured by itself is refunded whole", async () => {
    const world = await opened(order);
    world.drop.verdict = "refused";
    world.provider.pay(order);
    if (world.provider.payment !== null) Object.assign(world.provider.payment, { status: "captured", capturedMinor: order.totalMinor });
    await deliver(world, notice("succeeded", "payment_intent.succeeded", order.id, { payment: "pi_1" }));
    const end = await outcome(world, order);
    expect(end).toMatchObject({ state: "cancelled", payment: "refunded", capturedMinor: 12_600, refundedMinor: 12_600 });
    expect(world.provider.refundedMinor()).toBe(12_600);
    for (const account of await world.store.accounts()) expect(account.debitMinor).toBe(account.creditMinor);
  });

  test("a payment that is processing asks the drop once for more time", async () => {
    const world = await opened(order);
    world.drop.extendedTo = order.placedAt + 15 * MINUTE_MS;
    world.provider.pay(order, "processing");
    await deliver(world, notice("processing", "payment_intent.processing", order.id, { payment: "pi_1" }));
    expect(await view(world, order)).toMatchObject({ state: "confirming", payBy: order.placedAt + 15 * MINUTE_MS, payment: { state: "pending", url: null } });
    if (world.provider.payment !== null) world.provider.payment.status = "unpaid";
    await deliver(world, notice("failed", "payment_intent.payment_failed", order.id, { payment: "pi_1" }));
    expect(await view(world, order)).toMatchObject({ state: "cancelled", payment: { state: "failed" } });
    expect(world.drop.failed).toEqual([order.id]);
  });

  const declined = (world: World, number: number) => deliver(world, notice(`declined_${number}`, "payment_intent.payment_failed", order.id, { payment: "pi_0" }));

  test("seven refused cards leave the page open, however often each is told of, and the eighth closes it and gives the units back", async () => {
    const world = await opened(order);
    for (let round = 0; round < 3; round++) for (let number = 1; number <= 7; number++) await declined(world, number);
    expect(await view(world, order)).toMatchObject({ state: "placed", payment: { state: "pending", url: "https://pay.example/cs_1" } });
    await declined(world, 8);
    expect(await view(world, order)).toMatchObject({ state: "cancelled", payment: { state: "failed", url: null } });
    expect([world.provider.session.status, world.drop.failed]).toEqual(["expired", [order.id]]);
    await declined(world, 9);
    expect(world.drop.failed).toEqual([order.id]);
  });

  test("a card that is approved while the page is closed for the others buys the order", async () => {
    const world = await opened(order);
    for (let number = 1; number <= 7; number++) await declined(world, number);
    world.provider.pay(order);
    await declined(world, 8);
    expect(await view(world, order)).toMatchObject({ state: "confirmed" });
    expect(world.drop.failed).toEqual([]);
  });

  test("a page that opened after its time is closed at once", async () => {
    const world = settlementOnDoubles(OPENING);
    world.drop.order = order;
    world.provider.troubles = ["lost answer"];
    await checkout(world.ports).open(order);
    await settleMessage(world.ports, due);
    expect(await view(world, order)).toMatchObject({ state: "expired", payment: { state: "failed", url: null } });
    await settleMessage(world.ports, { id: "out_1", drop: order.drop, kind: "order_placed", order });
    expect((await view(world, order)).payment.url).toBeNull();
  });

  test("when the drop's message is lost, the sweep closes the till", async () => {
    const world = await opened(order);
    world.clock.now = order.payBy + 5_000;
    await sweepOrder(world.ports, order.id);
    expect(world.provider.session.status).toBe("expired");
  });

  test("messages that overtake the order fetch it from the drop", async () => {
    const world = settlementOnDoubles(OPENING);
    world.drop.order = order;
    await settleMessage(world.ports, expired);
    expect(await view(world, order)).toMatchObject({ state: "expired" });
  });
});

describe("a payment ends in exactly one of order, void and refund", () => {
  const order = placedOrder();
  const cancelled = { id: "out_4", drop: order.drop, kind: "order_cancelled", order: order.id } as const;

  test("a sale whose answer was lost before the drop was cancelled is known to both books before its money goes back", async () => {
    const world = await opened(order);
    world.provider.pay(order);
    const decide = world.drop.confirm.bind(world.drop);
    world.drop.confirm = async (...asked) => {
      await decide(...asked);
      world.drop.confirm = decide;
      throw new Fault("the answer was lost on the way", { retryable: true });
    };
    await checkout(world.ports).refresh(order.id).catch(() => null);
    await settleMessage(world.ports, cancelled);
    const { events } = await world.store.read(order.id);
    expect(events.map(({ kind }) => kind).filter((kind) => kind === "sold" || kind === "voided")).toEqual(["sold", "voided"]);
    expect(await outcome(world, order)).toMatchObject({ state: "cancelled", payment: "voided" });
  });

  test("an order that cost nothing, whose sale's answer was lost before the drop was cancelled, gives its units back", async () => {
    const free = placedOrder({ totalMinor: 0, lines: [{ sku: "MOTH-S", title: "Moth tee, S", quantity: 1, unitPriceMinor: 0, discountMinor: 0, totalMinor: 0, taxMinor: 0 }] });
    const world = settlementOnDoubles(OPENING);
    world.drop.order = free;
    const decide = world.drop.confirm.bind(world.drop);
    world.drop.confirm = async (...asked) => {
      await decide(...asked);
      world.drop.confirm = decide;
      throw new Fault("the answer was lost on the way", { retryable: true });
    };
    await checkout(world.ports).open(free).catch(() => null);
    expect((await world.store.read(free.id)).events.map(({ kind }) => kind)).not.toContain("sold");
    await settleMessage(world.ports, { ...cancelled, order: free.id });
    expect((await world.store.read(free.id)).events.map(({ kind }) => kind)).toContain("sold");
    expect(world.drop.restocked.size).toBe(1);
    expect(await view(world, free)).toMatchObject({ state: "cancelled" });
  });

  test("a cancelled drop refunds what was captured", async () => {
    const world = await opened(order);
    world.provider.pay(order);
    await checkout(world.ports).refresh(order.id);
    for (let copy = 0; copy < 3; copy++) await settleMessage(world.ports, cancelled);
    expect(await outcome(world, order)).toMatchObject({ state: "cancelled", payment: "refunded", refundedMinor: 12_600 });
    expect([...world.provider.refunds.values()]).toEqual([12_600]);
  });

  test("a refund that the provider refuses for good is asked for once, said so, and left to a person", async () => {
    const world = await opened(order);
    world.provider.pay(order);
    await checkout(world.ports).refresh(order.id);
    world.provider.isRefusingRefunds = true;
    for (let copy = 0; copy < 3; copy++) await settleMessage(world.ports, cancelled);
    expect(world.provider.done.filter((key) => key.startsWith("refund:"))).toHaveLength(1);
    expect(await outcome(world, order)).toMatchObject({ state: "cancelled", payment: "captured", refundedMinor: 0 });
    expect((await view(world, order)).timeline.at(-1)?.kind).toBe("refund_failed");
    expect(world.drop.restocked.size, "what was paid and not paid back is sold").toBe(0);
    world.provider.isRefusingRefunds = false;
    const byHand = await moneyDesk(world.ports).refund({ id: "ref_9", order: order.id, lines: null, amountMinor: null, reason: "By hand.", restock: null });
    expect(byHand).toMatchObject({ ok: true, value: { payment: { state: "refunded" } } });
    expect([...world.drop.restocked]).toEqual([[`cancelled:${order.id}`, order.lines.map(({ sku, quantity }) => ({ sku, quantity }))]]);
  });

  test("a cancelled drop voids what was only authorised", async () => {
    const late = placedOrder({ capture: "on-fulfilment" });
    const world = await opened(late);
    world.provider.pay(late);
    await checkout(world.ports).refresh(late.id);
    await settleMessage(world.ports, cancelled);
    expect(await outcome(world, late)).toMatchObject({ state: "cancelled", payment: "voided", capturedMinor: 0 });
    expect([...world.drop.restocked.keys()]).toEqual([`cancelled:${late.id}`]);
  });

  test("the units of a cancelled drop go back once the money is, once, and without those that were back already", async () => {
    const [line] = order.lines;
    if (line === undefined || line.quantity < 2) throw new Error("an order of two units");
    const world = await opened(order);
    world.provider.pay(order);
    await checkout(world.ports).refresh(order.id);
    const part = await moneyDesk(world.ports).refund({ id: "ref_1", order: order.id, lines: [{ sku: line.sku, quantity: 1 }], amountMinor: null, reason: "One is enough.", restock: true });
    expect(part).toMatchObject({ ok: true });
    for (let copy = 0; copy < 3; copy++) await settleMessage(world.ports, cancelled);
    expect(await outcome(world, order)).toMatchObject({ state: "cancelled", payment: "refunded" });
    expect([...world.drop.restocked]).toEqual([["ref_1", [{ sku: line.sku, quantity: 1 }]], [`cancelled:${order.id}`, order.lines.map(({ sku, quantity }, index) => ({ sku, quantity: quantity - (index === 0 ? 1 : 0) }))]]);
  });

  test("a cancelled drop closes the page of an order that is not paid", async () => {
    const world = await opened(order);
    await settleMessage(world.ports, cancelled);
    expect(world.provider.session.status).toBe("expired");
    expect(await view(world, order)).toMatchObject({ state: "cancelled", payment: { state: "failed", url: null } });
  });

  test("a payment of another amount is released and the units go back", async () => {
    const world = await opened(order);
    world.provider.pay(order, "authorised", order.totalMinor - 1);
    await checkout(world.ports).refresh(order.id);
    expect(await outcome(world, order)).toMatchObject({ state: "cancelled", payment: "voided" });
    expect(world.drop.confirmed).toEqual([]);
    expect(world.drop.failed).toEqual([order.id]);
  });

  test("an authorisation that ends by itself takes the order with it, and the ledger says voided", async () => {
    const late = placedOrder({ capture: "on-fulfilment" });
    const world = await opened(late);
    world.provider.pay(late);
    await checkout(world.ports).refresh(late.id);
    if (world.provider.payment !== null) world.provider.payment.status = "cancelled";
    await deliver(world, notice("canceled", "payment_intent.canceled", late.id, { payment: "pi_1" }));
    const end = await outcome(world, late);
    expect(end).toMatchObject({ state: "cancelled", payment: "voided" });
    expect(end.transfers.filter((transfer) => transfer.state === "voided")).toHaveLength(3);
  });

  test("an order of nothing is sold without a payment", async () => {
    const free = placedOrder({ totalMinor: 0, lines: [{ sku: "MOTH-S", title: "Moth tee, S", quantity: 1, unitPriceMinor: 0, discountMinor: 0, totalMinor: 0, taxMinor: 0 }] });
    const world = await opened(free);
    expect(await outcome(world, free)).toMatchObject({ state: "confirmed", payment: "none", transfers: [], effects: [] });
    expect(await moneyDesk(world.ports).fulfil({ id: "ful_1", order: free.id, lines: null })).toMatchObject({ ok: true, value: { fulfilment: "done" } });
  });
});

describe("webhooks that are none of our business", () => {
  const order = placedOrder();
  const ignored = [
    ["of an unknown type", notice("a", "customer.created", order.id)],
    ["of an order that we do not have", notice("b", "checkout.session.completed", "ord_unknown", { session: "cs_9" })],
    ["of the other mode", notice("c", "checkout.session.completed", order.id, { isLive: true, session: "cs_1" })],
  ] as const;
  test.each(ignored)("an event %s is stored, ignored, and asks nobody", async (_title, body) => {
    const world = await opened(order);
    world.provider.pay(order);
    await deliver(world, body);
    const { id } = JSON.parse(body) as { id: string };
    expect((await world.store.inboxEvents([id])).get(id)?.outcome).toMatch(/^ignored/);
    expect(world.provider.asked).toEqual([]);
    expect((await view(world, order)).state).toBe("placed");
  });

  test("another shop's session in an event of ours adds nothing", async () => {
    const world = await opened(order);
    world.provider.pay(placedOrder({ id: "ord_of_another_shop" }));
    await deliver(world, notice("d", "checkout.session.completed", order.id, { session: "cs_1" }));
    expect((await view(world, order)).payment.state).toBe("pending");
  });
});

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}
