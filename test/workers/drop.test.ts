/// <reference types="@cloudflare/vitest-plugin/types" />
import { createHash } from "node:crypto";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { compactVerify, importJWK } from "jose";
import { describe, expect, it, vi } from "vitest";
import type { PlacedOrder } from "../../src/checkout/placed-order.ts";
import { NO_GATES, type PlanSource, USUAL_BUDGETS } from "../../src/drop/plan.ts";
import type { DropPort, HoldView, OutboxMessage, RecordPage, Sitting, TicketFacts } from "../../src/drop/port.ts";
import { canonicalJson } from "../../src/kernel/canonical.ts";
import type { DropObject } from "../../workers/objects/drop-object.ts";

/*
 * The Drop object on its real storage. The clock is the test's: it stands days
 * ahead of the real one, so that no real alarm can do what a test is to show
 * happens without one.
 */

const bindings = env as unknown as { readonly DROP: DurableObjectNamespace<DropObject>; readonly TEST_PUBLIC_KEY: string };
const T0 = Date.now() + 3 * 24 * 3_600_000;
const MINUTE = 60_000;
const EMPTY_ROOT = createHash("sha256").update("").digest("hex");

function source(drop: string, changes: Partial<PlanSource> = {}): PlanSource {
  return {
    drop, title: "Moth tee", currency: "EUR",
    announceAt: { at: T0 - 24 * 60 * MINUTE }, lobbyOpensAt: { at: T0 - 30 * MINUTE }, opensAt: { at: T0 }, closesAt: { at: T0 + 240 * MINUTE },
    stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: 30 * MINUTE }, { sharePercent: 20, afterMs: 120 * MINUTE }],
    stock: [{ sku: "MOTH", quantity: 10 }], items: [{ sku: "MOTH", title: "Moth tee", priceMinor: 4200, components: [{ sku: "MOTH", quantity: 1 }] }],
    lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null, limitPerPerson: 2, holdTtlMs: 8 * MINUTE, capture: "on-fulfilment", low: 2, splits: [{ party: "platform", remainder: true }],
    campaigns: [], shards: 1, claimWindowMs: MINUTE, admit: "all", tax: null, ...changes,
  };
}

/** One drop under test: its object, and short ways to play. Every test has a drop of its own name. */
class Stage {
  readonly stub: DurableObjectStub<DropObject>;
  readonly port: DropPort;
  readonly sent: OutboxMessage[] = [];
  now = T0 - MINUTE;
  #ids = 0;

  readonly drop: string;

  constructor(drop: string) {
    this.drop = drop;
    this.stub = bindings.DROP.getByName(drop);
    // The stub is the port with promises around plain data, which is what the port's methods answer.
    this.port = this.stub as unknown as DropPort;
  }

  static async open(drop: string, changes: Partial<PlanSource> = {}): Promise<Stage> {
    const stage = new Stage(drop);
    await stage.at(T0 - MINUTE);
    await stage.port.plan(source(drop, changes));
    await stage.at(T0);
    await stage.port.seal({ shard: 0, batch: 0, count: 0, root: EMPTY_ROOT, through: Number.MAX_SAFE_INTEGER });
    return stage;
  }

  /** Sets the object's clock, also after an eviction made a new object. */
  async at(now: number): Promise<void> {
    this.now = now;
    await runInDurableObject(this.stub, (instance: DropObject) => {
      instance.clock = () => this.now;
    });
  }

  ticket(name: string): TicketFacts {
    const entry = createHash("sha256").update(`tranche/entry\n${this.drop}\ntkt_${name}`).digest("hex");
    return { ticket: `tkt_${name}`, shard: 0, entry, lane: "open", weight: 1, joinedAt: T0 - MINUTE, wants: [{ sku: "MOTH", quantity: 1 }], keyThumbprint: name, person: null };
  }

  async sit(name: string): Promise<Sitting> {
    const answer = await this.port.claim(this.ticket(name));
    if (!answer.ok || answer.value.state !== "admitted") throw new Error(`${name} was not admitted: ${JSON.stringify(answer)}`);
    return answer.value.sitting;
  }

  hold(sitting: Sitting, quantity = 1) {
    return this.port.hold({ id: `hld_${this.drop}_${++this.#ids}`, sitting: sitting.id, entry: sitting.entry, lines: [{ sku: "MOTH", quantity }], replaces: null, network: sitting.entry });
  }

  async held(sitting: Sitting): Promise<HoldView> {
    const answer = await this.hold(sitting);
    if (!answer.ok) throw new Error(JSON.stringify(answer));
    return answer.value;
  }

  async placed(name: string): Promise<PlacedOrder> {
    const sitting = await this.sit(name);
    const hold = await this.held(sitting);
    const answer = await this.port.place({
      id: `ord_${this.drop}_${++this.#ids}`, hold: hold.id, sitting: sitting.id, entry: sitting.entry, person: name, email: `${name}@nightjar.example`,
      delivery: { method: "pickup", point: "kiosk-k", slot: null }, coupon: null, region: null, locale: "de-DE", returnTo: "https://nightjar.example",
    });
    if (!answer.ok) throw new Error(JSON.stringify(answer));
    return answer.value;
  }

  async recordPage(from = 1): Promise<RecordPage> {
    const page = await this.port.record(from);
    if (page === null) throw new Error("the drop has a record");
    return page;
  }

  /** Puts a queue in the way that a test can look into and break. */
  async watchQueue(take: (messages: readonly OutboxMessage[]) => void = () => undefined): Promise<void> {
    await runInDurableObject(this.stub, (instance: DropObject) => {
      const sendBatch = async (batch: Iterable<{ body: OutboxMessage }>) => {
        const messages = [...batch].map(({ body }) => body);
        take(messages);
        this.sent.push(...messages);
      };
      Object.assign(instance, { env: { ORDERS_QUEUE: { sendBatch } } });
    });
  }
}

describe("time is data", () => {
  it("shows the old release one millisecond before a stage and the new one at it, with the alarm deleted and the object evicted", async () => {
    const stage = await Stage.open("no-alarm");
    for (const [now, available] of [[T0 + 30 * MINUTE - 1, 4], [T0 + 30 * MINUTE, 8], [T0 + 120 * MINUTE - 1, 8], [T0 + 120 * MINUTE, 10]] as const) {
      await runInDurableObject(stage.stub, (_, state) => state.storage.deleteAlarm());
      await evictDurableObject(stage.stub);
      await stage.at(now);
      expect((await stage.port.snapshot([]))?.live.available).toBe(available);
    }
  });

  it("frees a hold in its last millisecond for the next person, without an alarm and in a new object", async () => {
    const stage = await Stage.open("expiry", { stock: [{ sku: "MOTH", quantity: 1 }] });
    const hold = await stage.held(await stage.sit("ana"));
    await runInDurableObject(stage.stub, (_, state) => state.storage.deleteAlarm());
    await evictDurableObject(stage.stub);
    await stage.at(hold.expiresAt - 1);
    const ben = await stage.sit("ben");
    expect(await stage.hold(ben)).toMatchObject({ ok: false, rejection: { code: "sold_out" } });
    await stage.at(hold.expiresAt);
    expect((await stage.hold(ben)).ok).toBe(true);
  });

  it("arms an alarm for what is due next and none after the books are closed", async () => {
    const stage = await Stage.open("alarms");
    const alarm = () => runInDurableObject(stage.stub, (_, state) => state.storage.getAlarm());
    expect(await alarm()).toBe(T0 + 30 * MINUTE);
    const hold = await stage.held(await stage.sit("ana"));
    expect(await alarm()).toBe(hold.expiresAt);
    await stage.at(hold.expiresAt);
    expect(await runDurableObjectAlarm(stage.stub)).toBe(true);
    expect((await stage.port.holdState(hold.id, hold.id))).toBeNull();
    expect(await alarm()).toBe(T0 + 30 * MINUTE);
    await stage.at(T0 + 240 * MINUTE);
    await runDurableObjectAlarm(stage.stub);
    expect((await stage.recordPage()).rows.at(-1)?.kind).toBe("close");
    expect(await alarm()).toBeNull();
    // A closed drop costs nothing: for a day nothing wakes it, and whoever looks at it leaves it asleep.
    for (let hour = 1; hour <= 24; hour++) {
      await stage.at(T0 + 240 * MINUTE + hour * 60 * MINUTE);
      expect(await runDurableObjectAlarm(stage.stub)).toBe(false);
      expect((await stage.port.snapshot([]))?.live.phase).toBe("closed");
      expect(await alarm()).toBeNull();
    }
  });

  it("publishes a changed plan, keeps it over an eviction, and moves the alarm to what is due next", async () => {
    const stage = await Stage.open("changed-plan");
    const moved = source("changed-plan", { stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: 20 * MINUTE }, { sharePercent: 20, afterMs: 120 * MINUTE }], stock: [{ sku: "MOTH", quantity: 13 }] });
    await stage.at(T0 + MINUTE);
    expect(await stage.port.changePlan(moved, true, "desk")).toMatchObject({ published: true });
    expect(await runInDurableObject(stage.stub, (_, state) => state.storage.getAlarm())).toBe(T0 + 20 * MINUTE);
    await evictDurableObject(stage.stub);
    await stage.at(T0 + 20 * MINUTE);
    const snapshot = await stage.port.snapshot([]);
    expect(snapshot).toMatchObject({ planVersion: 2, live: { available: 10, stage: 2 }, changes: [{ kind: "plan", changed: [{ field: "stages.2.opensAt" }, { field: "items.MOTH.quantity", from: 10, to: 13 }] }] });
    expect(await stage.port.changePlan(moved, true, "desk")).toEqual({ changes: [], published: false });
    expect((await stage.recordPage()).rows.filter(({ kind }) => kind === "plan")).toHaveLength(2);
    expect(snapshot?.planHash).toBe((await stage.recordPage()).rows[0]?.hash);
    expect(await new Stage("never-planned").port.changePlan(moved, true, "desk")).toBeNull();
  });
});

describe("the requests", () => {
  it("of one entry that asks more than a person does are refused whatever they ask, and those of nobody else", async () => {
    const stage = await Stage.open("asked-too-often");
    const [bot, person] = [await stage.sit("bot"), await stage.sit("person")];
    const codes: string[] = [];
    for (let ask = 0; ask < 125; ask++) {
      const answer = await stage.port.abandon("hld_nobodys", bot.entry);
      codes.push(answer.ok ? "" : answer.rejection.code);
    }
    expect(codes.slice(0, 119)).toEqual(Array(119).fill("not_found"));
    expect(new Set(codes.slice(119))).toEqual(new Set(["too_many_requests"]));
    expect(await stage.hold(bot)).toMatchObject({ ok: false, rejection: { code: "too_many_requests", retryAt: stage.now + 30_000 } });
    expect((await stage.hold(person)).ok).toBe(true);
    await stage.at(stage.now + 30_000);
    expect((await stage.hold(bot)).ok).toBe(true);
  });
});

describe("group commit", () => {
  it("writes parallel holds in far fewer transactions, and exactly as many succeed as there are units", async () => {
    const stage = await Stage.open("group", { stock: [{ sku: "MOTH", quantity: 100 }] });
    const sittings = await Promise.all(Array.from({ length: 200 }, (_, index) => stage.sit(`buyer-${index}`)));
    let transactions = 0;
    await runInDurableObject(stage.stub, (_, state) => {
      const original = state.storage.transactionSync.bind(state.storage);
      state.storage.transactionSync = (closure) => {
        transactions += 1;
        return original(closure);
      };
    });
    const answers = await Promise.all(sittings.map((sitting) => stage.hold(sitting)));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(40);
    expect(transactions).toBeGreaterThan(0);
    expect(transactions).toBeLessThan(40);
    expect((await stage.recordPage()).rows.filter((row) => row.kind === "hold")).toHaveLength(40);
  });

  it("answers everyone with a fault when storage fails, changes nothing, and gives the retry its first answer", async () => {
    const stage = await Stage.open("failing");
    const sittings = await Promise.all(["ana", "ben", "cy"].map((name) => stage.sit(name)));
    const rows = (await stage.recordPage()).rows.length;
    await runInDurableObject(stage.stub, (_, state) => {
      const original = state.storage.transactionSync.bind(state.storage);
      state.storage.transactionSync = (closure) => original(() => {
        closure();
        state.storage.transactionSync = original;
        throw new Error("disk I/O error");
      });
    });
    const holds = sittings.map((sitting, index) => ({ id: `hld_failing_x${index}`, sitting: sitting.id, entry: sitting.entry, lines: [{ sku: "MOTH", quantity: 1 }], replaces: null, network: "net" }));
    const outcomes = await runInDurableObject(stage.stub, (instance: DropObject) => Promise.allSettled(holds.map((hold) => instance.hold(hold))));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(outcomes.every((outcome) => outcome.status === "rejected" && outcome.reason.retryable === true)).toBe(true);
    expect((await stage.recordPage()).rows).toHaveLength(rows);
    expect((await stage.port.snapshot([]))?.live.available).toBe(4);
    const again = await Promise.all(holds.map((hold) => stage.port.hold(hold)));
    expect(again.every((answer) => answer.ok)).toBe(true);
    expect((await stage.recordPage()).rows).toHaveLength(rows + 3);
  });
});

describe("a restart", () => {
  it("rebuilds the same state, and the record it serves verifies: every link, and the signed head", async () => {
    const stage = await Stage.open("restart", { stock: [{ sku: "MOTH", quantity: 100 }] });
    const order = await stage.placed("ana");
    const paid = await stage.placed("ben");
    const verdict = await stage.port.confirm(paid.id, "pay_1");
    const hold = await stage.held(await stage.sit("cy"));
    const before = await stage.port.snapshot([]);
    await evictDurableObject(stage.stub);
    await stage.at(stage.now);
    expect(await stage.port.snapshot([])).toEqual(before);
    expect(await stage.port.placed(order.id)).toEqual(order);
    expect(await stage.port.confirm(paid.id, "pay_1")).toEqual(verdict);
    expect(await stage.port.holdState(hold.id, (await stage.sit("cy")).entry)).toEqual(hold);

    const page = await stage.recordPage();
    let prevHash = "0".repeat(64);
    for (const [index, { prevHash: previous, hash, ...movement }] of page.rows.entries()) {
      expect([movement.seq, previous]).toEqual([index + 1, prevHash]);
      expect(createHash("sha256").update(`${prevHash}\n${canonicalJson(movement)}`).digest("hex")).toBe(hash);
      prevHash = hash;
    }
    expect(page.head).toEqual({ seq: page.rows.length, hash: prevHash, at: page.rows.at(-1)?.at });
    const { payload, protectedHeader } = await compactVerify(page.signature, await importJWK(JSON.parse(bindings.TEST_PUBLIC_KEY), "EdDSA"), { algorithms: ["EdDSA"] });
    expect(new TextDecoder().decode(payload)).toBe(canonicalJson(page.head));
    expect(protectedHeader).toEqual({ alg: "EdDSA", kid: "head-test" });
  });

  it("keeps the first plan, whatever a later config says", async () => {
    const stage = await Stage.open("replanned");
    const before = await stage.port.snapshot([]);
    const again = await stage.port.plan(source("replanned", { stock: [{ sku: "MOTH", quantity: 1_000 }], limitPerPerson: 50 }));
    expect(again).toEqual(before);
  });

  it("serves the record in pages of a thousand rows", async () => {
    const stage = await Stage.open("pages", { stock: [{ sku: "MOTH", quantity: 5_000 }] });
    for (let round = 0; round < 4; round++) await Promise.all(Array.from({ length: 150 }, async (_, index) => stage.held(await stage.sit(`buyer-${round}-${index}`))));
    const first = await stage.recordPage();
    const second = await stage.recordPage(1_001);
    expect([first.rows.length, first.rows[0]?.seq, second.rows[0]?.seq]).toEqual([1_000, 1, 1_001]);
    expect(first.rows.length + second.rows.length).toBe(first.head.seq);
  });
});

describe("the outbox", () => {
  it("sends a message again every half minute until it is acknowledged, also from a new object", async () => {
    const stage = await Stage.open("outbox");
    await stage.watchQueue();
    const order = await stage.placed("ana");
    const ids = () => stage.sent.map((message) => message.id);
    expect(ids()).toEqual([`order_placed:${order.id}`]);
    await stage.at(T0 + 29_999);
    await stage.port.sweep();
    expect(ids()).toHaveLength(1);
    await stage.at(T0 + 30_000);
    await stage.port.sweep();
    expect(ids()).toHaveLength(2);
    await evictDurableObject(stage.stub);
    await stage.at(T0 + 30_001);
    await stage.watchQueue();
    await stage.port.sweep();
    expect(ids()).toHaveLength(3);
    await stage.port.acknowledge([`order_placed:${order.id}`]);
    await stage.at(T0 + 90_000);
    await stage.port.sweep();
    expect(ids()).toHaveLength(3);
  });

  it("keeps a message that the queue did not take and sends it soon after", async () => {
    const stage = await Stage.open("queue-down");
    let isDown = true;
    await stage.watchQueue(() => {
      if (isDown) throw new Error("queue unavailable");
    });
    await stage.placed("ana");
    expect(stage.sent).toHaveLength(0);
    // Nobody else asks the object for anything: its own alarm must be early enough.
    await vi.waitFor(async () => expect(await runInDurableObject(stage.stub, (_, state) => state.storage.getAlarm())).toBe(T0 + 5_000));
    isDown = false;
    await stage.at(T0 + 5_000);
    await stage.port.sweep();
    expect(stage.sent).toHaveLength(1);
  });

  it("says when the till closes and when the goods went back", async () => {
    const stage = await Stage.open("till");
    await stage.watchQueue();
    const order = await stage.placed("ana");
    await stage.at(order.payBy);
    await stage.port.sweep();
    await stage.at(order.payBy + 30_000);
    await stage.port.sweep();
    const kinds = stage.sent.map((message) => message.kind);
    expect(kinds.filter((kind) => kind === "payment_due").length).toBeGreaterThan(0);
    expect(kinds.indexOf("order_expired")).toBeGreaterThan(kinds.indexOf("payment_due"));
  });
});

describe("what is missing refuses", () => {
  it("a drop without a plan answers no command and has no record", async () => {
    const { port, stub } = new Stage("unplanned");
    expect(await port.snapshot([])).toBeNull();
    expect(await port.record(1)).toBeNull();
    expect(await port.control({ kind: "pause" }, "desk")).toEqual({ ok: false, rejection: { code: "not_found" } });
    expect(await failure(stub, (instance) => instance.confirm("ord_x", "pay_x"))).toMatch(/no plan/);
  });

  it("a config of another name cannot plan this object", async () => {
    const { port, stub } = new Stage("mine");
    expect(await failure(stub, (instance) => instance.plan(source("yours")))).toMatch(/own name/);
    expect(await port.snapshot([])).toBeNull();
  });
});

/** Why a call failed, asked inside the object: a fault that crosses to the caller counts as unhandled in the tests' runtime too. */
function failure(stub: DurableObjectStub<DropObject>, call: (instance: DropObject) => Promise<unknown>): Promise<string> {
  return runInDurableObject(stub, async (instance: DropObject) => {
    const [outcome] = await Promise.allSettled([call(instance)]);
    return outcome?.status === "rejected" ? String(outcome.reason) : "it did not fail";
  });
}
