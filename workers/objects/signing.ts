import { CompactSign, importJWK, type JWK } from "jose";
import type { RecordPage } from "../../src/drop/port.ts";
import { canonicalJson } from "../../src/kernel/canonical.ts";
import { Fault } from "../../src/kernel/result.ts";

/**
 * Signs the head of a record: a compact JWS (EdDSA) over the canonical form of
 * the head, with the key's id in its header. The last signature is kept, since
 * a quiet record is read far more often than it grows.
 */
export class HeadSigner {
  readonly #key: string | undefined;
  #last: { readonly payload: string; readonly signature: Promise<string> } | null = null;

  constructor(key: string | undefined) {
    this.#key = key;
  }

  async sign(head: RecordPage["head"]): Promise<string> {
    const payload = canonicalJson(head);
    if (this.#last?.payload !== payload) this.#last = { payload, signature: this.#sign(payload) };
    return await this.#last.signature;
  }

  async #sign(payload: string): Promise<string> {
    // An unsigned head would look like a record that anyone could have made.
    if (this.#key === undefined || this.#key === "") throw new Fault("the record cannot be signed: HEAD_KEY is not set", { retryable: false });
    const jwk = keyOf(this.#key);
    const key = await importJWK(jwk, "EdDSA");
    return await new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader({ alg: "EdDSA", kid: jwk.kid }).sign(key);
  }
}

function keyOf(text: string): JWK & { readonly kid: string } {
  try {
    const jwk: JWK = JSON.parse(text);
    if (jwk.kty === "OKP" && jwk.crv === "Ed25519" && typeof jwk.kid === "string" && typeof jwk.d === "string") return { ...jwk, kid: jwk.kid };
  } catch {
    // The same answer as for a key of another kind; the text itself must not reach a log.
  }
  throw new Fault("the record cannot be signed: HEAD_KEY is not a private Ed25519 JWK with a kid", { retryable: false });
}
