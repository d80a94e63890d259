import { describe, expect, test } from "vitest";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { createSandboxApp } from "../../../src/sandbox/app.tsx";
import { ORIGIN, Provider } from "./provider.ts";

const get = (provider: Provider, path: string) => provider.app.fetch(new Request(`${ORIGIN}${path}`));

function post(provider: Provider, path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> | Response {
  return provider.app.fetch(new Request(`${ORIGIN}${path}`, {
    method: "POST", body: new URLSearchParams(form).toString(), headers: { "content-type": "application/x-www-form-urlencoded", ...headers }, redirect: "manual",
  }));
}

describe("the hosted page", () => {
  test("shows the store, every line and the amount in its currency, and says that no money moves", async () => {
    const provider = new Provider();
    const { id } = await provider.session({ locale: "de", branding_settings: { display_name: "Nightjar <Supply>" } });
    const response = await get(provider, `/sandbox/pay/${id}`);
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(page).toContain("Nightjar &lt;Supply&gt;");
    expect(page).toMatch(/96,50\s€/);
    expect(page).toContain("2 × Moth tee, S");
    expect(page).toMatch(/84,00\s€/);
    expect(page).toContain("No real money moves");
  });

  test("runs no script, allows only its own style, and can lead to the store and nowhere else", async () => {
    const provider = new Provider();
    const { id } = await provider.session();
    const response = await get(provider, `/sandbox/pay/${id}`);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='/);
    expect(policy).toContain("form-action 'self' http://127.0.0.1:8787;");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(await response.text()).not.toMatch(/<script|style=|onclick/);
  });

  test.each([["jpy", 4_200, /¥4,200/], ["kwd", 4_200, /KWD\s4\.200/], ["isk", 420_000, /ISK\s4,200/]])("writes %s with the right number of decimals", async (currency, amount, written) => {
    const provider = new Provider();
    const { id } = await provider.session({ line_items: [{ price_data: { currency, unit_amount: amount, product_data: { name: "Tee" } }, quantity: 1 }] });
    expect(await (await get(provider, `/sandbox/pay/${id}`)).text()).toMatch(written);
  });

  test("paying by form leads to the store; going back leads to where the store said, and changes nothing", async () => {
    const provider = new Provider();
    const { id } = await provider.session();
    const back = await post(provider, `/sandbox/pay/${id}`, { card: "approve", outcome: "abandon" });
    expect([back.status, back.headers.get("location")]).toEqual([303, "http://127.0.0.1:8787/orders/ord_1"]);
    expect((await provider.books.report()).paymentIntents).toEqual([]);
    const paid = await post(provider, `/sandbox/pay/${id}`, { card: "approve", outcome: "approve" });
    expect([paid.status, paid.headers.get("location")]).toEqual([303, `http://127.0.0.1:8787/orders/ord_1?paid=${id}`]);
  });

  test("a declined card brings the shopper back to the page, which says why and that nothing was charged", async () => {
    const provider = new Provider();
    const { id } = await provider.session();
    const declined = await post(provider, `/sandbox/pay/${id}`, { card: "insufficient-funds", outcome: "approve" });
    expect([declined.status, declined.headers.get("location")]).toEqual([303, `/sandbox/pay/${id}`]);
    const page = await (await get(provider, `/sandbox/pay/${id}`)).text();
    expect(page).toContain("Your card has insufficient funds. Nothing was charged.");
    expect(page).toContain(`<button class="main" name="outcome" value="approve">`);
  });

  test("a paid and an expired session say so in plain words, offer no payment and lead back", async () => {
    const provider = new Provider();
    const { session } = await provider.payment();
    const paid = await get(provider, `/sandbox/pay/${session}`);
    const { id } = await provider.session();
    await provider.stripe.checkout.sessions.expire(id);
    const expired = await get(provider, `/sandbox/pay/${id}`);
    expect([paid.status, expired.status]).toEqual([200, 410]);
    for (const [page, words, href] of [[await paid.text(), "This payment is already made", `paid=${session}`], [await expired.text(), "The time to pay is over", "http://127.0.0.1:8787/orders/ord_1"]] as const) {
      expect(page).toContain(words);
      expect(page).toContain(href);
      expect(page).not.toContain("<form");
    }
    expect((await post(provider, `/sandbox/pay/${id}`, { outcome: "approve" })).headers.get("location")).toBe(`/sandbox/pay/${id}`);
  });

  test("a complete session whose payment is underway, failed or called off says that, not that it is paid", async () => {
    const provider = new Provider();
    const words = async (session: string): Promise<string> => (await get(provider, `/sandbox/pay/${session}`)).text();
    const { id } = await provider.session();
    await provider.pay(id, { outcome: "approve", card: "processing-declined" });
    expect(await words(id)).toContain("Your bank is still deciding");
    provider.now += 5_000;
    expect(await words(id)).toContain("The payment did not go through");
    const { session, intent } = await provider.payment();
    await provider.stripe.paymentIntents.cancel(intent);
    expect(await words(session)).toContain("This payment was called off");
  });

  test("unknown sessions, unknown cards, unknown members and other sites are refused and change nothing", async () => {
    const provider = new Provider();
    const { id } = await provider.session();
    expect((await get(provider, "/sandbox/pay/cs_test_none")).status).toBe(404);
    expect((await provider.pay("cs_test_none", { outcome: "approve" })).status).toBe(404);
    expect(await provider.pay(id, { outcome: "approve", card: "platinum" })).toMatchObject({ status: 422, body: { errors: [{ pointer: "/card" }] } });
    expect((await provider.pay(id, { outcome: "approve", amount: 1 })).status).toBe(422);
    expect((await provider.pay(id, { outcome: "maybe" })).status).toBe(422);
    expect((await post(provider, `/sandbox/pay/${id}`, { outcome: "approve" }, { origin: "http://evil.example" })).status).toBe(403);
    expect((await post(provider, `/sandbox/pay/${id}`, { outcome: "approve" }, { "content-type": "text/plain" })).status).toBe(415);
    expect((await provider.books.report()).paymentIntents).toEqual([]);
    expect((await post(provider, `/sandbox/pay/${id}`, { outcome: "approve" }, { origin: ORIGIN })).status).toBe(303);
  });
});

describe("the sandbox", () => {
  test("is not there at all outside a developer's machine", async () => {
    const provider = new Provider();
    const { id } = await provider.session();
    const app = createSandboxApp({ books: provider.books, isLocal: false, isSigning: true, hashing: nodeHashing, now: () => 0 });
    for (const [method, path] of [["GET", "/"], ["GET", "/sandbox"], ["GET", `/sandbox/pay/${id}`], ["GET", "/sandbox/books"], ["PUT", "/sandbox/behaviour"], ["POST", "/v1/customers"], ["GET", `/v1/checkout/sessions/${id}`]] as const) {
      expect((await app.fetch(new Request(`${ORIGIN}${path}`, { method, headers: { authorization: "Bearer sk_test_x" } }))).status, path).toBe(404);
    }
  });

  test("its index says what it is", async () => {
    const provider = new Provider();
    const page = await (await get(provider, "/sandbox")).text();
    expect(page).toContain("It is never deployed.");
    expect(page).toContain("4242 4242 4242 4242");
  });
});
