/** One row of the catalogue: what a refusal with this code means and what to do about it. */
export interface ProblemSpec {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 503;
  /** The RFC 9457 title: the same for every occurrence. */
  readonly title: string;
  /** In a shopper's words: what happened and what to do next. */
  readonly detail: string;
}

/**
 * Every refusal of the product. A code is never reused for another meaning;
 * clients and the table in the README are made from this one place.
 */
export const PROBLEMS = {
  malformed_request: { status: 400, title: "The request cannot be read", detail: "The request is not well-formed. Nothing was changed." },
  webhook_unverified: { status: 400, title: "The webhook is not verified", detail: "The signature, its time or its body does not match. Nothing was stored." },
  credential_missing: { status: 401, title: "A credential is needed", detail: "This needs your ticket, your pass or your receipt. Open the drop's page again in the browser that you used before." },
  credential_invalid: { status: 401, title: "The credential is not valid", detail: "This ticket, pass or receipt is not valid here. Open the drop's page again in the browser that you used before." },
  use_dpop_nonce: { status: 401, title: "A fresh proof is needed", detail: "Make the proof again with the nonce of this answer." },
  origin_refused: { status: 403, title: "Another site sent this request", detail: "This can only be done from the store's own pages." },
  lobby_not_open: { status: 403, title: "The lobby is not open yet", detail: "Come back when the lobby opens. Everyone who joins before the drop opens has the same chance." },
  challenge_needed: { status: 403, title: "A check is missing", detail: "This drop checks everyone at the door. The gate that is named asks for something that did not come with the request." },
  challenge_failed: { status: 403, title: "The check was not passed", detail: "The proof for the gate that is named is not valid: it is for something else, too old, or was used before. Ask for a new one." },
  drop_not_open: { status: 403, title: "The drop is not open yet", detail: "Nothing can be held before the drop opens. The server's clock decides." },
  not_admitted: { status: 403, title: "It is not your turn", detail: "Join the lobby and wait until your place is called." },
  pass_expired: { status: 403, title: "Your turn has passed", detail: "Your turn has ended. You keep your place: come back through the lobby while there is stock." },
  identity_required: { status: 403, title: "Your e-mail address is needed", detail: "This place is given to an e-mail address. Name yours when you join, with the code that was sent to it where the drop asks for one." },
  not_found: { status: 404, title: "Not found", detail: "There is nothing here." },
  method_not_allowed: { status: 405, title: "This method is not allowed here", detail: "Use a method that the Allow header names." },
  sold_out: { status: 409, title: "Sold out for now", detail: "Somebody else was served before you and nothing is free at this moment. You keep your place for the next release." },
  limit_reached: { status: 409, title: "The limit is reached", detail: "You already have as many as one person may have in this drop, or this postal address as many as one address may be sent." },
  id_reused: { status: 409, title: "This id was used for something else", detail: "The same id came with a different request. Nothing was changed." },
  identity_in_use: { status: 409, title: "This address has a place already", detail: "This address has a place, its own or in a group, and one person has one place. Go on with that place: your own is yours here as well, with the same chance and the same position; a group's stays with whoever joined for all of it." },
  evidence_used: { status: 409, title: "This invitation or code was used already", detail: "It has been used by as many people as it is good for. You can join without it, or ask for another one." },
  order_placed: { status: 409, title: "An order was placed from this hold", detail: "The hold belongs to an order now. Finish or leave the payment; if it is not paid, the items come back by themselves." },
  drop_paused: { status: 409, title: "The drop is paused", detail: "The seller has paused the drop. Your place is kept; try again when it goes on." },
  coupon_used_up: { status: 409, title: "The coupon is used up", detail: "This coupon has been used as often as it may be. You can order without it." },
  refund_not_possible: { status: 409, title: "This refund is not possible", detail: "The refund is larger than what is left of the captured amount, or there is nothing to refund." },
  fulfilment_not_possible: { status: 409, title: "This cannot be fulfilled now", detail: "The order is not in a state in which it can be handed over." },
  control_not_possible: { status: 409, title: "The drop cannot be changed like this now", detail: "The drop's state does not allow this change. Nothing was changed." },
  hold_expired: { status: 410, title: "The hold has run out", detail: "The time for this hold is over and the items went back. Come back through the lobby while there is stock." },
  drop_closed: { status: 410, title: "The drop is over", detail: "This drop has ended. Nothing more can be bought in it." },
  too_large: { status: 413, title: "The request is too large", detail: "The request is larger than anything this address accepts." },
  unsupported_media_type: { status: 415, title: "Only JSON is understood here", detail: "Send the body as application/json." },
  invalid_request: { status: 422, title: "The request is not acceptable", detail: "Some members of the request are not acceptable. Each is named under errors." },
  identity_invalid: { status: 422, title: "This code is not right", detail: "The code is mistyped, older than ten minutes, or was tried too often. Look at the newest mail, or ask for another code." },
  identity_differs: { status: 422, title: "This is another e-mail address", detail: "Your place belongs to the e-mail address with which you joined. Order with that address; nothing was changed." },
  evidence_invalid: { status: 422, title: "This invitation or code is not valid here", detail: "It is for another drop or another address, too old, or was taken back. You can join without it, or ask for another one." },
  coupon_invalid: { status: 422, title: "The coupon is not valid here", detail: "This coupon is not valid for this drop, this region or this moment. You can order without it." },
  too_many_requests: { status: 429, title: "Too many requests", detail: "There were too many requests from your network. Wait as long as Retry-After says." },
  internal_error: { status: 500, title: "A mistake on our side", detail: "Something went wrong on our side. Nothing was lost; try again in a moment." },
  temporarily_unavailable: { status: 503, title: "Not available for a moment", detail: "This could not be done right now. Try again as Retry-After says; the same id gives the same answer." },
} as const satisfies Record<string, ProblemSpec>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Where in a request's body something is wrong (RFC 6901), and what. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** A refusal on its way to the wire: the code, and the facts that the code names. */
export interface Problem {
  readonly code: ProblemCode;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
}

/** The RFC 9457 document of a problem; `instance` is the path that was asked. */
export function problemDocument(problem: Problem, instance: string): Record<string, unknown> {
  const spec = PROBLEMS[problem.code];
  return {
    type: `/problems#${problem.code}`,
    title: spec.title,
    status: spec.status,
    detail: spec.detail,
    instance,
    code: problem.code,
    ...problem.facts,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  };
}
