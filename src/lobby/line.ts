import { OPEN_LANE } from "../drop/plan.ts";
import type { LinePage, LineRequest, Threshold } from "../drop/port.ts";
import { bytesFromHex, type Hashing } from "../kernel/hashing.ts";
import { assert } from "../kernel/result.ts";
import { isServed, rankByKey } from "./draw.ts";
import type { LaneQuantiles } from "./port.ts";
import { quantilesOf } from "./quantiles.ts";
import type { BookedTicket, TicketBook } from "./tickets.ts";

/** More newcomers than this are sorted in together; fewer are put in one by one. */
const INSERTED_SINGLY_MAX = 64;

/** What a page may say of its shard: how many tickets are in the record, and through when that is everybody. */
interface Offered {
  readonly shard: number;
  /** Tickets with a smaller number are in a seal of the record. */
  readonly offeredCount: number;
  readonly completeThrough: number;
}

/** How many wait, and where in the line. */
export interface Census {
  readonly waiting: number;
  readonly quantiles: readonly LaneQuantiles[];
}

/**
 * The tickets of a shard in the order of service, once the draw's seed is known.
 *
 * One order for all items: a page is made by walking it from the threshold and
 * leaving out who wants something else. A list per item and lane would be
 * quicker to read, but pages are asked for once a second, and every change of
 * mind would have to be carried into all of the lists.
 */
export class ServiceLine {
  readonly seed: string;
  readonly #key: Uint8Array;
  readonly #opensAt: number;
  readonly #hashing: Hashing;
  #order: BookedTicket[] = [];
  #fresh: BookedTicket[] = [];
  #taken = 0;

  constructor(seed: string, opensAt: number, hashing: Hashing) {
    this.seed = seed;
    this.#key = bytesFromHex(seed);
    this.#opensAt = opensAt;
    this.#hashing = hashing;
  }

  /**
   * Ranks at most `limit` of the tickets that are new since the last call;
   * answers whether none is left. A rank costs about ten microseconds, so a full
   * shard is ranked in portions, between which others get their answers.
   */
  take(book: TicketBook, limit: number): boolean {
    const end = Math.min(book.tickets.length, this.#taken + limit);
    for (const ticket of book.tickets.slice(this.#taken, end)) {
      ticket.rank = rankByKey(ticket, this.#opensAt, this.#key, this.#hashing);
      this.#fresh.push(ticket);
    }
    this.#taken = end;
    if (end < book.tickets.length) return false;
    this.#settle();
    return true;
  }

  /** The next waiting ranks of one line; the line must be ranked. */
  page(request: LineRequest, offered: Offered): LinePage {
    const { sku, lane, after, count } = request;
    const waiting: { rank: string; quantity: number }[] = [];
    for (let place = after === null ? 0 : this.#placeAfter(after); place < this.#order.length && waiting.length < count; place++) {
      const ticket = this.#order[place];
      if (ticket === undefined || ticket.index >= offered.offeredCount || ticket.lane !== lane) continue;
      const quantity = wantedQuantity(ticket, sku);
      if (quantity > 0) waiting.push({ rank: rankOfTaken(ticket), quantity });
    }
    const last = waiting.at(-1);
    const isFull = last !== undefined && waiting.length === count;
    return { shard: offered.shard, sku, lane, after, waiting, completeTo: isFull ? last.rank : lastRankOf(offered.completeThrough) };
  }

  /** Everybody who is not served by the thresholds, and the quantiles of each lane; the open lane is always among them. */
  census(thresholds: readonly Threshold[]): Census {
    const reached = thresholdLookup(thresholds);
    const lanes = new Map<string, string[]>([[OPEN_LANE, []]]);
    let waiting = 0;
    for (const ticket of this.#order) {
      if (isTicketServed(ticket, reached)) continue;
      waiting++;
      const ofLane = lanes.get(ticket.lane);
      if (ofLane === undefined) lanes.set(ticket.lane, [rankOfTaken(ticket)]);
      else ofLane.push(rankOfTaken(ticket));
    }
    return { waiting, quantiles: [...lanes].map(([lane, ranks]) => quantilesOf(lane, ranks)) };
  }

  /**
   * How many tickets want something to which their line has not come, those
   * included who are served for something else: while there are any, the line
   * must go on, though nobody may seem to wait.
   */
  unmet(thresholds: readonly Threshold[]): number {
    const reached = thresholdLookup(thresholds);
    let unmet = 0;
    for (const { rank, lane, wants } of this.#order) if (rank !== null && wants.some(({ sku }) => !isServed(rank, reached(sku, lane)))) unmet++;
    return unmet;
  }

  #settle(): void {
    if (this.#fresh.length > INSERTED_SINGLY_MAX) {
      this.#order = [...this.#order, ...this.#fresh].toSorted((a, b) => (rankOfTaken(a) < rankOfTaken(b) ? -1 : 1));
    } else {
      // Whoever comes late ranks at the end, so that this moves next to nothing.
      for (const ticket of this.#fresh) this.#order.splice(this.#placeAfter(rankOfTaken(ticket)), 0, ticket);
    }
    this.#fresh = [];
  }

  /** The first place behind every rank that is at most `rank`. */
  #placeAfter(rank: string): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#order[middle]?.rank ?? "") <= rank) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The greatest rank that somebody who joined in this millisecond can have. */
export function lastRankOf(joinedAt: number): string {
  return `1${joinedAt.toString(16).padStart(12, "0")}${"f".repeat(16)}`;
}

type ThresholdLookup = (sku: string, lane: string) => string | null;

export function thresholdLookup(thresholds: readonly Threshold[]): ThresholdLookup {
  const bySku = new Map<string, Map<string, string | null>>();
  for (const { sku, lane, upTo } of thresholds) {
    const lanes = bySku.get(sku) ?? new Map<string, string | null>();
    lanes.set(lane, upTo);
    bySku.set(sku, lanes);
  }
  return (sku, lane) => bySku.get(sku)?.get(lane) ?? null;
}

/**
 * Whether anything that the ticket wants is reached by a threshold of its lane.
 * A ticket stands in one lane; that its lane is never worse than the open one is
 * the Drop object's business, which moves all lanes of an item by rank.
 */
export function isTicketServed(ticket: Pick<BookedTicket, "rank" | "lane" | "wants">, reached: ThresholdLookup): boolean {
  const { rank, lane } = ticket;
  return rank !== null && ticket.wants.some(({ sku }) => isServed(rank, reached(sku, lane)));
}

function wantedQuantity(ticket: BookedTicket, sku: string): number {
  let quantity = 0;
  for (const line of ticket.wants) if (line.sku === sku) quantity += line.quantity;
  return quantity;
}

function rankOfTaken(ticket: BookedTicket): string {
  assert(ticket.rank !== null, "a ticket in the line has a rank");
  return ticket.rank;
}
