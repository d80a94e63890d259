import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { PlacedOrder } from "../../src/checkout/placed-order.ts";
import type { StoreConfig } from "../../src/config/store-config.ts";
import type { DropPort, DropSnapshot, HoldView } from "../../src/drop/port.ts";
import { NO_GATES, type Plan, type PlanSource, USUAL_BUDGETS } from "../../src/drop/plan.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { accepted } from "../../src/kernel/result.ts";
import { entryOf, rankOf } from "../../src/lobby/draw.ts";
import type { LobbyLive } from "../../src/lobby/port.ts";
import type { CheckoutPort, OrderView } from "../../src/settlement/port.ts";
import { joseCredentials } from "../../src/storefront/jose-credentials.ts";
import type { ApiPorts, LogLine, ShopLobby } from "../../src/storefront/ports.ts";
import { challengeKeys, storefrontSecrets } from "../../src/storefront/secrets.ts";
import { altchaWork } from "../../src/gate/altcha-work.ts";
import { TURNSTILE_ORIGIN } from "../../src/gate/turnstile.ts";

/*
 * Doubles of everything behind the storefront's door, with real credentials.
 * A test overrides what it is about; whatever it does not expect to be asked
 * throws, so that a request that should have been refused cannot pass quietly.
 */

export const ORIGIN = "https://nightjar.example";
export const OPENS_AT = Date.parse("2026-12-04T18:00:00Z");
export const SEED = "ab".repeat(32);
export const PLAN_HASH = "cd".repeat(32);

/** An id with this prefix whose last characters are `tail`: `testId("tkt", "A")`. */
export function testId(prefix: string, tail: string): string {
  return `${prefix}_${tail.padStart(26, "0")}`;
}

export const plan: Plan = {
  drop: "moth-tee", title: "Moth tee", currency: "EUR",
  announceAt: OPENS_AT - 7 * 86_400_000, lobbyOpensAt: OPENS_AT - 1_800_000, opensAt: OPENS_AT, closesAt: OPENS_AT + 14_400_000,
  stock: [
    { sku: "MOTH-S", quantity: 10, stages: [{ opensAt: OPENS_AT, units: 4 }, { opensAt: OPENS_AT + 1_800_000, units: 6 }] },
    { sku: "MOTH-M", quantity: 5, stages: [{ opensAt: OPENS_AT, units: 2 }, { opensAt: OPENS_AT + 1_800_000, units: 3 }] },
  ],
  items: [
    { sku: "MOTH-S", title: "Moth tee, S", priceMinor: 4200, components: [{ sku: "MOTH-S", quantity: 1 }] },
    { sku: "MOTH-M", title: "Moth tee, M", priceMinor: 4200, components: [{ sku: "MOTH-M", quantity: 1 }] },
  ],
  lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null, limitPerPerson: 2, holdTtlMs: 480_000, capture: "on-fulfilment", low: 3,
  splits: [{ party: "platform", remainder: true }],
  campaigns: [{ id: "berlin-night", percentOff: 10, region: "berlin", validFrom: OPENS_AT - 86_400_000, validUntil: OPENS_AT + 3_600_000, uses: 50, typed: "BERLIN" }],
  shards: 4, claimWindowMs: 60_000, admit: "paced", tax: null, commitment: "ef".repeat(32),
};

const { drop, title, currency, announceAt, lobbyOpensAt, opensAt, closesAt, shards, commitment: _promised, ...terms } = plan;
const source: PlanSource = {
  ...terms, drop, title, currency, shards,
  announceAt: { at: announceAt }, lobbyOpensAt: { at: lobbyOpensAt }, opensAt: { at: opensAt }, closesAt: { at: closesAt },
  stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 60, afterMs: 1_800_000 }],
  stock: plan.stock.map(({ sku, quantity }) => ({ sku, quantity })),
};

export const store: StoreConfig = {
  name: "Nightjar Supply", currency: "EUR", support: "help@nightjar.example",
  brand: { mark: "N", ink: "#17130f", paper: "#f4efe6", accent: "#c2410c" },
  regions: [
    { slug: "berlin", label: "Berlin", country: "DE", near: { lat: 52.52, lon: 13.405 }, locale: "de-DE", zone: "Europe/Berlin", pickup: [{ id: "kiosk-k", label: "Kiosk K", slots: "17:00-18:00/30m", perSlot: 8 }], shipsTo: ["DE", "AT"] },
    { slug: "lisbon", label: "Lisbon", country: "PT", near: { lat: 38.72, lon: -9.14 }, locale: "pt-PT", zone: "Europe/Lisbon", pickup: [{ id: "feira", label: "Feira", slots: null, perSlot: null }], shipsTo: [] },
  ],
  drops: [{ slug: "moth-tee", title: "Moth tee", story: "One run.", image: null, home: null, deliveryNote: null, source }],
};

/** The live state at `asOf`; `upTo` serves everyone unless said otherwise. */
export function liveAt(asOf: number, overrides: Partial<DropSnapshot["live"]> = {}, planOverrides: Partial<Plan> = {}): LobbyLive {
  return {
    live: {
      asOf, phase: "open", stage: 1, available: 6, low: false, nextStageAt: OPENS_AT + 1_800_000, seed: SEED,
      thresholds: [{ sku: "MOTH-S", lane: "open", upTo: "~" }, { sku: "MOTH-M", lane: "open", upTo: null }],
      items: [{ sku: "MOTH-S", available: 4, soldOut: null }, { sku: "MOTH-M", available: 2, soldOut: null }],
      head: { seq: 1, hash: "ab".repeat(32) },
      ...overrides,
    },
    planHash: PLAN_HASH, planVersion: 1, plan: { ...plan, ...planOverrides }, changes: [], missing: [], wanted: [], nextTurnAt: null, waiting: 0, quantiles: [],
  };
}

function unexpected(what: string): never {
  throw new Error(`nobody should have asked ${what}`);
}

function silent<Port extends object>(what: string, overrides: Partial<Port>): Port {
  const handler: ProxyHandler<Port> = { get: (target, name) => Reflect.get(target, name) ?? (() => unexpected(`${what}.${String(name)}`)) };
  // Every member that is not given throws when it is called, which no type can say.
  return new Proxy(overrides as Port, handler);
}

export const secretsEnv = await (async () => {
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const key = await exportJWK(privateKey);
  const { d: _private, ...publicHalf } = key;
  const bytes = (fill: number) => Buffer.alloc(32, fill).toString("base64url");
  return {
    TICKET_KEYS: JSON.stringify([{ kid: "t2", key: bytes(2) }, { kid: "t1", key: bytes(1) }]),
    RECEIPT_KEY: JSON.stringify({ ...key, kid: "receipt-1" }),
    PUBLIC_KEYS: JSON.stringify({ keys: [{ ...publicHalf, kid: "receipt-1", use: "sig", alg: "EdDSA" }] }),
  };
})();
export const credentials = joseCredentials(storefrontSecrets(secretsEnv), nodeHashing);

export interface World {
  readonly ports: ApiPorts;
  readonly logged: LogLine[];
  now: number;
}

export interface Doubles {
  readonly drop?: Partial<DropPort>;
  readonly lobby?: Partial<ShopLobby>;
  readonly checkout?: Partial<CheckoutPort>;
  readonly live?: LobbyLive | null;
  readonly ports?: Partial<ApiPorts>;
}

export function world(doubles: Doubles = {}): World {
  const logged: LogLine[] = [];
  const edge = new Map<string, string>();
  const state = { logged, now: OPENS_AT + 10_000 };
  const live = doubles.live === undefined ? liveAt(state.now) : doubles.live;
  const ports: ApiPorts = {
    store, isLocal: false, version: "0.0.0-test",
    drop: () => silent<DropPort>("drop", doubles.drop ?? {}),
    lobby: () => silent<ShopLobby>("lobby", doubles.lobby ?? {}),
    live: async () => live,
    plan: async () => live,
    liveAtHand: () => null,
    socket: () => unexpected("the socket"),
    checkout: silent<CheckoutPort>("checkout", doubles.checkout ?? {}),
    forward: () => unexpected("another Worker"),
    asset: async () => new Response(null, { status: 404 }),
    credentials,
    now: () => state.now,
    visitor: () => ({ network: "local", country: null, near: null }),
    hashing: nodeHashing,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    work: altchaWork({ secrets: challengeKeys(storefrontSecrets(secretsEnv), nodeHashing), randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)) }),
    turnstile: null,
    turnstileOrigin: TURNSTILE_ORIGIN,
    mailer: null,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    later: () => undefined,
    edge: { read: async (key) => edge.get(key) ?? null, write: async (key, text) => void edge.set(key, text) },
    log: (line) => void logged.push(line),
    ...doubles.ports,
  };
  return Object.assign(state, { ports });
}

/** A browser: a key pair, and the proofs it makes. */
export interface Browser {
  readonly jwk: Record<string, unknown>;
  proof(token: string, method: string, url: string, overrides?: ProofOverrides): Promise<string>;
}

export interface ProofOverrides {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
}

export async function newBrowser(nonce: () => string = () => credentials.dpopNonce(OPENS_AT + 10_000)): Promise<Browser> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)) };
  return {
    jwk,
    async proof(token, method, url, overrides = {}) {
      const ath = Buffer.from(nodeHashing.sha256(token), "hex").toString("base64url");
      const claims = { jti: "proof-1", htm: method, htu: url, iat: 1, ath, nonce: nonce(), ...overrides.claims };
      return new SignJWT(claims).setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk, ...overrides.header }).sign(privateKey);
    },
  };
}

export const TICKET = testId("tkt", "A");
export const ENTRY = entryOf("moth-tee", TICKET, nodeHashing);
export const JOINED_AT = OPENS_AT - 600_000;
export const RANK = rankOf({ entry: ENTRY, weight: 1, joinedAt: JOINED_AT }, OPENS_AT, SEED, nodeHashing);

export function holdView(overrides: Partial<HoldView> = {}): HoldView {
  return {
    id: testId("hld", "A"), state: "held", lines: [{ sku: "MOTH-S", quantity: 1, unitPriceMinor: 4200, totalMinor: 4200 }],
    totalMinor: 4200, currency: "EUR", expiresAt: OPENS_AT + 490_000, order: null, ...overrides,
  };
}

export function placedOrder(overrides: Partial<PlacedOrder> = {}): PlacedOrder {
  return {
    id: testId("ord", "A"), drop: "moth-tee", dropTitle: "Moth tee", planHash: PLAN_HASH, hold: testId("hld", "A"), entry: ENTRY,
    email: "ana@example.org", delivery: { method: "pickup", point: "kiosk-k", slot: null }, region: "berlin", locale: "de-DE", currency: "EUR",
    lines: [{ sku: "MOTH-S", title: "Moth tee, S", quantity: 1, unitPriceMinor: 4200, discountMinor: 0, totalMinor: 4200, taxMinor: 0 }],
    discountMinor: 0, totalMinor: 4200, tax: null, coupon: null, splits: plan.splits, capture: "on-fulfilment",
    placedAt: OPENS_AT + 20_000, payBy: OPENS_AT + 490_000, returnTo: ORIGIN, ...overrides,
  };
}

export function orderView(overrides: Partial<OrderView> = {}): OrderView {
  const order = overrides.order ?? placedOrder();
  return {
    order, state: "placed", payment: { state: "pending", url: "https://pay.example/1" }, fulfilment: "none", payBy: order.payBy,
    capturedMinor: 0, refundedMinor: 0, timeline: [{ at: order.placedAt, kind: "placed", text: "Order placed." }], ...overrides,
  };
}

/** The drop's answers when a claim is accepted. */
export const admitted: Partial<DropPort> = {
  claim: async (ticket) => accepted({ state: "admitted", sitting: { id: "pas_sitting", entry: ticket.entry, admittedAt: OPENS_AT + 9_000, expiresAt: OPENS_AT + 69_000 } }),
};
