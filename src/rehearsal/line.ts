import { bytesFromHex, type Hashing } from "../kernel/hashing.ts";
import { entryOf, isServed, rankByKey, refOf } from "../lobby/draw.ts";

/** What a ticket's owner knows of their own place. */
export interface OwnPlace {
  readonly entry: string;
  readonly lane: string;
  readonly weight: number;
  readonly joinedAt: number;
  readonly wants: readonly { readonly sku: string }[];
}

/** The part of the public state that says whose turn it is. */
export interface PublicLine {
  readonly seed: string | null;
  readonly thresholds: readonly { readonly sku: string; readonly lane: string; readonly upTo: string | null }[];
}

interface Waiting<Who> {
  readonly who: Who;
  readonly place: OwnPlace;
  rank: string | null;
}

/**
 * Everybody who waits, each computing the own rank from what the store tells
 * everyone, as browsers do. Waiting asks nobody anything.
 */
export class WaitingCrowd<Who> {
  readonly #opensAt: number;
  readonly #hashing: Hashing;
  #waiting: Waiting<Who>[] = [];
  #key: Uint8Array | null = null;
  #newcomers = false;
  #thresholds = "";

  constructor(opensAt: number, hashing: Hashing) {
    this.#opensAt = opensAt;
    this.#hashing = hashing;
  }

  get length(): number {
    return this.#waiting.length;
  }

  stand(who: Who, place: OwnPlace): void {
    this.#waiting.push({ who, place, rank: null });
    this.#newcomers = true;
  }

  /** Those whose turn it is by this state and who were not called before. */
  called({ seed, thresholds }: PublicLine): Who[] {
    const stated = JSON.stringify(thresholds);
    if (seed === null || (!this.#newcomers && stated === this.#thresholds)) return [];
    this.#key ??= bytesFromHex(seed);
    this.#thresholds = stated;
    this.#newcomers = false;
    const called: Who[] = [];
    const stillWaiting: Waiting<Who>[] = [];
    for (const one of this.#waiting) {
      one.rank ??= rankByKey(one.place, this.#opensAt, this.#key, this.#hashing);
      const { rank, place } = one;
      const isTurn = thresholds.some(({ sku, lane, upTo }) => lane === place.lane && isServed(rank, upTo) && place.wants.some((want) => want.sku === sku));
      if (isTurn) called.push(one.who);
      else stillWaiting.push(one);
    }
    this.#waiting = stillWaiting;
    return called;
  }

  /** Everybody who still waits leaves. */
  dismiss(): Who[] {
    const left = this.#waiting.map(({ who }) => who);
    this.#waiting = [];
    return left;
  }
}

/** The rank that the draw gave to a place, as the record defines it. */
export function rankOfPlace(place: OwnPlace, opensAt: number, seed: string, hashing: Hashing): string {
  return rankByKey(place, opensAt, bytesFromHex(seed), hashing);
}

/** The name under which the record knows a hold; only its owner can tell. */
export function recordNameOfHold(drop: string, hold: string, hashing: Hashing): string {
  return refOf(drop, hold, hashing);
}

/** The name under which the record knows a ticket. */
export function entryOfTicket(drop: string, ticket: string, hashing: Hashing): string {
  return entryOf(drop, ticket, hashing);
}
