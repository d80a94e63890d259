import { base64url, type JWTPayload, SignJWT } from "jose";
import * as v from "valibot";
import { COMPACT_FORM } from "../kernel/compact-form.ts";
import type { MacKey } from "./secrets.ts";

export const ISSUER = "tranche";
/** No token of ours ends later than this from now; one that does was not made by this code. */
export const EXPIRY_AHEAD_MAX_S = 4 * 365 * 86_400;
/** Two isolates' clocks are not the same clock. */
export const CLOCK_TOLERANCE_S = 5;
/** A ticket with fifty wants is about 4,000 characters. */
export const TOKEN_LENGTH_MAX = 8_192;

const payloadShape = v.looseObject({
  iss: v.literal(ISSUER),
  aud: v.string(),
  sub: v.string(),
  jti: v.string(),
  iat: v.number(),
  exp: v.number(),
  nbf: v.optional(v.number()),
});
export type TokenPayload = v.InferOutput<typeof payloadShape>;

/** Tokens that only we make and only we read: JWTs with HMAC-SHA-256. */
export interface MacTokens {
  sign(payload: JWTPayload, type: string): Promise<string>;
  /** The payload of a token that is genuine, ours, of this type and not over; null otherwise. */
  verify(token: string, type: string, now: number): Promise<TokenPayload | null>;
}

/**
 * The first key signs, all verify. A token of ours has one of a few headers,
 * character by character, so that no header is ever parsed: another algorithm,
 * another type, an unknown `kid` or any member beyond these is another text.
 */
export function macTokens(keys: readonly [MacKey, ...MacKey[]]): MacTokens {
  const imported = new Map<string, CryptoKey>();
  const heads = new Map<string, string>();

  // Not a shared promise: workerd ends a request that waits for another one's.
  async function importedKey(mac: MacKey): Promise<CryptoKey> {
    const known = imported.get(mac.kid);
    if (known !== undefined) return known;
    const key = await crypto.subtle.importKey("raw", Uint8Array.from(mac.key), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    imported.set(mac.kid, key);
    return key;
  }

  /** The first part of every token of this type under this key. Types and keys are ours, so that these are few. */
  function headOf(type: string, kid: string): string {
    const name = `${type} ${kid}`;
    const known = heads.get(name);
    if (known !== undefined) return known;
    const head = base64url.encode(JSON.stringify(headerOf(type, kid)));
    heads.set(name, head);
    return head;
  }

  return {
    async sign(payload, type) {
      const [signing] = keys;
      return new SignJWT({ ...payload, iss: ISSUER }).setProtectedHeader(headerOf(type, signing.kid)).sign(await importedKey(signing));
    },

    async verify(token, type, now) {
      if (token.length > TOKEN_LENGTH_MAX || !COMPACT_FORM.test(token)) return null;
      const [head = "", body = "", signature = ""] = token.split(".");
      const mac = keys.find(({ kid }) => headOf(type, kid) === head);
      const bytes = mac === undefined ? null : bytesOf(signature);
      if (mac === undefined || bytes === null) return null;
      const isGenuine = await crypto.subtle.verify("HMAC", await importedKey(mac), bytes, encoder.encode(`${head}.${body}`));
      return isGenuine ? timelyPayload(body, now) : null;
    },
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The order of the members is part of every token's text. */
function headerOf(type: string, kid: string) {
  return { alg: "HS256", typ: type, kid };
}

function bytesOf(part: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(base64url.decode(part));
  } catch {
    // Letters of the alphabet, but not so many of them as bytes would need.
    return null;
  }
}

/** What a genuine token says, while it holds. Whoever has our key is us; still, a claim that is missing refuses. */
function timelyPayload(body: string, now: number): TokenPayload | null {
  const payload = v.safeParse(payloadShape, JSON.parse(decoder.decode(base64url.decode(body))));
  if (!payload.success) return null;
  const nowS = now / 1_000;
  const { iat, nbf, exp } = payload.output;
  const hasBegun = iat <= nowS + CLOCK_TOLERANCE_S && (nbf ?? iat) <= nowS + CLOCK_TOLERANCE_S;
  return hasBegun && exp > nowS - CLOCK_TOLERANCE_S && exp <= nowS + EXPIRY_AHEAD_MAX_S ? payload.output : null;
}
