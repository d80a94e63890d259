import * as v from "valibot";
import { TicketId } from "../../../schema/wire/ids.ts";
import { EmptyRequest, type PassAnswer, type TicketStandingAnswer, type WaitingAnswer } from "../../../schema/wire/ticket.ts";
import type { Sitting } from "../../drop/port.ts";
import { askedTooOften } from "../../drop/entry-budget.ts";
import type { AttemptBudget } from "../../kernel/attempt-budget.ts";
import type { Problem } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import { instantToWire } from "../../kernel/time.ts";
import type { LobbyLive, TicketStanding } from "../../lobby/port.ts";
import type { TicketClaims } from "../credentials.ts";
import type { ApiPorts, ShopLobby } from "../ports.ts";
import { announcedDrop, type AnnouncedDrop } from "./announced-drop.ts";
import { answer, refusal } from "./answers.ts";
import { claimOutlook } from "./claim-outlook.ts";
import { portProblem } from "./refusals.ts";
import { credentialRefusal, ticketOf } from "./request-credentials.ts";
import type { Handler } from "./resource.ts";
import { optionalBody } from "../../http/strict-body.ts";
import { waitEstimate } from "./wait-estimate.ts";

/** The longest that a sitting can go on after its first hold: paying, and the provider's "processing". */
const PASS_OUTLIVES_HOLD_MS = 30 * 60_000;

/** The lobby shard that has the ticket, or will have it. */
export function shardOf(ports: ApiPorts, drop: AnnouncedDrop, ticket: string): ShopLobby {
  return ports.lobby(drop.plan.drop, ports.credentials.shardOf(drop.plan.drop, ticket, drop.plan.shards));
}

/** Where a ticket stands, for whoever knows its id. */
export function showTicket(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    const id = context.req.param("ticket") ?? "";
    const standing = drop === null || !v.is(TicketId, id) ? null : await shardOf(ports, drop, id).standing(id);
    const live = drop === null || standing === null ? null : await ports.live(drop.plan.drop);
    return standing === null ? refusal({ code: "not_found" }, context) : answer(standingToWire(standing, live, ports.now()));
  };
}

function standingToWire({ state, lane, rank, position }: TicketStanding, live: LobbyLive | null, now: number): TicketStandingAnswer {
  const estimate = state !== "waiting" || position === null || live === null ? null : waitEstimate(position, live.plan, live.live, now);
  return { state, lane, rank, position, eta: estimate === null ? null : { from: instantToWire(estimate.from), to: instantToWire(estimate.to) } };
}

/** A ticket's inclusion proof in its shard's seal; there is none before the seal. */
export function showProof(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    const id = context.req.param("ticket") ?? "";
    const proof = drop === null || !v.is(TicketId, id) ? null : await shardOf(ports, drop, id).proof(id);
    return proof === null ? refusal({ code: "not_found" }, context) : answer(proof);
  };
}

/** Claims a pass. Waiting is not a refusal: whose place is not called yet is told where it is. */
export function claimPass(ports: ApiPorts, asks: AttemptBudget): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null) return refusal({ code: "not_found" }, context);
    const proven = await ticketOf(ports, context.req.raw, drop.plan.drop);
    if (!proven.ok) return credentialRefusal(ports, context, proven.rejection);
    const body = await optionalBody(context.req.raw, EmptyRequest);
    if (!body.ok) return refusal(body.rejection, context);
    const ticket = proven.value;
    const claimed = await claimSitting(ports, asks, drop, ticket);
    if (!claimed.ok) return refusal(claimed.rejection, context);
    if (claimed.value === "waiting") {
      const standing = await shardOf(ports, drop, ticket.ticket).standing(ticket.ticket);
      return answer<WaitingAnswer>({ state: "waiting", position: standing?.position ?? null });
    }
    const { sitting, passEndsAt } = claimed.value;
    const { entry, keyThumbprint } = ticket;
    const pass = await ports.credentials.mintPass({ drop: drop.plan.drop, sitting: sitting.id, entry, keyThumbprint }, sitting.admittedAt, passEndsAt);
    return answer<PassAnswer>({ pass, expiresAt: instantToWire(sitting.expiresAt) }, 201);
  };
}

/** A sitting, and until when a pass for it is of use. */
interface ClaimedSitting {
  readonly sitting: Sitting;
  readonly passEndsAt: number;
}

/** Claims the sitting of a ticket that was proven, however it was; `waiting` while its place is not called. */
export async function claimSitting(ports: ApiPorts, asks: AttemptBudget, drop: AnnouncedDrop, ticket: TicketClaims): Promise<Result<ClaimedSitting | "waiting", Problem>> {
  // A drop of the same name that was started afresh is another drop.
  if (ticket.planHash !== drop.planHash) return rejected({ code: "credential_invalid" });
  const tooOften = askedTooOften(asks, ticket.entry, ports.now());
  if (tooOften !== null) return rejected(portProblem(tooOften, ports.now()));
  const live = await ports.live(drop.plan.drop);
  if (live === null) return rejected({ code: "not_found" });
  const outlook = claimOutlook(ticket, live, ports.hashing);
  if (!outlook.ok) return rejected(portProblem(outlook.rejection, ports.now()));
  if (outlook.value === "wait") return accepted("waiting");
  if (!(await isOfItsLane(ports, drop, ticket))) return rejected({ code: "credential_invalid" });

  const { entry, lane, weight, joinedAt, wants, keyThumbprint, person, people } = ticket;
  const claim = await ports.drop(drop.plan.drop).claim({ ticket: ticket.ticket, shard: ports.credentials.shardOf(drop.plan.drop, ticket.ticket, drop.plan.shards), entry, lane, weight, joinedAt, wants, keyThumbprint, person, ...(people === undefined ? {} : { people }) });
  if (!claim.ok) return rejected(portProblem(claim.rejection, ports.now()));
  if (claim.value.state === "waiting") return accepted("waiting");
  const { sitting } = claim.value;
  // From what never changes about a sitting, so that a claim that is sent again gets the same pass.
  return accepted({ sitting, passEndsAt: sitting.admittedAt + drop.plan.claimWindowMs + drop.plan.holdTtlMs + PASS_OUTLIVES_HOLD_MS });
}

/**
 * Whether the ticket is the one that its owner has now. Until the opening a
 * ticket may have moved into a better lane; the one from before it is still
 * signed, but names a lane and a weight that are not in the sealed leaf, and
 * admitting it would make the record contradict itself.
 */
async function isOfItsLane(ports: ApiPorts, drop: AnnouncedDrop, { ticket, lane }: { readonly ticket: string; readonly lane: string }): Promise<boolean> {
  if (drop.plan.lanes.length === 0) return true;
  const standing = await shardOf(ports, drop, ticket).standing(ticket);
  return standing?.lane === lane;
}
