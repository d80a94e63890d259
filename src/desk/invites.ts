import { inviteKey, inviteShard } from "../gate/invite.ts";
import { parsed, strictBody } from "../http/strict-body.ts";
import { instantToWire } from "../kernel/time.ts";
import { refusal } from "./door.ts";
import type { Handler } from "./handler.ts";
import { mintInvites } from "./mint-invites.ts";
import type { DeskPorts } from "./ports.ts";
import { inviteProblem } from "./refusals.ts";
import { dropSlug, inviteId, invitesShape } from "./shapes.ts";

/** Five hundred addresses of ordinary length. */
const BODY_BYTES_MAX = 64 * 1024;
/** An invitation that was taken back is remembered for as long as it could be shown, and a little longer than any clock is wrong. */
const REVOKED_OUTLIVES_CLOSE_MS = 86_400_000;

/** Makes invitations to a lane, each with the link that is handed on. */
export function createInvites(ports: DeskPorts): Handler {
  return async (context) => {
    const drop = parsed(dropSlug, context.req.param("drop"));
    if (!drop.ok) return refusal({ code: "not_found" }, context.req.raw);
    if (ports.couponKey === null) return refusal({ code: "temporarily_unavailable", retryAfterSeconds: 60 }, context.req.raw);
    const body = await strictBody(context.req.raw, invitesShape, BODY_BYTES_MAX);
    if (!body.ok) return refusal(body.rejection, context.req.raw);
    const snapshot = await ports.drop(drop.value).snapshot([]);
    if (snapshot === null) return refusal({ code: "not_found" }, context.req.raw);
    const { lane, count, emails } = body.value;
    const { hashing } = ports;
    const minted = await mintInvites(
      { lane, for: emails === undefined ? { count: count ?? 1 } : { emails } },
      snapshot.plan,
      { key: ports.couponKey, hashing, now: ports.now(), randomBytes: (bytes) => ports.randomBytes(bytes) },
    );
    if (!minted.ok) return refusal(inviteProblem(minted.rejection), context.req.raw);
    const { origin } = new URL(context.req.url);
    const invites = minted.value.map(({ invite, token, expiresAt, email }) => ({
      invite, lane, token, url: `${origin}/q/${token}`, expiresAt: instantToWire(expiresAt), ...(email === null ? {} : { email }),
    }));
    return context.json({ invites }, 201);
  };
}

/**
 * Takes an invitation back, by its id. A ticket that got its lane by it keeps
 * the lane: its place may be in the draw already. Whether there is one is said.
 */
export function revokeInvite(ports: DeskPorts): Handler {
  return async (context) => {
    const drop = parsed(dropSlug, context.req.param("drop"));
    const id = parsed(inviteId, context.req.param("invite"));
    const snapshot = drop.ok && id.ok ? await ports.drop(drop.value).snapshot([]) : null;
    if (!drop.ok || !id.ok || snapshot === null) return refusal({ code: "not_found" }, context.req.raw);
    const { shards, closesAt } = snapshot.plan;
    const shard = ports.lobby(drop.value, inviteShard(id.value, shards, ports.hashing));
    const { used } = await shard.revoke(inviteKey(id.value), closesAt + REVOKED_OUTLIVES_CLOSE_MS);
    return context.json({ invite: id.value, revoked: true, used: used > 0 });
  };
}
