import type { CheckedCoupon } from "../coupon/campaign.ts";
import type { Delivery, PlacedOrder } from "../checkout/placed-order.ts";
import type { Result } from "../kernel/result.ts";
import type { Plan, PlanSource } from "./plan.ts";

/*
 * What the Drop object answers to other Workers. Every argument and every
 * answer is plain data; instants are epoch milliseconds; only the Drop object's
 * own clock decides stock.
 */

export type Phase = "announced" | "lobby" | "drawing" | "open" | "paused" | "sold-out" | "closed" | "cancelled";

export interface Threshold {
  readonly sku: string;
  readonly lane: string;
  /** The highest rank that is served: null before anyone is, "~" when everyone is. */
  readonly upTo: string | null;
}

/** The public state of a drop, as the Drop object knows it. */
export interface DropLive {
  readonly asOf: number;
  readonly phase: Phase;
  /** 1-based, null before the first stage opens. */
  readonly stage: number | null;
  readonly available: number;
  readonly low: boolean;
  readonly nextStageAt: number | null;
  /** The draw's seed in hex, null before the draw. */
  readonly seed: string | null;
  readonly thresholds: readonly Threshold[];
  readonly items: readonly ItemLive[];
  /** The last row of the record as of this state: whoever keeps it can tell later whether the record was rewritten. */
  readonly head: { readonly seq: number; readonly hash: string };
}

/** What is public about one item. */
export interface ItemLive {
  readonly sku: string;
  /** How many can be had of it in all, what is kept for lanes included. */
  readonly available: number;
  readonly soldOut: null | "stage" | "final";
  /** How many of them somebody in a lane may take at this moment, the open one first; absent where the drop has no lanes. */
  readonly byLane?: readonly { readonly lane: string; readonly available: number }[];
}

/** Asks the lobby for the next waiting ranks of one line, beyond `after` (null: from the start). */
export interface LineRequest {
  readonly sku: string;
  readonly lane: string;
  readonly after: string | null;
  readonly count: number;
}

/** One shard's answer to a line request: its next ranks in order, and how far that is the whole truth. */
export interface LinePage {
  readonly shard: number;
  readonly sku: string;
  readonly lane: string;
  readonly after: string | null;
  readonly waiting: readonly { readonly rank: string; readonly quantity: number }[];
  /**
   * No waiting rank of this shard that is greater than `after` and at most
   * `completeTo` is missing from `waiting`. A shard with nothing more to give
   * names the rank below which a later arrival can no longer come.
   */
  readonly completeTo: string;
}

/** What every caller of the live chain gets: the public state, and what the lobby needs to go on. */
export interface DropSnapshot {
  readonly live: DropLive;
  readonly planHash: string;
  /** Grows by one with every published change of the plan. */
  readonly planVersion: number;
  readonly plan: Plan;
  /** What was changed since the plan was published first, the oldest first; of very many the latest. */
  readonly changes: readonly PublicChange[];
  /** Whether the draw has been made and which shards it missed. */
  readonly missing: readonly number[];
  readonly wanted: readonly LineRequest[];
  /** When somebody's turn or hold ends next, so that the line can go on; null while nobody has any. */
  readonly nextTurnAt: number | null;
}

/** A value of the plan as its config has it: instants are RFC 3339 text, what has members is its canonical JSON. */
export type FieldValue = string | number | boolean | null;

/** What changed, named by sku, id or the number of the stage; null stands for what is not there. */
export interface FieldChange {
  readonly field: string;
  readonly from: FieldValue;
  readonly to: FieldValue;
}

/** A difference between a config and the running plan; `refusal` says in a sentence why it cannot be published. */
export interface PlanDifference extends FieldChange {
  readonly refusal: string | null;
}

/** `published`: this very call wrote a row. */
export interface PlanChangeAnswer {
  readonly changes: readonly PlanDifference[];
  readonly published: boolean;
}

/** A row of the record that changed what had been published, in a form that pages can word. */
export interface PublicChange {
  readonly seq: number;
  readonly at: number;
  readonly kind: "plan" | "extend" | "pause" | "resume" | "cancel";
  /** Empty where the kind says it all. */
  readonly changed: readonly FieldChange[];
}

export interface ShardSeal {
  readonly shard: number;
  /** Which seal of the shard this is, from 0: the drawn tickets first, late batches after. */
  readonly batch: number;
  readonly count: number;
  /** RFC 6962 Merkle tree root in hex. */
  readonly root: string;
  /** Whoever joined the shard in this millisecond, or before it, is in this seal or an earlier one, and nobody can any more. */
  readonly through: number;
}

/** The facts of a verified ticket. The storefront has checked its MAC and, where asked, its proof. */
export interface TicketFacts {
  /** The lobby shard that has it: nobody is admitted whose seal is not in the record. */
  readonly shard: number;
  readonly ticket: string;
  readonly entry: string;
  readonly lane: string;
  readonly weight: number;
  readonly joinedAt: number;
  readonly wants: readonly Line[];
  /** RFC 7638 thumbprint of the browser's key. */
  readonly keyThumbprint: string;
  /** HMAC of the address that was proven at the join; null where the drop asks for none. */
  readonly person: string | null;
  /** How many people stand in line with it; absent for one. Read by `peopleOf`. */
  readonly people?: number;
}

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

export interface Sitting {
  readonly id: string;
  readonly entry: string;
  readonly admittedAt: number;
  /** Until when the first hold must be made; afterwards when the sitting's holds end. */
  readonly expiresAt: number;
}

export type ClaimAnswer = { readonly state: "admitted"; readonly sitting: Sitting } | { readonly state: "waiting"; readonly rank: string | null };

export type HoldState = "held" | "placed" | "sold" | "expired" | "abandoned" | "voided";

export interface HoldView {
  readonly id: string;
  readonly state: HoldState;
  readonly lines: readonly (Line & { readonly unitPriceMinor: number; readonly totalMinor: number })[];
  readonly totalMinor: number;
  readonly currency: string;
  readonly expiresAt: number;
  readonly order: string | null;
}

export interface HoldCommand {
  readonly id: string;
  readonly sitting: string;
  readonly entry: string;
  readonly lines: readonly Line[];
  readonly replaces: string | null;
  /** Keyed hash of the network that asked, for its budget; never where it is. */
  readonly network: string;
}

export interface PlaceCommand {
  readonly id: string;
  readonly hold: string;
  readonly sitting: string;
  readonly entry: string;
  /** HMAC of the normalised address: the object counts people without knowing them. */
  readonly person: string;
  readonly email: string;
  readonly delivery: Delivery;
  /** HMAC of the normalised postal address; absent where nothing is sent. */
  readonly destination?: string;
  readonly coupon: CheckedCoupon | null;
  readonly region: string | null;
  readonly locale: string;
  readonly returnTo: string;
}

/** What the drop says of a payment: stored with the payment and never changed by a retry. */
export type ConfirmAnswer =
  | { readonly verdict: "sold"; readonly at: number }
  /** Without a reason there was nothing to sell, or no time left to sell it in. */
  | { readonly verdict: "refused"; readonly at: number; readonly reason?: "card_limit" };

export interface PaymentToConfirm {
  readonly order: string;
  readonly payment: string;
  /** Hash of the card that pays, which means nothing outside of this drop; absent or null where the provider names none. */
  readonly card?: string | null;
}

export type NotOpen =
  | { readonly code: "drop_not_open"; readonly opensAt: number }
  | { readonly code: "drop_closed" }
  | { readonly code: "drop_paused" };
export type ClaimRejection = NotOpen | { readonly code: "too_many_requests"; readonly retryAt: number };
export type HoldRejection =
  | NotOpen
  | { readonly code: "not_admitted" }
  | { readonly code: "pass_expired" }
  | { readonly code: "id_reused" }
  | { readonly code: "not_found" }
  /** `people` is how many may have so much together; absent for one. */
  | { readonly code: "quantity_not_allowed"; readonly pointer: string; readonly max: number; readonly people?: number }
  | { readonly code: "unknown_sku"; readonly pointer: string }
  | { readonly code: "limit_reached"; readonly limit: number }
  | { readonly code: "sold_out"; readonly sku: string; readonly available: number; readonly nextStageAt: number | null }
  /** The network holds as much unpaid as it may. */
  | { readonly code: "too_many_requests"; readonly retryAt: number };
export type AbandonRejection =
  | { readonly code: "not_found" }
  | { readonly code: "order_placed" }
  /** The entry has asked more than any person does. */
  | { readonly code: "too_many_requests"; readonly retryAt: number };
export type PlaceRejection =
  | { readonly code: "not_found" }
  | { readonly code: "id_reused" }
  | { readonly code: "order_placed" }
  /** The place belongs to an address that was proven, and the order names another one. */
  | { readonly code: "identity_differs" }
  | { readonly code: "hold_expired" }
  /** Without `per` it is the limit of a person. */
  | { readonly code: "limit_reached"; readonly limit: number; readonly per?: "address" }
  | { readonly code: "coupon_invalid" }
  | { readonly code: "coupon_used_up" }
  /** The entry has asked more than any person does. */
  | { readonly code: "too_many_requests"; readonly retryAt: number };

/** What became of a round that somebody brought. Only `wrong` says that it was not the beacon's. */
export type BeaconOutcome = "taken" | "not_needed" | "too_early" | "wrong";

/** One line of the public record, in its wire form. */
export type MovementRow = Readonly<Record<string, unknown>> & {
  readonly seq: number;
  readonly kind: string;
  readonly at: string;
  readonly prevHash: string;
  readonly hash: string;
};

export interface RecordPage {
  readonly rows: readonly MovementRow[];
  /** The head of the whole record at the time of asking, and its compact JWS. */
  readonly head: { readonly seq: number; readonly hash: string; readonly at: string };
  readonly signature: string;
}

export type Control =
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "extend"; readonly stage: number; readonly byMs: number }
  | { readonly kind: "cancel" };

/** An effect that settlement owes; it stays until settlement acknowledges it. */
export type OutboxMessage =
  | { readonly id: string; readonly drop: string; readonly kind: "order_placed"; readonly order: PlacedOrder }
  /** The till closes: the provider's session must be expired now. */
  | { readonly id: string; readonly drop: string; readonly kind: "payment_due"; readonly order: string }
  /** The goods went back by the clock; a payment that still arrives is late. */
  | { readonly id: string; readonly drop: string; readonly kind: "order_expired"; readonly order: string }
  /** The drop was cancelled: void or refund. */
  | { readonly id: string; readonly drop: string; readonly kind: "order_cancelled"; readonly order: string };

/** The orders of a cancelled drop whose money has not gone back yet: their units are still sold. */
export interface AwaitedReturns {
  readonly orders: readonly string[];
  /** Until when the books stay open for them. */
  readonly until: number;
}

/** From admission to a confirmed payment, over the drop's sales so far. */
export interface CheckoutPace {
  readonly orders: number;
  /** Null before the first sale. */
  readonly medianMs: number | null;
}

/** For the storefront, the lobby, the desk and settlement; each uses only what is its own business. */
export interface DropPort {
  /** Makes the plan when there is none; the first source wins. */
  plan(source: PlanSource): Promise<DropSnapshot>;
  /** The live state; `pages` answer the previous snapshot's `wanted`. Null when the drop was never planned. */
  snapshot(pages: readonly LinePage[]): Promise<DropSnapshot | null>;
  /** Idempotent by shard and batch. */
  seal(seal: ShardSeal): Promise<DropSnapshot | null>;
  /** Brings the round of the beacon for which the draw waits; whoever brings it is not believed. Idempotent. */
  beacon(round: number, signature: string): Promise<BeaconOutcome>;
  claim(ticket: TicketFacts): Promise<Result<ClaimAnswer, ClaimRejection>>;
  hold(command: HoldCommand): Promise<Result<HoldView, HoldRejection>>;
  holdState(id: string, entry: string): Promise<HoldView | null>;
  abandon(id: string, entry: string): Promise<Result<HoldView, AbandonRejection>>;
  place(command: PlaceCommand): Promise<Result<PlacedOrder, PlaceRejection>>;
  /** The placed order as the drop stored it, for the moments in which settlement has not seen it yet. */
  placed(order: string): Promise<PlacedOrder | null>;
  /** Settlement: the money is authorised, by the card of this hash where it is one. Final per payment. */
  confirm(order: string, payment: string, card?: string | null): Promise<ConfirmAnswer>;
  /** The same for many payments in one call, answered in their order; null where this one could not be decided and is to be asked again. */
  confirmAll(payments: readonly PaymentToConfirm[]): Promise<readonly (ConfirmAnswer | null)[]>;
  /** Settlement: the provider says "processing"; extends `payBy` once. Answers the time that now holds. */
  processing(order: string): Promise<number | null>;
  /** Settlement: this order will never be paid; its units come back at once. */
  fail(order: string): Promise<void>;
  /** Settlement: units of a sold order go back on sale in the open stage. Idempotent by `refund`. */
  restock(order: string, refund: string, lines: readonly Line[]): Promise<void>;
  acknowledge(outboxIds: readonly string[]): Promise<void>;
  /** From a page's first row (1-based), at most 1,000 rows. */
  record(from: number): Promise<RecordPage | null>;
  control(control: Control, actor: string): Promise<Result<DropSnapshot, { readonly code: "control_not_possible" } | { readonly code: "not_found" }>>;
  /** The desk: says where a config differs from the running plan, and publishes it where nothing of it is refused. Null when the drop was never planned. */
  changePlan(source: PlanSource, publish: boolean, actor: string): Promise<PlanChangeAnswer | null>;
  /** The desk: what a cancelled drop still waits for before its books are closed; null for any other drop. */
  awaitedReturns(): Promise<AwaitedReturns | null>;
  /** The desk: how fast people get from their turn to a paid order. */
  pace(): Promise<CheckoutPace>;
  /** Runs whatever is due: expiries, the draw, the close, the outbox. For cron and alarms. */
  sweep(): Promise<void>;
}
