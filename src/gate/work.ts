import type { WorkChallenge, WorkSolution } from "../../schema/wire/ticket.ts";
import type { Spend } from "../lobby/port.ts";

/*
 * Proof of work puts a price on each try to join; it never buys a better place.
 * The work is done by the browser's own cryptography and hardly by its script,
 * so that a phone whose browser compiles no script is not much slower than one
 * whose does, and a bot farm gains little by writing it in another language.
 */

/**
 * Rounds of one key derivation: so many that the way into the browser's
 * cryptography and back, a few hundredths of a millisecond, hardly counts.
 */
const ROUNDS = 1_000;

/** What a challenge of ours always is; whatever else comes back was made easier by somebody. */
export const WORK_PARAMETERS = { algorithm: "PBKDF2/SHA-256", cost: ROUNDS, keyLength: 32 } as const;
/** Half of the key: no other counter begins like this by chance. */
const KEY_PREFIX_DIGITS = 32;

/** Hash rounds that a solution takes on average; fewer are no price. */
export const WORK_COST_MIN = 1_000;
/**
 * A solution takes twice the average at most, here a million rounds: two to
 * three and a half seconds in a browser without a compiler that has a sixth of
 * one core for everything (Chromium, November 2026). Five are bearable.
 */
export const WORK_COST_MAX = 500_000;

/** From a look at the page to the join; the page asks for another one in time. */
const CHALLENGE_LIFETIME_MS = 15 * 60_000;
/** Two isolates' clocks are not the same clock. */
const CLOCK_TOLERANCE_MS = 5_000;

/** What a solution is for. */
export interface WorkTerms {
  readonly drop: string;
  readonly planHash: string;
  readonly ticket: string;
  /** From the plan's gates. */
  readonly cost: number;
}

export interface WorkGate {
  challenge(terms: WorkTerms, now: number): Promise<WorkChallenge>;
  /** What the join uses up where the solution is right, or null. A fault where there are no keys. */
  check(solution: WorkSolution, terms: WorkTerms, now: number): Promise<Spend | null>;
}

/** The counter that is looked for is below this. Drawn evenly, it takes half as many tries on average, and never more than all. */
export function counterLimit(cost: number): number {
  return Math.max(1, Math.round((2 * cost) / ROUNDS));
}

export function expiryOf(now: number): number {
  return now + CHALLENGE_LIFETIME_MS;
}

/** The challenge's own words about what it is for. They are signed in their canonical form, so that no member can be read as part of another. */
export function purposeOf({ drop, planHash, ticket, cost }: WorkTerms): WorkChallenge["parameters"]["data"] {
  return { drop, plan: planHash, ticket, work: cost };
}

/**
 * Whether a solution claims to be for exactly this join, in time and as hard as
 * the plan says. Its signature and its work are looked at only then: what is
 * for something else costs us nothing.
 */
export function isFor({ challenge: { parameters }, solution }: WorkSolution, terms: WorkTerms, now: number): boolean {
  const { drop, plan, ticket, work } = parameters.data;
  const isThisJoin = drop === terms.drop && plan === terms.planHash && ticket === terms.ticket && work === terms.cost;
  const isOurs = parameters.algorithm === WORK_PARAMETERS.algorithm && parameters.cost === WORK_PARAMETERS.cost && parameters.keyLength === WORK_PARAMETERS.keyLength && parameters.keyPrefix.length === KEY_PREFIX_DIGITS;
  const expiresAt = parameters.expiresAt * 1_000;
  return isThisJoin && isOurs && now <= expiresAt && expiresAt <= expiryOf(now) + CLOCK_TOLERANCE_MS && solution.counter < counterLimit(terms.cost);
}

/** A solved challenge is used up by one join; after its end it is refused for its age. */
export function spendOf({ challenge }: WorkSolution): Spend {
  return { key: `work/${challenge.signature}`, expiresAt: challenge.parameters.expiresAt * 1_000 };
}
