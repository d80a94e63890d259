import * as v from "valibot";
import { HoldId } from "../../../schema/wire/ids.ts";
import { limitOf, peopleOf } from "../../drop/groups.ts";
import type { Problem } from "../../kernel/problem.ts";
import { accepted } from "../../kernel/result.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import { holdUnits } from "../api/holds.ts";
import { type JoinStep, joinWith, refusedFlood } from "../api/joining.ts";
import { standInLane } from "../api/lane-step.ts";
import { claimSitting } from "../api/tickets.ts";
import { waitEstimate } from "../api/wait-estimate.ts";
import type { Position } from "../browser/rank.ts";
import type { PlaceClaims } from "../cookie-credentials.ts";
import { refusedPage } from "../pages/without-script/frame.tsx";
import { placePage, wantsPage } from "../pages/without-script/place-page.tsx";
import { forgottenCookies, heldBy, placeInCookie, placeOf, seatInCookie, seatOf } from "./carried.ts";
import { chosenLines } from "./chosen-lines.ts";
import { cookieOf, keptCookie, ordersOf, shownCookie } from "./cookies.ts";
import type { SentForm } from "./sent-form.ts";
import { type Standing, standingBy } from "./standing.ts";
import { refusedBy, seeOther, shownPage, statusOf, type Visit, wayFacts } from "./visit.ts";

/** While something may happen at any moment, and while only a stage or a person can change it. */
const SOON_SECONDS = 10;
const LATER_SECONDS = 15;

/** Where the shopper stands. Nobody is asked for it but the copy of the live state. */
export async function showPlace(visit: Visit): Promise<Response> {
  const place = await placeOf(visit);
  if (place === null) return seeOther(visit.base);
  const seat = await seatOf(visit);
  if (seat === null || seat.hold === null) return shownPlace(visit, place);
  if ((await heldBy(visit, seat)) !== null) return seeOther(`${visit.base}/hold`);
  // Asked once: from now on the cookie says that nothing is held.
  return shownPlace(visit, place, null, [await seatInCookie(visit, { ...seat, hold: null })]);
}

async function shownPlace(visit: Visit, place: PlaceClaims, problem: Problem | null = null, more: readonly string[] = [], mistakes: ReadonlyMap<string, string> = new Map()): Promise<Response> {
  const { ports, drop, request, context, now } = visit;
  const live = await ports.live(drop.plan.drop);
  if (live === null) return context.notFound();
  const before = shownPosition(request, drop.plan.drop);
  const standing = standingBy(place, live, before, ports.hashing, now);
  const { position } = standing;
  const cookies = position === null || position.to === before?.to ? more : [...more, keptCookie(shownCookie(drop.plan.drop), `${position.from}-${position.to}`, drop.plan.closesAt - now)];
  const usual = usualRefresh(standing, live, now);
  // To be read and acted on first.
  const refreshSeconds = problem !== null || context.req.query("refresh") === "off" ? null : usual;
  const facts = await wayFacts(visit, problem === null ? null : refusedBy(visit, problem, mistakes));
  const page = placePage(facts, {
    standing, refreshSeconds, mayRefresh: usual !== null, entry: place.entry, lane: place.lane, wants: place.wants, limit: limitOf(drop.plan, peopleOf(place)), orders: ordersOf(request),
    eta: standing.step === "line" && position !== null ? waitEstimate(position.to, live.plan, live.live, now) : null,
  });
  const refused = problem === null ? {} : statusOf(problem);
  // To the page itself, whatever was sent to show it.
  const refresh: Record<string, string> = refreshSeconds === null ? {} : { refresh: `${refreshSeconds}; url=${visit.base}/place` };
  return shownPage(context, page, { ...refused, cookies, headers: { ...refused.headers, ...refresh } });
}

/** How often the page looks again by itself: never while there is something to fill in, or when all is over. */
function usualRefresh({ step, free }: Standing, { plan }: LobbyLive, now: number): number | null {
  if (step === "gone" || step === "closed" || step === "cancelled" || step === "called") return null;
  if (step === "short") return free.length > 0 ? null : LATER_SECONDS;
  if (step === "line" || step === "drawing") return SOON_SECONDS;
  const untilOpening = Math.ceil((plan.opensAt - now) / 1_000);
  return step === "waiting" && untilOpening > 0 ? Math.min(LATER_SECONDS, untilOpening + 1) : LATER_SECONDS;
}

/** The smallest position that this browser was shown; whoever edits it deceives nobody else. */
function shownPosition(request: Request, drop: string): Position | null {
  const [, from, to] = /^(\d{1,7})-(\d{1,7})$/.exec(cookieOf(request, shownCookie(drop)) ?? "") ?? [];
  return from === undefined || to === undefined ? null : { from: Number(from), to: Number(to) };
}

export async function showWants(visit: Visit): Promise<Response> {
  const place = await placeOf(visit);
  return place === null ? seeOther(visit.base) : shownWants(visit, place);
}

async function shownWants(visit: Visit, place: PlaceClaims, problem: Problem | null = null, mistakes: ReadonlyMap<string, string> = new Map()): Promise<Response> {
  const live = await visit.ports.live(visit.drop.plan.drop);
  if (live === null) return visit.context.notFound();
  const facts = await wayFacts(visit, problem === null ? null : refusedBy(visit, problem, mistakes));
  return shownPage(visit.context, wantsPage(facts, { wants: place.wants, limit: limitOf(visit.drop.plan, peopleOf(place)) }, standingBy(place, live, null, visit.ports.hashing, visit.now)), problem === null ? {} : statusOf(problem));
}

/** Another wish for the same ticket, by the same command. */
export async function changeWants(visit: Visit, { fields }: SentForm): Promise<Response> {
  const { ports, drop, request, refused, now } = visit;
  const place = await placeOf(visit);
  if (place === null) return seeOther(visit.base);
  const { lines, mistakes } = chosenLines(drop.plan, fields, limitOf(drop.plan, peopleOf(place)));
  if (mistakes.size > 0) return shownWants(visit, { ...place, wants: lines }, { code: "invalid_request" }, mistakes);
  const { ticket, keyThumbprint, person, email } = place;
  const visitor = ports.visitor(request);
  const flooded = refusedFlood(ports, refused, { drop, ticket, visitor });
  if (flooded !== null) return shownWants(visit, place, flooded);
  const owner: JoinStep = async () => accepted({ person });
  const attempt = { drop, ticket, keyThumbprint, visitor, now, host: new URL(request.url).hostname, isProven: true, owner: person, body: { wants: [...lines], identity: { email } } };
  const joined = await joinWith(ports, refused, attempt, [owner, standInLane]);
  if (!joined.ok) return shownWants(visit, place, joined.rejection);
  return seeOther(`${visit.base}/place`, [await placeInCookie(visit, { ...joined.value, person, email })]);
}

/** Claims the turn, and holds what was chosen, all of it or nothing. */
export async function hold(visit: Visit, { fields, stamp }: SentForm): Promise<Response> {
  const { ports, drop, request } = visit;
  const place = await placeOf(visit);
  if (place === null) return shownNoPlace(visit);
  const { lines, mistakes } = chosenLines(drop.plan, fields, limitOf(drop.plan, peopleOf(place)));
  if (mistakes.size > 0) return shownPlace(visit, place, { code: "invalid_request" }, [], mistakes);
  const replaces = fields.get("replaces") ?? null;
  if (replaces !== null && !v.is(HoldId, replaces)) return shownPlace(visit, place, { code: "not_found" });
  const claimed = await claimSitting(ports, visit.asks, drop, place);
  if (!claimed.ok) return shownPlace(visit, place, claimed.rejection);
  if (claimed.value === "waiting") return shownPlace(visit, place, { code: "not_admitted" });
  const { sitting, passEndsAt } = claimed.value;
  const pass = { drop: drop.plan.drop, sitting: sitting.id, entry: place.entry, keyThumbprint: place.keyThumbprint };
  const id = `hld_${stamp.id}`;
  const held = await holdUnits(ports, { drop: drop.plan.drop, id, pass, lines, replaces, network: ports.visitor(request).network });
  if (!held.ok) return shownPlace(visit, place, held.rejection);
  return seeOther(`${visit.base}/hold`, [await seatInCookie(visit, { ...pass, hold: id, endsAt: passEndsAt })]);
}

/** What needs a place, sent by a browser that has none: its cookies are gone, or were never ours. */
export async function shownNoPlace(visit: Visit): Promise<Response> {
  const problem: Problem = { code: "credential_missing" };
  const facts = await wayFacts(visit, refusedBy(visit, problem));
  return shownPage(visit.context, refusedPage(facts, "No place here", { href: visit.base, label: "Begin again" }), statusOf(problem));
}

/** Leaves nothing of the place in this browser; the place itself stays whoever's address it is. */
export async function leave(visit: Visit): Promise<Response> {
  return seeOther(`/${visit.region.slug}/${visit.drop.plan.drop}`, forgottenCookies(visit));
}
