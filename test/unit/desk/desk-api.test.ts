import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { verifyVoucher } from "../../../src/coupon/voucher.ts";
import { deskApp } from "../../../src/desk/app.ts";
import { failureProblem } from "../../../src/desk/refusals.ts";
import { Fault, rejected } from "../../../src/kernel/result.ts";
import { Backstage, deskKey, now, orderId, plan, publicKeys, snapshot, view } from "./cast.ts";

describe("the desk's door", () => {
  test("stays shut without the key, with a wrong one, and with one that only begins right", async () => {
    const backstage = new Backstage();
    const wrong = ["", "Bearer", "Bearer ", `Bearer ${deskKey}x`, `Bearer ${deskKey.slice(0, -1)}`, `Basic ${deskKey}`, `DPoP ${deskKey}`, `Bearer ${deskKey} ${deskKey}`, `Bearer ${"x".repeat(10_000)}`];
    for (const authorization of wrong) {
      const answer = await backstage.ask("POST", "/desk/api/drops/moth-tee/pause", { headers: { authorization } });
      expect([authorization, answer.status, answer.body["code"]]).toEqual([authorization, 401, "credential_invalid"]);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="desk"');
    }
    expect(backstage.isUntouched).toBe(true);
  });

  test("asks for a credential where none was sent, also at addresses that do not exist", async () => {
    for (const path of ["/desk/api/orders?drop=moth-tee", "/desk/api/nothing"]) {
      const response = await deskApp(new Backstage().ports()).request(`https://nightjar.example${path}`);
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ code: "credential_missing", instance: path.split("?")[0] });
    }
  });

  test("is shut for everyone where the secret is missing or could be tried out", async () => {
    for (const key of [null, "", "short"]) {
      const answer = await new Backstage().ask("GET", "/desk/api/ledger/accounts", { ports: { deskKey: key }, headers: { authorization: `Bearer ${key ?? "null"}` } });
      expect([answer.status, answer.body["code"], answer.headers.get("retry-after")]).toEqual([503, "temporarily_unavailable", "60"]);
    }
  });

  test("refuses a change that another site's page sends, and takes one from the store's own page or from a program", async () => {
    const path = "/desk/api/drops/moth-tee/pause";
    for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }]) {
      const backstage = new Backstage();
      const answer = await backstage.ask("POST", path, { headers });
      expect([answer.status, answer.body["code"], backstage.isUntouched]).toEqual([403, "origin_refused", true]);
    }
    expect((await new Backstage().ask("POST", path, { headers: { origin: "https://nightjar.example", "sec-fetch-site": "same-origin" } })).status).toBe(200);
    expect((await new Backstage().ask("POST", path)).status).toBe(200);
  });

  test("lets no answer be cached, framed, sniffed or read by another site", async () => {
    for (const [method, path] of [["GET", "/desk/api/ledger/accounts"], ["GET", "/desk/api/nothing"], ["GET", "/desk"], ["POST", "/desk/api/orders"]] as const) {
      const { headers } = await new Backstage().ask(method, path);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  test("shows a drop with how fast people get from their turn to a paid order", async () => {
    expect((await new Backstage().ask("GET", "/desk/api/drops/moth-tee")).body).toMatchObject({ drop: "moth-tee", checkout: { orders: 3, medianMs: 41_000 } });
  });

  test("answers 404 where there is nothing and 405 with the methods where there is something", async () => {
    expect((await new Backstage().ask("GET", "/desk")).body).toMatchObject({ status: 404, code: "not_found", instance: "/desk" });
    expect((await new Backstage().ask("GET", "/desk/api/drops/Moth_Tee/")).status).toBe(404);
    const wrongMethod = await new Backstage().ask("DELETE", `/desk/api/orders/${orderId}`);
    expect([wrongMethod.status, wrongMethod.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect((await new Backstage().ask("GET", "/desk/api/drops/moth-tee/pause")).headers.get("allow")).toBe("POST");
  });
});

describe("emergency controls", () => {
  test("reach the drop with who it was, and answer the drop's new state", async () => {
    const backstage = new Backstage();
    for (const name of ["pause", "resume", "cancel"]) expect((await backstage.ask("POST", `/desk/api/drops/moth-tee/${name}`, { body: {} })).status).toBe(200);
    const extended = await backstage.ask("POST", "/desk/api/drops/moth-tee/extend", { body: { stage: 2, by: "1h30m" } });
    expect(backstage.controls.map(({ control }) => control)).toEqual([{ kind: "pause" }, { kind: "resume" }, { kind: "cancel" }, { kind: "extend", stage: 2, byMs: 5_400_000 }]);
    expect(new Set(backstage.controls.map(({ actor }) => actor))).toEqual(new Set(["desk"]));
    expect(extended.body).toMatchObject({ drop: "moth-tee", phase: "open", asOf: "2026-12-04T18:00:00.000Z", nextStageAt: "2026-12-04T19:00:00.000Z", planVersion: 1 });
  });

  test("are refused with the drop's own reason", async () => {
    const backstage = new Backstage();
    for (const [code, status] of [["control_not_possible", 409], ["not_found", 404]] as const) {
      backstage.controlAnswer = rejected({ code });
      expect((await backstage.ask("POST", "/desk/api/drops/moth-tee/pause")).body).toMatchObject({ code, status });
    }
  });

  test("name what is wrong with an extension, and the drop hears nothing of it", async () => {
    const bodies = [{}, { stage: 2 }, { stage: 0, by: "5m" }, { stage: 1.5, by: "5m" }, { stage: "2", by: "5m" }, { stage: 2, by: 300 }, { stage: 2, by: "-5m" }, { stage: 2, by: "soon" }, { stage: 2, by: "10ms" }, { stage: 2, by: "8d" }, { stage: 2, by: "5m", force: true }];
    for (const body of bodies) {
      const backstage = new Backstage();
      const answer = await backstage.ask("POST", "/desk/api/drops/moth-tee/extend", { body });
      expect([answer.status, answer.body["code"], backstage.isUntouched]).toEqual([422, "invalid_request", true]);
      expect(answer.body["errors"]).not.toHaveLength(0);
    }
    expect((await new Backstage().ask("POST", "/desk/api/drops/moth-tee/pause", { body: { actor: "someone else" } })).body).toMatchObject({ status: 422, errors: [{ pointer: "/actor" }] });
  });
});

describe("orders at the desk", () => {
  test("are listed by drop, by cursor and with a limit, and never show where the shopper pays", async () => {
    const backstage = new Backstage();
    const answer = await backstage.ask("GET", "/desk/api/orders?drop=moth-tee&cursor=abc&limit=7");
    expect(backstage.calls).toEqual(['orders {"drop":"moth-tee","cursor":"abc","limit":7}']);
    expect(answer.body).toMatchObject({ next: "more", orders: [{ id: orderId, email: "ana@example.org", placedAt: "2026-12-04T18:00:00.000Z", totalMinor: 8_400, payment: { state: "authorised" } }] });
    expect(JSON.stringify(answer.body)).not.toContain("pay.example");
    await backstage.ask("GET", "/desk/api/orders?drop=moth-tee");
    expect(backstage.calls[1]).toContain('"limit":50');
  });

  test("refuse a query that nobody understands", async () => {
    for (const query of ["", "?drop=", "?drop=Moth", "?drop=moth-tee&limit=0", "?drop=moth-tee&limit=101", "?drop=moth-tee&limit=1e1", "?drop=moth-tee&limit=1&limit=2", "?drop=moth-tee&order=asc", `?drop=moth-tee&cursor=${"x".repeat(600)}`]) {
      const backstage = new Backstage();
      const answer = await backstage.ask("GET", `/desk/api/orders${query}`);
      expect([query, answer.status, backstage.isUntouched]).toEqual([query, 422, true]);
    }
  });

  test("are shown one by one, and an id that is none or nobody's is not found", async () => {
    expect((await new Backstage().ask("GET", `/desk/api/orders/${orderId}`)).body).toMatchObject({ id: orderId, fulfilment: "none", splits: plan.splits });
    for (const id of ["ord_1", `ord_${"8".repeat(26)}`, "..%2f..%2fledger", "%00"]) expect((await new Backstage().ask("GET", `/desk/api/orders/${id}`)).status).toBe(404);
  });
});

describe("fulfilments and refunds", () => {
  const fulfilments = `/desk/api/orders/${orderId}/fulfilments`;
  const refunds = `/desk/api/orders/${orderId}/refunds`;

  test("reach settlement as they were meant: what is left out is the default, not a guess", async () => {
    const backstage = new Backstage();
    expect((await backstage.ask("POST", fulfilments, { body: { id: "ful-1" } })).status).toBe(201);
    await backstage.ask("POST", fulfilments, { body: { id: "ful-2", lines: [{ sku: "MOTH-S", quantity: 1 }] } });
    await backstage.ask("POST", refunds, { body: { id: "ref-1", reason: " torn seam " } });
    await backstage.ask("POST", refunds, { body: { id: "ref-2", amountMinor: 100, reason: "late", restock: false } });
    expect(backstage.fulfilments).toEqual([{ id: "ful-1", order: orderId, lines: null }, { id: "ful-2", order: orderId, lines: [{ sku: "MOTH-S", quantity: 1 }] }]);
    expect(backstage.refunds).toEqual([
      { id: "ref-1", order: orderId, lines: null, amountMinor: null, reason: "torn seam", restock: null },
      { id: "ref-2", order: orderId, lines: null, amountMinor: 100, reason: "late", restock: false },
    ]);
  });

  test("name every mistake of a body, and settlement hears nothing of it", async () => {
    const line = { sku: "MOTH-S", quantity: 1 };
    const bodies: readonly [string, unknown, string][] = [
      [fulfilments, {}, "/id"], [fulfilments, { id: "" }, "/id"], [fulfilments, { id: "a/b" }, "/id"], [fulfilments, { id: "f", lines: [] }, "/lines"],
      [fulfilments, { id: "f", lines: [line, line] }, "/lines"], [fulfilments, { id: "f", lines: [{ sku: "MOTH-S", quantity: 0 }] }, "/lines/0/quantity"],
      [fulfilments, { id: "f", lines: [{ sku: "MOTH-S", quantity: "1" }] }, "/lines/0/quantity"], [fulfilments, { id: "f", lines: [{ ...line, priceMinor: 1 }] }, "/lines/0/priceMinor"],
      [refunds, { id: "r" }, "/reason"], [refunds, { id: "r", reason: "  " }, "/reason"], [refunds, { id: "r", reason: "x", amountMinor: 0 }, "/amountMinor"],
      [refunds, { id: "r", reason: "x", amountMinor: -5 }, "/amountMinor"], [refunds, { id: "r", reason: "x", amountMinor: 1.5 }, "/amountMinor"],
      [refunds, { id: "r", reason: "x", amountMinor: 5, lines: [line] }, "/amountMinor"], [refunds, { id: "r", reason: "x", restok: true }, "/restok"],
      [refunds, { id: "r", reason: "x", restock: "no" }, "/restock"], [refunds, [], ""], [refunds, null, ""],
    ];
    for (const [path, body, pointer] of bodies) {
      const backstage = new Backstage();
      const answer = await backstage.ask("POST", path, { body });
      expect([body, answer.status, answer.body["errors"], backstage.isUntouched]).toEqual([body, 422, expect.arrayContaining([expect.objectContaining({ pointer })]), true]);
    }
  });

  test("refuse what is no JSON, too large, of another type or not UTF-8, without reading on", async () => {
    const cases: readonly [BodyInit, Record<string, string>, number, string][] = [
      ["{", {}, 400, "malformed_request"],
      ["", { "content-type": "application/json" }, 400, "malformed_request"],
      [Uint8Array.of(0x22, 0xff, 0x22), { "content-type": "application/json" }, 400, "malformed_request"],
      ['{"id":"f"}', { "content-type": "text/plain" }, 415, "unsupported_media_type"],
      [JSON.stringify({ id: "f", note: "x".repeat(70_000) }), {}, 413, "too_large"],
      ["{}", { "content-length": "99999999" }, 413, "too_large"],
      ['{"id":"f","__proto__":{"lines":[]}}', {}, 422, "invalid_request"],
    ];
    for (const [raw, headers, status, code] of cases) {
      const backstage = new Backstage();
      const answer = await backstage.ask("POST", fulfilments, { raw, headers });
      expect([answer.status, answer.body["code"], backstage.isUntouched]).toEqual([status, code, true]);
    }
  });

  test("hand on every refusal of settlement under its own code", async () => {
    const codes = [["not_found", 404], ["id_reused", 409], ["refund_not_possible", 409], ["fulfilment_not_possible", 409]] as const;
    for (const [code, status] of codes) {
      const backstage = new Backstage();
      backstage.money = { refund: async () => rejected({ code }), fulfil: async () => rejected({ code }) };
      expect((await backstage.ask("POST", refunds, { body: { id: "r", reason: "x" } })).body).toMatchObject({ code, status });
      expect((await backstage.ask("POST", fulfilments, { body: { id: "f" } })).body).toMatchObject({ code, status });
    }
    const backstage = new Backstage();
    backstage.money = { fulfil: async () => rejected({ code: "unknown_sku", pointer: "/lines/0/sku" }) };
    const answer = await backstage.ask("POST", fulfilments, { body: { id: "f", lines: [{ sku: "OWL", quantity: 1 }] } });
    expect(answer.body).toMatchObject({ code: "invalid_request", errors: [{ pointer: "/lines/0/sku" }] });
  });
});

describe("the ledger at the desk", () => {
  test("shows balances and an order's transfers, with the pending one that a transfer resolved", async () => {
    expect((await new Backstage().ask("GET", "/desk/api/ledger/accounts")).body).toEqual({ accounts: [{ account: "party:platform", currency: "EUR", debitMinor: 0, creditMinor: 8_400 }] });
    const { body } = await new Backstage().ask("GET", `/desk/api/ledger/transfers?order=${orderId}`);
    expect(body).toMatchObject({ transfers: [{ id: "trf_1", state: "pending", amountMinor: 8_400 }, { id: "trf_2", state: "posted", pendingId: "trf_1" }] });
    expect(JSON.stringify(body).match(/pendingId/g)).toHaveLength(1);
    expect((await new Backstage().ask("GET", "/desk/api/ledger/transfers")).status).toBe(422);
  });
});

describe("vouchers at the desk", () => {
  const path = "/desk/api/drops/moth-tee/vouchers";

  test("are minted for a campaign of the plan, each with its own number, and pass the edge's check", async () => {
    const { status, body } = await new Backstage().ask("POST", path, { body: { campaign: "berlin-night", count: 3, uses: 2 } });
    expect(status).toBe(201);
    const vouchers = v.parse(v.array(v.strictObject({ voucher: v.string(), token: v.string(), url: v.string(), expiresAt: v.string() })), body["vouchers"]);
    expect(new Set(vouchers.map(({ voucher }) => voucher)).size).toBe(3);
    for (const { voucher, token, url, expiresAt } of vouchers) {
      expect(await verifyVoucher(token, publicKeys, { drop: "moth-tee", region: "berlin", now })).toEqual({ campaign: "berlin-night", voucher, voucherUses: 2, region: "berlin" });
      expect([url, expiresAt]).toEqual([`https://nightjar.example/q/${token}`, "2026-12-04T19:00:00.000Z"]);
    }
  });

  test("are not minted for a campaign that is unknown or over, for more uses than the campaign has, or without the key", async () => {
    const refusals = [[{ campaign: "nobody", count: 1 }, "/campaign"], [{ campaign: "last-year", count: 1 }, "/campaign"], [{ campaign: "berlin-night", count: 1, uses: 51 }, "/uses"], [{ campaign: "berlin-night", count: 0 }, "/count"], [{ campaign: "berlin-night", count: 501 }, "/count"]] as const;
    for (const [body, pointer] of refusals) expect((await new Backstage().ask("POST", path, { body })).body).toMatchObject({ code: "invalid_request", errors: [{ pointer }] });
    expect((await new Backstage().ask("POST", path, { body: { campaign: "berlin-night", count: 1 }, ports: { couponKey: null } })).body).toMatchObject({ code: "temporarily_unavailable" });
    const unplanned = new Backstage();
    unplanned.known = false;
    expect((await unplanned.ask("POST", path, { body: { campaign: "berlin-night", count: 1 } })).status).toBe(404);
  });
});

describe("a failure behind the desk", () => {
  test("is a problem document without the caught message, retryable where a retry can help", async () => {
    const backstage = new Backstage();
    backstage.money = { accounts: () => Promise.reject(new Fault("the database at 10.0.0.1 is gone", { retryable: true })) };
    const answer = await backstage.ask("GET", "/desk/api/ledger/accounts");
    expect([answer.status, answer.headers.get("retry-after"), JSON.stringify(answer.body).includes("10.0.0.1")]).toEqual([503, "1", false]);
    expect(backstage.reports).toEqual(["temporarily_unavailable /desk/api/ledger/accounts"]);
  });

  test("keeps the marks that the runtime puts on errors from another Worker", () => {
    expect(failureProblem(Object.assign(new Error("lost"), { retryable: true }))).toEqual({ code: "temporarily_unavailable", retryAfterSeconds: 1 });
    expect(failureProblem(Object.assign(new Error("busy"), { retryable: true, overloaded: true }))).toEqual({ code: "temporarily_unavailable", retryAfterSeconds: 5 });
    expect(failureProblem(new Fault("no", { retryable: false }))).toEqual({ code: "internal_error" });
    expect(failureProblem("a string")).toEqual({ code: "internal_error" });
  });

  test("of an order that was shown does not leak its buyer into the report", async () => {
    const backstage = new Backstage();
    backstage.money = { order: () => Promise.reject(new Error(view.order.email)) };
    expect((await backstage.ask("GET", `/desk/api/orders/${orderId}`)).status).toBe(500);
    expect(backstage.reports).toEqual([`internal_error /desk/api/orders/${orderId}`]);
  });
});

describe("a changed plan", () => {
  const path = "/desk/api/drops/moth-tee/plan";
  const vars = {
    STORE: { name: "Nightjar Supply", currency: "EUR", support: "help@nightjar.example", brand: { mark: "N", ink: "#17130f", paper: "#f4efe6", accent: "#c2410c" } },
    REGION_BERLIN: { label: "Berlin", country: "DE", near: { lat: 52.52, lon: 13.405 }, locale: "de-DE", pickup: [{ id: "kiosk-k", label: "Kiosk K" }] },
    DROP_MOTH_TEE: { title: "Moth tee", opensAt: "2026-12-04T18:00:00Z", closesAt: "2026-12-04T22:00:00Z", items: [{ sku: "MOTH-S", title: "Moth tee, S", priceMinor: 3_900, quantity: 10 }] },
  };

  test("reaches the drop as the config's own rules read it, and comes back with what is refused and why", async () => {
    const backstage = new Backstage();
    backstage.planAnswer = { published: false, changes: [{ field: "items.MOTH-S.priceMinor", from: 4_200, to: 3_900, refusal: null }, { field: "currency", from: "USD", to: "EUR", refusal: "Holds and orders are in this currency." }] };
    const answer = await backstage.ask("POST", path, { body: { vars, publish: true } });
    expect([answer.status, answer.body]).toEqual([200, {
      published: false,
      changes: [{ field: "items.MOTH-S.priceMinor", from: 4_200, to: 3_900, allowed: true }, { field: "currency", from: "USD", to: "EUR", allowed: false, reason: "Holds and orders are in this currency." }],
    }]);
    expect(backstage.planChanges).toMatchObject([{ publish: true, actor: "desk", source: { drop: "moth-tee", items: [{ priceMinor: 3_900 }], stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: 1_800_000 }, { sharePercent: 20, afterMs: 7_200_000 }] } }]);
  });

  test.each<[string, unknown, string]>([
    ["a mistake, named by table and field", { ...vars, DROP_MOTH_TEE: { ...vars.DROP_MOTH_TEE, items: [{ ...vars.DROP_MOTH_TEE.items[0], priceMinor: 39.5 }] } }, "/vars/DROP_MOTH_TEE/items/0/priceMinor"],
    ["what exists only on a developer's machine", { ...vars, DROP_MOTH_TEE: { ...vars.DROP_MOTH_TEE, opensAt: "+20s", closesAt: "+3h" } }, "/vars/DROP_MOTH_TEE/opensAt"],
    ["a config without the drop", { STORE: vars.STORE, REGION_BERLIN: vars.REGION_BERLIN }, "/vars"],
  ])("with %s is refused and reaches nobody", async (_, wrong, pointer) => {
    const backstage = new Backstage();
    const answer = await backstage.ask("POST", path, { body: { vars: wrong, publish: true } });
    expect([answer.status, answer.body["code"]]).toEqual([422, "invalid_request"]);
    expect((answer.body["errors"] as { pointer: string }[]).map((error) => error.pointer)).toContain(pointer);
    expect(backstage.isUntouched).toBe(true);
  });

  test("needs both members, takes no other, and is bounded in size", async () => {
    const backstage = new Backstage();
    for (const body of [{ vars }, { publish: true }, { vars, publish: "yes" }, { vars, publish: true, force: true }, []]) {
      expect((await backstage.ask("POST", path, { body })).status).toBe(422);
    }
    expect((await backstage.ask("POST", path, { body: { vars: { ...vars, NOTE: "x".repeat(300_000) }, publish: false } })).body["code"]).toBe("too_large");
    expect(backstage.isUntouched).toBe(true);
  });

  test("of a drop that nobody has seen yet is not found", async () => {
    const backstage = new Backstage();
    backstage.known = false;
    expect((await backstage.ask("POST", path, { body: { vars, publish: false } })).body["code"]).toBe("not_found");
  });

  test("of a cancelled drop: the desk says which orders were not paid back yet, and until when the books wait for them", async () => {
    const backstage = new Backstage();
    const cancelled = { ...snapshot, live: { ...snapshot.live, phase: "cancelled" as const } };
    const drop = backstage.ports().drop("moth-tee");
    const answer = await backstage.ask("GET", "/desk/api/drops/moth-tee", { ports: { drop: () => ({ ...drop, snapshot: async () => cancelled }) } });
    expect(answer.body).toMatchObject({ phase: "cancelled", returns: { orders: [orderId], until: "2026-12-04T19:00:00.000Z" } });
  });
});
