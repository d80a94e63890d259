import type { CouponKey } from "../coupon/voucher.ts";
import type { Plan } from "../drop/plan.ts";
import { emailAddress } from "../gate/email-address.ts";
import { addressMark, INVITE_LIFETIME_MAX_MS, mintInvite } from "../gate/invite.ts";
import type { Hashing } from "../kernel/hashing.ts";
import { idFromRandom } from "../kernel/ids.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";

export interface MintedInvite {
  readonly invite: string;
  readonly token: string;
  readonly expiresAt: number;
  /** The address that it is for, as it was written; null where it is for whoever comes first. */
  readonly email: string | null;
}

export type InviteRejection =
  /** The drop has no such lane, or one that is entered by being there. */
  | { readonly code: "lane_unknown" }
  | { readonly code: "drop_over" }
  | { readonly code: "not_an_address"; readonly index: number };

/**
 * Mints invitations to a lane of a drop's frozen plan: as many as there are
 * addresses, or `count` that are bound to none. They end with the drop.
 *
 * Minting is not idempotent and does little harm: however many people are
 * invited, the lane's share bounds what they can have before the others.
 */
export async function mintInvites(
  request: { readonly lane: string; readonly for: { readonly count: number } | { readonly emails: readonly string[] } },
  plan: Plan,
  by: { readonly key: CouponKey; readonly hashing: Hashing; readonly now: number; readonly randomBytes: (count: number) => Uint8Array },
): Promise<Result<readonly MintedInvite[], InviteRejection>> {
  const lane = plan.lanes.find((share) => share.lane === request.lane && share.evidence.kind === "invite");
  if (lane === undefined) return rejected({ code: "lane_unknown" });
  if (plan.closesAt <= by.now) return rejected({ code: "drop_over" });
  const addresses = "emails" in request.for ? request.for.emails : Array<null>(request.for.count).fill(null);
  const wrong = addresses.findIndex((address) => address !== null && emailAddress(address) === null);
  if (wrong !== -1) return rejected({ code: "not_an_address", index: wrong });
  const expiresAt = Math.min(plan.closesAt, by.now + INVITE_LIFETIME_MAX_MS);
  const invites: MintedInvite[] = [];
  for (const email of addresses) {
    const invite = idFromRandom("inv", by.randomBytes(26));
    const to = email === null ? null : addressMark(invite, emailAddress(email) ?? email, by.hashing);
    const token = await mintInvite({ id: invite, drop: plan.drop, lane: lane.lane, to }, { now: by.now, expiresAt }, by.key);
    invites.push({ invite, token, expiresAt, email });
  }
  return accepted(invites);
}
