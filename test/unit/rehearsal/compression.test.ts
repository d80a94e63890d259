import path from "node:path";
import { expect, test } from "vitest";
import { stageSet } from "../../../src/cli/rehearsal/stage-set.ts";
import { readStoreFile } from "../../../src/cli/store-file.ts";
import { storeFromVars } from "../../../src/config/store-from-vars.ts";
import type { DropConfig } from "../../../src/config/store-config.ts";
import { SANDBOX_CHAIN } from "../../../src/drop/beacon-chains.ts";
import { planFromSource } from "../../../src/drop/plan-from-source.ts";
import { compressionOf, rehearsedTable } from "../../../src/rehearsal/compression.ts";
import { PROJECT } from "../../support/sources.ts";

const STORE = { name: "Shop", currency: "EUR", support: "help@shop.example", brand: { mark: "S", ink: "#17130f", paper: "#f4efe6", accent: "#c2410c" } };
const REGION = { label: "Berlin", country: "DE", near: { lat: 52.52, lon: 13.405 }, locale: "de-DE", pickup: [{ id: "kiosk", label: "Kiosk" }] };
const NIGHT = {
  title: "Night", announceAt: "2026-11-27T18:00:00Z", lobbyOpensAt: "2026-12-04T17:30:00Z", opensAt: "2026-12-04T18:00:00Z", closesAt: "2026-12-04T22:00:00Z",
  limitPerPerson: 2, hold: "8m", items: [{ sku: "A", title: "A", priceMinor: 4200, quantity: 120 }, { sku: "B", title: "B", priceMinor: 4200, quantity: 80 }],
  lobby: { shards: 4, claimWindow: "60s" },
};

const T0 = Date.UTC(2026, 11, 4, 18);

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

test("a beacon is the sandbox's own in a rehearsal, said so, and its seconds are left for every stage and lane", () => {
  const night = { ...NIGHT, beacon: "quicknet", lanes: [{ lane: "local", share: 20, until: "10m", region: "berlin", within: "25km" }, { lane: "member", share: 10, until: "20m", invite: true }] };
  const compression = compressionOf(dropOf(night), { speed: 120, abandonShare: 0.8, units: 200 });
  const { source } = dropOf(rehearsedTable(night, { compression, lobbyMs: 42_000, units: null, gates: null }));
  expect(source.beacon?.chain).toBe(SANDBOX_CHAIN.chain);
  expect(compression.notes.join(" ")).toMatch(/sandbox's own chain in place of the beacon's/);
  // The latest round comes out twelve seconds after the opening, and whoever is called has a claim window then.
  for (const { untilMs } of source.lanes) expect(untilMs).toBeGreaterThanOrEqual(12_000 + 2 * compression.claimWindowMs);
  for (const [index, { afterMs }] of source.stages.entries()) if (index > 0) expect(afterMs - (source.stages[index - 1]?.afterMs ?? 0)).toBeGreaterThan(Math.max(...source.lanes.map(({ untilMs }) => untilMs)));
  expect(compression.notes.filter((note) => note.startsWith("What is kept for"))).toHaveLength(2);
});

test.each([[null, 0.8], [75, 0.8], [1_000, 0], [7, 0.5]])("a drip of a night becomes one of a rehearsal, in an edition of %j units as well, and is out before the next stage", (units, abandonShare) => {
  const stages = [{ share: 40, after: "0s" }, { share: 40, after: "30m", every: "2m", units: 8 }, { share: 20, after: "2h", every: "10m", units: 10 }];
  const night = { ...NIGHT, stages, lanes: [{ lane: "member", share: 10, until: "90s", invite: true }] };
  const compression = compressionOf(dropOf(night), { speed: 20, abandonShare, units: units ?? 200 });
  const table = rehearsedTable(night, { compression, lobbyMs: 42_000, units, gates: null });
  const { source } = dropOf(table);
  expect(source.stages.map(({ drip }) => drip !== undefined)).toEqual([false, true, true]);
  for (const { drip } of source.stages) expect(drip === undefined || drip.everyMs > (source.lanes[0]?.untilMs ?? 0)).toBe(true);
  const most = (config: DropConfig["source"]) => planFromSource(config, "", T0).drips?.map(({ steps }) => steps) ?? [];
  for (const [index, steps] of most(source).entries()) expect(steps).toBeLessThanOrEqual((most(dropOf(night).source)[index] ?? 0) + 1);
});

test("the steps of a drip are the night's own in its own edition, and in another the next of which every lane's share is whole, and said so", () => {
  const stages = [{ share: 60, after: "0s" }, { share: 40, after: "30m", every: "2m", units: 8 }];
  const stepsIn = (units: number, lanes: readonly object[]) => {
    const { stages: compressedStages, notes } = compressionOf(dropOf({ ...NIGHT, stages, lanes }), { speed: 20, abandonShare: 0, units });
    return [compressedStages[1]?.drip?.units, notes.some((note) => /^The drip of stage 2 brings \d+ of an item/.test(note))];
  };
  const lanes = [{ lane: "member", share: 10, until: "90s", invite: true }];
  expect([200, 75, 1_000].map((units) => stepsIn(units, lanes))).toEqual([[8, false], [10, true], [40, true]]);
  expect([200, 75, 1_000].map((units) => stepsIn(units, []))).toEqual([[8, false], [3, false], [40, false]]);
});

test("the night with lanes that is kept for rehearsing can be rehearsed: a config without mistakes, before and after it is made short", () => {
  const file = readStoreFile(path.join(PROJECT, "test/support/night-with-lanes.toml"), { isLocal: true });
  const drop = file.ok ? file.value.store.drops[0] : undefined;
  if (!file.ok || drop === undefined) throw new Error(JSON.stringify(file));
  expect([drop.source.lanes.map(({ evidence }) => evidence.kind), drop.source.beacon === null]).toEqual([["presence", "invite"], false]);
  const compression = compressionOf(drop, { speed: 120, abandonShare: 0.8, units: 60 });
  const set = stageSet(file.value, drop);
  try {
    // Throws where the rehearsed config has mistakes.
    set.configFor("night", { compression, lobbyMs: 20_000, units: 24, gates: { email: true } });
  } finally {
    set.remove();
  }
});
