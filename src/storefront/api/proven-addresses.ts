import type { JoinRequest } from "../../../schema/wire/ticket.ts";
import { groupMaxOf } from "../../drop/groups.ts";
import { emailAddress } from "../../gate/email-address.ts";
import { typedCode } from "../../gate/email-code.ts";
import { invalidMembers } from "../../http/strict-body.ts";
import type { FieldError, Problem } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import type { AddressRejection } from "../../lobby/door.ts";
import type { ApiPorts } from "../ports.ts";
import type { AnnouncedDrop } from "./announced-drop.ts";
import { proveByCode, provePlace, type ShownCode, tooEarly } from "./codes.ts";
import type { JoinAttempt, JoinStep } from "./joining.ts";
import { portProblem } from "./refusals.ts";

/**
 * The step of the proven addresses: the owner's, and those of whoever stands in
 * line with them. Whoever shows none is let through to the shard: it alone knows
 * whether this ticket was given before, and then needs no second proof.
 */
export const provenAddresses: JoinStep = async (ports, attempt) => {
  const { drop, ticket, body, now } = attempt;
  const { identity } = body;
  if (!drop.plan.gates.email || identity?.code === undefined) return accepted({});
  const email = emailAddress(identity.email);
  if (email === null) return rejected(invalidMembers({ pointer: "/identity/email", detail: "This is not an e-mail address." }));
  if (identity.group !== undefined) return provenGroup(ports, attempt, { email, code: identity.code, group: identity.group });
  const proven = await proveByCode(ports, drop, { ticket, email, code: identity.code }, now);
  return proven.ok ? accepted({ person: proven.value }) : proven;
};

type GroupMember = NonNullable<NonNullable<JoinRequest["identity"]>["group"]>[number];

/** What cannot be meant by the group of a join, before any code is looked at. */
export function groupMistakes({ plan }: AnnouncedDrop, identity: JoinRequest["identity"], personOf: (email: string) => string): FieldError[] {
  const group = identity?.group;
  if (identity === undefined || group === undefined) return [];
  const most = groupMaxOf(plan);
  if (most === 1) return [{ pointer: "/identity/group", detail: "In this drop everyone stands in line alone." }];
  if (group.length >= most) return [{ pointer: "/identity/group", detail: `Up to ${most} people can stand in line together: you and ${most - 1} others.` }];
  if (identity.code === undefined) return [{ pointer: "/identity/code", detail: "Whoever joins for others proves an address too." }];
  const own = emailAddress(identity.email);
  const seen = new Set(own === null ? [] : [personOf(own)]);
  return group.flatMap(({ email: text }, index): FieldError[] => {
    const pointer = `/identity/group/${index}/email`;
    const email = emailAddress(text);
    if (email === null) return [{ pointer, detail: "This is not an e-mail address." }];
    const person = personOf(email);
    if (seen.has(person)) return [{ pointer, detail: "This address is named already. Each person in the group has one of their own." }];
    seen.add(person);
    return [];
  });
}

/**
 * Reads who is to stand together. Nobody's shard is asked before the ticket's
 * own has said that it would give the ticket to just these people: a join that
 * it refuses would else leave everybody tied to a place that nobody has, and one
 * request would have many shards asked before the network's joins are counted.
 */
function provenGroup(ports: ApiPorts, { drop, ticket, now }: JoinAttempt, shown: { readonly email: string; readonly code: string; readonly group: readonly GroupMember[] }): Awaited<ReturnType<JoinStep>> {
  const early = tooEarly(drop, now);
  if (early !== null) return rejected(early);
  const codes: ShownCode[] = [];
  for (const [index, { email, code: typed }] of [shown, ...shown.group].entries()) {
    const code = typedCode(typed);
    if (code === null) return rejected(refusedMember({ code: "identity_invalid" }, index, now));
    codes.push({ person: ports.credentials.personOf(emailAddress(email) ?? email), ticket, code, isMember: index > 0 });
  }
  const members = codes.slice(1).map(({ person }) => person);
  return accepted({ person: codes[0]?.person ?? null, members, useUp: () => boundGroup(ports, drop, codes) });
}

/**
 * Proves the owner and everybody else, and only then gives any address to the
 * ticket: a wrong code must leave nobody bound. Each address has a shard of its
 * own, so that this is not one transaction: the owner's is bound first, after
 * which the same join can be sent again, and what was bound for a join that
 * never came is let go (see `provePlace`).
 */
async function boundGroup(ports: ApiPorts, drop: AnnouncedDrop, codes: readonly ShownCode[]): Promise<Result<null, Problem>> {
  const tried = await Promise.all(codes.map((code) => provePlace(ports, drop, { ...code, isTrial: true })));
  for (const [index, trial] of tried.entries()) if (!trial.ok) return rejected(refusedMember(trial.rejection, index, ports.now()));
  for (const [index, code] of codes.entries()) {
    const bound = await provePlace(ports, drop, code);
    if (!bound.ok) return rejected(refusedMember(bound.rejection, index, ports.now()));
  }
  return accepted(null);
}

/**
 * The refusal of one of the group, with the member that it is about. Another
 * person's ticket is not told: their code was lent to join with, and whoever
 * has both could take their place away.
 */
function refusedMember(rejection: AddressRejection, index: number, now: number): Problem {
  const problem = portProblem(rejection, now);
  if (index === 0) return problem;
  const isCode = rejection.code === "identity_invalid";
  const pointer = `/identity/group/${index - 1}/${isCode ? "code" : "email"}`;
  return { code: problem.code, errors: [{ pointer, detail: isCode ? "This code is not right." : "This address has a place in this drop already." }] };
}
