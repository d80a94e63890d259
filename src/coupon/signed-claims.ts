import { compactVerify, decodeProtectedHeader, importJWK, type JWK, type JWTPayload, SignJWT } from "jose";
import * as v from "valibot";
import { COMPACT_FORM } from "../kernel/compact-form.ts";

/*
 * What the desk hands out under its one signing key: compact JWS (EdDSA) that
 * anyone can check with /.well-known/jwks.json. Each kind has a type of its own,
 * so that none passes for another.
 */

export const ISSUER = "tranche";
const ALGORITHM = "EdDSA";
export const COUPON_KID_PREFIX = "coupon-";
/** The clocks of the desk and of the edge are not the same clock. */
export const CLOCK_TOLERANCE_MS = 60_000;
/** Each of them is about 450 characters; whatever is longer is not looked at. */
const TOKEN_LENGTH_MAX = 2_048;

/** A JWKS as it is served; keys of other kinds in it are passed over. */
export interface PublicKeys {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

export const epochSeconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** The claims that every kind has, for the strict shape of one. */
export const COMMON_CLAIMS = {
  iss: v.literal(ISSUER),
  aud: v.pipe(v.string(), v.regex(/^drop:[a-z0-9][a-z0-9-]{0,63}$/)),
  iat: epochSeconds,
  exp: epochSeconds,
};

const publicKeyShape = v.object({
  kty: v.literal("OKP"),
  crv: v.literal("Ed25519"),
  x: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
  kid: v.pipe(v.string(), v.startsWith(COUPON_KID_PREFIX)),
});

/** Signs claims as they are: whoever calls has checked them. */
export async function signClaims(type: string, claims: JWTPayload, key: JWK & { readonly kid: string }): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ: type, kid: key.kid }).sign(await importJWK({ ...key }, ALGORITHM));
}

/** The claims of a genuine token of this type; null for everything else, without saying why. When it holds is not judged here. */
export async function signedClaims<Shape extends v.GenericSchema>(token: string, type: string, shape: Shape, publicKeys: PublicKeys): Promise<v.InferOutput<Shape> | null> {
  if (token.length > TOKEN_LENGTH_MAX || !COMPACT_FORM.test(token)) return null;
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

export function audienceOf(drop: string): string {
  return `drop:${drop}`;
}

/** The drop of verified claims. */
export function dropOfClaims({ aud }: { readonly aud: string }): string {
  return aud.slice("drop:".length);
}
