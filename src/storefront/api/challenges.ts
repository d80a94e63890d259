import { ChallengeRequest, type ChallengeAnswer } from "../../../schema/wire/ticket.ts";
import { invalidMembers, optionalBody } from "../../http/strict-body.ts";
import type { ApiPorts } from "../ports.ts";
import { announcedDrop } from "./announced-drop.ts";
import { answer, refusal } from "./answers.ts";
import type { Handler } from "./resource.ts";

/**
 * Makes a challenge for one ticket. It keeps nothing, so that asking again
 * costs no object anything; a drop that asks for no work says so.
 */
export function makeChallenge(ports: ApiPorts): Handler {
  return async (context) => {
    const drop = await announcedDrop(ports, context.req.param("drop"));
    if (drop === null) return refusal({ code: "not_found" }, context);
    const body = await optionalBody(context.req.raw, ChallengeRequest);
    if (!body.ok) return refusal(body.rejection, context);
    const { plan, planHash } = drop;
    if (plan.gates.work === null) return answer<ChallengeAnswer>({ challenge: null });
    const { ticket } = body.value;
    if (ticket === undefined) return refusal(invalidMembers({ pointer: "/ticket", detail: "This member is missing: a challenge is made for one ticket." }), context);
    return answer<ChallengeAnswer>({ challenge: await ports.work.challenge({ drop: plan.drop, planHash, ticket, cost: plan.gates.work.cost }, ports.now()) });
  };
}
