import type { Compression } from "./compression.ts";
import type { LaneShare } from "../drop/plan.ts";
import type { Intent, Want, Way } from "./crowd.ts";

/*
 * What one rehearsed night left behind, as it was measured: the public record,
 * the books of both sides, and what everybody in the crowd saw. The report is
 * made from this and nothing else.
 */

/** Everything that was chosen before the night began. */
export interface NightTerms {
  readonly seed: number;
  /** In words: "gates on", "without email". */
  readonly gates: string;
  readonly isEmailProven: boolean;
  readonly drop: string;
  readonly title: string;
  readonly people: number;
  readonly bots: number;
  readonly identities: number;
  readonly abandonShare: number;
  readonly units: number;
  readonly shards: number;
  readonly compression: Compression;
  readonly lobbyMs: number;
  /** As long as they are on the night: the lobby until the opening, and the sale until the close. */
  readonly realLobbyMs: number;
  readonly realSaleMs: number;
  /** When the stages open on the night, as they are written, counted from the first. */
  readonly realStages: readonly number[];
}

/** A row of the public record, as far as the report reads it. */
export interface RecordRow {
  readonly seq: number;
  readonly kind: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly sku: string;
  readonly quantity: number;
  readonly subject: string;
  readonly ref: string;
  readonly lane: string;
  /** In which stage a hold was made, from 1; 0 in other rows. */
  readonly stage: number;
  /** Up to which rank an item is served from here on; an empty text in other rows. */
  readonly upTo: string;
}

export type ShopperClass = "people" | "bots";

export interface ShopperFact {
  readonly class: ShopperClass;
  /** By which way they came; `browser` is a real one, which has script. */
  readonly way: Way | "browser";
  readonly intent: Intent;
  /** Which identity it is, or hides behind. */
  readonly identity: string;
  readonly entry: string | null;
  readonly lane: string;
  readonly wants: readonly Want[];
  readonly joinedAt: number | null;
  /** The rank of the draw; null before it or without a ticket. */
  readonly rank: string | null;
  readonly calledAt: number | null;
  readonly admittedAt: number | null;
  /** Why there is no ticket; null where there is one. */
  readonly refused: string | null;
  /** Whether the place was another's of the same identity before, and counts there. */
  readonly isMoved: boolean;
  /** The record's names of the holds that it was given. */
  readonly refs: readonly string[];
  readonly end: string;
}

export interface OrderFact {
  readonly id: string;
  /** The record's name of the hold behind it. */
  readonly ref: string;
  readonly isPaid: boolean;
  readonly isConfirmed: boolean;
}

/** What the provider's own books say of one payment; amounts in minor units. */
export interface PaymentFact {
  readonly order: string | null;
  readonly authorisedMinor: number;
  readonly capturableMinor: number;
  readonly receivedMinor: number;
  readonly refundedMinor: number;
}

/** The store's ledger of one order against the provider's books. */
export interface LedgerFact {
  readonly order: string;
  readonly state: string;
  readonly postedMinor: number;
  readonly pendingMinor: number;
}

export interface RouteFact {
  readonly route: string;
  readonly requests: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** By status and problem code. */
  readonly answers: readonly (readonly [answer: string, count: number])[];
}

/** Calls into one object within one second, by the runtime's own tracing. */
export interface CallFact {
  readonly kind: string;
  readonly object: string;
  readonly second: number;
  readonly call: string;
  readonly calls: number;
}

export interface NightFacts {
  readonly terms: NightTerms;
  /** Epoch milliseconds, by the plan. */
  readonly opensAt: number;
  readonly closesAt: number;
  readonly stages: readonly { readonly opensAt: number; readonly units: number }[];
  /** What is counted, by sku, and how much of it each stage brings when, by the record's own plan. */
  readonly stock: readonly { readonly sku: string; readonly units: number; readonly stages: readonly { readonly opensAt: number; readonly units: number }[] }[];
  /** For whom a part of each stage is kept, with the rehearsal's times. */
  readonly lanes: readonly LaneShare[];
  readonly rows: readonly RecordRow[];
  readonly head: string;
  readonly shoppers: readonly ShopperFact[];
  readonly orders: readonly OrderFact[];
  readonly payments: readonly PaymentFact[];
  readonly ledger: readonly LedgerFact[];
  readonly routes: readonly RouteFact[];
  readonly requestsBySecond: readonly (readonly [second: number, requests: number])[];
  readonly calls: readonly CallFact[];
  /** How often each fault struck. */
  readonly faults: readonly (readonly [fault: string, count: number])[];
  /** What was tried against the store, and how often. */
  readonly tried: readonly (readonly [what: string, count: number])[];
  /** What somebody saw that must never happen. */
  readonly broken: readonly { readonly what: string; readonly count: number; readonly examples: readonly string[] }[];
  /** The verifier's answer to the record. */
  readonly verifier: { readonly isRight: boolean; readonly sentence: string; readonly findings: readonly string[] };
  /** What else is worth a line, such as that no browser was found. */
  readonly remarks: readonly string[];
  readonly tookSeconds: number;
}
