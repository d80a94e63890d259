import type { Context } from "hono";
import * as v from "valibot";
import type { Hashing } from "../kernel/hashing.ts";
import { PROBLEMS, problemDocument, type FieldError, type Problem } from "../kernel/problem.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";

/** No command of the desk comes near this; whatever is larger is not read to its end. */
const BODY_BYTES_MAX = 64 * 1024;
/** A key that could be tried out is treated like none. */
const DESK_KEY_LENGTH_MIN = 16;

/** What every answer of the desk carries: nothing of it may be cached, framed, sniffed or read by another site. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

export function setSecurityHeaders(headers: Headers): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) headers.set(name, value);
}

/** A refusal as an RFC 9457 document. */
export function refusal(problem: Problem, request: Request, headers: Readonly<Record<string, string>> = {}): Response {
  const document = problemDocument(problem, new URL(request.url).pathname);
  const retry: Record<string, string> = problem.retryAfterSeconds === undefined ? {} : { "retry-after": String(problem.retryAfterSeconds) };
  const response = new Response(JSON.stringify(document), {
    status: PROBLEMS[problem.code].status,
    headers: { "content-type": "application/problem+json", ...retry, ...headers },
  });
  setSecurityHeaders(response.headers);
  return response;
}

/**
 * Whether whoever asks holds the desk's key; null means yes.
 *
 * Compared by hash, so that neither the place of the first wrong character nor
 * the key's length can be measured. Where the secret is missing nobody comes
 * in: a desk without a lock stays shut.
 */
export function refuseStranger(authorization: string | null, deskKey: string | null, hashing: Hashing): Problem | null {
  if (deskKey === null || deskKey.length < DESK_KEY_LENGTH_MIN) return { code: "temporarily_unavailable", retryAfterSeconds: 60 };
  if (authorization === null) return { code: "credential_missing" };
  const token = /^Bearer ([!-~]{1,512})$/i.exec(authorization)?.[1];
  if (token === undefined) return { code: "credential_invalid" };
  return areEqual(hashing.sha256(token), hashing.sha256(deskKey)) ? null : { code: "credential_invalid" };
}

/** Looks at every character whatever the first difference is. */
function areEqual(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}

/**
 * Refuses what another site's page sends through a signed-in person's browser.
 * Programs send no `Origin` and are let through: they hold the key themselves.
 */
export function refuseForeignOrigin(request: Request): Problem | null {
  if (request.method === "GET" || request.method === "HEAD") return null;
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  const isForeign = (origin !== null && origin !== new URL(request.url).origin) || (site !== null && site !== "same-origin" && site !== "none");
  return isForeign ? { code: "origin_refused" } : null;
}

/** A request's JSON body in the shape that the route asks for, or why it is not. */
export async function parsedBody<Schema extends v.GenericSchema>(context: Context, schema: Schema): Promise<Result<v.InferOutput<Schema>, Problem>> {
  const request = context.req.raw;
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return rejected({ code: "unsupported_media_type" });
  const bytes = await boundedBytes(request);
  if (bytes === null) return rejected({ code: "too_large" });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return rejected({ code: "malformed_request" });
  }
  return parsed(schema, value);
}

/** A value in the shape that is asked for; every mistake is named with its place. */
export function parsed<Schema extends v.GenericSchema>(schema: Schema, value: unknown): Result<v.InferOutput<Schema>, Problem> {
  const outcome = v.safeParse(schema, value);
  if (outcome.success) return accepted(outcome.output);
  return rejected({ code: "invalid_request", errors: outcome.issues.map(fieldError) });
}

function fieldError(mistake: v.BaseIssue<unknown>): FieldError {
  const path = mistake.path ?? [];
  const pointer = path.map((step) => `/${String(step.key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return { pointer, detail: mistake.message.slice(0, 200) };
}

/** The body's bytes, or null as soon as there are too many: the declared length may lie. */
async function boundedBytes(request: Request): Promise<Uint8Array | null> {
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX) return null;
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > BODY_BYTES_MAX) {
      await reader.cancel();
      return null;
    }
    parts.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}
