import { describe, expect, test } from "vitest";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { KEY_OF_ANOTHER } from "../../../src/payment/provider.ts";
import { checkout, moneyDesk, settleMessage, sweepOrder } from "../../../src/settlement/checkout.ts";
import { processInboxEvent, receiveWebhook } from "../../../src/settlement/inbox.ts";
import type { SettlementPorts } from "../../../src/settlement/settlement-ports.ts";
import { OPENING, placedOrder } from "../../support/placed-order.ts";
import type { Trouble } from "./doubles.ts";
import { notice, plainNotices, settlementOnDoubles, sold } from "./doubles.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
type World = ReturnType<typeof settlementOnDoubles>;

/** Everybody who drives an order on does so again, some time later. */
async function driveOn(world: World, order: PlacedOrder, rounds: number, pauseMs: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    world.clock.now += pauseMs;
    await sweepOrder(world.ports, order.id).catch(() => {});
  }
}

async function deliver(world: World, body: string): Promise<void> {
  const received = await receiveWebhook(world.ports, plainNotices, body, "");
  await processInboxEvent(world.ports, plainNotices, false, received?.id ?? "");
}

const view = (world: World, order: PlacedOrder) => checkout(world.ports).order(order.id);
const kinds = async (world: World, order: PlacedOrder) => (await view(world, order))?.timeline.map(({ kind }) => kind);
const keys = (world: World, kind: string) => world.provider.done.filter((key) => key.startsWith(`${kind}:`));

describe("a payment page whose answer is a failure that the provider keeps", () => {
  const order = placedOrder();
  const session = `session:${order.id}`;

  test.each<Trouble>(["kept failure", "kept failure after it happened"])("a %s is followed by another page at once, while the shopper waits", async (trouble) => {
    const world = settlementOnDoubles(OPENING);
    world.provider.troubles = [trouble];
    const opened = await checkout(world.ports).open(order);
    expect(opened).toMatchObject({ state: "placed", payment: { state: "pending", url: world.provider.session.url } });
    expect(keys(world, "session")).toEqual([session, `${session}:1`]);
    expect(await kinds(world, order)).toEqual(["placed", "session_opened"]);
    world.provider.pay(order);
    expect(await checkout(world.ports).refresh(order.id)).toMatchObject({ state: "confirmed", payment: { state: "captured" } });
    expect(await kinds(world, order)).toEqual(["placed", "session_opened", "authorised", "sold", "captured"]);
  });

  test("two in a row leave the order confirming, and the outbox opens a page under the third key", async () => {
    const world = settlementOnDoubles(OPENING);
    world.provider.troubles = ["kept failure", "kept failure after it happened"];
    expect(await checkout(world.ports).open(order)).toMatchObject({ state: "confirming", payment: { url: null } });
    expect(keys(world, "session")).toEqual([session, `${session}:1`]);
    world.clock.now += 5 * SECOND_MS;
    expect(await settleMessage(world.ports, { id: "out_1", drop: order.drop, kind: "order_placed", order })).toBe("settled");
    expect(await view(world, order)).toMatchObject({ state: "placed", payment: { url: world.provider.session.url } });
    expect(keys(world, "session")).toEqual([session, `${session}:1`, `${session}:2`]);
  });

  test("without an answer the same key is tried first, and the next one only after the failure that it keeps", async () => {
    const world = settlementOnDoubles(OPENING);
    world.provider.troubles = ["lost kept failure"];
    expect(await checkout(world.ports).open(order)).toMatchObject({ state: "confirming", payment: { url: null } });
    expect(keys(world, "session")).toEqual([session]);
    expect(await checkout(world.ports).refresh(order.id)).toMatchObject({ state: "placed" });
    expect(keys(world, "session")).toEqual([session, `${session}:1`]);
  });

  test("a process that is killed between the failure and its record takes the very next key all the same", async () => {
    const world = settlementOnDoubles(OPENING);
    world.provider.troubles = ["kept failure"];
    let appends = 0;
    const dying: SettlementPorts = {
      ...world.ports,
      store: { ...world.store, append: (append) => (++appends === 2 ? Promise.reject(new Error("killed")) : world.store.append(append)) },
    };
    await expect(checkout(dying).open(order)).rejects.toThrow("killed");
    world.clock.now += 5 * SECOND_MS;
    await settleMessage(world.ports, { id: "out_1", drop: order.drop, kind: "order_placed", order });
    expect(await view(world, order)).toMatchObject({ state: "placed" });
    expect(keys(world, "session")).toEqual([session, `${session}:1`]);
  });

  test("a key that was used with other settings of the store is left for the next one", async () => {
    const world = settlementOnDoubles(OPENING);
    const { provider } = world;
    const open = provider.openSession.bind(provider);
    const ports: SettlementPorts = { ...world.ports, provider: Object.assign(provider, {
      openSession: async (...args: Parameters<typeof open>) => (args[2] === session ? { refused: KEY_OF_ANOTHER } : open(...args)),
    }) };
    expect(await checkout(ports).open(order)).toMatchObject({ state: "placed" });
    expect(keys(world, "session")).toEqual([`${session}:1`]);
  });

  test("ten at the same moment open one page more, not ten", async () => {
    const world = settlementOnDoubles(OPENING);
    world.provider.troubles = ["kept failure"];
    await Promise.all(Array.from({ length: 10 }, () => checkout(world.ports).open(order)));
    expect(await view(world, order)).toMatchObject({ state: "placed" });
    expect(keys(world, "session")).toEqual([session, `${session}:1`]);
  });

  test("a provider that fails all the time is asked a bounded number of times, until the time to pay is over, and the shopper reads nothing odd", async () => {
    const world = settlementOnDoubles(OPENING);
    world.provider.troubles = Array.from({ length: 500 }, () => "kept failure" as const);
    await checkout(world.ports).open(order);
    while (world.clock.now < order.payBy) {
      world.clock.now += SECOND_MS;
      await checkout(world.ports).refresh(order.id);
    }
    const tries = keys(world, "session").length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(25);
    await settleMessage(world.ports, { id: "out_2", drop: order.drop, kind: "payment_due", order: order.id });
    await settleMessage(world.ports, { id: "out_3", drop: order.drop, kind: "order_expired", order: order.id });
    await driveOn(world, order, 10, MINUTE_MS);
    expect(keys(world, "session")).toHaveLength(tries);
    expect(await view(world, order)).toMatchObject({ state: "expired", payment: { state: "failed", url: null } });
    expect(await kinds(world, order)).toEqual(["placed", "due", "expired"]);
    expect(await world.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });
});

describe("a payment in a page that nobody was told of", () => {
  const order = placedOrder();
  const stray = (id: string, payment: string, type = "payment_intent.amount_capturable_updated") => notice(id, type, order.id, { payment });

  async function opened(): Promise<World> {
    const world = settlementOnDoubles(OPENING);
    world.provider.troubles = ["kept failure after it happened"];
    await checkout(world.ports).open(order);
    return world;
  }

  test("pays the order when it comes first, and the order's own page is closed", async () => {
    const world = await opened();
    world.provider.payElsewhere(order, "pi_stray");
    await deliver(world, stray("a", "pi_stray"));
    expect(await view(world, order)).toMatchObject({ state: "confirmed", payment: { state: "captured" }, capturedMinor: 12_600 });
    expect(world.provider.strays.get("pi_stray")).toMatchObject({ status: "captured", capturedMinor: 12_600 });
    expect(world.provider.session.status).toBe("expired");
    expect(world.drop.confirmed).toEqual([`${order.id}/pi_stray`]);
    expect(await world.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test.each([["before", true], ["after", false]])("is released when it comes second, %s the own page's webhook is heard, and said so once", async (_title, isFirst) => {
    const world = await opened();
    world.provider.pay(order);
    if (!isFirst) await deliver(world, notice("own", "checkout.session.completed", order.id, { session: world.provider.session.id }));
    world.provider.payElsewhere(order, "pi_stray");
    for (const copy of ["a", "b", "c"]) await deliver(world, stray(copy, "pi_stray"));
    expect(await view(world, order)).toMatchObject({ state: "confirmed", capturedMinor: 12_600, refundedMinor: 0 });
    const statuses = [world.provider.payment?.status, world.provider.strays.get("pi_stray")?.status];
    expect(statuses.toSorted()).toEqual(["cancelled", "captured"]);
    const timeline = (await kinds(world, order)) ?? [];
    expect(timeline.filter((kind) => kind === "stray_released")).toHaveLength(1);
    expect(timeline.filter((kind) => kind === "authorised")).toHaveLength(1);
    expect(await world.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test("is released although the provider keeps a failure under the key of its release, and paid back where somebody captured it", async () => {
    const world = await opened();
    world.provider.pay(order);
    await checkout(world.ports).refresh(order.id);
    world.provider.payElsewhere(order, "pi_stray");
    world.provider.troubles = ["kept failure"];
    await deliver(world, stray("a", "pi_stray")).catch(() => {});
    await driveOn(world, order, 3, MINUTE_MS);
    expect(world.provider.strays.get("pi_stray")?.status).toBe("cancelled");

    world.provider.payElsewhere(order, "pi_other");
    Object.assign(world.provider.strays.get("pi_other") ?? {}, { status: "captured", capturedMinor: 300 });
    await deliver(world, stray("b", "pi_other", "payment_intent.succeeded"));
    expect(world.provider.refundedMinor()).toBe(300);
    expect(await view(world, order)).toMatchObject({ state: "confirmed", capturedMinor: 12_600, refundedMinor: 0 });
  });

  test("after the goods are gone is voided", async () => {
    const world = await opened();
    for (const kind of ["payment_due", "order_expired"] as const) await settleMessage(world.ports, { id: `out_${kind}`, drop: order.drop, kind, order: order.id });
    world.drop.verdict = "refused";
    world.provider.payElsewhere(order, "pi_stray");
    await deliver(world, stray("a", "pi_stray"));
    expect(world.provider.strays.get("pi_stray")?.status).toBe("cancelled");
    expect(await view(world, order)).toMatchObject({ state: "expired", payment: { state: "voided" }, capturedMinor: 0 });
  });

  test("never ends the order by not being made: the other page's end says nothing", async () => {
    const world = await opened();
    for (const type of ["checkout.session.expired", "checkout.session.async_payment_failed"]) await deliver(world, notice(type.replaceAll(".", "_"), type, order.id, { session: "cs_1" }));
    expect(await view(world, order)).toMatchObject({ state: "placed", payment: { state: "pending", url: world.provider.session.url } });
  });
});

describe("a failure that the provider keeps under the key of a capture, a void or a refund", () => {
  const troubles: readonly (readonly Trouble[])[] = [
    ["kept failure"], ["kept failure after it happened"], ["lost kept failure"], ["lost request", "kept failure"],
  ];

  test.each(troubles)("%s: the order is charged once, under a new key only where nothing had happened", async (...list) => {
    const world = settlementOnDoubles(OPENING);
    const order = placedOrder();
    await checkout(world.ports).open(order);
    world.provider.pay(order);
    world.provider.troubles = [...list];
    await checkout(world.ports).refresh(order.id);
    await driveOn(world, order, 4, MINUTE_MS);
    expect(world.provider.payment).toMatchObject({ status: "captured", capturedMinor: 12_600 });
    expect(await view(world, order)).toMatchObject({ state: "confirmed", payment: { state: "captured" }, capturedMinor: 12_600 });
    const base = `capture:${order.id}:0`;
    expect(keys(world, "capture")).toEqual(list.includes("kept failure after it happened") ? [base] : [base, `${base}:1`]);
    expect(await kinds(world, order)).toEqual(["placed", "session_opened", "authorised", "sold", "captured"]);
  });

  test.each(troubles)("%s: a refund is made once", async (...list) => {
    const world = await sold();
    world.provider.troubles = [...list];
    await world.desk.refund({ id: "ref_1", order: world.order.id, lines: null, amountMinor: 500, reason: "Torn.", restock: null });
    await driveOn(world, world.order, 4, MINUTE_MS);
    expect([...world.provider.refunds]).toEqual([["ref_1", 500]]);
    expect(await view(world, world.order)).toMatchObject({ refundedMinor: 500, payment: { state: "part-refunded" } });
    expect((await kinds(world, world.order))?.slice(-2)).toEqual(["refund_requested", "refunded"]);
  });

  test.each(troubles)("%s: a cancelled drop releases the money", async (...list) => {
    const world = await sold({ capture: "on-fulfilment" });
    world.provider.troubles = [...list];
    await settleMessage(world.ports, { id: "out_4", drop: world.order.drop, kind: "order_cancelled", order: world.order.id }).catch(() => {});
    await driveOn(world, world.order, 4, MINUTE_MS);
    expect(world.provider.payment?.status).toBe("cancelled");
    expect(await view(world, world.order)).toMatchObject({ state: "cancelled", payment: { state: "voided" } });
  });

  test("a hand-over whose part failed does not keep the next one from being charged, and no part is charged twice", async () => {
    const world = await sold({ capture: "on-fulfilment" }, true);
    const hand = (id: string, sku: string) => moneyDesk(world.ports).fulfil({ id, order: world.order.id, lines: [{ sku, quantity: 1 }] });
    world.provider.troubles = ["kept failure"];
    await hand("ful_1", "MOTH-L");
    await hand("ful_2", "MOTH-S");
    expect(world.provider.payment?.capturedMinor).toBe(0);
    await driveOn(world, world.order, 2, MINUTE_MS);
    // The key is another hand-over's, whose request might still be under way.
    expect(world.provider.payment?.capturedMinor).toBe(0);
    await driveOn(world, world.order, 6, MINUTE_MS);
    expect(world.provider.payment?.capturedMinor).toBe(8_400);
    expect(await view(world, world.order)).toMatchObject({ capturedMinor: 8_400, fulfilment: "part" });
  });

  test("nothing goes under a new key while the provider cannot say what is true", async () => {
    const world = settlementOnDoubles(OPENING);
    const order = placedOrder();
    await checkout(world.ports).open(order);
    world.provider.pay(order);
    world.provider.troubles = ["kept failure after it happened"];
    const { provider } = world;
    const truth = provider.truth.bind(provider);
    provider.truth = async (of) => (of.payment === null ? truth(of) : null);
    await checkout(world.ports).refresh(order.id);
    await driveOn(world, order, 4, MINUTE_MS);
    expect(keys(world, "capture")).toEqual([`capture:${order.id}:0`]);
    provider.truth = truth;
    await driveOn(world, order, 2, 10 * MINUTE_MS);
    expect(await view(world, order)).toMatchObject({ capturedMinor: 12_600, payment: { state: "captured" } });
    expect(keys(world, "capture")).toEqual([`capture:${order.id}:0`]);
  });

  test("a provider that keeps failing is asked less and less often", async () => {
    const world = settlementOnDoubles(OPENING);
    const order = placedOrder();
    await checkout(world.ports).open(order);
    world.provider.pay(order);
    world.provider.isFailingCaptures = true;
    await checkout(world.ports).refresh(order.id);
    for (let minute = 0; minute < 24 * 60; minute++) {
      world.clock.now += MINUTE_MS;
      for (const subject of await world.store.due(world.clock.now, 10)) await sweepOrder(world.ports, subject).catch(() => {});
    }
    expect(keys(world, "capture").length).toBeLessThan(30);
    world.provider.isFailingCaptures = false;
    await driveOn(world, order, 2, 7 * 60 * MINUTE_MS);
    expect(await view(world, order)).toMatchObject({ capturedMinor: 12_600, payment: { state: "captured" } });
  });
});
