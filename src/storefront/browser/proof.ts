/*
 * Proof of possession (RFC 9449): the ticket is worth nothing without the key
 * that this browser made and cannot export.
 */

export interface ProofRequest {
  readonly method: string;
  /** Absolute, without query and fragment. */
  readonly url: string;
  /** The ticket or pass that goes with the proof. */
  readonly token: string;
  readonly nonce: string | null;
  /** Seconds; the server does not judge it, because phones' clocks are wrong. */
  readonly issuedAtSeconds: number;
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const encoded = (value: unknown) => base64url(new TextEncoder().encode(JSON.stringify(value)));

/** The public half in the few members that a thumbprint is made from. */
export async function publicJwk(keys: CryptoKeyPair): Promise<{ kty: string; crv: string; x: string; y: string }> {
  const jwk = await crypto.subtle.exportKey("jwk", keys.publicKey);
  return { kty: "EC", crv: "P-256", x: jwk.x ?? "", y: jwk.y ?? "" };
}

export async function makeKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
}

/** The compact `dpop+jwt` for one request. */
export async function proofFor(keys: CryptoKeyPair, request: ProofRequest): Promise<string> {
  const text = new TextEncoder();
  const tokenHash = new Uint8Array(await crypto.subtle.digest("SHA-256", text.encode(request.token)));
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: await publicJwk(keys) };
  const claims = {
    jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
    htm: request.method,
    htu: request.url,
    iat: request.issuedAtSeconds,
    ath: base64url(tokenHash),
    ...(request.nonce === null ? {} : { nonce: request.nonce }),
  };
  const signed = `${encoded(header)}.${encoded(claims)}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, keys.privateKey, text.encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}
