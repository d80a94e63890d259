/*
 * What every answer carries. A page may run only the store's own scripts and
 * styles, and no string ever becomes a script; an API answer may do nothing.
 */

const EVERYWHERE: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
};

const API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface PageAllowances {
  /** CSP source expressions for style beside the store's own sheets, such as `'sha256-…'` of an inline sheet. */
  readonly styles?: readonly string[];
  /** The same for scripts. */
  readonly scripts?: readonly string[];
  /** Names of trusted-types policies that the page's own modules create; none by default. */
  readonly trustedTypes?: readonly string[];
}

/**
 * The headers of an HTML page. Data blocks (`application/ld+json`,
 * `application/json`) are not scripts and need no allowance.
 */
export function pageHeaders(allowances: PageAllowances = {}): Record<string, string> {
  const policy = [
    "default-src 'none'",
    ["script-src 'self'", ...(allowances.scripts ?? [])].join(" "),
    ["style-src 'self'", ...(allowances.styles ?? [])].join(" "),
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    ["trusted-types", ...(allowances.trustedTypes ?? ["'none'"])].join(" "),
  ];
  return { "content-security-policy": policy.join("; ") };
}

/**
 * Completes an answer's headers; what it says for itself stays. HSTS is left
 * out on a laptop, where it would lock every other project on localhost out.
 */
export function setSecurityHeaders(headers: Headers, isLocal: boolean): void {
  for (const [name, value] of Object.entries(EVERYWHERE)) if (!headers.has(name)) headers.set(name, value);
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", API_POLICY);
  if (!isLocal) headers.set("strict-transport-security", "max-age=63072000; includeSubDomains");
}
