import { Hono, type Context } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { answer, refusal } from "./api/answers.ts";
import { sendCode } from "./api/codes.ts";
import { makeChallenge } from "./api/challenges.ts";
import { listDrops, openSocket, showDrop } from "./api/drops.ts";
import { forwardToDesk, forwardWebhook } from "./api/forwarding.ts";
import { abandonHold, putHold, showHold } from "./api/holds.ts";
import { joinLobby } from "./api/joining.ts";
import { LiveAnswers } from "./api/live-answers.ts";
import { showOrder, showReceipt } from "./api/orders.ts";
import { refuseForeignOrigin } from "./api/origin.ts";
import { putOrder } from "./api/placing.ts";
import { listEntries, showRecord } from "./api/record.ts";
import { failureProblem } from "./api/refusals.ts";
import { heardRefusals } from "./api/heard-refusals.ts";
import { resource } from "./api/resource.ts";
import { claimPass, showProof, showTicket } from "./api/tickets.ts";
import { formRoutes } from "./forms/routes.ts";
import type { FormShop } from "./forms/visit.ts";
import { openApiDocument } from "./openapi.ts";
import { entryBudget } from "../drop/entry-budget.ts";
import { attemptBudget } from "../kernel/attempt-budget.ts";
import { PROBLEMS, type Problem } from "../kernel/problem.ts";
import { mistakePage, notFoundPage, pageRoutes } from "./pages/routes.tsx";
import type { ApiPorts } from "./ports.ts";
import { KEEPING, type Keeping, PageCopies, publicPagePaths } from "./page-copies.ts";
import { setSecurityHeaders } from "./security-headers.ts";

/** Longer addresses are nobody's; the longest of ours carries a voucher. */
const URL_LENGTH_MAX = 8_192;

/** What may lie ready: the two things that everybody reads, and that cost less than the way to a route. */
interface Ready {
  readonly copies: PageCopies;
  readonly live: LiveAnswers;
}

export interface Storefront {
  fetch(request: Request): Response | Promise<Response>;
}

/**
 * The one public door. What lies ready for a plain GET is given out before any
 * route is looked for; everything else, and every request that is written in
 * an unusual way, takes the routes, which give the same answers.
 */
export function storefrontApp(ports: ApiPorts): Storefront {
  const ready: Ready = { copies: new PageCopies(publicPagePaths(ports.store), ports), live: new LiveAnswers(ports) };
  // One expression can find all addresses of the API, which it cannot for the pages: there `/{region}/{drop}` is like many others.
  const api = opened(new Hono({ router: new RegExpRouter() }), ports, ready);
  const budgets = sharedBudgets(ports);
  shopperApi(api, ports, ready.live, budgets);
  const routes = opened(new Hono(), ports, ready);
  otherRoutes(routes, ports, budgets);
  return {
    fetch(request) {
      const { url } = request;
      const kept = request.method === "GET" ? (ready.copies.atHand(url, request) ?? ready.live.atHand(url)) : null;
      if (kept !== null) return kept;
      return url.startsWith("/api/", url.indexOf("/", "https://".length)) ? api.fetch(request) : routes.fetch(request);
    },
  };
}

/** What every route shares: what is refused before any is looked for, the headers of every answer, and how failures are told. */
function opened(app: Hono, ports: ApiPorts, { copies }: Ready): Hono {
  app.use("*", async (context, next) => {
    const { raw, url } = context.req;
    if (url.length > URL_LENGTH_MAX) return sealed(refusal({ code: "too_large" }, context), ports);
    const kept = await copies.find(raw);
    if (kept !== null) return kept;
    const isRead = ["GET", "HEAD", "OPTIONS"].includes(context.req.method);
    const foreign = isRead || context.req.path.startsWith("/webhooks/") ? null : refuseForeignOrigin(raw);
    if (foreign !== null) return sealed(refusal(foreign, context), ports);
    await next();
    const response = sealed(context.res, ports);
    const keeping = keepingOf(context);
    if (keeping === null) copies.release(raw);
    const answered = keeping === null ? response : await copies.keep(raw, response, keeping);
    if (answered !== context.res) {
      context.res = undefined;
      context.res = answered;
    }
    return undefined;
  });
  app.onError((error, context) => {
    const problem = failureProblem(error);
    ports.log({ code: problem.code, method: context.req.method, route: context.req.routePath, error: error.name, message: problem.code === "internal_error" ? error.message.slice(0, 300) : "" });
    return wantsPage(context) ? failurePage(ports, context, problem) : refusal(problem, context);
  });
  app.notFound((context) => (wantsPage(context) ? notFoundPage(ports, context) : refusal({ code: "not_found" }, context)));

  return app;
}

/** The pages, and what is handed on to settlement and the desk. */
function otherRoutes(app: Hono, ports: ApiPorts, budgets: SharedBudgets): void {
  resource(app, "/healthz", { GET: () => answer({ status: "ok", version: ports.version }) });
  resource(app, "/.well-known/jwks.json", { GET: () => answer(ports.credentials.publicKeys, 200, { "cache-control": "public, max-age=300" }) });
  resource(app, "/openapi.json", { GET: (context) => answer(openApiDocument(new URL(context.req.url).origin, ports.version), 200, { "cache-control": "public, max-age=60" }) });
  resource(app, "/problems", { GET: () => answer({ problems: Object.entries(PROBLEMS).map(([code, spec]) => ({ code, ...spec })) }, 200, { "cache-control": "public, max-age=300" }) });
  resource(app, "/webhooks/:provider", { POST: forwardWebhook(ports) });
  app.all("/desk", forwardToDesk(ports));
  app.all("/desk/*", forwardToDesk(ports));
  // Every asset has a dot in its name; of the pages only QR landings and a few small sheets do.
  app.get("*", async (context, next) => {
    const { path } = context.req;
    if (path.startsWith("/q/") || !(path.split("/").at(-1) ?? "").includes(".")) return next();
    const asset = await ports.asset(context.req.raw);
    return asset.status === 404 ? next() : asset;
  });
  app.route("/", formRoutes({ ports, ...budgets }));
  app.route("/", pageRoutes(ports));
  for (const page of ["/", "/q/:code", "/orders/:order", "/drops/:drop/plan", "/drops/:drop/record", "/:region/:drop", "/:drop"]) {
    app.on(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"], page, (context) => refusal({ code: "method_not_allowed" }, context, { allow: "GET, HEAD" }));
  }
}

/** What both ways of shopping are counted by: nobody gets twice as much by using both. */
type SharedBudgets = Omit<FormShop, "ports">;

function sharedBudgets({ isLocal }: ApiPorts): SharedBudgets {
  return {
    // A person who mistypes a word needs two or three tries; a script that guesses needs thousands.
    guesses: attemptBudget({ attempts: 10, windowMs: 600_000, peopleMax: 10_000 }),
    refreshes: attemptBudget({ attempts: 1, windowMs: 2_000, peopleMax: 10_000 }),
    asks: entryBudget(isLocal),
    refused: heardRefusals(),
  };
}

/** The shoppers' API. Whatever is not refused here has been read strictly. */
function shopperApi(app: Hono, ports: ApiPorts, live: LiveAnswers, { guesses, refreshes, asks, refused }: SharedBudgets): void {
  resource(app, "/api/drops", { GET: listDrops(ports) });
  resource(app, "/api/drops/:drop", { GET: showDrop(ports) });
  resource(app, "/api/drops/:drop/live", { GET: live.show });
  resource(app, "/api/drops/:drop/socket", { GET: openSocket(ports) });
  resource(app, "/api/drops/:drop/challenges", { POST: makeChallenge(ports) });
  resource(app, "/api/drops/:drop/codes", { POST: sendCode(ports, refused) });
  resource(app, "/api/drops/:drop/tickets/:ticket", { PUT: joinLobby(ports, refused), GET: showTicket(ports) });
  resource(app, "/api/drops/:drop/tickets/:ticket/proof", { GET: showProof(ports) });
  resource(app, "/api/drops/:drop/passes", { POST: claimPass(ports, asks) });
  resource(app, "/api/drops/:drop/holds/:hold", { PUT: putHold(ports, asks), GET: showHold(ports, asks), DELETE: abandonHold(ports, asks) });
  resource(app, "/api/drops/:drop/record", { GET: showRecord(ports) });
  resource(app, "/api/drops/:drop/entries", { GET: listEntries(ports) });
  resource(app, "/api/orders/:order", { PUT: putOrder(ports, guesses, asks), GET: showOrder(ports, refreshes) });
  resource(app, "/api/orders/:order/receipt", { GET: showReceipt(ports) });
}

/** The answer with its security headers; one of another Worker is not ours to write into, and is made again. */
function sealed(response: Response, { isLocal }: ApiPorts): Response {
  // A response that carries a socket cannot be made again, and has no body to protect.
  if (response.status === 101) return response;
  try {
    setSecurityHeaders(response.headers, isLocal);
    return response;
  } catch {
    const ours = new Response(response.body, response);
    setSecurityHeaders(ours.headers, isLocal);
    return ours;
  }
}

/** What a page said about how long it may be kept. */
function keepingOf(context: Context): Keeping | null {
  // Set by the pages alone, under a name of theirs; the context's own types do not know it.
  const keeping = context.get(KEEPING) as Keeping | undefined;
  return keeping ?? null;
}

/** A person in a browser, on an address that is not the API's. */
function wantsPage(context: Context): boolean {
  return !context.req.path.startsWith("/api/") && (context.req.header("accept") ?? "").includes("text/html");
}

async function failurePage(ports: ApiPorts, context: Context, problem: Problem): Promise<Response> {
  const page = await mistakePage(ports, context);
  const headers = new Headers(page.headers);
  if (problem.retryAfterSeconds !== undefined) headers.set("retry-after", String(problem.retryAfterSeconds));
  return new Response(page.body, { status: PROBLEMS[problem.code].status, headers });
}
