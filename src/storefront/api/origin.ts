import type { Problem } from "../../kernel/problem.ts";

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
