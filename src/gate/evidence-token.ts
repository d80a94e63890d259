import type * as v from "valibot";
import { audienceOf, CLOCK_TOLERANCE_MS, ISSUER, type PublicKeys, signClaims, signedClaims } from "../coupon/signed-claims.ts";
import type { CouponKey } from "../coupon/voucher.ts";

/*
 * Evidence for a lane: made by the desk with the key of the vouchers, for one
 * drop and until an instant.
 */

/** One kind of evidence: its `typ`, and how long from now it may end at most. */
export interface EvidenceKind<Shape extends v.GenericSchema<unknown, EvidenceTimes>> {
  readonly type: string;
  readonly lifetimeMaxMs: number;
  readonly shape: Shape;
}

interface EvidenceTimes {
  readonly iat: number;
  readonly exp: number;
}

export function signEvidence(type: string, drop: string, claims: Readonly<Record<string, unknown>>, times: { readonly now: number; readonly expiresAt: number }, key: CouponKey): Promise<string> {
  const all = { ...claims, iss: ISSUER, aud: audienceOf(drop), iat: Math.floor(times.now / 1_000), exp: Math.floor(times.expiresAt / 1_000) };
  return signClaims(type, all, key);
}

/** The claims of evidence that is genuine and valid at `now`, for whatever drop; null for everything else, without saying why. */
export async function readEvidence<Shape extends v.GenericSchema<unknown, EvidenceTimes>>(
  token: string, kind: EvidenceKind<Shape>, publicKeys: PublicKeys, now: number,
): Promise<v.InferOutput<Shape> | null> {
  const claims = await signedClaims(token, kind.type, kind.shape, publicKeys);
  if (claims === null) return null;
  const isTimely = now < claims.exp * 1_000 && claims.exp * 1_000 <= now + kind.lifetimeMaxMs && claims.iat * 1_000 <= now + CLOCK_TOLERANCE_MS;
  return isTimely ? claims : null;
}
