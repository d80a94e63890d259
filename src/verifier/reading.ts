import * as v from "valibot";
import { Sha256Hex, Slug } from "../../schema/wire/ids.ts";
import { Leaf } from "../../schema/wire/record.ts";
import type { Proof } from "./merkle.ts";
import type { Material } from "./verify.ts";

/** The way to the store, given by whoever runs this: a path below the store's address, and what came of it. */
export interface Way {
  get(path: string): Promise<{ readonly status: number; readonly text: string }>;
  wait(ms: number): Promise<void>;
  progress(step: string, done: number, total: number): void;
}

/** The store did not give what is needed; nothing was checked. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** A shard publishes its leaves a moment after their seal is in the record. */
const ENTRIES_TRIES = 6;
const ENTRIES_PAUSE_MS = 1_200;
const PAGES_MAX = 100_000;

const HeadSeq = v.object({ head: v.object({ seq: v.number() }) });
const PlanShards = v.object({ kind: v.literal("plan"), shards: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4_096)) });
const SealCount = v.object({ kind: v.literal("seal"), shard: v.number(), count: v.number() });
const Entries = v.object({ entries: v.array(Leaf) });
const Whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const ProofShape = v.object({ shard: Whole, batch: Whole, leaf: Leaf, index: Whole, count: Whole, root: Sha256Hex, path: v.array(Sha256Hex) });

/** The store and the drop that an address speaks of: the record's, the drop's page, or anything below them; null when it is none. */
export function dropOfAddress(address: string): { readonly origin: string; readonly drop: string } | null {
  const [, origin, path] = /^(https?:\/\/[^/?#]+)([^?#]*)/.exec(address) ?? [];
  if (origin === undefined || path === undefined) return null;
  const parts = path.split("/").filter((part) => part !== "");
  const named = parts.indexOf("drops");
  const drop = named >= 0 ? parts[named + 1] : parts.length <= 2 ? parts.at(-1) : undefined;
  return v.is(Slug, drop) ? { origin, drop } : null;
}

/** Reads everything that is public about a drop. */
export async function readDrop(drop: string, way: Way): Promise<Material> {
  const pages = await readPages(drop, way);
  const lines = pages.flatMap((page) => page.split("\n")).filter((line) => line !== "").map(parsed);
  const plan = v.safeParse(PlanShards, lines[0]);
  if (!plan.success) throw new Unreadable("the record does not begin with a plan");
  const sealed = new Map<number, number>();
  for (const line of lines) {
    const seal = v.safeParse(SealCount, line);
    if (seal.success) sealed.set(seal.output.shard, (sealed.get(seal.output.shard) ?? 0) + seal.output.count);
  }
  const entries: (readonly Leaf[] | null)[] = [];
  for (let shard = 0; shard < plan.output.shards; shard++) {
    way.progress("entries", shard, plan.output.shards);
    entries.push(sealed.has(shard) ? await readEntries(drop, shard, sealed.get(shard) ?? 0, way) : null);
  }
  const keys = await way.get("/.well-known/jwks.json");
  if (keys.status !== 200) throw new Unreadable(`the store's keys answered ${keys.status}`);
  return { drop, pages, entries, keys: parsed(keys.text) };
}

async function readPages(drop: string, way: Way): Promise<string[]> {
  const pages: string[] = [];
  let rows = 0;
  let headSeq = 0;
  while (pages.length < PAGES_MAX) {
    const { status, text } = await way.get(`/api/drops/${drop}/record?from=${rows + 1}`);
    if (status !== 200) throw new Unreadable(`the record answered ${status}`);
    const lines = text.split("\n").filter((line) => line !== "");
    const head = v.safeParse(HeadSeq, parsed(lines.at(-1) ?? ""));
    if (!head.success) throw new Unreadable(`the page from row ${rows + 1} does not end with a signed head`);
    pages.push(text);
    rows += lines.length - 1;
    // A page that was kept at the edge carries the head of its own time, which may be behind what a later page said.
    headSeq = Math.max(headSeq, head.output.head.seq);
    way.progress("record", rows, headSeq);
    if (rows >= headSeq && lines.length - 1 < 1_000) return pages;
    if (lines.length === 1) return pages;
  }
  throw new Unreadable("the record does not end");
}

async function readEntries(drop: string, shard: number, count: number, way: Way): Promise<readonly Leaf[] | null> {
  let latest: readonly Leaf[] | null = null;
  for (let tries = 0; tries < ENTRIES_TRIES; tries++) {
    if (tries > 0) await way.wait(ENTRIES_PAUSE_MS);
    const { status, text } = await way.get(`/api/drops/${drop}/entries?shard=${shard}`);
    if (status !== 200 && status !== 404) throw new Unreadable(`the entries of shard ${shard} answered ${status}`);
    if (status === 404) continue;
    const answer = v.safeParse(Entries, parsed(text));
    if (!answer.success) throw new Unreadable(`the entries of shard ${shard} are not a list of entries`);
    latest = answer.output.entries;
    if (latest.length >= count) return latest;
  }
  return latest;
}

/** A ticket's inclusion proof; null before its seal, and where the store knows no such ticket. */
export async function readProof(drop: string, ticket: string, way: Way): Promise<Proof | null> {
  const { status, text } = await way.get(`/api/drops/${drop}/tickets/${encodeURIComponent(ticket)}/proof`);
  if (status === 404) return null;
  if (status !== 200) throw new Unreadable(`the proof answered ${status}`);
  const proof = v.safeParse(ProofShape, parsed(text));
  if (!proof.success) throw new Unreadable("the proof is not an inclusion proof");
  return proof.output;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
