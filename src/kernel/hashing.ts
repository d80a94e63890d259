/**
 * Hash and MAC as a synchronous port: WebCrypto is asynchronous, and an `await`
 * between deciding and writing would break a transaction in two.
 */
export interface Hashing {
  /** SHA-256 of text (UTF-8) or bytes, as lower-case hex. */
  sha256(data: string | Uint8Array): string;
  /** HMAC-SHA-256 of text (UTF-8), as lower-case hex. */
  hmacSha256(key: Uint8Array, text: string): string;
}

export function bytesFromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index++) bytes[index] = Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16);
  return bytes;
}

export function hexFromBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
