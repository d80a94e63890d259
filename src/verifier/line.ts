import type { RowOf, StockRow } from "../../schema/wire/record.ts";
import { unhex } from "./bytes.ts";
import { rankPart, type SealedLeaf } from "./draw.ts";
import type { Findings } from "./findings.ts";
import { Latecomers } from "./latecomers.ts";
import type { Schedule } from "./schedule.ts";
import type { Hashing } from "./sha256.ts";

const NEWS_EVERY = 4_096;
const OPEN_LANE = "open";
/** The threshold behind every rank. */
const EVERYONE = "~";
/** So often one entry may be admitted in one stage; whoever is admitted more often gets turns that others wait for. */
const ADMISSIONS_PER_STAGE_MAX = 2;

interface Admitted {
  readonly rank: string;
  readonly lane: string;
  readonly people: number;
}

/**
 * The order of service: every threshold, everybody who was admitted under it,
 * and that who holds something was called for it.
 */
export class Line {
  readonly #findings: Findings;
  readonly #schedule: Schedule;
  readonly #hashing: Hashing;
  readonly #leaves: ReadonlyMap<string, SealedLeaf> | null;
  readonly #isOver: boolean;
  readonly #thresholds = new Map<string, string>();
  readonly #admitted = new Map<string, Admitted>();
  /** How often an entry was admitted, by the stage as it was written. */
  readonly #admissions = new Map<string, number>();
  readonly #latecomers: Latecomers;
  /** Everybody by the rank of whoever was drawn, and by the draw's part of it of whoever came later; null before the draw, and where the entries are not known. */
  #ranks: ReadonlyMap<string, SealedLeaf> | null = null;
  #draw: ((data: Uint8Array) => Uint8Array) | null = null;

  constructor(schedule: Schedule, lobby: { readonly leaves: ReadonlyMap<string, SealedLeaf> | null; readonly isOver: boolean }, hashing: Hashing, findings: Findings) {
    this.#schedule = schedule;
    this.#leaves = lobby.leaves;
    this.#isOver = lobby.isOver;
    this.#hashing = hashing;
    this.#findings = findings;
    this.#latecomers = new Latecomers(findings);
  }

  get admittedCount(): number {
    return this.#admitted.size;
  }

  laneOf(subject: string): string {
    return this.#admitted.get(subject)?.lane ?? OPEN_LANE;
  }

  /** How many stand in line as this one entry; one who was never admitted is one. */
  peopleOf(subject: string): number {
    return this.#admitted.get(subject)?.people ?? 1;
  }

  /** Ranks the whole lobby, once the seed is out. */
  draw(row: RowOf<"draw">, progress: (done: number, total: number) => void): void {
    this.#draw = this.#hashing.hmac(unhex(row.seed));
    this.#latecomers.draw(row);
    if (this.#leaves === null) return;
    const ranks = new Map<string, SealedLeaf>();
    let done = 0;
    for (const leaf of this.#leaves.values()) {
      ranks.set(rankPart(leaf, this.#draw), leaf);
      if (++done % NEWS_EVERY === 0) progress(done, this.#leaves.size);
    }
    this.#ranks = ranks;
  }

  seal(row: RowOf<"seal">): void {
    this.#latecomers.seal(row);
  }

  serve(row: RowOf<"serve">): void {
    const { sku, lane, upTo } = row;
    const bundles = this.#schedule.first.bundles ?? [];
    if (!this.#schedule.skus.includes(sku) && !bundles.some((bundle) => bundle.sku === sku)) this.#findings.row(row, `serves ${sku}, which the plan does not have`);
    if (lane !== OPEN_LANE && !this.#schedule.first.lanes.some((terms) => terms.lane === lane)) this.#findings.row(row, `serves the lane ${JSON.stringify(lane)}, which the plan does not have`);
    const line = `${lane}/${sku}`;
    const before = this.#thresholds.get(line) ?? "";
    if (upTo <= before) this.#findings.row(row, `moves the threshold of ${sku} for the lane ${lane} back, from ${before} to ${upTo}`);
    const leaf = this.#ranks?.get(upTo.startsWith("0") ? upTo : upTo.slice(13));
    if (upTo !== EVERYONE && this.#ranks !== null && leaf === undefined) this.#findings.row(row, "serves up to a rank that nobody in the lobby has");
    if (leaf !== undefined && upTo.startsWith("1")) {
      this.#checkTime(row, leaf, upTo);
      this.#latecomers.called(timeOf(upTo));
    }
    this.#thresholds.set(line, upTo);
  }

  admit(row: RowOf<"admit">): void {
    const { subject, rank, lane, people = 1 } = row;
    const before = this.#admitted.get(subject);
    if (before !== undefined && (before.rank !== rank || before.lane !== lane)) this.#findings.row(row, "admits somebody with another rank or lane than before");
    if (before !== undefined && before.people !== people) this.#findings.row(row, `admits ${people} with an entry that stood for ${before.people} before`);
    const most = this.#schedule.first.group ?? 1;
    if (people > most) this.#findings.row(row, `admits ${people} people with one entry, and the plan lets ${most} stand together`);
    // More than may stand together have no more than those would have had.
    this.#admitted.set(subject, { rank, lane, people: Math.min(people, most) });
    const turn = `${subject}/${this.#schedule.writtenStageAt(Date.parse(row.at))}`;
    const admissions = (this.#admissions.get(turn) ?? 0) + 1;
    this.#admissions.set(turn, admissions);
    if (admissions > ADMISSIONS_PER_STAGE_MAX) this.#findings.row(row, `admits somebody ${admissions} times in one stage, and ${ADMISSIONS_PER_STAGE_MAX} is the most`);
    this.#checkRank(row);
    const reached = this.#lines().some((sku) => rank <= this.#threshold(lane, sku));
    if (!reached) this.#findings.row(row, "admits somebody whose rank is beyond every threshold of their lane");
    this.#checkLanes(row);
  }

  /** Whoever holds something was admitted, and was called for what they hold. */
  hold(row: StockRow): void {
    const who = this.#admitted.get(row.subject);
    if (who === undefined) {
      this.#findings.row(row, "is a hold of somebody who was never admitted");
      return;
    }
    const sellers = [row.sku, ...(this.#schedule.first.bundles ?? []).filter(({ components }) => components.some(({ sku }) => sku === row.sku)).map(({ sku }) => sku)];
    if (!sellers.some((sku) => who.rank <= this.#threshold(who.lane, sku))) this.#findings.row(row, `is a hold of ${row.sku} by somebody whose rank was not reached for it`);
  }

  /** Nobody in a lane is worse off than everybody else. */
  #checkLanes(row: RowOf<"admit">): void {
    for (const { lane } of this.#schedule.first.lanes) {
      for (const sku of this.#lines()) {
        if (this.#threshold(lane, sku) < this.#threshold(OPEN_LANE, sku)) this.#findings.row(row, `comes while the lane ${lane} is served less far for ${sku} than everybody is`);
      }
    }
  }

  #checkRank(row: RowOf<"admit">): void {
    const { subject, rank, lane } = row;
    if (this.#leaves === null || this.#draw === null) return;
    const leaf = this.#leaves.get(subject);
    // Where everyone is served at once nothing is ranked, and nobody waits for a seal.
    const isForAll = this.#lines().some((sku) => this.#threshold(lane, sku) === EVERYONE);
    if (leaf === undefined) {
      if (!isForAll || this.#isOver) this.#findings.row(row, "admits somebody who is in no seal");
      return;
    }
    if (leaf.sealSeq > row.seq && !isForAll) this.#findings.row(row, "admits somebody before their seal");
    if (leaf.lane !== lane) this.#findings.row(row, `admits somebody in the lane ${lane} who was sealed in the lane ${leaf.lane}`);
    const part = rankPart(leaf, this.#draw);
    const isDrawn = leaf.batch === 0;
    const isRight = isDrawn ? rank === part : rank.startsWith("1") && rank.slice(13) === part;
    if (!isRight) this.#findings.row(row, "has a rank that does not follow from the seed, the entry and its chances");
    if (!isDrawn && rank.startsWith("1")) this.#checkTime(row, leaf, rank);
  }

  #checkTime(row: RowOf<"admit" | "serve">, leaf: SealedLeaf, rank: string): void {
    const joinedAt = timeOf(rank);
    if (joinedAt < this.#schedule.opensAt || joinedAt >= this.#schedule.closesAt) this.#findings.row(row, "has a rank for somebody who came late, with a time at which the drop was not open");
    this.#latecomers.see(row, leaf, joinedAt);
  }

  #lines(): string[] {
    return [...this.#schedule.skus, ...(this.#schedule.first.bundles ?? []).map(({ sku }) => sku)];
  }

  #threshold(lane: string, sku: string): string {
    return this.#thresholds.get(`${lane}/${sku}`) ?? "";
  }
}

/** When somebody came, by a latecomer's rank. */
function timeOf(rank: string): number {
  return Number.parseInt(rank.slice(1, 13), 16);
}
