import { afterAll, beforeAll, expect } from "vitest";
import { inParallel, wait } from "../support/crowd.ts";
import { claimsOf, edSigning, headerOf, hmacSigning, jws, reminted, secret, secretJwk, ticketSigning, unsigned, type Claims, type Signing } from "../support/forgery.ts";
import { admittedPeople, atRest, bought, desk, expectRefusal, orderAtDesk, partiesOf, placed, sendBytes, sendProven, sendRaw, unchanged, type Bought } from "../support/hostile.ts";
import { countHostile, hostile, hostileBeyond } from "../support/hostile-entries.ts";
import { startProduct, type Product } from "../support/product.ts";
import { clientId, request, type Answer, type Shopper } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

/* Hostile inputs against credentials, coupons, pages and the doors themselves. */

const MARKUP = "<script>alert(1)</script>\"><img src=x onerror=alert(1)>";
const STORY = "javascript:alert(1) </script><!-- {{7*7}} ${7*7} <svg onload=alert(1)> & ' \"";
const DROPS = ["main", "other"] as const;
const MAIN = [{ sku: "MAIN-1", quantity: 1 }];

let product: Product;
let people: Shopper[];
let mine: Bought;
let theirs: Bought;
let vouchers: readonly string[];

beforeAll(async () => {
  const day = 86_400_000;
  const at = (offset: number) => `"${new Date(Date.now() + offset).toISOString()}"`;
  const campaign = (id: string, typed: string, from: number, until: number, more = "percentOff = 10, uses = 40") => `{ id = "${id}", typed = "${typed}", validFrom = ${at(from)}, validUntil = ${at(until)}, ${more} }`;
  const campaigns = `[ ${[campaign("berlin-night", "BERLIN", -day, day), campaign("past", "PAST", -2 * day, -day), campaign("soon", "SOON", day, 2 * day)].join(", ")} ]`;
  const plain = '[ { party = "platform", remainder = true } ]';
  product = await startProduct(storeVars(
    { slug: "main", title: MARKUP, story: STORY, items: [{ sku: "MAIN-1", priceMinor: 4200, quantity: 90 }], campaigns, claimWindow: "10m", limitPerPerson: 2 },
    { slug: "other", items: [{ sku: "OTHER-1", priceMinor: 4200, quantity: 9 }], campaigns, claimWindow: "10m" },
    { slug: "thrice", items: [{ sku: "THRICE-1", priceMinor: 4200, quantity: 90 }], campaigns, claimWindow: "10m" },
    { slug: "gift", items: [{ sku: "GIFT-1", priceMinor: 4200, quantity: 9 }], splits: plain, campaigns: `[ ${campaign("gift", "GIFT", -day, day, "percentOff = 100, uses = 9")} ]`, claimWindow: "10m" },
  ));
  await wait(1_000);
  [people, mine, theirs, vouchers] = await Promise.all([
    admittedPeople(product, "main", 10, "MAIN-1"), bought(product, "main", "MAIN-1"), placed(product, "other", "OTHER-1"),
    desk(product, "POST", "/desk/api/drops/main/vouchers", { campaign: "berlin-night", count: 3, uses: 1 }).then(({ body }) => body.vouchers.map((voucher: { token: string }) => voucher.token)),
  ]);
  await atRest(product, DROPS);
});
afterAll(() => product?.stop());

function person(): Shopper {
  const shopper = people.shift();
  if (shopper === undefined) throw new Error("the pool of people is empty");
  return shopper;
}

interface Kind {
  readonly genuine: string;
  readonly signing: Signing;
  /** Shows the token and holds that it is refused. */
  refused(token: string): Promise<void>;
}

/** The three kinds of token that the store gives out, and how each is refused. */
function kinds(): readonly Kind[] {
  const [shopper] = people as [Shopper];
  return [
    { genuine: shopper.pass, signing: ticketSigning(product), refused: async (token) => expectRefusal(await shopper.proven("PUT", `/api/drops/main/holds/${clientId("hld")}`, token, { lines: MAIN }), 401, "credential_invalid") },
    { genuine: mine.receipt, signing: edSigning(secretJwk(product, "RECEIPT_KEY")), refused: async (token) => expectRefusal(await mine.shopper.read(mine.order, token), 401, "credential_invalid") },
    { genuine: vouchers[0] ?? "", signing: edSigning(secretJwk(product, "COUPON_KEY")), refused: async (token) => { expect((await request("GET", `${product.store}/q/${token}`)).status).toBe(404); } },
  ];
}

/** Holds that every forgery of every kind is refused, that the genuine token is not, and that nothing was changed. */
async function refusesAll(forgeries: (kind: Kind, header: Claims, claims: Claims) => readonly string[]): Promise<void> {
  await unchanged(product, DROPS, async () => {
    for (const kind of kinds()) for (const token of forgeries(kind, headerOf(kind.genuine), claimsOf(kind.genuine))) await kind.refused(token);
  });
  expect((await request("GET", `${product.store}/q/${vouchers[0]}`)).status).toBe(302);
  expect((await mine.shopper.read(mine.order, mine.receipt)).status).toBe(200);
}

hostile(43, "a token with alg none, or a public key as HMAC secret, answer 401 credential_invalid, and a page that says so for a coupon", async () => {
  const { body: jwks } = await request("GET", `${product.store}/.well-known/jwks.json`);
  const publicKeys = jwks.keys.flatMap((key: { x: string }) => [Buffer.from(key.x, "base64url"), key.x, JSON.stringify(key)]);
  await refusesAll(({ genuine, signing }, header, claims) => [
    ...["none", "None", "NONE", "nOnE", "", null].map((alg) => jws({ ...header, alg }, claims, unsigned)),
    ...["RS256", "ES256", "HS512", "EdDSA ", "Ed448"].map((alg) => jws({ ...header, alg }, claims, signing)),
    ...publicKeys.map((key: string | Buffer) => jws({ ...header, alg: "HS256" }, claims, hmacSigning(key))),
    jws(header, claims, hmacSigning("")), jws(header, claims, unsigned), genuine.split(".").slice(0, 2).join("."), `${genuine}.`, `${genuine}.x.y`,
  ]);
});

hostile(44, "a key id that is a path, SQL or an address, a key in the header, answer as for no key", async () => {
  await refusesAll(({ genuine, signing }, header, claims) => {
    const { x, kty, crv } = secretJwk(product, "COUPON_KEY");
    return [
      ...["../../x", "' OR 1=1 --", "https://evil.example/jwks.json", "__proto__", "constructor", "", null, 1, ["t1"], "coupon-", "receipt-x", `${String(header["kid"])} `].map((kid) => jws({ ...header, kid }, claims, signing)),
      ...[{ jku: "https://evil.example/jwks.json" }, { x5u: "https://evil.example/cert" }, { jwk: { kty, crv, x } }, { x5c: ["AA"] }, { crit: ["exp"] }, { b64: false, crit: ["b64"] }, { cty: "JWT" }, { zip: "DEF" }].map((more) => jws({ ...header, ...more }, claims, signing)),
      reminted(genuine, signing, { header: { typ: "JWT" } }), reminted(genuine, signing, { header: { typ: undefined } }),
    ];
  });
});

hostile(45, "a token without an end, with one in words, in the year 9999, not yet valid or from the future, answer as for none", async () => {
  const now = Math.floor(Date.now() / 1_000);
  const year = 365 * 86_400;
  await refusesAll(({ genuine, signing }) => [
    reminted(genuine, signing, { without: ["exp"] }),
    ...[String(now + 60), now - 60, now + 5 * year, 253_370_764_800, -1, null, "9999-01-01", [now + 60]].map((exp) => reminted(genuine, signing, { claims: { exp } })),
    ...[now + 3_600, String(now)].map((nbf) => reminted(genuine, signing, { claims: { nbf } })),
    ...[now + 3_600, "now"].map((iat) => reminted(genuine, signing, { claims: { iat } })),
    ...["iat", "jti", "aud", "iss"].map((name) => reminted(genuine, signing, { without: [name] })),
  ]);
});

hostile(46, "a token of another drop, another shop or another use, answer as for none", async () => {
  await refusesAll(({ genuine, signing }) => [
    ...["other/pass", "main/ticket", "drop:nothing", "drop:*", "receipt ", "", ["main/pass", "other/pass"], "drop:main drop:other"].map((aud) => reminted(genuine, signing, { claims: { aud } })),
    ...["https://evil.example", "Tranche", "tranche ", null, ["tranche"]].map((iss) => reminted(genuine, signing, { claims: { iss } })),
    ...kinds().filter((kind) => kind.genuine !== genuine).map((kind) => kind.genuine),
  ]);
});

hostile(47, "one voucher for three uses by 500 parallel orders, answer three times 201 and 409 for the rest", async () => {
  const crowd = await admittedPeople(product, "thrice", 25, "THRICE-1");
  const minted = await desk(product, "POST", "/desk/api/drops/thrice/vouchers", { campaign: "berlin-night", count: 1, uses: 3 });
  const coupon = minted.body.vouchers[0].token as string;
  const holds = await Promise.all(crowd.map((shopper) => shopper.hold([{ sku: "THRICE-1", quantity: 1 }])));
  const attempts = Array.from({ length: 500 }, (_, index) => index % crowd.length);
  const answers = await inParallel(attempts, 500, (index) => (crowd[index] as Shopper).order(holds[index]?.body.id, { coupon }));
  const accepted = answers.filter((answer) => answer.status === 201);
  expect(accepted.map((answer) => [answer.body.discountMinor, answer.body.totalMinor])).toEqual(Array(3).fill([420, 3780]));
  const refused = answers.filter((answer) => answer.status !== 201);
  for (const answer of refused) expectRefusal(answer, 409, answer.body.code === "order_placed" ? "order_placed" : "coupon_used_up");
  const { body } = await desk(product, "GET", "/desk/api/orders?drop=thrice&limit=100");
  expect(body.orders.filter((order: Answer["body"]) => order.coupon !== null)).toHaveLength(3);
});

hostile(48, "two coupons, one that names its own discount or another drop's, answer 422; a whole discount is a total of 0 and never less", async () => {
  const shopper = person();
  const { body: hold } = await shopper.hold(MAIN);
  const signing = edSigning(secretJwk(product, "COUPON_KEY"));
  const order = (coupon: unknown) => sendProven(shopper, "PUT", `/api/orders/${clientId("ord")}`, shopper.pass, JSON.stringify({ drop: "main", hold: hold.id, email: "a@b.example", delivery: { method: "pickup", point: "kiosk-k" }, coupon }));
  await unchanged(product, DROPS, async () => {
    for (const coupon of [["BERLIN", "BERLIN"], { percentOff: 200 }, 100, true, "x".repeat(4_097), "A\nB", "\uD800"]) expectRefusal(await order(coupon), 422, "invalid_request");
    const [voucher = ""] = vouchers;
    for (const claims of [{ percentOff: 200 }, { uses: -1 }, { aud: "drop:other" }, { region: "hamburg" }, { campaign: "nothing" }]) expectRefusal(await order(reminted(voucher, signing, { claims })), 422, "coupon_invalid");
    expectRefusal(await order("BERLIN,BERLIN"), 422, "coupon_invalid");
  });
  const [lucky] = await admittedPeople(product, "gift", 1, "GIFT-1");
  const gift = await lucky?.hold([{ sku: "GIFT-1", quantity: 1 }]);
  const free = await lucky?.order(gift?.body.id, { coupon: "GIFT" });
  expect(free?.body).toMatchObject({ discountMinor: 4200, totalMinor: 0 });
  expect(await orderAtDesk(product, free?.body.id, (view) => view.state === "confirmed")).toMatchObject({ totalMinor: 0, capturedMinor: 0 });
  expect(await partiesOf(product, free?.body.id)).toEqual({});
});

hostile(49, "coupon words guessed one after the other, answer 422 coupon_invalid, one for all of them, then 429 too_many_requests", async () => {
  const shopper = person();
  const { body: hold } = await shopper.hold(MAIN);
  await unchanged(product, DROPS, async () => {
    const answers: Answer[] = [];
    for (const coupon of ["NOTHING", "PAST", "SOON", "GIFT", "BERLIN-NIGHT", vouchers[0]?.slice(0, -2) ?? "", "%", "BER%", "berl_n", "\u202EBERLIN"]) answers.push(await shopper.order(hold.id, { coupon }));
    for (const answer of answers) expectRefusal(answer, 422, "coupon_invalid");
    expect(new Set(answers.map(({ body: { instance: _own, ...said } }) => JSON.stringify(said))).size).toBe(1);
    const limited = await shopper.order(hold.id, { coupon: "BERLIN" });
    expectRefusal(limited, 429, "too_many_requests");
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
  });
  expect((await shopper.order(hold.id)).status, "without a coupon the order goes on").toBe(201);
});

hostile(53, "a QR with 4 KB of garbage, another shop's voucher or unicode tricks, answer 404 and a page that says it is not valid", async () => {
  const [voucher = ""] = vouchers;
  const foreign = jws({ ...headerOf(voucher), kid: "coupon-00000000" }, claimsOf(voucher), hmacSigning("x"));
  await unchanged(product, DROPS, async () => {
    for (const code of ["x".repeat(4_096), "%00", "%F0%9F%8E%9F", "%E2%80%AE".repeat(50), "A.B.C", "...", "%2e%2e%2f", foreign, `${voucher}%00`, `${voucher}%20`, `%0A${voucher}`, `${voucher}=`, voucher.toUpperCase(), encodeURIComponent(MARKUP)]) {
      const startedAt = performance.now();
      const answer = await request("GET", `${product.store}/q/${code}`, { headers: { accept: "text/html" } });
      expect(answer.status, code.slice(-30)).toBe(404);
      expect(answer.body).toContain("<h1>");
      expect(answer.body).not.toContain("<script>alert");
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    }
    expectRefusal(await request("GET", `${product.store}/q/${"x".repeat(9_000)}`), 413, "too_large");
  });
});

const PAGES = ["/", "/berlin/main", "/drops/main/plan", "/drops/main/record", "/orders/ord_00000000000000000000000000", "/nothing", "/berlin/nothing"] as const;
const APIS = ["/healthz", "/api/drops", "/api/drops/main", "/api/drops/main/live", "/api/drops/main/record", "/api/nothing", "/openapi.json", "/.well-known/jwks.json", "/desk/api/orders?drop=main"] as const;

hostile(54, "markup in a title, a story and an order's note, answer text only, under a policy without inline scripts and with trusted types", async () => {
  for (const path of PAGES) {
    const { body, headers } = await request("GET", `${product.store}${path}`, { headers: { accept: "text/html" } });
    expect(body, path).not.toMatch(/<script>alert|<img src=x|<svg onload|href="javascript:/i);
    for (const block of String(body).match(/<script[^>]*>[\s\S]*?<\/script>/g) ?? []) expect(block).toMatch(/src="|type="application\/(ld\+)?json"|type="speculationrules"/);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*|https?:/);
  }
  const { body } = await request("GET", `${product.store}/berlin/main`);
  expect(body).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  const shopper = person();
  const { body: hold } = await shopper.hold(MAIN);
  const delivery = { method: "pickup", point: "kiosk-k", slot: MARKUP };
  await unchanged(product, DROPS, async () => expectRefusal(await shopper.order(hold.id, { delivery }), 422, "invalid_request"));
});

hostile(56, "a form of another site, no right Origin or JSON as text, answer 403 origin_refused or 415 unsupported_media_type", async () => {
  const shopper = person();
  const [path, body] = [`/api/drops/main/holds/${clientId("hld")}`, JSON.stringify({ lines: MAIN })];
  await unchanged(product, DROPS, async () => {
    for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { origin: `${product.store}.evil.example` }, { origin: product.sandbox }, { "sec-fetch-site": "cross-site" }, { origin: "file://" }]) {
      expectRefusal(await sendProven(shopper, "PUT", path, shopper.pass, body, headers as Record<string, string>), 403, "origin_refused");
      expectRefusal(await sendProven(shopper, "DELETE", path, shopper.pass, null, headers as Record<string, string>), 403, "origin_refused");
      expectRefusal(await sendRaw("POST", `${product.store}/berlin/main`, "a=b", headers as Record<string, string>), 403, "origin_refused");
    }
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "text/json", "application/json; charset=utf-16", "application/json, text/plain", "application/ld+json", "application/json\u00a0"]) {
      expectRefusal(await sendProven(shopper, "PUT", path, shopper.pass, body, { "content-type": type }), 415, "unsupported_media_type");
    }
    expectRefusal(await sendProven(shopper, "PUT", path, shopper.pass, body, { "content-encoding": "gzip" }), 415, "unsupported_media_type");
    expectRefusal(await sendRaw("POST", `${product.store}/berlin/main`, "a=b"), 405, "method_not_allowed");
  });
});

hostile(57, "every page and API address, answer without any cookie", async () => {
  for (const path of [...PAGES, ...APIS, `/q/${vouchers[0]}`]) expect((await request("GET", `${product.store}${path}`, { headers: { cookie: "session=attacker; __Host-ticket=x" } })).headers.get("set-cookie"), path).toBe(null);
});

hostile(59, "a credential in an address or a referrer, answer no referrer to others, and none in the provider's way back", async () => {
  for (const path of [...PAGES, ...APIS]) expect((await request("GET", `${product.store}${path}`)).headers.get("referrer-policy"), path).toMatch(/^(same-origin|no-referrer)$/);
  const session = new URL(theirs.url).pathname.split("/").at(-1);
  const { body } = await request("GET", `${product.sandbox}/sandbox/v1/checkout/sessions/${session}`, { headers: { authorization: `Bearer ${secret(product, "STRIPE_KEY")}` } });
  for (const address of [body.success_url, body.cancel_url]) expect(address).toBe(`${product.store}/orders/${theirs.order}`);
  expect(theirs.url).not.toMatch(/token|receipt|eyJ/);
  expectRefusal(await request("GET", `${product.store}/api/orders/${mine.order}?receipt=${mine.receipt}&access_token=${mine.receipt}`), 401, "credential_missing");
});

hostile(60, "any address in a frame, answer frame-ancestors 'none'", async () => {
  for (const path of [...PAGES, ...APIS]) {
    const { headers } = await request("GET", `${product.store}${path}`);
    expect(headers.get("content-security-policy"), path).toContain("frame-ancestors 'none'");
    expect(headers.get("x-frame-options"), path).toBe("DENY");
    expect(headers.get("x-content-type-options"), path).toBe("nosniff");
  }
});

hostile(61, "an Origin of null or of another site, with credentials or as a preflight, answer no CORS header", async () => {
  for (const origin of ["null", "https://evil.example", product.store]) {
    for (const path of [...PAGES, ...APIS]) {
      const answers = [await request("GET", `${product.store}${path}`, { headers: { origin, cookie: "a=b" } }), await request("OPTIONS", `${product.store}${path}`, { headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": "dpop" } })];
      for (const { headers } of answers) expect([...headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  }
});

const INJECTIONS = ["' OR '1'='1", "1; DROP TABLE orders; --", "%%%%", `%${"_".repeat(60)}%`, "\" UNION SELECT 1,2,3 --", "${7*7}", "{{7*7}}", "\u0000", "a\u202eb", "../../etc/passwd", "__proto__", "constructor"];

hostile(62, "SQL in every word, number, cursor and filter, answer 404 not_found or 422 invalid_request", async () => {
  const shopper = person();
  const { body: hold } = await shopper.hold(MAIN);
  await unchanged(product, DROPS, async () => {
    for (const text of INJECTIONS) {
      const coded = encodeURIComponent(text);
      for (const path of [`/api/drops/${coded}`, `/api/drops/${coded}/live`, `/api/drops/${coded}/record`, `/api/drops/main/tickets/${coded}`, `/api/drops/main/tickets/${coded}/proof`]) expectRefusal(await request("GET", `${product.store}${path}`), 404, "not_found");
      for (const path of [`/api/drops/main/record?from=${coded}`, `/api/drops/main/entries?shard=${coded}`]) expectRefusal(await request("GET", `${product.store}${path}`), 422, "invalid_request");
      // A name that could be a drop's is one without orders, like every drop that never was.
      if (text !== "constructor") expectRefusal(await desk(product, "GET", `/desk/api/orders?drop=${coded}`), 422, "invalid_request");
      for (const path of [`/desk/api/orders?drop=main&limit=${coded}`, `/desk/api/orders?drop=main&sort=${coded}`, `/desk/api/ledger/transfers?order=${coded}`]) expectRefusal(await desk(product, "GET", path), 422, "invalid_request");
      expect((await desk(product, "GET", `/desk/api/orders?drop=main&cursor=${coded}`)).status).toBeLessThan(500);
      expectRefusal(await desk(product, "GET", `/desk/api/orders/${coded}`), 404, "not_found");
      expectRefusal(await shopper.hold([{ sku: text, quantity: 1 }]), 422, "invalid_request");
      expectRefusal(await shopper.order(hold.id, { delivery: { method: "pickup", point: text } }), 422, "invalid_request");
      expectRefusal(await shopper.order(hold.id, { email: text }), 422, "invalid_request");
    }
  });
});

hostile(63, "another buyer's order, another drop's hold, the desk as a buyer, answer 404 not_found or 401", async () => {
  const shopper = people[0] as Shopper;
  await unchanged(product, DROPS, async () => {
    expectRefusal(await theirs.shopper.read(theirs.order, mine.receipt), 404, "not_found");
    expectRefusal(await shopper.proven("GET", `/api/orders/${theirs.order}`, shopper.pass), 404, "not_found");
    expectRefusal(await shopper.proven("GET", `/api/orders/${mine.order}/receipt`, shopper.pass), 404, "not_found");
    expectRefusal(await mine.shopper.read(clientId("ord"), mine.receipt), 404, "not_found");
    expectRefusal(await request("GET", `${product.store}/api/orders/${mine.order}`), 401, "credential_missing");
    expectRefusal(await shopper.proven("GET", `/api/drops/main/holds/${theirs.hold}`, shopper.pass), 404, "not_found");
    expectRefusal(await shopper.proven("GET", `/api/drops/other/holds/${theirs.hold}`, shopper.pass), 401, "credential_invalid");
    expectRefusal(await shopper.proven("PUT", `/api/orders/${theirs.order}`, shopper.pass, { drop: "other", hold: theirs.hold, email: "a@b.example", delivery: { method: "pickup", point: "kiosk-k" } }), 401, "credential_invalid");
    expectRefusal(await request("GET", `${product.store}/api/drops/main/tickets/${clientId("tkt")}`), 404, "not_found");
    for (const token of [shopper.pass, mine.receipt, shopper.ticket]) {
      expectRefusal(await request("GET", `${product.desk}/desk/api/orders?drop=main`, { headers: { authorization: `Bearer ${token}` } }), 401, "credential_invalid");
    }
    // A stranger's answer for an order that is there and for one that never was are the same.
    const [there, never] = await Promise.all([theirs.order, clientId("ord")].map((order) => shopper.proven("GET", `/api/orders/${order}`, shopper.pass)));
    expect({ ...there?.body, instance: "" }).toEqual({ ...never?.body, instance: "" });
  });
});

hostileBeyond("a DPoP proof of another address, method, token, key or nonce, answer 401 credential_invalid or use_dpop_nonce", async () => {
  const [shopper, other] = [person(), people[0] as Shopper];
  const url = shopper.url(`/api/drops/main/holds/${clientId("hld")}`);
  await Promise.all([shopper.live(), other.live()]);
  const send = (proof: string, authorization = `DPoP ${shopper.pass}`) => sendRaw("PUT", url, JSON.stringify({ lines: MAIN }), { authorization, dpop: proof });
  const proof = (changes: { header?: object; claims?: object } = {}) => shopper.proof("PUT", url, shopper.pass, shopper.nonce, changes);
  const genuine = await proof();
  await unchanged(product, DROPS, async () => {
    const forged = await Promise.all([
      proof({ claims: { htm: "GET" } }), proof({ claims: { htm: "put" } }), proof({ claims: { htu: `${url}0` } }), proof({ claims: { htu: url.replace("http:", "https:") } }), proof({ claims: { htu: url.replace("//", "//x@") } }), proof({ claims: { htu: "" } }),
      proof({ claims: { ath: "" } }), proof({ claims: { ath: undefined } }), proof({ claims: { jti: "" } }), proof({ claims: { jti: undefined } }), proof({ header: { typ: "JWT" } }), proof({ header: { alg: "none" } }), proof({ header: { alg: "HS256" } }),
      proof({ header: { kid: "x" } }), proof({ header: { jku: "https://evil.example" } }), proof({ header: { crit: ["b64"], b64: false } }), proof({ header: { jwk: await other.publicKey() } }), proof({ header: { jwk: { ...await shopper.publicKey(), d: "A".repeat(43) } } }), proof({ header: { jwk: undefined } }),
      shopper.proof("PUT", url, other.pass), other.proof("PUT", url, shopper.pass),
    ]);
    for (const dpop of [...forged, `${genuine.slice(0, -4)}AAAA`, `${genuine}, ${genuine}`, "x", "", "..", `${genuine.split(".").slice(0, 2).join(".")}.`, `${genuine}${"A".repeat(5_000)}`]) expectRefusal(await send(dpop), 401, "credential_invalid");
    for (const nonce of ["", "x", undefined]) {
      const asked = await send(await proof({ claims: { nonce } }));
      expectRefusal(asked, 401, "use_dpop_nonce");
      expect(asked.headers.get("dpop-nonce")).toBe(shopper.nonce);
    }
    expectRefusal(await send(genuine, `DPoP ${other.pass}`), 401, "credential_invalid");
    expectRefusal(await send(genuine, `DPoP ${shopper.pass} x`), 401, "credential_missing");
  });
  expect((await send(genuine)).status).toBe(201);
});

hostileBeyond("a member twice, `__proto__`, deep nesting, a byte order mark, UTF-16 and trailing text, answer 400 malformed_request or 422 invalid_request", async () => {
  const shopper = person();
  const path = `/api/drops/main/holds/${clientId("hld")}`;
  const lines = '[{"sku":"MAIN-1","quantity":1}]';
  await unchanged(product, DROPS, async () => {
    const malformed = [`{"lines":[],"lines":${lines}}`, `{"lines":${lines},"l\\u0069nes":${lines}}`, '{"lines":[{"sku":"MAIN-1","quantity":1,"quantity":2}]}', `{"lines":${lines}`, `{"lines":${lines}} {}`, `\uFEFF{"lines":${lines}}`, "", "{'lines':1}", "NaN", `{"lines":${lines},}`];
    for (const body of malformed) expectRefusal(await sendProven(shopper, "PUT", path, shopper.pass, body), 400, "malformed_request");
    for (const bytes of [Buffer.from(`{"lines":${lines}}`, "utf16le"), Buffer.from([0x7b, 0xff, 0x7d]), Buffer.from('{"x":"\xed\xa0\x80"}', "latin1")]) expectRefusal(await sendProven(shopper, "PUT", path, shopper.pass, new Uint8Array(bytes)), 400, "malformed_request");
    for (const body of [`{"lines":${lines},"__proto__":{"admin":true}}`, `{"__proto__":{"lines":${lines}}}`, `{"lines":${lines},"constructor":{"prototype":{}}}`, `[{"lines":${lines}}]`, "null", "7", `{"lines":${"[".repeat(7_000)}${"]".repeat(7_000)}}`, `{"lines":{"0":{"sku":"MAIN-1","quantity":1},"length":1}}`]) {
      expectRefusal(await sendProven(shopper, "PUT", path, shopper.pass, body), 422, "invalid_request");
    }
    expectRefusal(await sendProven(shopper, "PUT", path, shopper.pass, `{"lines":${lines},"x":"${"x".repeat(17_000)}"}`), 413, "too_large");
  });
});

hostileBeyond("a path that climbs, doubled slashes, HEAD, OPTIONS, TRACE and methods of their own, answer 404, 405 and never a file", async () => {
  const { host } = new URL(product.store);
  const ask = (line: string, headers = "") => sendBytes(product.store, `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}\r\n`);
  await unchanged(product, DROPS, async () => {
    for (const path of ["/../../etc/passwd", "/api/drops/../../../etc/passwd", "/api/drops/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/..\\..\\package.json", "/wrangler.toml", "/keys.json", "/.env", "/.git/config", "//etc/passwd", "/api//drops", "/api/drops/main%00/live", "/api/drops/MAIN", "/api/drops/main/live/", "/%c0%ae%c0%ae/etc/passwd"]) {
      const answer = await ask(`GET ${path}`);
      expect([400, 404], `${path} ${answer.status}`).toContain(answer.status);
      expect(JSON.stringify(answer.body)).not.toMatch(/root:|\[vars|STRIPE/);
    }
    expect((await request("HEAD", `${product.store}/api/drops/main`)).body).toBe("");
    for (const method of ["TRACE", "PATCH", "PROPFIND", "LOCK", "SEARCH"]) {
      const answer = await ask(`${method} /api/drops/main`, "Authorization: Bearer secret-of-mine\r\n");
      expect([400, 405, 501], `${method} ${answer.status}`).toContain(answer.status);
      expect(JSON.stringify(answer.body)).not.toContain("secret-of-mine");
    }
    for (const [method, path] of [["OPTIONS", "/api/drops"], ["POST", "/api/drops/main"], ["DELETE", "/api/drops/main/record"], ["PUT", "/healthz"], ["POST", `/api/orders/${mine.order}`], ["GET", "/api/drops/main/passes"]] as const) {
      const answer = await request(method, `${product.store}${path}`);
      expectRefusal(answer, 405, "method_not_allowed");
      expect(answer.headers.get("allow")).toBeTruthy();
    }
    expectRefusal(await request("POST", `${product.store}/api/drops/main`, { headers: { "x-http-method-override": "PUT" } }), 405, "method_not_allowed");
  });
});

hostileBeyond("headers of 64 KB, a foreign Host, a forged Rehearsal and X-Forwarded-For, a length that lies, answer refused and the store alive", async () => {
  const { host } = new URL(product.store);
  await unchanged(product, DROPS, async () => {
    const fat = await sendBytes(product.store, `GET /api/drops HTTP/1.1\r\nHost: ${host}\r\nX-Fat: ${"x".repeat(65_536)}\r\nConnection: close\r\n\r\n`).catch(() => null);
    expect([200, 400, 413, 431, undefined]).toContain(fat?.status);
    const token = await sendBytes(product.store, `PUT /api/drops/main/holds/${clientId("hld")} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: DPoP ${"A".repeat(12_000)}\r\nDPoP: ${"A".repeat(12_000)}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`);
    expectRefusal(token, 401, "credential_invalid");
    const smuggled = await sendBytes(product.store, `POST /api/drops/main/passes HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /desk/api/orders?drop=main HTTP/1.1\r\nHost: x\r\n\r\n`, 800).catch(() => null);
    expect(smuggled?.status ?? 400).not.toBe(200);
    for (const headers of [{ rehearsal: "guess 1.2.3.4 DE 52 13" }, { "x-forwarded-for": "1.2.3.4" }, { "cf-connecting-ip": "1.2.3.4" }, { "x-forwarded-host": "evil.example" }, { "x-original-url": "/desk/api/orders" }]) {
      const answer = await request("GET", `${product.store}/main`, { headers: headers as Record<string, string> });
      expect([answer.status, answer.headers.get("location")]).toEqual([302, "/berlin/main"]);
    }
    expect((await request("GET", `${product.store}/healthz`)).status).toBe(200);
  });
});

hostileBeyond("coupon words of another alphabet, with marks nobody sees or a dotted capital, answer 422 coupon_invalid; full-width letters and a dotless i are the same word", async () => {
  const shopper = person();
  const [{ body: hold }, { body: second }] = await Promise.all([shopper.hold(MAIN), shopper.hold(MAIN)]);
  await unchanged(product, DROPS, async () => {
    for (const coupon of ["BERLІN", "BER\u200bLIN", "BERLIN\u0301", "BERLİN", "\u2066BERLIN\u2069"]) expectRefusal(await shopper.order(hold.id, { coupon }), 422, "coupon_invalid");
  });
  for (const [id, coupon] of [[hold.id, "ＢＥＲＬＩＮ"], [second.id, "berlın"]]) expect((await shopper.order(id, { coupon })).body).toMatchObject({ discountMinor: 420, totalMinor: 3780 });
});

countHostile("Coupons and tokens", "Web");
