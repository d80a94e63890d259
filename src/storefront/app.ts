import { Hono, type Context } from "hono";
import { attemptBudget } from "./api/attempt-budget.ts";
import { answer, refusal } from "./api/answers.ts";
import { listDrops, openSocket, showDrop, showLive } from "./api/drops.ts";
import { forwardToDesk, forwardWebhook } from "./api/forwarding.ts";
import { abandonHold, putHold, showHold } from "./api/holds.ts";
import { showOrder, showReceipt } from "./api/orders.ts";
import { refuseForeignOrigin } from "./api/origin.ts";
import { putOrder } from "./api/placing.ts";
import { listEntries, showRecord } from "./api/record.ts";
import { failureProblem } from "./api/refusals.ts";
import { resource } from "./api/resource.ts";
import { claimPass, joinLobby, makeChallenge, showProof, showTicket } from "./api/tickets.ts";
import { openApiDocument } from "./openapi.ts";
import { PROBLEMS, type Problem } from "../kernel/problem.ts";
import { mistakePage, notFoundPage, pageRoutes } from "./pages/routes.tsx";
import type { ApiPorts } from "./ports.ts";
import { KEEPING, type Keeping, PageCopies, publicPagePaths } from "./page-copies.ts";
import { setSecurityHeaders } from "./security-headers.ts";

/** Longer addresses are nobody's; the longest of ours carries a voucher. */
const URL_LENGTH_MAX = 8_192;

/**
 * The one public door: the shoppers' API, the pages, and what is handed on to
 * settlement and the desk. Whatever is not refused here has been read strictly.
 */
export function storefrontApp(ports: ApiPorts): Hono {
  const app = new Hono();
  const copies = new PageCopies(publicPagePaths(ports.store), ports);

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

  shopperApi(app, ports);
  resource(app, "/healthz", { GET: () => answer({ status: "ok", version: ports.version }) });
  resource(app, "/.well-known/jwks.json", { GET: () => answer(ports.credentials.publicKeys, 200, { "cache-control": "public, max-age=300" }) });
  resource(app, "/openapi.json", { GET: (context) => answer(openApiDocument(new URL(context.req.url).origin, ports.version), 200, { "cache-control": "public, max-age=60" }) });
  resource(app, "/problems", { GET: () => answer({ problems: Object.entries(PROBLEMS).map(([code, spec]) => ({ code, ...spec })) }, 200, { "cache-control": "public, max-age=300" }) });
  resource(app, "/webhooks/:provider", { POST: forwardWebhook(ports) });
  app.all("/desk", forwardToDesk(ports));
  app.all("/desk/*", forwardToDesk(ports));
  // An address under /api that is not above is not a page either.
  app.all("/api/*", (context) => refusal({ code: "not_found" }, context));

  // Every asset has a dot in its name; of the pages only QR landings and a few small sheets do.
  app.get("*", async (context, next) => {
    const { path } = context.req;
    if (path.startsWith("/q/") || !(path.split("/").at(-1) ?? "").includes(".")) return next();
    const asset = await ports.asset(context.req.raw);
    return asset.status === 404 ? next() : asset;
  });
  app.route("/", pageRoutes(ports));
  for (const page of ["/", "/q/:code", "/orders/:order", "/drops/:drop/plan", "/drops/:drop/record", "/:region/:drop", "/:drop"]) {
    app.on(["POST", "PUT", "PATCH", "DELETE", "OPTIONS"], page, (context) => refusal({ code: "method_not_allowed" }, context, { allow: "GET, HEAD" }));
  }
  return app;
}

function shopperApi(app: Hono, ports: ApiPorts): void {
  // A person who mistypes a word needs two or three tries; a script that guesses needs thousands.
  const guesses = attemptBudget({ attempts: 10, windowMs: 600_000, peopleMax: 10_000 });
  const refreshes = attemptBudget({ attempts: 1, windowMs: 2_000, peopleMax: 10_000 });

  resource(app, "/api/drops", { GET: listDrops(ports) });
  resource(app, "/api/drops/:drop", { GET: showDrop(ports) });
  resource(app, "/api/drops/:drop/live", { GET: showLive(ports) });
  resource(app, "/api/drops/:drop/socket", { GET: openSocket(ports) });
  resource(app, "/api/drops/:drop/challenges", { POST: makeChallenge(ports) });
  resource(app, "/api/drops/:drop/tickets/:ticket", { PUT: joinLobby(ports), GET: showTicket(ports) });
  resource(app, "/api/drops/:drop/tickets/:ticket/proof", { GET: showProof(ports) });
  resource(app, "/api/drops/:drop/passes", { POST: claimPass(ports) });
  resource(app, "/api/drops/:drop/holds/:hold", { PUT: putHold(ports), GET: showHold(ports), DELETE: abandonHold(ports) });
  resource(app, "/api/drops/:drop/record", { GET: showRecord(ports) });
  resource(app, "/api/drops/:drop/entries", { GET: listEntries(ports) });
  resource(app, "/api/orders/:order", { PUT: putOrder(ports, guesses), GET: showOrder(ports, refreshes) });
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
