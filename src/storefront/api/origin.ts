import type { Problem } from "../../kernel/problem.ts";

/**
 * Refuses a form that was not sent from a page of this store. Its credentials
 * are cookies, which a browser sends whoever asked it to, so that silence is no
 * innocence here: browsers name the origin of every form that they post, and
 * those that are too old for it, or made of text, name the page as referrer.
 */
export function refuseUnknownOrigin(request: Request): Problem | null {
  const named = request.headers.get("origin") ?? originOf(request.headers.get("referer"));
  const site = request.headers.get("sec-fetch-site")?.toLowerCase();
  const isOurs = named === new URL(request.url).origin && (site === undefined || site === "same-origin");
  return isOurs ? null : { code: "origin_refused" };
}

function originOf(referrer: string | null): string | null {
  return referrer !== null && URL.canParse(referrer) ? new URL(referrer).origin : null;
}

/**
 * Refuses what another site's page sends through a shopper's browser. Programs
 * send no `Origin`; they hold their credentials themselves and are let through.
 */
export function refuseForeignOrigin(request: Request): Problem | null {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site")?.toLowerCase();
  const isForeign = (origin !== null && origin !== new URL(request.url).origin) || site === "cross-site";
  return isForeign ? { code: "origin_refused" } : null;
}
