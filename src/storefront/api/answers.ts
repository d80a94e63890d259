import type { Context } from "hono";
import { PROBLEMS, problemDocument, type Problem } from "../../kernel/problem.ts";
import { DATA_HEADERS } from "../security-headers.ts";

/** A refusal as an RFC 9457 document; it is never kept by any cache. */
export function refusal(problem: Problem, context: Context, headers: Readonly<Record<string, string>> = {}): Response {
  return refusalAt(problem, context.req.url, headers);
}

/** The same where there is no route yet: `url` is what was asked for. */
export function refusalAt(problem: Problem, url: string, headers: Readonly<Record<string, string>> = {}): Response {
  const document = problemDocument(problem, new URL(url).pathname);
  const retry: Record<string, string> = problem.retryAfterSeconds === undefined ? {} : { "retry-after": String(problem.retryAfterSeconds) };
  return new Response(JSON.stringify(document), {
    status: PROBLEMS[problem.code].status,
    headers: { ...DATA_HEADERS, "content-type": "application/problem+json", "cache-control": "no-store", ...challenge(problem), ...retry, ...headers },
  });
}

/** RFC 9110 asks every 401 to name the scheme that would do; RFC 9449 names the errors. */
function challenge(problem: Problem): Readonly<Record<string, string>> {
  switch (problem.code) {
    case "use_dpop_nonce":
      return { "www-authenticate": 'DPoP algs="ES256", error="use_dpop_nonce"' };
    case "credential_invalid":
      return { "www-authenticate": 'DPoP algs="ES256", error="invalid_token"' };
    case "credential_missing":
      return { "www-authenticate": 'DPoP algs="ES256"' };
    default:
      return {};
  }
}

/**
 * An answer in JSON, private to whoever asked unless `headers` say otherwise.
 * The body is typed by the wire shape that it claims to have.
 */
export function answer<Body extends object>(body: Body, status: 200 | 201 | 202 = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...DATA_HEADERS, "content-type": "application/json", "cache-control": "no-store", ...headers } });
}
