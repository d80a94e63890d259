import { changedTimetable, configuredStages, wantedRelease, wantedTimes } from "./changed-stages.ts";
import { changedBudgets, changedCampaigns, changedItems, changedLimits, frozenTerms } from "./changed-terms.ts";
import { factsOf } from "./hold-movements.ts";
import type { Plan, PlanSource } from "./plan.ts";
import type { FieldChange, PlanChangeAnswer, PlanDifference } from "./port.ts";
import { planMovement } from "./record.ts";
import { stageOpenings } from "./release.ts";
import { resaleLimitsOf } from "./resale-limits.ts";
import { type Decision, type DropFacts, type DropState, unchanged } from "./state.ts";
import { changedNumber } from "./written-stages.ts";

/** Looks at a config against the running plan, and publishes what differs if `publish` says so. */
export interface PlanChangeCommand {
  readonly source: PlanSource;
  readonly publish: boolean;
  readonly actor: string;
}

/**
 * Says where a config differs from the running plan, and which of that may
 * still be changed. What may is published all together as one new row of the
 * record, or nothing of it where anything is refused: half of what somebody
 * wrote down is a plan that nobody wanted.
 *
 * What has happened stays: an open stage keeps its time and its units, units
 * that are held or sold are there, and whatever people relied on when they
 * joined (the draw, the lanes, what is asked at the door, how many each may
 * have) was promised. Publishing the same config again finds no difference and
 * writes no row.
 */
export function decidePlanChange(state: DropState, { source, publish, actor }: PlanChangeCommand, now: number): Decision<PlanChangeAnswer> {
  const facts = factsOf(state);
  const found = differencesOf(state, source, now);
  const isOver = facts.cancelled || now >= facts.plan.closesAt;
  const changes = isOver ? found.map((difference) => ({ ...difference, refusal: "The drop is over." })) : found;
  const isPublished = publish && changes.length > 0 && changes.every(({ refusal }) => refusal === null);
  if (!isPublished) return unchanged({ changes, published: false });
  const plan = changedPlan(facts, source, now);
  return {
    outcome: { changes, published: true },
    changes: {
      facts: {
        ...facts, plan, planVersion: facts.planVersion + 1, stages: configuredStages(facts, source),
        extensions: carriedExtensions(facts, plan),
      },
      movements: [{
        ...planMovement(plan), actor,
        prices: plan.items.map(({ sku, priceMinor }) => ({ sku, priceMinor })),
        changed: changes.map(({ field, from, to }): FieldChange => ({ field, from, to })),
      }],
    },
  };
}

/**
 * By how much each stage has been put off, by its number in the changed plan: a
 * drip before it may have other steps now, and a repeated extension must still
 * be known for one. Where the config moved a stage, its time is counted anew.
 */
function carriedExtensions({ extensions, plan }: DropFacts, changed: Plan): DropFacts["extensions"] {
  const [before, after] = [stageOpenings(plan), stageOpenings(changed)];
  return extensions.flatMap(({ stage, byMs }) => {
    const number = changedNumber(plan, changed, stage);
    return number !== null && after[number - 1] === before[stage - 1] ? [{ stage: number, byMs }] : [];
  });
}

function differencesOf(state: DropState, source: PlanSource, now: number): PlanDifference[] {
  const facts = factsOf(state);
  const { plan } = facts;
  return [
    ...frozenTerms(plan, source),
    ...plainChange("title", plan.title, source.title),
    ...changedItems(plan, source),
    ...changedTimetable(state, source, now),
    ...plainChange("low", plan.low, source.low),
    ...changedBudgets(plan, source),
    ...changedLimits(plan, source),
    ...changedCampaigns(state, source),
  ];
}

function plainChange(field: string, from: string | number, to: string | number): PlanDifference[] {
  return from === to ? [] : [{ field, from, to, refusal: null }];
}

/** The plan with everything that may change as the config has it; the order of its items stays. */
function changedPlan(facts: DropFacts, source: PlanSource, now: number): Plan {
  const { plan } = facts;
  const { stock, drips } = wantedRelease(facts, source, now);
  const { announceAt, lobbyOpensAt, closesAt } = wantedTimes(facts, source, now);
  return {
    ...plan,
    title: source.title,
    items: plan.items.map((item) => {
      const wanted = source.items.find(({ sku }) => sku === item.sku);
      return wanted === undefined ? item : { ...item, title: wanted.title, priceMinor: wanted.priceMinor };
    }),
    announceAt, lobbyOpensAt, closesAt,
    opensAt: stock[0]?.stages[0]?.opensAt ?? plan.opensAt,
    low: source.low,
    budgets: source.budgets,
    limits: resaleLimitsOf(source),
    campaigns: source.campaigns,
    stock,
    drips,
  };
}
