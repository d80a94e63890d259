import { lapseAt, reservesOf } from "../drop/lanes.ts";
import { type LaneShare, OPEN_LANE } from "../drop/plan.ts";
import type { NightFacts } from "./facts.ts";
import type { Table } from "./table.ts";
import { soldByRef } from "./ways.ts";

/*
 * What was kept for whom, who had it, and what came of the rest. Recounted here
 * from the record's rows; that no reserve was ever touched by others is what the
 * verifier shows.
 */

export interface LaneFacts {
  readonly lane: string;
  readonly tickets: Readonly<Record<"people" | "bots", number>>;
  /** Over all stages. */
  readonly kept: number;
  /** Of what was kept, how much the lane's own held or had bought when its time was over. */
  readonly taken: number;
  /** Units sold to the lane's own in the end, kept or not. */
  readonly sold: Readonly<Record<"people" | "bots", number>>;
}

/** Every lane of the night and, last, everyone's; empty where the drop keeps nothing for anybody. */
export function lanesOf(night: NightFacts): LaneFacts[] {
  const { lanes, shoppers, rows } = night;
  if (lanes.length === 0) return [];
  const laneOf = new Map<string, string>();
  const classOf = new Map(shoppers.flatMap((shopper) => (shopper.entry === null ? [] : [[shopper.entry, shopper.class] as const])));
  for (const { kind, subject, lane } of rows) if (kind === "admit") laneOf.set(subject, lane);
  const sales = soldByLane(night, laneOf, classOf);
  const stageOf = new Map(rows.flatMap(({ kind, ref, stage }) => (kind === "hold" ? [[ref, stage] as const] : [])));
  return [...lanes.map(({ lane }) => lane), OPEN_LANE].map((lane): LaneFacts => {
    const share = lanes.find((one) => one.lane === lane);
    const entries = new Set(shoppers.flatMap((shopper) => (shopper.entry !== null && shopper.lane === lane ? [shopper.entry] : [])));
    const ofClass = (wanted: "people" | "bots") => [...entries].filter((entry) => classOf.get(entry) === wanted).length;
    return {
      lane, tickets: { people: ofClass("people"), bots: ofClass("bots") },
      ...(share === undefined ? { kept: 0, taken: 0 } : keptAndTaken(night, share, { laneOf, stageOf })),
      sold: sales.get(lane) ?? { people: 0, bots: 0 },
    };
  });
}

interface Places {
  /** By entry. */
  readonly laneOf: ReadonlyMap<string, string>;
  /** By the record's name of a hold, from 1. */
  readonly stageOf: ReadonlyMap<string, number>;
}

/** By stage and sku: the lane's part, and what of it its own had at its lapse. */
function keptAndTaken({ stock, lanes, rows }: NightFacts, share: LaneShare, { laneOf, stageOf }: Places): Pick<LaneFacts, "kept" | "taken"> {
  const own = rows.filter(({ subject }) => laneOf.get(subject) === share.lane);
  let [kept, taken] = [0, 0];
  for (const { sku, stages } of stock) {
    for (const [index, { units }] of stages.entries()) {
      const lapsesAt = lapseAt(stages, index, share);
      const reserve = reservesOf(units, lanes).find(({ lane }) => lane === share.lane)?.units ?? 0;
      const had = own.reduce((sum, row) => sum + (row.at < lapsesAt && row.sku === sku && stageOf.get(row.ref) === index + 1 ? hadBy(row) : 0), 0);
      kept += reserve;
      taken += Math.min(reserve, Math.max(0, had));
    }
  }
  return { kept, taken };
}

/** What one row adds to what was taken: units come back to the stage of their hold. */
function hadBy({ kind, quantity }: NightFacts["rows"][number]): number {
  if (kind === "hold") return quantity;
  return kind === "expire" || kind === "abandon" || kind === "void" || kind === "return" ? -quantity : 0;
}

function soldByLane(night: NightFacts, laneOf: ReadonlyMap<string, string>, classOf: ReadonlyMap<string, "people" | "bots">): Map<string, { people: number; bots: number }> {
  const sales = new Map<string, { people: number; bots: number }>();
  const units = soldByRef(night);
  for (const { kind, subject, ref } of night.rows) {
    if (kind !== "sell") continue;
    const lane = laneOf.get(subject) ?? OPEN_LANE;
    const known = sales.get(lane) ?? { people: 0, bots: 0 };
    known[classOf.get(subject) ?? "bots"] += units.get(ref) ?? 0;
    // Several rows of one hold are counted by the first.
    units.delete(ref);
    sales.set(lane, known);
  }
  return sales;
}

/** Nothing to tell where nothing is kept. */
export function laneTables(night: NightFacts): Table[] {
  const lanes = lanesOf(night);
  if (lanes.length === 0) return [];
  const sold = lanes.reduce((sum, one) => sum + one.sold.people + one.sold.bots, 0);
  return [{
    title: "Units by lane", columns: ["lane", "tickets of people", "of bots", "kept for it", "taken of that in its time", "came to everyone", "sold to people", "sold to bots"],
    rows: lanes.map(({ lane, tickets, kept, taken, sold: its }) => [lane, String(tickets.people), String(tickets.bots), ...(lane === OPEN_LANE ? ["–", "–", "–"] : [String(kept), String(taken), String(kept - taken)]), String(its.people), String(its.bots)]),
    note: `What a lane had not taken when its time was over came to everyone: ${lanes.reduce((sum, { kept, taken }) => sum + kept - taken, 0)} units, and ${sold} of ${night.terms.units} were sold in the end. A lane's own may also buy what is everyone's, so that more is sold to it than was kept.`,
  }];
}
