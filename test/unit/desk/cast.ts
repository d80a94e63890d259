import { generateKeyPairSync, randomBytes } from "node:crypto";
import { quoteOrder } from "../../../src/checkout/quote.ts";
import { couponKeyFromJson } from "../../../src/coupon/voucher.ts";
import { deskApp } from "../../../src/desk/app.ts";
import type { DeskPorts } from "../../../src/desk/ports.ts";
import { NO_GATES, type Plan, type PlanSource, USUAL_BUDGETS } from "../../../src/drop/plan.ts";
import type { Control, DropSnapshot, PlanChangeAnswer } from "../../../src/drop/port.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import type { FulfilCommand, MoneyDeskPort, OrderView, RefundCommand } from "../../../src/settlement/port.ts";

export const now = Date.parse("2026-12-04T18:00:00Z");
export const deskKey = "a-desk-key-that-is-long-enough";
export const orderId = `ord_${"7".repeat(26)}`;
const hour = 3_600_000;

const pair = generateKeyPairSync("ed25519");
export const couponKey = couponKeyFromJson(JSON.stringify({ ...pair.privateKey.export({ format: "jwk" }), kid: "coupon-1" }));
export const publicKeys = { keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: "coupon-1", use: "sig", alg: "EdDSA" }] };

export const plan: Plan = {
  drop: "moth-tee", title: "Moth tee", currency: "EUR", announceAt: now - hour, lobbyOpensAt: now - hour, opensAt: now, closesAt: now + 4 * hour,
  stock: [{ sku: "MOTH-S", quantity: 10, stages: [{ opensAt: now, units: 4 }, { opensAt: now + hour, units: 6 }] }],
  items: [{ sku: "MOTH-S", title: "Moth tee, S", priceMinor: 4_200, components: [{ sku: "MOTH-S", quantity: 1 }] }],
  lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null, limitPerPerson: 2, holdTtlMs: 480_000, capture: "on-fulfilment", low: 2, splits: [{ party: "platform", remainder: true }],
  campaigns: [
    { id: "berlin-night", percentOff: 10, region: "berlin", validFrom: now - hour, validUntil: now + hour, uses: 50, typed: "BERLIN" },
    { id: "last-year", percentOff: 10, region: null, validFrom: now - 2 * hour, validUntil: now, uses: 50, typed: null },
  ],
  shards: 1, claimWindowMs: 60_000, admit: "paced", tax: null, commitment: "00".repeat(32),
};

export const snapshot: DropSnapshot = {
  live: { asOf: now, phase: "open", stage: 1, available: 4, low: false, nextStageAt: now + hour, seed: null, thresholds: [], items: [], head: { seq: 1, hash: "ab".repeat(32) } },
  planHash: "ab".repeat(32), planVersion: 1, plan, changes: [], missing: [], wanted: [], nextTurnAt: null,
};

export const view: OrderView = {
  order: {
    id: orderId, drop: "moth-tee", dropTitle: "Moth tee", planHash: snapshot.planHash, hold: "hld_1", entry: "cd".repeat(32), email: "ana@example.org",
    delivery: { method: "pickup", point: "kiosk-k", slot: null }, region: "berlin", locale: "de-DE", currency: "EUR",
    ...quoteOrder({ currency: "EUR", lines: [{ sku: "MOTH-S", title: "Moth tee, S", quantity: 2, unitPriceMinor: 4_200 }], percentOff: null, tax: null }),
    coupon: null, splits: plan.splits, capture: "on-fulfilment", placedAt: now, payBy: now + 480_000, returnTo: "https://nightjar.example",
  },
  state: "confirmed", payment: { state: "authorised", url: "https://pay.example/secret" }, fulfilment: "none", payBy: now + 480_000, capturedMinor: 0, refundedMinor: 0,
  timeline: [{ at: now, kind: "placed", text: "The order was placed." }],
};

/** Settlement and the drop as the desk sees them: they note what reached them and answer what the test says. */
export class Backstage {
  readonly calls: string[] = [];
  readonly controls: { control: Control; actor: string }[] = [];
  readonly planChanges: { source: PlanSource; publish: boolean; actor: string }[] = [];
  planAnswer: PlanChangeAnswer = { changes: [], published: false };
  readonly fulfilments: FulfilCommand[] = [];
  readonly refunds: RefundCommand[] = [];
  money: Partial<MoneyDeskPort> = {};
  controlAnswer: Awaited<ReturnType<ReturnType<DeskPorts["drop"]>["control"]>> = { ok: true, value: snapshot };
  known = true;
  readonly reports: string[] = [];

  ports(change: Partial<DeskPorts> = {}): DeskPorts {
    return {
      deskKey, couponKey, isLocal: false, hashing: nodeHashing, now: () => now, randomBytes: (count) => new Uint8Array(randomBytes(count)),
      money: {
        orders: async (query) => (this.calls.push(`orders ${JSON.stringify(query)}`), { orders: [view], next: "more" }),
        order: async (id) => (id === orderId ? view : null),
        fulfil: async (command) => (this.fulfilments.push(command), { ok: true, value: view }),
        refund: async (command) => (this.refunds.push(command), { ok: true, value: view }),
        accounts: async () => [{ account: "party:platform", currency: "EUR", debitMinor: 0, creditMinor: 8_400 }],
        transfers: async (order) => [
          { id: "trf_1", order, debit: "provider", credit: "buyer", amountMinor: 8_400, currency: "EUR", state: "pending", pendingId: null, at: now },
          { id: "trf_2", order, debit: "provider", credit: "buyer", amountMinor: 8_400, currency: "EUR", state: "posted", pendingId: "trf_1", at: now + 1 },
        ],
        ...this.money,
      },
      drop: (slug) => ({
        snapshot: async () => (this.calls.push(`snapshot ${slug}`), this.known ? snapshot : null),
        pace: async () => ({ orders: 3, medianMs: 41_000 }),
        control: async (control, actor) => (this.controls.push({ control, actor }), this.controlAnswer),
        changePlan: async (source, publish, actor) => (this.planChanges.push({ source, publish, actor }), this.known ? this.planAnswer : null),
        awaitedReturns: async () => ({ orders: [orderId], until: now + hour }),
      }),
      lobby: (slug, shard) => ({
        redeem: async ({ key, ticket, uses }) => (this.calls.push(`redeem ${slug}/${shard} ${key} by ${ticket}, ${uses} in all`), { ok: true, value: null }),
        revoke: async (key, until) => (this.calls.push(`revoke ${slug}/${shard} ${key} ${until}`), { used: 0 }),
      }),
      report: ({ code, path }) => void this.reports.push(`${code} ${path}`),
      ...change,
    };
  }

  /** One request to the desk, with the key unless the test says otherwise. */
  async ask(method: string, path: string, options: { body?: unknown; raw?: BodyInit; headers?: Record<string, string>; ports?: Partial<DeskPorts> } = {}): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
    const body = options.raw ?? (options.body === undefined ? null : JSON.stringify(options.body));
    const response = await deskApp(this.ports(options.ports)).request(`https://nightjar.example${path}`, {
      method,
      headers: { authorization: `Bearer ${deskKey}`, ...(body === null ? {} : { "content-type": "application/json" }), ...options.headers },
      ...(body === null ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? {} : JSON.parse(text), headers: response.headers };
  }

  /** Whether any command reached settlement or the drop. */
  get isUntouched(): boolean {
    return this.controls.length + this.planChanges.length + this.fulfilments.length + this.refunds.length + this.calls.length === 0;
  }
}
