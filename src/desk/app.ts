import { Hono, type Context } from "hono";
import type * as v from "valibot";
import type { Control } from "../drop/port.ts";
import { instantToWire } from "../kernel/time.ts";
import type { OrderView, MoneyRejection } from "../settlement/port.ts";
import type { Result } from "../kernel/result.ts";
import { optionalBody, parsed, strictBody } from "../http/strict-body.ts";
import { attestTicket } from "./attestations.ts";
import { refusal, refuseForeignOrigin, refuseStranger, setSecurityHeaders } from "./door.ts";
import { type Handler, resource } from "./handler.ts";
import { createInvites, revokeInvite } from "./invites.ts";
import { mintVouchers } from "./mint-vouchers.ts";
import { changePlan } from "./plan-changes.ts";
import type { DeskPorts } from "./ports.ts";
import { currentPresence } from "./presence.ts";
import { presencePage } from "./presence-page.tsx";
import { controlProblem, failureProblem, mintProblem, moneyProblem } from "./refusals.ts";
import { dropSlug, emptyShape, extendShape, fulfilmentShape, orderId, ordersQuery, refundShape, transfersQuery, vouchersShape } from "./shapes.ts";
import { dropToWire, orderToWire, returnsToWire, transferToWire } from "./wire.ts";

/** A refund may name many lines; no command of the desk comes near this. */
const BODY_BYTES_MAX = 64 * 1024;

/** Who the record says it was. One key is one person to us; an identity provider will know better. */
const ACTOR = "desk";

/**
 * The desk's API. It has no public route of its own: the storefront hands on
 * everything under /desk with the path kept.
 */
export function deskApp(ports: DeskPorts): Hono {
  const app = new Hono();

  app.use("/desk/api/*", async (context, next) => {
    const stranger = refuseStranger(context.req.header("authorization") ?? null, ports.deskKey, ports.hashing);
    if (stranger !== null) return refusal(stranger, context.req.raw, stranger.code === "temporarily_unavailable" ? {} : { "www-authenticate": 'Bearer realm="desk"' });
    const foreign = refuseForeignOrigin(context.req.raw);
    if (foreign !== null) return refusal(foreign, context.req.raw);
    await next();
    setSecurityHeaders(context.res.headers);
    return undefined;
  });

  resource(app, "/desk/api/drops/:drop", { GET: dropState(ports) });
  resource(app, "/desk/api/drops/:drop/pause", { POST: control(ports, emptyShape, () => ({ kind: "pause" })) });
  resource(app, "/desk/api/drops/:drop/resume", { POST: control(ports, emptyShape, () => ({ kind: "resume" })) });
  resource(app, "/desk/api/drops/:drop/extend", { POST: control(ports, extendShape, ({ stage, by }) => ({ kind: "extend", stage, byMs: by })) });
  resource(app, "/desk/api/drops/:drop/cancel", { POST: control(ports, emptyShape, () => ({ kind: "cancel" })) });
  resource(app, "/desk/api/drops/:drop/plan", { POST: changePlan(ports, ACTOR) });
  resource(app, "/desk/api/drops/:drop/vouchers", { POST: mint(ports) });
  resource(app, "/desk/api/drops/:drop/invites", { POST: createInvites(ports) });
  resource(app, "/desk/api/drops/:drop/invites/:invite", { DELETE: revokeInvite(ports) });
  resource(app, "/desk/api/drops/:drop/attestations", { POST: attestTicket(ports) });
  resource(app, "/desk/api/drops/:drop/presence/:region", { GET: currentPresence(ports) });
  resource(app, "/desk/api/orders", { GET: listOrders(ports) });
  resource(app, "/desk/api/orders/:order", { GET: showOrder(ports) });
  resource(app, "/desk/api/orders/:order/fulfilments", { POST: fulfil(ports) });
  resource(app, "/desk/api/orders/:order/refunds", { POST: refund(ports) });
  resource(app, "/desk/api/ledger/accounts", { GET: async (context) => context.json({ accounts: await ports.money.accounts() }) });
  resource(app, "/desk/api/ledger/transfers", { GET: listTransfers(ports) });

  resource(app, "/desk/presence/:drop/:region", { GET: presencePage() });

  app.notFound((context) => refusal({ code: "not_found" }, context.req.raw));
  app.onError((error, context) => {
    const problem = failureProblem(error);
    ports.report({ code: problem.code, path: context.req.path, error });
    return refusal(problem, context.req.raw);
  });
  return app;
}

function dropState(ports: DeskPorts): Handler {
  return async (context) => {
    const drop = parsed(dropSlug, context.req.param("drop"));
    const snapshot = drop.ok ? await ports.drop(drop.value).snapshot([]) : null;
    if (!drop.ok || snapshot === null) return refusal({ code: "not_found" }, context.req.raw);
    const returns = snapshot.live.phase === "cancelled" ? await ports.drop(drop.value).awaitedReturns() : null;
    return context.json({ ...dropToWire(snapshot), checkout: await ports.drop(drop.value).pace(), ...(returns === null ? {} : { returns: returnsToWire(returns) }) });
  };
}

function control<Schema extends v.GenericSchema>(ports: DeskPorts, schema: Schema, toControl: (body: v.InferOutput<Schema>) => Control): Handler {
  return async (context) => {
    const drop = parsed(dropSlug, context.req.param("drop"));
    if (!drop.ok) return refusal({ code: "not_found" }, context.req.raw);
    const body = await optionalBody(context.req.raw, schema);
    if (!body.ok) return refusal(body.rejection, context.req.raw);
    const outcome = await ports.drop(drop.value).control(toControl(body.value), ACTOR);
    return outcome.ok ? context.json(dropToWire(outcome.value)) : refusal(controlProblem(outcome.rejection), context.req.raw);
  };
}

function mint(ports: DeskPorts): Handler {
  return async (context) => {
    const drop = parsed(dropSlug, context.req.param("drop"));
    if (!drop.ok) return refusal({ code: "not_found" }, context.req.raw);
    if (ports.couponKey === null) return refusal({ code: "temporarily_unavailable", retryAfterSeconds: 60 }, context.req.raw);
    const body = await strictBody(context.req.raw, vouchersShape, BODY_BYTES_MAX);
    if (!body.ok) return refusal(body.rejection, context.req.raw);
    const snapshot = await ports.drop(drop.value).snapshot([]);
    if (snapshot === null) return refusal({ code: "not_found" }, context.req.raw);
    const minted = await mintVouchers(
      { drop: drop.value, ...body.value },
      snapshot.plan.campaigns,
      { key: ports.couponKey, now: ports.now(), randomBytes: (count) => ports.randomBytes(count) },
    );
    if (!minted.ok) return refusal(mintProblem(minted.rejection), context.req.raw);
    const { origin } = new URL(context.req.url);
    const vouchers = minted.value.map(({ voucher, token, expiresAt }) => ({ voucher, token, url: `${origin}/q/${token}`, expiresAt: instantToWire(expiresAt) }));
    return context.json({ vouchers }, 201);
  };
}

function listOrders(ports: DeskPorts): Handler {
  return async (context) => {
    const query = parsed(ordersQuery, singleQuery(context));
    if (!query.ok) return refusal(query.rejection, context.req.raw);
    const page = await ports.money.orders({ drop: query.value.drop, cursor: query.value.cursor ?? null, limit: query.value.limit });
    return context.json({ orders: page.orders.map(orderToWire), next: page.next });
  };
}

function showOrder(ports: DeskPorts): Handler {
  return async (context) => {
    const id = parsed(orderId, context.req.param("order"));
    const view = id.ok ? await ports.money.order(id.value) : null;
    return view === null ? refusal({ code: "not_found" }, context.req.raw) : context.json(orderToWire(view));
  };
}

function fulfil(ports: DeskPorts): Handler {
  return async (context) => {
    const order = parsed(orderId, context.req.param("order"));
    if (!order.ok) return refusal({ code: "not_found" }, context.req.raw);
    const body = await strictBody(context.req.raw, fulfilmentShape, BODY_BYTES_MAX);
    if (!body.ok) return refusal(body.rejection, context.req.raw);
    const { id, lines } = body.value;
    return changed(context, await ports.money.fulfil({ id, order: order.value, lines: lines ?? null }));
  };
}

function refund(ports: DeskPorts): Handler {
  return async (context) => {
    const order = parsed(orderId, context.req.param("order"));
    if (!order.ok) return refusal({ code: "not_found" }, context.req.raw);
    const body = await strictBody(context.req.raw, refundShape, BODY_BYTES_MAX);
    if (!body.ok) return refusal(body.rejection, context.req.raw);
    const { id, lines, amountMinor, reason, restock } = body.value;
    return changed(context, await ports.money.refund({ id, order: order.value, lines: lines ?? null, amountMinor: amountMinor ?? null, reason, restock: restock ?? null }));
  };
}

/** A retry gets the same 201 as the first request: the caller cannot tell them apart and need not. */
function changed(context: Context, outcome: Result<OrderView, MoneyRejection>): Response {
  return outcome.ok ? context.json(orderToWire(outcome.value), 201) : refusal(moneyProblem(outcome.rejection), context.req.raw);
}

function listTransfers(ports: DeskPorts): Handler {
  return async (context) => {
    const query = parsed(transfersQuery, singleQuery(context));
    if (!query.ok) return refusal(query.rejection, context.req.raw);
    const transfers = await ports.money.transfers(query.value.order);
    return context.json({ transfers: transfers.map(transferToWire) });
  };
}

/** The query with single values; a repeated name stays a list, which no shape accepts. */
function singleQuery(context: Context): Record<string, string | readonly string[]> {
  return Object.fromEntries(Object.entries(context.req.queries()).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? "") : values]));
}
