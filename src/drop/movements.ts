import type { BeaconRound, DripSteps, LaneShare } from "./plan.ts";
import type { FieldChange } from "./port.ts";

/*
 * The rows of the public record before they are numbered, dated and chained.
 * Members are in their wire form already: instants are RFC 3339 text, because
 * that is what gets hashed.
 */

/** A row that moves units of one stock unit. `subject` is the entry, `ref` the public name of the hold. */
export interface StockMovement {
  readonly kind: "hold" | "place" | "sell" | "expire" | "abandon" | "void" | "return";
  readonly sku: string;
  readonly quantity: number;
  readonly stage: number;
  readonly subject: string;
  readonly ref: string;
}

export interface UnitCount {
  readonly sku: string;
  readonly quantity: number;
}

/** The plan, whole: the first row of a record, and the form in which a change of it is published. */
export interface PlanMovement {
  readonly kind: "plan";
  readonly items: readonly { readonly sku: string; readonly stages: readonly { readonly opensAt: string; readonly units: number }[] }[];
  /** Items that take units of others or several of their own; absent where there are none. */
  readonly bundles?: readonly { readonly sku: string; readonly components: readonly UnitCount[] }[];
  /** Stages that are the steps of one drip; absent where there are none. */
  readonly drips?: readonly DripSteps[];
  readonly closesAt: string;
  readonly limitPerPerson: number;
  /** Up to how many people may stand in line with one ticket; absent where everyone stands alone. */
  readonly group?: number;
  readonly lanes: readonly Omit<LaneShare, "evidence">[];
  readonly shards: number;
  readonly commitment: string;
  /** Which round of which beacon the draw waits for; absent where the secret alone decides. */
  readonly beacon?: { readonly chain: string; readonly publicKey: string; readonly genesisAt: string; readonly periodMs: number; readonly round: number };
  /** Who published a change, the prices from now on, and what is different. Absent in the first row. */
  readonly actor?: string;
  readonly prices?: readonly { readonly sku: string; readonly priceMinor: number }[];
  readonly changed?: readonly FieldChange[];
}

export type Movement =
  | StockMovement
  | PlanMovement
  | { readonly kind: "seal"; readonly shard: number; readonly count: number; readonly root: string }
  | { readonly kind: "draw"; readonly secret: string; readonly missing: readonly number[]; readonly seed: string; readonly beacon?: BeaconRound }
  | { readonly kind: "serve"; readonly sku: string; readonly lane: string; readonly upTo: string }
  /** `people` is how many stand in line as this one entry; absent for one. */
  | { readonly kind: "admit"; readonly subject: string; readonly rank: string; readonly lane: string; readonly people?: number }
  | { readonly kind: "pause" | "resume" | "cancel"; readonly actor: string }
  /** `stages` are the openings that changed, by their 1-based number. */
  | { readonly kind: "extend"; readonly actor: string; readonly stage: number; readonly stages: readonly { readonly stage: number; readonly opensAt: string }[] }
  /** Per sku: sold + unsold + withheld is the plan's quantity. Withheld are the units of stages that never opened. */
  | { readonly kind: "close"; readonly sold: readonly UnitCount[]; readonly unsold: readonly UnitCount[]; readonly withheld: readonly UnitCount[] };

/** What each kind of stock movement does to held and to sold. */
export const EFFECTS: Readonly<Record<StockMovement["kind"], { readonly held: -1 | 0 | 1; readonly sold: -1 | 0 | 1 }>> = {
  hold: { held: 1, sold: 0 },
  place: { held: 0, sold: 0 },
  sell: { held: -1, sold: 1 },
  expire: { held: -1, sold: 0 },
  abandon: { held: -1, sold: 0 },
  void: { held: -1, sold: 0 },
  return: { held: 0, sold: -1 },
};

export function isStockMovement(movement: Movement): movement is StockMovement {
  return movement.kind in EFFECTS;
}
