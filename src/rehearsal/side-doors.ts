import * as v from "valibot";

/*
 * Every door of a store that somebody without an admission could try: each
 * route of its OpenAPI document and each link and form of its pages, with
 * methods, credentials, headers and bodies that no page of ours sends there.
 * Whether one of them opened is not judged by the answers alone, but by the
 * public record: a hold that stands there without an admission came in by a
 * side door.
 */

/** A request to be tried. */
export interface Door {
  readonly method: string;
  /** Path and query, below the store's origin. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it is; null for none. */
  readonly body: string | null;
  /** Which token it carries, and whether with a proof of the own key. */
  readonly credential: Credential;
}

export interface Credential {
  readonly name: string;
  readonly scheme: "none" | "bearer" | "dpop";
  readonly token: string;
}

export interface DoorTerms {
  readonly drop: string;
  readonly sku: string;
  readonly email: string;
  /** A ticket that was joined with the own key and never admitted. */
  readonly ticketId: string;
  readonly ticket: string;
  /** The public half of that key, as a join states it. */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** Makes an id that nobody has used; whoever judges the record needs those of holds. */
  freshId(prefix: "hld" | "ord"): string;
}

const OPENAPI = v.looseObject({ paths: v.record(v.string(), v.record(v.string(), v.unknown())) });
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
/** What an intermediary or a framework might take for another method, address or role. */
const STRANGE_HEADERS: readonly Readonly<Record<string, string>>[] = [
  { "x-http-method-override": "PUT" },
  { "x-original-url": "/api/drops", "x-rewrite-url": "/api/drops" },
  { "x-admitted": "true", "x-role": "staff", "x-forwarded-for": "127.0.0.1", "cf-connecting-ip": "127.0.0.1" },
  { "content-type": "text/plain" },
  { "content-type": "application/x-www-form-urlencoded" },
];

/** All doors of a store: the routes that its OpenAPI document names, and the addresses that `pages` (their HTML by path) lead to. */
export function sideDoors(openapi: unknown, pages: Readonly<Record<string, string>>, terms: DoorTerms): Door[] {
  const credentials = credentialsOf(terms);
  const [none] = credentials;
  const templates = Object.keys(v.parse(OPENAPI, openapi).paths);
  const routes = templates.map((template) => () => filledPath(template, terms));
  const addresses = Object.entries(pages).flatMap(([path, html]) => [path, ...linksOf(html)]);
  const doors: Door[] = [];
  for (const path of routes) {
    for (const method of METHODS) for (const credential of credentials) for (const body of bodiesFor(method, terms)) doors.push({ method, path: path(), headers: {}, body, credential });
  }
  for (const address of new Set(addresses)) {
    for (const method of METHODS) for (const body of bodiesFor(method, terms)) doors.push({ method, path: address, headers: {}, body, credential: none });
  }
  // Claiming with the own ticket is the front door: it may lead to an admission.
  const front = `/api/drops/${terms.drop}/passes`;
  return [...doors, ...holdDoors(terms, credentials)].filter(({ method, path, credential }) => !(method === "POST" && path === front && credential.token === terms.ticket));
}

/** The door that counts most, written in every way that might slip past a router or an intermediary. */
function holdDoors(terms: DoorTerms, credentials: readonly Credential[]): Door[] {
  const { drop } = terms;
  const spellings = [
    (id: string) => `/api/drops/${drop}/holds/${id}/`,
    (id: string) => `//api/drops/${drop}/holds/${id}`,
    (id: string) => `/api//drops/${drop}/holds/${id}`,
    (id: string) => `/API/drops/${drop}/holds/${id}`,
    (id: string) => `/api/drops/${drop.toUpperCase()}/holds/${id}`,
    (id: string) => `/api/drops/${drop}/holds/${id}?admitted=true&state=held`,
    (id: string) => `/api/drops/${drop}%2Fholds%2F${id}`,
    (id: string) => `/api/drops/${drop}/holds/${id}%00`,
    (id: string) => `/api/drops/${drop}/passes/${id}`,
    (id: string) => `/desk/api/drops/${drop}/holds/${id}`,
    (id: string) => `/webhooks/stripe/api/drops/${drop}/holds/${id}`,
    () => `/api/drops/${drop}/holds`,
    (id: string) => `/holds/${id}`,
  ];
  const body = holdBody(terms);
  const written = credentials.flatMap((credential) => spellings.flatMap((spelling) =>
    ["PUT", "POST"].map((method): Door => ({ method, path: spelling(terms.freshId("hld")), headers: {}, body, credential }))));
  const disguised = credentials.flatMap((credential) => STRANGE_HEADERS.flatMap((headers) =>
    ["PUT", "POST"].map((method): Door => ({ method, path: `/api/drops/${drop}/holds/${terms.freshId("hld")}`, headers, body, credential }))));
  return [...written, ...disguised];
}

function filledPath(template: string, terms: DoorTerms): string {
  return template.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    if (name === "drop") return terms.drop;
    if (name === "hold") return terms.freshId("hld");
    if (name === "order") return terms.freshId("ord");
    if (name === "ticket") return terms.ticketId;
    return "unknown";
  });
}

/** The first is none at all. */
function credentialsOf({ ticket }: DoorTerms): readonly [Credential, ...Credential[]] {
  const [head = "", claims = "", mac = ""] = ticket.split(".");
  const asPass = encoded({ ...claimsOf(claims), typ: "pass", aud: "pass", sitting: "pas_00000000000000000000000000" });
  return [
    { name: "none", scheme: "none", token: "" },
    { name: "the ticket in place of a pass", scheme: "dpop", token: ticket },
    { name: "the ticket as a bearer", scheme: "bearer", token: ticket },
    { name: "the ticket, said to be a pass", scheme: "dpop", token: `${head}.${asPass}.${mac}` },
    { name: "an unsigned pass", scheme: "dpop", token: `${encoded({ alg: "none" })}.${asPass}.` },
  ];
}

function bodiesFor(method: string, terms: DoorTerms): readonly (string | null)[] {
  if (method === "GET" || method === "HEAD" || method === "OPTIONS") return [null];
  const { drop, email, jwk, sku } = terms;
  const order = { drop, hold: terms.freshId("hld"), email, delivery: { method: "pickup", point: "kiosk-k" } };
  const join = { jwk, wants: [{ sku, quantity: 1 }] };
  return [null, holdBody(terms), JSON.stringify(order), JSON.stringify({ ...join, state: "admitted", pass: true })];
}

function holdBody({ sku }: DoorTerms): string {
  return JSON.stringify({ lines: [{ sku, quantity: 1 }] });
}

/** Every address of this store that a page names, in a link, a form, a script or its data. */
export function linksOf(html: string): string[] {
  const named = [...html.matchAll(/(?:href|action|src|data-[a-z-]+)="(\/[^"/][^"]*)"/g)].map(([, path]) => path ?? "");
  const inData = [...html.matchAll(/"(\/(?:api|drops|orders|q)\/[^"\\]*)"/g)].map(([, path]) => path ?? "");
  return [...new Set([...named, ...inData].map((path) => path.replaceAll("&amp;", "&").split("#")[0] ?? ""))].filter((path) => path !== "");
}

function claimsOf(part: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/")));
    return typeof claims === "object" && claims !== null ? { ...claims } : {};
  } catch {
    return {};
  }
}

function encoded(value: object): string {
  return btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
