import type { Hono } from "hono";
import type { DropConfig, StoreConfig } from "../../../../src/config/store-config.ts";
import type { PublicKeys } from "../../../../src/coupon/signed-claims.ts";
import type { DropLive, DropPort, MovementRow, Phase } from "../../../../src/drop/port.ts";
import { NO_GATES, type Plan, USUAL_BUDGETS } from "../../../../src/drop/plan.ts";
import type { LobbyLive } from "../../../../src/lobby/port.ts";
import type { Credentials } from "../../../../src/storefront/credentials.ts";
import type { StorefrontPorts, Visitor } from "../../../../src/storefront/ports.ts";
import { pageRoutes } from "../../../../src/storefront/pages/routes.tsx";

/*
 * A store with one drop in two regions, whose state a test sets. Only what the
 * pages may use is there: anything else they would reach for throws.
 */

export const OPENS_AT = Date.parse("2026-12-04T18:00:00.000Z");
export const MINUTE_MS = 60_000;

export const PLAN: Plan = {
  drop: "moth-tee", title: "Moth tee", currency: "EUR",
  announceAt: OPENS_AT - 7 * 24 * 60 * MINUTE_MS, lobbyOpensAt: OPENS_AT - 30 * MINUTE_MS, opensAt: OPENS_AT, closesAt: OPENS_AT + 240 * MINUTE_MS,
  stock: [{ sku: "MOTH-S", quantity: 101, stages: [{ opensAt: OPENS_AT, units: 41 }, { opensAt: OPENS_AT + 30 * MINUTE_MS, units: 40 }, { opensAt: OPENS_AT + 120 * MINUTE_MS, units: 20 }] }],
  items: [{ sku: "MOTH-S", title: "Moth tee, S", priceMinor: 4200, components: [{ sku: "MOTH-S", quantity: 1 }] }],
  lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null, limitPerPerson: 2, holdTtlMs: 8 * MINUTE_MS, capture: "on-fulfilment", low: 10, splits: [], campaigns: [], shards: 1, claimWindowMs: MINUTE_MS, admit: "paced", tax: null,
  commitment: "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
};

const CONFIG: DropConfig = {
  slug: "moth-tee", title: "Moth tee", story: "One run, printed on the night shift.", image: null, home: null, deliveryNote: "Ready from Friday 17:00.",
  source: {
    ...PLAN, announceAt: { at: PLAN.announceAt }, lobbyOpensAt: { at: PLAN.lobbyOpensAt }, opensAt: { at: PLAN.opensAt }, closesAt: { at: PLAN.closesAt },
    stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: 30 * MINUTE_MS }, { sharePercent: 20, afterMs: 120 * MINUTE_MS }],
  },
};

export const STORE: StoreConfig = {
  name: "Nightjar Supply", currency: "EUR", support: "help@nightjar.example", brand: { mark: "N", ink: "#17130f", paper: "#f4efe6", accent: "#c2410c" },
  regions: [
    { slug: "berlin", label: "Berlin", country: "DE", near: { lat: 52.52, lon: 13.405 }, locale: "de-DE", zone: "Europe/Berlin", pickup: [{ id: "kiosk-k", label: "Kiosk K", slots: "17:00-18:00/30m", perSlot: 8 }], shipsTo: ["DE"] },
    { slug: "lisbon", label: "Lisbon", country: "PT", near: { lat: 38.72, lon: -9.14 }, locale: "pt-PT", zone: "Europe/Lisbon", pickup: [{ id: "feira", label: "Feira", slots: null, perSlot: null }], shipsTo: [] },
  ],
  drops: [CONFIG],
};

const STAGE_OF: Readonly<Record<Phase, number | null>> = { announced: null, lobby: null, drawing: 1, open: 1, paused: 1, "sold-out": 1, closed: 3, cancelled: 1 };

export function liveAt(phase: Phase, now: number, change: Partial<DropLive> = {}, plan: Plan = PLAN): LobbyLive {
  const stage = STAGE_OF[phase];
  const isGone = phase === "sold-out" || phase === "closed";
  const available = phase === "open" ? 12 : 0;
  const live: DropLive = {
    asOf: now, phase, stage, available, low: false, nextStageAt: phase === "closed" || phase === "cancelled" ? null : stage === null ? OPENS_AT : OPENS_AT + 30 * MINUTE_MS,
    seed: null, thresholds: [], items: [{ sku: "MOTH-S", available, soldOut: isGone ? "stage" : null }], head: { seq: 1, hash: "ab".repeat(32) }, ...change,
  };
  return { live, planHash: "ab".repeat(32), planVersion: 1, plan, changes: [], missing: [], wanted: [], nextTurnAt: null, waiting: 7, quantiles: [] };
}

export interface Shop {
  readonly live: LobbyLive | null;
  readonly now?: number;
  readonly store?: StoreConfig;
  readonly visitor?: Partial<Visitor>;
  readonly isLocal?: boolean;
  readonly publicKeys?: PublicKeys;
  readonly rows?: readonly MovementRow[];
}

function unused(name: string): never {
  throw new Error(`a page asked for ${name}`);
}

/** A page is only ever given what it needs; the rest of a port is a trap. */
function trap<Port extends object>(name: string, has: Partial<Port>): Port {
  // The traps stand for every member that is not given, which no literal can say.
  return new Proxy(has, { get: (target, member) => Reflect.get(target, member) ?? (() => unused(`${name}.${String(member)}`)) }) as Port;
}

export function shopPages(shop: Shop): Hono {
  const now = shop.now ?? shop.live?.live.asOf ?? OPENS_AT;
  const rows = shop.rows ?? [];
  const drop = trap<DropPort>("drop", {
    record: () => Promise.resolve({ rows, head: { seq: rows.length, hash: "cd".repeat(32), at: new Date(now).toISOString() }, signature: "head.signature" }),
  });
  return pageRoutes(trap<StorefrontPorts>("ports", {
    store: shop.store ?? STORE, isLocal: shop.isLocal ?? false, version: "test", now: () => now,
    drop: () => drop,
    live: () => Promise.resolve(shop.live),
    visitor: () => ({ network: "local", country: null, near: null, ...shop.visitor }),
    credentials: trap<Credentials>("credentials", {
      publicKeys: shop.publicKeys ?? { keys: [] },
    }),
  }));
}

export async function pageText(shop: Shop, path: string): Promise<string> {
  const response = await shopPages(shop).request(path);
  return response.text();
}
