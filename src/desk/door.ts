import type { Hashing } from "../kernel/hashing.ts";
import { PROBLEMS, problemDocument, type Problem } from "../kernel/problem.ts";

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
