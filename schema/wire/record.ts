import * as v from "valibot";
import { Instant, Sha256Hex, Sku } from "./ids.ts";

/*
 * The rows of the public record, the signed head, and the leaves of the draw:
 * what anybody needs to check a drop.
 */

const Count = v.pipe(v.number(), v.safeInteger("A count is a whole number."), v.minValue(0, "A count is never negative."));
const Positive = v.pipe(v.number(), v.safeInteger("This is a whole number."), v.minValue(1, "This is at least 1."));
const Several = v.pipe(v.number(), v.safeInteger("This is a whole number."), v.minValue(2, "One person is not a group: then this is absent."));
const LaneName = v.pipe(v.string(), v.minLength(1, "A lane has a name."), v.maxLength(64, "A lane's name has at most 64 characters."));
const Hex = (bytes: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `This is ${bytes} bytes in lower-case hex.`));

/** `0` and 32 hex digits for whoever was drawn; `1`, 12 digits of time and 16 of the draw for whoever came later. */
const Rank = v.pipe(v.string(), v.regex(/^(0[0-9a-f]{32}|1[0-9a-f]{28})$/, "This is not the form of a rank."));

/** What every row has: its number, its time, and its place in the chain. */
const chained = { seq: Positive, at: Instant, prevHash: Sha256Hex, hash: Sha256Hex };

const Stages = v.array(v.strictObject({ opensAt: Instant, units: Count }));
const UnitCounts = v.array(v.strictObject({ sku: Sku, quantity: Count }));

const FieldValue = v.union([v.string(), v.number(), v.boolean(), v.null()]);

const PlanRow = v.strictObject({
  ...chained,
  kind: v.literal("plan"),
  items: v.pipe(v.array(v.strictObject({ sku: Sku, stages: Stages })), v.minLength(1, "A plan has stock.")),
  /** What is sold under a name of its own and takes units of the above. Absent where everything is sold as it is counted. */
  bundles: v.optional(v.array(v.strictObject({ sku: Sku, components: v.array(v.strictObject({ sku: Sku, quantity: Positive })) }))),
  /** Stages, by the number of the first, that were written as one: so many steps of a drip. Absent where none drips. */
  drips: v.optional(v.array(v.strictObject({ stage: Positive, steps: Positive }))),
  closesAt: Instant,
  limitPerPerson: Positive,
  /** Up to how many people may stand in line with one ticket, and have that many times the limit; absent where everyone stands alone. */
  group: v.optional(Several),
  lanes: v.array(v.strictObject({ lane: LaneName, sharePercent: Count, untilMs: Count, weight: Positive })),
  shards: Positive,
  commitment: Sha256Hex,
  /** The public randomness that the draw waits for; absent where the secret alone decides. */
  beacon: v.optional(v.strictObject({ chain: Sha256Hex, publicKey: Hex(96), genesisAt: Instant, periodMs: Positive, round: Positive })),
  /** Only in a later row, which changes the plan: who did, what everything costs now, and what was changed. */
  actor: v.optional(v.string()),
  prices: v.optional(v.array(v.strictObject({ sku: Sku, priceMinor: Count }))),
  changed: v.optional(v.array(v.strictObject({ field: v.string(), from: FieldValue, to: FieldValue }))),
});

const StockRow = v.strictObject({
  ...chained,
  kind: v.picklist(["hold", "place", "sell", "expire", "abandon", "void", "return"]),
  sku: Sku,
  quantity: Positive,
  stage: Positive,
  subject: Sha256Hex,
  ref: Sha256Hex,
});
export type StockRow = v.InferOutput<typeof StockRow>;

/** The beacon's round as it came out: its signature proves it, and its randomness is the signature's SHA-256. */
const BeaconRound = v.strictObject({ chain: Sha256Hex, round: Positive, signature: Hex(48), randomness: Sha256Hex });

export const RecordRow = v.variant("kind", [
  PlanRow,
  v.strictObject({ ...chained, kind: v.literal("seal"), shard: Count, count: Count, root: Sha256Hex }),
  v.strictObject({ ...chained, kind: v.literal("draw"), secret: Sha256Hex, missing: v.array(Count), seed: Sha256Hex, beacon: v.optional(BeaconRound) }),
  v.strictObject({ ...chained, kind: v.literal("serve"), sku: Sku, lane: LaneName, upTo: v.union([Rank, v.literal("~")]) }),
  /** `people` is how many stand in line as this one entry; absent for one. */
  v.strictObject({ ...chained, kind: v.literal("admit"), subject: Sha256Hex, rank: Rank, lane: LaneName, people: v.optional(Several) }),
  StockRow,
  v.strictObject({ ...chained, kind: v.picklist(["pause", "resume", "cancel"]), actor: v.string() }),
  v.strictObject({ ...chained, kind: v.literal("extend"), actor: v.string(), stage: Positive, stages: v.array(v.strictObject({ stage: Positive, opensAt: Instant })) }),
  v.strictObject({ ...chained, kind: v.literal("close"), sold: UnitCounts, unsold: UnitCounts, withheld: UnitCounts }),
]);
export type RecordRow = v.InferOutput<typeof RecordRow>;
export type RowOf<Kind extends RecordRow["kind"]> = Extract<RecordRow, { kind: Kind }>;

/** The last line of every page: the head as it was when the page was read, and its compact JWS. */
export const HeadLine = v.strictObject({ head: v.strictObject({ seq: Positive, hash: Sha256Hex, at: Instant }), signature: v.string() });
export type HeadLine = v.InferOutput<typeof HeadLine>;

export const Leaf = v.strictObject({ entry: Sha256Hex, lane: LaneName, weight: Positive });
export type Leaf = v.InferOutput<typeof Leaf>;
