import * as v from "valibot";
import { HoldId } from "../../../schema/wire/ids.ts";
import { OrderRequest } from "../../../schema/wire/order.ts";
import { limitOf, peopleOf } from "../../drop/groups.ts";
import type { HoldView } from "../../drop/port.ts";
import { parsed } from "../../http/strict-body.ts";
import type { Problem } from "../../kernel/problem.ts";
import { openPayment, placeOrder } from "../api/placing.ts";
import { portProblem } from "../api/refusals.ts";
import { endedHoldPage, holdPage } from "../pages/without-script/hold-page.tsx";
import { placeOf, seatInCookie, seatOf } from "./carried.ts";
import { keptCookie, receiptCookie } from "./cookies.ts";
import { pastedToken } from "./pasted-token.ts";
import { shownNoPlace } from "./place.ts";
import type { Fields, SentForm } from "./sent-form.ts";
import { standingBy } from "./standing.ts";
import { refusedBy, seeOther, shownPage, statusOf, type Visit, wayFacts } from "./visit.ts";

/** As long as anybody comes back to a receipt, and less than browsers keep anything. */
const RECEIPT_KEPT_MS = 365 * 86_400_000;

export async function showHold(visit: Visit): Promise<Response> {
  const seat = await seatOf(visit);
  const view = seat?.hold == null ? null : await visit.ports.drop(seat.drop).holdState(seat.hold, seat.entry);
  return view === null ? seeOther(`${visit.base}/place`) : shownHold(visit, view);
}

async function shownHold(visit: Visit, view: HoldView, problem: Problem | null = null, entered: Fields = new Map()): Promise<Response> {
  const { ports, drop, context, now } = visit;
  const live = await ports.live(drop.plan.drop);
  if (live === null) return context.notFound();
  const facts = await wayFacts(visit, problem === null ? null : refusedBy(visit, problem, mistakesOf(problem)));
  const refused = problem === null ? {} : statusOf(problem);
  if (view.state !== "held" || now >= view.expiresAt) return shownPage(context, endedHoldPage(facts, view), refused);
  const place = await placeOf(visit);
  const served = place === null ? [] : standingBy(place, live, null, ports.hashing, now).served;
  const skus = [...new Set([...view.lines, ...served].map(({ sku }) => sku))];
  const known: Fields = entered.size > 0 ? entered : new Map(place === null ? [] : [["email", place.email]]);
  return shownPage(context, holdPage(facts, { config: drop.config, live, hold: view, entered: known, skus, limit: limitOf(drop.plan, place === null ? 1 : peopleOf(place)) }), refused);
}

/** Gives up what is held; the place stays. */
export async function giveUp(visit: Visit): Promise<Response> {
  const seat = await seatOf(visit);
  if (seat === null) return shownNoPlace(visit);
  if (seat.hold === null) return seeOther(`${visit.base}/place`);
  const drop = visit.ports.drop(seat.drop);
  const abandoned = await drop.abandon(seat.hold, seat.entry);
  const view = abandoned.ok ? null : await drop.holdState(seat.hold, seat.entry);
  if (!abandoned.ok && view !== null) return shownHold(visit, view, portProblem(abandoned.rejection, visit.now));
  return seeOther(`${visit.base}/place`, [await seatInCookie(visit, { ...seat, hold: null })]);
}

/** Places the order, puts its receipt into a cookie of its own, and leads on to the payment. */
export async function order(visit: Visit, { fields, stamp }: SentForm): Promise<Response> {
  const { ports, drop, request, guesses } = visit;
  const seat = await seatOf(visit);
  const hold = fields.get("hold");
  const view = seat === null || !v.is(HoldId, hold) ? null : await ports.drop(seat.drop).holdState(hold, seat.entry);
  if (seat === null || view === null) return shownNoPlace(visit);
  const body = parsed(OrderRequest, orderMembers(visit, view.id, fields));
  if (!body.ok) return shownHold(visit, view, body.rejection, fields);
  const id = `ord_${stamp.id}`;
  const placed = await placeOrder(ports, guesses, { id, body: body.value, drop, pass: seat, returnTo: new URL(request.url).origin });
  if (!placed.ok) return shownHold(visit, await ports.drop(seat.drop).holdState(view.id, seat.entry) ?? view, placed.rejection, fields);
  const opened = await openPayment(ports, placed.value);
  const receipt = await ports.credentials.mintReceipt(placed.value, placed.value.placedAt);
  const cookies = [keptCookie(receiptCookie(id), receipt, RECEIPT_KEPT_MS), await seatInCookie(visit, { ...seat, hold: null })];
  return seeOther(opened.payment.url === null ? `/orders/${id}` : `/orders/${id}/payment`, cookies);
}

/** The fields as the API's own request has them. */
function orderMembers({ region, drop }: Visit, hold: string, fields: Fields): Record<string, unknown> {
  const text = (name: string) => fields.get(name)?.trim() ?? "";
  const optional = (name: string) => (text(name) === "" ? null : text(name));
  const point = text("point");
  const pickup = { method: "pickup", point, slot: optional(`slot-${point}`) };
  const address = { name: text("name"), line1: text("line1"), line2: optional("line2"), postalCode: text("postalCode"), city: text("city"), country: text("country") };
  const coupon = pastedToken(text("coupon"));
  return {
    drop: drop.plan.drop, hold, email: text("email"), source: { region: region.slug }, ...(coupon === "" ? {} : { coupon }),
    delivery: text("method") === "ship" ? { method: "ship", address } : pickup,
  };
}

/** Which fields of the form a refusal is about. */
function mistakesOf({ code, errors = [] }: Problem): Map<string, string> {
  if (code === "identity_differs") return new Map([["email", "Your place belongs to the e-mail address with which you joined. Order with that address."]]);
  if (code === "coupon_invalid" || code === "coupon_used_up") return new Map([["coupon", "This coupon cannot be used here now. Leave it out, or try another one."]]);
  return new Map(errors.map(({ pointer, detail }): [string, string] => {
    const name = pointer.split("/").at(-1) ?? "";
    return name === "point" || name === "slot" ? ["point", "Choose where and when you pick it up."] : [name, detail];
  }));
}
