import type { Leaf } from "../../schema/wire/record.ts";
import { hex, unhex, utf8 } from "./bytes.ts";
import { jcs } from "./canonical.ts";
import type { Hashing } from "./sha256.ts";

function leafHash(leaf: Leaf, hashing: Hashing): Uint8Array {
  const { entry, lane, weight } = leaf;
  const text = utf8(jcs({ entry, lane, weight }));
  const bytes = new Uint8Array(text.length + 1);
  bytes.set(text, 1);
  return hashing.sha256(bytes);
}

function nodeHash(left: Uint8Array, right: Uint8Array, hashing: Hashing): Uint8Array {
  const bytes = new Uint8Array(65);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 33);
  return hashing.sha256(bytes);
}

/** The root of RFC 6962, section 2.1, over leaves in their published order, in hex. */
export function merkleRoot(leaves: readonly Leaf[], hashing: Hashing): string {
  if (leaves.length === 0) return hex(hashing.sha256(new Uint8Array(0)));
  const hashes = leaves.map((leaf) => leafHash(leaf, hashing));
  const rootOf = (from: number, to: number): Uint8Array => {
    const only = hashes[from];
    if (to - from === 1 && only !== undefined) return only;
    let left = 1;
    while (left * 2 < to - from) left *= 2;
    return nodeHash(rootOf(from, from + left), rootOf(from + left, to), hashing);
  };
  return hex(rootOf(0, hashes.length));
}

export interface Proof {
  readonly shard: number;
  readonly batch: number;
  readonly leaf: Leaf;
  readonly index: number;
  readonly count: number;
  readonly root: string;
  readonly path: readonly string[];
}

/** The root to which an inclusion proof leads (RFC 9162, section 2.1.3.2), or null when its path has the wrong length. */
export function rootOfProof({ leaf, index, count, path }: Proof, hashing: Hashing): string | null {
  if (index < 0 || index >= count) return null;
  let place = index;
  let last = count - 1;
  let node = leafHash(leaf, hashing);
  for (const step of path) {
    if (last === 0) return null;
    const sibling = unhex(step);
    if (place % 2 === 1 || place === last) {
      node = nodeHash(sibling, node, hashing);
      while (place % 2 === 0 && place !== 0) {
        place = Math.floor(place / 2);
        last = Math.floor(last / 2);
      }
    } else node = nodeHash(node, sibling, hashing);
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hex(node) : null;
}
