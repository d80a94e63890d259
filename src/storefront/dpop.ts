import { base64url } from "jose";
import * as v from "valibot";
import { BrowserKey } from "../../schema/wire/ticket.ts";
import { COMPACT_FORM } from "../kernel/compact-form.ts";
import { bytesFromHex, type Hashing } from "../kernel/hashing.ts";
import { sha256Base64url } from "../kernel/node-hashing.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { type BrowserPoint, isSignedBy, thumbprintOf } from "./browser-key.ts";
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
export function checkProof(request: ProvenRequest, keyThumbprint: string, nonces: readonly string[]): Result<null, CredentialRejection> {
  const invalid = rejected({ code: "credential_invalid" } as const);
  const proof = readProof(request.proof);
  if (proof === null || thumbprintOf(proof.key) !== keyThumbprint) return invalid;
  const { htm, htu, ath, nonce } = proof.claims;
  if (htm !== request.method || !isSameAddress(htu, request.url)) return invalid;
  if (ath !== sha256Base64url(request.token)) return invalid;
  if (nonce === undefined || !nonces.includes(nonce)) return rejected({ code: "use_dpop_nonce" });
  return isSignedBy(proof.key, proof.signed, proof.signature) ? accepted(null) : invalid;
}

interface ReadProof {
  readonly key: BrowserPoint;
  readonly claims: v.InferOutput<typeof claimsShape>;
  /** What the signature is over: the very characters that were read above, not a second encoding of them. */
  readonly signed: string;
  readonly signature: Uint8Array;
}

function readProof(text: string): ReadProof | null {
  if (text.length > PROOF_LENGTH_MAX || !COMPACT_FORM.test(text)) return null;
  const [head = "", body = "", signature = ""] = text.split(".");
  try {
    const header = v.safeParse(headerShape, jsonOf(head));
    const claims = v.safeParse(claimsShape, jsonOf(body));
    if (!header.success || !claims.success) return null;
    return { key: header.output.jwk, claims: claims.output, signed: `${head}.${body}`, signature: base64url.decode(signature) };
  } catch {
    return null;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function jsonOf(part: string): unknown {
  return JSON.parse(utf8.decode(base64url.decode(part)));
}

/** RFC 9449 compares without query and fragment, and after the URL standard's normalisation. */
function isSameAddress(claimed: string, actual: string): boolean {
  // What a browser sends; taking two addresses apart costs as much as the hash of the token.
  if (claimed === actual) return true;
  if (!URL.canParse(claimed) || !URL.canParse(actual)) return false;
  const [left, right] = [new URL(claimed), new URL(actual)];
  return left.origin === right.origin && left.pathname === right.pathname && left.username === "" && left.password === "";
}
