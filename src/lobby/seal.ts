import type { Hashing } from "../kernel/hashing.ts";
import type { InclusionProof, Leaf } from "./port.ts";

const HASH_BYTES = 32;

/**
 * A Merkle tree as in RFC 6962, all of its levels from the leaves to the root,
 * each as one block of 32-byte hashes. Flat blocks, because a hundred thousand
 * small arrays would cost ten times the memory of the hashes themselves.
 */
export interface SealTree {
  /** The leaves in the order of the tree: by entry. */
  readonly leaves: readonly Leaf[];
  readonly levels: readonly Uint8Array[];
  /** In hex; SHA-256 of nothing for a tree without leaves. */
  readonly root: string;
}

/**
 * Seals `leaves`, in any order, into a tree sorted by entry. The sorting is what
 * makes the root say nothing about who came first.
 */
export function sealTree(leaves: readonly Leaf[], hashing: Hashing): SealTree {
  const sorted = leaves.toSorted((a, b) => (a.entry < b.entry ? -1 : a.entry > b.entry ? 1 : 0));
  if (sorted.length === 0) return { leaves: sorted, levels: [], root: hashing.sha256("") };
  let level = new Uint8Array(sorted.length * HASH_BYTES);
  sorted.forEach((leaf, index) => writeHex(hashing.sha256(`\u0000${leafText(leaf)}`), level, index * HASH_BYTES));
  const levels = [level];
  while (level.length > HASH_BYTES) {
    level = levelAbove(level, hashing);
    levels.push(level);
  }
  return { leaves: sorted, levels, root: hexAt(level, 0) };
}

/**
 * The canonical form (RFC 8785) of a leaf. Written out, not computed: the three
 * members are in order already, and at T0 this runs once for every ticket.
 */
export function leafText(leaf: Leaf): string {
  return `{"entry":${JSON.stringify(leaf.entry)},"lane":${JSON.stringify(leaf.lane)},"weight":${leaf.weight}}`;
}

/** The proof that the entry is in the tree, or null when it is not. */
export function inclusionProof(tree: SealTree, entry: string, shard: number, batch: number): InclusionProof | null {
  const index = indexOfEntry(tree.leaves, entry);
  const leaf = tree.leaves[index];
  if (leaf === undefined || leaf.entry !== entry) return null;
  const path: string[] = [];
  let place = index;
  for (const level of tree.levels) {
    const sibling = place ^ 1;
    // A last node without a sibling is carried up as it is, so it adds nothing to the path.
    if (sibling * HASH_BYTES < level.length) path.push(hexAt(level, sibling));
    place >>= 1;
  }
  return { shard, batch, leaf: { entry: leaf.entry, lane: leaf.lane, weight: leaf.weight }, index, count: tree.leaves.length, root: tree.root, path };
}

/** Pairs the nodes of a level; carrying a lone last node up is the same as RFC 6962's split at a power of two. */
function levelAbove(level: Uint8Array, hashing: Hashing): Uint8Array<ArrayBuffer> {
  const count = level.length / HASH_BYTES;
  const above = new Uint8Array(Math.ceil(count / 2) * HASH_BYTES);
  const node = new Uint8Array(1 + 2 * HASH_BYTES);
  node[0] = 1;
  for (let index = 0; index + 1 < count; index += 2) {
    node.set(level.subarray(index * HASH_BYTES, (index + 2) * HASH_BYTES), 1);
    writeHex(hashing.sha256(node), above, (index / 2) * HASH_BYTES);
  }
  if (count % 2 === 1) above.set(level.subarray((count - 1) * HASH_BYTES), above.length - HASH_BYTES);
  return above;
}

function indexOfEntry(leaves: readonly Leaf[], entry: string): number {
  let low = 0;
  let high = leaves.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((leaves[middle]?.entry ?? "") < entry) low = middle + 1;
    else high = middle;
  }
  return low;
}

function writeHex(hex: string, target: Uint8Array, offset: number): void {
  for (let index = 0; index < HASH_BYTES; index++) {
    target[offset + index] = (nibble(hex.charCodeAt(index * 2)) << 4) | nibble(hex.charCodeAt(index * 2 + 1));
  }
}

/** The value of a lower-case hex digit from its character code. */
function nibble(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}

function hexAt(level: Uint8Array, index: number): string {
  let hex = "";
  for (let byte = index * HASH_BYTES; byte < (index + 1) * HASH_BYTES; byte++) hex += (level[byte] ?? 0).toString(16).padStart(2, "0");
  return hex;
}
