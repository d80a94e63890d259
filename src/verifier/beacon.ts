import { bls12_381 } from "@noble/curves/bls12-381.js";
import type { RowOf } from "../../schema/wire/record.ts";
import { hex, unhex } from "./bytes.ts";
import type { PlanRow, Schedule } from "./schedule.ts";
import type { Hashing } from "./sha256.ts";

type Beacon = NonNullable<PlanRow["beacon"]>;

/** The beacon that is run by many independent organisations together: drand's quicknet. */
const QUICKNET = {
  chain: "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
  publicKey: "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
  genesisAt: 1_692_803_367_000,
  periodMs: 3_000,
};

/** The domain of the scheme bls-unchained-g1-rfc9380: signatures on G1, keys on G2. */
const DOMAIN = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

/** The round is the first that comes out at least so long after the opening: until then every shard can seal. */
const ROUND_AFTER_OPENING_MS = 9_000;

export function isQuicknet({ chain }: Pick<Beacon, "chain">): boolean {
  return chain === QUICKNET.chain;
}

/** What is wrong with a plan's beacon, or null. */
export function beaconTermsFault(beacon: Beacon, opensAt: number): string | null {
  if (isQuicknet(beacon)) {
    const { publicKey, genesisAt, periodMs } = beacon;
    const isTrue = publicKey === QUICKNET.publicKey && Date.parse(genesisAt) === QUICKNET.genesisAt && periodMs === QUICKNET.periodMs;
    if (!isTrue) return "names drand's quicknet and says something else of it than is published";
  }
  const round = roundFor(beacon, opensAt);
  return beacon.round === round ? null : `names round ${beacon.round} of the beacon, and the first one that comes out 9 seconds after the opening is ${round}`;
}

function roundFor(beacon: Beacon, opensAt: number): number {
  return Math.max(1, Math.ceil((opensAt + ROUND_AFTER_OPENING_MS - Date.parse(beacon.genesisAt)) / beacon.periodMs) + 1);
}

/** When the round for the opening as it stands comes out; null where the plan names no beacon. */
export function roundAt(schedule: Schedule): number | null {
  const { beacon } = schedule.first;
  if (beacon === undefined) return null;
  return Date.parse(beacon.genesisAt) + (roundFor(beacon, schedule.opensAt) - 1) * beacon.periodMs;
}

/** What is wrong with the beacon of a draw, or null. */
export function beaconFault(row: RowOf<"draw">, schedule: Schedule, hashing: Hashing): string | null {
  const promised = schedule.first.beacon;
  const used = row.beacon;
  if (promised === undefined) return used === undefined ? null : "uses a beacon that the plan does not name";
  if (used === undefined) return "does without the beacon that the plan names";
  const round = roundFor(promised, schedule.opensAt);
  if (used.chain !== promised.chain) return "uses another beacon than the plan names";
  if (used.round !== round) return `uses round ${used.round} of the beacon, and the plan's is round ${round}`;
  if (Date.parse(row.at) < (roundAt(schedule) ?? 0)) return "is made before its round of the beacon could come out";
  if (hex(hashing.sha256(unhex(used.signature))) !== used.randomness) return "has a beacon whose randomness is not the SHA-256 of its signature";
  return isSigned(used, promised.publicKey, hashing) ? null : "has a beacon whose signature its network did not make";
}

function isSigned({ round, signature }: { readonly round: number; readonly signature: string }, publicKey: string, hashing: Hashing): boolean {
  const message = new Uint8Array(8);
  new DataView(message.buffer).setBigUint64(0, BigInt(round));
  try {
    const { shortSignatures } = bls12_381;
    return shortSignatures.verify(unhex(signature), shortSignatures.hash(hashing.sha256(message), DOMAIN), unhex(publicKey));
  } catch {
    // Bytes that are no point of the curve are nobody's signature.
    return false;
  }
}
