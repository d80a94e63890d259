import { expect } from "vitest";
import { PROBLEMS, type ProblemCode } from "../../src/kernel/problem.ts";
import { storefrontApp } from "../../src/storefront/app.ts";
import { browserKeyThumbprint } from "../../src/storefront/browser-key.ts";
import { type Browser, credentials, ENTRY, JOINED_AT, newBrowser, OPENS_AT, ORIGIN, plan, PLAN_HASH, TICKET, type World } from "./storefront-doubles.ts";

/** A request of a client against the app, as it would come over the network. */
export type Send = (method: string, path: string, options?: { readonly body?: unknown; readonly text?: string; readonly headers?: Record<string, string> }) => Promise<Response>;

export function client(world: World): Send {
  const app = storefrontApp(world.ports);
  return async (method, path, { body, text, headers = {} } = {}) => {
    const sent = text ?? (body === undefined ? null : JSON.stringify(body));
    const type: Record<string, string> = sent === null ? {} : { "content-type": "application/json" };
    return app.fetch(new Request(ORIGIN + path, { method, ...(sent === null ? {} : { body: sent }), headers: { ...type, ...headers } }));
  };
}

/** Asserts that an answer is this refusal, as a complete problem document, and gives the document. */
export async function expectProblem(response: Response, code: ProblemCode): Promise<Record<string, unknown>> {
  const document: Record<string, unknown> = await response.json();
  expect(document).toMatchObject({ code, status: PROBLEMS[code].status, title: PROBLEMS[code].title, type: `/problems#${code}` });
  expect(response.status).toBe(PROBLEMS[code].status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
  return document;
}

export interface Shopper extends Browser {
  readonly ticket: string;
  readonly pass: string;
  /** The headers that prove a ticket or a pass for one request. */
  bound(token: string, method: string, path: string): Promise<Record<string, string>>;
}

/** Somebody with a ticket and a pass of the drop. */
export async function newShopper(overrides: { readonly drop?: string; readonly entry?: string } = {}): Promise<Shopper> {
  const browser = await newBrowser();
  const { x, y } = browser.jwk;
  const keyThumbprint = browserKeyThumbprint({ kty: "EC", crv: "P-256", x: String(x), y: String(y) }) ?? "";
  const { drop = "moth-tee", entry = ENTRY } = overrides;
  const claims = { ticket: TICKET, drop, entry, lane: "open", weight: 1, joinedAt: JOINED_AT, wants: [{ sku: "MOTH-S", quantity: 1 }], keyThumbprint, person: null, planHash: PLAN_HASH, commitment: plan.commitment };
  return {
    ...browser,
    ticket: await credentials.mintTicket(claims, OPENS_AT + 86_400_000),
    pass: await credentials.mintPass({ drop, sitting: "pas_sitting", entry, keyThumbprint }, OPENS_AT, OPENS_AT + 3_600_000),
    bound: async (token, method, path) => ({ authorization: `DPoP ${token}`, dpop: await browser.proof(token, method, ORIGIN + path) }),
  };
}
