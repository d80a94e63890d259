import { isTicketServed, thresholdLookup } from "./line.ts";
import type { LobbyLive, TicketStanding } from "./port.ts";
import { positionIn } from "./quantiles.ts";
import type { BookedTicket } from "./tickets.ts";

/** A standing, and whether its position is a better one than the owner was shown before: that is stored before it is shown. */
interface ShownStanding {
  readonly standing: TicketStanding;
  readonly improvedPosition: number | null;
}

/**
 * Where a ticket stands by the live state. A shard knows thresholds, not passes:
 * it says `waiting` or `served` while the drop runs and `done` once it is over.
 * That a served ticket was admitted is known to the Drop object alone, and to
 * whoever keeps the pass.
 *
 * The position comes from quantiles and from a line in which others may give up
 * or change their wants, so that the same place can come out a little larger a
 * second later. Who waits reads that as being pushed back; therefore the
 * smallest position ever shown stays.
 */
export function standingOf(ticket: BookedTicket, live: LobbyLive): ShownStanding {
  const { lane, rank } = ticket;
  const { phase, thresholds } = live.live;
  if (phase === "closed" || phase === "cancelled") return { standing: { state: "done", lane, rank, position: null }, improvedPosition: null };
  if (rank === null) return { standing: { state: "waiting", lane, rank, position: null }, improvedPosition: null };
  if (isTicketServed(ticket, thresholdLookup(thresholds))) return { standing: { state: "served", lane, rank, position: null }, improvedPosition: null };
  const quantiles = live.quantiles.find((ofLane) => ofLane.lane === lane);
  const measured = quantiles === undefined ? null : positionIn(quantiles, rank);
  const shown = ticket.shownPosition;
  const improvedPosition = measured !== null && (shown === null || measured < shown) ? measured : null;
  return { standing: { state: "waiting", lane, rank, position: improvedPosition ?? shown }, improvedPosition };
}
