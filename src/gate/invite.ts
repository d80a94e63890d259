import * as v from "valibot";
import { COMMON_CLAIMS, dropOfClaims, type PublicKeys } from "../coupon/signed-claims.ts";
import type { CouponKey } from "../coupon/voucher.ts";
import type { Hashing } from "../kernel/hashing.ts";
import { idPattern } from "../kernel/ids.ts";
import { personAddress } from "./email-address.ts";
import { type EvidenceKind, readEvidence, signEvidence } from "./evidence-token.ts";

/*
 * An invitation to a lane: for one person, to be used once, and to be taken
 * back by its id. Where it is bound to an address the token carries a salted
 * hash of it, because links are forwarded, logged and kept in histories.
 */

/** An invitation that would outlive this is refused on both sides: a key is not to be trusted for ever. */
export const INVITE_LIFETIME_MAX_MS = 400 * 86_400_000;

export interface Invite {
  /** `inv_…`: it is used up under this name. */
  readonly id: string;
  readonly drop: string;
  readonly lane: string;
  /** `addressMark` of the one address that it is for; null where it is for whoever comes first. */
  readonly to: string | null;
}

const claimsShape = v.strictObject({
  ...COMMON_CLAIMS,
  jti: v.pipe(v.string(), v.regex(idPattern("inv"))),
  lane: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/)),
  to: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
});

const KIND: EvidenceKind<typeof claimsShape> = { type: "invite+jwt", lifetimeMaxMs: INVITE_LIFETIME_MAX_MS, shape: claimsShape };

export function mintInvite({ id, drop, lane, to }: Invite, times: { readonly now: number; readonly expiresAt: number }, key: CouponKey): Promise<string> {
  return signEvidence(KIND.type, drop, { jti: id, lane, to }, times, key);
}

/** The invitation of a token that is genuine and valid at `now`, whatever its drop; null for everything else. */
export async function readInvite(token: string, publicKeys: PublicKeys, now: number): Promise<Invite | null> {
  const claims = await readEvidence(token, KIND, publicKeys, now);
  return claims === null ? null : { id: claims.jti, drop: dropOfClaims(claims), lane: claims.lane, to: claims.to };
}

/**
 * What an invitation says of the address that it is for. The invitation's id is
 * the salt: two invitations for one person have nothing in common.
 */
export function addressMark(invite: string, email: string, hashing: Hashing): string {
  return hashing.sha256(`tranche/invite\n${invite}\n${personAddress(email)}`);
}

/** The name under which an invitation is used up and taken back. */
export function inviteKey(invite: string): string {
  return `invite/${invite}`;
}

/**
 * The lobby shard that knows whether an invitation was used. Not keyed, unlike a
 * ticket's: the desk has to find it as well, and an invitation's id is ours, so
 * that nobody can aim with it.
 */
export function inviteShard(invite: string, shards: number, hashing: Hashing): number {
  return Number.parseInt(hashing.sha256(inviteKey(invite)).slice(0, 12), 16) % shards;
}
