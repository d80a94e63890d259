import { QUICKNET, SANDBOX_CHAIN } from "../../../src/drop/beacon-chains.ts";
import { NO_GATES, USUAL_BUDGETS } from "../../../src/drop/plan.ts";
import { expect, test } from "vitest";
import { contrastRatio } from "../../../src/config/contrast.ts";
import type { StoreConfig } from "../../../src/config/store-config.ts";
import { mistakeText, storeFromVars } from "../../../src/config/store-from-vars.ts";
import { rightVars } from "./store.ts";

function parsed(vars: Record<string, unknown>, isLocal = false): StoreConfig {
  const store = storeFromVars(vars, { isLocal });
  if (!store.ok) throw new Error(store.rejection.map(mistakeText).join("\n"));
  return store.value;
}

test("a right config becomes the store, its regions and its drops", () => {
  const store = parsed(rightVars());
  expect(store).toMatchObject({ name: "Nightjar Supply", currency: "EUR" });
  expect(store.regions).toEqual([{
    slug: "berlin", label: "Berlin", country: "DE", near: { lat: 52.52, lon: 13.405 }, locale: "de-DE", zone: "Europe/Berlin", shipsTo: [],
    pickup: [{ id: "kiosk-k", label: "Kiosk K, Weserstraße 12", slots: "17:00-21:00/30m", perSlot: 8 }],
  }]);
  expect(store.drops[0]).toMatchObject({ slug: "moth-tee", image: null, home: "weur", deliveryNote: null });
  expect(store.drops[0]?.source).toMatchObject({
    drop: "moth-tee", currency: "EUR", opensAt: { at: Date.UTC(2026, 11, 4, 18) },
    stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: 1_800_000 }, { sharePercent: 20, afterMs: 7_200_000 }],
    stock: [{ sku: "MOTH-S", quantity: 80 }, { sku: "MOTH-M", quantity: 120 }],
    holdTtlMs: 480_000, claimWindowMs: 60_000, shards: 1, admit: "paced", lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null, tax: null,
  });
  expect(store.drops[0]?.source.campaigns[0]).toMatchObject({ region: "berlin", typed: "BERLIN", uses: 50 });
});

test("a drop that says only what it must gets the documented defaults", () => {
  const vars = rightVars();
  const store = parsed({
    ...vars,
    DROP_MOTH_TEE: { title: "Moth tee", opensAt: "2026-12-04T18:00:00Z", closesAt: "2026-12-04T22:00:00Z", items: [{ sku: "A", title: "A", priceMinor: 100, quantity: 1 }] },
  });
  expect(store.drops[0]?.source).toMatchObject({
    announceAt: { at: 0 }, lobbyOpensAt: { at: Date.UTC(2026, 11, 4, 17, 30) },
    stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: 1_800_000 }, { sharePercent: 20, afterMs: 7_200_000 }],
    limitPerPerson: 1, limits: { address: null, card: null }, holdTtlMs: 480_000, capture: "at-once", low: 10, splits: [{ party: "platform", remainder: true }],
    campaigns: [], shards: 1, claimWindowMs: 60_000, admit: "paced",
  });
});

test("an address and a card may have limits of their own, as low as that of a person", () => {
  const vars = rightVars();
  Object.assign(vars.DROP_MOTH_TEE, { limitPerPerson: 4, limits: { address: 4, card: 100 } });
  expect(parsed(vars).drops[0]?.source.limits).toEqual({ address: 4, card: 100 });
  Object.assign(vars.DROP_MOTH_TEE, { limits: { card: 4 } });
  expect(parsed(vars).drops[0]?.source.limits).toEqual({ address: null, card: 4 });
});

test("bundles take their components from items and from parts that are not sold alone", () => {
  const vars = rightVars();
  Object.assign(vars.DROP_MOTH_TEE, {
    parts: [{ sku: "BOX", quantity: 30 }],
    items: [
      { sku: "TEE", title: "Tee", priceMinor: 4200, quantity: 80 },
      { sku: "BOXED", title: "Two in a box", priceMinor: 9000, components: [{ sku: "TEE", quantity: 2 }, { sku: "BOX", quantity: 1 }] },
    ],
  });
  const source = parsed(vars).drops[0]?.source;
  expect(source?.stock).toEqual([{ sku: "BOX", quantity: 30 }, { sku: "TEE", quantity: 80 }]);
  expect(source?.items.map(({ components }) => components)).toEqual([[{ sku: "TEE", quantity: 1 }], [{ sku: "TEE", quantity: 2 }, { sku: "BOX", quantity: 1 }]]);
});

test("lanes are for who is near a region, by its place and a distance, or for who was invited", () => {
  const vars = rightVars();
  Object.assign(vars.DROP_MOTH_TEE, {
    lanes: [
      { lane: "local", share: 20, until: "10m", region: "berlin", within: "25km" },
      { lane: "at-the-kiosk", share: 5, until: "29m59s", region: "berlin" },
      { lane: "member", share: 10, until: "10m", invite: true, weight: 3 },
    ],
  });
  const near = { lat: 52.52, lon: 13.405 };
  expect(parsed(vars).drops[0]?.source.lanes).toEqual([
    { lane: "local", sharePercent: 20, untilMs: 600_000, weight: 1, evidence: { kind: "presence", region: "berlin", near, withinKm: 25 } },
    { lane: "at-the-kiosk", sharePercent: 5, untilMs: 1_799_000, weight: 1, evidence: { kind: "presence", region: "berlin", near, withinKm: null } },
    { lane: "member", sharePercent: 10, untilMs: 600_000, weight: 3, evidence: { kind: "invite" } },
  ]);
});

test("a mistake in a region is told once, not again by the lane that is for it", () => {
  const vars = rightVars();
  Object.assign(vars.REGION_BERLIN, { near: { lat: 152, lon: 13 } });
  Object.assign(vars.DROP_MOTH_TEE, { lanes: [{ lane: "local", share: 20, until: "10m", region: "berlin" }] });
  const store = storeFromVars(vars, { isLocal: false });
  expect(store.ok ? [] : store.rejection.map(mistakeText)).toEqual([expect.stringMatching(/^REGION_BERLIN\.near\.lat: /)]);
});

test("a beacon is named by the config, and the plan gets all of its terms", () => {
  const vars = rightVars();
  Object.assign(vars.DROP_MOTH_TEE, { beacon: "quicknet" });
  expect(parsed(vars).drops[0]?.source.beacon).toEqual(QUICKNET);
  Object.assign(vars.DROP_MOTH_TEE, { beacon: "sandbox" });
  expect(parsed(vars, true).drops[0]?.source.beacon).toEqual(SANDBOX_CHAIN);
});

test("what is for development is allowed where the store is local, and only there", () => {
  const vars = rightVars();
  Object.assign(vars.DROP_MOTH_TEE, {
    announceAt: "+0s", lobbyOpensAt: "+0s", opensAt: "+20s", closesAt: "+1h30m", stages: [{ share: 100, after: "0s" }], hold: "10s", lobby: { admit: "all", claimWindow: "1s" },
  });
  expect(storeFromVars(vars, { isLocal: false }).ok).toBe(false);
  expect(parsed(vars, true).drops[0]?.source).toMatchObject({ opensAt: { afterFirstSeenMs: 20_000 }, closesAt: { afterFirstSeenMs: 5_400_000 }, holdTtlMs: 10_000, admit: "all", claimWindowMs: 1_000 });
});

test("the store's tax is part of every drop's plan", () => {
  const vars = rightVars();
  vars.STORE["tax"] = { label: "VAT", percent: 19 };
  expect(parsed(vars).drops[0]?.source.tax).toEqual({ label: "VAT", percent: 19 });
});

test("a Worker may hand in its whole environment: strings and bindings are not tables", () => {
  class Namespace {}
  expect(parsed({ ...rightVars(), ENVIRONMENT: "production", DROP: new Namespace(), ASSETS: new Namespace(), TICKET_KEYS: "[]" }).name).toBe("Nightjar Supply");
});

test("contrast is WCAG's: 21 for black on white, 1 for a colour on itself, and three digits mean six", () => {
  expect(contrastRatio("#000", "#ffffff")).toBeCloseTo(21, 5);
  expect(contrastRatio("#c2410c", "#C2410C")).toBe(1);
  expect(contrastRatio("#777777", "#fff")).toBeCloseTo(4.48, 2);
});
