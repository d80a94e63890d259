import type { RecordRow, RowOf, StockRow } from "../../schema/wire/record.ts";
import { beaconTermsFault } from "./beacon.ts";
import { checkDraw, isOver, type SealedLeaf } from "./draw.ts";
import type { Findings } from "./findings.ts";
import { Holds } from "./holds.ts";
import { Line } from "./line.ts";
import { Reserves } from "./reserves.ts";
import { Schedule } from "./schedule.ts";
import type { Hashing } from "./sha256.ts";
import { Stock } from "./stock.ts";

export interface WalkTools {
  readonly hashing: Hashing;
  readonly findings: Findings;
  readonly progress: (step: string, done: number, total: number) => void;
}

export interface Walked {
  readonly schedule: Schedule;
  readonly seed: string | null;
  readonly missing: readonly number[];
  readonly admitted: number;
  readonly holds: number;
  readonly held: number;
  readonly sold: number;
  readonly isClosed: boolean;
  readonly isCancelled: boolean;
}

const NEWS_EVERY = 4_096;

/**
 * Goes through the record row by row, as a stranger who was there would have
 * seen it happen, and compares every row with what may follow from the rows
 * before it. `leaves` are the published entries, null where they are not known.
 */
export class Walk {
  readonly #tools: WalkTools;
  readonly #findings: Findings;
  readonly #rows: readonly RecordRow[];
  readonly #drop: string | null;
  readonly #schedule: Schedule;
  readonly #stock: Stock;
  readonly #holds: Holds;
  readonly #line: Line;
  readonly #reserves: Reserves;
  #seed: string | null = null;
  #drawnAt: string | null = null;
  #missing: readonly number[] = [];
  #isPaused = false;
  #cancelledAt: number | null = null;
  #isClosed = false;

  constructor(rows: readonly RecordRow[], plan: RowOf<"plan">, { drop, leaves }: { readonly drop: string | null; readonly leaves: ReadonlyMap<string, SealedLeaf> | null }, tools: WalkTools) {
    this.#tools = tools;
    this.#findings = tools.findings;
    this.#rows = rows;
    this.#drop = drop;
    this.#schedule = new Schedule(plan, tools.findings);
    this.#stock = new Stock(this.#schedule, tools.findings);
    this.#holds = new Holds(tools.findings);
    this.#line = new Line(this.#schedule, { leaves, isOver: isOver(rows) }, tools.hashing, tools.findings);
    this.#reserves = new Reserves(this.#schedule, this.#stock, tools.findings);
    this.#checkBeacon(plan);
  }

  run(): Walked {
    for (const [index, row] of this.#rows.entries()) {
      if (index % NEWS_EVERY === 0) this.#tools.progress("rows", index, this.#rows.length);
      this.#see(row, index);
    }
    this.#holds.settle();
    const { held, sold } = this.#stock.totals();
    return {
      schedule: this.#schedule, seed: this.#seed, missing: this.#missing, admitted: this.#line.admittedCount, holds: this.#holds.count,
      held, sold, isClosed: this.#isClosed, isCancelled: this.#cancelledAt !== null,
    };
  }

  #checkBeacon(plan: RowOf<"plan">): void {
    const fault = plan.beacon === undefined ? null : beaconTermsFault(plan.beacon, this.#schedule.opensAt);
    if (fault !== null) this.#findings.row(plan, fault);
  }

  #see(row: RecordRow, index: number): void {
    const at = Date.parse(row.at);
    // A shard may send its last seal late; it moves nothing.
    if (this.#isClosed && row.kind !== "seal") this.#findings.row(row, "comes after the books were closed");
    if (this.#cancelledAt !== null && !["void", "return", "close", "seal", "cancel"].includes(row.kind)) this.#findings.row(row, "comes after the drop was cancelled");
    switch (row.kind) {
      case "hold": case "place": case "sell": case "expire": case "abandon": case "void": case "return":
        return this.#move(row, at);
      default:
        this.#holds.settle();
    }
    switch (row.kind) {
      case "plan":
        if (index === 0) return;
        this.#schedule.replace(row, at, (sku) => this.#stock.takenOf(sku), this.#findings);
        return this.#checkBeacon(row);
      case "seal":
        if (at < this.#schedule.opensAt) this.#findings.row(row, "seals before the opening");
        if (row.shard >= this.#schedule.first.shards) this.#findings.row(row, "seals a shard that the plan does not have");
        return this.#line.seal(row);
      case "draw":
        return this.#draw(row, index);
      case "serve":
        // Where everybody is served at once the draw itself says so, paused or not; to be admitted one still waits for the pause to end.
        if (row.upTo !== "~" || row.at !== this.#drawnAt) this.#whileServing(row, at);
        if (row.upTo === "~" && row.at !== this.#drawnAt) this.#findings.row(row, "serves everybody at once, which is said with the draw or never");
        return this.#line.serve(row);
      case "admit":
        this.#whileServing(row, at);
        return this.#line.admit(row);
      case "extend":
        return this.#schedule.extend(row, at, this.#findings);
      case "pause": case "resume": case "cancel":
        return this.#control(row, at);
      case "close":
        return this.#close(row, at);
    }
  }

  #move(row: StockRow, at: number): void {
    if (row.kind === "hold") {
      // Money that came late takes its units again, whatever the sale's controls say about new holds.
      const isNew = !this.#holds.isKnown(row.ref);
      if (isNew) this.#whileServing(row, at);
      else if (at >= this.#schedule.closesAt) this.#findings.row(row, "takes units for late money after the end of the drop");
      this.#line.hold(row);
    }
    this.#holds.move(row, this.#cancelledAt !== null);
    this.#stock.move(row, at, this.#line.peopleOf(row.subject));
    if (this.#cancelledAt === null) this.#reserves.move(row, this.#line.laneOf(row.subject), at);
  }

  /** Thresholds, admissions and new holds: after the draw, while the drop is open and not paused. */
  #whileServing(row: RecordRow, at: number): void {
    if (this.#seed === null) this.#findings.row(row, "comes before the draw");
    if (this.#isPaused) this.#findings.row(row, "comes while the drop is paused");
    if (at < this.#schedule.opensAt) this.#findings.row(row, "comes before the opening");
    if (at >= this.#schedule.closesAt) this.#findings.row(row, "comes after the end of the drop");
  }

  #draw(row: RowOf<"draw">, index: number): void {
    if (this.#seed !== null) this.#findings.row(row, "is a second draw");
    checkDraw(row, this.#rows.slice(0, index), this.#schedule, this.#drop, this.#tools);
    this.#seed = row.seed;
    this.#drawnAt = row.at;
    this.#missing = row.missing;
    this.#line.draw(row, (done, total) => this.#tools.progress("ranks", done, total));
  }

  #control(row: RowOf<"pause" | "resume" | "cancel">, at: number): void {
    if (at >= this.#schedule.closesAt) this.#findings.row(row, "comes after the end of the drop");
    if (row.kind === "cancel") {
      if (this.#cancelledAt !== null) this.#findings.row(row, "cancels a drop that is cancelled");
      this.#cancelledAt = at;
      return;
    }
    const isPause = row.kind === "pause";
    if (this.#isPaused === isPause) this.#findings.row(row, isPause ? "pauses a drop that is paused" : "resumes a drop that is not paused");
    this.#isPaused = isPause;
  }

  #close(row: RowOf<"close">, at: number): void {
    if (at < this.#schedule.closesAt) this.#findings.row(row, "closes the books before the end of the drop");
    this.#stock.close(row, this.#cancelledAt ?? at);
    this.#isClosed = true;
  }
}
