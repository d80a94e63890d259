import { createHash } from "node:crypto";
import type { InclusionProof, Leaf } from "../../../src/lobby/port.ts";

/* RFC 6962 once more, in the tests' own words: what a stranger would write. */

const jcs = ({ entry, lane, weight }: Leaf) => JSON.stringify({ entry, lane, weight });
export const leafHash = (leaf: Leaf) => createHash("sha256").update(Buffer.concat([Buffer.of(0), Buffer.from(jcs(leaf))])).digest();
const nodeHash = (left: Buffer, right: Buffer) => createHash("sha256").update(Buffer.concat([Buffer.of(1), left, right])).digest();

/** The root over the hashes of the leaves, by the recursion of section 2.1. */
export function merkleRoot(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only === undefined) return createHash("sha256").digest();
  if (hashes.length === 1) return only;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(merkleRoot(hashes.slice(0, split)), merkleRoot(hashes.slice(split)));
}

/** The root that a proof leads to from its leaf, climbing by the same recursion. */
export function provenRoot({ leaf, index, count, path }: InclusionProof): string {
  const climb = (place: number, size: number, rest: readonly string[]): Buffer => {
    if (size === 1) return leafHash(leaf);
    let split = 1;
    while (split * 2 < size) split *= 2;
    const sibling = Buffer.from(rest.at(-1) ?? "", "hex");
    const below = rest.slice(0, -1);
    return place < split ? nodeHash(climb(place, split, below), sibling) : nodeHash(sibling, climb(place - split, size - split, below));
  };
  return climb(index, count, path).toString("hex");
}
