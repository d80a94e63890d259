/*
 * What is kept for whom, recounted by a stranger from the rows of a public
 * record and from their description alone.
 */

type Row = Readonly<Record<string, unknown>>;

interface PlanRow {
  readonly lanes: readonly { readonly lane: string; readonly sharePercent: number; readonly untilMs: number }[];
  readonly items: readonly { readonly sku: string; readonly stages: readonly { readonly opensAt: string; readonly units: number }[] }[];
}

interface Stage {
  opensAt: number;
  readonly units: number;
}

const GIVES_BACK = ["expire", "abandon", "void", "return"];

/**
 * Reads a record row by row and says, after each, whether somebody has taken
 * what was kept for others, and whether everyone's line has overtaken a lane's.
 */
export class LaneLedger {
  readonly #lanes: PlanRow["lanes"];
  readonly #stages = new Map<string, Stage[]>();
  readonly #laneOf = new Map<string, string>();
  /** In which stage, from 1, the units of a hold were taken last. */
  readonly #madeIn = new Map<string, number>();
  /** Units held or sold, in all and by lane and stage. */
  readonly #taken = new Map<string, number>();
  readonly #thresholds = new Map<string, string>();
  #isCancelled = false;
  #seq = 0;

  constructor(plan: PlanRow) {
    this.#lanes = plan.lanes;
    this.#readStages(plan.items);
  }

  get lanes(): readonly string[] {
    return this.#lanes.map(({ lane }) => lane);
  }

  /** The number of the last row that was read. */
  get seq(): number {
    return this.#seq;
  }

  /** What is wrong after this row; null when nothing is. */
  read(row: Row): string | null {
    this.#seq = Number(row["seq"]);
    const kind = String(row["kind"]);
    if (kind === "admit") {
      this.#laneOf.set(String(row["subject"]), String(row["lane"]));
      return this.#overtaken();
    }
    if (kind === "serve") this.#thresholds.set(`${String(row["lane"])}/${String(row["sku"])}`, String(row["upTo"]));
    if (kind === "cancel") this.#isCancelled = true;
    // A published change: stages that are not open yet, and never the lanes.
    if (kind === "plan") this.#readStages(row["items"] as PlanRow["items"]);
    if (kind === "extend") this.#putOff(row["stages"] as readonly { readonly stage: number; readonly opensAt: string }[]);
    if (kind !== "hold" && !GIVES_BACK.includes(kind)) return null;
    return this.#move(row, kind === "hold" ? 1 : -1);
  }

  /** Units of a sku that are kept for a lane at an instant and that nobody of it has. */
  kept(sku: string, lane: string, at: number): number {
    const stages = this.#stages.get(sku) ?? [];
    const open = stages.filter(({ opensAt }) => opensAt <= at).length;
    const stage = stages[open - 1];
    const index = this.#lanes.findIndex((share) => share.lane === lane);
    const share = this.#lanes[index];
    if (stage === undefined || share === undefined) return 0;
    const lapsesAt = Math.min(stage.opensAt + share.untilMs, stages[open]?.opensAt ?? Number.POSITIVE_INFINITY);
    if (at >= lapsesAt) return 0;
    return Math.max(0, (this.#reserves(stage.units)[index] ?? 0) - (this.#taken.get(`${sku}/${lane}/${open}`) ?? 0));
  }

  /** Released and neither held nor sold. */
  available(sku: string, at: number): number {
    const released = (this.#stages.get(sku) ?? []).filter(({ opensAt }) => opensAt <= at).reduce((sum, stage) => sum + stage.units, 0);
    return released - (this.#taken.get(sku) ?? 0);
  }

  /** What somebody of a lane may have: all that is available and not kept for another lane. */
  within(sku: string, lane: string, at: number): number {
    return this.#lanes.reduce((units, other) => (other.lane === lane ? units : units - this.kept(sku, other.lane, at)), this.available(sku, at));
  }

  #move(row: Row, sign: 1 | -1): string | null {
    const [sku, ref, subject, quantity] = [String(row["sku"]), String(row["ref"]), String(row["subject"]), Number(row["quantity"])];
    // What comes back says in which stage it came back; what counts is where it was taken.
    if (sign === 1) this.#madeIn.set(ref, Number(row["stage"]));
    const counted = `${sku}/${this.#laneOf.get(subject) ?? "open"}/${this.#madeIn.get(ref) ?? 0}`;
    for (const key of [sku, counted]) this.#taken.set(key, (this.#taken.get(key) ?? 0) + sign * quantity);
    if ((this.#taken.get(counted) ?? 0) < 0) return `row ${String(row["seq"])}: more of ${sku} came back than a lane had taken`;
    const at = Date.parse(String(row["at"]));
    // After a cancellation nothing is taken any more, and stages that were not open never open.
    const left = this.#isCancelled ? 0 : this.within(sku, "nobody's", at);
    return left < 0 ? `row ${String(row["seq"])}: ${-left} of ${sku} that were kept for a lane were taken by others` : null;
  }

  #overtaken(): string | null {
    for (const [line, upTo] of this.#thresholds) {
      const [lane, ...sku] = line.split("/");
      if (lane !== "open") continue;
      for (const other of this.lanes) if ((this.#thresholds.get(`${other}/${sku.join("/")}`) ?? "") < upTo) return `everyone's line for ${sku.join("/")} is further than that of the lane ${other}`;
    }
    return null;
  }

  #readStages(items: PlanRow["items"]): void {
    for (const { sku, stages } of items) this.#stages.set(sku, stages.map(({ opensAt, units }) => ({ opensAt: Date.parse(opensAt), units })));
  }

  #putOff(stages: readonly { readonly stage: number; readonly opensAt: string }[]): void {
    for (const { stage, opensAt } of stages) {
      for (const ofSku of this.#stages.values()) {
        const one = ofSku[stage - 1];
        if (one !== undefined) one.opensAt = Date.parse(opensAt);
      }
    }
  }

  /** Largest remainder over the lanes' shares in the order of the plan, then everyone's; ties to the earlier. */
  #reserves(units: number): number[] {
    const weights = this.#lanes.map(({ sharePercent }) => BigInt(Math.round(sharePercent * 1e6)));
    const whole = 100_000_000n;
    weights.push(whole - weights.reduce((sum, weight) => sum + weight, 0n));
    const exact = weights.map((weight, index) => ({ index, floor: Number((BigInt(units) * weight) / whole), rest: (BigInt(units) * weight) % whole }));
    const parts = exact.map(({ floor }) => floor);
    let left = units - parts.reduce((sum, part) => sum + part, 0);
    for (const { index } of exact.toSorted((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))) {
      if (left-- <= 0) break;
      parts[index] = (parts[index] ?? 0) + 1;
    }
    return parts;
  }
}
