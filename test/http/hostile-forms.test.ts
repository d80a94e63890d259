import { afterAll, beforeAll, expect, test } from "vitest";
import { inParallel, wait } from "../support/crowd.ts";
import { FormBrowser } from "../support/form-browser.ts";
import { atRest, desk, expectRefusal, unchanged } from "../support/hostile.ts";
import { countApart, hostile, hostileBeyond } from "../support/hostile-entries.ts";
import { workFor } from "../support/gates.ts";
import { mailedCode } from "../support/mailbox.ts";
import { startProduct, type Product } from "../support/product.ts";
import { readRecord } from "../support/record-verifier.ts";
import { clientId, payAt, request, Shopper } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

/* Hostile inputs against the way without script: forms, and the cookies that stand in for a key. */

const DROPS = ["sale", "other", "gated", "narrow"] as const;
const WANTS = { "quantity-ONE": "1" };

let product: Product;
const lineOf = (drop: string) => `/berlin/${drop}/line`;
const browser = (headers: Record<string, string> = {}) => new FormBrowser(product.store, { headers });

beforeAll(async () => {
  const items = [{ sku: "ONE", priceMinor: 4200, quantity: 100 }];
  product = await startProduct(storeVars(
    { slug: "sale", items, limitPerPerson: 2 },
    { slug: "other", items },
    { slug: "gated", items, gates: "{ work = 20000, email = true }", opensAfter: "20m", closesAfter: "2h", admit: "paced" },
    { slug: "narrow", items, budgets: "{ joins = 40 }", opensAfter: "20m", closesAfter: "2h", admit: "paced" },
  ));
});
afterAll(() => product?.stop());

/** Somebody who has said what is wanted and by whom, and got a code. */
async function applied(drop: string, email: string, shopper = browser()): Promise<FormBrowser> {
  await shopper.open(lineOf(drop));
  await shopper.send(lineOf(drop), { ...WANTS, email });
  expect(shopper.heading, shopper.text).toBe("Is this you?");
  return shopper;
}

async function joined(drop: string, email: string, shopper = browser()): Promise<FormBrowser> {
  await applied(drop, email, shopper);
  await shopper.send("/proof", { code: await mailedCode(product, email) });
  return shopper;
}

/** Somebody whose place is called. */
async function called(drop: string, email: string): Promise<FormBrowser> {
  const shopper = await joined(drop, email);
  for (let attempt = 0; attempt < 60 && shopper.heading !== "It is your turn"; attempt++) {
    await wait(250);
    await shopper.open(`${lineOf(drop)}/place`);
  }
  expect(shopper.heading, shopper.text).toBe("It is your turn");
  return shopper;
}

/** Does `work` and holds that it changed nothing, once earlier joins are sealed. */
async function untouched<Value>(work: () => Promise<Value>): Promise<Value> {
  await atRest(product, DROPS, 600);
  return unchanged(product, DROPS, work);
}

const entryOf = (shopper: FormBrowser) => /<code>([0-9a-f]{12})…<\/code>/.exec(shopper.page.html)?.[1];
const ticketShown = (shopper: FormBrowser) => /<code>(tkt_[0-9A-Z]{26})<\/code>/.exec(shopper.page.html)?.[1] ?? "";

test("the whole way is open to a browser that only sends forms", async () => {
  const shopper = await called("sale", "whole@shopper.example");
  await shopper.send("/hold", WANTS);
  expect(shopper.heading).toBe("Held for you");
  await shopper.send("/order");
  expect(shopper.page.path).toMatch(/^\/orders\/ord_[0-9A-Z]{26}\/payment$/);
  const payUrl = shopper.page.headers.get("refresh")?.replace("0; url=", "") ?? "";
  expect((await payAt(payUrl)).status).toBeLessThan(400);
  const order = shopper.page.path.replace("/payment", "");
  for (let attempt = 0; attempt < 40 && shopper.heading !== "It is yours"; attempt++) {
    await wait(250);
    await shopper.open(order);
  }
  expect(shopper.heading).toBe("It is yours");
});

hostile(22, "a hidden field filled in, or a form sent at once, answer 422, nothing done, and a way to send it by hand", async () => {
  for (const [entered, isHasty] of [[{ website: "https://spam.example" }, false], [{}, true]] as const) {
    const shopper = browser();
    const email = `hasty-${isHasty}@shopper.example`;
    await untouched(async () => {
      await shopper.open(lineOf("sale"));
      await shopper.send(lineOf("sale"), { ...WANTS, email, ...entered }, { isHasty });
      expect([shopper.page.status, shopper.heading]).toEqual([422, "Please send it once more"]);
    });
    const { body } = await request("GET", `${product.sandbox}/sandbox/mail?to=${encodeURIComponent(email)}`);
    expect(body.messages).toEqual([]);
    await shopper.send(lineOf("sale"));
    expect(shopper.heading).toBe("Is this you?");
  }
});

hostile(56, "a form from another site, from nowhere, as text, answer 403 or 415 and nothing is held", async () => {
  const shopper = await called("sale", "forged@shopper.example");
  const { action, fields } = shopper.fields("/hold");
  await wait(330);
  const sent = { ...fields, ...WANTS };
  const foreign: Record<string, string>[] = [{}, { origin: "null" }, { origin: "https://evil.example" }, { origin: product.store, "sec-fetch-site": "cross-site" }, { origin: product.sandbox }, { referer: "https://evil.example/" }, { origin: product.store.replace("127.0.0.1", "localhost") }];
  await untouched(async () => {
    for (const headers of foreign) expect((await shopper.post(action, sent, { headers })).status, JSON.stringify(headers)).toBe(403);
    for (const type of ["text/plain", "application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; charset=utf-16"]) {
      expect((await shopper.post(action, sent, { headers: { origin: product.store, "content-type": type } })).status, type).toBe(415);
    }
  });
  // The same form, sent from its own page, does hold.
  await shopper.post(action, sent);
  expect(shopper.heading).toBe("Held for you");
});

hostile(57, "every cookie of the way, answer __Host- with all flags, and none on what is kept for everybody", async () => {
  const shopper = await called("sale", "flags@shopper.example");
  await shopper.send("/hold", WANTS);
  await shopper.send("/order");
  const kinds = new Set(shopper.cookiesSet.map((text) => /^(__Host-[a-z]+)-/.exec(text)?.[1]));
  expect([...kinds].toSorted()).toEqual(["__Host-application", "__Host-place", "__Host-receipt", "__Host-seat", "__Host-shown"]);
  for (const text of shopper.cookiesSet) expect(text).toMatch(/^__Host-[a-z]+-[\w-]+=[\w.-]*; Max-Age=\d+; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
  for (const path of ["/", "/berlin/sale", "/drops/sale/plan", "/brand.css", "/api/drops/sale/live"]) {
    await shopper.open(path);
    expect([path, shopper.page.headers.get("set-cookie"), shopper.page.html.includes("__Host-")]).toEqual([path, null, false]);
  }
  for (const path of [lineOf("sale"), `${lineOf("sale")}/place`]) {
    await shopper.open(path);
    expect(shopper.page.headers.get("cache-control")).toBe("private, no-store");
  }
});

hostile(58, "a cookie that was planted or copied before the proof, answer a new one at the proof, and the planted one is worth nothing", async () => {
  // Planted: the attacker's own application. The victim's code is for another address.
  const attacker = await applied("sale", "attacker@shopper.example");
  const victim = browser();
  for (const [name, value] of attacker.jar) victim.jar.set(name, value);
  await victim.open(lineOf("sale"));
  await victim.send(lineOf("sale"), { ...WANTS, email: "victim@shopper.example" });
  // Whoever sends the form gets a new ticket, whatever cookie was there.
  expect([...victim.jar]).not.toEqual([...attacker.jar]);
  const planted = new Map(victim.jar);
  await victim.send("/proof", { code: await mailedCode(product, "victim@shopper.example") });
  expect([...victim.jar.keys()].filter((name) => name.includes("-application-"))).toEqual([]);
  // The cookie from before the proof: no place, no turn, no way on without the code.
  const thief = browser();
  for (const [name, value] of planted) thief.jar.set(name, value);
  await thief.open(`${lineOf("sale")}/place`);
  expect(thief.heading).toBe("Join without JavaScript");
  await thief.open(`${lineOf("sale")}/proof`);
  await thief.send("/proof", { code: await mailedCode(product, "attacker@shopper.example") });
  expect(thief.page.status).toBe(422);
  // Every pass is a new cookie as well.
  const before = [...victim.jar.values()];
  await victim.open(`${lineOf("sale")}/place`);
  await victim.send("/hold", WANTS);
  const seat = [...victim.jar].find(([name]) => name.includes("-seat-"))?.[1] ?? "";
  expect(seat.length).toBeGreaterThan(100);
  expect(before).not.toContain(seat);
});

hostile(59, "a credential in an address, answer none from the first page to the provider's way back", async () => {
  const shopper = await called("sale", "addresses@shopper.example");
  await shopper.send("/hold", WANTS);
  await shopper.send("/order");
  const secrets = [...shopper.jar.values()].filter((value) => value.length > 20);
  expect(secrets.length).toBeGreaterThanOrEqual(3);
  const payUrl = shopper.page.headers.get("refresh") ?? "";
  const { body: page } = await request("GET", payUrl.replace("0; url=", ""));
  for (const address of [...shopper.addresses, payUrl, String(page)]) {
    expect(address).not.toMatch(/eyJ|__Host-|tkt_/);
    for (const secret of secrets) expect(address.includes(secret)).toBe(false);
  }
  expect(shopper.page.headers.get("referrer-policy")).toBe("same-origin");
});

hostileBeyond("cookies that are forged, of another drop, another kind, twice there or of the way with script, answer as for none", async () => {
  const mine = await called("sale", "mine@shopper.example");
  const place = mine.jar.get("__Host-place-sale") ?? "";
  const elsewhere = await joined("other", "elsewhere@shopper.example");
  const applicant = await applied("sale", "applicant@shopper.example");
  await mine.send("/hold", WANTS);
  const seat = mine.jar.get("__Host-seat-sale") ?? "";
  const script = new Shopper(product.store, "sale");
  expect((await script.join([{ sku: "ONE", quantity: 1 }])).status).toBe(201);
  await script.admitted();
  const [head = "", claims = "", mac = ""] = place.split(".");
  const flipped = `${head}.${claims}.${mac.startsWith("A") ? "B" : "A"}${mac.slice(1)}`;
  const richer = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url").toString()), weight: 10 })).toString("base64url");
  const tokens = [flipped, `${head}.${richer}.${mac}`, `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`, elsewhere.jar.get("__Host-place-other") ?? "", applicant.jar.get("__Host-application-sale") ?? "", seat, script.ticket, script.pass, "", "x", "a.b.c", `${place}; __Host-place-sale=${place}`];
  const stamp = mine.fields("/hold/end").fields["stamp"] ?? "";
  await wait(330);
  await untouched(async () => {
    for (const token of tokens) {
      const forger = browser();
      forger.jar.set("__Host-place-sale", token);
      forger.jar.set("__Host-seat-sale", token === seat ? script.pass : token);
      await forger.open(`${lineOf("sale")}/place`);
      expect([token.slice(0, 40), forger.heading]).toEqual([token.slice(0, 40), "Join without JavaScript"]);
      expect((await forger.post(`${lineOf("sale")}/hold`, { stamp, website: "", ...WANTS })).status).toBe(401);
      expect((await forger.post(`${lineOf("sale")}/order`, { stamp, website: "", hold: clientId("hld"), email: "x@shopper.example", method: "pickup", point: "kiosk-k" })).status).toBe(401);
    }
  });
});

hostileBeyond("cookies at the API, and their texts as its tokens, answer 401: the one way takes no credential of the other", async () => {
  const shopper = await called("sale", "both@shopper.example");
  const [place = "", cookie] = [shopper.jar.get("__Host-place-sale"), [...shopper.jar].map(([name, value]) => `${name}=${value}`).join("; ")];
  await shopper.send("/hold", WANTS);
  const seat = shopper.jar.get("__Host-seat-sale") ?? "";
  const script = new Shopper(product.store, "sale");
  await script.live();
  const body = { lines: [{ sku: "ONE", quantity: 1 }] };
  await untouched(async () => {
    for (const token of [null, place, seat]) {
      for (const [method, path, sent] of [["POST", "/api/drops/sale/passes", undefined], ["PUT", `/api/drops/sale/holds/${clientId("hld")}`, body]] as const) {
        const proofs: Record<string, string>[] = token === null ? [{ cookie }] : [{ cookie, authorization: `Bearer ${token}` }, { authorization: `DPoP ${token}`, dpop: await script.proof(method, script.url(path), token) }];
        for (const headers of proofs) expect((await request(method, script.url(path), { headers, ...(sent === undefined ? {} : { body: sent }) })).status).toBe(401);
      }
    }
  });
});

hostileBeyond("one cookie in two browsers, answer one place, one sitting and one person's limit", async () => {
  const first = await called("sale", "twice@shopper.example");
  const second = browser();
  for (const [name, value] of first.jar) second.jar.set(name, value);
  await second.open(`${lineOf("sale")}/place`);
  expect(entryOf(second)).toBe(entryOf(first));
  await inParallel([first, second], 2, (shopper) => shopper.send("/hold", { "quantity-ONE": "2" }));
  expect([first, second].map(({ page }) => page.status).toSorted()).toEqual([200, 409]);
  const { rows } = await readRecord(product.store, "sale");
  const entry = entryOf(second) ?? "?";
  expect(rows.filter(({ kind, subject }) => kind === "admit" && String(subject).startsWith(entry)).length).toBe(1);
  expect(rows.filter(({ kind, subject }) => kind === "hold" && String(subject).startsWith(entry)).reduce((sum, { quantity }) => sum + Number(quantity), 0)).toBe(2);
});

hostileBeyond("a place without its code, for a drop that asks for work, answer nothing: no ticket is there before an address is proven", async () => {
  const applicant = await applied("gated", "unproven@shopper.example");
  const ticket = ticketShown(applicant);
  await untouched(async () => {
    for (const path of ["/place", "/wants", "/hold"]) {
      await applicant.open(lineOf("gated") + path);
      expect(applicant.heading).toBe("Join without JavaScript");
    }
    for (const code of ["", "x".repeat(60), "' OR 1=1 --", "00000000", "00000001", "00000002", "00000003", "00000004"]) {
      await applicant.open(`${lineOf("gated")}/proof`);
      await applicant.send("/proof", { code });
      expect(applicant.page.status).toBe(422);
    }
  });
  expect((await request("GET", `${product.store}/api/drops/gated/tickets/${ticket}`)).status).toBe(404);
  // Five wrong ones end the code: the right one comes too late, and another has to be asked for.
  await applicant.send("/proof", { code: await mailedCode(product, "unproven@shopper.example") });
  expect(applicant.page.status).toBe(422);
  await applicant.send("/codes");
  await applicant.send("/proof", { code: await mailedCode(product, "unproven@shopper.example", 2) });
  expect(applicant.heading).toBe("You are in");
  expect((await request("GET", `${product.store}/api/drops/gated/tickets/${ticket}`)).status).toBe(200);
});

hostileBeyond("two places for one address, by both ways, answer one: the address goes on with the place that it has", async () => {
  const first = await joined("gated", "once@shopper.example");
  expect(entryOf(first)).toMatch(/^[0-9a-f]{12}$/);
  const again = await joined("gated", "Once+more@shopper.example");
  expect(entryOf(again)).toBe(entryOf(first));
  const email = "ONCE@shopper.example";
  const script = new Shopper(product.store, "gated");
  expect((await request("POST", script.url("/api/drops/gated/codes"), { body: { ticket: script.ticketId, email } })).status).toBe(202);
  const identity = { email, code: await mailedCode(product, email) };
  const refused = await script.join([{ sku: "ONE", quantity: 1 }], { identity, solution: { work: await workFor(script) } });
  expectRefusal(refused, 409, "identity_in_use");
  expect((await request("GET", script.url(`/api/drops/gated/tickets/${String(refused.body.ticket)}`))).body).toMatchObject({ state: "waiting", lane: "open" });
});

hostileBeyond("staff's word: none, for another ticket, without the desk's key, twice, answer one place for one person", async () => {
  const path = "/desk/api/drops/gated/attestations";
  const applicant = await applied("gated", "staff@shopper.example");
  const ticket = ticketShown(applicant);
  await applicant.send("/attestation");
  expect(applicant.page.status).toBe(403);
  expectRefusal(await request("POST", `${product.desk}${path}`, { body: { ticket }, headers: { authorization: "Bearer nobody-knows-this-key" } }), 401, "credential_invalid");
  expectRefusal(await request("POST", `${product.desk}${path}`, { body: { ticket } }), 401, "credential_missing");
  expect((await desk(product, "POST", path, { ticket: clientId("tkt") })).status).toBe(201);
  await applicant.send("/attestation");
  expect(applicant.page.status).toBe(403);
  for (let time = 0; time < 2; time++) expect((await desk(product, "POST", path, { ticket })).body).toEqual({ ticket, attested: true });
  await applicant.send("/attestation");
  expect(applicant.heading).toBe("You are in");
  // The address has its place, and staff's word for another ticket does not give it a second one.
  const second = await applied("gated", "staff@shopper.example");
  expect((await desk(product, "POST", path, { ticket: ticketShown(second) })).status).toBe(201);
  await second.send("/attestation");
  expect(second.page.status).toBe(409);
  // What staff say of a ticket is nothing to the API: it asks for what it always asks for.
  const script = new Shopper(product.store, "gated");
  expect((await desk(product, "POST", path, { ticket: script.ticketId })).status).toBe(201);
  expect((await script.join([{ sku: "ONE", quantity: 1 }])).status).toBe(403);
});

hostileBeyond("one word of staff for a form that is sent again with twenty addresses, answer one place, and everybody else still gets theirs", async () => {
  const bot = browser();
  await bot.open(lineOf("gated"));
  const { action, fields } = bot.fields(lineOf("gated"));
  await wait(330);
  const ticketFor = async (email: string) => {
    await bot.post(action, { ...fields, ...WANTS, email });
    return ticketShown(bot);
  };
  const ticket = await ticketFor("bot@bot.example");
  expect((await desk(product, "POST", "/desk/api/drops/gated/attestations", { ticket })).status).toBe(201);
  await bot.send("/attestation");
  expect(bot.heading).toBe("You are in");
  const victims = Array.from({ length: 20 }, (_, index) => `tied-${index}@tied-${index}.example`);
  for (const email of victims) {
    await bot.post(action, { ...fields, ...WANTS, email });
    if (bot.heading === "Is this you?") await bot.send("/attestation");
    expect([403, 429]).toContain(bot.page.status);
  }
  // As for those whose address the bot could type no more for: their code gives them a place of their own.
  const script = new Shopper(product.store, "gated");
  const [byScript = "", byForms = ""] = victims;
  expect((await request("POST", script.url("/api/drops/gated/codes"), { body: { ticket: script.ticketId, email: byScript } })).status).toBe(202);
  const identity = { email: byScript, code: await mailedCode(product, byScript, 2) };
  expect((await script.join([{ sku: "ONE", quantity: 1 }], { identity, solution: { work: await workFor(script) } })).body).toMatchObject({ id: script.ticketId, lane: "open" });
  const other = await applied("gated", byForms);
  await other.send("/proof", { code: await mailedCode(product, byForms, 2) });
  expect([other.heading, ticketShown(other)]).toEqual(["You are in", expect.not.stringContaining(ticket)]);
});

hostileBeyond("a network that takes one place after another, answer 429 after its share, while others still get theirs", async () => {
  const from = (network: string) => browser({ rehearsal: `${product.rehearsalKey} ${network}` });
  // Of several domains, because a domain has a share as well; and more than two shares, because a minute may end meanwhile.
  const crowd = Array.from({ length: 21 }, (_, index) => `crowd-${index}@shop-${index % 3}.example`);
  const minute = () => Math.floor(Date.now() / 60_000);
  const startedIn = minute();
  const shoppers = await inParallel(crowd, 4, (email) => joined("narrow", email, from("198.51.100.7")));
  const refused = shoppers.filter(({ page }) => page.status === 429).length;
  expect(refused).toBeGreaterThanOrEqual(1);
  // A share is ten; in two minutes there are two of them.
  if (minute() === startedIn) expect(refused).toBe(11);
  expect((await joined("narrow", "neighbour@shopper.example", from("198.51.100.8"))).heading).toBe("You are in");
});

hostileBeyond("another drop, another region, a step that is none or another method, answer 404 or 405, and never a way in", async () => {
  for (const path of ["/berlin/none/line", "/nowhere/sale/line", "/berlin/sale/line/none", "/berlin/sale/line/hold/none", `/orders/${clientId("ord")}/payment`, `/orders/${clientId("ord")}/receipt`]) {
    expect([path, (await request("GET", product.store + path)).status]).toEqual([path, 404]);
  }
  for (const method of ["PUT", "DELETE", "PATCH"]) {
    for (const path of ["", "/hold", "/order", "/end"]) expectRefusal(await request(method, product.store + lineOf("sale") + path), 405, "method_not_allowed");
  }
  expectRefusal(await request("POST", `${product.store}${lineOf("sale")}/place`, { headers: { origin: product.store } }), 405, "method_not_allowed");
  expect((await request("HEAD", product.store + lineOf("sale"))).status).toBe(200);
});

hostileBeyond("the contract names no page: forms are for people, and no program may rely on them", async () => {
  const { body } = await request("GET", `${product.store}/openapi.json`);
  expect(Object.keys(body.paths).filter((path) => !path.startsWith("/api/") && path.includes("line"))).toEqual([]);
  expect(JSON.stringify(body)).not.toMatch(/__Host-|urlencoded|in":"cookie/);
});

countApart("hostile-forms");
