import * as v from "valibot";
import { Instant, Sha256Hex, Sku } from "./ids.ts";

const Count = v.pipe(v.number(), v.integer("A count is a whole number."), v.minValue(0, "A count is never negative."));

export const PhaseWire = v.picklist(["announced", "lobby", "drawing", "open", "paused", "sold-out", "closed", "cancelled"]);

/** The public state of a drop, at most two seconds old. */
export const LiveAnswer = v.strictObject({
  /** When the Drop object said so. */
  asOf: Instant,
  /** The server's clock at the time of this answer: what countdowns go by. */
  now: Instant,
  phase: PhaseWire,
  /** 1-based, as the drop lists its stages: each step of a drip is one. Null before the first opens. */
  stage: v.nullable(v.pipe(v.number(), v.integer("A stage is a number."), v.minValue(1, "The first stage is 1."))),
  available: Count,
  low: v.boolean(),
  nextStageAt: v.nullable(Instant),
  waiting: Count,
  /** The draw's seed in hex; null before the draw. */
  seed: v.nullable(v.string()),
  /** The ranks that cut each lane's line into equal parts. */
  quantiles: v.array(v.strictObject({ lane: v.string(), count: Count, ranks: v.array(v.string()) })),
  thresholds: v.array(v.strictObject({ sku: Sku, lane: v.string(), upTo: v.nullable(v.string()) })),
  items: v.array(v.strictObject({
    sku: Sku,
    available: Count,
    soldOut: v.nullable(v.picklist(["stage", "final"])),
    /** How many of them a ticket of a lane may take now, where a drop keeps units for lanes: the rest is kept for others until it lapses. */
    byLane: v.optional(v.array(v.strictObject({ lane: v.string(), available: Count }))),
  })),
  /** The record's last row: every browser that keeps it is a witness of the record up to here. */
  head: v.strictObject({ seq: v.pipe(Count, v.minValue(1, "The first row is 1.")), hash: Sha256Hex }),
  /** The nonce that a DPoP proof made now has to carry. On a socket it is absent. */
  dpopNonce: v.optional(v.string()),
});
export type LiveAnswer = v.InferOutput<typeof LiveAnswer>;
