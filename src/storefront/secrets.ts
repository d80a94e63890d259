import { base64url } from "jose";
import * as v from "valibot";
import type { ConfigMistake } from "../config/store-config.ts";
import { isTestingKey } from "../gate/turnstile.ts";
import type { Hashing } from "../kernel/hashing.ts";

/** A MAC key and its name. */
export interface MacKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

const edPublicShape = v.object({
  kty: v.literal("OKP"),
  crv: v.literal("Ed25519"),
  x: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)),
  kid: v.pipe(v.string(), v.regex(/^(receipt|head|coupon)-[A-Za-z0-9._-]{1,64}$/)),
});
const edPrivateShape = v.object({ ...edPublicShape.entries, d: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)) });

export type EdPublicKey = v.InferOutput<typeof edPublicShape>;
export type EdPrivateKey = v.InferOutput<typeof edPrivateShape>;

/**
 * What the storefront signs and checks with. Null is a secret that is missing
 * or malformed: whatever needs it refuses until it is set.
 */
export interface StorefrontSecrets {
  /** The first signs, all verify; the last one also names shards and people, so drop it only between two drops. */
  readonly ticketKeys: readonly [MacKey, ...MacKey[]] | null;
  readonly receiptKey: EdPrivateKey | null;
  readonly publicKeys: readonly EdPublicKey[] | null;
  readonly turnstileSecret: string | null;
}

const ticketKeysShape = v.pipe(
  v.array(v.strictObject({ kid: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/)), key: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)) })),
  v.minLength(1),
  // Two keys of one name: which of them a token means would depend on their order.
  v.check((keys) => new Set(keys.map((key) => key.kid)).size === keys.length),
);

interface SecretVariables {
  readonly TICKET_KEYS?: unknown;
  readonly RECEIPT_KEY?: unknown;
  readonly PUBLIC_KEYS?: unknown;
  readonly TURNSTILE_SECRET?: unknown;
}

/** Parses the storefront's secrets; each that is not right is null. */
export function storefrontSecrets(env: SecretVariables): StorefrontSecrets {
  const [first, ...others] = (parsedJson(ticketKeysShape, env.TICKET_KEYS) ?? []).map(({ kid, key }) => ({ kid, key: base64url.decode(key) }));
  const receiptKey = parsedJson(edPrivateShape, env.RECEIPT_KEY);
  return {
    ticketKeys: first === undefined ? null : [first, ...others],
    // A key of another purpose must not sign receipts, whatever it was pasted into.
    receiptKey: receiptKey?.kid.startsWith("receipt-") === true ? receiptKey : null,
    publicKeys: parsedJson(v.object({ keys: v.pipe(v.array(edPublicShape), v.minLength(1)) }), env.PUBLIC_KEYS)?.keys ?? null,
    turnstileSecret: typeof env.TURNSTILE_SECRET === "string" && env.TURNSTILE_SECRET.trim() !== "" ? env.TURNSTILE_SECRET.trim() : null,
  };
}

/**
 * What must not be among the secrets of a deployed store: with a secret for
 * tests the door would look guarded and let everyone through. Locally there is
 * nothing to guard.
 */
export function secretMistakes(secrets: StorefrontSecrets, isLocal: boolean): ConfigMistake[] {
  if (isLocal || secrets.turnstileSecret === null || !isTestingKey(secrets.turnstileSecret)) return [];
  return [{ table: "TURNSTILE_SECRET", field: "", detail: "This is one of Cloudflare's secrets for tests, which prove nothing. Set the widget's own with: wrangler secret put TURNSTILE_SECRET" }];
}

/** What proof-of-work challenges are signed with: the first signs, all verify. Each is made from a ticket key, so that no MAC can be taken for one of another kind. */
export function challengeKeys({ ticketKeys }: StorefrontSecrets, hashing: Hashing): string[] {
  return (ticketKeys ?? []).map(({ key }) => hashing.hmacSha256(key, "tranche/challenge"));
}

function parsedJson<const Schema extends v.GenericSchema>(schema: Schema, text: unknown): v.InferOutput<Schema> | null {
  if (typeof text !== "string") return null;
  try {
    const parsed = v.safeParse(schema, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
