import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";

/** Every secret as its Worker gets it: a string each. */
const KEYS = v.strictObject({
  TICKET_KEYS: v.string(),
  RECEIPT_KEY: v.string(),
  HEAD_KEY: v.string(),
  COUPON_KEY: v.string(),
  PUBLIC_KEYS: v.string(),
  DESK_KEY: v.string(),
  STRIPE_KEY: v.string(),
  STRIPE_WEBHOOK_SECRET: v.string(),
  REHEARSAL_KEY: v.string(),
  MAIL_KEY: v.string(),
  TURNSTILE_SECRET: v.string(),
});

export type Keys = v.InferOutput<typeof KEYS>;

/**
 * The secrets of a local store, made once and kept with its data: what was
 * signed yesterday must still verify today. Only the file's owner may read it.
 */
export function readOrMakeKeys(dataFolder: string): Keys {
  const file = path.join(dataFolder, "keys.json");
  const stored = existsSync(file) ? v.parse(v.partial(KEYS), JSON.parse(readFileSync(file, "utf8"))) : {};
  // What an older version did not know of is made and kept as well.
  const keys = v.parse(KEYS, { ...makeKeys(), ...stored });
  if (Object.keys(stored).length === Object.keys(keys).length) return keys;
  // Written aside and renamed: half a key file after a crash would lock the store out of its own data.
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  chmodSync(aside, 0o600);
  renameSync(aside, file);
  return keys;
}

/** Fresh secrets, in the forms that the README names for each. */
export function makeKeys(): Keys {
  const [receipt, head, coupon] = [signingKey("receipt"), signingKey("head"), signingKey("coupon")];
  return {
    TICKET_KEYS: JSON.stringify([{ kid: "t1", key: randomBytes(32).toString("base64url") }]),
    RECEIPT_KEY: JSON.stringify(receipt.private),
    HEAD_KEY: JSON.stringify(head.private),
    COUPON_KEY: JSON.stringify(coupon.private),
    PUBLIC_KEYS: JSON.stringify({ keys: [receipt.public, head.public, coupon.public] }),
    DESK_KEY: `desk_${randomBytes(24).toString("base64url")}`,
    STRIPE_KEY: `sk_test_${randomBytes(24).toString("hex")}`,
    STRIPE_WEBHOOK_SECRET: `whsec_${randomBytes(24).toString("hex")}`,
    REHEARSAL_KEY: `rehearsal_${randomBytes(24).toString("base64url")}`,
    TURNSTILE_SECRET: `0x4${randomBytes(24).toString("hex")}`,
    MAIL_KEY: `re_${randomBytes(24).toString("base64url")}`,
  };
}

function signingKey(purpose: string): { readonly private: object; readonly public: object } {
  const pair = generateKeyPairSync("ed25519");
  const marks = { kid: `${purpose}-${randomBytes(4).toString("hex")}`, use: "sig", alg: "EdDSA" };
  return {
    private: { ...pair.privateKey.export({ format: "jwk" }), ...marks },
    public: { ...pair.publicKey.export({ format: "jwk" }), ...marks },
  };
}
