import { base64url } from "jose";
import * as v from "valibot";

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
}

const ticketKeysShape = v.pipe(
  v.array(v.strictObject({ kid: v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/)), key: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/)) })),
  v.minLength(1),
  // Two keys of one name: which of them a token means would depend on their order.
  v.check((keys) => new Set(keys.map((key) => key.kid)).size === keys.length),
);

/** Parses the secrets TICKET_KEYS, RECEIPT_KEY and PUBLIC_KEYS; each that is not right is null. */
export function storefrontSecrets(env: { readonly TICKET_KEYS?: unknown; readonly RECEIPT_KEY?: unknown; readonly PUBLIC_KEYS?: unknown }): StorefrontSecrets {
  const [first, ...others] = (parsedJson(ticketKeysShape, env.TICKET_KEYS) ?? []).map(({ kid, key }) => ({ kid, key: base64url.decode(key) }));
  const receiptKey = parsedJson(edPrivateShape, env.RECEIPT_KEY);
  return {
    ticketKeys: first === undefined ? null : [first, ...others],
    // A key of another purpose must not sign receipts, whatever it was pasted into.
    receiptKey: receiptKey?.kid.startsWith("receipt-") === true ? receiptKey : null,
    publicKeys: parsedJson(v.object({ keys: v.pipe(v.array(edPublicShape), v.minLength(1)) }), env.PUBLIC_KEYS)?.keys ?? null,
  };
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
