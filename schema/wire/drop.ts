import * as v from "valibot";
import { AmountMinor, Currency, Instant, Sha256Hex, Sku, Slug } from "./ids.ts";
import { PhaseWire } from "./live.ts";

const Units = v.pipe(v.number(), v.integer("Units are whole."), v.minValue(0, "Units are never negative."));

export const DropAnswer = v.strictObject({
  drop: Slug,
  title: v.string(),
  story: v.string(),
  currency: Currency,
  announceAt: Instant,
  lobbyOpensAt: Instant,
  opensAt: Instant,
  closesAt: Instant,
  items: v.array(v.strictObject({ sku: Sku, title: v.string(), priceMinor: AmountMinor, currency: Currency })),
  /** The release: how many units in all each stage adds, and when. */
  stages: v.array(v.strictObject({ stage: Units, opensAt: Instant, units: Units })),
  limitPerPerson: Units,
  /** Up to how many people may stand in line with one ticket, and have that many times the limit; absent where everyone stands alone. */
  groupMax: v.optional(Units),
  shards: Units,
  regions: v.array(v.strictObject({ region: Slug, label: v.string(), country: v.string() })),
  planHash: Sha256Hex,
  commitment: Sha256Hex,
});
export type DropAnswer = v.InferOutput<typeof DropAnswer>;

export const DropsAnswer = v.strictObject({
  drops: v.array(v.strictObject({ drop: Slug, title: v.string(), phase: PhaseWire, lobbyOpensAt: Instant, opensAt: Instant, closesAt: Instant, planHash: Sha256Hex })),
});
export type DropsAnswer = v.InferOutput<typeof DropsAnswer>;

export const HealthAnswer = v.strictObject({ status: v.literal("ok"), version: v.string() });
