import { CompactSign, decodeProtectedHeader, importJWK, jwtVerify, SignJWT, type JWTPayload } from "jose";
import * as v from "valibot";
import { verifyVoucher } from "../coupon/voucher.ts";
import { UNNAMED_NETWORK } from "../drop/network-budgets.ts";
import { destinationText } from "../checkout/destination.ts";
import { personAddress } from "../gate/email-address.ts";
import { presenceKey } from "../gate/presence.ts";
import { canonicalJson } from "../kernel/canonical.ts";
import { COMPACT_FORM } from "../kernel/compact-form.ts";
import { bytesFromHex, type Hashing } from "../kernel/hashing.ts";
import { accepted, Fault, rejected, type Result } from "../kernel/result.ts";
import { cookieCredentials } from "./cookie-credentials.ts";
import type { CredentialRejection, Credentials, PassClaims, ProvenRequest, ReceiptClaims, TicketClaims } from "./credentials.ts";
import { checkProof, dpopNonceAt, NONCE_PERIOD_MS } from "./dpop.ts";
import { CLOCK_TOLERANCE_S, EXPIRY_AHEAD_MAX_S, ISSUER, type MacTokens, macTokens, TOKEN_LENGTH_MAX, type TokenPayload } from "./mac-tokens.ts";
import type { EdPrivateKey, EdPublicKey, MacKey, StorefrontSecrets } from "./secrets.ts";

/** A receipt outlives every dispute about its order. */
const RECEIPT_LIFETIME_S = 3 * 365 * 86_400;

const TICKET = { type: "tranche-ticket+jwt", audience: (drop: string) => `${drop}/ticket` };
const PASS = { type: "tranche-pass+jwt", audience: (drop: string) => `${drop}/pass` };
const SCAN = { type: "tranche-scan+jwt", audience: (drop: string) => `${drop}/scan` };
const RECEIPT = { type: "tranche-receipt+jwt", audience: "receipt" };

const name = v.pipe(v.string(), v.minLength(1));
const ticketShape = v.object({
  sub: name,
  drop: name,
  entry: name,
  lane: name,
  weight: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  joined: v.pipe(v.number(), v.safeInteger()),
  wants: v.array(v.object({ sku: name, quantity: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) })),
  jkt: name,
  person: v.optional(name),
  people: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(2))),
  plan: name,
  commitment: name,
});
const scanShape = v.object({ drop: name, region: name, shown: v.pipe(v.number(), v.safeInteger()), tickets: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) });
const passShape = v.object({ sub: name, drop: name, entry: name, jkt: name });

/**
 * The credentials on jose. The algorithm of a token is ours and never the
 * token's; whatever a header says beyond `alg`, `typ` and a known `kid` makes
 * the token invalid. A door whose secret is missing answers with a fault.
 */
export function joseCredentials(secrets: StorefrontSecrets, hashing: Hashing): Credentials {
  const macs = secrets.ticketKeys === null ? null : macTokens(secrets.ticketKeys);
  const derived = secrets.ticketKeys === null ? null : derivedKeys(secrets.ticketKeys, hashing);
  const published = publishedKeys(secrets);
  // Every reading of a live state carries it, and it changes once in a period.
  let latest: { readonly period: number; readonly nonces: readonly [current: string, before: string] } = { period: -1, nonces: ["", ""] };
  const dpopNonces = (now: number) => {
    const period = Math.floor(now / NONCE_PERIOD_MS);
    if (latest.period === period) return latest.nonces;
    const nonceAt = (at: number) => dpopNonceAt(at, needed(derived, "TICKET_KEYS").nonce, hashing);
    latest = { period, nonces: [nonceAt(now), nonceAt(now - NONCE_PERIOD_MS)] };
    return latest.nonces;
  };
  return {
    ...boundTokens(() => needed(macs, "TICKET_KEYS"), dpopNonces),
    ...scanTokens(() => needed(macs, "TICKET_KEYS")),
    ...receiptTokens(secrets),
    dpopNonce: (now) => dpopNonces(now)[0],
    checkVoucher: (token, drop, region, now) => verifyVoucher(token, published, { drop, region, now }),
    shardOf(drop, ticket, shards) {
      const mac = hashing.hmacSha256(needed(derived, "TICKET_KEYS").shard, `${drop}\n${ticket}`);
      // 48 bits: exact in a number, and even over any number of shards that there could be.
      return Number.parseInt(mac.slice(0, 12), 16) % shards;
    },
    personOf: (email) => hashing.hmacSha256(needed(derived, "TICKET_KEYS").person, personAddress(email)),
    destinationOf: (address) => hashing.hmacSha256(needed(derived, "TICKET_KEYS").destination, destinationText(address)),
    codeMac: (drop, person, code, use = "own") => hashing.hmacSha256(needed(derived, "TICKET_KEYS").code, `${drop}\n${person}\n${code}${use === "own" ? "" : `\n${use}`}`),
    networkOf: (network) => network === UNNAMED_NETWORK ? network : hashing.hmacSha256(needed(derived, "TICKET_KEYS").network, network),
    cookies: cookieCredentials(() => needed(macs, "TICKET_KEYS")),
    publicKeys: published,
  };
}

function needed<Value>(value: Value | null, secret: string): Value {
  if (value === null) throw new Fault(`the secret ${secret} is missing or malformed`, { retryable: false });
  return value;
}

/** Tickets and passes: MACs, each bound to a browser's key. */
function boundTokens(macs: () => MacTokens, dpopNonces: (now: number) => readonly string[]): Pick<Credentials, "mintTicket" | "mintPass" | "provenTicket" | "provenPass"> {
  const proven = (request: ProvenRequest, keyThumbprint: string, now: number) => checkProof(request, keyThumbprint, dpopNonces(now));
  return {
    async mintTicket(claims, expiresAt) {
      const { ticket, drop, entry, lane, weight, joinedAt, keyThumbprint, person, people, planHash, commitment } = claims;
      const wants = claims.wants.map(({ sku, quantity }) => ({ sku, quantity }));
      const facts = { drop, entry, lane, weight, joined: joinedAt, wants, jkt: keyThumbprint, plan: planHash, commitment, ...(person === null ? {} : { person }), ...(people === undefined ? {} : { people }) };
      return macs().sign({ ...facts, sub: ticket, jti: ticket, aud: TICKET.audience(drop), iat: seconds(joinedAt), exp: seconds(expiresAt) }, TICKET.type);
    },

    async mintPass(claims, admittedAt, expiresAt) {
      const { drop, sitting, entry, keyThumbprint } = claims;
      const facts = { drop, entry, jkt: keyThumbprint };
      return macs().sign({ ...facts, sub: sitting, jti: sitting, aud: PASS.audience(drop), iat: seconds(admittedAt), exp: seconds(expiresAt) }, PASS.type);
    },

    async provenTicket(request, drop, now) {
      const payload = await macs().verify(request.token, TICKET.type, now);
      const claims = payload === null ? null : ticketClaims(payload);
      if (claims === null || payload?.aud !== TICKET.audience(drop) || claims.drop !== drop) return invalid;
      const proof = proven(request, claims.keyThumbprint, now);
      return proof.ok ? accepted(claims) : proof;
    },

    async provenPass(request, drop, now) {
      const payload = await macs().verify(request.token, PASS.type, now);
      const claims = payload === null ? null : passClaims(payload);
      if (claims === null || payload?.aud !== PASS.audience(claims.drop) || (drop !== null && claims.drop !== drop)) return invalid;
      const proof = proven(request, claims.keyThumbprint, now);
      return proof.ok ? accepted(claims) : proof;
    },
  };
}

/** Scanned codes: MACs, bound to nobody, and worth as much as the code that they came from. */
function scanTokens(macs: () => MacTokens): Pick<Credentials, "mintScan" | "readScan"> {
  return {
    async mintScan({ drop, region, shownAt, tickets }, now, expiresAt) {
      const name = presenceKey({ region, shownAt });
      return macs().sign({ drop, region, shown: shownAt, tickets, sub: name, jti: name, aud: SCAN.audience(drop), iat: seconds(now), exp: seconds(expiresAt) }, SCAN.type);
    },
    async readScan(token, now) {
      const payload = await macs().verify(token, SCAN.type, now);
      const claims = v.safeParse(scanShape, payload);
      if (!claims.success || payload?.aud !== SCAN.audience(claims.output.drop)) return null;
      const { drop, region, shown, tickets } = claims.output;
      return { drop, region, shownAt: shown, tickets };
    },
  };
}

/** Receipts: signatures, so that a stranger can check the document without us. */
function receiptTokens(secrets: StorefrontSecrets): Pick<Credentials, "mintReceipt" | "receiptOrder" | "signReceipt"> {
  return {
    async mintReceipt({ id, drop }, placedAt) {
      const key = needed(secrets.receiptKey, "RECEIPT_KEY");
      const iat = seconds(placedAt);
      return new SignJWT({ iss: ISSUER, sub: id, jti: id, drop, aud: RECEIPT.audience, iat, exp: iat + RECEIPT_LIFETIME_S })
        .setProtectedHeader({ alg: "EdDSA", typ: RECEIPT.type, kid: key.kid })
        .sign(await importJWK({ ...key }, "EdDSA"));
    },

    receiptOrder: (token, now) => verifiedReceipt(token, receiptVerifiers(secrets), now),

    async signReceipt(document) {
      const key = needed(secrets.receiptKey, "RECEIPT_KEY");
      return new CompactSign(new TextEncoder().encode(canonicalJson(document)))
        .setProtectedHeader({ alg: "EdDSA", typ: "tranche-receipt-document+json", kid: key.kid })
        .sign(await importJWK({ ...key }, "EdDSA"));
    },
  };
}

const invalid: Result<never, CredentialRejection> = rejected({ code: "credential_invalid" });

function seconds(at: number): number {
  return Math.floor(at / 1000);
}

/** Keys for other uses, each made from a ticket key, so that no MAC can be taken for one of another kind. */
function derivedKeys(ticketKeys: readonly [MacKey, ...MacKey[]], hashing: Hashing) {
  const derive = (from: MacKey, use: string) => bytesFromHex(hashing.hmacSha256(from.key, `tranche/${use}`));
  // A new key is put first and must not move people, addresses or tickets in the middle of a drop: these come from the oldest.
  const oldest = ticketKeys.at(-1) ?? ticketKeys[0];
  return { nonce: derive(ticketKeys[0], "nonce"), shard: derive(oldest, "shard"), person: derive(oldest, "person"), destination: derive(oldest, "destination"), network: derive(oldest, "network"), code: derive(oldest, "code") };
}

const headerShape = v.strictObject({ alg: v.string(), typ: v.string(), kid: v.string() });

/** The key's name in the header of a token of this algorithm and type; null for any other header. */
function knownKid(token: string, algorithm: string, type: string): string | null {
  if (token.length > TOKEN_LENGTH_MAX || !COMPACT_FORM.test(token)) return null;
  try {
    const header = v.safeParse(headerShape, decodeProtectedHeader(token));
    return header.success && header.output.alg === algorithm && header.output.typ === type ? header.output.kid : null;
  } catch {
    return null;
  }
}

async function verifiedPayload(token: string, key: CryptoKey, algorithm: string, now: number): Promise<JWTPayload | null> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [algorithm],
      issuer: ISSUER,
      requiredClaims: ["exp", "iat", "jti", "aud", "sub"],
      currentDate: new Date(now),
      clockTolerance: CLOCK_TOLERANCE_S,
    });
    const nowS = now / 1000;
    const isPlausible = (payload.iat ?? Infinity) <= nowS + CLOCK_TOLERANCE_S && (payload.exp ?? Infinity) <= nowS + EXPIRY_AHEAD_MAX_S;
    return isPlausible ? payload : null;
  } catch {
    // jose throws for every way in which a token can be wrong; the answer is one.
    return null;
  }
}

function ticketClaims(payload: TokenPayload): TicketClaims | null {
  const parsed = v.safeParse(ticketShape, payload);
  if (!parsed.success) return null;
  const { sub, drop, entry, lane, weight, joined, wants, jkt, person, people, plan, commitment } = parsed.output;
  return { ticket: sub, drop, entry, lane, weight, joinedAt: joined, wants, keyThumbprint: jkt, person: person ?? null, ...(people === undefined ? {} : { people }), planHash: plan, commitment };
}

function passClaims(payload: TokenPayload): PassClaims | null {
  const parsed = v.safeParse(passShape, payload);
  if (!parsed.success) return null;
  const { sub, drop, entry, jkt } = parsed.output;
  return { sitting: sub, drop, entry, keyThumbprint: jkt };
}

function publicHalf(key: EdPrivateKey | EdPublicKey): EdPublicKey {
  return { kty: key.kty, crv: key.crv, x: key.x, kid: key.kid };
}

/** Every key under which a receipt may be signed: the one in use, and published ones from before a rotation. */
function receiptVerifiers(secrets: StorefrontSecrets): readonly EdPublicKey[] {
  const own = secrets.receiptKey === null ? [] : [publicHalf(secrets.receiptKey)];
  return [...own, ...(secrets.publicKeys ?? []).filter((key) => key.kid.startsWith("receipt-"))];
}

async function verifiedReceipt(token: string, keys: readonly EdPublicKey[], now: number): Promise<Result<ReceiptClaims, CredentialRejection>> {
  if (keys.length === 0) throw new Fault("the secrets RECEIPT_KEY and PUBLIC_KEYS are missing or malformed", { retryable: false });
  const kid = knownKid(token, "EdDSA", RECEIPT.type);
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) return invalid;
  const imported = await importJWK({ ...key }, "EdDSA");
  const payload = imported instanceof Uint8Array ? null : await verifiedPayload(token, imported, "EdDSA", now);
  const drop = payload?.["drop"];
  return payload?.aud === RECEIPT.audience && typeof payload.sub === "string" && typeof drop === "string" ? accepted({ id: payload.sub, drop }) : invalid;
}

function publishedKeys(secrets: StorefrontSecrets): { readonly keys: readonly Record<string, unknown>[] } {
  const keys = secrets.publicKeys ?? (secrets.receiptKey === null ? [] : [publicHalf(secrets.receiptKey)]);
  return { keys: keys.map((key) => ({ ...key, use: "sig", alg: "EdDSA" })) };
}
