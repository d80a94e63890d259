import type { AbandonRejection, ClaimRejection, HoldRejection, PlaceRejection } from "../../drop/port.ts";
import type { Problem } from "../../kernel/problem.ts";
import { Fault, unreachable } from "../../kernel/result.ts";
import { instantToWire } from "../../kernel/time.ts";
import type { AddressRejection } from "../../lobby/door.ts";
import type { JoinRejection } from "../../lobby/port.ts";
import type { CredentialRejection } from "../credentials.ts";

type PortRejection = AddressRejection | CredentialRejection | JoinRejection | ClaimRejection | HoldRejection | AbandonRejection | PlaceRejection;

/** What each "no" of the drop, the lobby and the credentials is on the wire. */
export function portProblem(rejection: PortRejection, now: number): Problem {
  switch (rejection.code) {
    case "lobby_not_open":
      return { code: rejection.code, facts: { lobbyOpensAt: instantToWire(rejection.lobbyOpensAt) } };
    case "drop_not_open":
      return { code: rejection.code, facts: { opensAt: instantToWire(rejection.opensAt) } };
    case "too_many_requests":
      return {
        code: rejection.code,
        facts: { retryAt: instantToWire(rejection.retryAt) },
        retryAfterSeconds: Math.max(1, Math.ceil((rejection.retryAt - now) / 1000)),
      };
    case "quantity_not_allowed":
      return { code: "invalid_request", facts: { max: rejection.max }, errors: [{ pointer: rejection.pointer, detail: `At most ${rejection.max} can be bought ${rejection.people === undefined ? "by one person" : "together"}.` }] };
    case "unknown_sku":
      return { code: "invalid_request", errors: [{ pointer: rejection.pointer, detail: "This drop has no such item." }] };
    case "already_spent":
      return { code: "challenge_failed", facts: { gate: rejection.key.slice(0, rejection.key.indexOf("/")) } };
    case "limit_reached":
      return { code: rejection.code, facts: { limit: rejection.limit, ...("per" in rejection ? { per: rejection.per } : {}) } };
    case "sold_out": {
      const { sku, available, nextStageAt } = rejection;
      return { code: rejection.code, facts: { sku, available, nextStageAt: nextStageAt === null ? null : instantToWire(nextStageAt) } };
    }
    case "identity_in_use":
      // A group's ticket is its owner's: whoever stands in it cannot take the place along.
      return rejection.isMember === true ? { code: rejection.code } : { code: rejection.code, facts: { ticket: rejection.ticket } };
    case "identity_required":
    case "identity_invalid":
    case "identity_differs":
    case "credential_missing":
    case "credential_invalid":
    case "use_dpop_nonce":
    case "drop_closed":
    case "drop_paused":
    case "id_reused":
    case "not_admitted":
    case "pass_expired":
    case "not_found":
    case "order_placed":
    case "hold_expired":
    case "coupon_invalid":
    case "coupon_used_up":
      return { code: rejection.code };
    default:
      return unreachable(rejection);
  }
}

/**
 * What an exception means to whoever asked. An error that crossed from another
 * Worker has lost its class; its name and the runtime's own `retryable` and
 * `overloaded` marks are what is left of it.
 */
export function failureProblem(error: unknown): Problem {
  if (hasMark(error, "overloaded")) return { code: "temporarily_unavailable", retryAfterSeconds: 5 };
  if (error instanceof Fault || hasMark(error, "retryable") || (error instanceof Error && error.name === "Fault")) return { code: "temporarily_unavailable", retryAfterSeconds: 1 };
  return { code: "internal_error" };
}

function hasMark(error: unknown, mark: "retryable" | "overloaded"): boolean {
  return typeof error === "object" && error !== null && Reflect.get(error, mark) === true;
}
