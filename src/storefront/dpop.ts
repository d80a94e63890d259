import { base64url, calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from "jose";
import * as v from "valibot";
import { BrowserKey } from "../../schema/wire/ticket.ts";
import { bytesFromHex, type Hashing } from "../kernel/hashing.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import type { CredentialRejection, ProvenRequest } from "./credentials.ts";

/** How long a nonce is the current one; it is accepted for as long again after that. */
export const NONCE_PERIOD_MS = 300_000;
/** A proof is about 600 characters; whatever is much longer is not looked at. */
const PROOF_LENGTH_MAX = 4_096;

// Nothing else may be in the header: `jku`, `x5u`, `kid` and `crit` are how strangers bring another key or other rules.
const headerShape = v.strictObject({ typ: v.literal("dpop+jwt"), alg: v.literal("ES256"), jwk: BrowserKey });

const claimsShape = v.object({
  jti: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  htm: v.string(),
  htu: v.string(),
  ath: v.string(),
  nonce: v.optional(v.string()),
});

/**
 * The RFC 7638 thumbprint of a browser's public key, or null when its point is
 * not on the curve. Only the four members that RFC 7638 names count, so that
 * the same key in another spelling is the same key.
 */
export async function browserKeyThumbprint(key: BrowserKey): Promise<string | null> {
  const point = { kty: key.kty, crv: key.crv, x: key.x, y: key.y };
  try {
    await importJWK(point, "ES256");
    return await calculateJwkThumbprint(point, "sha256");
  } catch {
    return null;
  }
}

/** The nonce of a moment: a MAC of its five minutes, so that no isolate has to remember one. */
export function dpopNonceAt(now: number, key: Uint8Array, hashing: Hashing): string {
  const mac = hashing.hmacSha256(key, `tranche/dpop-nonce\n${Math.floor(now / NONCE_PERIOD_MS)}`);
  return base64url.encode(bytesFromHex(mac)).slice(0, 22);
}

/**
 * Checks a DPoP proof (RFC 9449, section 4.3) for a token that is bound to
 * `keyThumbprint`. `nonces` are those accepted now.
 *
 * `iat` is not judged: phones' clocks are wrong, and the nonce dates the proof
 * by our own clock. The nonce is looked at last before the signature, so that
 * only who holds the right token for the right request is told a fresh one.
 */
export async function checkProof(
  request: ProvenRequest,
  keyThumbprint: string,
  nonces: readonly string[],
  hashing: Hashing,
): Promise<Result<null, CredentialRejection>> {
  const invalid = rejected({ code: "credential_invalid" } as const);
  const parts = readProof(request.proof);
  if (parts === null) return invalid;
  const { key, claims } = parts;
  if ((await calculateJwkThumbprint(key, "sha256")) !== keyThumbprint) return invalid;
  if (claims.htm !== request.method || !isSameAddress(claims.htu, request.url)) return invalid;
  if (claims.ath !== base64url.encode(bytesFromHex(hashing.sha256(request.token)))) return invalid;
  if (claims.nonce === undefined || !nonces.includes(claims.nonce)) return rejected({ code: "use_dpop_nonce" });
  try {
    await compactVerify(request.proof, await importJWK(key, "ES256"), { algorithms: ["ES256"] });
    return accepted(null);
  } catch {
    return invalid;
  }
}

function readProof(proof: string) {
  if (proof.length > PROOF_LENGTH_MAX) return null;
  try {
    const header = v.safeParse(headerShape, decodeProtectedHeader(proof));
    const payload = new TextDecoder("utf-8", { fatal: true }).decode(base64url.decode(proof.split(".")[1] ?? ""));
    const claims = v.safeParse(claimsShape, JSON.parse(payload));
    if (!header.success || !claims.success) return null;
    const { kty, crv, x, y } = header.output.jwk;
    return { key: { kty, crv, x, y }, claims: claims.output };
  } catch {
    return null;
  }
}

/** RFC 9449 compares without query and fragment, and after the URL standard's normalisation. */
function isSameAddress(claimed: string, actual: string): boolean {
  if (!URL.canParse(claimed) || !URL.canParse(actual)) return false;
  const [left, right] = [new URL(claimed), new URL(actual)];
  return left.origin === right.origin && left.pathname === right.pathname && left.username === "" && left.password === "";
}
