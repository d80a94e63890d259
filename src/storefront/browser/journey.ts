import type { Live, PageData, WireLine } from "./page-data.ts";
import { outlookOf } from "./outlook.ts";
import { servedWants } from "./rank.ts";
import type { Memory } from "./storage.ts";

/*
 * Which step of the way a shopper is at: a pure function of what this browser
 * remembers and what the store last said, so that a reload, a second tab and a
 * long sleep all end at the same place.
 */

export type Step =
  | "choose"
  | "joining"
  | "proving"
  | "waiting"
  | "drawing"
  | "line"
  | "called"
  | "short"
  | "rested"
  | "stage-out"
  | "held"
  | "ordered"
  | "paused"
  | "gone"
  | "closed"
  | "cancelled";

/** What of a memory says where its owner stands. */
export type Remembered = Pick<Memory, "wants" | "ticketId" | "ticket" | "hold" | "order" | "rest">;

export interface Situation {
  readonly memory: Remembered;
  readonly live: Live | null;
  readonly rank: string | null;
  /** Set when the wanted items were not all free: what was refused. */
  readonly isShort: boolean;
  /** The next join needs to be told who joins. */
  readonly isAddressAsked: boolean;
  readonly now: number;
}

type SoldOut = "no" | "stage" | "final";

/** Whether nothing of what is wanted can be had now, and whether it ever will be. */
export function wantsSoldOut(live: Live, wants: readonly WireLine[]): SoldOut {
  const states = wants.map((want) => live.items.find((item) => item.sku === want.sku)?.soldOut ?? null);
  if (states.length === 0 || states.some((state) => state === null)) return "no";
  return states.every((state) => state === "final") ? "final" : "stage";
}

/** A hold lives by the server's clock, whatever was last stored about it. */
export function isHolding(memory: Pick<Memory, "hold">, now: number): boolean {
  const { hold } = memory;
  return hold !== null && hold.state === "held" && Date.parse(hold.expiresAt) > now;
}

/** A hold that ended by the clock and was not ordered from: the shopper decides whether to go on. */
function hasExpired(memory: Pick<Memory, "hold">, now: number): boolean {
  return memory.hold !== null && !isHolding(memory, now);
}

export function stepOf(situation: Situation): Step {
  const { memory, live, now } = situation;
  if (memory.order !== null) return "ordered";
  if (isHolding(memory, now)) return "held";
  if (live === null) return withoutTicket(memory) ?? "waiting";
  if (live.phase === "closed" || live.phase === "cancelled") return live.phase;
  if (outlookOf({ ...live, hasNextStage: live.nextStageAt !== null }) === "gone") return "gone";
  if (situation.isAddressAsked) return "proving";
  const outside = withoutTicket(memory);
  if (outside !== null) return outside;
  if (live.phase === "sold-out") return wantsSoldOut(live, memory.wants) === "final" ? "short" : "stage-out";
  if (live.phase === "paused") return "paused";
  if (live.phase === "announced" || live.phase === "lobby") return "waiting";
  if (live.phase === "drawing" || live.seed === null || situation.rank === null) return "drawing";
  return stepInLine(situation, live, situation.rank);
}

/** An id without a ticket is a join that was asked for and not answered yet: it goes on by itself. */
function withoutTicket(memory: Remembered): "choose" | "joining" | null {
  if (memory.ticket !== null) return null;
  return memory.ticketId === null ? "choose" : "joining";
}

function stepInLine(situation: Situation, live: Live, rank: string): Step {
  const { memory, isShort, now } = situation;
  const soldOut = wantsSoldOut(live, memory.wants);
  if (soldOut === "stage") return "stage-out";
  if (soldOut === "final") return "short";
  if (memory.rest !== null || hasExpired(memory, now)) return "rested";
  if (isShort) return "short";
  const served = servedWants(live, rank, memory.ticket?.lane ?? "", memory.wants).length;
  // A pass holds only what its rank is served for: to ask for the rest would lose it.
  if (served > 0 && served < memory.wants.length) return "short";
  return served > 0 ? "called" : "line";
}

/** When the next thing happens by the clock; null when nothing is due. */
export function nextBoundaryAt(page: PageData, live: Live | null, now: number): number | null {
  const stageAt = live?.nextStageAt == null ? null : Date.parse(live.nextStageAt);
  const moments = [page.lobbyOpensAt, page.opensAt, stageAt, page.closesAt].filter((at) => at !== null && at > now);
  return moments.reduce<number | null>((soonest, at) => (at !== null && (soonest === null || at < soonest) ? at : soonest), null);
}

/** What of the wanted lines is still free to a lane, largest first choice kept: nothing is offered that is known to be gone or kept for others. */
export function whatIsLeft(live: Live, lane: string, wants: readonly WireLine[]): WireLine[] {
  return wants
    .map((want) => ({ sku: want.sku, quantity: Math.min(want.quantity, freeIn(live, lane, want.sku)) }))
    .filter((line) => line.quantity > 0);
}

/** What of the wanted lines can be held at once: its place is called, and it is free. */
export function whatCanBeTaken(live: Live, rank: string | null, memory: Pick<Memory, "ticket" | "wants">): WireLine[] {
  const lane = memory.ticket?.lane ?? "";
  return rank === null ? [] : whatIsLeft(live, lane, servedWants(live, rank, lane, memory.wants));
}

/** Whether something of the wants is there, but kept for others than who asks. */
export function isKeptForOthers(live: Live, { ticket, wants }: Pick<Memory, "ticket" | "wants">): boolean {
  return wants.some(({ sku }) => freeIn(live, ticket?.lane ?? "", sku) < 1 && live.items.some((item) => item.sku === sku && item.available > 0));
}

function freeIn(live: Live, lane: string, sku: string): number {
  const item = live.items.find((candidate) => candidate.sku === sku);
  return item?.byLane?.find((share) => share.lane === lane)?.available ?? item?.available ?? 0;
}

export function totalUnits(lines: readonly WireLine[]): number {
  return lines.reduce((sum, line) => sum + line.quantity, 0);
}
