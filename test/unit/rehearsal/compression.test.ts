import { expect, test } from "vitest";
import { storeFromVars } from "../../../src/config/store-from-vars.ts";
import type { DropConfig } from "../../../src/config/store-config.ts";
import { compressionOf, rehearsedTable } from "../../../src/rehearsal/compression.ts";

const STORE = { name: "Shop", currency: "EUR", support: "help@shop.example", brand: { mark: "S", ink: "#17130f", paper: "#f4efe6", accent: "#c2410c" } };
const REGION = { label: "Berlin", country: "DE", near: { lat: 52.52, lon: 13.405 }, locale: "de-DE", pickup: [{ id: "kiosk", label: "Kiosk" }] };
const NIGHT = {
  title: "Night", announceAt: "2026-11-27T18:00:00Z", lobbyOpensAt: "2026-12-04T17:30:00Z", opensAt: "2026-12-04T18:00:00Z", closesAt: "2026-12-04T22:00:00Z",
  limitPerPerson: 2, hold: "8m", items: [{ sku: "A", title: "A", priceMinor: 4200, quantity: 120 }, { sku: "B", title: "B", priceMinor: 4200, quantity: 80 }],
  lobby: { shards: 4, claimWindow: "60s" },
};

function dropOf(table: Readonly<Record<string, unknown>>): DropConfig {
  const store = storeFromVars({ STORE, REGION_BERLIN: REGION, DROP_NIGHT: table }, { isLocal: true });
  const drop = store.ok ? store.value.drops[0] : undefined;
  if (drop === undefined) throw new Error(JSON.stringify(store.ok ? "no drop" : store.rejection));
  return drop;
}

const compressed = (speed: number, abandonShare = 0.8) => compressionOf(dropOf(NIGHT), { speed, abandonShare, units: 200 });

test("two hours become one minute at 120 times the speed, and what would be too short to answer is said to be longer", () => {
  const { stages, holdMs, claimWindowMs, notes } = compressed(120);
  expect(stages).toEqual([{ sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: 15_000 }, { sharePercent: 20, afterMs: 60_000 }]);
  expect({ holdMs, claimWindowMs }).toEqual({ holdMs: 10_000, claimWindowMs: 4_000 });
  expect(notes.filter((note) => /^The (hold|claim window)/.test(note))).toHaveLength(2);
});

test("at a slow speed every duration is divided and nothing is bounded", () => {
  const { stages, holdMs, claimWindowMs, closesAfterMs, notes } = compressed(10, 0);
  expect(stages.map(({ afterMs }) => afterMs)).toEqual([0, 180_000, 720_000]);
  expect({ holdMs, claimWindowMs, closesAfterMs }).toEqual({ holdMs: 48_000, claimWindowMs: 6_000, closesAfterMs: 1_440_000 });
  expect(notes.filter((note) => note.includes("would last"))).toEqual([]);
});

test("the more people do not come when they are called, the longer the last units may take", () => {
  expect(compressed(10_000, 0.9).closesAfterMs).toBeGreaterThan(compressed(10_000, 0.5).closesAfterMs);
});

test("the rehearsed drop is a config without mistakes, with the creator's own prices, shares and limits", () => {
  const compression = compressed(120);
  const table = rehearsedTable(NIGHT, { compression, lobbyMs: 42_000, units: 75, gates: { email: true } });
  const { source } = dropOf(table);
  expect(source.items.map(({ priceMinor }) => priceMinor)).toEqual([4_200, 4_200]);
  expect(source.stock).toEqual([{ sku: "A", quantity: 45 }, { sku: "B", quantity: 30 }]);
  expect(source).toMatchObject({ opensAt: { afterFirstSeenMs: 42_000 }, limitPerPerson: 2, shards: 4, claimWindowMs: 4_000, holdTtlMs: 10_000, admit: "paced", gates: { email: true } });
  expect(source.stages.map(({ sharePercent }) => sharePercent)).toEqual([40, 40, 20]);
});
