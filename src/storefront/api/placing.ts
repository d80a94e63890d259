import * as v from "valibot";
import { OrderId } from "../../../schema/wire/ids.ts";
import { OrderRequest } from "../../../schema/wire/order.ts";
import type { PlacedOrder } from "../../checkout/placed-order.ts";
import type { CheckedCoupon } from "../../coupon/campaign.ts";
import { couponOfWord } from "../../coupon/typed-word.ts";
import { askedTooOften } from "../../drop/entry-budget.ts";
import type { PlaceCommand } from "../../drop/port.ts";
import { resaleLimitsOf } from "../../drop/resale-limits.ts";
import { COMPACT_FORM } from "../../kernel/compact-form.ts";
import type { Problem } from "../../kernel/problem.ts";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import type { OrderView } from "../../settlement/port.ts";
import type { PassClaims } from "../credentials.ts";
import type { ApiPorts } from "../ports.ts";
import { announcedDrop, type AnnouncedDrop } from "./announced-drop.ts";
import { answer, refusal } from "./answers.ts";
import type { AttemptBudget } from "../../kernel/attempt-budget.ts";
import { checkedDelivery } from "./delivery-check.ts";
import { emailAddress } from "../../gate/email-address.ts";
import { confirmingView, orderToWire } from "./order-wire.ts";
import { portProblem } from "./refusals.ts";
import { credentialRefusal, passOf } from "./request-credentials.ts";
import type { Handler } from "./resource.ts";
import { invalidMembers, strictBody } from "../../http/strict-body.ts";
import { withinBudget } from "./time-budget.ts";

/** How long a shopper waits for the payment page before hearing "confirming". */
export const OPEN_BUDGET_MS = 4_000;

/**
 * Places an order from a hold and opens its payment. The order exists as soon
 * as the Drop object has it: a slow or broken settlement changes what the
 * answer says about the payment, never that there is an order.
 */
export function putOrder(ports: ApiPorts, guesses: AttemptBudget, asks: AttemptBudget): Handler {
  return async (context) => {
    const request = context.req.raw;
    const id = context.req.param("order") ?? "";
    if (!v.is(OrderId, id)) return refusal({ code: "not_found" }, context);
    const pass = await passOf(ports, request, null);
    if (!pass.ok) return credentialRefusal(ports, context, pass.rejection);
    const tooOften = askedTooOften(asks, pass.value.entry, ports.now());
    if (tooOften !== null) return refusal(portProblem(tooOften, ports.now()), context);
    const body = await strictBody(request, OrderRequest);
    if (!body.ok) return refusal(body.rejection, context);
    if (body.value.drop !== pass.value.drop) return credentialRefusal(ports, context, { code: "credential_invalid" });
    const drop = await announcedDrop(ports, pass.value.drop);
    if (drop === null) return refusal({ code: "not_found" }, context);

    const placed = await placeOrder(ports, guesses, { id, body: body.value, drop, pass: pass.value, returnTo: new URL(request.url).origin });
    if (!placed.ok) return refusal(placed.rejection, context);
    const opened = await openPayment(ports, placed.value);
    const receipt = await ports.credentials.mintReceipt(placed.value, placed.value.placedAt);
    return answer(orderToWire(opened, receipt), 201);
  };
}

/** The order with its payment page, or without one yet where settlement or the provider is slow. */
export async function openPayment(ports: ApiPorts, placed: PlacedOrder): Promise<OrderView> {
  return (await withinBudget(ports, OPEN_BUDGET_MS, "checkout.open", ports.checkout.open(placed))) ?? confirmingView(placed);
}

interface Placing {
  readonly id: string;
  readonly body: OrderRequest;
  readonly drop: AnnouncedDrop;
  readonly pass: PassClaims;
  readonly returnTo: string;
}

/** Makes the order of a hold for a pass that was proven, however it was. */
export async function placeOrder(ports: ApiPorts, guesses: AttemptBudget, placing: Placing): Promise<Result<PlacedOrder, Problem>> {
  const now = ports.now();
  const { pass, drop, body } = placing;
  const read = readOrder(ports, placing);
  if (!read.ok) return read;
  const { command, servedBy } = read.value;
  const retryAt = guesses.retryAt(pass.entry, now);
  // Neither coupons nor who has ordered to which address can be tried out one after the other.
  const isTelling = body.coupon != null || (command.destination !== undefined && resaleLimitsOf(drop.plan).address !== null);
  if (retryAt !== null && isTelling) return rejected(portProblem({ code: "too_many_requests", retryAt }, now));
  const coupon = body.coupon == null ? accepted(null) : await checkedCoupon(ports, body.coupon, drop, servedBy);
  if (!coupon.ok) {
    // A coupon whose time ended since must not turn a retry of an order that was accepted into a refusal.
    const earlier = await ports.drop(pass.drop).placed(placing.id);
    if (earlier?.entry === pass.entry && earlier.hold === body.hold) return accepted(earlier);
    guesses.spend(pass.entry, now);
    return rejected(portProblem(coupon.rejection, now));
  }
  const placed = await ports.drop(pass.drop).place({ ...command, coupon: coupon.value });
  if (placed.ok) return placed;
  if (placed.rejection.code === "limit_reached" && placed.rejection.per === "address") guesses.spend(pass.entry, now);
  return rejected(portProblem(placed.rejection, now));
}

interface ReadOrder {
  readonly command: Omit<PlaceCommand, "coupon">;
  /** The region that delivers. A coupon is judged by it: where somebody says that they came from is theirs to choose. */
  readonly servedBy: string;
}

/** The command without its coupon, or which members cannot be. */
function readOrder(ports: ApiPorts, { id, body, pass, returnTo }: Placing): Result<ReadOrder, Problem> {
  const { regions } = ports.store;
  const asked = body.source?.region ?? null;
  const through = regions.find((region) => region.slug === asked) ?? null;
  if (asked !== null && through === null) return rejected(invalidMembers({ pointer: "/source/region", detail: "The store has no such region." }));
  const email = emailAddress(body.email);
  if (email === null) return rejected(invalidMembers({ pointer: "/email", detail: "This is not an e-mail address." }));
  const checked = checkedDelivery(body.delivery, regions, through);
  if (!checked.ok) return rejected(invalidMembers(checked.rejection));
  const region = through ?? checked.value.region;
  const { sitting, entry } = pass;
  const { delivery } = checked.value;
  const destination = delivery.method === "ship" ? { destination: ports.credentials.destinationOf(delivery.address) } : {};
  const command = { id, hold: body.hold, sitting, entry, person: ports.credentials.personOf(email), email, delivery, ...destination, region: region.slug, locale: region.locale, returnTo };
  return accepted({ command, servedBy: checked.value.region.slug });
}

/** One answer for every coupon that is not valid here and now: unknown, foreign, never issued or over. */
async function checkedCoupon(ports: ApiPorts, text: string, drop: AnnouncedDrop, region: string): Promise<Result<CheckedCoupon, { readonly code: "coupon_invalid" }>> {
  const now = ports.now();
  const coupon = COMPACT_FORM.test(text)
    ? await ports.credentials.checkVoucher(text, drop.plan.drop, region, now)
    : couponOfWord(text, drop.plan.campaigns, { region, now });
  return coupon === null ? rejected({ code: "coupon_invalid" }) : accepted(coupon);
}
