import { createHash, createHmac } from "node:crypto";
import * as v from "valibot";
import { OPEN_LANE, type PlanSource } from "../../../src/drop/plan.ts";
import type { CallRow, ThresholdRow } from "../../../src/drop/state.ts";
import { assert } from "../../../src/kernel/result.ts";
import type { JoinedTicket, Leaf } from "../../../src/lobby/port.ts";
import { jcs } from "../../support/record-verifier.ts";
import type { LaneLedger } from "../../support/lane-ledger.ts";

const planShape = v.object({ items: v.array(v.object({ stages: v.array(v.object({ opensAt: v.string() })) })) });
const extendShape = v.object({ stages: v.array(v.object({ stage: v.number(), opensAt: v.string() })) });

type Row = Readonly<Record<string, unknown>>;

interface Waiter extends JoinedTicket {
  readonly shard: number;
  /** Its number among the tickets of its shard, from 0. */
  readonly index: number;
  rank: string;
}

/**
 * The order of service, computed again from its published description: the
 * seed from what was sealed, every rank from the seed, every threshold's
 * pace from who was waiting. It knows every ticket that a shard gave, and
 * nothing of how the product counts.
 */
export class LineAuditor {
  readonly #source: PlanSource;
  /** What is kept for whom, by the rows that were read; null before the plan. */
  readonly #lanes: () => LaneLedger | null;
  readonly #waiters = new Map<string, Waiter>();
  readonly #joined = new Map<number, number>();
  /** How many tickets of a shard are in the seals of the record. */
  readonly #sealed = new Map<number, number>();
  readonly #roots = new Map<number, string[]>();
  readonly #thresholds = new Map<string, string>();
  readonly #admitted = new Set<string>();
  /** Who was called to what, and until when it is kept; nobody who has sat down is in it. */
  readonly #called = new Map<string, { readonly entry: string; readonly lane: string; readonly sku: string; readonly untilAt: number }>();
  /** Whom the rows that were just read have passed with a threshold. */
  readonly #passed: { readonly waiter: Waiter; readonly sku: string }[] = [];
  #plan: { readonly hash: string; readonly commitment: string } | null = null;
  #seed: Buffer | null = null;
  #missing: readonly number[] = [];
  #opensAt = 0;

  constructor(source: PlanSource, lanes: () => LaneLedger | null) {
    this.#source = source;
    this.#lanes = lanes;
  }

  get missing(): readonly number[] {
    return this.#missing;
  }

  /** The rank of an entry; "" before the draw. */
  rankOf(entry: string): string {
    return this.#waiters.get(entry)?.rank ?? "";
  }

  /** Somebody got a ticket: noted where the shard wrote it. */
  noteTicket(shard: number, ticket: JoinedTicket): void {
    const known = this.#waiters.get(ticket.entry);
    assert(known === undefined || (known.joinedAt === ticket.joinedAt && known.shard === shard), "a ticket keeps its place");
    const index = known?.index ?? this.#joined.get(shard) ?? 0;
    if (known === undefined) this.#joined.set(shard, index + 1);
    const waiter = { ...ticket, shard, index, rank: "" };
    if (this.#seed !== null) waiter.rank = this.#rankOf(waiter);
    this.#waiters.set(ticket.entry, waiter);
  }

  /**
   * The drop decided something at `now`, row or no row. Where its clock jumped
   * ahead for a moment, whoever was called and did not come by then is no longer
   * kept a place, although the record's time never got there.
   */
  noteTime(now: number): void {
    for (const [key, call] of this.#called) if (now >= call.untilAt) this.#called.delete(key);
  }

  read(row: Row): void {
    switch (row["kind"]) {
      case "plan":
        // The first row's hash names the plan for good; a changed one moves at most the opening.
        this.#plan ??= { hash: String(row["hash"]), commitment: String(row["commitment"]) };
        this.#opensAt = openingOf(v.parse(planShape, row).items[0]?.stages ?? []);
        return;
      case "extend":
        // Only a drop that is not open yet puts its first stage off.
        this.#opensAt = Math.max(this.#opensAt, openingOf(v.parse(extendShape, row).stages.filter(({ stage }) => stage === 1)));
        return;
      case "seal":
        this.#roots.set(Number(row["shard"]), [...(this.#roots.get(Number(row["shard"])) ?? []), String(row["root"])]);
        this.#sealed.set(Number(row["shard"]), (this.#sealed.get(Number(row["shard"])) ?? 0) + Number(row["count"]));
        return;
      case "draw":
        return this.#readDraw(row);
      case "serve":
        return this.#readServe(row);
      case "admit":
        return this.#readAdmission(row);
      default:
    }
  }

  /**
   * What the drop keeps of its line: thresholds are what the record says, nobody
   * is called beyond one, and everybody whom one has passed is known to the drop.
   */
  checkStored(calls: ReadonlyMap<string, CallRow>, thresholds: ReadonlyMap<string, ThresholdRow>): void {
    for (const [line, upTo] of this.#thresholds) assert(thresholds.get(line)?.upTo === upTo, "a threshold is where the record says");
    for (const { waiter, sku } of this.#passed.splice(0)) {
      const isKnown = this.#admitted.has(waiter.entry) || !this.#called.has(`${waiter.entry}/${sku}`) || calls.has(`${waiter.lane}/${sku}/${waiter.rank}`);
      assert(isKnown, "nobody is passed over because a shard had not told of them");
    }
    for (const call of calls.values()) assert(call.rank <= (this.#thresholds.get(`${call.lane}/${call.sku}`) ?? ""), "only who is served is called");
  }

  /** At the end: the leaves that a shard publishes are its tickets, and lead to the roots that it sealed. */
  checkLeaves(shard: number, batches: readonly (readonly Leaf[])[]): void {
    const roots = this.#roots.get(shard) ?? [];
    assert(batches.length === roots.length, `shard ${shard} publishes the leaves of every seal`);
    for (const [batch, leaves] of batches.entries()) {
      assert(merkleRoot(leaves) === roots[batch], `the leaves of shard ${shard} lead to the root that it sealed`);
      for (const { entry, lane, weight } of leaves) {
        const waiter = this.#waiters.get(entry);
        assert(waiter !== undefined && waiter.shard === shard && waiter.lane === lane && waiter.weight === weight, "what is sealed is a ticket as it was given");
        assert((waiter.joinedAt < this.#opensAt) === (batch === 0), "exactly those who were there before the opening are drawn");
      }
    }
  }

  #readDraw(row: Row): void {
    const plan = this.#plan;
    const secret = String(row["secret"]);
    assert(plan !== null && sha256(Buffer.from(secret, "hex")) === plan.commitment, "the secret of the draw is the one that was promised");
    const roots = Array.from({ length: this.#source.shards }, (_, shard) => this.#roots.get(shard)?.[0] ?? null);
    const missing = roots.flatMap((root, shard) => (root === null ? [shard] : []));
    assert(JSON.stringify(row["missing"]) === JSON.stringify(missing), "the draw names the shards that it missed, and no other");
    const seed = sha256(jcs({ drop: this.#source.drop, planHash: plan.hash, secret, roots, beacon: null }));
    assert(seed === row["seed"], "the seed follows from what was sealed");
    this.#seed = Buffer.from(seed, "hex");
    this.#missing = missing;
    for (const waiter of this.#waiters.values()) waiter.rank = this.#rankOf(waiter);
  }

  #readServe(row: Row): void {
    const [sku, lane, upTo, at] = [String(row["sku"]), String(row["lane"]), String(row["upTo"]), String(row["at"])];
    const line = `${lane}/${sku}`;
    const before = this.#thresholds.get(line) ?? "";
    assert(upTo > before, "a threshold only moves on");
    this.#thresholds.set(line, upTo);
    if (this.#source.admit === "all") return;
    const now = Date.parse(at);
    this.noteTime(now);
    for (const waiter of this.#waiters.values()) {
      const isNew = waiter.lane === lane && waiter.rank > before && waiter.rank <= upTo && waiter.wants.some((want) => want.sku === sku);
      // Whoever sat down before is counted by the sitting or by what was bought, and a shard that the draw missed may still be counting its own.
      if (!isNew || this.#admitted.has(waiter.entry) || this.#missing.includes(waiter.shard)) continue;
      this.#passed.push({ waiter, sku });
      this.#called.set(`${waiter.entry}/${sku}`, { entry: waiter.entry, lane, sku, untilAt: now + this.#source.claimWindowMs });
    }
    this.#checkPace(sku, lane, now);
  }

  /**
   * Nobody is called to what those who were called before will take: at any
   * moment fewer people are on their way to a sku than there are units of it,
   * the last one included. What is kept for a lane and nobody of it is called to
   * is as good as taken for all others; and its own people may be called to what
   * is kept for them whoever else is on the way.
   */
  #checkPace(sku: string, lane: string, now: number): void {
    const lanes = this.#lanes();
    assert(lanes !== null, "a record begins with its plan");
    for (const part of this.#item(sku).components) {
      const wanted = new Map<string, number>();
      for (const call of this.#called.values()) {
        const other = this.#item(call.sku);
        // Who waits for something that is gone, or that is kept for others, keeps nothing from anyone.
        const isThere = other.components.every(({ sku: unit, quantity }) => lanes.within(unit, call.lane, now) >= quantity);
        const units = other.components.find((candidate) => candidate.sku === part.sku)?.quantity ?? 0;
        if (isThere) wanted.set(call.lane, (wanted.get(call.lane) ?? 0) + units);
      }
      const available = lanes.available(part.sku, now);
      const wantedOf = (of: string) => wanted.get(of) ?? 0;
      if (lane !== OPEN_LANE && wantedOf(lane) <= lanes.kept(part.sku, lane, now)) continue;
      const onTheirWay = [...wanted.values()].reduce((sum, units) => sum + units, 0);
      const keptBeyond = lanes.lanes.reduce((sum, of) => sum + Math.max(0, lanes.kept(part.sku, of, now) - wantedOf(of)), 0);
      assert(onTheirWay + keptBeyond <= available, `no more people are called than there are units of ${part.sku}: ${onTheirWay}, and ${keptBeyond} kept for others, of ${available}`);
    }
  }

  #readAdmission(row: Row): void {
    const [entry, rank, lane] = [String(row["subject"]), String(row["rank"]), String(row["lane"])];
    const waiter = this.#waiters.get(entry);
    assert(waiter !== undefined && waiter.lane === lane, "only somebody with a ticket is admitted, and in its lane");
    assert(waiter.rank === rank, "a rank follows from the seed and the ticket");
    assert(waiter.wants.some(({ sku }) => rank <= (this.#thresholds.get(`${lane}/${sku}`) ?? "")), "nobody is admitted beyond every threshold");
    assert(this.#source.admit === "all" || waiter.index < (this.#sealed.get(waiter.shard) ?? 0), "nobody is admitted who is in no seal");
    this.#admitted.add(entry);
    for (const { sku } of waiter.wants) this.#called.delete(`${entry}/${sku}`);
  }

  #item(sku: string): PlanSource["items"][number] {
    const item = this.#source.items.find((candidate) => candidate.sku === sku);
    assert(item !== undefined, "a line is for something that can be bought");
    return item;
  }

  /** As the description of the record has it. */
  #rankOf(waiter: Waiter): string {
    const seed = this.#seed ?? Buffer.alloc(0);
    const values = Array.from({ length: waiter.weight }, (_, index) => createHmac("sha256", seed).update(`${waiter.entry}/${index + 1}`).digest("hex"));
    const smallest = values.reduce((least, value) => (value < least ? value : least));
    return waiter.joinedAt < this.#opensAt ? `0${smallest.slice(0, 32)}` : `1${waiter.joinedAt.toString(16).padStart(12, "0")}${smallest.slice(0, 16)}`;
  }
}

function openingOf(stages: readonly { readonly opensAt: string }[]): number {
  const [first] = stages;
  return first === undefined ? 0 : Date.parse(first.opensAt);
}

function merkleRoot(leaves: readonly Leaf[]): string {
  const hashes = leaves.map(({ entry, lane, weight }) => createHash("sha256").update(Buffer.from([0])).update(jcs({ entry, lane, weight })).digest());
  const rootOf = (nodes: readonly Buffer[]): Buffer => {
    const [only] = nodes;
    if (only === undefined) return createHash("sha256").digest();
    if (nodes.length === 1) return only;
    let split = 1;
    while (split * 2 < nodes.length) split *= 2;
    return createHash("sha256").update(Buffer.concat([Buffer.from([1]), rootOf(nodes.slice(0, split)), rootOf(nodes.slice(split))])).digest();
  };
  return rootOf(hashes).toString("hex");
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
