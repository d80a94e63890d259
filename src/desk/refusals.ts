import type { DropPort } from "../drop/port.ts";
import type { Problem } from "../kernel/problem.ts";
import { Fault, unreachable } from "../kernel/result.ts";
import type { MoneyRejection } from "../settlement/port.ts";
import type { InviteRejection } from "./mint-invites.ts";
import type { MintRejection } from "./mint-vouchers.ts";

type ControlOutcome = Awaited<ReturnType<DropPort["control"]>>;
export type ControlRejection = Extract<ControlOutcome, { ok: false }>["rejection"];

export function moneyProblem(rejection: MoneyRejection): Problem {
  switch (rejection.code) {
    case "not_found":
    case "id_reused":
    case "refund_not_possible":
    case "fulfilment_not_possible":
      return { code: rejection.code };
    case "unknown_sku":
      return { code: "invalid_request", errors: [{ pointer: rejection.pointer, detail: "is not in this order" }] };
    default:
      return unreachable(rejection);
  }
}

export function controlProblem(rejection: ControlRejection): Problem {
  switch (rejection.code) {
    case "not_found":
    case "control_not_possible":
      return { code: rejection.code };
    default:
      return unreachable(rejection);
  }
}

export function mintProblem(rejection: MintRejection): Problem {
  switch (rejection.code) {
    case "campaign_unknown":
      return { code: "invalid_request", errors: [{ pointer: "/campaign", detail: "is not a campaign of this drop" }] };
    case "campaign_over":
      return { code: "invalid_request", errors: [{ pointer: "/campaign", detail: "is over" }] };
    case "uses_above_campaign":
      return { code: "invalid_request", errors: [{ pointer: "/uses", detail: `is at most ${rejection.max}, as often as the campaign itself` }] };
    default:
      return unreachable(rejection);
  }
}

export function inviteProblem(rejection: InviteRejection): Problem {
  switch (rejection.code) {
    case "lane_unknown":
      return { code: "invalid_request", errors: [{ pointer: "/lane", detail: "is not a lane of this drop that people are invited to" }] };
    case "drop_over":
      return { code: "drop_closed" };
    case "not_an_address":
      return { code: "invalid_request", errors: [{ pointer: `/emails/${rejection.index}`, detail: "is not an e-mail address" }] };
    default:
      return unreachable(rejection);
  }
}

/**
 * What an exception means to the caller. Every command of the desk is
 * idempotent, so whatever may be tried again says so. An error that crossed
 * from another Worker has lost its class; the runtime's own `retryable` and
 * `overloaded` marks survive.
 */
export function failureProblem(error: unknown): Problem {
  if (error instanceof Fault) return error.retryable ? { code: "temporarily_unavailable", retryAfterSeconds: 1 } : { code: "internal_error" };
  if (hasMark(error, "overloaded")) return { code: "temporarily_unavailable", retryAfterSeconds: 5 };
  if (hasMark(error, "retryable")) return { code: "temporarily_unavailable", retryAfterSeconds: 1 };
  return { code: "internal_error" };
}

function hasMark(error: unknown, mark: "retryable" | "overloaded"): boolean {
  return typeof error === "object" && error !== null && Reflect.get(error, mark) === true;
}
