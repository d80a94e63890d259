import type { NotOpen } from "../../drop/port.ts";
import type { Hashing } from "../../kernel/hashing.ts";
import { rejected, type Result } from "../../kernel/result.ts";
import { rankOf } from "../../lobby/draw.ts";
import { isTicketServed, thresholdLookup } from "../../lobby/line.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import type { TicketClaims } from "../credentials.ts";

/** `ask`: the ticket looks served, so the Drop object decides. `wait`: it is not, by a state at most two seconds old. */
export type ClaimOutlook = Result<"ask" | "wait", NotOpen>;

const PAUSED: ClaimOutlook = rejected({ code: "drop_paused" });

/**
 * What a claim can come to by the live state. Only those whose place is called
 * are passed on: the crowd that asks again and again never reaches the one
 * object that sells. A claim that is refused here is two seconds late at worst.
 */
export function claimOutlook(ticket: TicketClaims, snapshot: LobbyLive, hashing: Hashing): ClaimOutlook {
  const { live, plan } = snapshot;
  switch (live.phase) {
    case "announced":
    case "lobby":
      return rejected({ code: "drop_not_open", opensAt: plan.opensAt });
    case "closed":
    case "cancelled":
      return rejected({ code: "drop_closed" });
    case "paused":
    case "drawing":
    case "open":
    case "sold-out":
      break;
  }
  if (plan.admit === "all" && live.phase !== "drawing") return { ok: true, value: "ask" };
  // Whoever has sat down already gets the same pass again also while the drop is paused; who has not is told by the Drop object.
  if (live.seed === null) return live.phase === "paused" ? PAUSED : { ok: true, value: "wait" };
  const rank = rankOf(ticket, plan.opensAt, live.seed, hashing);
  const { lane, wants } = ticket;
  if (isTicketServed({ rank, lane, wants }, thresholdLookup(live.thresholds))) return { ok: true, value: "ask" };
  return live.phase === "paused" ? PAUSED : { ok: true, value: "wait" };
}
