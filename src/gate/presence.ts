import * as v from "valibot";
import { COMMON_CLAIMS, dropOfClaims, type PublicKeys } from "../coupon/signed-claims.ts";
import type { CouponKey } from "../coupon/voucher.ts";
import { type EvidenceKind, readEvidence, signEvidence } from "./evidence-token.ts";

/*
 * The code that a pop-up shows: another one every half minute, so that a
 * photograph of it is soon worth nothing, and good for so and so many tickets,
 * so that it is not worth much before.
 */

/** How long one code is shown. */
export const PRESENCE_STEP_MS = 30_000;
/** How long it is taken, from the moment in which it was first shown: time to open the page. */
export const PRESENCE_LIFETIME_MS = 90_000;
/** For how many tickets one code is good where nobody says otherwise. */
export const PRESENCE_TICKETS = 30;
export const PRESENCE_TICKETS_MAX = 500;

/** Somebody was where the code was shown. */
export interface Presence {
  readonly drop: string;
  readonly region: string;
  /** The moment in which this code was first shown, epoch milliseconds. */
  readonly shownAt: number;
  /** By how many tickets it may be used. */
  readonly tickets: number;
}

const slug = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/));
const claimsShape = v.strictObject({
  ...COMMON_CLAIMS,
  region: slug,
  tickets: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(PRESENCE_TICKETS_MAX)),
});

const KIND: EvidenceKind<typeof claimsShape> = { type: "presence+jwt", lifetimeMaxMs: 2 * PRESENCE_LIFETIME_MS, shape: claimsShape };

/** The beginning of the half minute in which `now` is: every screen of a pop-up shows the same code. */
export function presenceShownAt(now: number): number {
  return Math.floor(now / PRESENCE_STEP_MS) * PRESENCE_STEP_MS;
}

export function mintPresence({ drop, region, shownAt, tickets }: Presence, key: CouponKey): Promise<string> {
  return signEvidence(KIND.type, drop, { region, tickets }, { now: shownAt, expiresAt: shownAt + PRESENCE_LIFETIME_MS }, key);
}

/** What a code says that is genuine and valid at `now`, whatever its drop; null for everything else. */
export async function readPresence(token: string, publicKeys: PublicKeys, now: number): Promise<Presence | null> {
  const claims = await readEvidence(token, KIND, publicKeys, now);
  return claims === null ? null : { drop: dropOfClaims(claims), region: claims.region, shownAt: claims.iat * 1_000, tickets: claims.tickets };
}

/** The name under which a code is used up: one for all who show the same code, whoever signed it. */
export function presenceKey({ region, shownAt }: Pick<Presence, "region" | "shownAt">): string {
  return `presence/${region}/${shownAt}`;
}
