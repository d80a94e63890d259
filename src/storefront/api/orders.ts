import type { Context } from "hono";
import * as v from "valibot";
import { OrderId } from "../../../schema/wire/ids.ts";
import { receiptDocument, receiptSchemaOrg } from "../../checkout/receipt.ts";
import { rejected, type Result } from "../../kernel/result.ts";
import type { OrderView } from "../../settlement/port.ts";
import type { CredentialRejection, PassClaims, ReceiptClaims } from "../credentials.ts";
import type { ApiPorts } from "../ports.ts";
import { answer, refusal } from "./answers.ts";
import type { AttemptBudget } from "../../kernel/attempt-budget.ts";
import { confirmingView, orderStatusToWire } from "./order-wire.ts";
import { authorizationOf, credentialRefusal, passOf } from "./request-credentials.ts";
import type { Handler } from "./resource.ts";
import { withinBudget } from "./time-budget.ts";

/** A status page is asked for every few seconds; it must not wait long for a provider. */
const READ_BUDGET_MS = 4_000;
const REFRESH_BUDGET_MS = 3_000;

/** The order as it stands, with its story. */
export function showOrder(ports: ApiPorts, refreshes: AttemptBudget): Handler {
  return async (context) => {
    const found = await readableOrder(ports, context);
    if (!found.ok) return found.rejection;
    const view = await refreshedOrder(ports, refreshes, found.value);
    return answer(orderStatusToWire(view, await ports.credentials.mintReceipt(view.order, view.order.placedAt)));
  };
}

/** The receipt: a document, our signature over its canonical form, and the same in schema.org's words. */
export function showReceipt(ports: ApiPorts): Handler {
  return async (context) => {
    const found = await readableOrder(ports, context);
    if (!found.ok) return found.rejection;
    return answer(await signedReceipt(ports, found.value, new URL(context.req.url).origin));
  };
}

/** The receipt of an order as it stands, signed. */
export async function signedReceipt(ports: ApiPorts, view: OrderView, origin: string) {
  const store = { name: ports.store.name, support: ports.store.support, url: origin };
  const receipt = receiptDocument(view, store);
  return { receipt, signature: await ports.credentials.signReceipt(receipt), schemaOrg: receiptSchemaOrg(view, store) };
}

/** Who asks: by a receipt, which is for one order, or by the pass of a sitting. */
type Reader = ({ readonly by: "receipt" } & ReceiptClaims) | { readonly by: "pass"; readonly drop: string; readonly pass: PassClaims };

/**
 * The order of the path, for whoever may read it. Without a credential 401;
 * with somebody else's, the answer for an order that never was.
 */
async function readableOrder(ports: ApiPorts, context: Context): Promise<Result<OrderView, Response>> {
  const reader = await readerOf(ports, context.req.raw);
  if (!reader.ok) return rejected(credentialRefusal(ports, context, reader.rejection));
  const id = context.req.param("order") ?? "";
  const view = await orderFor(ports, id, reader.value);
  return view === null ? rejected(refusal({ code: "not_found" }, context)) : { ok: true, value: view };
}

/** The order of this id, where `reader` may read it; null for an order that never was, and for somebody else's. */
export async function orderFor(ports: ApiPorts, id: string, reader: Reader): Promise<OrderView | null> {
  const isTheirs = v.is(OrderId, id) && (reader.by === "pass" || reader.id === id);
  const view = isTheirs ? await orderView(ports, id, reader) : null;
  const isReadable = view !== null && view.order.drop === reader.drop && (reader.by === "receipt" || view.order.entry === reader.pass.entry);
  return isReadable ? view : null;
}

async function readerOf(ports: ApiPorts, request: Request): Promise<Result<Reader, CredentialRejection>> {
  const authorization = authorizationOf(request);
  if (authorization?.scheme !== "bearer") {
    const pass = await passOf(ports, request, null);
    return pass.ok ? { ok: true, value: { by: "pass", drop: pass.value.drop, pass: pass.value } } : pass;
  }
  const order = await ports.credentials.receiptOrder(authorization.token, ports.now());
  return order.ok ? { ok: true, value: { by: "receipt", ...order.value } } : order;
}

/** What settlement says, or else what the drop placed: settlement may not have heard of it yet, or not answer. */
async function orderView(ports: ApiPorts, id: string, reader: Reader): Promise<OrderView | null> {
  const known = await withinBudget(ports, READ_BUDGET_MS, "checkout.order", ports.checkout.order(id));
  if (known !== null) return known;
  if (!ports.store.drops.some((drop) => drop.slug === reader.drop)) return null;
  const order = await ports.drop(reader.drop).placed(id);
  return order === null ? null : confirmingView(order);
}

/** Asks the provider for whoever came back before the webhook did; the budget keeps a reloading page from asking on. */
export async function refreshedOrder(ports: ApiPorts, refreshes: AttemptBudget, view: OrderView): Promise<OrderView> {
  const { id } = view.order;
  const isOpen = (view.state === "placed" || view.state === "confirming") && (view.payment.state === "none" || view.payment.state === "pending");
  const now = ports.now();
  if (!isOpen || refreshes.retryAt(id, now) !== null) return view;
  refreshes.spend(id, now);
  return (await withinBudget(ports, REFRESH_BUDGET_MS, "checkout.refresh", ports.checkout.refresh(id))) ?? view;
}
