import { describe, expect, it } from "vitest";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { type Keeping, PageCopies, publicPagePaths } from "../../../src/storefront/page-copies.ts";
import { trueUntil } from "../../../src/storefront/pages/freshness.ts";
import { client, type Send } from "../../support/storefront-client.ts";
import { liveAt, OPENS_AT, ORIGIN, plan, store, world } from "../../support/storefront-doubles.ts";

const START = OPENS_AT + 60_000;
const PAGE = "/berlin/moth-tee";
const STATE: Keeping = { until: START + 2_000, isLasting: false };

function ask(path = PAGE, options: RequestInit = {}, origin = ORIGIN): Request {
  return new Request(origin + path, options);
}

/** Copies with a clock that a test moves, one edge for as many isolates as it likes, and a count of looks. */
function place() {
  const edge = new Map<string, string>();
  const state = { now: START, edge, reads: 0, looks: 0, isolate };
  function isolate(onLook: () => void = () => undefined): PageCopies {
    return new PageCopies(publicPagePaths(store), {
      now: () => state.now, hashing: nodeHashing, later: () => undefined,
      edge: { read: async (key) => (state.reads++, edge.get(key) ?? null), write: async (key, text) => void edge.set(key, text) },
      wait: async (ms) => { state.now += ms; state.looks++; onLook(); },
    });
  }
  return state;
}

const made = (text: string, init: ResponseInit = {}) => new Response(text, { headers: { "content-type": "text/html" }, ...init });

async function textOf(copies: PageCopies, request = ask()): Promise<string | null> {
  return (await copies.find(request))?.text() ?? null;
}

describe("a copy of a page", () => {
  it("is served until the millisecond in which its page stops being true, and not in it", async () => {
    const at = place();
    const copies = at.isolate();
    await copies.keep(ask(), made("one"), { until: START + 300, isLasting: false });
    for (const [later, text] of [[0, "one"], [149, "one"], [300, null], [2_000, null]] as const) {
      at.now = START + later;
      expect(await textOf(copies), `${later} ms later`).toBe(text);
    }
  });

  it("is made anew by one request after half a second, while all others get the old one", async () => {
    const at = place();
    const copies = at.isolate();
    await copies.keep(ask(), made("one"), STATE);
    at.now = START + 500;
    expect(await Promise.all(Array.from({ length: 50 }, () => textOf(copies)))).toEqual([null, ...Array<string>(49).fill("one")]);
    await copies.keep(ask(), made("two"), { until: START + 2_500, isLasting: false });
    expect(await textOf(copies)).toBe("two");
  });

  it("that ended is made by one request, and the others wait for it instead of making it too", async () => {
    const at = place();
    const copies: PageCopies = at.isolate(() => { if (at.looks === 3) void copies.keep(ask(), made("two"), { until: START + 4_000, isLasting: false }); });
    await copies.keep(ask(), made("one"), STATE);
    at.now = START + 2_000;
    expect(await textOf(copies)).toBeNull();
    expect(await textOf(copies)).toBe("two");
    expect(at.looks).toBeLessThan(6);
  });

  it("is not waited for when its maker gave up, nor for more than half a second when the maker is lost", async () => {
    const at = place();
    const copies = at.isolate();
    await copies.keep(ask(), made("one"), STATE);
    at.now = START + 2_000;
    expect(await textOf(copies)).toBeNull();
    copies.release(ask());
    expect(await textOf(copies)).toBeNull();
    expect(at.looks).toBe(0);
    expect(await textOf(copies)).toBeNull();
    expect(at.now - START - 2_000).toBeLessThanOrEqual(510);
  });

  it("comes from the edge to an isolate that has none, and is no longer true there than where it was made", async () => {
    const at = place();
    await at.isolate().keep(ask(), made("one"), { until: START + 900, isLasting: false });
    expect(await textOf(at.isolate())).toBe("one");
    at.now = START + 900;
    expect(await textOf(at.isolate())).toBeNull();
    at.now = START - 5_000;
    expect(await textOf(at.isolate())).toBeNull();
  });

  it("is forgotten when the clock was set back: nothing is known about its age", async () => {
    const at = place();
    const copies = at.isolate();
    await copies.keep(ask(), made("one"), STATE);
    at.now = START - 60_000;
    expect(await textOf(copies)).toBeNull();
  });

  it("says how long a browser may keep it by what is left of it, never more", async () => {
    const at = place();
    const copies = at.isolate();
    const first = await copies.keep(ask(), made("one"), STATE);
    expect(first.headers.get("cache-control")).toBe("public, max-age=1, s-maxage=1");
    at.now = START + 499;
    expect((await copies.find(ask()))?.headers.get("cache-control")).toBe("public, max-age=1, s-maxage=1");
    const late = at.isolate();
    at.now = START + 1_001;
    expect((await late.find(ask()))?.headers.get("cache-control")).toBe("no-cache");
  });

  it("answers 304 to whoever has it already, and a whole page to whoever has another", async () => {
    const copies = place().isolate();
    const etag = (await copies.keep(ask(), made("one"), STATE)).headers.get("etag") ?? "";
    const again = await copies.find(ask(PAGE, { headers: { "if-none-match": `W/"other", ${etag}` } }));
    expect([again?.status, await again?.text()]).toEqual([304, ""]);
    expect(await textOf(copies, ask(PAGE, { headers: { "if-none-match": 'W/"other"' } }))).toBe("one");
  });

  it("belongs to its origin: a made-up host gets its own and spoils nobody's", async () => {
    const copies = place().isolate();
    await copies.keep(ask(PAGE, {}, "https://evil.example"), made("evil"), STATE);
    expect(await textOf(copies)).toBeNull();
    await copies.keep(ask(), made("ours"), STATE);
    expect(await textOf(copies)).toBe("ours");
  });

  it("is one for all queries, and there is none of addresses that are not a public page of the config", async () => {
    const copies = place().isolate();
    await copies.keep(ask(`${PAGE}?a=1`), made("one"), STATE);
    expect(await textOf(copies, ask(`${PAGE}?b=2`))).toBe("one");
    for (const path of ["/moth-tee", "/q/abc", "/orders/ord_00000000000000000000000000", "/api/drops/moth-tee/live", "/healthz", "/berlin/other", "/paris/moth-tee", "/berlin/moth-tee/", "/desk"]) {
      await copies.keep(ask(path), made("private"), STATE);
      expect(await textOf(copies, ask(path)), path).toBeNull();
    }
    await copies.keep(ask("/", { method: "POST" }), made("posted"), STATE);
    expect(await textOf(copies, ask("/"))).toBeNull();
  });

  it("is never made of a refusal, of a failure, of what sets a cookie, nor of what is over already", async () => {
    const at = place();
    const copies = at.isolate();
    for (const response of [made("gone", { status: 404 }), made("broken", { status: 500 }), made("mine", { headers: { "set-cookie": "a=b" } })]) await copies.keep(ask(), response, STATE);
    await copies.keep(ask(), made("old"), { until: START, isLasting: false });
    expect(await textOf(copies)).toBeNull();
    expect(at.edge.size).toBe(0);
  });

  it("takes bounded memory, whatever names a client gives the host", async () => {
    const at = place();
    const copies = at.isolate();
    for (let host = 0; host < 400; host++) await copies.keep(ask(PAGE, {}, `https://h${host}.example`), made(String(host)), STATE);
    at.edge.clear();
    const kept = await Promise.all(Array.from({ length: 400 }, (_, host) => textOf(copies, ask(PAGE, {}, `https://h${host}.example`))));
    expect(kept.filter((text) => text !== null)).toHaveLength(128);
    expect(kept.at(-1)).toBe("399");
  });

  it("of what lasts stays in the isolate, under its own cache header", async () => {
    const at = place();
    const copies = at.isolate();
    await copies.keep(ask("/brand.css"), made(":root{}", { headers: { "cache-control": "public, max-age=300" } }), { until: START + 300_000, isLasting: true });
    at.now = START + 299_500;
    expect((await copies.find(ask("/brand.css")))?.headers.get("cache-control")).toBe("public, max-age=300");
    expect(at.edge.size).toBe(0);
  });
});

describe("a copy at hand", () => {
  it("is given out at once to the address as it is written, and to no other spelling of it", async () => {
    const copies = place().isolate();
    await copies.keep(ask(), made("one"), STATE);
    expect(await copies.atHand(ORIGIN + PAGE, ask())?.text()).toBe("one");
    for (const url of [`${PAGE}?`, `${PAGE}?a=1`, `${PAGE}#top`, `${PAGE}/`, `/${PAGE}`, "/berlin/moth%2Dtee", "/Berlin/moth-tee", "/berlin/./moth-tee", "/lisbon/moth-tee", "/"].map((path) => ORIGIN + path)) {
      expect(copies.atHand(url, ask()), url).toBeNull();
    }
    for (const origin of ["http://nightjar.example", "https://nightjar.example:443", "https://NIGHTJAR.example", "https://evil.example", "https://a@nightjar.example"]) {
      expect(copies.atHand(origin + PAGE, ask()), origin).toBeNull();
    }
  });

  it("is never one that ended, nor one whose turn it is to be made anew, nor one from a future that the clock was set back from", async () => {
    const at = place();
    const copies = at.isolate();
    await copies.keep(ask(), made("one"), { until: START + 1_500, isLasting: false });
    for (const [later, isGiven] of [[0, true], [499, true], [500, false], [1_499, false], [1_500, false], [9_000, false], [-1, false], [-60_000, false]] as const) {
      at.now = START + later;
      expect(copies.atHand(ORIGIN + PAGE, ask()) !== null, `${later} ms later`).toBe(isGiven);
    }
  });

  it("is the old one while somebody makes the next, but only for as long as it is true", async () => {
    const at = place();
    const copies = at.isolate();
    await copies.keep(ask(), made("one"), { until: START + 900, isLasting: false });
    at.now = START + 500;
    expect(await copies.find(ask())).toBeNull();
    for (const [later, isGiven] of [[500, true], [899, true], [900, false]] as const) {
      at.now = START + later;
      expect(copies.atHand(ORIGIN + PAGE, ask()) !== null, `${later} ms later`).toBe(isGiven);
    }
  });
});

describe("the time for which a page is true", () => {
  it("ends two seconds after the oldest of its states, and at any moment of the plan before that", () => {
    expect(trueUntil([liveAt(START), liveAt(START - 700)], START)).toBe(START + 1_300);
    expect(trueUntil([liveAt(START)], START, START - 1_900)).toBe(START + 100);
    for (const boundary of [plan.announceAt, plan.lobbyOpensAt, plan.opensAt, OPENS_AT + 1_800_000, plan.closesAt]) {
      expect(trueUntil([liveAt(boundary - 400)], boundary - 300)).toBe(boundary);
      expect(trueUntil([liveAt(boundary)], boundary)).toBe(boundary + 2_000);
    }
  });
});

describe("through the one door", () => {
  function counted() {
    let asked = 0;
    const shop = world({ ports: { live: async () => (asked++, liveAt(shop.now)) } });
    const send: Send = client(shop);
    return { shop, send, asked: () => asked };
  }

  it("a thousand readers of the drop's page ask for its state once, and a HEAD gets the same headers without the page", async () => {
    const { send, asked } = counted();
    const first = await (await send("GET", PAGE)).text();
    for (let reader = 0; reader < 1_000; reader++) expect(await (await send("GET", PAGE)).text()).toBe(first);
    const head = await send("HEAD", PAGE);
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(head.headers.get("etag")).toBe((await send("GET", PAGE)).headers.get("etag"));
    expect(head.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(head.headers.get("x-content-type-options")).toBe("nosniff");
    expect(asked()).toBe(1);
  });

  it("a page at hand is the same to the last byte and header as the one that a route gives", async () => {
    const { send } = counted();
    for (const path of ["/", PAGE, "/lisbon/moth-tee", "/brand.css", "/mark.svg"]) {
      const answers = [await send("GET", path), await send("GET", path), await send("GET", `${path}?from=poster`)];
      const [made, atHand, byRoute] = await Promise.all(answers.map(async (response) => [response.status, [...response.headers].toSorted(), await response.text()]));
      expect(atHand, path).toEqual(made);
      expect(byRoute, path).toEqual(made);
    }
  });

  it("a page at hand is for GET alone: every other method gets what its route says", async () => {
    const { send } = counted();
    await send("GET", PAGE);
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) expect((await send(method, PAGE)).status, method).toBe(405);
    expect((await send("POST", PAGE, { headers: { origin: "https://evil.example" } })).status).toBe(403);
  });

  it("the redirect by the visitor's place, an order's page and a missing page are made for each request", async () => {
    const { send } = counted();
    for (const [path, status] of [["/moth-tee", 302], ["/orders/ord_00000000000000000000000000", 200], ["/berlin/nothing", 404], ["/q/x", 404]] as const) {
      const response = await send("GET", path, { headers: { accept: "text/html" } });
      expect([path, response.status, response.headers.get("etag")]).toEqual([path, status, null]);
      expect(response.headers.get("cache-control")).toContain("no-store");
    }
  });

  it("a failure is not kept: the next reader gets the page", async () => {
    const { shop, send } = counted();
    let isBroken = true;
    const fragile = client(world({ ports: { live: async () => (isBroken ? Promise.reject(new Error("down")) : liveAt(shop.now)) } }));
    expect((await fragile("GET", PAGE, { headers: { accept: "text/html" } })).status).toBe(500);
    isBroken = false;
    expect((await fragile("GET", PAGE)).status).toBe(200);
    expect((await send("GET", PAGE)).status).toBe(200);
  });
});
