import { Hono, type Context } from "hono";
import * as v from "valibot";
import { bytesFromHex, type Hashing } from "../kernel/hashing.ts";
import type { Clock } from "../kernel/time.ts";
import { cardFromText } from "./cards.ts";
import { BODY_BYTES_MAX, createControls, problemAnswer, readJson } from "./controls.ts";
import { drandRound } from "./drand.ts";
import { formToTree } from "./form.ts";
import { IndexPage, PaymentPage, UnknownPage } from "./pages.tsx";
import type { PayAnswer } from "./pay.ts";
import type { Books } from "./port.ts";
import { STYLE } from "./style.ts";
import { TURNSTILE_SCRIPT } from "./turnstile.ts";
import { API_VERSION } from "./wire.ts";

export interface SandboxPorts {
  readonly books: Books;
  /** False anywhere but on a developer's machine: then there is nothing here. */
  readonly isLocal: boolean;
  /** Whether webhooks can be signed. */
  readonly isSigning: boolean;
  readonly hashing: Hashing;
  readonly now: Clock;
}

const paySchema = v.strictObject({
  outcome: v.picklist(["approve", "decline", "abandon"]),
  card: v.optional(v.pipe(v.string(), v.check((card) => cardFromText(card) !== null, "No such test card."))),
});

/** Every route of the sandbox. */
export function createSandboxApp(ports: SandboxPorts): Hono {
  const { books } = ports;
  const app = new Hono();
  const styleHash = btoa(String.fromCharCode(...bytesFromHex(ports.hashing.sha256(STYLE))));

  app.use("*", async (c, next) => {
    if (!ports.isLocal) return problemAnswer(c, { code: "not_found" });
    if (isFromAnotherSite(c)) return problemAnswer(c, { code: "origin_refused" });
    if (Number(c.req.header("content-length") ?? 0) > BODY_BYTES_MAX) return problemAnswer(c, { code: "too_large" });
    return next();
  });

  otherHouses(app, ports);
  for (const base of ["/v1/", "/sandbox/v1/"]) app.all(`${base}*`, (c) => answerApi(c, books, base));

  /** A page without script. `leadsTo` are where its form may lead: browsers hold redirects to `form-action` too. */
  const html = (c: Context, page: unknown, status: 200 | 404 | 410, leadsTo: readonly string[] = []): Response => {
    const origins = [...new Set(leadsTo.map((url) => new URL(url).origin))].join(" ");
    return new Response(String(page), {
      status,
      headers: {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; form-action 'self' ${origins}; base-uri 'none'; frame-ancestors 'none'`,
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
      },
    });
  };

  app.get("/", (c) => c.redirect("/sandbox", 303));
  app.get("/sandbox", async (c) => {
    return html(c, <IndexPage webhooks={await books.deliveries()} isSigning={ports.isSigning} />, 200);
  });

  app.get("/sandbox/pay/:session", async (c) => {
    const page = await books.page(c.req.param("session"));
    if (page === null) return html(c, <UnknownPage />, 404);
    return html(c, <PaymentPage page={page} />, page.status === "expired" ? 410 : 200, [page.successUrl, page.wayBack]);
  });

  app.post("/sandbox/pay/:session", async (c) => {
    const session = c.req.param("session");
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(c.req.header("content-type") ?? "");
    if (!isForm) {
      const read = await readJson(c, paySchema);
      if (!read.ok) return read.response;
      const answer = await books.pay(session, read.value.outcome, read.value.card ?? null);
      return answer === null ? problemAnswer(c, { code: "not_found" }) : payJson(c, answer);
    }
    const form = v.safeParse(paySchema, { ...formToTree(await formText(c.req)) });
    if (!form.success) return problemAnswer(c, { code: "invalid_request" });
    const answer = await books.pay(session, form.output.outcome, form.output.card ?? null);
    if (answer === null) return html(c, <UnknownPage />, 404);
    // What went wrong is said on the payment page itself, where it stays readable after a reload.
    const isDone = answer.status === "approved" || answer.status === "processing" || answer.status === "abandoned";
    return c.redirect(isDone ? answer.redirect : `/sandbox/pay/${session}`, 303);
  });

  app.route("/sandbox", createControls(books));
  app.notFound((c) => problemAnswer(c, { code: "not_found" }));
  app.onError((_error, c) => problemAnswer(c, { code: "internal_error" }));
  return app;
}

/** What other houses than the payment provider answer: the mail provider, Turnstile with its widget, and a beacon. */
function otherHouses(app: Hono, ports: SandboxPorts): void {
  const { books } = ports;
  app.get("/sandbox/drand/:chain/public/:round", (c) => {
    const round = drandRound(c.req.param("chain"), c.req.param("round"), ports.now(), ports.hashing);
    return round === null ? problemAnswer(c, { code: "not_found" }) : c.json(round);
  });
  app.post("/emails", (c) => answerMail(c, books));
  app.get("/turnstile/v0/api.js", (c) => c.body(TURNSTILE_SCRIPT, 200, { "content-type": "text/javascript; charset=utf-8", "cache-control": "no-store" }));
  app.post("/turnstile/v0/siteverify", async (c) => {
    const { status, type, body } = await books.siteverify((await formText(c.req)).slice(0, BODY_BYTES_MAX));
    return new Response(body, { status, headers: { "content-type": type, "cache-control": "no-store" } });
  });
}

function payJson(c: Context, { status, redirect, message }: PayAnswer): Response {
  return c.json({ status, redirect, ...(message === null ? {} : { message }) }, status === "complete" || status === "expired" ? 409 : 200);
}

/** A browser says where a request that changes something comes from; other clients say nothing. */
function isFromAnotherSite(c: Context): boolean {
  const origin = c.req.header("origin");
  if (origin === undefined || c.req.method === "GET" || c.req.method === "HEAD") return false;
  return origin !== new URL(c.req.url).origin;
}

/** One request of the Stripe-shaped API: `base` is what comes before the resource. */
async function answerApi(c: Context, books: Books, base: string): Promise<Response> {
  const url = new URL(c.req.url);
  const { method } = c.req;
  const form = method === "POST" ? await formText(c.req) : url.search.slice(1);
  if (form.length > BODY_BYTES_MAX) return problemAnswer(c, { code: "too_large" });
  const idempotencyKey = c.req.header("idempotency-key") ?? null;
  const reply = await books.call({ method, path: url.pathname.slice(base.length), form, idempotencyKey, authorization: c.req.header("authorization") ?? null });
  const headers = new Headers({ "content-type": "application/json", "cache-control": "no-store", "request-id": reply.requestId, "stripe-version": c.req.header("stripe-version") ?? API_VERSION });
  if (idempotencyKey !== null) headers.set("idempotency-key", idempotencyKey);
  if (reply.isReplay) headers.set("idempotent-replayed", "true");
  // The failure is kept for the key: asking again with it cannot help.
  if (reply.status === 500 && idempotencyKey !== null) headers.set("stripe-should-retry", "false");
  return new Response(reply.body, { status: reply.status, headers });
}

/** One request of the mail API. */
async function answerMail(c: Context, books: Books): Promise<Response> {
  const body = await formText(c.req);
  if (body.length > BODY_BYTES_MAX) return problemAnswer(c, { code: "too_large" });
  const { status, body: answer } = await books.sendMail({
    body, idempotencyKey: c.req.header("idempotency-key") ?? null, authorization: c.req.header("authorization") ?? null, userAgent: c.req.header("user-agent") ?? null,
  });
  return new Response(answer, { status, headers: { "content-type": "application/json", "cache-control": "no-store" } });
}

/** A form as text. The runtime's own `text()` warns of every form, because its type does not begin with `text/`. */
async function formText(request: { arrayBuffer(): Promise<ArrayBuffer> }): Promise<string> {
  return new TextDecoder().decode(await request.arrayBuffer());
}
