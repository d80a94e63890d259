import { compactVerify, decodeProtectedHeader, importJWK, SignJWT } from "jose";
import * as v from "valibot";
import { COUPON_KID_PREFIX, type CouponKey, type PublicKeys } from "../coupon/voucher.ts";
import { COMPACT_FORM } from "../kernel/compact-form.ts";

/*
 * Evidence for a lane: compact JWS (EdDSA) made by the desk with the key of the
 * vouchers and checked by anyone with /.well-known/jwks.json. Each kind has a
 * type and an audience of its own, so that none passes for another.
 */

const ISSUER = "tranche";
const ALGORITHM = "EdDSA";
/** The clocks of the desk and of the edge are not the same clock. */
const CLOCK_TOLERANCE_MS = 60_000;
/** Evidence is about 400 characters; whatever is longer is not looked at. */
const TOKEN_LENGTH_MAX = 2_048;

const epochSeconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** The claims that every kind has, for the strict shape of one. */
export const EVIDENCE_CLAIMS = {
  iss: v.literal(ISSUER),
  aud: v.pipe(v.string(), v.regex(/^drop:[a-z0-9][a-z0-9-]{0,63}$/)),
  iat: epochSeconds,
  exp: epochSeconds,
};

/** One kind of evidence: its `typ`, and how long from now it may end at most. */
export interface EvidenceKind<Shape extends v.GenericSchema<unknown, EvidenceTimes>> {
  readonly type: string;
  readonly lifetimeMaxMs: number;
  readonly shape: Shape;
}

interface EvidenceTimes {
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
}

const publicKeyShape = v.object({
  kty: v.literal("OKP"),
  crv: v.literal("Ed25519"),
  x: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
  kid: v.pipe(v.string(), v.startsWith(COUPON_KID_PREFIX)),
});

export async function signEvidence(type: string, drop: string, claims: Readonly<Record<string, unknown>>, times: { readonly now: number; readonly expiresAt: number }, key: CouponKey): Promise<string> {
  const all = { ...claims, iss: ISSUER, aud: `drop:${drop}`, iat: Math.floor(times.now / 1_000), exp: Math.floor(times.expiresAt / 1_000) };
  return new SignJWT(all).setProtectedHeader({ alg: ALGORITHM, typ: type, kid: key.kid }).sign(await importJWK({ ...key }, ALGORITHM));
}

/** The claims of evidence that is genuine and valid at `now`, for whatever drop; null for everything else, without saying why. */
export async function readEvidence<Shape extends v.GenericSchema<unknown, EvidenceTimes>>(
  token: string, kind: EvidenceKind<Shape>, publicKeys: PublicKeys, now: number,
): Promise<v.InferOutput<Shape> | null> {
  if (token.length > TOKEN_LENGTH_MAX || !COMPACT_FORM.test(token)) return null;
  const claims = await verifiedClaims(token, kind, publicKeys);
  if (claims === null) return null;
  const isTimely = now < claims.exp * 1_000 && claims.exp * 1_000 <= now + kind.lifetimeMaxMs && claims.iat * 1_000 <= now + CLOCK_TOLERANCE_MS;
  return isTimely ? claims : null;
}

async function verifiedClaims<Shape extends v.GenericSchema<unknown, EvidenceTimes>>(token: string, { type, shape }: EvidenceKind<Shape>, publicKeys: PublicKeys): Promise<v.InferOutput<Shape> | null> {
  try {
    // Nothing else may be in the header: `jku`, `x5u`, `jwk` and `crit` are how strangers bring their own key.
    const header = v.safeParse(v.strictObject({ alg: v.literal(ALGORITHM), typ: v.literal(type), kid: v.string() }), decodeProtectedHeader(token));
    if (!header.success) return null;
    const key = publicKeys.keys.map((candidate) => v.safeParse(publicKeyShape, candidate)).find((candidate) => candidate.success && candidate.output.kid === header.output.kid);
    if (key?.success !== true) return null;
    const { payload } = await compactVerify(token, await importJWK({ ...key.output }, ALGORITHM), { algorithms: [ALGORITHM] });
    const claims = v.safeParse(shape, JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)));
    return claims.success ? claims.output : null;
  } catch {
    // jose throws for every way in which a token can be wrong; the answer is one.
    return null;
  }
}

/** The drop of verified claims. */
export function dropOfEvidence({ aud }: Pick<EvidenceTimes, "aud">): string {
  return aud.slice("drop:".length);
}
