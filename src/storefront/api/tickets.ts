import * as v from "valibot";
import { TicketId } from "../../../schema/wire/ids.ts";
import { EmptyRequest, JoinRequest, type ChallengeAnswer, type JoinAnswer, type PassAnswer, type TicketStandingAnswer, type WaitingAnswer } from "../../../schema/wire/ticket.ts";
import { OPEN_LANE, type Plan } from "../../drop/plan.ts";
import type { Line } from "../../drop/port.ts";
import type { FieldError } from "../../kernel/problem.ts";
import { instantToWire } from "../../kernel/time.ts";
import { entryOf } from "../../lobby/draw.ts";
import type { LobbyLive, LobbyPort, TicketStanding } from "../../lobby/port.ts";
import { browserKeyThumbprint } from "../dpop.ts";
import type { ApiPorts } from "../ports.ts";
import { announcedDrop, type AnnouncedDrop } from "./announced-drop.ts";
import { answer, refusal } from "./answers.ts";
import { claimOutlook } from "./claim-outlook.ts";
import { portProblem } from "./refusals.ts";
import { credentialRefusal, ticketOf } from "./request-credentials.ts";
import type { Handler } from "./resource.ts";
import { invalidMembers, optionalBody, strictBody } from "../../http/strict-body.ts";
import { waitEstimate } from "./wait-estimate.ts";

/** A ticket is checked for as long as anything of its drop can still happen. */
const TICKET_OUTLIVES_CLOSE_MS = 7 * 86_400_000;
/** The longest that a sitting can go on after its first hold: paying, and the provider's "processing". */
const PASS_OUTLIVES_HOLD_MS = 30 * 60_000;

/** Joins the lobby, or changes what a ticket wants; the same id and key get the same ticket back. */
export function joinLobby(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    const id = context.req.param("ticket") ?? "";
    if (drop === null || !v.is(TicketId, id)) return refusal({ code: "not_found" }, context);
    const body = await strictBody(context.req.raw, JoinRequest);
    if (!body.ok) return refusal(body.rejection, context);
    const keyThumbprint = await browserKeyThumbprint(body.value.jwk);
    const mistakes = wantMistakes(body.value.wants, drop.plan);
    if (keyThumbprint === null) mistakes.push({ pointer: "/jwk", detail: "This is not a point on P-256." });
    if (keyThumbprint === null || mistakes.length > 0) return refusal(invalidMembers(...mistakes), context);

    // Every ticket stands in the lane of everyone until a drop's gates say otherwise.
    const command = { ticket: id, entry: entryOf(drop.plan.drop, id, ports.hashing), keyThumbprint, lane: OPEN_LANE, weight: 1, wants: body.value.wants, person: null, network: ports.credentials.networkOf(ports.visitor(context.req.raw).network), spends: [] };
    const joined = await shardOf(ports, drop, id).join(command);
    if (!joined.ok) return refusal(portProblem(joined.rejection, ports.now()), context);
    const { plan, planHash } = drop;
    const claims = { ...joined.value, drop: plan.drop, planHash, commitment: plan.commitment };
    const ticket = await ports.credentials.mintTicket(claims, plan.closesAt + TICKET_OUTLIVES_CLOSE_MS);
    const { entry, lane, joinedAt } = joined.value;
    return answer<JoinAnswer>({ id, entry, ticket, lane, joinedAt: instantToWire(joinedAt) }, 201);
  };
}

/** What of the wants this drop cannot mean: an unknown sku, the same one twice, more than one person may have. */
function wantMistakes(wants: readonly Line[], plan: Plan): FieldError[] {
  const mistakes: FieldError[] = [];
  const seen = new Set<string>();
  let units = 0;
  for (const [index, { sku, quantity }] of wants.entries()) {
    if (!plan.items.some((item) => item.sku === sku)) mistakes.push({ pointer: `/wants/${index}/sku`, detail: "This drop has no such item." });
    if (seen.has(sku)) mistakes.push({ pointer: `/wants/${index}/sku`, detail: "Each item is named once." });
    seen.add(sku);
    units += quantity;
    if (units > plan.limitPerPerson) mistakes.push({ pointer: `/wants/${index}/quantity`, detail: `At most ${plan.limitPerPerson} in all can be bought by one person.` });
  }
  return mistakes;
}

function shardOf(ports: ApiPorts, drop: AnnouncedDrop, ticket: string): LobbyPort {
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

/** A drop that asks for no proof of work says so. */
export function makeChallenge(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null) return refusal({ code: "not_found" }, context);
    const body = await optionalBody(context.req.raw, EmptyRequest);
    return body.ok ? answer<ChallengeAnswer>({ challenge: null }) : refusal(body.rejection, context);
  };
}

/** Claims a pass. Waiting is not a refusal: whose place is not called yet is told where it is. */
export function claimPass(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null) return refusal({ code: "not_found" }, context);
    const proven = await ticketOf(ports, context.req.raw, drop.plan.drop);
    if (!proven.ok) return credentialRefusal(ports, context, proven.rejection);
    const body = await optionalBody(context.req.raw, EmptyRequest);
    if (!body.ok) return refusal(body.rejection, context);
    const ticket = proven.value;
    // A drop of the same name that was started afresh is another drop.
    if (ticket.planHash !== drop.planHash) return credentialRefusal(ports, context, { code: "credential_invalid" });

    const live = await ports.live(drop.plan.drop);
    if (live === null) return refusal({ code: "not_found" }, context);
    const outlook = claimOutlook(ticket, live, ports.hashing);
    if (!outlook.ok) return refusal(portProblem(outlook.rejection, ports.now()), context);
    const waiting = async () => {
      const standing = await shardOf(ports, drop, ticket.ticket).standing(ticket.ticket);
      return answer<WaitingAnswer>({ state: "waiting", position: standing?.position ?? null });
    };
    if (outlook.value === "wait") return waiting();

    const { entry, lane, weight, joinedAt, wants, keyThumbprint, person } = ticket;
    const claim = await ports.drop(drop.plan.drop).claim({ ticket: ticket.ticket, entry, lane, weight, joinedAt, wants, keyThumbprint, person });
    if (!claim.ok) return refusal(portProblem(claim.rejection, ports.now()), context);
    if (claim.value.state === "waiting") return waiting();
    const { sitting } = claim.value;
    // From what never changes about a sitting, so that a claim that is sent again gets the same pass.
    const passEnds = sitting.admittedAt + drop.plan.claimWindowMs + drop.plan.holdTtlMs + PASS_OUTLIVES_HOLD_MS;
    const pass = await ports.credentials.mintPass({ drop: drop.plan.drop, sitting: sitting.id, entry, keyThumbprint }, sitting.admittedAt, passEnds);
    return answer<PassAnswer>({ pass, expiresAt: instantToWire(sitting.expiresAt) }, 201);
  };
}
