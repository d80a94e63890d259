import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { DropAnswer, DropsAnswer } from "../../../../schema/wire/drop.ts";
import { LiveAnswer } from "../../../../schema/wire/live.ts";
import { nodeHashing } from "../../../../src/kernel/node-hashing.ts";
import { PROBLEMS } from "../../../../src/kernel/problem.ts";
import { Fault } from "../../../../src/kernel/result.ts";
import { joseCredentials } from "../../../../src/storefront/jose-credentials.ts";
import { storefrontSecrets } from "../../../../src/storefront/secrets.ts";
import { client, expectProblem, newShopper } from "../../../support/storefront-client.ts";
import { credentials, liveAt, OPENS_AT, ORIGIN, testId, world } from "../../../support/storefront-doubles.ts";

const HOLD = `/api/drops/moth-tee/holds/${testId("hld", "A")}`;

describe("what anyone may read", () => {
  it("health, the drops, one drop and its live state have the shapes of the wire", async () => {
    const send = client(world());
    expect(await (await send("GET", "/healthz")).json()).toEqual({ status: "ok", version: "0.0.0-test" });
    const drops = v.parse(DropsAnswer, await (await send("GET", "/api/drops")).json());
    expect(drops.drops.map((drop) => drop.drop)).toEqual(["moth-tee"]);
    const drop = v.parse(DropAnswer, await (await send("GET", "/api/drops/moth-tee")).json());
    expect(drop.stages).toEqual([
      { stage: 1, opensAt: "2026-12-04T18:00:00.000Z", units: 6 },
      { stage: 2, opensAt: "2026-12-04T18:30:00.000Z", units: 9 },
    ]);
    const live = v.parse(LiveAnswer, await (await send("GET", "/api/drops/moth-tee/live")).json());
    expect(live.now).toBe("2026-12-04T18:00:10.000Z");
    expect(live.dpopNonce).toBe(credentials.dpopNonce(OPENS_AT + 10_000));
  });

  it("the type of every refusal leads to the catalogue", async () => {
    const send = client(world());
    const { type } = await expectProblem(await send("GET", "/api/nothing"), "not_found");
    const catalogue = await (await send("GET", new URL(String(type), ORIGIN).pathname)).json<{ problems: { code: string; status: number }[] }>();
    expect(catalogue.problems.map(({ code, status }) => [code, status])).toEqual(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status]));
  });

  it("nothing of a drop can be seen before it is announced", async () => {
    const before = world();
    before.now = liveAt(0).plan.announceAt - 1;
    const send = client(before);
    expect(await (await send("GET", "/api/drops")).json()).toEqual({ drops: [] });
    for (const path of ["", "/live", "/socket", "/record", "/entries?shard=0", `/tickets/${testId("tkt", "A")}`, `/tickets/${testId("tkt", "A")}/proof`, `/holds/${testId("hld", "A")}`]) {
      await expectProblem(await send("GET", `/api/drops/moth-tee${path}`), "not_found");
    }
    for (const [method, path] of [["PUT", `/tickets/${testId("tkt", "A")}`], ["POST", "/passes"], ["POST", "/challenges"], ["PUT", `/holds/${testId("hld", "A")}`]] as const) {
      await expectProblem(await send(method, `/api/drops/moth-tee${path}`, { body: {} }), "not_found");
    }
  });

  it("a drop that is not in the config is not found, and no object is asked for it", async () => {
    const nobody = world({ ports: { plan: () => Promise.reject(new Error("asked")), live: () => Promise.reject(new Error("asked")) } });
    for (const slug of ["unknown", "__proto__", "constructor", "%2e%2e", "MOTH-TEE", "moth-tee%00", "'; drop table orders; --"]) {
      await expectProblem(await client(nobody)("GET", `/api/drops/${encodeURIComponent(slug)}`), "not_found");
    }
  });

  it("no request makes an object that the config and the plan do not name", async () => {
    const named: string[] = [];
    const note = (name: string) => { named.push(name); return Promise.reject(new Error("asked")); };
    const objects = world({ ports: {
      drop: (slug) => new Proxy(world().ports.drop(slug), { get: () => () => note(slug) }),
      lobby: (slug, shard) => new Proxy(world().ports.lobby(slug, shard), { get: () => () => note(`${slug}/${shard}`) }),
      live: async (slug) => (slug === "moth-tee" ? liveAt(objects.now) : note(slug)),
      plan: async (slug) => (slug === "moth-tee" ? liveAt(objects.now) : note(slug)),
      socket: async (slug) => note(slug),
    } });
    const send = client(objects);
    const shopper = await newShopper();
    const stranger = await newShopper({ drop: "unknown" });
    for (const slug of ["unknown", "moth-tee%2F1", "moth-tee/1", "MOTH-TEE"]) {
      for (const path of ["", "/live", "/record", "/entries?shard=0", `/tickets/${testId("tkt", "A")}`, `/tickets/${testId("tkt", "A")}/proof`, `/holds/${testId("hld", "A")}`]) await send("GET", `/api/drops/${slug}${path}`);
      await send("GET", `/api/drops/${slug}/socket`, { headers: { upgrade: "websocket" } });
      for (const path of [`/${slug}`, `/berlin/${slug}`, `/drops/${slug}/plan`, `/drops/${slug}/record`]) await send("GET", path, { headers: { accept: "text/html" } });
      await send("POST", `/api/drops/${slug}/challenges`, { body: {} });
      await send("PUT", `/api/drops/${slug}/tickets/${testId("tkt", "A")}`, { body: { jwk: shopper.jwk, wants: [{ sku: "MOTH-S", quantity: 1 }] } });
      await send("POST", `/api/drops/${slug}/passes`, { body: {}, headers: await shopper.bound(shopper.ticket, "POST", `/api/drops/${slug}/passes`) });
    }
    for (const shard of ["4", "5", "-1", "1e3", "0x1", "00004", "9007199254740993"]) await send("GET", `/api/drops/moth-tee/entries?shard=${shard}`);
    // A pass that we signed for a drop which the config no longer has.
    const order = `/api/orders/${testId("ord", "A")}`;
    await send("PUT", order, { headers: await stranger.bound(stranger.pass, "PUT", order), body: { drop: "unknown", hold: testId("hld", "A"), email: "ana@example.org", delivery: { method: "pickup", point: "kiosk-k" } } });
    await send("GET", order, { headers: await stranger.bound(stranger.pass, "GET", order) });
    expect(named).toEqual([]);
    await send("GET", "/api/drops/moth-tee/entries?shard=3");
    expect(named).toEqual(["moth-tee/3"]);
  });

  it("the OpenAPI document names every shape that it refers to, and every address in it exists", async () => {
    const send = client(world());
    const document = await (await send("GET", "/openapi.json")).json<{ openapi: string; paths: Record<string, Record<string, unknown>>; components: { schemas: Record<string, unknown> } }>();
    expect(document.openapi).toBe("3.1.0");
    for (const [, name] of JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)) expect(Object.keys(document.components.schemas)).toContain(name);
    for (const [path, operations] of Object.entries(document.paths)) {
      const methods = Object.keys(operations).filter((name) => name !== "parameters").map((name) => name.toUpperCase());
      const response = await send("PATCH", path.replaceAll(/\{\w+\}/g, "x"));
      expect(response.headers.get("allow")?.split(", ").filter((method) => method !== "HEAD"), path).toEqual(methods);
    }
  });
});

describe("methods and addresses", () => {
  it("a method that an address does not have is refused with those that it has", async () => {
    const send = client(world());
    for (const [method, path, allow] of [
      ["POST", "/api/drops", "GET, HEAD"], ["PATCH", HOLD, "PUT, GET, HEAD, DELETE"], ["GET", "/api/drops/moth-tee/passes", "POST"],
      ["OPTIONS", "/api/drops/moth-tee/live", "GET, HEAD"], ["DELETE", "/healthz", "GET, HEAD"], ["GET", "/webhooks/stripe", "POST"], ["POST", "/berlin/moth-tee", "GET, HEAD"],
    ] as const) {
      const response = await send(method, path);
      await expectProblem(response, "method_not_allowed");
      expect(response.headers.get("allow")).toBe(allow);
    }
  });

  it("HEAD answers like GET without a body", async () => {
    const response = await client(world())("HEAD", "/api/drops/moth-tee");
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });

  it("an address that is not there is a problem document under /api and a page for a person elsewhere", async () => {
    const send = client(world());
    await expectProblem(await send("GET", "/api/nothing"), "not_found");
    await expectProblem(await send("GET", "/a/b/c"), "not_found");
    const page = await send("GET", "/a/b/c", { headers: { accept: "text/html" } });
    expect([page.status, page.headers.get("content-type")]).toEqual([404, "text/html; charset=UTF-8"]);
  });

  it("an address of 10,000 characters is too large", async () => {
    await expectProblem(await client(world())("GET", `/q/${"a".repeat(10_000)}`), "too_large");
  });
});

describe("requests from other sites", () => {
  const foreign: Record<string, string>[] = [{ origin: "https://evil.example" }, { origin: "null" }, { origin: "http://nightjar.example" }, { "sec-fetch-site": "cross-site" }];

  it("nothing is changed for them, by any method on any address", async () => {
    const send = client(world());
    for (const headers of foreign) {
      for (const [method, path] of [["PUT", HOLD], ["DELETE", HOLD], ["POST", "/api/drops/moth-tee/passes"], ["PUT", `/api/orders/${testId("ord", "A")}`], ["POST", "/desk/api/drops/moth-tee/pause"]] as const) {
        await expectProblem(await send(method, path, { body: {}, headers }), "origin_refused");
      }
    }
  });

  it("no socket is opened for them, and one is for the store's own pages and for programs", async () => {
    const opened = world({ ports: { socket: async () => new Response("a socket") } });
    const send = client(opened);
    const upgrade = { upgrade: "websocket" };
    for (const headers of foreign) await expectProblem(await send("GET", "/api/drops/moth-tee/socket", { headers: { ...upgrade, ...headers } }), "origin_refused");
    for (const headers of [{}, { origin: ORIGIN }]) expect(await (await send("GET", "/api/drops/moth-tee/socket", { headers: { ...upgrade, ...headers } })).text()).toBe("a socket");
    await expectProblem(await send("GET", "/api/drops/moth-tee/socket"), "malformed_request");
  });

  it("the store's own pages and programs without an Origin get as far as their credential", async () => {
    const send = client(world());
    for (const headers of [{}, { origin: ORIGIN }, { origin: ORIGIN, "sec-fetch-site": "same-origin" }]) await expectProblem(await send("PUT", HOLD, { body: {}, headers }), "credential_missing");
  });
});

describe("headers", () => {
  it("every answer, refusals too, may not be framed, sniffed or run anything", async () => {
    const send = client(world());
    for (const path of ["/healthz", "/api/drops/moth-tee/live", "/api/nothing", "/openapi.json"]) {
      const { headers } = await send("GET", path);
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("same-origin");
      expect(headers.get("strict-transport-security")).toContain("max-age=");
    }
    const page = await send("GET", "/berlin/moth-tee");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toContain("require-trusted-types-for 'script'");
    expect(page.headers.get("content-security-policy")).not.toContain("unsafe-inline");
  });

  it("HSTS is left out on a laptop", async () => {
    const { headers } = await client(world({ ports: { isLocal: true } }))("GET", "/healthz");
    expect(headers.get("strict-transport-security")).toBeNull();
  });
});

describe("what is handed on", () => {
  it("a webhook arrives at settlement byte for byte with its signature, whatever its Origin", async () => {
    const seen: unknown[] = [];
    const forward = async (to: string, request: Request) => {
      seen.push([to, new URL(request.url).pathname, request.headers.get("stripe-signature"), await request.text()]);
      return new Response("{}");
    };
    const text = '{ "a" : 1,\n "a" : 2, "\\u0061": 3 }';
    const response = await client(world({ ports: { forward } }))("POST", "/webhooks/stripe", { text, headers: { "stripe-signature": "t=1,v1=2", origin: "https://provider.example" } });
    expect([response.status, seen]).toEqual([200, [["settlement", "/webhooks/stripe", "t=1,v1=2", text]]]);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("a webhook over 1 MB and a desk command over 64 KB are too large, also when their length is not declared", async () => {
    const send = client(world());
    await expectProblem(await send("POST", "/webhooks/stripe", { text: "x".repeat(1024 * 1024 + 1) }), "too_large");
    await expectProblem(await send("POST", "/desk/api/drops/moth-tee/pause", { text: "x".repeat(64 * 1024 + 1) }), "too_large");
  });

  it("everything under /desk goes to the desk, whose own headers stay", async () => {
    const forward = async (to: string, request: Request) => new Response(`${to} ${request.method} ${await request.text()}`, { headers: { "content-security-policy": "sandbox" } });
    const send = client(world({ ports: { forward } }));
    for (const [method, path, text] of [["GET", "/desk", ""], ["GET", "/desk/api/orders?drop=moth-tee", ""], ["POST", "/desk/api/drops/moth-tee/pause", "{}"]] as const) {
      const response = await send(method, path, text === "" ? {} : { text });
      expect(await response.text()).toBe(`desk ${method} ${text}`);
      expect(response.headers.get("content-security-policy")).toBe("sandbox");
    }
  });
});

describe("when something fails", () => {
  it("a fault is 503 with Retry-After, an unexpected error 500, and neither tells what was caught", async () => {
    const overloaded = Object.assign(new Error("secret detail"), { overloaded: true });
    const crossed = Object.assign(new Error("secret detail"), { name: "Fault" });
    for (const [error, code, retryAfter] of [
      [new Fault("secret detail", { retryable: true }), "temporarily_unavailable", "1"], [overloaded, "temporarily_unavailable", "5"],
      [crossed, "temporarily_unavailable", "1"], [new TypeError("secret detail"), "internal_error", null],
    ] as const) {
      const broken = world({ ports: { live: () => Promise.reject(error) } });
      const response = await client(broken)("GET", "/api/drops/moth-tee/live");
      expect(JSON.stringify(await expectProblem(response, code))).not.toContain("secret detail");
      expect(response.headers.get("retry-after")).toBe(retryAfter);
      expect(broken.logged).toMatchObject([{ code, route: "/api/drops/:drop/live" }]);
    }
  });

  it("a store without its secrets refuses what needs them and still shows what it sells", async () => {
    const without = world({ ports: { credentials: joseCredentials(storefrontSecrets({}), nodeHashing) } });
    const send = client(without);
    expect((await send("GET", "/api/drops/moth-tee")).status).toBe(200);
    const headers = { authorization: "DPoP a.b.c", dpop: "a.b.c" };
    for (const [method, path] of [["GET", HOLD], ["PUT", HOLD], ["POST", "/api/drops/moth-tee/passes"], ["PUT", `/api/orders/${testId("ord", "A")}`]] as const) {
      await expectProblem(await send(method, path, { headers, ...(method === "GET" ? {} : { body: {} }) }), "temporarily_unavailable");
    }
    await expectProblem(await send("GET", `/api/orders/${testId("ord", "A")}`, { headers: { authorization: "Bearer a.b.c" } }), "temporarily_unavailable");
    await expectProblem(await send("GET", "/api/drops/moth-tee/live"), "temporarily_unavailable");
  });

  it("a credential is never logged", async () => {
    const broken = world({ ports: { plan: () => Promise.reject(new TypeError("oops")) } });
    await client(broken)("PUT", HOLD, { body: { secret: "in the body" }, headers: { authorization: "DPoP the-pass", dpop: "the-proof" } });
    expect(broken.logged).toHaveLength(1);
    expect(JSON.stringify(broken.logged)).not.toMatch(/the-pass|the-proof|in the body/);
  });
});
