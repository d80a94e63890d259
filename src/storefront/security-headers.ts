/*
 * What every answer carries. A page may run only the store's own scripts and
 * styles, and no string ever becomes a script; an API answer may do nothing.
 */

const EVERYWHERE: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "x-frame-options": "DENY",
  "cross-origin-resource-policy": "same-origin",
};

/** What only a document has a use for: windows that it opens, and devices. Data that may run nothing has neither. */
const ON_DOCUMENTS: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
};

const DATA = /^application\/(?:problem\+)?json\b/;

const API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface PageAllowances {
  /** CSP source expressions for style beside the store's own sheets, such as `'sha256-…'` of an inline sheet. */
  readonly styles?: readonly string[];
  /** The same for scripts. */
  readonly scripts?: readonly string[];
  /** Origins whose documents may be framed; none by default. */
  readonly frames?: readonly string[];
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
    // Named, because it would else be whatever scripts may come from.
    "worker-src 'self'",
    ...(allowances.frames === undefined ? [] : [["frame-src", ...allowances.frames].join(" ")]),
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
 * What an answer of data carries from the start. To look for each of these and
 * set it afterwards costs the shopper's request five times as much.
 */
export const DATA_HEADERS: Readonly<Record<string, string>> = { ...EVERYWHERE, "content-security-policy": API_POLICY };

/**
 * Completes an answer's headers; what it says for itself stays. HSTS is left
 * out on a laptop, where it would lock every other project on localhost out.
 */
export function setSecurityHeaders(headers: Headers, isLocal: boolean): void {
  // The very policy of the data headers came together with all of them.
  if (headers.get("content-security-policy") !== API_POLICY) {
    complete(headers, EVERYWHERE);
    if (!DATA.test(headers.get("content-type") ?? "")) complete(headers, ON_DOCUMENTS);
    if (!headers.has("content-security-policy")) headers.set("content-security-policy", API_POLICY);
  }
  if (!isLocal) headers.set("strict-transport-security", "max-age=63072000; includeSubDomains");
}

function complete(headers: Headers, standard: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(standard)) if (!headers.has(name)) headers.set(name, value);
}

/** The complete headers of answers that are many and alike, made once. */
export function sealedHeaders(own: Readonly<Record<string, string>>, isLocal: boolean): Headers {
  const headers = new Headers(own);
  setSecurityHeaders(headers, isLocal);
  return headers;
}
