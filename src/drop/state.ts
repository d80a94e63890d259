import type { PlacedOrder } from "../checkout/placed-order.ts";
import type { CheckedCoupon } from "../coupon/campaign.ts";
import type { Counters } from "./counters.ts";
import type { Movement, UnitCount } from "./movements.ts";
import type { BeaconRound, DripTerms, Plan } from "./plan.ts";
import type { ConfirmAnswer, HoldState, Line, OutboxMessage, PublicChange, ShardSeal } from "./port.ts";
import type { RecordTail } from "./record.ts";
import type { Timetable } from "./timetable.ts";

/*
 * What the Drop object knows. The rows are what is stored; counters and indexes
 * are derived from them and can be recounted at any time.
 */

/** What is true of the drop as a whole. */
export interface DropFacts {
  readonly plan: Plan;
  /** The hash of the record's first row. */
  readonly planHash: string;
  readonly planVersion: number;
  /** hex of the committed 32 bytes; secret until the draw. */
  readonly secret: string;
  readonly paused: boolean;
  readonly cancelled: boolean;
  /** Stages that would have opened later never did; null unless cancelled. */
  readonly cancelledAt: number | null;
  /** The shards' first roots as they were when the beacon's round came out, null for a missing shard; null before that, and where the plan names no beacon. */
  readonly roots: readonly (string | null)[] | null;
  /** The round of the beacon, once somebody brought it. */
  readonly beacon: BeaconRound | null;
  /** The latest opening of a stage that has been seen to pass: the drop's time never falls behind it, whatever its clock does. 0 before the first. */
  readonly openedAt: number;
  /** hex, null before the draw. */
  readonly seed: string | null;
  readonly missing: readonly number[];
  /** When the `close` row was written, or null. */
  readonly closedAt: number | null;
  /** By how much each stage was extended in all, so that a repeated call changes nothing. */
  readonly extensions: readonly { readonly stage: number; readonly byMs: number }[];
  /** When the plan was made: from then the relative times of its config count. */
  readonly plannedAt: number;
  /** What the config said of the stages when it was published last; null for a drop that was planned before that was kept, whose shares count as unchanged. */
  readonly stages: readonly ConfiguredStage[] | null;
  readonly changes: readonly PublicChange[];
}

export interface ConfiguredStage {
  readonly sharePercent: number;
  readonly opensAt: number;
  readonly drip?: DripTerms;
}

export interface PricedLine extends Line {
  readonly unitPriceMinor: number;
}

/** A coupon that an order spends for as long as it is placed or sold. */
export type SpentCoupon = Omit<CheckedCoupon, "region">;

export interface HoldRow {
  readonly id: string;
  readonly sitting: string;
  readonly entry: string;
  /** Keyed hash of the network that asked: what it holds unpaid counts for it. */
  readonly network: string;
  /** The lane of its sitting: what it takes of a stage is taken by that lane. */
  readonly lane: string;
  /** The stage, from 1, in which its units were taken; another one for late money that took them again. */
  readonly stage: number;
  readonly state: HoldState;
  readonly lines: readonly PricedLine[];
  /** The lines' demand in stock units, summed per sku. */
  readonly units: readonly UnitCount[];
  /** The request in one text, to tell a retry from another use of the id. */
  readonly fingerprint: string;
  readonly heldAt: number;
  readonly expiresAt: number;
  readonly order: string | null;
  readonly person: string | null;
  readonly coupon: SpentCoupon | null;
  /** Keyed hash of the postal address of its order; absent before there is one, and where it is picked up. */
  readonly destination?: string;
  /** Hash of the card that paid for it; absent before it is sold, and where the provider names none. */
  readonly card?: string;
  /** Why the drop refused the payment that it was voided for; absent where it was voided for anything else. */
  readonly refused?: "card_limit";
  /** Until when the placed order may be paid; the units come back half a minute later. */
  readonly payBy: number | null;
  /** Whether settlement was told that the time to pay is over. */
  readonly tillClosed: boolean;
  /** Stock units of a sold hold that went back on sale. */
  readonly returned: readonly UnitCount[];
  /** How many of its items those were: they no longer count against the person. */
  readonly returnedItems: number;
}

export interface SittingRow {
  readonly id: string;
  readonly entry: string;
  /** Whose it is, as far as that shows: the browser's key, and the proven address where the drop asks for one. */
  readonly keyThumbprint: string;
  readonly person: string | null;
  readonly lane: string;
  readonly rank: string;
  readonly wants: readonly Line[];
  /** How many people sit here and share one limit; absent for one. */
  readonly people?: number;
  readonly stage: number;
  readonly admittedAt: number;
  readonly expiresAt: number;
  /** When the first hold of the sitting was accepted, which fixed `expiresAt`; null before. */
  readonly heldAt: number | null;
  readonly holds: number;
}

export interface OrderRow {
  readonly id: string;
  readonly hold: string;
  readonly fingerprint: string;
  readonly placed: PlacedOrder;
  readonly extended: boolean;
  readonly refunds: readonly { readonly id: string; readonly lines: readonly Line[] }[];
}

/** The answer that was given for a payment, for ever. */
export interface VerdictRow {
  readonly id: string;
  readonly order: string;
  readonly answer: ConfirmAnswer;
}

export interface SealRow extends ShardSeal {
  readonly id: string;
}

export interface ThresholdRow {
  readonly id: string;
  readonly upTo: string;
}

/** Somebody whose rank was served and who has not claimed yet. */
export interface CallRow {
  readonly id: string;
  readonly sku: string;
  readonly lane: string;
  readonly rank: string;
  readonly quantity: number;
  readonly calledAt: number;
}

/** Every table of rows by its name; a row is found by its `id`. */
export interface Tables {
  readonly holds: HoldRow;
  readonly sittings: SittingRow;
  readonly orders: OrderRow;
  readonly verdicts: VerdictRow;
  readonly seals: SealRow;
  readonly thresholds: ThresholdRow;
  readonly calls: CallRow;
  readonly outbox: OutboxMessage;
}

export type TableName = keyof Tables;
export const TABLE_NAMES = ["holds", "sittings", "orders", "verdicts", "seals", "thresholds", "calls", "outbox"] as const satisfies readonly TableName[];

export type Rows = { readonly [Name in TableName]: Map<string, Tables[Name]> };

/** Everything that was stored, from which the state is rebuilt. */
export interface StoredDrop {
  readonly facts: DropFacts | null;
  readonly tail: RecordTail;
  readonly rows: { readonly [Name in TableName]: readonly Tables[Name][] };
}

export interface DropState extends Rows {
  facts: DropFacts | null;
  tail: RecordTail;
  readonly counters: Counters;
  /** Holds that are held or placed: the ones that time can end. */
  readonly liveHolds: Set<string>;
  /** When each of them is due next. */
  readonly timetable: Timetable;
  /** Sittings that have not held anything yet. */
  readonly undecidedSittings: Set<string>;
  readonly sittingsByEntry: Map<string, string[]>;
  /** The sittings of all tickets that share a browser's key or a proven address; see `ownersOf`. */
  readonly sittingsByOwner: Map<string, string[]>;
  /** From lane and rank to the entry that stands there, for everyone who was ever admitted. */
  readonly entryByPlace: Map<string, string>;
  /** By shard, through when everybody who joined is in a seal of the record. */
  readonly sealedThrough: Map<number, number>;
  /** No hold, draw or close is due before this instant. */
  dueAt: number;
}

/** What a decision changes. Rows replace the row with the same id; the rest stays. */
export interface Changes extends RowChanges {
  readonly movements?: readonly Movement[];
  readonly facts?: DropFacts;
  readonly endedCalls?: readonly string[];
  readonly acknowledged?: readonly string[];
}

export type RowChanges = { readonly [Name in TableName]?: readonly Tables[Name][] };

/** What a decision answers, and what must be durable before anyone is told. */
export interface Decision<Outcome> {
  readonly outcome: Outcome;
  readonly changes: Changes | null;
}

export function unchanged<Outcome>(outcome: Outcome): Decision<Outcome> {
  return { outcome, changes: null };
}

export function lineId(sku: string, lane: string): string {
  return `${lane}/${sku}`;
}

export function placeId(lane: string, rank: string): string {
  return `${lane}/${rank}`;
}
