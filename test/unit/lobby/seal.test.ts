import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/kernel/canonical.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import type { InclusionProof, Leaf } from "../../../src/lobby/port.ts";
import { inclusionProof, leafText, sealTree } from "../../../src/lobby/seal.ts";

const sha256 = (...parts: (Buffer | string)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafHash = (leaf: Leaf) => sha256(Buffer.of(0), canonicalJson(leaf));

/** RFC 6962, section 2.1, by its own recursion: split at the largest power of two below the count. */
function referenceRoot(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only === undefined) return sha256("");
  if (hashes.length === 1) return only;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return sha256(Buffer.of(1), referenceRoot(hashes.slice(0, split)), referenceRoot(hashes.slice(split)));
}

/** RFC 9162, section 2.1.3.2: what a stranger does with a proof. */
function verifies(proof: InclusionProof, leaf: Leaf): boolean {
  let place = proof.index;
  let last = proof.count - 1;
  let hash = leafHash(leaf);
  for (const sibling of proof.path) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      hash = sha256(Buffer.of(1), Buffer.from(sibling, "hex"), hash);
      while (place % 2 === 0 && place !== 0) {
        place >>= 1;
        last >>= 1;
      }
    } else {
      hash = sha256(Buffer.of(1), hash, Buffer.from(sibling, "hex"));
    }
    place >>= 1;
    last >>= 1;
  }
  return last === 0 && hash.toString("hex") === proof.root;
}

const leaves = (count: number, salt = ""): Leaf[] =>
  Array.from({ length: count }, (_, index) => ({ entry: sha256(`${salt}${index}`).toString("hex"), lane: index % 3 === 0 ? "member" : "open", weight: 1 + (index % 2) }));

describe("the seal of a shard", () => {
  it("is the tree of RFC 6962 over the leaves sorted by entry, for every count up to 70", () => {
    for (let count = 0; count <= 70; count++) {
      const sealed = leaves(count);
      const sorted = sealed.toSorted((a, b) => (a.entry < b.entry ? -1 : 1));
      expect(sealTree(sealed, nodeHashing).root).toBe(referenceRoot(sorted.map(leafHash)).toString("hex"));
    }
  });

  it("has the root SHA-256 of nothing when nobody came", () => {
    expect(sealTree([], nodeHashing).root).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });

  it("says nothing about who came first: every order of the same tickets has the same root", () => {
    const sealed = leaves(41);
    expect(sealTree(sealed.toReversed(), nodeHashing).root).toBe(sealTree(sealed, nodeHashing).root);
  });

  it("hashes each leaf in the canonical form of RFC 8785, whatever the lane is called", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 1_000 }), (lane, weight) => {
        const leaf = { entry: "ab".repeat(32), lane, weight };
        expect(leafText(leaf)).toBe(canonicalJson(leaf));
      }),
    );
  });
});

describe("an inclusion proof", () => {
  it("convinces an independent verifier for every ticket of every count up to 40", () => {
    for (let count = 1; count <= 40; count++) {
      const tree = sealTree(leaves(count), nodeHashing);
      for (const leaf of tree.leaves) {
        const proof = inclusionProof(tree, leaf.entry, 2, 0);
        expect(proof).not.toBeNull();
        if (proof === null) continue;
        expect(proof.leaf).toEqual(leaf);
        expect(verifies(proof, leaf)).toBe(true);
        expect(verifies(proof, { ...leaf, weight: leaf.weight + 1 })).toBe(false);
      }
    }
  });

  it("does not exist for a ticket that was not sealed", () => {
    expect(inclusionProof(sealTree(leaves(9), nodeHashing), sha256("a stranger").toString("hex"), 0, 0)).toBeNull();
    expect(inclusionProof(sealTree([], nodeHashing), sha256("a stranger").toString("hex"), 0, 0)).toBeNull();
  });

  it("is seventeen hashes long for one of 100,000 tickets, which are sealed within seconds", () => {
    const many = leaves(100_000, "many");
    const startedAt = performance.now();
    const tree = sealTree(many, nodeHashing);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    const leaf = tree.leaves[31_337];
    const proof = leaf === undefined ? null : inclusionProof(tree, leaf.entry, 0, 0);
    expect(proof?.path).toHaveLength(17);
    expect(leaf !== undefined && proof !== null && verifies(proof, leaf)).toBe(true);
  });
});
