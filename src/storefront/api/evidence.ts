import { emailAddress } from "../../gate/email-address.ts";
import { addressMark, inviteKey, inviteShard, readInvite, type Invite } from "../../gate/invite.ts";
import { presenceKey, readPresence, type Presence } from "../../gate/presence.ts";
import type { Problem } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import type { Redemption } from "../../lobby/door.ts";
import type { ApiPorts, ShopLobby } from "../ports.ts";
import type { JoinAttempt } from "./joining.ts";
import { shardOf } from "./tickets.ts";

/** What a join shows for a lane; every part of it is genuine, of this drop and not too old. */
export interface ShownEvidence {
  readonly presence: Presence | null;
  readonly invite: (Invite & { /** The person behind the address that it is bound to. */ readonly person: string | null }) | null;
}

/** Nothing is joined after the close; a shard whose clock is ahead must not forget before. */
const USE_OUTLIVES_CLOSE_MS = 86_400_000;

const invalid: Result<never, Problem> = rejected({ code: "evidence_invalid" });

/**
 * Reads the evidence of a join. What is shown and does not hold refuses the
 * join, and never lets it in by another lane: whoever was invited must hear
 * that the invitation did not count, before a place elsewhere is theirs.
 */
export async function shownEvidence(ports: ApiPorts, { drop, body, owner, now }: Pick<JoinAttempt, "drop" | "body" | "owner" | "now">): Promise<Result<ShownEvidence, Problem>> {
  // A drop without lanes has nothing to keep for anybody, and takes no notice.
  const { presence: code, invite: token } = drop.plan.lanes.length === 0 ? {} : (body.evidence ?? {});
  const presence = code === undefined ? null : await presenceOf(ports, code, now);
  if (code !== undefined && presence?.drop !== drop.plan.drop) return invalid;
  if (token === undefined) return accepted({ presence, invite: null });
  const invite = await readInvite(token, ports.credentials.publicKeys, now);
  if (invite?.drop !== drop.plan.drop) return invalid;
  // Named by somebody else an address proves nothing, and with the gate only its owner may use what was made for it.
  const isProven = (person: string) => !drop.plan.gates.email || body.identity?.code !== undefined || person === owner;
  const person = invite.to === null ? accepted(null) : boundPerson(ports, { invite: invite.id, mark: invite.to, named: body.identity?.email, isProven });
  return person.ok ? accepted({ presence, invite: { ...invite, person: person.value } }) : person;
}

/** The code as the pop-up showed it, or as the page took it with it when it was scanned. */
export async function presenceOf(ports: Pick<ApiPorts, "credentials">, token: string, now: number): Promise<Presence | null> {
  return (await readPresence(token, ports.credentials.publicKeys, now)) ?? ports.credentials.readScan(token, now);
}

/**
 * Whose invitation it is, when it was made for one address. The address is
 * named at the join: proven there by a drop that asks for that, and otherwise
 * by the order, which has to be placed with the same one.
 */
function boundPerson(
  ports: ApiPorts,
  { invite, mark, named, isProven }: { readonly invite: string; readonly mark: string; readonly named: string | undefined; readonly isProven: (person: string) => boolean },
): Result<string, Problem> {
  const email = named === undefined ? null : emailAddress(named);
  if (email === null) return rejected({ code: "identity_required" });
  if (addressMark(invite, email, ports.hashing) !== mark) return invalid;
  const person = ports.credentials.personOf(email);
  return isProven(person) ? accepted(person) : rejected({ code: "identity_required" });
}

/** Uses evidence up for a ticket. */
export async function useEvidence(ports: ApiPorts, { drop, ticket, now }: Pick<JoinAttempt, "drop" | "ticket" | "now">, { presence, invite }: ShownEvidence, by: "presence" | "invite"): Promise<Result<null, Problem>> {
  const { plan } = drop;
  // The place of a ticket that was given before the opening is sealed: evidence that comes later would be used up for nothing.
  if (now >= plan.opensAt && (await shardOf(ports, drop, ticket).standing(ticket)) !== null) return accepted(null);
  const use = async (shard: ShopLobby, use: Pick<Redemption, "key" | "uses">): Promise<Result<null, Problem>> => {
    const used = await shard.redeem({ ...use, ticket, expiresAt: plan.closesAt + USE_OUTLIVES_CLOSE_MS });
    if (used.ok) return used;
    // What was taken back is answered like what never was.
    return rejected({ code: used.rejection.code === "already_used" ? "evidence_used" : "evidence_invalid" });
  };
  if (by === "invite" && invite !== null) {
    return use(ports.lobby(plan.drop, inviteShard(invite.id, plan.shards, ports.hashing)), { key: inviteKey(invite.id), uses: 1 });
  }
  if (by !== "presence" || presence === null) return accepted(null);
  return use(shardOf(ports, drop, presenceKey(presence)), { key: presenceKey(presence), uses: presence.tickets });
}
