import * as v from "valibot";

const CLAIMS = v.looseObject({ weight: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1) });

/** The weight in the draw that a ticket states: the middle part of the token is readable by its owner. */
export function weightOfTicket(token: string): number {
  const claims = v.safeParse(CLAIMS, jsonOf(token.split(".")[1] ?? ""));
  return claims.success ? claims.output.weight : 1;
}

function jsonOf(part: string): unknown {
  try {
    return JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    return null;
  }
}
