import * as v from "valibot";
import { type LaneEvidence, type LaneShare, OPEN_LANE } from "../drop/plan.ts";
import { durationText } from "../kernel/time.ts";
import { duration, list, type Mistakes, nameDuplicates, pattern, table, wholeNumber } from "./fields.ts";

/** More lanes than this would leave nobody who understands for whom what is kept. */
const LANES_MAX = 5;
const MINUTE_MS = 60_000;
const KILOMETRES_MAX = 20_000;
const WITHIN_EXPLANATION = "This must be a distance such as 25km, from 1km to 20000km.";

/** The `lanes` of a drop as they are written. */
export function laneFields(isLocal: boolean) {
  return list(table({
    lane: pattern(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "This must be small letters, digits and single hyphens, such as local."),
    share: wholeNumber(1, 99, "This must be a whole percentage from 1 to 99."),
    until: duration(isLocal ? 1_000 : MINUTE_MS, 24 * 60 * MINUTE_MS, `This must be a duration counted from the opening of each stage, from ${isLocal ? "1s" : "1m"} to 24h.`),
    weight: v.optional(wholeNumber(1, 10, "This must be a whole number from 1 to 10: how many chances a ticket of this lane has in the draw."), 1),
    region: v.optional(v.string("This must be a region such as berlin.")),
    within: v.optional(v.pipe(pattern(/^[1-9]\d{0,4}km$/, WITHIN_EXPLANATION), v.transform((text) => Number(text.slice(0, -2))), v.maxValue(KILOMETRES_MAX, WITHIN_EXPLANATION))),
    invite: v.optional(v.literal(true, "This must be true, or be left out.")),
  }), 0, LANES_MAX);
}

export type WrittenLane = v.InferOutput<ReturnType<typeof laneFields>>[number];

/** What the lanes of a drop are checked against. */
export interface LaneSurroundings {
  readonly stages: readonly { readonly after: number; readonly every?: number | undefined }[];
  /** From the opening to the close; null where that cannot be read. */
  readonly lastsMs: number | null;
  readonly regionSlugs: readonly string[];
  /** Where the regions are, by slug; one whose own table has a mistake is missing. */
  readonly places: ReadonlyMap<string, { readonly lat: number; readonly lon: number }>;
}

/** The lanes of a drop's plan, or null when they have mistakes. */
export function lanesFromList(name: string, written: readonly WrittenLane[], surroundings: LaneSurroundings, mistakes: Mistakes): LaneShare[] | null {
  const before = mistakes.list.length;
  nameDuplicates(mistakes, name, written.map(({ lane }, index) => [`lanes[${index}].lane`, lane] as const), "lane");
  const sum = written.reduce((total, { share }) => total + share, 0);
  if (sum >= 100) mistakes.add(name, "lanes", `The shares of all lanes must leave something for everyone; they sum to ${sum}.`);
  const lanes = written.flatMap((entry, index): LaneShare[] => {
    const field = `lanes[${index}]`;
    if (entry.lane === OPEN_LANE) mistakes.add(name, `${field}.lane`, "The open lane is everyone's: it is always there and has what the others leave.");
    checkUntil(name, `${field}.until`, entry.until, surroundings, mistakes);
    const evidence = evidenceOf(name, field, entry, surroundings, mistakes);
    return evidence === null ? [] : [{ lane: entry.lane, sharePercent: entry.share, untilMs: entry.until, weight: entry.weight, evidence }];
  });
  return mistakes.list.length > before || lanes.length < written.length ? null : lanes;
}

/**
 * A reserve ends before the next stage opens and before the drop closes. Kept
 * any longer, units of two stages would be kept at once, and those of the last
 * stage would never have been everyone's. Of a drip every step is a stage.
 */
function checkUntil(name: string, field: string, untilMs: number, { stages, lastsMs }: LaneSurroundings, mistakes: Mistakes): void {
  for (const [index, { after, every }] of stages.entries()) {
    if (every !== undefined && untilMs >= every) {
      mistakes.add(name, field, `Stage ${index + 1} brings more every ${durationText(every)}; this must be shorter, so that everyone still gets what the lane leaves.`);
      return;
    }
    const next = stages[index + 1]?.after;
    const roomMs = next === undefined ? (lastsMs === null ? Number.POSITIVE_INFINITY : lastsMs - after) : next - after;
    if (roomMs <= 0 || untilMs < roomMs) continue;
    const end = next === undefined ? "the drop closes" : `stage ${index + 2} opens`;
    mistakes.add(name, field, `Stage ${index + 1} lasts ${durationText(roomMs)} until ${end}; this must be shorter, so that everyone still gets what the lane leaves.`);
    return;
  }
}

function evidenceOf(name: string, field: string, { region, within, invite }: WrittenLane, { regionSlugs, places }: LaneSurroundings, mistakes: Mistakes): LaneEvidence | null {
  if ((region === undefined) === (invite === undefined)) {
    mistakes.add(name, field, "A lane is either for a region or for who was invited: it has region, or invite = true.");
    return null;
  }
  if (region === undefined) {
    if (within !== undefined) mistakes.add(name, `${field}.within`, "A distance needs the region that it is counted from.");
    return { kind: "invite" };
  }
  if (!regionSlugs.includes(region)) mistakes.add(name, `${field}.region`, `There is no region "${region}". The regions are ${regionSlugs.join(", ")}.`);
  const near = places.get(region);
  return near === undefined ? null : { kind: "presence", region, near, withinKm: within ?? null };
}
