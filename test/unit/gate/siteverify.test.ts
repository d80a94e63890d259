import { describe, expect, it } from "vitest";
import { siteverify } from "../../../src/gate/siteverify.ts";
import { isTestingKey, type TurnstileCheck } from "../../../src/gate/turnstile.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { MINUTE, Provider, TURNSTILE_SECRET } from "../sandbox/provider.ts";

const TICKET = `tkt_${"A".repeat(26)}`;
const HOST = "nightjar.example";

/** The real adapter on the sandbox's real routes. */
function against(provider: Provider, secret = TURNSTILE_SECRET) {
  const asked: string[] = [];
  const wayOut: typeof fetch = async (input, init) => {
    asked.push(String(input));
    return provider.app.fetch(new Request(input, init));
  };
  return { asked, turnstile: siteverify({ secret, hashing: nodeHashing, fetch: wayOut }) };
}

let made = 0;
function token(provider: Provider, facts: Readonly<Record<string, unknown>> = {}): string {
  const text = JSON.stringify({ hostname: HOST, action: "join", cdata: TICKET, at: provider.now, ...facts });
  return `sandbox.${Buffer.from(text).toString("base64url")}.${++made}`;
}

const check = (text: string, changes: Partial<TurnstileCheck> = {}): TurnstileCheck => ({ token: text, hostname: HOST, ticket: TICKET, ...changes });

/** An adapter whose provider answers like this. */
const answering = (answer: () => Promise<Response> | Response) => siteverify({ secret: "0x4", hashing: nodeHashing, fetch: async () => answer() });
const json = (body: unknown, status = 200) => () => new Response(JSON.stringify(body), { status });
const YES = { success: true, hostname: HOST, action: "join", cdata: TICKET };

describe("a Turnstile token", () => {
  it("passes once, for a retry of the same join again, and for nobody else after that", async () => {
    const provider = new Provider();
    const { turnstile, asked } = against(provider);
    const genuine = token(provider);
    expect(await turnstile.verify(check(genuine))).toBe("passed");
    expect(await turnstile.verify(check(genuine))).toBe("passed");
    expect(await turnstile.verify(check(genuine, { ticket: `tkt_${"B".repeat(26)}` }))).toBe("failed");
    expect(asked[0]).toBe("https://challenges.cloudflare.com/turnstile/v0/siteverify");
  });

  it("is good for five minutes, for this host, this action and this ticket", async () => {
    const provider = new Provider();
    const { turnstile } = against(provider);
    expect(await turnstile.verify(check(token(provider, { at: provider.now - 5 * MINUTE - 1 })))).toBe("failed");
    expect(await turnstile.verify(check(token(provider, { hostname: "evil.example" })))).toBe("failed");
    expect(await turnstile.verify(check(token(provider, { action: "login" })))).toBe("failed");
    expect(await turnstile.verify(check(token(provider, { cdata: "tkt_other" })))).toBe("failed");
    for (const garbage of ["x", "sandbox.x.1", "XXXX.DUMMY.TOKEN.XXXX", "sandbox.%%%.1"]) expect(await turnstile.verify(check(garbage)), garbage).toBe("failed");
  });

  it("never passes when the provider fails, hangs, answers with a page or with a yes for something else", async () => {
    const provider = new Provider();
    const { turnstile } = against(provider);
    const expected = { error: "unavailable", html: "unavailable", "other-host": "failed", "other-action": "failed", right: "passed" } as const;
    for (const [mode, verdict] of Object.entries(expected)) {
      const answer = await provider.app.fetch(new Request("http://127.0.0.1:8788/sandbox/behaviour", { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ turnstile: { mode } }) }));
      expect(answer.status).toBe(200);
      expect(await turnstile.verify(check(token(provider))), mode).toBe(verdict);
    }
  });

  it.each<readonly [string, () => Promise<Response> | Response]>([
    ["no connection", () => Promise.reject(new TypeError("connection refused"))],
    ["no answer in time", () => Promise.reject(new DOMException("timed out", "TimeoutError"))],
    ["a 500 that says yes and is cut short", () => new Response("{\"success\":true", { status: 500 })],
    ["an empty body", () => new Response("")],
    ["a yes without a host", json({ success: true, action: "join", cdata: TICKET })],
    ["a yes without an action", json({ success: true, hostname: HOST, cdata: TICKET })],
    ["a yes that is text", json({ ...YES, success: "true" })],
    ["a no without a reason", json({ success: false, "error-codes": [] })],
    ["a no for our secret", json({ success: false, "error-codes": ["invalid-input-secret"] })],
    ["a no for our secret beside the token", json({ success: false, "error-codes": ["invalid-input-response", "invalid-input-secret"] })],
    ["a list", json([YES])],
    ["ten megabytes", () => new Response(JSON.stringify({ ...YES, padding: "x".repeat(10_000_000) }))],
  ])("lets nobody in on %s", async (_what, answer) => {
    expect(await answering(answer).verify(check("tok"))).toBe("unavailable");
  });

  it("passes on a plain yes", async () => {
    expect(await answering(json(YES)).verify(check("tok"))).toBe("passed");
  });

  it("cannot be asked about with another secret, or without one", async () => {
    const provider = new Provider();
    for (const secret of ["0x4_other", ""]) expect(await against(provider, secret).turnstile.verify(check(token(provider)))).toBe("unavailable");
  });
});

it("Cloudflare's published keys for tests are known as such, and real ones are not", () => {
  for (const key of ["1x00000000000000000000AA", "2x00000000000000000000AB", "1x00000000000000000000BB", "2x00000000000000000000BB", "3x00000000000000000000FF", "1x0000000000000000000000000000000AA", "2x0000000000000000000000000000000AA", "3x0000000000000000000000000000000AA", " 1x0000000000000000000000000000000AA\n"]) {
    expect(isTestingKey(key), key).toBe(true);
  }
  for (const key of ["0x4AAAAAAADnPIDROrmt1Wwj", "0x4AAAAAAADnPIDROzLHI0LrI2xWxK2aTR4", ""]) expect(isTestingKey(key), key).toBe(false);
});
