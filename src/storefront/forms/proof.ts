import { base64url } from "jose";
import * as v from "valibot";
import { TicketId } from "../../../schema/wire/ids.ts";
import { budgetsOf } from "../../drop/network-budgets.ts";
import { attestationQuestion, attestationShard, attestedPerson } from "../../gate/attestation.ts";
import type { Problem } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import { proveByCode, provePlace, tooEarly } from "../api/codes.ts";
import { countInWindow } from "../api/counted-window.ts";
import { type JoinStep, joinWith, refusedFlood } from "../api/joining.ts";
import { standInLane } from "../api/lane-step.ts";
import { portProblem } from "../api/refusals.ts";
import type { ApplicationClaims } from "../cookie-credentials.ts";
import { evidenceMembers, shownProof } from "./application.ts";
import { applicationOf, forgottenCookies, placeInCookie } from "./carried.ts";
import type { SentForm } from "./sent-form.ts";
import { seeOther, type Visit } from "./visit.ts";

const MINUTE_MS = 60_000;
/** Bytes that name a browser; they come to as many letters as the name of a key has. */
const NAME_BYTES = 32;
/**
 * This way asks for no work, and an address costs nothing to whoever owns a
 * domain. A network, and a domain, therefore get this part of the joins a
 * minute that a network gets by the other way.
 */
const SHARE_OF_JOINS = 1 / 20;
/** Of a narrow budget that part would be nobody. */
const SHARE_MIN = 10;

/** Proves the address by the code from the mail, and gives the place. */
export async function proveAddress(visit: Visit, { fields }: SentForm): Promise<Response> {
  const { ports } = visit;
  const claims = await applicationOf(visit);
  if (claims === null) return seeOther(visit.base);
  const allowed = await withinShare(visit, claims.ticket, ports.credentials.networkOf(ports.visitor(visit.request).network));
  if (!allowed.ok) return shownProof(visit, claims, allowed.rejection);
  const code = fields.get("code") ?? "";
  const proven = await provenTicket(visit, claims, code);
  if (!proven.ok) return shownProof(visit, claims, proven.rejection, [], proven.rejection.code === "identity_invalid" ? new Map([["code", "Not the right code."]]) : new Map());
  // Counted only now: codes that nobody types right must not use up what strangers of the same domain have.
  const ofDomain = await withinShare(visit, proven.value, ports.credentials.personOf(claims.email.slice(claims.email.lastIndexOf("@"))));
  if (!ofDomain.ok) return shownProof(visit, claims, ofDomain.rejection);
  return givePlace(visit, claims, proven.value, ports.credentials.personOf(claims.email));
}

/** The ticket that the address is proven for: this one, or the one that its owner has had before. */
async function provenTicket({ ports, drop, now }: Visit, { ticket, email }: ApplicationClaims, code: string): Promise<Result<string, Problem>> {
  const proven = await proveByCode(ports, drop, { ticket, email, code }, now);
  if (proven.ok) return accepted(ticket);
  const holder = proven.rejection.facts?.["ticket"];
  if (proven.rejection.code !== "identity_in_use" || !v.is(TicketId, holder)) return proven;
  const again = await proveByCode(ports, drop, { ticket: holder, email, code }, now);
  return again.ok ? accepted(holder) : again;
}

/**
 * Takes staff's word for it, if they have given it, and gives the place. A mail
 * domain has no share here: it would be a share of those whom staff have seen.
 */
export async function proveByStaff(visit: Visit): Promise<Response> {
  const { ports, drop } = visit;
  const claims = await applicationOf(visit);
  if (claims === null) return seeOther(visit.base);
  const { ticket, email } = claims;
  const early = tooEarly(drop, visit.now);
  if (early !== null) return shownProof(visit, claims, early);
  const person = ports.credentials.personOf(email);
  if (!(await isAttested(visit, ticket, person))) return shownProof(visit, claims, { code: "identity_required" });
  // Counted only now: whoever staff have not seen yet must not use up the share of those whom they have.
  const allowed = await withinShare(visit, ticket, ports.credentials.networkOf(ports.visitor(visit.request).network));
  if (!allowed.ok) return shownProof(visit, claims, allowed.rejection);
  // The same books as for a code: one address has one place, whoever vouches for it. Whose that is stays with who can read its mail.
  const free = await provePlace(ports, drop, { person, ticket, code: null, isMember: false });
  if (!free.ok) return shownProof(visit, claims, { code: "identity_in_use" });
  return givePlace(visit, claims, ticket, person);
}

/** Whether staff have vouched for the ticket, and for nobody else than this person with it. */
async function isAttested({ ports, drop }: Visit, ticket: string, person: string): Promise<boolean> {
  const { plan } = drop;
  const shard = ports.lobby(plan.drop, attestationShard(ticket, plan.shards, ports.hashing));
  const attested = await shard.redeem(attestationQuestion(ticket, plan.closesAt));
  return attested.ok && (await shard.redeem(attestedPerson(ticket, person, plan.closesAt))).ok;
}

/** Whether one more place may be given to a network or a domain in this minute; the same ticket counts once. */
async function withinShare({ ports, drop, now }: Visit, ticket: string, whose: string): Promise<Result<null, Problem>> {
  const { joinsPerMinute } = budgetsOf(drop.plan, whose);
  const uses = Math.min(joinsPerMinute, Math.max(SHARE_MIN, Math.floor(joinsPerMinute * SHARE_OF_JOINS)));
  const retryAt = await countInWindow(ports, drop, { key: `without-script/${whose}`, by: ticket, uses, windowMs: MINUTE_MS }, now);
  return retryAt === null ? accepted(null) : rejected(portProblem({ code: "too_many_requests", retryAt }, now));
}

/**
 * Joins with the ordinary command, and puts the ticket into a cookie that was
 * never seen before. Whatever cookie was there, planted or copied, is not the
 * one that has the place.
 */
async function givePlace(visit: Visit, application: ApplicationClaims, ticket: string, person: string): Promise<Response> {
  const { ports, drop, request, refused, now } = visit;
  const { email, wants } = application;
  const visitor = ports.visitor(request);
  const flooded = refusedFlood(ports, refused, { drop, ticket, visitor });
  if (flooded !== null) return shownProof(visit, application, flooded);
  const provenOwner: JoinStep = async () => accepted({ person });
  const attempt = {
    drop, ticket, visitor, now, keyThumbprint: base64url.encode(ports.randomBytes(NAME_BYTES)), host: new URL(request.url).hostname, isProven: true, owner: person,
    body: { wants: [...wants], evidence: evidenceMembers(application), identity: { email } },
  };
  const joined = await joinWith(ports, refused, attempt, [provenOwner, standInLane]);
  if (!joined.ok) return shownProof(visit, application, joined.rejection);
  return seeOther(`${visit.base}/place`, [...forgottenCookies(visit), await placeInCookie(visit, { ...joined.value, person, email })]);
}
