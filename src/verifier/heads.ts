import { ed25519 } from "@noble/curves/ed25519.js";
import * as v from "valibot";
import type { HeadLine } from "../../schema/wire/record.ts";
import { fromBase64url, hex, utf8 } from "./bytes.ts";
import { jcs } from "./canonical.ts";
import type { Findings } from "./findings.ts";
import type { RawRow } from "./lines.ts";

const HeadKey = v.object({ kty: v.literal("OKP"), crv: v.literal("Ed25519"), kid: v.pipe(v.string(), v.startsWith("head-")), x: v.string() });
const Keys = v.object({ keys: v.array(v.unknown()) });
const Header = v.strictObject({ alg: v.literal("EdDSA"), kid: v.string() });

/** The store's keys for heads, by their id, out of a JWKS; a key for receipts or coupons may not sign a record. */
export function headKeys(jwks: unknown): ReadonlyMap<string, Uint8Array> {
  const set = v.safeParse(Keys, jwks);
  const keys = new Map<string, Uint8Array>();
  for (const candidate of set.success ? set.output.keys : []) {
    const key = v.safeParse(HeadKey, candidate);
    const bytes = key.success ? fromBase64url(key.output.x) : null;
    if (key.success && bytes?.length === 32) keys.set(key.output.kid, bytes);
  }
  return keys;
}

/**
 * Every page carries the head of the moment at which it was read: each must
 * name a row that is there, and the last must name the last row. Without `keys`
 * the signatures are left out.
 */
export function checkHeads(rows: readonly RawRow[], heads: readonly HeadLine[], keys: ReadonlyMap<string, Uint8Array> | null, findings: Findings): void {
  for (const [index, { head, signature }] of heads.entries()) {
    const wrong = (words: string) => findings.add({ at: "head", seq: head.seq }, words, head.seq);
    const row = rows[head.seq - 1];
    if (row === undefined) wrong(`names row ${head.seq}, and the record ends at row ${rows.length}`);
    else if (row.hash !== head.hash || row.at !== head.at) wrong("does not name that row's hash and time");
    if (index === heads.length - 1 && head.seq < rows.length) wrong(`is the last one, and the record goes on to row ${rows.length}: the rows after it are signed by nobody`);
    const why = keys === null ? null : signatureFault(head, signature, keys);
    if (why !== null) wrong(why);
  }
}

/** Why the compact JWS is not one of the store's over this head, or null when it is. */
function signatureFault(head: HeadLine["head"], signature: string, keys: ReadonlyMap<string, Uint8Array>): string | null {
  const [header, payload, mac, ...more] = signature.split(".").map(fromBase64url);
  if (header == null || payload == null || mac == null || more.length > 0) return "has a signature that is not a compact JWS";
  const said = v.safeParse(Header, jsonOf(header));
  if (!said.success) return "is not signed with EdDSA in the plain way";
  const key = keys.get(said.output.kid);
  if (key === undefined) return `is signed with the key ${JSON.stringify(said.output.kid)}, which the store does not publish for heads`;
  if (hex(payload) !== hex(utf8(jcs(head)))) return "has a signature over something else";
  const signed = utf8(signature.slice(0, signature.lastIndexOf(".")));
  return mac.length === 64 && ed25519.verify(mac, signed, key, { zip215: false }) ? null : "has a signature that its key did not make";
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(String.fromCharCode(...bytes));
  } catch {
    return null;
  }
}
