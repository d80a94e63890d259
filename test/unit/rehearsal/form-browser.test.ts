import { createServer, type IncomingMessage, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FormBrowser } from "../../../src/cli/rehearsal/form-browser.ts";
import { HttpClient } from "../../../src/cli/rehearsal/http-client.ts";
import { disguiseOf, Invitations } from "../../../src/cli/rehearsal/invitations.ts";
import { type Surroundings, Visitor } from "../../../src/cli/rehearsal/visitor.ts";
import { crowdOf } from "../../../src/rehearsal/crowd.ts";
import { seededRandom } from "../../../src/rehearsal/random.ts";

/** A store of one form: it notes what comes, gives a cookie, and leads on. */
interface Seen { readonly method: string; readonly path: string; readonly headers: IncomingMessage["headers"]; readonly body: string; readonly at: number }

const seen: Seen[] = [];
let server: Server;
let surroundings: Surroundings;

beforeAll(async () => {
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      seen.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body: Buffer.concat(parts).toString(), at: Date.now() });
      if (request.method === "POST") return void response.writeHead(303, { location: "/berlin/night/line/place", "set-cookie": ["__Host-place=one; Path=/", "__Host-shown=9-9; Path=/"] }).end();
      const refused = request.url === "/refused";
      response.writeHead(refused ? 429 : 200, { "content-type": "text/html", refresh: "10; url=/berlin/night/line/place", "retry-after": "7" });
      response.end(refused ? '<h1>Wait</h1><h2 id="refused-title">Please wait a little</h2>' : '<h1>Join</h1><form method="post" action="/berlin/night/line"><input name="stamp" value="s1"><input name="email" value=""></form>');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  surroundings = { http: new HttpClient(), store: `http://127.0.0.1:${port}`, drop: "night", rehearsalKey: "key", faults: { "request-lost": 0, "reply-lost": 0, "slow-network": 0 }, nonce: "", givesUpAt: Number.POSITIVE_INFINITY, visitors: [] };
});
afterAll(() => {
  surroundings.http.close();
  server.close();
});

const [person] = crowdOf({ people: 1, bots: 0, identities: 1, abandonShare: 0, limitPerPerson: 1, items: [{ sku: "A", quantity: 1 }], regions: [{ slug: "berlin", country: "DE", near: { lat: 52.52, lon: 13.405 } }], lanes: [] }, seededRandom(1)).people;
function visitor(disguise: Readonly<Record<string, string>> = {}): Visitor {
  if (person === undefined) throw new Error("one person comes");
  return new Visitor(person.identity, surroundings, seededRandom(1), disguise);
}

test("a person without script reads before sending, says where the form comes from, and keeps the cookies that came", async () => {
  seen.length = 0;
  const browser = new FormBrowser(visitor());
  await browser.open("/berlin/night/line");
  const page = await browser.send("/line", { email: "ana@shop.example" });
  const [shown, sent, next] = seen;
  expect(sent).toMatchObject({ method: "POST", path: "/berlin/night/line", body: "stamp=s1&email=ana%40shop.example" });
  expect(sent?.headers).toMatchObject({ origin: surroundings.store, "content-type": "application/x-www-form-urlencoded" });
  expect((sent?.at ?? 0) - (shown?.at ?? 0)).toBeGreaterThanOrEqual(300);
  expect(next?.headers.cookie).toBe("__Host-place=one; __Host-shown=9-9");
  expect(page).toMatchObject({ status: 200, path: "/berlin/night/line/place", heading: "Join", refusal: null, refresh: { seconds: 10 } });
  expect(surroundings.http.routes.get("forms: GET line/place")?.tookMs).toHaveLength(1);
});

test("a bot sends at once, and from another site when it tries that; a refusal is counted in the page's words", async () => {
  seen.length = 0;
  const browser = new FormBrowser(visitor());
  await browser.open("/berlin/night/line");
  await browser.send("/line", {}, { isHasty: true, origin: "https://elsewhere.example" });
  const [shown, sent] = seen;
  expect((sent?.at ?? 0) - (shown?.at ?? 0)).toBeLessThan(300);
  expect(sent?.headers.origin).toBe("https://elsewhere.example");
  expect(await browser.open("/refused")).toMatchObject({ status: 429, refusal: "Please wait a little", retryAfterMs: 7_000 });
  expect(surroundings.http.routes.get("forms: GET /refused")?.answers.get("429 Please wait a little")).toBe(1);
  await expect(browser.send("/nowhere")).rejects.toThrow(/has no form that goes to \/nowhere/);
});

test("whoever claims another place by headers does so beside the true place, and never in its stead", async () => {
  seen.length = 0;
  await new FormBrowser(visitor(disguiseOf({ kind: "false-place", country: "PT", lat: 38.7, lon: -9.1 }))).open("/berlin/night/line");
  expect(seen[0]?.headers).toMatchObject({ "cf-ipcountry": "PT", "cf-iplatitude": "38.7" });
  expect(seen[0]?.headers["rehearsal"]).toMatch(/^key \w+-0 DE 5\d\.\d+ 1\d\.\d+$/);
});

test("an invitation is handed on only when somebody has used it", () => {
  const invitations = new Invitations(new Map([["member", ["inv-0", "inv-1"]]]));
  const random = seededRandom(1);
  expect(invitations.textFor({ kind: "used-invitation" }, random)).toBeNull();
  expect(invitations.textFor({ kind: "invitation", lane: "member", number: 1 }, random)).toBe("inv-1");
  invitations.noteUsed(null);
  invitations.noteUsed("inv-1");
  expect(invitations.textFor({ kind: "used-invitation" }, random)).toBe("inv-1");
  expect(invitations.textFor({ kind: "nothing" }, random)).toBeNull();
});
