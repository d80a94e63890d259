import { describe, expect, test } from "vitest";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { checkout, moneyDesk, settleMessage, sweepOrder } from "../../../src/settlement/checkout.ts";
import { processInboxEvent, receiveWebhook, sweepInboxEvent } from "../../../src/settlement/inbox.ts";
import type { TransferView } from "../../../src/settlement/port.ts";
import type { SettlementPorts } from "../../../src/settlement/settlement-ports.ts";
import { OPENING, placedOrder } from "../../support/placed-order.ts";
import { DropDouble, notice, plainNotices, settlementOnDoubles, sold } from "./doubles.ts";

const MINUTE_MS = 60_000;
type World = ReturnType<typeof settlementOnDoubles>;

const refund = (id: string, order: string, changes: object = {}) => ({ id, order, lines: null, amountMinor: null, reason: "Torn.", restock: null, ...changes });

function openPendings(transfers: readonly TransferView[]): TransferView[] {
  return transfers.filter((transfer) => transfer.state === "pending" && !transfers.some((other) => other.pendingId === transfer.id));
}

function postedUnder(transfers: readonly TransferView[], account: string): number {
  return transfers.filter((transfer) => transfer.state === "posted").reduce((sum, { debit, credit, amountMinor }) => sum + (credit === account ? amountMinor : 0) - (debit === account ? amountMinor : 0), 0);
}

describe("a card that takes several captures", () => {
  /** Every capture waits until a second one is on its way, so that both were decided before either was made. */
  function together(world: World): SettlementPorts {
    let waiting = 0;
    let release = () => {};
    const both = new Promise<void>((resolve) => (release = resolve));
    return {
      ...world.ports,
      provider: {
        openSession: (...args) => world.provider.openSession(...args), truth: (of) => world.provider.truth(of), closeSession: () => world.provider.closeSession(),
        voidPayment: (...args) => world.provider.voidPayment(...args), refund: (...args) => world.provider.refund(...args),
        async capture(capture) {
          if (++waiting >= 2) release();
          await both;
          return world.provider.capture(capture);
        },
      },
    };
  }

  test("is charged what was handed over, and not more, when two people hand over at the same moment", async () => {
    const world = await sold({ capture: "on-fulfilment" }, true);
    const desk = moneyDesk(together(world));
    const hand = (id: string, sku: string) => desk.fulfil({ id, order: world.order.id, lines: [{ sku, quantity: 1 }] });
    await Promise.all([hand("ful_1", "MOTH-L"), hand("ful_2", "MOTH-S")]);
    await sweepOrder(world.ports, world.order.id);
    expect(world.provider.payment?.capturedMinor).toBe(8_400);
    expect(await world.desk.order(world.order.id)).toMatchObject({ capturedMinor: 8_400, fulfilment: "part" });
    const transfers = await world.store.transfers(world.order.id);
    // Two units at 3.00 each: a part that nobody saw captured still counts its own units.
    expect(["partner:kiosk-k", "creator:ana", "platform"].map((party) => postedUnder(transfers, party))).toEqual([600, 5_880, 1_920]);
  });

  test("and was captured in part has its part refunded and its rest released when the drop is cancelled", async () => {
    const world = await sold({ capture: "on-fulfilment" }, true);
    await world.desk.fulfil({ id: "ful_1", order: world.order.id, lines: [{ sku: "MOTH-L", quantity: 1 }] });
    await settleMessage(world.ports, { id: "out_1", drop: world.order.drop, kind: "order_cancelled", order: world.order.id });
    expect(world.provider.payment).toMatchObject({ status: "captured", capturedMinor: 4_200 });
    expect(world.provider.refundedMinor()).toBe(4_200);
    expect(await world.desk.order(world.order.id)).toMatchObject({ state: "cancelled", payment: { state: "refunded" } });
    const transfers = await world.store.transfers(world.order.id);
    expect(openPendings(transfers)).toEqual([]);
    expect(postedUnder(transfers, "provider:stripe")).toBe(0);
  });

  test("leaves nothing pending when the bank lets the rest go by itself", async () => {
    const world = await sold({ capture: "on-fulfilment" }, true);
    await world.desk.fulfil({ id: "ful_1", order: world.order.id, lines: [{ sku: "MOTH-L", quantity: 1 }] });
    if (world.provider.payment !== null) world.provider.payment.status = "captured";
    await sweepOrder(world.ports, world.order.id);
    expect(openPendings(await world.store.transfers(world.order.id))).toEqual([]);
    expect(await world.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test("pays a handed-over unit back once no more is to be captured, not in vain before", async () => {
    const world = await sold({ capture: "on-fulfilment" }, true);
    await world.desk.fulfil({ id: "ful_1", order: world.order.id, lines: [{ sku: "MOTH-L", quantity: 1 }] });
    expect(await world.desk.refund(refund("ref_1", world.order.id, { lines: [{ sku: "MOTH-L", quantity: 1 }] }))).toMatchObject({ ok: true, value: { refundedMinor: 0 } });
    await world.desk.fulfil({ id: "ful_2", order: world.order.id, lines: null });
    expect(await world.desk.order(world.order.id)).toMatchObject({ capturedMinor: 12_600, refundedMinor: 4_200, payment: { state: "part-refunded" } });
  });
});

describe("ids that people make", () => {
  test("two orders may each have a refund of the same id, under keys of their own", async () => {
    const keys = await Promise.all(["1", "2"].map(async (digit) => {
      const world = await sold({ id: `ord_${digit.repeat(26)}` });
      await world.desk.refund(refund("ref_1", world.order.id, { amountMinor: 500 }));
      return world.provider.done.find((key) => key.startsWith("refund:"));
    }));
    expect(new Set(keys).size).toBe(2);
  });

  test("an order's id used again in another drop never touches, ends or pays back the first order", async () => {
    const world = await sold();
    const other = new DropDouble();
    const ports: SettlementPorts = { ...world.ports, drop: (slug) => (slug === "other-drop" ? other : world.drop) };
    const again = placedOrder({ drop: "other-drop", email: "somebody@else.example" });
    await expect(checkout(ports).open(again)).rejects.toThrow(/another drop/);
    const message = { id: "out_1", drop: "other-drop", order: again.id } as const;
    expect(await settleMessage(ports, { ...message, kind: "order_placed", order: again })).toBe("settled");
    for (const kind of ["payment_due", "order_expired", "order_cancelled"] as const) expect(await settleMessage(ports, { ...message, kind })).toBe("settled");
    expect(await world.desk.order(world.order.id)).toMatchObject({ state: "confirmed", payment: { state: "captured" }, order: { drop: world.order.drop } });
    expect(world.provider.refundedMinor()).toBe(0);
    expect(other.failed).toEqual([again.id]);
  });
});

describe("whatever is owed", () => {
  test("a drop that does not take units back keeps nobody from a refund", async () => {
    const world = await sold();
    const ports: SettlementPorts = { ...world.ports, drop: () => Object.assign(new DropDouble(), { restock: () => Promise.reject(new Error("the object is gone")) }) };
    const desk = moneyDesk(ports);
    await desk.refund(refund("ref_1", world.order.id, { lines: [{ sku: "MOTH-L", quantity: 1 }] })).catch(() => {});
    await desk.refund(refund("ref_2", world.order.id, { lines: [{ sku: "MOTH-S", quantity: 1 }] })).catch(() => {});
    expect(world.provider.refundedMinor()).toBe(8_400);
  });

  test("an event that fails every time is looked at later each time", async () => {
    const world = await sold();
    await receiveWebhook(world.ports, plainNotices, notice("x", "payment_intent.succeeded", world.order.id, { payment: "pi_1" }), "");
    const waits: number[] = [];
    for (let look = 0; look < 12; look++) {
      const before = world.clock.now;
      await expect(sweepInboxEvent(world.ports, plainNotices, null, "evt_x")).rejects.toThrow();
      for (let minutes = 1; (await world.store.due(world.clock.now, 10)).length === 0; minutes++) world.clock.now = before + minutes * MINUTE_MS;
      waits.push((world.clock.now - before) / MINUTE_MS);
    }
    expect(waits[0]).toBe(1);
    expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
    expect(waits.at(-1)).toBeGreaterThan(20);
    await sweepInboxEvent(world.ports, plainNotices, false, "evt_x");
    expect(await world.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });

  test("money that a bank decided on late is found within five minutes although no webhook ever comes", async () => {
    const order = placedOrder();
    const world = settlementOnDoubles(OPENING + 1_000);
    await checkout(world.ports).open(order);
    world.provider.pay(order, "processing");
    await checkout(world.ports).refresh(order.id);
    const decidedAt = world.clock.now + 40 * MINUTE_MS;
    while ((await checkout(world.ports).order(order.id))?.state !== "confirmed" && world.clock.now < decidedAt + 60 * MINUTE_MS) {
      world.clock.now += MINUTE_MS;
      if (world.clock.now >= decidedAt && world.provider.payment?.status === "processing") world.provider.payment.status = "authorised";
      for (const subject of await world.store.due(world.clock.now, 10)) await sweepOrder(world.ports, subject);
    }
    expect((world.clock.now - decidedAt) / MINUTE_MS).toBeLessThanOrEqual(5);
  });

  test("an event that says nothing to us is never put on anybody's list", async () => {
    const world = await sold();
    expect(await receiveWebhook(world.ports, plainNotices, notice("y", "charge.succeeded", world.order.id), "")).toEqual({ id: "evt_y", about: world.order.id, isToWorkOff: false });
    expect(await world.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  });
});

/** The process ends at one call to the outside: before it had an effect, or right after. */
class Killed extends Error {}

function mortal(ports: SettlementPorts, dies: { readonly at: number; readonly isAfter: boolean }): { readonly ports: SettlementPorts; calls: () => number } {
  let calls = 0;
  const guard = <Port extends object>(port: Port): Port => new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        const isLast = calls++ === dies.at;
        if (isLast && !dies.isAfter) throw new Killed();
        const answer: unknown = await Reflect.apply(member, target, args);
        if (isLast) throw new Killed();
        return answer;
      };
    },
  });
  const drops = new Map<string, ReturnType<SettlementPorts["drop"]>>();
  const drop: SettlementPorts["drop"] = (slug) => {
    const known = drops.get(slug) ?? guard(ports.drop(slug));
    drops.set(slug, known);
    return known;
  };
  return { ports: { ...ports, store: guard(ports.store), provider: guard(ports.provider), drop }, calls: () => calls };
}

describe("a process that is killed", () => {
  type Act = (ports: SettlementPorts, world: World, order: PlacedOrder) => Promise<unknown>;
  const open: Act = (ports, _world, order) => checkout(ports).open(order);
  const pay: Act = async (_ports, world, order) => {
    if (world.provider.payment === null) world.provider.pay(order);
  };
  const hear: Act = async (ports, _world, order) => {
    const received = await receiveWebhook(ports, plainNotices, notice("paid", "checkout.session.completed", order.id, { session: "cs_1" }), "");
    await processInboxEvent(ports, plainNotices, false, received?.id ?? "");
  };
  const hand = (id: string, sku: string): Act => (ports, _world, order) => moneyDesk(ports).fulfil({ id, order: order.id, lines: [{ sku, quantity: 1 }] });
  const giveBack: Act = (ports, _world, order) => moneyDesk(ports).refund(refund("ref_1", order.id, { lines: [{ sku: "MOTH-S", quantity: 1 }] }));
  const cancel: Act = (ports, _world, order) => settleMessage(ports, { id: "out_1", drop: order.drop, kind: "order_cancelled", order: order.id });
  const due: Act = (ports, _world, order) => settleMessage(ports, { id: "out_2", drop: order.drop, kind: "payment_due", order: order.id });

  const stories: Readonly<Record<string, { readonly acts: readonly Act[]; readonly order?: Partial<PlacedOrder>; readonly isMulticapture?: boolean }>> = {
    "a sale and a refund": { acts: [open, pay, hear, giveBack] },
    "a sale in a drop that is cancelled": { acts: [open, pay, hear, cancel] },
    "an order that nobody pays": { acts: [open, due] },
    "a sale that is captured in parts": { acts: [open, pay, hear, hand("ful_1", "MOTH-L"), hand("ful_2", "MOTH-S"), giveBack], order: { capture: "on-fulfilment" }, isMulticapture: true },
  };

  async function played(story: (typeof stories)[string], dies: { readonly at: number; readonly isAfter: boolean }) {
    const order = placedOrder(story.order);
    const world = settlementOnDoubles(OPENING + 1_000);
    world.drop.order = order;
    world.provider.isMulticapture = story.isMulticapture ?? false;
    const { ports, calls } = mortal(world.ports, dies);
    let deaths = 0;
    for (const act of story.acts) {
      // Whoever asked asks again: a shopper, a queue, a provider, a person at the desk.
      for (let attempt = 0; attempt < 2; attempt++) {
        try {
          await act(ports, world, order);
          break;
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          deaths++;
        }
      }
    }
    await sweepOrder(world.ports, order.id);
    const transfers = await world.store.transfers(order.id);
    const view = await moneyDesk(world.ports).order(order.id);
    const end = {
      state: view?.state, payment: view?.payment.state, fulfilment: view?.fulfilment, captured: view?.capturedMinor, refunded: view?.refundedMinor,
      atProvider: { captured: world.provider.payment?.capturedMinor, refunded: world.provider.refundedMinor(), session: world.provider.session.status },
      confirmed: world.drop.confirmed.length, restocked: [...world.drop.restocked.values()],
      accounts: await world.store.accounts(), pending: openPendings(transfers).length,
      timeline: view?.timeline.map(({ kind }) => kind),
    };
    return { end, calls: calls(), deaths };
  }

  test.each(Object.entries(stories))("at any call of %s, before it or after it, leaves the same end", async (_title, story) => {
    const never = await played(story, { at: -1, isAfter: false });
    expect(never.calls).toBeGreaterThan(5);
    for (let at = 0; at < never.calls; at++) {
      for (const isAfter of [false, true]) {
        const killed = await played(story, { at, isAfter });
        expect(killed.deaths, `call ${at}`).toBe(1);
        expect(killed.end, `killed ${isAfter ? "after" : "before"} call ${at}`).toEqual(never.end);
      }
    }
  });
});
