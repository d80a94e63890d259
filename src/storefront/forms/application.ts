import { emailAddress } from "../../gate/email-address.ts";
import type { Problem } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import { askCode, tooEarly } from "../api/codes.ts";
import { shownEvidence } from "../api/evidence.ts";
import { invalidMembers } from "../../http/strict-body.ts";
import type { ApplicationClaims } from "../cookie-credentials.ts";
import { applicationPage, type ApplicationFacts } from "../pages/without-script/application-page.tsx";
import { proofPage } from "../pages/without-script/proof-page.tsx";
import { applicationInCookie, applicationOf, placeOf } from "./carried.ts";
import { chosenLines } from "./chosen-lines.ts";
import { pastedEvidence } from "./pasted-token.ts";
import type { SentForm } from "./sent-form.ts";
import { refusedBy, seeOther, shownPage, statusOf, type Visit, wayFacts } from "./visit.ts";

/** What every browser keeps of a cookie; a larger one is dropped without a word, and whoever sent it would begin again and again. */
const COOKIE_CHARACTERS_MAX = 4_096;
/** Longer evidence is none of ours, and with it the cookie would not fit. */
const EVIDENCE_CHARACTERS_MAX = 1_200;

/** The form with which it begins; whoever has a place already is led to it. */
export async function showApplication(visit: Visit): Promise<Response> {
  if ((await placeOf(visit)) !== null) return seeOther(`${visit.base}/place`);
  const known = await applicationOf(visit);
  return shownApplication(visit, { wants: known?.wants ?? [], email: known?.email ?? "", evidence: "" });
}

async function shownApplication(visit: Visit, entered: Omit<ApplicationFacts, "live">, problem: Problem | null = null, mistakes: ReadonlyMap<string, string> = new Map()): Promise<Response> {
  const live = await visit.ports.live(visit.drop.plan.drop);
  if (live === null) return visit.context.notFound();
  const facts = await wayFacts(visit, problem === null ? null : refusedBy(visit, problem, mistakes));
  return shownPage(visit.context, applicationPage(facts, { live, ...entered }), problem === null ? {} : statusOf(problem));
}

/** Takes down what is wanted and by whom, and has a code sent. Nothing is joined, and nothing is anybody's yet. */
export async function apply(visit: Visit, { fields, stamp }: SentForm): Promise<Response> {
  const { drop, now } = visit;
  const { lines, mistakes: wrong } = chosenLines(drop.plan, fields, drop.plan.limitPerPerson);
  const mistakes = new Map(wrong);
  const entered = { wants: lines, email: fields.get("email") ?? "", evidence: fields.get("evidence") ?? "" };
  const email = emailAddress(entered.email);
  if (email === null) mistakes.set("email", "This is not an e-mail address. One looks like ana@example.org.");
  const early = tooEarly(drop, now);
  if (early !== null) return shownApplication(visit, entered, early);
  const ticket = `tkt_${stamp.id}`;
  const evidence = await checkedEvidence(visit, ticket, entered.evidence, email);
  if (!evidence.ok) mistakes.set("evidence", "This invitation or code is not valid here: it is for another drop or another address, too old, or was taken back. Leave it out, or ask for another one.");
  if (email === null || !evidence.ok || mistakes.size > 0) return shownApplication(visit, entered, { code: "invalid_request" }, mistakes);
  const claims: ApplicationClaims = { drop: drop.plan.drop, planHash: drop.planHash, ticket, wants: lines, email, ...evidence.value };
  const cookie = await applicationInCookie(visit, claims);
  if (cookie.length > COOKIE_CHARACTERS_MAX) return shownApplication(visit, entered, { code: "too_large" });
  return withCode(visit, claims, [cookie]);
}

/** Reads evidence before anything is sent: whoever was invited must hear now that it does not count. */
async function checkedEvidence({ ports, drop, now }: Visit, ticket: string, text: string, email: string | null): Promise<Result<{ readonly presence: string | null; readonly invite: string | null }, Problem>> {
  if (drop.plan.lanes.length === 0 || text.trim() === "") return accepted({ presence: null, invite: null });
  const pasted = await pastedEvidence(ports, text, drop.plan.lobbyOpensAt);
  if ((pasted.presence ?? pasted.invite ?? "").length > EVIDENCE_CHARACTERS_MAX) return rejected(invalidMembers());
  const owner = email === null ? null : ports.credentials.personOf(email);
  const shown = await shownEvidence(ports, { drop, now, owner, body: { wants: [], evidence: evidenceMembers(pasted), ...(email === null ? {} : { identity: { email } }) } });
  // Without an address nothing can be said about an invitation that is bound to one; that is missing anyway.
  return shown.ok || email === null ? accepted({ ...pasted }) : shown;
}

/** The evidence of an application as a join shows it. */
export function evidenceMembers({ presence, invite }: Pick<ApplicationClaims, "presence" | "invite">): { readonly presence?: string; readonly invite?: string } {
  return { ...(presence === null ? {} : { presence }), ...(invite === null ? {} : { invite }) };
}

/** Has a code sent and leads on to where it is typed; a refusal is said there, because staff may still confirm who it is. */
async function withCode(visit: Visit, claims: ApplicationClaims, cookies: readonly string[]): Promise<Response> {
  const { ports, drop, request } = visit;
  const asked = await askCode(ports, visit.refused, drop, { ticket: claims.ticket, email: claims.email, network: ports.visitor(request).network });
  return asked.ok ? seeOther(`${visit.base}/proof`, cookies) : shownProof(visit, claims, asked.rejection, cookies);
}

/** The page on which the address is proven. */
export async function shownProof(visit: Visit, claims: ApplicationClaims, problem: Problem | null = null, cookies: readonly string[] = [], mistakes: ReadonlyMap<string, string> = new Map()): Promise<Response> {
  const facts = await wayFacts(visit, problem === null ? null : refusedBy(visit, problem, mistakes));
  const { ticket, email, wants } = claims;
  return shownPage(visit.context, proofPage(facts, { ticket, email, wants, now: visit.now }), { cookies, ...(problem === null ? {} : statusOf(problem)) });
}

export async function showProof(visit: Visit): Promise<Response> {
  const claims = await applicationOf(visit);
  return claims === null ? seeOther(visit.base) : shownProof(visit, claims);
}

/** Another code for the same address. */
export async function resend(visit: Visit): Promise<Response> {
  const claims = await applicationOf(visit);
  return claims === null ? seeOther(visit.base) : withCode(visit, claims, []);
}
