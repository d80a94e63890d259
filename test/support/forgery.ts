import { createHmac, createPrivateKey, sign, type JsonWebKey } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Product } from "./product.ts";

/*
 * Tokens as a forger makes them. The store's own keys come from the folder that
 * `npm start` keeps them in, as for a thief of that folder: a genuine signature
 * under claims that the store would never have signed.
 */

export type Claims = Readonly<Record<string, unknown>>;
export type Signing = (input: string) => Buffer;

/** The secrets of a product that runs on this machine, by their names. */
function secretsOf(product: Product): Readonly<Record<string, string>> {
  return JSON.parse(readFileSync(path.join(product.data, "keys.json"), "utf8")) as Record<string, string>;
}

export function secret(product: Product, name: string): string {
  const value = secretsOf(product)[name];
  if (value === undefined) throw new Error(`keys.json has no ${name}`);
  return value;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A compact JWS. */
export function jws(header: Claims, claims: Claims, signing: Signing): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${signing(input).toString("base64url")}`;
}

export function headerOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as Claims;
}

export function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Claims;
}

export const unsigned: Signing = () => Buffer.alloc(0);

export function hmacSigning(key: string | Buffer): Signing {
  return (input) => createHmac("sha256", key).update(input).digest();
}

export function edSigning(jwk: JsonWebKey): Signing {
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  return (input) => sign(null, Buffer.from(input), key);
}

/** The MAC of tickets and passes. */
export function ticketSigning(product: Product): Signing {
  const [first] = JSON.parse(secret(product, "TICKET_KEYS")) as { key: string }[];
  return hmacSigning(Buffer.from(first?.key ?? "", "base64url"));
}

/** One of the keys that sign: `RECEIPT_KEY` or `COUPON_KEY`. */
export function secretJwk(product: Product, name: "RECEIPT_KEY" | "COUPON_KEY"): JsonWebKey & { readonly kid: string } {
  return JSON.parse(secret(product, name)) as JsonWebKey & { readonly kid: string };
}

/** The genuine token with other claims or another header, signed as it was. */
export function reminted(token: string, signing: Signing, changes: { readonly claims?: Claims; readonly header?: Claims; readonly without?: readonly string[] }): string {
  const claims: Record<string, unknown> = { ...claimsOf(token), ...changes.claims };
  for (const name of changes.without ?? []) delete claims[name];
  return jws({ ...headerOf(token), ...changes.header }, claims, signing);
}
