import { compactVerify, decodeProtectedHeader, importJWK, SignJWT } from "jose";
import * as v from "valibot";
import { COMPACT_FORM } from "../kernel/compact-form.ts";
import type { CheckedCoupon } from "./campaign.ts";

/*
 * Vouchers: a campaign's terms in the hands of one person, as a compact JWS
 * (EdDSA) that anyone can check with /.well-known/jwks.json. What a voucher is
 * worth stands in the plan, not in the voucher; how often it was spent is
 * counted in the Drop object.
 */

const ISSUER = "tranche";
const TYPE = "voucher+jwt";
const ALGORITHM = "EdDSA";
export const COUPON_KID_PREFIX = "coupon-";

/** A voucher that would outlive this is refused on both sides: a key is not to be trusted for ever. */
export const VOUCHER_LIFETIME_MAX_MS = 400 * 86_400_000;
/** How often one voucher may be spent at most; a campaign's own count bounds it as well. */
export const VOUCHER_USES_MAX = 1_000_000;
/** The clocks of the desk and of the edge are not the same clock. */
const CLOCK_TOLERANCE_MS = 60_000;
/** A voucher is about 450 characters; whatever is longer is not looked at. */
const TOKEN_LENGTH_MAX = 2_048;

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
const epochSeconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Nothing else may be in the header: `jku`, `x5u`, `jwk` and `crit` are how strangers bring their own key. */
const headerShape = v.strictObject({ alg: v.literal(ALGORITHM), typ: v.literal(TYPE), kid: v.pipe(v.string(), v.startsWith(COUPON_KID_PREFIX)) });

const claimsShape = v.strictObject({
  iss: v.literal(ISSUER),
  aud: v.pipe(v.string(), v.regex(/^drop:[a-z0-9][a-z0-9-]{0,63}$/)),
  jti: v.pipe(v.string(), v.regex(/^cpn_[0-9A-HJKMNP-TV-Z]{26}$/)),
  iat: epochSeconds,
  nbf: epochSeconds,
  exp: epochSeconds,
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
const publicKeyShape = v.pick(privateKeyShape, ["kty", "crv", "x", "kid"]);

/** The private half of the key that signs vouchers. */
export type CouponKey = v.InferOutput<typeof privateKeyShape>;
/** A JWKS as it is served; keys of other kinds in it are passed over. */
export interface PublicKeys {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

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
    aud: `drop:${terms.drop}`,
    jti: terms.voucher,
    iat: Math.floor(now / 1000),
    // Rounded inwards: a voucher never says more than its campaign.
    nbf: Math.ceil(terms.notBefore / 1000),
    exp: Math.floor(terms.expiresAt / 1000),
    campaign: terms.campaign,
    region: terms.region,
    uses: terms.uses,
  });
  return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: TYPE, kid: key.kid }).sign(await importJWK({ ...key }, ALGORITHM));
}

/**
 * The terms of a voucher that is genuine and valid at `now`, whatever its drop
 * and region: for the landing page of a QR code, which must find out where it
 * leads. Null for everything else, without saying why.
 */
export async function readVoucher(token: string, publicKeys: PublicKeys, now: number): Promise<VoucherTerms | null> {
  if (token.length > TOKEN_LENGTH_MAX || !COMPACT_FORM.test(token)) return null;
  const claims = await verifiedClaims(token, publicKeys);
  if (claims === null) return null;
  const terms = {
    voucher: claims.jti,
    campaign: claims.campaign,
    drop: claims.aud.slice("drop:".length),
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

async function verifiedClaims(token: string, publicKeys: PublicKeys): Promise<v.InferOutput<typeof claimsShape> | null> {
  try {
    const header = v.safeParse(headerShape, decodeProtectedHeader(token));
    if (!header.success) return null;
    const key = publicKeys.keys.map((candidate) => v.safeParse(publicKeyShape, candidate)).find((candidate) => candidate.success && candidate.output.kid === header.output.kid);
    if (key?.success !== true) return null;
    const { payload } = await compactVerify(token, await importJWK({ ...key.output }, ALGORITHM), { algorithms: [ALGORITHM] });
    const claims = v.safeParse(claimsShape, JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)));
    return claims.success ? claims.output : null;
  } catch {
    // jose throws for every way in which a token can be wrong; the answer is one.
    return null;
  }
}
