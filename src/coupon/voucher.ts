import * as v from "valibot";
import type { CheckedCoupon } from "./campaign.ts";
import { audienceOf, CLOCK_TOLERANCE_MS, COMMON_CLAIMS, COUPON_KID_PREFIX, dropOfClaims, epochSeconds, ISSUER, type PublicKeys, signClaims, signedClaims } from "./signed-claims.ts";

/*
 * Vouchers: a campaign's terms in the hands of one person. What a voucher is
 * worth stands in the plan, not in the voucher; how often it was spent is
 * counted in the Drop object.
 */

const TYPE = "voucher+jwt";

/** A voucher that would outlive this is refused on both sides: a key is not to be trusted for ever. */
export const VOUCHER_LIFETIME_MAX_MS = 400 * 86_400_000;
/** How often one voucher may be spent at most; a campaign's own count bounds it as well. */
export const VOUCHER_USES_MAX = 1_000_000;

export interface VoucherTerms {
  /** The voucher's own number, `cpn_…`: it is burned when it is spent. */
  readonly voucher: string;
  readonly campaign: string;
  readonly drop: string;
  /** Null for a voucher that is good in every region. */
  readonly region: string | null;
  readonly notBefore: number;
  readonly expiresAt: number;
  /** At least 1. */
  readonly uses: number;
}

const slug = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/));

const claimsShape = v.strictObject({
  ...COMMON_CLAIMS,
  jti: v.pipe(v.string(), v.regex(/^cpn_[0-9A-HJKMNP-TV-Z]{26}$/)),
  nbf: epochSeconds,
  campaign: slug,
  region: v.nullable(slug),
  uses: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(VOUCHER_USES_MAX)),
});

const privateKeyShape = v.object({
  kty: v.literal("OKP"),
  crv: v.literal("Ed25519"),
  x: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
  d: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
  kid: v.pipe(v.string(), v.startsWith(COUPON_KID_PREFIX)),
});

/** The private half of the key that signs vouchers. */
export type CouponKey = v.InferOutput<typeof privateKeyShape>;

/** The signing key out of its secret (a private Ed25519 JWK as JSON), or null when it is none. */
export function couponKeyFromJson(text: string | undefined): CouponKey | null {
  if (text === undefined) return null;
  try {
    const parsed = v.safeParse(privateKeyShape, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/** Signs a voucher. `now` becomes its `iat`; whoever calls has checked the campaign and the lifetime. */
export async function mintVoucher(terms: VoucherTerms, key: CouponKey, now: number): Promise<string> {
  const claims = v.parse(claimsShape, {
    iss: ISSUER,
    aud: audienceOf(terms.drop),
    jti: terms.voucher,
    iat: Math.floor(now / 1000),
    // Rounded inwards: a voucher never says more than its campaign.
    nbf: Math.ceil(terms.notBefore / 1000),
    exp: Math.floor(terms.expiresAt / 1000),
    campaign: terms.campaign,
    region: terms.region,
    uses: terms.uses,
  });
  return signClaims(TYPE, claims, key);
}

/**
 * The terms of a voucher that is genuine and valid at `now`, whatever its drop
 * and region: for the landing page of a QR code, which must find out where it
 * leads. Null for everything else, without saying why.
 */
export async function readVoucher(token: string, publicKeys: PublicKeys, now: number): Promise<VoucherTerms | null> {
  const claims = await signedClaims(token, TYPE, claimsShape, publicKeys);
  if (claims === null) return null;
  const terms = {
    voucher: claims.jti,
    campaign: claims.campaign,
    drop: dropOfClaims(claims),
    region: claims.region,
    notBefore: claims.nbf * 1000,
    expiresAt: claims.exp * 1000,
    uses: claims.uses,
  };
  const isTimely = now >= terms.notBefore && now < terms.expiresAt && terms.expiresAt <= now + VOUCHER_LIFETIME_MAX_MS && claims.iat * 1000 <= now + CLOCK_TOLERANCE_MS;
  return isTimely ? terms : null;
}

/**
 * Checks a voucher for one drop and region without any storage. Unknown,
 * foreign, forged, never issued and expired are all the same null, so that a
 * script that tries codes learns nothing.
 */
export async function verifyVoucher(
  token: string,
  publicKeys: PublicKeys,
  at: { readonly drop: string; readonly region: string; readonly now: number },
): Promise<CheckedCoupon | null> {
  const terms = await readVoucher(token, publicKeys, at.now);
  if (terms === null || terms.drop !== at.drop) return null;
  if (terms.region !== null && terms.region !== at.region) return null;
  return { campaign: terms.campaign, voucher: terms.voucher, voucherUses: terms.uses, region: at.region };
}
