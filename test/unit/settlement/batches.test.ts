import { describe, expect, test } from "vitest";
import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { Fault } from "../../../src/kernel/result.ts";
import type { EffectAnswer, PaymentProvider, PaymentTruth, ProviderTruth } from "../../../src/payment/provider.ts";
import { checkout, moneyDesk } from "../../../src/settlement/checkout.ts";
import { receiveWebhook } from "../../../src/settlement/inbox.ts";
import { memoryOrderStore } from "../../../src/settlement/memory-order-store.ts";
import type { OrderStore } from "../../../src/settlement/order-store.ts";
import { type Outcome, settleBatch } from "../../../src/settlement/queue-batch.ts";
import type { SettlementPorts } from "../../../src/settlement/settlement-ports.ts";
import type { After } from "../../../src/settlement/side-by-side.ts";
import { OPENING, placedOrder } from "../../support/placed-order.ts";
import { DropDouble, notice, plainNotices } from "./doubles.ts";

/* A batch of a queue: many orders settled side by side, whose requests go out together. */

const after: After = (ms, run) => void setTimeout(run, ms);

/** A provider of many orders, all of them paid; it counts what it really did, under the keys of the requests. */
class CrowdProvider implements PaymentProvider {
  readonly #captured = new Map<string, number>();
  readonly keys = new Map<string, number>();
  readonly totals = new Map<string, number>();
  underWay = 0;
  underWayMax = 0;
  /** Orders whose truth comes only when somebody says so. */
  readonly slow = new Map<string, Promise<void>>();

  async openSession(order: PlacedOrder) {
    this.totals.set(order.id, order.totalMinor);
    return { id: `cs_${order.id}`, url: `https://pay.example/${order.id}` };
  }

  async truth({ session, payment }: Parameters<PaymentProvider["truth"]>[0]): Promise<ProviderTruth> {
    const order = (session ?? payment ?? "").slice(3);
    return this.#call(async () => {
      await this.slow.get(order);
      return { order, session: { id: `cs_${order}`, status: "complete" as const, url: null }, payment: this.#payment(order) };
    });
  }

  async capture({ payment, amountMinor, key }: Parameters<PaymentProvider["capture"]>[0]): Promise<EffectAnswer> {
    return this.#call(async () => {
      const isReplay = this.keys.has(key);
      this.keys.set(key, (this.keys.get(key) ?? 0) + 1);
      if (!isReplay) this.#captured.set(payment, (this.#captured.get(payment) ?? 0) + amountMinor);
      return { isDone: true as const };
    });
  }

  capturedMinor(order: string): number {
    return this.#captured.get(`pi_${order}`) ?? 0;
  }

  async closeSession(): Promise<never> {
    throw new Error("nobody closes the page of a paid order");
  }
  async voidPayment(): Promise<never> {
    throw new Error("nobody lets the money of a sold order go");
  }
  async refund(): Promise<never> {
    throw new Error("nobody pays back what is sold");
  }

  #payment(order: string): PaymentTruth {
    const capturedMinor = this.capturedMinor(order);
    const amountMinor = this.totals.get(order) ?? 0;
    return { id: `pi_${order}`, status: capturedMinor === 0 ? "authorised" : "captured", amountMinor, capturedMinor, currency: "EUR", captureBefore: null, isMulticapture: false, card: null };
  }

  async #call<Value>(work: () => Promise<Value>): Promise<Value> {
    this.underWayMax = Math.max(this.underWayMax, ++this.underWay);
    try {
      // An answer takes a moment, as every provider's does.
      await new Promise((resolve) => setTimeout(resolve, 0));
      return await work();
    } finally {
      this.underWay -= 1;
    }
  }
}

interface World {
  readonly ports: SettlementPorts;
  readonly provider: CrowdProvider;
  readonly drop: DropDouble;
  readonly store: OrderStore;
  readonly orders: readonly PlacedOrder[];
}

/** So many orders, paid, each with its webhook in the inbox. */
async function paidOrders(count: number): Promise<World> {
  const provider = new CrowdProvider();
  const drop = new DropDouble();
  const store = memoryOrderStore();
  const ports: SettlementPorts = { store, provider, drop: () => drop, hashing: nodeHashing, now: () => OPENING + 1_000 };
  const orders = Array.from({ length: count }, (_, index) => placedOrder({ id: `ord_${String(index).padStart(26, "0")}` }));
  for (const order of orders) {
    await checkout(ports).open(order);
    await receiveWebhook(ports, plainNotices, notice(order.id, "checkout.session.completed", order.id, { session: `cs_${order.id}` }), "");
  }
  return { ports, provider, drop, store, orders };
}

function settle(world: World, ports = world.ports, orders = world.orders): Promise<readonly Outcome[]> {
  return settleBatch({ ports, notices: plainNotices, isLive: false }, orders.map(({ id }) => ({ inbox: `evt_${id}`, about: id })), after);
}

const withStore = (world: World, changes: Partial<OrderStore>): SettlementPorts => ({ ...world.ports, store: { ...world.store, ...changes } });
const states = (outcomes: readonly Outcome[]) => outcomes.map(({ state }) => state);
const stateOf = async (world: World, order: PlacedOrder | undefined) => (await checkout(world.ports).order(order?.id ?? ""))?.payment.state;

/** Every order was sold and paid for once, and nothing of it is left to do. */
async function expectAllSettled(world: World, orders = world.orders): Promise<void> {
  for (const order of orders) {
    expect(await moneyDesk(world.ports).order(order.id)).toMatchObject({ state: "confirmed", payment: { state: "captured" }, capturedMinor: order.totalMinor });
    expect(world.provider.capturedMinor(order.id)).toBe(order.totalMinor);
    const transfers = await world.store.transfers(order.id);
    expect(transfers.map(({ state }) => state)).toEqual(["pending", "pending", "pending", "posted", "posted", "posted"]);
    const events = (await world.store.read(order.id)).events.map(({ kind }) => kind);
    expect(events).toEqual(["placed", "session_opened", "authorised", "sold", "captured"]);
    expect((await world.store.inboxEvents([`evt_${order.id}`])).get(`evt_${order.id}`)?.outcome).toBe("processed");
  }
}

describe("a batch of paid orders", () => {
  test("is read in two queries, written once a phase and confirmed in one call, whatever its size", async () => {
    const world = await paidOrders(50);
    const calls: string[] = [];
    const counted = <Port extends object>(port: Port): Port => new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        return typeof member !== "function" ? member : (...parameters: unknown[]): unknown => {
          calls.push(String(name));
          return Reflect.apply(member, target, parameters);
        };
      },
    });
    const drop = counted(world.drop);
    // Proxies hide a store's methods from a spread.
    const store = Object.fromEntries(Object.keys(world.store).map((name) => [name, Reflect.get(counted(world.store), name)])) as unknown as OrderStore;
    // A patient timer: phases end because everybody is there.
    const outcomes = await settleBatch(
      { ports: { ...world.ports, store, drop: () => drop }, notices: plainNotices, isLive: false },
      world.orders.map(({ id }) => ({ inbox: `evt_${id}`, about: id })), (ms, run) => void setTimeout(run, ms * 400).unref(),
    );
    expect(states(outcomes)).toEqual(world.orders.map(() => "settled"));
    expect(calls).toEqual(["inboxEvents", "readAll", "appendAll", "confirmAll", "appendAll", "appendAll", "resolve"]);
    expect(world.provider.underWayMax).toBe(6);
    await expectAllSettled(world);
  });

  test("delivered again, whole or in part, changes nothing and charges nobody", async () => {
    const world = await paidOrders(8);
    await settle(world);
    expect(states(await settle(world))).toEqual(world.orders.map(() => "settled"));
    expect(states(await settle(world, world.ports, [...world.orders, ...world.orders.slice(2, 5)]))).toEqual(Array.from({ length: 11 }, () => "settled"));
    expect([...world.provider.keys.values()]).toEqual(world.orders.map(() => 1));
    await expectAllSettled(world);
  });

  test("worked off by two consumers at the same time sells and charges each order once", async () => {
    const world = await paidOrders(12);
    const both = await Promise.all([settle(world), settle(world, world.ports, world.orders.toReversed())]);
    expect(both.flatMap(states)).toEqual(Array.from({ length: 24 }, () => "settled"));
    await expectAllSettled(world);
  });
});

describe("one order of a batch", () => {
  test("that another writer changed in between is decided again, and the others are written all the same", async () => {
    const world = await paidOrders(10);
    const other = world.orders[3]?.id ?? "";
    let isFirst = true;
    const ports = withStore(world, {
      async appendAll(appends) {
        if (isFirst) {
          isFirst = false;
          await world.store.append({ order: other, after: { events: 2, transfers: 0 }, events: [{ kind: "due", at: OPENING + 999 }], transfers: [], attentionAt: null });
        }
        return world.store.appendAll(appends);
      },
    });
    expect(states(await settle(world, ports))).toEqual(world.orders.map(() => "settled"));
    await expectAllSettled(world, world.orders.filter(({ id }) => id !== other));
    expect((await world.store.read(other)).events.map(({ kind }) => kind)).toEqual(["placed", "session_opened", "due", "authorised", "sold", "captured"]);
    expect(world.provider.capturedMinor(other)).toBe(12_600);
  });

  test("whose payment the provider is slow to tell of holds up nobody", async () => {
    const world = await paidOrders(10);
    let answer = () => {};
    world.provider.slow.set(world.orders[0]?.id ?? "", new Promise((resolve) => (answer = resolve)));
    const settling = settle(world);
    const others = world.orders.slice(1);
    await expect.poll(async () => Promise.all(others.map((order) => stateOf(world, order)))).toEqual(others.map(() => "captured"));
    expect(await stateOf(world, world.orders[0])).toBe("pending");
    answer();
    expect(states(await settling)).toEqual(world.orders.map(() => "settled"));
    await expectAllSettled(world);
  });

  const poisons: Readonly<Record<string, (world: World, poisoned: string) => SettlementPorts>> = {
    "that cannot be read": (world, poisoned) => withStore(world, {
      readAll: (orders) => (orders.includes(poisoned) ? Promise.reject(new Fault("unreadable", { retryable: true })) : world.store.readAll(orders)),
      read: (order) => (order === poisoned ? Promise.reject(new Fault("unreadable", { retryable: true })) : world.store.read(order)),
    }),
    "whose events make no sense": (world, poisoned) => withStore(world, {
      async readAll(orders) {
        const files = new Map(await world.store.readAll(orders));
        return files.set(poisoned, { events: [{ kind: "due", at: OPENING }], transfers: [] });
      },
    }),
    "that cannot be written": (world, poisoned) => withStore(world, {
      appendAll: (appends) => (appends.some(({ order }) => order === poisoned) ? Promise.reject(new Fault("unwritable", { retryable: true })) : world.store.appendAll(appends)),
      append: (append) => (append.order === poisoned ? Promise.reject(new Fault("unwritable", { retryable: true })) : world.store.append(append)),
    }),
    "that the drop does not decide on": (world, poisoned) => {
      const drop = Object.assign(new DropDouble(), {
        confirmAll: async (payments: Parameters<DropDouble["confirmAll"]>[0]) =>
          (await world.drop.confirmAll(payments)).map((answer, index) => (payments[index]?.order === poisoned ? null : answer)),
      });
      return { ...world.ports, drop: () => drop };
    },
    "that the provider fails": (world, poisoned) => {
      const { provider } = world;
      const truth: PaymentProvider["truth"] = (of) => (of.session === `cs_${poisoned}` ? Promise.reject(new Fault("stripe: 500", { retryable: true })) : provider.truth(of));
      return { ...world.ports, provider: { openSession: (order) => provider.openSession(order), truth, closeSession: provider.closeSession, capture: (capture) => provider.capture(capture), voidPayment: provider.voidPayment, refund: provider.refund } };
    },
  };
  test.each(Object.entries(poisons))("%s is the only one to be tried again, and settles when it can", async (_title, poison) => {
    const world = await paidOrders(10);
    const poisoned = world.orders[4];
    const outcomes = await settle(world, poison(world, poisoned?.id ?? ""));
    expect(states(outcomes)).toEqual(world.orders.map((order) => (order === poisoned ? "failed" : "settled")));
    await expectAllSettled(world, world.orders.filter((order) => order !== poisoned));
    expect(states(await settle(world, world.ports, poisoned === undefined ? [] : [poisoned]))).toEqual(["settled"]);
    await expectAllSettled(world);
  });

  test("with two messages in the batch is worked off by one after the other", async () => {
    const world = await paidOrders(3);
    const first = world.orders[0]?.id ?? "";
    await receiveWebhook(world.ports, plainNotices, notice("again", "payment_intent.amount_capturable_updated", first, { payment: `pi_${first}` }), "");
    const messages = [...world.orders.map(({ id }) => ({ inbox: `evt_${id}`, about: id })), { inbox: "evt_again", about: first }];
    expect(states(await settleBatch({ ports: world.ports, notices: plainNotices, isLive: false }, messages, after))).toEqual(messages.map(() => "settled"));
    expect(world.drop.confirmed.toSorted()).toEqual(world.orders.map(({ id }) => `${id}/pi_${id}`).toSorted());
    await expectAllSettled(world);
  });
});

describe("a process that works off a batch", () => {
  /** From one call on nothing gets out any more: neither that call (or else its answer) nor any later one. */
  function mortal(world: World, diesAt: number, isAfter: boolean): { readonly ports: SettlementPorts; calls: () => number } {
    let calls = 0;
    const guard = <Port extends object>(port: Port, names: readonly string[]): Port => Object.fromEntries(names.map((name) => [name, async (...parameters: unknown[]) => {
      const call = calls++;
      if (diesAt >= 0 && (call > diesAt || (call === diesAt && !isAfter))) throw new Error("killed");
      const member: unknown = Reflect.get(port, name);
      const answer: unknown = typeof member === "function" ? await Reflect.apply(member, port, parameters) : undefined;
      if (call === diesAt) throw new Error("killed");
      return answer;
      // Rebuilt under the same names from the port itself.
    }])) as unknown as Port;
    const drop = guard(world.drop, ["confirm", "confirmAll", "processing", "fail", "restock", "placed", "acknowledge"]);
    const provider = guard<PaymentProvider>(world.provider, ["openSession", "truth", "closeSession", "capture", "voidPayment", "refund"]);
    return { ports: { ...world.ports, store: guard(world.store, Object.keys(world.store)), provider, drop: () => drop }, calls: () => calls };
  }

  test("and is killed at any call, before it or after it, leaves what the next delivery brings to the same end", async () => {
    const whole = await paidOrders(3);
    const { ports, calls } = mortal(whole, -1, false);
    await settle(whole, ports);
    expect(calls()).toBeGreaterThan(10);
    for (let at = 0; at < calls(); at++) {
      for (const isAfter of [false, true]) {
        const world = await paidOrders(3);
        await settle(world, mortal(world, at, isAfter).ports);
        expect(states(await settle(world)), `killed ${isAfter ? "after" : "before"} call ${at}`).toEqual(world.orders.map(() => "settled"));
        await expectAllSettledOnce(world);
      }
    }
  });

  /** As `expectAllSettled`; where the answer to a capture was lost, its record may come before the drop's. */
  async function expectAllSettledOnce(world: World): Promise<void> {
    for (const order of world.orders) {
      expect(await moneyDesk(world.ports).order(order.id)).toMatchObject({ state: "confirmed", capturedMinor: order.totalMinor });
      expect(world.provider.capturedMinor(order.id)).toBe(order.totalMinor);
      expect((await world.store.transfers(order.id)).filter(({ state }) => state === "posted")).toHaveLength(3);
    }
    expect(world.provider.keys.size).toBe(world.orders.length);
    expect(world.drop.confirmed).toHaveLength(world.orders.length);
  }
});
