import type { PaymentError } from "./records.ts";

/*
 * Refusals in the Stripe API's own form, because the code under test is its
 * official client: it decides by status, `type`, `code` and `decline_code`.
 */

export interface Refusal {
  readonly status: 400 | 401 | 402 | 404 | 409 | 500;
  readonly type: "invalid_request_error" | "card_error" | "idempotency_error" | "api_error";
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly declineCode?: string;
  /** Id of the intent that a card error belongs to. */
  readonly intent?: string;
  /** True when nothing had begun: such an answer is not kept for its idempotency key. */
  readonly beforeWork?: boolean;
}

/** The parameters are wrong: nothing had begun. */
export function badParameter(param: string, message: string, code = "parameter_invalid"): Refusal {
  return { status: 400, type: "invalid_request_error", code, param, message, beforeWork: true };
}

/** The records say no. */
export function impossible(code: string, message: string, param?: string): Refusal {
  return { status: 400, type: "invalid_request_error", code, message, ...(param === undefined ? {} : { param }) };
}

export function missing(what: string, id: string): Refusal {
  return { status: 404, type: "invalid_request_error", code: "resource_missing", param: "id", message: `No such ${what}: '${id}'` };
}

export function cardRefused(error: PaymentError, intent: string): Refusal {
  return {
    status: 402, type: "card_error", code: error.code, message: error.message, intent,
    ...(error.declineCode === null ? {} : { declineCode: error.declineCode }),
  };
}

export const NO_KEY: Refusal = {
  status: 401, type: "invalid_request_error", beforeWork: true,
  message: "You did not provide an API key. Send it as `Authorization: Bearer sk_test_…`.",
};

export const KEY_IN_USE: Refusal = {
  status: 409, type: "idempotency_error", code: "idempotency_key_in_use", beforeWork: true,
  message: "There is currently another in-progress request using this idempotency key. Try again once the first request has finished.",
};

export const KEY_REUSED: Refusal = {
  status: 400, type: "idempotency_error", beforeWork: true,
  message: "Keys for idempotent requests can only be used with the same endpoint and the same parameters they were first used with.",
};

export const SERVER_ERROR: Refusal = {
  status: 500, type: "api_error", message: "An unknown error occurred. The sandbox was told to fail here.",
};

/** The body of a refusal as the client reads it. */
export function refusalBody(refusal: Refusal): Record<string, unknown> {
  const { status: _status, beforeWork: _beforeWork, declineCode, intent, ...error } = refusal;
  return {
    error: {
      ...error,
      ...(declineCode === undefined ? {} : { decline_code: declineCode }),
      ...(intent === undefined ? {} : { payment_intent: { id: intent, object: "payment_intent" } }),
    },
  };
}
