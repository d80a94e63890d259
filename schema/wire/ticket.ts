import * as v from "valibot";
import { Instant, LinesRequest, Sha256Hex, TicketId } from "./ids.ts";

/** One coordinate of a P-256 point: 32 bytes in base64url. */
const Coordinate = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/, "A P-256 coordinate is 32 bytes in base64url."));

/**
 * The public half of the browser's key (RFC 7517, RFC 7518 section 6.2). A
 * private member is an unknown member: a page that would send one is broken
 * and must hear of it.
 */
export const BrowserKey = v.strictObject({
  kty: v.literal("EC"),
  crv: v.literal("P-256"),
  x: Coordinate,
  y: Coordinate,
  alg: v.optional(v.literal("ES256")),
  use: v.optional(v.literal("sig")),
  // What browsers add when they export a key; neither says anything about the key itself.
  key_ops: v.optional(v.pipe(v.array(v.literal("verify")), v.maxLength(1, "A public key only verifies."))),
  ext: v.optional(v.boolean()),
});
export type BrowserKey = v.InferOutput<typeof BrowserKey>;

const Counted = v.pipe(v.number(), v.safeInteger("This is a whole number."), v.minValue(0, "This is not negative."));

function text(max: number) {
  return v.pipe(v.string(), v.maxLength(max, `At most ${max} characters are understood.`));
}

/**
 * A proof-of-work challenge in altcha's second form. Only the shape is judged
 * here: whether the parameters are those that the drop asks for, and the
 * signature over them ours, is a gate's business and a refusal of its own.
 */
export const WorkChallenge = v.strictObject({
  parameters: v.strictObject({
    algorithm: text(32),
    nonce: text(64),
    salt: text(64),
    /** Rounds of one key derivation. */
    cost: Counted,
    /** Bytes. */
    keyLength: Counted,
    /** What the key of the right counter begins with, in hex. */
    keyPrefix: text(64),
    /** Seconds since 1970. */
    expiresAt: Counted,
    /** What the challenge is for: a solution for anything else is refused. */
    data: v.strictObject({ drop: text(64), plan: text(64), ticket: text(64), work: Counted }),
  }),
  signature: text(64),
});
export type WorkChallenge = v.InferOutput<typeof WorkChallenge>;

/** A solved challenge: the challenge as it came, the counter that was looked for, and its key in hex. */
export const WorkSolution = v.strictObject({
  challenge: WorkChallenge,
  solution: v.strictObject({ counter: Counted, derivedKey: text(64), time: v.optional(v.number()) }),
});
export type WorkSolution = v.InferOutput<typeof WorkSolution>;

/*
 * What the gates of a drop may ask for. A drop without a gate accepts its
 * member by shape and takes no notice.
 */
const Solution = v.strictObject({ work: v.optional(WorkSolution), turnstile: v.optional(text(2_048)) });
const Evidence = v.strictObject({ presence: v.optional(text(4_096)), invite: v.optional(text(4_096)) });
const GroupMember = v.strictObject({ email: text(254), code: text(64) });
const Identity = v.strictObject({
  email: text(254),
  code: v.optional(text(64)),
  /** Who stands in line with this ticket beside its owner, in a drop that has groups: each proves an address of their own. */
  group: v.optional(v.pipe(v.array(GroupMember), v.minLength(1, "A group has somebody in it."), v.maxLength(50, "At most 50 people are understood."))),
});

export const JoinRequest = v.strictObject({
  jwk: BrowserKey,
  wants: LinesRequest,
  evidence: v.optional(Evidence),
  solution: v.optional(Solution),
  identity: v.optional(Identity),
});
export type JoinRequest = v.InferOutput<typeof JoinRequest>;

export const JoinAnswer = v.strictObject({
  id: TicketId,
  entry: Sha256Hex,
  /** The ticket itself: opaque to everyone but the store. */
  ticket: v.string(),
  lane: v.string(),
  joinedAt: Instant,
  /** How many people stand in line with it, its owner among them; absent for one. */
  people: v.optional(v.pipe(v.number(), v.integer("People are whole."), v.minValue(2, "One person is not a group."))),
});
export type JoinAnswer = v.InferOutput<typeof JoinAnswer>;

const Position = v.nullable(v.pipe(v.number(), v.integer("A position is a whole number."), v.minValue(1, "1 is next.")));

export const TicketStandingAnswer = v.strictObject({
  state: v.picklist(["waiting", "served", "admitted", "done"]),
  lane: v.string(),
  rank: v.nullable(v.string()),
  position: Position,
  eta: v.nullable(v.strictObject({ from: Instant, to: Instant })),
});
export type TicketStandingAnswer = v.InferOutput<typeof TicketStandingAnswer>;

const SealedLeaf = v.strictObject({ entry: Sha256Hex, lane: v.string(), weight: v.pipe(v.number(), v.integer("A weight is a whole number.")) });

/** An RFC 6962 inclusion proof of a ticket in its shard's seal. */
export const ProofAnswer = v.strictObject({
  shard: v.pipe(v.number(), v.integer("A shard is a number.")),
  batch: v.pipe(v.number(), v.integer("A batch is a number.")),
  leaf: SealedLeaf,
  index: v.pipe(v.number(), v.integer("An index is a number.")),
  count: v.pipe(v.number(), v.integer("A count is a number.")),
  root: Sha256Hex,
  path: v.array(Sha256Hex),
});

export const EntriesAnswer = v.strictObject({ entries: v.array(SealedLeaf) });

/** A challenge is for one ticket; a drop that asks for no work does not need to know for which. */
export const ChallengeRequest = v.strictObject({ ticket: v.optional(TicketId) });
export const ChallengeAnswer = v.strictObject({ challenge: v.nullable(WorkChallenge) });
export type ChallengeAnswer = v.InferOutput<typeof ChallengeAnswer>;

export const PassAnswer = v.strictObject({ pass: v.string(), expiresAt: Instant });
export type PassAnswer = v.InferOutput<typeof PassAnswer>;
export const WaitingAnswer = v.strictObject({ state: v.literal("waiting"), position: Position });
export type WaitingAnswer = v.InferOutput<typeof WaitingAnswer>;

/** A body that says nothing: for requests whose credential says everything. */
export const EmptyRequest = v.strictObject({});
