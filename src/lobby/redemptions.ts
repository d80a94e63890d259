import { accepted, rejected, type Result } from "../kernel/result.ts";
import type { Redemption, RedemptionRejection } from "./door.ts";

/** What the shard knows of a key. */
export interface KeyUse {
  /** How many have used it. */
  readonly users: number;
  /** Whether whoever asks now is one of them. */
  readonly isUser: boolean;
  readonly isRevoked: boolean;
}

/**
 * Whether `redemption` may be. Asked again by the same ticket it is the same
 * yes: the first answer may have been lost. What was revoked is refused to
 * those too who used it before.
 */
export function decideRedemption(use: KeyUse, { uses }: Pick<Redemption, "uses">): Result<{ readonly isNew: boolean }, RedemptionRejection> {
  if (use.isRevoked) return rejected({ code: "revoked" });
  if (use.isUser) return accepted({ isNew: false });
  return use.users < uses ? accepted({ isNew: true }) : rejected({ code: "already_used" });
}
