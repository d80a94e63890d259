import { describe, expect, test } from "vitest";
import { MAIL_KEY, ORIGIN, Provider } from "./provider.ts";

const MAIL = { from: "Nightjar Supply <codes@nightjar.example>", to: "ana@nightjar.example", subject: "Your code", text: "12345678" };
const LISTED = { to: MAIL.to, subject: MAIL.subject, text: MAIL.text, at: "2026-12-04T18:00:00.000Z" };

async function send(provider: Provider, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await provider.app.fetch(new Request(`${ORIGIN}/emails`, {
    method: "POST", body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", authorization: `Bearer ${MAIL_KEY}`, "user-agent": "tranche", ...headers },
  }));
  return { status: response.status, body: await response.json() };
}

const listed = async (provider: Provider, query = "") => (await provider.json("GET", `/sandbox/mail${query}`)).body;

describe("the sandbox's mail API", () => {
  test("keeps a mail once per key, newest first, and finds it by its recipient", async () => {
    const provider = new Provider();
    const first = await send(provider, MAIL, { "idempotency-key": "m1" });
    expect(first).toMatchObject({ status: 200, body: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) } });
    expect(await send(provider, MAIL, { "idempotency-key": "m1" })).toEqual(first);
    expect(await send(provider, { ...MAIL, text: "other" }, { "idempotency-key": "m1" })).toMatchObject({ status: 409, body: { name: "invalid_idempotent_request" } });
    expect((await send(provider, { ...MAIL, to: ["bo@nightjar.example"] })).status).toBe(200);
    expect(await listed(provider)).toMatchObject({ messages: [{ to: "bo@nightjar.example" }, LISTED] });
    expect(await listed(provider, "?to=ana%40nightjar.example")).toEqual({ messages: [LISTED] });
  });

  test("refuses as the real one does, and keeps nothing of what it refused", async () => {
    const provider = new Provider();
    expect(await send(provider, MAIL, { authorization: "" })).toMatchObject({ status: 401, body: { statusCode: 401, name: "missing_api_key" } });
    expect(await send(provider, MAIL, { authorization: "Bearer re_guess" })).toMatchObject({ status: 403, body: { name: "invalid_api_key" } });
    expect(await send(provider, MAIL, { "user-agent": "" })).toMatchObject({ status: 403 });
    expect(await send(provider, MAIL, { "idempotency-key": "k".repeat(257) })).toMatchObject({ status: 400, body: { name: "invalid_idempotency_key" } });
    for (const body of ["{", "[]", { ...MAIL, to: "nobody" }, { ...MAIL, to: [] }, { ...MAIL, text: "" }, { ...MAIL, from: undefined }]) expect(await send(provider, body)).toMatchObject({ status: 422, body: { name: "validation_error" } });
    expect(await listed(provider)).toEqual({ messages: [] });
  });

  test("fails as often as it is told to and then delivers, and withholds until it is told to release", async () => {
    const provider = new Provider();
    expect((await provider.json("PUT", "/sandbox/behaviour", { mail: { withhold: true, fail: { next: 2 } } })).status).toBe(200);
    const statuses = [];
    for (let attempt = 0; attempt < 3; attempt++) statuses.push((await send(provider, MAIL, { "idempotency-key": "m1" })).status);
    expect(statuses).toEqual([500, 500, 200]);
    expect((await send(provider, MAIL, { "idempotency-key": "m1" })).status).toBe(200);
    expect(await listed(provider)).toEqual({ messages: [] });
    expect((await provider.json("POST", "/sandbox/mail/release")).body).toEqual({ released: 1 });
    expect(await listed(provider)).toEqual({ messages: [LISTED] });
    expect((await provider.json("POST", "/sandbox/mail/release")).body).toEqual({ released: 0 });
  });
});
