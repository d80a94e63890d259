import type { Findings } from "./findings.ts";
import type { PlanRow, StageOf } from "./schedule.ts";

/** What of a plan the record can show changing, as it stands at a row. */
export interface Standing {
  readonly stagesBySku: ReadonlyMap<string, readonly StageOf[]>;
  readonly drips: NonNullable<PlanRow["drips"]>;
  readonly closesAt: number;
  /** Only a row that changes the plan says what things cost: absent until the first of them. */
  readonly prices: PlanRow["prices"];
}

type Said = NonNullable<PlanRow["changed"]>[number];

/** Something that became another between two rows, and by which names a row may call it. */
interface Difference extends Pick<Said, "from" | "to"> {
  readonly fields: readonly [string, ...string[]];
}

/** A stage as it was written: the steps of a drip are one. */
interface Written {
  readonly opensAt: number;
  readonly steps: readonly (readonly [string, readonly StageOf[]])[];
}

/** How far ahead a changed moment has to lie, and the opening, of which every browser in the lobby has to hear. */
const NOTICE_MS = 5_000;
const OPENING_NOTICE_MS = 90_000;

/** What a row that changes the plan shows and a published plan keeps: no honest row says to have changed it. */
const KEPT: readonly string[] = ["limitPerPerson", "group", "lanes", "beacon", "lobby.shards"];

/** The first row has nothing before it: what it would say of a change is invented. */
export function checkFirstPlan(row: PlanRow, findings: Findings): void {
  if (row.actor !== undefined || row.prices !== undefined || row.changed !== undefined) findings.row(row, "is the first plan, and says what was changed of one before it");
}

/** What a later row says that it changes, against what is another now: pages show people the former. */
export function checkPlanChange(row: PlanRow, at: number, before: Standing, after: Standing, findings: Findings): void {
  const { actor, prices, changed } = row;
  if (actor === undefined || prices === undefined || changed === undefined) {
    findings.row(row, "changes the plan, and does not say who did, what was changed and what everything costs now");
    return;
  }
  const said = new Map(changed.map((change) => [change.field, change]));
  if (said.size < changed.length || changed.length === 0 || changed.some(({ from, to }) => from === to)) findings.row(row, "names no change, or the same one twice, or one from something to the same");
  const [stages, wanted] = [writtenOf(before), writtenOf(after)];
  const told = new Set<string>();
  for (const difference of differencesOf(before, after, stages, wanted)) {
    const field = difference.fields.find((name) => said.has(name));
    const change = field === undefined ? undefined : said.get(field);
    if (field !== undefined) told.add(field);
    if (change === undefined) findings.row(row, `changes ${difference.fields[0]} from ${difference.from} to ${difference.to}, and does not say so`);
    else if (change.from !== difference.from || change.to !== difference.to) findings.row(row, `says that ${field} went from ${change.from} to ${change.to}, and it went from ${difference.from} to ${difference.to}`);
  }
  for (const { field, to } of changed) if (!told.has(field) && isUntrue(field, to, before, prices)) findings.row(row, `says that ${field} was changed to ${to}, and it was not`);
  checkStages(row, at, { stages, wanted, said }, findings);
  if (after.closesAt !== before.closesAt && after.closesAt <= at + NOTICE_MS) findings.row(row, `changes the end with less than ${NOTICE_MS / 1_000} seconds' notice`);
  const skus = prices.map(({ sku }) => sku).toSorted().join();
  const isEverySku = new Set(prices.map(({ sku }) => sku)).size === prices.length && (row.bundles ?? []).every((bundle) => prices.some(({ sku }) => sku === bundle.sku));
  if (!isEverySku || (before.prices !== undefined && before.prices.map(({ sku }) => sku).toSorted().join() !== skus)) findings.row(row, "does not name the price of everything that is sold once");
}

function writtenOf({ stagesBySku, drips }: Standing): Written[] {
  const [stages = []] = stagesBySku.values();
  const written: Written[] = [];
  for (let from = 0; from < stages.length; ) {
    const end = from + (drips.find(({ stage }) => stage === from + 1)?.steps ?? 1);
    written.push({ opensAt: stages[from]?.opensAt ?? 0, steps: [...stagesBySku].map(([sku, all]) => [sku, all.slice(from, end)] as const) });
    from = end;
  }
  return written;
}

function differencesOf(before: Standing, after: Standing, stages: readonly Written[], wanted: readonly Written[]): Difference[] {
  const wire = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
  const quantityOf = ({ stagesBySku }: Standing, sku: string) => (stagesBySku.get(sku) ?? []).reduce((sum, { units }) => sum + units, 0);
  const places = Array.from({ length: Math.max(stages.length, wanted.length) }, (_, index) => index);
  const all: Difference[] = [
    { fields: ["closesAt"], from: wire(before.closesAt), to: wire(after.closesAt) },
    ...places.map((index): Difference => ({ fields: [`stages.${index + 1}.opensAt`], from: wire(stages[index]?.opensAt), to: wire(wanted[index]?.opensAt) })),
    // What is sold by itself is an item, and what is only sold within others a part: the record does not say which it is.
    ...[...after.stagesBySku.keys()].map((sku): Difference => ({ fields: [`items.${sku}.quantity`, `parts.${sku}.quantity`], from: quantityOf(before, sku), to: quantityOf(after, sku) })),
    ...(before.prices ?? []).map(({ sku, priceMinor }): Difference => ({ fields: [`items.${sku}.priceMinor`], from: priceMinor, to: after.prices?.find((price) => price.sku === sku)?.priceMinor ?? null })),
  ];
  return all.filter(({ from, to }) => from !== to);
}

/** Whether the record shows that a change, which is none of the differences, did not happen. */
function isUntrue(field: string, to: Said["to"], before: Standing, prices: NonNullable<PlanRow["prices"]>): boolean {
  if (KEPT.includes(field) || field === "closesAt" || /^stages\.\d+\.opensAt$/.test(field) || /^(items|parts)\..+\.quantity$/.test(field)) return true;
  const sku = /^items\.(.+)\.priceMinor$/.exec(field)?.[1];
  if (sku === undefined) return false;
  // What it was before the first change of all is not in the record.
  return before.prices !== undefined || prices.find((price) => price.sku === sku)?.priceMinor !== to;
}

/** Times with notice, and units that stay where they were unless the row says why not. */
function checkStages(row: PlanRow, at: number, { stages, wanted, said }: { readonly stages: readonly Written[]; readonly wanted: readonly Written[]; readonly said: ReadonlyMap<string, Said> }, findings: Findings): void {
  const isSplitAnew = stages.length !== wanted.length || wanted.some((_, index) => said.has(`stages.${index + 1}.share`));
  for (const [index, stage] of wanted.entries()) {
    const before = stages[index];
    const name = `stage ${index + 1}`;
    const noticeMs = index === 0 ? OPENING_NOTICE_MS : NOTICE_MS;
    if (before?.opensAt !== stage.opensAt && stage.opensAt < at + noticeMs) findings.row(row, `opens ${name} with less than ${noticeMs / 1_000} seconds' notice`);
    if (before === undefined) continue;
    if (before.opensAt <= at) {
      if (JSON.stringify(before) !== JSON.stringify(stage)) findings.row(row, `changes what is left of ${name}, which has begun`);
      continue;
    }
    const moved = stage.steps.filter(([sku, steps], place) => unitsOf(steps) !== unitsOf(before.steps[place]?.[1] ?? []) && !said.has(`items.${sku}.quantity`) && !said.has(`parts.${sku}.quantity`));
    if (moved.length > 0 && !isSplitAnew) findings.row(row, `moves units of ${moved.map(([sku]) => sku).join(" and ")} into ${name} or out of it, and does not say so`);
    const isSame = stage.steps.every(([, steps], place) => unitsOf(steps) === unitsOf(before.steps[place]?.[1] ?? []));
    const isNamed = ["every", "units", "opensAt"].some((part) => said.has(`stages.${index + 1}.${part}`));
    if (isSame && !isNamed && JSON.stringify(before) !== JSON.stringify(stage)) findings.row(row, `lets ${name} drip in another way, and does not say so`);
  }
}

function unitsOf(steps: readonly StageOf[]): number {
  return steps.reduce((sum, { units }) => sum + units, 0);
}
