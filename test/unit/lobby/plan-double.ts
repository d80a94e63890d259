import { NO_GATES, type Plan, USUAL_BUDGETS } from "../../../src/drop/plan.ts";
import type { DropLive, DropSnapshot } from "../../../src/drop/port.ts";
import type { LobbyLive } from "../../../src/lobby/port.ts";

export const OPENS_AT = Date.UTC(2026, 11, 4, 18);
export const STAGE_TWO_AT = OPENS_AT + 30 * 60_000;

/** The 40/40/20 drop with one item, four shards, and a lobby of half an hour. */
export const plan: Plan = {
  drop: "moth-tee",
  title: "Moth tee",
  currency: "EUR",
  announceAt: OPENS_AT - 7 * 86_400_000,
  lobbyOpensAt: OPENS_AT - 30 * 60_000,
  opensAt: OPENS_AT,
  closesAt: OPENS_AT + 4 * 3_600_000,
  stock: [{ sku: "MOTH-S", quantity: 80, stages: [{ opensAt: OPENS_AT, units: 32 }, { opensAt: STAGE_TWO_AT, units: 32 }, { opensAt: OPENS_AT + 7_200_000, units: 16 }] }],
  items: [{ sku: "MOTH-S", title: "Moth tee, S", priceMinor: 4_200, components: [{ sku: "MOTH-S", quantity: 1 }] }],
  lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null,
  limitPerPerson: 2,
  holdTtlMs: 480_000,
  capture: "on-fulfilment",
  low: 10,
  splits: [],
  campaigns: [],
  shards: 4,
  claimWindowMs: 60_000,
  admit: "paced",
  tax: null,
  commitment: "c".repeat(64),
};

export function liveAt(asOf: number, changes: Partial<DropLive> = {}): DropLive {
  return { asOf, phase: "open", stage: 1, available: 32, low: false, nextStageAt: STAGE_TWO_AT, seed: null, thresholds: [], items: [{ sku: "MOTH-S", available: 32, soldOut: null }], head: { seq: 1, hash: "ab".repeat(32) }, ...changes };
}

export function snapshotAt(asOf: number, changes: Partial<DropLive> = {}): DropSnapshot {
  return { live: liveAt(asOf, changes), planHash: "a".repeat(64), planVersion: 1, plan, changes: [], missing: [], wanted: [], nextTurnAt: null };
}

export function lobbyLiveAt(asOf: number, changes: Partial<DropLive> = {}, lobby: Partial<Pick<LobbyLive, "waiting" | "quantiles">> = {}): LobbyLive {
  return { ...snapshotAt(asOf, changes), waiting: 0, quantiles: [], ...lobby };
}
