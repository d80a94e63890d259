import type { RowOf } from "../../schema/wire/record.ts";
import type { Findings } from "./findings.ts";
import { checkFirstPlan, checkPlanChange, type Standing } from "./plan-change.ts";

export type PlanRow = RowOf<"plan">;
export type LaneTerms = PlanRow["lanes"][number];

export interface StageOf {
  readonly opensAt: number;
  readonly units: number;
}

/**
 * The plan as it stands at a row: the first one, and what later rows changed of
 * it. A change may touch what has not happened yet, and nothing else.
 */
export class Schedule {
  readonly first: PlanRow;
  closesAt: number;
  #stagesBySku = new Map<string, readonly StageOf[]>();
  #drips: Standing["drips"] = [];
  #prices: Standing["prices"];

  constructor(plan: PlanRow, findings: Findings) {
    this.first = plan;
    this.closesAt = Date.parse(plan.closesAt);
    this.#take(plan, findings);
    checkFirstPlan(plan, findings);
    for (const { stage, steps } of plan.drips ?? []) {
      const openings = this.openings.slice(stage - 1, stage - 1 + steps);
      const everyMs = (openings[1] ?? 0) - (openings[0] ?? 0);
      if (openings.some((opensAt, index) => index > 0 && opensAt - (openings[index - 1] ?? 0) !== everyMs)) findings.row(plan, `has a drip, from stage ${stage} on, whose steps are not equally far apart`);
    }
  }

  get skus(): string[] {
    return [...this.#stagesBySku.keys()];
  }

  /** When each stage opens; every sku's stages open together. */
  get openings(): number[] {
    return this.stagesOf(this.skus[0] ?? "").map(({ opensAt }) => opensAt);
  }

  get opensAt(): number {
    return this.openings[0] ?? Number.POSITIVE_INFINITY;
  }

  stagesOf(sku: string): readonly StageOf[] {
    return this.#stagesBySku.get(sku) ?? [];
  }

  quantityOf(sku: string): number {
    return this.stagesOf(sku).reduce((sum, { units }) => sum + units, 0);
  }

  releasedAt(sku: string, at: number): number {
    return this.stagesOf(sku).reduce((sum, { opensAt, units }) => (opensAt <= at ? sum + units : sum), 0);
  }

  /** How many stages are open at `at`. */
  stageAt(at: number): number {
    return this.openings.filter((opensAt) => opensAt <= at).length;
  }

  /** The stage that is open at `at`, by the number of its first step where it drips: a drip was written as one stage. */
  writtenStageAt(at: number): number {
    const stage = this.stageAt(at);
    return this.#drips.find((drip) => stage >= drip.stage && stage < drip.stage + drip.steps)?.stage ?? stage;
  }

  /** Puts stages off that are not open yet, all later ones with them and by the same time. */
  extend(row: RowOf<"extend">, at: number, findings: Findings): void {
    const before = this.openings;
    const expected = before.slice(row.stage - 1).map((_, index) => row.stage + index);
    if (expected.length === 0 || row.stages.map(({ stage }) => stage).join() !== expected.join()) {
      findings.row(row, "does not name the stage that was put off and all later ones");
      return;
    }
    const after = new Map(row.stages.map(({ stage, opensAt }) => [stage, Date.parse(opensAt)]));
    const delays = expected.map((stage) => (after.get(stage) ?? 0) - (before[stage - 1] ?? 0));
    if ((before[row.stage - 1] ?? 0) <= at) findings.row(row, `puts stage ${row.stage} off, which is open already: what is released would fall`);
    if (delays.some((delay) => delay <= 0 || delay !== delays[0])) findings.row(row, "does not put the stages off by one and the same time");
    if ([...after.values()].some((opensAt) => opensAt >= this.closesAt)) findings.row(row, "puts a stage off beyond the end of the drop");
    for (const [sku, stages] of this.#stagesBySku) this.#stagesBySku.set(sku, stages.map((stage, index) => ({ ...stage, opensAt: after.get(index + 1) ?? stage.opensAt })));
  }

  /** A later plan: stages that are not open yet and the end may change, never what was promised about the draw, and never units that are taken. */
  replace(row: PlanRow, at: number, taken: (sku: string) => number, findings: Findings): void {
    const frozen = (name: string, before: unknown, after: unknown) => {
      if (JSON.stringify(before) !== JSON.stringify(after)) findings.row(row, `changes the ${name}, which a published plan keeps`);
    };
    frozen("commitment", this.first.commitment, row.commitment);
    frozen("number of shards", this.first.shards, row.shards);
    // The round goes with the opening; which one it must be is checked where it is used.
    frozen("beacon", { ...this.first.beacon, round: null }, { ...row.beacon, round: null });
    frozen("lanes", this.first.lanes, row.lanes);
    frozen("bundles", this.first.bundles, row.bundles);
    frozen("limit for each person", this.first.limitPerPerson, row.limitPerPerson);
    frozen("number of people who may stand together", this.first.group, row.group);
    const standing = this.#standing();
    const { stagesBySku: before, closesAt: closedBefore } = standing;
    this.closesAt = Date.parse(row.closesAt);
    if (closedBefore <= at || this.closesAt <= at) findings.row(row, "changes the end of a drop that is over, or ends it in the past");
    this.#take(row, findings);
    if ([...before.keys()].toSorted().join() !== this.skus.toSorted().join()) findings.row(row, "has other items than the plan before it");
    for (const [sku, stages] of before) {
      const isOpen = ({ opensAt }: StageOf) => opensAt <= at;
      if (JSON.stringify(stages.filter(isOpen)) !== JSON.stringify(this.stagesOf(sku).filter(isOpen))) findings.row(row, `changes a stage of ${sku} that is open`);
      if (this.quantityOf(sku) < taken(sku)) findings.row(row, `leaves fewer units of ${sku} than are held or sold`);
    }
    checkPlanChange(row, at, standing, this.#standing(), findings);
  }

  #standing(): Standing {
    return { stagesBySku: this.#stagesBySku, drips: this.#drips, closesAt: this.closesAt, prices: this.#prices };
  }

  #take(row: PlanRow, findings: Findings): void {
    this.#drips = row.drips ?? [];
    this.#prices = row.prices;
    this.#stagesBySku = new Map(row.items.map(({ sku, stages }) => [sku, stages.map(({ opensAt, units }) => ({ opensAt: Date.parse(opensAt), units }))]));
    if (this.#stagesBySku.size !== row.items.length) findings.row(row, "names an item twice");
    const { openings } = this;
    if (openings.length === 0) findings.row(row, "has no stage");
    if (openings.some((opensAt, index) => index > 0 && opensAt <= (openings[index - 1] ?? 0))) findings.row(row, "has stages that do not open one after the other");
    if (openings.some((opensAt) => opensAt >= this.closesAt)) findings.row(row, "has a stage that opens when the drop is over");
    for (const sku of this.skus) if (this.stagesOf(sku).map(({ opensAt }) => opensAt).join() !== openings.join()) findings.row(row, `opens the stages of ${sku} at other times than the rest`);
    this.#checkDrips(row, findings);
    const shares = row.lanes.reduce((sum, { sharePercent }) => sum + sharePercent, 0);
    if (shares >= 100 || row.lanes.some(({ lane }) => lane === "open")) findings.row(row, "reserves everything for lanes, or names the open lane as one of them");
    for (const { sku, components } of row.bundles ?? []) {
      if (this.#stagesBySku.has(sku) || components.some((part) => !this.#stagesBySku.has(part.sku))) findings.row(row, `has a bundle, ${sku}, that is not made of its own items`);
    }
  }

  /** A drip brings as many units of each item at a time as it says by its first step, the rest with an item's last, and ends when all are out. */
  #checkDrips(row: PlanRow, findings: Findings): void {
    let next = 1;
    for (const { stage, steps } of row.drips ?? []) {
      const brought = this.skus.map((sku) => this.stagesOf(sku).slice(stage - 1, stage - 1 + steps).map(({ units }) => units));
      if (stage < next || steps < 2 || stage + steps - 1 > this.openings.length) findings.row(row, `has a drip, from stage ${stage} on, that is not made of stages of its own`);
      next = stage + steps;
      const most = Math.max(0, ...brought.map(([first]) => first ?? 0));
      const isEven = brought.every((units) => {
        const sum = units.reduce((total, part) => total + part, 0);
        return units.every((part, step) => part === Math.max(0, Math.min(most, sum - step * most)));
      });
      if (!isEven || !brought.some((units) => (units.at(-1) ?? 0) > 0)) findings.row(row, `has a drip, from stage ${stage} on, that does not bring as many units with each step as with the first, and the rest with the last`);
    }
  }
}

/** The units of each item's stages as they were written: the steps of a drip are one of them. */
export function writtenUnits({ items, drips = [] }: PlanRow): number[][] {
  const firstOf = (stage: number) => drips.find((drip) => stage >= drip.stage && stage < drip.stage + drip.steps)?.stage ?? stage;
  return items.map(({ stages }) => {
    const units = new Map<number, number>();
    for (const [index, stage] of stages.entries()) units.set(firstOf(index + 1), (units.get(firstOf(index + 1)) ?? 0) + stage.units);
    return [...units.values()];
  });
}

/**
 * The parts of `quantity` by `weights`: whole units first, what is left one each
 * to the largest remainders, ties to the earlier part. In exact integers.
 */
export function largestRemainder(quantity: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + BigInt(weight), 0n);
  if (total === 0n) return weights.map(() => 0);
  const shares = weights.map((weight, index) => {
    const exact = BigInt(quantity) * BigInt(weight);
    return { index, units: Number(exact / total), rest: exact % total };
  });
  const left = quantity - shares.reduce((sum, { units }) => sum + units, 0);
  const lucky = new Set(shares.toSorted((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1)).slice(0, left).map(({ index }) => index));
  return shares.map(({ index, units }) => units + (lucky.has(index) ? 1 : 0));
}

/** So many vectors of shares are tried before the search is given up. */
const TRIES_MAX = 200_000;

/**
 * Whether there are whole percentages by which every sku's quantity falls into
 * just these stages; null when the search was given up. Small quantities fit
 * many percentages, so that which ones they were cannot be told.
 */
export function isSplitByShares(skus: readonly (readonly number[])[]): boolean | null {
  const count = skus[0]?.length ?? 0;
  // A largest remainder part differs from the exact share by less than one unit.
  const bounds = Array.from({ length: count }, (_, stage) => {
    let [low, high] = [1, 100];
    for (const units of skus) {
      const quantity = units.reduce((sum, part) => sum + part, 0);
      if (quantity === 0) continue;
      low = Math.max(low, Math.floor((((units[stage] ?? 0) - 1) * 100) / quantity) + 1);
      high = Math.min(high, Math.ceil((((units[stage] ?? 0) + 1) * 100) / quantity) - 1);
    }
    return { low, high };
  });
  let tries = 0;
  const fits = (shares: readonly number[], left: number): boolean => {
    if (tries++ > TRIES_MAX) return false;
    const stage = shares.length;
    if (stage === count) return left === 0 && skus.every((units) => largestRemainder(units.reduce((sum, part) => sum + part, 0), shares).join() === units.join());
    const { low, high } = bounds[stage] ?? { low: 1, high: 0 };
    const isLast = stage === count - 1;
    for (let share = isLast ? Math.max(low, left) : low; share <= Math.min(high, left); share++) if (fits([...shares, share], left - share)) return true;
    return false;
  };
  return fits([], 100) || (tries > TRIES_MAX ? null : false);
}
