import * as v from "valibot";
import { LiveAnswer } from "../../../schema/wire/live.ts";
import type { Line } from "../../drop/port.ts";
import type { Hashing } from "../../kernel/hashing.ts";
import { rankOf } from "../../lobby/draw.ts";
import { liveToWire } from "../../lobby/live-wire.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { isKeptForOthers, type Remembered, type Step, stepOf, whatCanBeTaken } from "../browser/journey.ts";
import { neverGrowing, type Position, positionOf, servedWants } from "../browser/rank.ts";
import type { TicketClaims } from "../credentials.ts";

/** Where a ticket stands, by what everybody is told. */
export interface Standing {
  readonly step: Step;
  readonly live: LiveAnswer;
  /** Null before the draw, and for those who are called. */
  readonly position: Position | null;
  /** What of the wants may be held now, by the ticket's place. */
  readonly served: readonly Line[];
  /** What of it is free. */
  readonly free: readonly Line[];
  /** Something of the wants is there, but kept for others. */
  readonly isKept: boolean;
}

/** One reading of a drop is shown to everybody who looks within its second. */
const answers = new WeakMap<LobbyLive, LiveAnswer>();

function answerOf(snapshot: LobbyLive): LiveAnswer {
  const known = answers.get(snapshot);
  if (known !== undefined) return known;
  const answer = v.parse(LiveAnswer, liveToWire(snapshot, snapshot.live.asOf));
  answers.set(snapshot, answer);
  return answer;
}

/**
 * Where somebody without script stands: the same steps by the same rules as a
 * browser finds them for itself, worked out here from the copy of the live
 * state, so that waiting costs no object anything. `shown` is the smallest
 * position that was shown before.
 */
export function standingBy(ticket: TicketClaims, snapshot: LobbyLive, shown: Position | null, hashing: Hashing, now: number): Standing {
  const live = answerOf(snapshot);
  const { entry, lane, weight, joinedAt, wants } = ticket;
  const rank = live.seed === null ? null : rankOf({ entry, weight, joinedAt }, snapshot.plan.opensAt, live.seed, hashing);
  const memory: Remembered = { wants, ticketId: ticket.ticket, ticket: { id: ticket.ticket, entry, ticket: "", lane, weight, joinedAt: "" }, hold: null, order: null, rest: null };
  const step = stepOf({ memory, live, rank, isShort: false, isAddressAsked: false, now });
  return {
    step, live,
    position: rank === null || step === "called" ? null : neverGrowing(shown, positionOf(live, rank, lane, wants)),
    served: rank === null ? [] : servedWants(live, rank, lane, wants),
    free: whatCanBeTaken(live, rank, memory),
    isKept: isKeptForOthers(live, memory),
  };
}
