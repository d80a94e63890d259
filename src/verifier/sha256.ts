/**
 * What the verifier hashes with. Synchronous, because a hundred thousand small
 * hashes that are each waited for take a minute instead of a second.
 */
export interface Hashing {
  sha256(data: Uint8Array): Uint8Array;
  /** HMAC-SHA-256 under one key, for as many messages as there are. */
  hmac(key: Uint8Array): (data: Uint8Array) => Uint8Array;
}

const BLOCK = 64;

/** The first 32 bits of the fractional part of a root, computed exactly: the constants of FIPS 180-4 have no other origin. */
function fractionOfRoot(prime: number, degree: 2 | 3): number {
  // floor(root × 2³²) by bisection on whole numbers.
  const target = BigInt(prime) << BigInt(32 * degree);
  let low = 0n;
  let high = 1n << 40n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** BigInt(degree) <= target) low = middle;
    else high = middle - 1n;
  }
  return Number(low & 0xffffffffn) | 0;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  return primes;
}

const ROUND = Int32Array.from(firstPrimes(64), (prime) => fractionOfRoot(prime, 3));
const START = Int32Array.from(firstPrimes(8), (prime) => fractionOfRoot(prime, 2));

const schedule = new Int32Array(64);

/** One block of 64 bytes from `offset` on, into `state`. */
function compress(state: Int32Array, data: Uint8Array, offset: number): void {
  const w = schedule;
  for (let index = 0; index < 16; index++) {
    const at = offset + index * 4;
    w[index] = ((data[at] ?? 0) << 24) | ((data[at + 1] ?? 0) << 16) | ((data[at + 2] ?? 0) << 8) | (data[at + 3] ?? 0);
  }
  for (let index = 16; index < 64; index++) {
    const x = w[index - 15] ?? 0;
    const y = w[index - 2] ?? 0;
    const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[index] = ((w[index - 16] ?? 0) + small0 + (w[index - 7] ?? 0) + small1) | 0;
  }
  // One by one: taking an array apart asks its iterator, which costs more than the rounds.
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  let e = state[4] ?? 0;
  let f = state[5] ?? 0;
  let g = state[6] ?? 0;
  let h = state[7] ?? 0;
  for (let index = 0; index < 64; index++) {
    const big1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + big1 + ((e & f) ^ (~e & g)) + (ROUND[index] ?? 0) + (w[index] ?? 0)) | 0;
    const big0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
  state[4] = (state[4] ?? 0) + e;
  state[5] = (state[5] ?? 0) + f;
  state[6] = (state[6] ?? 0) + g;
  state[7] = (state[7] ?? 0) + h;
}

const tail = new Uint8Array(2 * BLOCK);

/** The digest of `data` behind `before` bytes that `state` has taken in already; `before` is a multiple of 64. */
function finish(state: Int32Array, data: Uint8Array, before: number): Uint8Array {
  let offset = 0;
  for (; offset + BLOCK <= data.length; offset += BLOCK) compress(state, data, offset);
  const rest = data.length - offset;
  const end = rest < 56 ? BLOCK : 2 * BLOCK;
  for (let index = 0; index < rest; index++) tail[index] = data[offset + index] ?? 0;
  tail[rest] = 0x80;
  tail.fill(0, rest + 1, end);
  writeWord(tail, end - 8, Math.floor(((before + data.length) * 8) / 2 ** 32));
  writeWord(tail, end - 4, (before + data.length) * 8);
  for (let at = 0; at < end; at += BLOCK) compress(state, tail, at);
  const digest = new Uint8Array(32);
  for (let index = 0; index < 8; index++) writeWord(digest, index * 4, state[index] ?? 0);
  return digest;
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

function sha256(data: Uint8Array): Uint8Array {
  return finish(START.slice(), data, 0);
}

function hmac(key: Uint8Array): (data: Uint8Array) => Uint8Array {
  const padded = (byte: number) => {
    const block = new Uint8Array(BLOCK);
    block.set(key.length > BLOCK ? sha256(key) : key);
    const state = START.slice();
    compress(state, block.map((value) => value ^ byte), 0);
    return state;
  };
  const inner = padded(0x36);
  const outer = padded(0x5c);
  return (data) => finish(outer.slice(), finish(inner.slice(), data, BLOCK), BLOCK);
}

/** SHA-256 (FIPS 180-4) and HMAC (RFC 2104), written for the verifier alone so that it believes nothing of the server's. */
export const ownHashing: Hashing = { sha256, hmac };
