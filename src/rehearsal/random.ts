import { assert } from "../kernel/result.ts";

/**
 * Where a rehearsal takes everything that happens by chance. The same seed
 * gives the same values in the same order on every machine.
 */
export interface RandomSource {
  /** At least 0 and below 1. */
  fraction(): number;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One element of a list that has some. */
  pick<Element>(list: readonly Element[]): Element;
  bytes(count: number): Uint8Array;
  /**
   * A source of its own for one purpose. What one part of a rehearsal draws must
   * not move what another draws, or a new shopper would change every fault.
   */
  branch(name: string): RandomSource;
}

/** A source from a seed (a 32-bit unsigned integer). Not for secrets: whoever sees some values can compute the rest. */
export function seededRandom(seed: number): RandomSource {
  assert(Number.isInteger(seed) && seed >= 0 && seed <= 0xffff_ffff, "a seed is a 32-bit unsigned integer");
  const next = xoshiro128(seed);
  const fraction = () => next() / 0x1_0000_0000;
  const integer = (min: number, max: number) => {
    assert(Number.isSafeInteger(min) && Number.isSafeInteger(max) && min <= max, "a range of whole numbers is not empty");
    return min + Math.floor(fraction() * (max - min + 1));
  };
  return {
    fraction,
    integer,
    chance: (probability) => fraction() < probability,
    pick: (list) => {
      const element = list[integer(0, list.length - 1)];
      assert(element !== undefined, "a pick is made from a list that has elements");
      return element;
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => next() >>> 24),
    // From the seed and the name alone, so that a branch does not depend on what was drawn before it.
    branch: (name) => seededRandom(mixed(seed, name)),
  };
}

/** xoshiro128**, by Blackman and Vigna: four words of state, no multiplication beyond 32 bits. */
function xoshiro128(seed: number): () => number {
  const word = splitMix(seed);
  let [a, b, c, d] = [word(), word(), word(), word()];
  return () => {
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotated(d, 11);
    return result;
  };
}

/** Spreads one small seed over many bits: seeds 1 and 2 must not begin alike. */
function splitMix(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let value = state ^ (state >>> 16);
    value = Math.imul(value, 0x21f0_aaad);
    value ^= value >>> 15;
    value = Math.imul(value, 0x735a_2d97);
    return value ^ (value >>> 15);
  };
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** FNV-1a over the name, begun at the seed. */
function mixed(seed: number, name: string): number {
  let hash = (seed ^ 0x811c_9dc5) | 0;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x0100_0193);
  return hash >>> 0;
}
