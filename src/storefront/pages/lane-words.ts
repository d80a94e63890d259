import type { Region } from "../../config/store-config.ts";
import { lapseAt, reservesOf } from "../../drop/lanes.ts";
import type { LaneShare, Plan } from "../../drop/plan.ts";

type Regions = readonly Pick<Region, "slug" | "label">[];

/** For whom a lane is, in words that follow "for": "people near Berlin". */
export function laneAudience({ lane, evidence }: LaneShare, regions: Regions): string {
  if (evidence.kind === "invite") return `people with an invitation (${lane})`;
  const label = regions.find(({ slug }) => slug === evidence.region)?.label ?? evidence.region;
  return evidence.withinKm === null ? `people at the pop-up in ${label}` : `people in ${label}`;
}

/** What puts somebody into a lane, as a whole sentence. */
export function laneEvidence({ evidence }: LaneShare, regions: Regions): string {
  if (evidence.kind === "invite") return "Open the invitation before you join; it is for one person, once.";
  const label = regions.find(({ slug }) => slug === evidence.region)?.label ?? evidence.region;
  const code = `scan the code at the pop-up in ${label} before the drop opens`;
  return evidence.withinKm === null ? `To be counted, ${code}.` : `Whoever joins from within ${evidence.withinKm} km counts without showing anything; elsewhere ${code}.`;
}

export interface KeptInStage {
  readonly audience: string;
  readonly units: number;
  readonly until: number;
}

/** What a stage (from 0) keeps for whom and until when, over all stock of a drop; lanes that get nothing of it are left out. */
export function keptInStage(plan: Plan, stage: number, regions: Regions): KeptInStage[] {
  return plan.lanes.flatMap((share, index) => {
    const units = plan.stock.reduce((sum, unit) => sum + (reservesOf(unit.stages[stage]?.units ?? 0, plan.lanes)[index]?.units ?? 0), 0);
    return units === 0 ? [] : [{ audience: laneAudience(share, regions), units, until: lapseAt(plan.stock[0]?.stages ?? [], stage, share) }];
  });
}
