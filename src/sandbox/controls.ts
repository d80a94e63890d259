import { Hono, type Context } from "hono";
import * as v from "valibot";
import { problemDocument, type Problem } from "../kernel/problem.ts";
import { instantToWire } from "../kernel/time.ts";
import { behaviourSchema } from "./behaviour.ts";
import type { Books, DisputeAnswer } from "./port.ts";

/* The sandbox's own controls: what a test or a person tells it. JSON, parsed strictly. */

export const BODY_BYTES_MAX = 1_000_000;

export function problemAnswer(c: Context, problem: Problem): Response {
  const document = problemDocument(problem, new URL(c.req.url).pathname);
  return new Response(JSON.stringify(document), { status: Number(document["status"]), headers: { "content-type": "application/problem+json", "cache-control": "no-store" } });
}

/** The body as `schema` wants it, or the refusal that says what is wrong where. */
export async function readJson<Schema extends v.GenericSchema<unknown, unknown>>(
  c: Context, schema: Schema,
): Promise<{ readonly ok: true; readonly value: v.InferOutput<Schema> } | { readonly ok: false; readonly response: Response }> {
  const refuse = (problem: Problem) => ({ ok: false, response: problemAnswer(c, problem) }) as const;
  if (!/^application\/json\b/i.test(c.req.header("content-type") ?? "")) return refuse({ code: "unsupported_media_type" });
  const text = await c.req.text();
  if (text.length > BODY_BYTES_MAX) return refuse({ code: "too_large" });
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return refuse({ code: "malformed_request" });
  }
  const parsed = v.safeParse(schema, body);
  if (parsed.success) return { ok: true, value: parsed.output };
  const errors = parsed.issues.map((issue) => ({ pointer: (issue.path ?? []).map((item) => `/${String(item.key)}`).join(""), detail: issue.message }));
  return refuse({ code: "invalid_request", errors });
}

const disputeSchema = v.strictObject({
  payment_intent: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  reason: v.optional(v.picklist(["fraudulent", "product_not_received", "product_unacceptable", "duplicate", "credit_not_processed", "general"]), "general"),
  amount: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1)), undefined),
});

const outcomeSchema = v.strictObject({ outcome: v.picklist(["won", "lost"]) });

function disputeResponse(c: Context, answer: DisputeAnswer, status: 200 | 201): Response {
  if (answer.ok) return c.json(answer.dispute, status);
  return problemAnswer(c, answer.isMissing ? { code: "not_found" } : { code: "control_not_possible", facts: { reason: answer.message } });
}

export function createControls(books: Books): Hono {
  const app = new Hono();

  app.get("/behaviour", async (c) => c.json(await books.behaviour()));
  app.put("/behaviour", async (c) => {
    const read = await readJson(c, behaviourSchema);
    return read.ok ? c.json(await books.setBehaviour(read.value)) : read.response;
  });

  app.get("/webhooks", async (c) => c.json(await books.deliveries()));
  app.post("/webhooks/release", async (c) => c.json({ released: await books.releaseWebhooks() }));

  app.get("/books", async (c) => c.json(await books.report()));

  app.post("/disputes", async (c) => {
    const read = await readJson(c, disputeSchema);
    if (!read.ok) return read.response;
    return disputeResponse(c, await books.openDispute({ intent: read.value.payment_intent, reason: read.value.reason, amountMinor: read.value.amount ?? null }), 201);
  });
  app.post("/disputes/:id/close", async (c) => {
    const read = await readJson(c, outcomeSchema);
    return read.ok ? disputeResponse(c, await books.closeDispute(c.req.param("id"), read.value.outcome), 200) : read.response;
  });

  app.get("/mail", async (c) => {
    const messages = await books.mail(c.req.query("to") ?? null);
    return c.json({ messages: messages.map((mail) => ({ ...mail, at: instantToWire(mail.at) })) });
  });
  app.post("/mail/release", async (c) => c.json({ released: await books.releaseMail() }));

  return app;
}
