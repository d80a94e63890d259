import { attestation, attestationShard } from "../gate/attestation.ts";
import { parsed, strictBody } from "../http/strict-body.ts";
import { refusal } from "./door.ts";
import type { Handler } from "./handler.ts";
import type { DeskPorts } from "./ports.ts";
import { attestationShape, dropSlug } from "./shapes.ts";

/**
 * Staff say that they have seen the one person for whom a ticket will be; then
 * it needs no code from a mail. They learn nothing of the person here, and
 * saying it twice is saying it once.
 */
export function attestTicket(ports: DeskPorts): Handler {
  return async (context) => {
    const drop = parsed(dropSlug, context.req.param("drop"));
    if (!drop.ok) return refusal({ code: "not_found" }, context.req.raw);
    const body = await strictBody(context.req.raw, attestationShape);
    if (!body.ok) return refusal(body.rejection, context.req.raw);
    const snapshot = await ports.drop(drop.value).snapshot([]);
    if (snapshot === null) return refusal({ code: "not_found" }, context.req.raw);
    const { shards, closesAt } = snapshot.plan;
    const { ticket } = body.value;
    const noted = await ports.lobby(drop.value, attestationShard(ticket, shards, ports.hashing)).redeem(attestation(ticket, closesAt));
    return noted.ok ? context.json({ ticket, attested: true }, 201) : refusal({ code: "control_not_possible" }, context.req.raw);
  };
}
