import * as v from "valibot";
import { TicketId } from "../../../schema/wire/ids.ts";
import { JoinRequest, type JoinAnswer } from "../../../schema/wire/ticket.ts";
import { groupMaxOf, limitOf } from "../../drop/groups.ts";
import { OPEN_LANE, type Plan } from "../../drop/plan.ts";
import type { Line } from "../../drop/port.ts";
import { invalidMembers, strictBody } from "../../http/strict-body.ts";
import type { FieldError, Problem } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import { instantToWire } from "../../kernel/time.ts";
import { entryOf } from "../../lobby/draw.ts";
import type { JoinCommand, JoinRejection } from "../../lobby/port.ts";
import { browserKeyThumbprint } from "../browser-key.ts";
import type { CredentialRejection, TicketClaims } from "../credentials.ts";
import type { ApiPorts, Visitor } from "../ports.ts";
import { announcedDrop, type AnnouncedDrop } from "./announced-drop.ts";
import { answer, refusal } from "./answers.ts";
import { openLobby, passedTurnstile, solvedWork } from "./join-gates.ts";
import { genuineEvidence, standInLane } from "./lane-step.ts";
import { groupMistakes, provenAddresses } from "./proven-addresses.ts";
import { portProblem } from "./refusals.ts";
import type { HeardRefusals } from "./heard-refusals.ts";
import { credentialRefusal, ticketOf } from "./request-credentials.ts";
import type { Handler } from "./resource.ts";
import { shardOf } from "./tickets.ts";

/** A ticket is checked for as long as anything of its drop can still happen. */
const TICKET_OUTLIVES_CLOSE_MS = 7 * 86_400_000;

/** A join that has been read: its shape is right, and whether it may is what the steps decide. */
export interface JoinAttempt {
  readonly drop: AnnouncedDrop;
  readonly ticket: string;
  readonly keyThumbprint: string;
  /** What is asked for and shown. The key is another member's: not every way of joining has one to state. */
  readonly body: Omit<JoinRequest, "jwk">;
  readonly visitor: Visitor;
  /** The host that the request came to, as the browser's page was shown on. */
  readonly host: string;
  /** Whether the request carries this very ticket and a proof of its key: then the gates were passed when it was given. */
  readonly isProven: boolean;
  /** The person to whom the proven ticket belongs; null where none was proven, or it belongs to nobody in particular. */
  readonly owner: string | null;
  readonly now: number;
}

/** What one step adds to the command; the `spends` of all steps come together, and every `useUp` is called. */
export type JoinAddition = Partial<Pick<JoinCommand, "lane" | "weight" | "person" | "members" | "spends">> & {
  /** Uses up what is counted elsewhere than with the ticket. Called when the ticket's shard would give the ticket, and never before. */
  readonly useUp?: () => Promise<Result<null, Problem>>;
};

/** One thing that a drop may ask of whoever joins. It answers an empty addition where the plan does not ask for it. */
export type JoinStep = (ports: ApiPorts, attempt: JoinAttempt) => Promise<Result<JoinAddition, Problem>>;

/** In the order in which they are asked: what costs us least comes first, and the first refusal is the answer. */
const STEPS: readonly JoinStep[] = [openLobby, solvedWork, passedTurnstile, genuineEvidence, provenAddresses, standInLane];

/** Joins the lobby, or changes what a ticket wants; the same id and key get the same ticket back. */
export function joinLobby(ports: ApiPorts, refused: HeardRefusals): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    const id = context.req.param("ticket") ?? "";
    if (drop === null || !v.is(TicketId, id)) return refusal({ code: "not_found" }, context);
    const visitor = ports.visitor(context.req.raw);
    const flooded = refusedFlood(ports, refused, { drop, ticket: id, visitor });
    if (flooded !== null) return refusal(flooded, context);
    const proven = await provenTicket(ports, context.req.raw, drop, id);
    if (!proven.ok) return credentialRefusal(ports, context, proven.rejection);
    const attempt = await readAttempt(ports, context.req.raw, { drop, ticket: id, visitor, isProven: proven.value !== null, owner: proven.value?.person ?? null });
    if (!attempt.ok) return refusal(attempt.rejection, context);
    const claims = await joinWith(ports, refused, attempt.value, STEPS);
    if (!claims.ok) return refusal(claims.rejection, context);
    const ticket = await ports.credentials.mintTicket(claims.value, ticketKeptUntil(drop));
    const { entry, lane, joinedAt, people } = claims.value;
    return answer<JoinAnswer>({ id, entry, ticket, lane, joinedAt: instantToWire(joinedAt), ...(people === undefined ? {} : { people }) }, 201);
  };
}

/** Until when a ticket is checked. */
export function ticketKeptUntil({ plan }: AnnouncedDrop): number {
  return plan.closesAt + TICKET_OUTLIVES_CLOSE_MS;
}

/** What the ticket's shard has said to this network already, while it holds: asked before anything else is looked at. */
export function refusedFlood(ports: ApiPorts, refused: HeardRefusals, { drop, ticket, visitor }: Pick<JoinAttempt, "drop" | "ticket" | "visitor">): Problem | null {
  const flooded = refused.find(shardName(ports, drop, ticket), ports.credentials.networkOf(visitor.network), ports.now());
  return flooded === null ? null : portProblem(flooded, ports.now());
}

/** Gives the ticket of an attempt that passes `steps`: the only way to one, so that its shard cannot tell who came how. */
export async function joinWith(ports: ApiPorts, refused: HeardRefusals, attempt: JoinAttempt, steps: readonly JoinStep[]): Promise<Result<TicketClaims, Problem>> {
  const { drop, ticket, visitor } = attempt;
  const additions = await additionsOf(ports, attempt, steps);
  if (!additions.ok) return additions;
  const { useUp, ...terms } = additions.value;
  const command = commandOf(ports, attempt, terms);
  const shard = shardOf(ports, drop, ticket);
  const refusedBy = (rejection: JoinRejection): Result<never, Problem> => {
    refused.note(shardName(ports, drop, ticket), ports.credentials.networkOf(visitor.network), rejection);
    return rejected(portProblem(rejection, ports.now()));
  };
  if (useUp !== undefined) {
    const judged = await shard.mayJoin(command);
    if (!judged.ok) return refusedBy(judged.rejection);
    const used = await useUp();
    if (!used.ok) return used;
  }
  const joined = await shard.join(command);
  if (!joined.ok) return refusedBy(joined.rejection);
  const { plan, planHash } = drop;
  return accepted({ ...joined.value, drop: plan.drop, planHash, commitment: plan.commitment });
}

function shardName(ports: ApiPorts, { plan }: AnnouncedDrop, ticket: string): string {
  return `${plan.drop}/${ports.credentials.shardOf(plan.drop, ticket, plan.shards)}`;
}

/**
 * Whether the request proves the ticket that it is about. Nobody has to: the
 * proof only spares whoever changes their mind another round at the gates. One
 * that is not right is refused, because it was meant.
 */
async function provenTicket(ports: ApiPorts, request: Request, { plan, planHash }: AnnouncedDrop, ticket: string): Promise<Result<TicketClaims | null, CredentialRejection>> {
  if (!request.headers.has("authorization")) return accepted(null);
  const proven = await ticketOf(ports, request, plan.drop);
  if (!proven.ok) return proven;
  return proven.value.ticket === ticket && proven.value.planHash === planHash ? proven : rejected({ code: "credential_invalid" });
}

async function readAttempt(ports: ApiPorts, request: Request, addressed: Pick<JoinAttempt, "drop" | "ticket" | "visitor" | "isProven" | "owner">): Promise<Result<JoinAttempt, Problem>> {
  const body = await strictBody(request, JoinRequest);
  if (!body.ok) return body;
  const keyThumbprint = browserKeyThumbprint(body.value.jwk);
  const { plan } = addressed.drop;
  const { identity } = body.value;
  // How many stand behind a ticket that is there already its shard knows, and judges.
  const mistakes = wantMistakes(body.value.wants, plan, limitOf(plan, identity?.group === undefined ? groupMaxOf(plan) : 1 + identity.group.length));
  mistakes.push(...groupMistakes(addressed.drop, identity, ports.credentials.personOf));
  if (keyThumbprint === null) mistakes.push({ pointer: "/jwk", detail: "This is not a point on P-256." });
  if (keyThumbprint === null || mistakes.length > 0) return rejected(invalidMembers(...mistakes));
  return accepted({ ...addressed, keyThumbprint, body: body.value, host: new URL(request.url).hostname, now: ports.now() });
}

async function additionsOf(ports: ApiPorts, attempt: JoinAttempt, steps: readonly JoinStep[]): Promise<Result<JoinAddition, Problem>> {
  let all: JoinAddition = {};
  const uses: NonNullable<JoinAddition["useUp"]>[] = [];
  for (const step of steps) {
    const addition = await step(ports, attempt);
    if (!addition.ok) return addition;
    const { useUp, ...terms } = addition.value;
    if (useUp !== undefined) uses.push(useUp);
    all = { ...all, ...terms, spends: [...(all.spends ?? []), ...(terms.spends ?? [])] };
  }
  return accepted(uses.length === 0 ? all : { ...all, useUp: () => allUsedUp(uses) });
}

/** One after the other in the order of the steps, up to the first refusal: what comes after it is used up for nothing. */
async function allUsedUp(uses: readonly NonNullable<JoinAddition["useUp"]>[]): Promise<Result<null, Problem>> {
  for (const useUp of uses) {
    const used = await useUp();
    if (!used.ok) return used;
  }
  return accepted(null);
}

function commandOf(ports: ApiPorts, { drop, ticket, keyThumbprint, body, visitor }: JoinAttempt, additions: Omit<JoinAddition, "useUp">): JoinCommand {
  return {
    ticket, keyThumbprint,
    entry: entryOf(drop.plan.drop, ticket, ports.hashing),
    wants: body.wants,
    network: ports.credentials.networkOf(visitor.network),
    lane: OPEN_LANE, weight: 1, person: null, spends: [],
    ...additions,
  };
}

/** What of the wants this drop cannot mean: an unknown sku, the same one twice, more than `limit` in all. */
export function wantMistakes(wants: readonly Line[], plan: Plan, limit: number): FieldError[] {
  const mistakes: FieldError[] = [];
  const seen = new Set<string>();
  let units = 0;
  for (const [index, { sku, quantity }] of wants.entries()) {
    if (!plan.items.some((item) => item.sku === sku)) mistakes.push({ pointer: `/wants/${index}/sku`, detail: "This drop has no such item." });
    if (seen.has(sku)) mistakes.push({ pointer: `/wants/${index}/sku`, detail: "Each item is named once." });
    seen.add(sku);
    units += quantity;
    if (units > limit) mistakes.push({ pointer: `/wants/${index}/quantity`, detail: `At most ${limit} in all can be bought ${limit === plan.limitPerPerson ? "by one person" : "together"}.` });
  }
  return mistakes;
}
