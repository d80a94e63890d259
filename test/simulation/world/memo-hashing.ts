import type { Hashing } from "../../../src/kernel/hashing.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";

/**
 * The product's own hashing, each MAC computed once. A ticket that looks again
 * every minute has its rank computed at every look, and a MAC costs more than
 * everything else that a simulated step does.
 */
export function memoHashing(): Hashing {
  const byKey = new WeakMap<Uint8Array, string>();
  const known = new Map<string, string>();
  return {
    sha256: nodeHashing.sha256,
    hmacSha256(key, text) {
      const name = byKey.get(key) ?? Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
      byKey.set(key, name);
      const request = name + text;
      let answer = known.get(request);
      if (answer === undefined) {
        answer = nodeHashing.hmacSha256(key, text);
        known.set(request, answer);
      }
      return answer;
    },
  };
}
