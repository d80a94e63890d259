import { createHash, createHmac, createPublicKey, verify as verifySignature, type JsonWebKey } from "node:crypto";
import { LaneLedger } from "./lane-ledger.ts";

/*
 * The record, recomputed by a stranger: written from the published description
 * alone, with nothing of the product's but SHA-256, HMAC and Ed25519 from Node.
 */

type Row = Record<string, unknown> & { seq: number; kind: string; at: string; prevHash: string; hash: string };

export interface PublicRecord {
  readonly rows: readonly Row[];
  readonly head: { readonly seq: number; readonly hash: string; readonly at: string };
  readonly signature: string;
}

export interface Verdict {
  readonly failures: readonly string[];
  readonly heldUnits: number;
  readonly soldUnits: number;
  readonly admitted: number;
}

/** RFC 8785 for what a record holds: strings, integers, booleans, null, arrays and objects. */
export function jcs(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jcs).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jcs(member)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");

/** How a request leaves, where it is not the network. */
type Sender = (url: string, init: RequestInit) => Promise<Response>;

/** Reads every page of a record; the last page's last line is the signed head. */
export async function readRecord(store: string, drop: string, sender: Sender = fetch): Promise<PublicRecord> {
  const rows: Row[] = [];
  for (;;) {
    const response = await sender(`${store}/api/drops/${drop}/record?from=${rows.length + 1}`, {});
    if (response.status !== 200) throw new Error(`the record answered ${response.status}: ${await response.text()}`);
    const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    const last = lines.at(-1);
    const page = (last !== undefined && "head" in last ? lines.slice(0, -1) : lines) as Row[];
    rows.push(...page);
    if (last !== undefined && "head" in last) {
      const { head, signature } = last as unknown as PublicRecord;
      if (head.seq <= rows.length) return { rows, head, signature };
    }
    if (page.length === 0) throw new Error("a page of the record is empty although the head is further on");
  }
}

function checkChain(record: PublicRecord, failures: string[]): void {
  let prevHash = "0".repeat(64);
  let previousAt = "";
  for (const [index, row] of record.rows.entries()) {
    const { prevHash: statedPrevious, hash, ...movement } = row;
    if (row.seq !== index + 1) failures.push(`row ${index + 1} has seq ${row.seq}`);
    if (statedPrevious !== prevHash) failures.push(`row ${row.seq}: prevHash does not match`);
    if (sha256(`${prevHash}\n${jcs(movement)}`) !== hash) failures.push(`row ${row.seq}: hash does not match`);
    if (row.at < previousAt) failures.push(`row ${row.seq}: time runs backwards`);
    prevHash = hash;
    previousAt = row.at;
  }
  const last = record.rows.at(-1);
  if (last?.hash !== record.head.hash || last.seq !== record.head.seq) failures.push("the head does not name the last row");
}

function checkSignature(record: PublicRecord, keys: readonly JsonWebKey[], failures: string[]): void {
  const [header = "", payload = "", signature = ""] = record.signature.split(".");
  const parsed = JSON.parse(Buffer.from(header, "base64url").toString()) as { alg: string; kid: string };
  const key = keys.find((candidate) => candidate["kid"] === parsed.kid);
  if (parsed.alg !== "EdDSA" || key === undefined) {
    failures.push("the head is signed by an unknown key");
    return;
  }
  const isSigned = verifySignature(null, Buffer.from(`${header}.${payload}`), createPublicKey({ key, format: "jwk" }), Buffer.from(signature, "base64url"));
  if (!isSigned) failures.push("the head's signature does not verify");
  if (Buffer.from(payload, "base64url").toString() !== jcs(record.head)) failures.push("the signature is over another head");
}

interface PlanRow extends Row {
  readonly lanes: readonly { readonly lane: string; readonly sharePercent: number; readonly untilMs: number; readonly weight: number }[];
  readonly items: readonly { sku: string; stages: readonly { opensAt: string; units: number }[] }[];
  readonly commitment: string;
  readonly limitPerPerson: number;
}

type StagesBySku = Map<string, readonly { readonly opensAt: string; readonly units: number }[]>;

/** The stages as the plan, a published change of it, or an extension has them. */
function replan(row: Row, stages: StagesBySku): void {
  for (const item of (row["items"] as PlanRow["items"] | undefined) ?? []) stages.set(item.sku, item.stages);
  const openings = new Map(((row["stages"] as { stage: number; opensAt: string }[] | undefined) ?? []).map(({ stage, opensAt }) => [stage, opensAt]));
  for (const [sku, ofSku] of stages) stages.set(sku, ofSku.map((stage, index) => ({ ...stage, opensAt: openings.get(index + 1) ?? stage.opensAt })));
}

function checkStock(record: PublicRecord, plan: PlanRow, failures: string[]): { heldUnits: number; soldUnits: number } {
  const held = new Map<string, number>();
  const sold = new Map<string, number>();
  const stages: StagesBySku = new Map();
  replan(plan, stages);
  const add = (counts: Map<string, number>, sku: string, units: number) => counts.set(sku, (counts.get(sku) ?? 0) + units);
  for (const row of record.rows) {
    if (row.kind === "plan" || row.kind === "extend") replan(row, stages);
    const sku = row["sku"] as string;
    const quantity = row["quantity"] as number;
    if (row.kind === "hold") add(held, sku, quantity);
    else if (row.kind === "sell") {
      add(held, sku, -quantity);
      add(sold, sku, quantity);
    } else if (["expire", "abandon", "void"].includes(row.kind)) add(held, sku, -quantity);
    else if (row.kind === "return") add(sold, sku, -quantity);
    else continue;
    const released = (stages.get(sku) ?? []).filter((stage) => stage.opensAt <= row.at).reduce((sum, stage) => sum + stage.units, 0);
    const taken = (held.get(sku) ?? 0) + (sold.get(sku) ?? 0);
    if (taken > released) failures.push(`row ${row.seq}: held + sold of ${sku} is ${taken}, released is ${released}`);
    if ((held.get(sku) ?? 0) < 0 || (sold.get(sku) ?? 0) < 0) failures.push(`row ${row.seq}: a count of ${sku} is negative`);
  }
  const total = (counts: Map<string, number>) => [...counts.values()].reduce((sum, units) => sum + units, 0);
  return { heldUnits: total(held), soldUnits: total(sold) };
}

/** Nobody outside of a lane ever took a unit that was kept for it. */
function checkLanes(record: PublicRecord, plan: PlanRow, failures: string[]): void {
  const ledger = new LaneLedger(plan);
  for (const row of record.rows) {
    const failure = ledger.read(row);
    if (failure !== null) failures.push(failure);
  }
}

function merkleRoot(leaves: readonly string[]): string {
  const level = leaves.map((leaf) => createHash("sha256").update(Buffer.concat([Buffer.from([0]), Buffer.from(leaf)])).digest());
  const rootOf = (nodes: readonly Buffer[]): Buffer => {
    if (nodes.length === 1) return nodes[0] as Buffer;
    let split = 1;
    while (split * 2 < nodes.length) split *= 2;
    return createHash("sha256").update(Buffer.concat([Buffer.from([1]), rootOf(nodes.slice(0, split)), rootOf(nodes.slice(split))])).digest();
  };
  return level.length === 0 ? sha256("") : rootOf(level).toString("hex");
}

interface Leaf {
  readonly entry: string;
  readonly lane: string;
  readonly weight: number;
}

/** Seals, seed, commitment, every rank and every threshold, from the published leaves of each shard. */
async function checkDraw(record: PublicRecord, plan: PlanRow, leavesOf: (shard: number) => Promise<readonly Leaf[]>, failures: string[]): Promise<number> {
  const draw = record.rows.find((row) => row.kind === "draw");
  if (draw === undefined) return 0;
  const secret = Buffer.from(draw["secret"] as string, "hex");
  if (sha256(secret) !== plan.commitment) failures.push("the secret does not match the commitment");
  const shards = plan["shards"] as number;
  const seals = record.rows.filter((row) => row.kind === "seal");
  const roots: (string | null)[] = [];
  const drawn = new Map<string, Leaf>();
  const late = new Map<string, Leaf>();
  for (let shard = 0; shard < shards; shard++) {
    const ofShard = seals.filter((row) => row["shard"] === shard);
    const leaves = ofShard.length === 0 ? [] : await leavesOf(shard);
    let offset = 0;
    for (const [batch, seal] of ofShard.entries()) {
      const count = seal["count"] as number;
      const part = leaves.slice(offset, offset + count);
      offset += count;
      const sorted = part.toSorted((a, b) => (a.entry < b.entry ? -1 : 1));
      if (part.length !== count) failures.push(`row ${seal.seq}: shard ${shard} publishes fewer leaves than it sealed`);
      if (part.some((leaf, index) => leaf !== sorted[index])) failures.push(`row ${seal.seq}: the leaves are not sorted`);
      if (merkleRoot(part.map(jcs)) !== seal["root"]) failures.push(`row ${seal.seq}: the root does not match the leaves`);
      for (const leaf of part) (batch === 0 ? drawn : late).set(leaf.entry, leaf);
    }
    roots.push((ofShard[0]?.["root"] as string | undefined) ?? null);
  }
  const missing = new Set((draw["missing"] as number[] | undefined) ?? []);
  const seed = sha256(jcs({
    drop: plan["drop"],
    planHash: plan.hash,
    secret: draw["secret"],
    roots: roots.map((root, shard) => (missing.has(shard) ? null : root)),
    beacon: draw["beacon"] ?? null,
  }));
  if (seed !== draw["seed"]) failures.push("the seed does not follow from what was sealed");
  checkAdmissions(record, seed, drawn, late, failures);
  return record.rows.filter((row) => row.kind === "admit").length;
}

function checkAdmissions(record: PublicRecord, seed: string, drawn: ReadonlyMap<string, Leaf>, late: ReadonlyMap<string, Leaf>, failures: string[]): void {
  const thresholds = new Map<string, string>();
  for (const row of record.rows) {
    if (row.kind === "serve") {
      const line = `${String(row["lane"])}/${String(row["sku"])}`;
      const upTo = row["upTo"] as string;
      if (upTo < (thresholds.get(line) ?? "")) failures.push(`row ${row.seq}: a threshold moved backwards`);
      thresholds.set(line, upTo);
    }
    if (row.kind !== "admit") continue;
    const entry = row["subject"] as string;
    const rank = row["rank"] as string;
    const leaf = drawn.get(entry) ?? late.get(entry);
    if (leaf === undefined) {
      failures.push(`row ${row.seq}: somebody was admitted who is in no seal`);
      continue;
    }
    if (row["lane"] !== leaf.lane) failures.push(`row ${row.seq}: admitted in another lane than was sealed`);
    const values = Array.from({ length: leaf.weight }, (_, index) => createHmac("sha256", Buffer.from(seed, "hex")).update(`${entry}/${index + 1}`).digest("hex"));
    const smallest = values.toSorted()[0] ?? "";
    const isRight = drawn.has(entry) ? rank === `0${smallest.slice(0, 32)}` : /^1[0-9a-f]{12}/.test(rank) && rank.slice(13) === smallest.slice(0, 16);
    if (!isRight) failures.push(`row ${row.seq}: the rank does not follow from the seed`);
    const isServed = [...thresholds].some(([line, upTo]) => line.startsWith(`${leaf.lane}/`) && rank <= upTo);
    if (!isServed) failures.push(`row ${row.seq}: admitted beyond every threshold`);
  }
}

/** Recomputes everything that is public about a drop. No failures means: the record is right. */
export async function verifyRecord(store: string, drop: string): Promise<Verdict> {
  const record = await readRecord(store, drop);
  const jwks = (await (await fetch(`${store}/.well-known/jwks.json`)).json()) as { keys: JsonWebKey[] };
  const failures: string[] = [];
  checkChain(record, failures);
  checkSignature(record, jwks.keys, failures);
  const plan = record.rows[0] as PlanRow | undefined;
  if (plan?.kind !== "plan") return { failures: [...failures, "the first row is not the plan"], heldUnits: 0, soldUnits: 0, admitted: 0 };
  const counts = checkStock(record, plan, failures);
  checkLanes(record, plan, failures);
  const leavesOf = async (shard: number) => {
    const response = await fetch(`${store}/api/drops/${drop}/entries?shard=${shard}`);
    return ((await response.json()) as { entries: Leaf[] }).entries;
  };
  // The seed names the drop by its slug, which a reader knows from the address it asked.
  const admitted = await checkDraw(record, { ...plan, drop }, leavesOf, failures);
  return { failures, ...counts, admitted };
}
