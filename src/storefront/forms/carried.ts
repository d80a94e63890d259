import type { HoldView } from "../../drop/port.ts";
import { ticketKeptUntil } from "../api/joining.ts";
import type { ApplicationClaims, PlaceClaims, SeatClaims } from "../cookie-credentials.ts";
import { applicationCookie, cookieOf, forgottenCookie, keptCookie, placeCookie, seatCookie, shownCookie } from "./cookies.ts";
import type { Visit } from "./visit.ts";

/*
 * What a browser carries from step to step. Whatever is forged, of another
 * drop, over, or of a drop of the same name that was started afresh is nothing.
 */

/** How long what was said may wait to be proven: overnight. */
const APPLICATION_LIFETIME_MS = 86_400_000;

/** What this browser has said and not proven. */
export async function applicationOf({ ports, request, drop, now }: Visit): Promise<ApplicationClaims | null> {
  const token = cookieOf(request, applicationCookie(drop.plan.drop));
  const claims = token === null ? null : await ports.credentials.cookies.readApplication(token, drop.plan.drop, now);
  return claims?.planHash === drop.planHash ? claims : null;
}

/** The place that this browser has. */
export async function placeOf({ ports, request, drop, now }: Visit): Promise<PlaceClaims | null> {
  const token = cookieOf(request, placeCookie(drop.plan.drop));
  const claims = token === null ? null : await ports.credentials.cookies.readPlace(token, drop.plan.drop, now);
  return claims?.planHash === drop.planHash ? claims : null;
}

/** The pass that this browser has, and what it holds by it. */
export async function seatOf({ ports, request, drop, now }: Visit): Promise<SeatClaims | null> {
  const token = cookieOf(request, seatCookie(drop.plan.drop));
  return token === null ? null : ports.credentials.cookies.readSeat(token, drop.plan.drop, now);
}

export async function applicationInCookie({ ports, drop, now }: Visit, claims: ApplicationClaims): Promise<string> {
  const token = await ports.credentials.cookies.mintApplication(claims, now, now + APPLICATION_LIFETIME_MS);
  return keptCookie(applicationCookie(drop.plan.drop), token, APPLICATION_LIFETIME_MS);
}

export async function placeInCookie({ ports, drop, now }: Visit, place: PlaceClaims): Promise<string> {
  const until = ticketKeptUntil(drop);
  return keptCookie(placeCookie(drop.plan.drop), await ports.credentials.cookies.mintPlace(place, until), until - now);
}

export async function seatInCookie({ ports, drop, now }: Visit, seat: SeatClaims): Promise<string> {
  return keptCookie(seatCookie(drop.plan.drop), await ports.credentials.cookies.mintSeat(seat, now), seat.endsAt - now);
}

/** What a seat holds at this moment, by the Drop object; null where that is nothing any more. */
export async function heldBy({ ports, now }: Visit, { drop, hold, entry }: SeatClaims): Promise<HoldView | null> {
  const view = hold === null ? null : await ports.drop(drop).holdState(hold, entry);
  return view !== null && view.state === "held" && now < view.expiresAt ? view : null;
}

/** Forgets everything of the drop but the receipts. */
export function forgottenCookies({ drop }: Pick<Visit, "drop">): string[] {
  return [applicationCookie, placeCookie, seatCookie, shownCookie].map((name) => forgottenCookie(name(drop.plan.drop)));
}
