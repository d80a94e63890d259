import { describe, expect, it } from "vitest";
import { textOfBytes } from "../../../../src/http/bounded-body.ts";
import { strictJson } from "../../../../src/kernel/strict-json.ts";
import { client, expectProblem, newShopper, type Send, type Shopper } from "../../../support/storefront-client.ts";
import { OPENS_AT, testId, TICKET, world } from "../../../support/storefront-doubles.ts";

/* No double here accepts anything: a body that gets through to the drop or the lobby throws there. */

const HOLD = `/api/drops/moth-tee/holds/${testId("hld", "A")}`;
const TICKETS = `/api/drops/moth-tee/tickets/${TICKET}`;
const ORDER = `/api/orders/${testId("ord", "A")}`;
const shopper: Shopper = await newShopper();
const send: Send = client(world());

async function putHold(text: string): Promise<Response> {
  return send("PUT", HOLD, { text, headers: await shopper.bound(shopper.pass, "PUT", HOLD) });
}

function pointers(document: Record<string, unknown>): string[] {
  return Array.isArray(document["errors"]) ? document["errors"].map((error: { pointer: string }) => error.pointer) : [];
}

describe("a body", () => {
  it.each([
    ["that is not JSON", "{lines:[]}"],
    ["that is cut off", '{"lines":['],
    ["that is empty", ""],
    ["with a byte order mark", `\ufeff${JSON.stringify({ lines: [{ sku: "MOTH-S", quantity: 1 }] })}`],
    ["with a member twice", '{"lines":[{"sku":"MOTH-S","quantity":1,"quantity":2}]}'],
    ["with a member twice in two spellings", '{"lines":[{"sku":"MOTH-S","quantity":1,"quantit\\u0079":2}]}'],
  ])("%s is malformed", async (_what, text) => {
    const response = text === "" ? await send("PUT", HOLD, { text, headers: { "content-type": "application/json", ...(await shopper.bound(shopper.pass, "PUT", HOLD)) } }) : await putHold(text);
    await expectProblem(response, "malformed_request");
  });

  it("that is not UTF-8 is malformed", async () => {
    const bound = await shopper.bound(shopper.pass, "PUT", HOLD);
    const bytes = new Uint8Array([...new TextEncoder().encode('{"lines":"'), 0xff, 0xfe, ...new TextEncoder().encode('"}')]);
    const { storefrontApp } = await import("../../../../src/storefront/app.ts");
    const response = await storefrontApp(world().ports).fetch(new Request(`https://nightjar.example${HOLD}`, { method: "PUT", body: bytes, headers: { "content-type": "application/json", ...bound } }));
    await expectProblem(response, "malformed_request");
  });

  it("that ends within a character leaves nothing behind for the next one", () => {
    expect(textOfBytes(Uint8Array.of(0x61, 0xe2, 0x82))).toBeNull();
    expect(textOfBytes(Uint8Array.of(0xac))).toBeNull();
    expect(textOfBytes(Uint8Array.of(0xe2, 0x82, 0xac))).toBe("€");
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/jsonp"])("sent as %s is not understood", async (type) => {
    const headers = { ...(await shopper.bound(shopper.pass, "PUT", HOLD)), "content-type": type };
    await expectProblem(await send("PUT", HOLD, { text: "{}", headers }), "unsupported_media_type");
  });

  it("that says it is compressed is not understood", async () => {
    const headers = { ...(await shopper.bound(shopper.pass, "PUT", HOLD)), "content-encoding": "gzip" };
    await expectProblem(await send("PUT", HOLD, { text: "{}", headers }), "unsupported_media_type");
  });

  it("over 16 KB is too large, and one nested a thousand deep is refused without harm", async () => {
    await expectProblem(await putHold(JSON.stringify({ lines: "x".repeat(16 * 1024) })), "too_large");
    await expectProblem(await putHold(`${"[".repeat(7_000)}${"]".repeat(7_000)}`), "invalid_request");
  });
});

describe("strict JSON", () => {
  it("accepts what JSON.parse accepts unless an object repeats a name", () => {
    for (const text of ['{"a":{"a":1},"b":[{"a":1},{"a":2}]}', '["a","a"]', '{"a":"a","b":"{\\"a\\":1,\\"a\\":2}"}', '{"\\\\":1,"\\"":2}', "1", '"x"', "null", '{"":1}', '{"a":[{"x":1}],"x":2}']) {
      expect(strictJson(text), text).toEqual({ value: JSON.parse(text) });
    }
    for (const text of ['{"a":1,"a":1}', '{"x":{"a":1,"b":2,"a":3}}', '[{"a":1},{"b":1,"b":1}]', '{"a":[1,{"c":1}],"a":2}', '{"":1,"":2}', '{"a":1,"\\u0061":2}', "{", "", "undefined"]) {
      expect(strictJson(text), text).toBeNull();
    }
  });
});

describe("a hold's quantities and lines", () => {
  it.each(["0", "-1", "1.5", '"1"', "[1]", "null", "9007199254740992", "1e309", "-1e309", "true", "{}", "1001"])("a quantity of %s is refused with its place, and nothing is held", async (quantity) => {
    const document = await expectProblem(await putHold(`{"lines":[{"sku":"MOTH-S","quantity":${quantity}}]}`), "invalid_request");
    expect(pointers(document)).toEqual(["/lines/0/quantity"]);
  });

  it.each<[string, unknown, string]>([
    ["no lines", {}, "/lines"],
    ["empty lines", { lines: [] }, "/lines"],
    ["lines that are no list", { lines: { sku: "MOTH-S", quantity: 1 } }, "/lines"],
    ["51 lines", { lines: Array.from({ length: 51 }, (_, index) => ({ sku: `S-${index}`, quantity: 1 })) }, "/lines"],
    ["a line without a sku", { lines: [{ quantity: 1 }] }, "/lines/0/sku"],
    ["a sku that is a query", { lines: [{ sku: "' or 1=1 --", quantity: 1 }] }, "/lines/0/sku"],
    ["the same sku twice", { lines: [{ sku: "MOTH-S", quantity: 1 }, { sku: "MOTH-M", quantity: 1 }, { sku: "MOTH-S", quantity: 1 }] }, "/lines/2/sku"],
    ["a price", { lines: [{ sku: "MOTH-S", quantity: 1, priceMinor: 1 }] }, "/lines/0/priceMinor"],
    ["a stage", { lines: [{ sku: "MOTH-S", quantity: 1 }], stage: 2 }, "/stage"],
    ["a name with a slash", { lines: [{ sku: "MOTH-S", quantity: 1 }], "a/b~c": 1 }, "/a~1b~0c"],
    ["something to replace that is no hold", { lines: [{ sku: "MOTH-S", quantity: 1 }], replaces: TICKET }, "/replaces"],
    ["itself to replace", { lines: [{ sku: "MOTH-S", quantity: 1 }], replaces: testId("hld", "A") }, "/replaces"],
    ["a list", [], ""],
    ["nothing", null, ""],
  ])("%s is refused with its place", async (_what, body, pointer) => {
    expect(pointers(await expectProblem(await putHold(JSON.stringify(body)), "invalid_request"))).toEqual([pointer]);
  });

  it("__proto__ is an unknown member like any other and changes nothing", async () => {
    const document = await expectProblem(await putHold('{"__proto__":{"polluted":true},"lines":[{"sku":"MOTH-S","quantity":1,"constructor":{"prototype":{"polluted":true}}}]}'), "invalid_request");
    expect(pointers(document).toSorted()).toEqual(["/__proto__", "/lines/0/constructor"]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  it("a refusal does not repeat what was sent", async () => {
    const document = await expectProblem(await putHold('{"lines":[{"sku":"MOTH-S","quantity":"a secret"}]}'), "invalid_request");
    expect(JSON.stringify(document)).not.toContain("a secret");
  });
});

describe("joining", () => {
  const wants = [{ sku: "MOTH-S", quantity: 1 }];
  const { jwk } = shopper;

  it.each<[string, unknown, string]>([
    ["no key", { wants }, "/jwk"],
    ["a key with its private half", { jwk: { ...jwk, d: "A".repeat(43) }, wants }, "/jwk/d"],
    ["an RSA key", { jwk: { kty: "RSA", n: "AQAB", e: "AQAB" }, wants }, "/jwk/kty"],
    ["a secret key", { jwk: { kty: "oct", k: "AAAA" }, wants }, "/jwk/kty"],
    ["a key on another curve", { jwk: { ...jwk, crv: "P-384" }, wants }, "/jwk/crv"],
    ["a coordinate that is too short", { jwk: { ...jwk, x: "AAAA" }, wants }, "/jwk/x"],
    ["a point that is not on the curve", { jwk: { ...jwk, x: "A".repeat(43) }, wants }, "/jwk"],
    ["no wants", { jwk, wants: [] }, "/wants"],
    ["an item of another drop", { jwk, wants: [{ sku: "OTHER", quantity: 1 }] }, "/wants/0/sku"],
    ["the same item twice", { jwk, wants: [...wants, ...wants] }, "/wants/1/sku"],
    ["more than one person may have", { jwk, wants: [{ sku: "MOTH-S", quantity: 3 }] }, "/wants/0/quantity"],
    ["more than one person may have in all", { jwk, wants: [{ sku: "MOTH-S", quantity: 2 }, { sku: "MOTH-M", quantity: 1 }] }, "/wants/1/quantity"],
    ["a lane", { jwk, wants, lane: "member" }, "/lane"],
    ["a weight", { jwk, wants, weight: 100 }, "/weight"],
    ["evidence of 5,000 characters", { jwk, wants, evidence: "x".repeat(5_000) }, "/evidence"],
  ])("with %s is refused with its place", async (_what, body, pointer) => {
    const found = pointers(await expectProblem(await send("PUT", TICKETS, { body }), "invalid_request"));
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((at) => at === pointer || at.startsWith("/jwk/")), found.join(" ")).toBe(true);
    expect(found).toContain(pointer);
  });

  it("under an id that is none is not found", async () => {
    for (const id of ["tkt_1", TICKET.toLowerCase(), TICKET.replace("tkt", "hld"), `${TICKET}0`, TICKET.replace("A", "I"), "__proto__"]) {
      await expectProblem(await send("PUT", `/api/drops/moth-tee/tickets/${id}`, { body: { jwk, wants } }), "not_found");
    }
  });
});

describe("ordering", () => {
  const body = { drop: "moth-tee", hold: testId("hld", "A"), email: "ana@example.org", delivery: { method: "pickup", point: "kiosk-k", slot: "17:00-17:30" } };
  const ship = (address: Record<string, unknown>) => ({ ...body, delivery: { method: "ship", address: { name: "Ana", line1: "Weg 1", postalCode: "12043", city: "Berlin", country: "DE", ...address } } });
  const putOrder = async (order: unknown) => send("PUT", ORDER, { body: order, headers: await shopper.bound(shopper.pass, "PUT", ORDER) });

  it.each<[string, unknown, string]>([
    ["no address to write to", { ...body, email: undefined }, "/email"],
    ["an address without a domain", { ...body, email: "ana" }, "/email"],
    ["an address on a machine without a name", { ...body, email: "ana@127.0.0.1" }, "/email"],
    ["two addresses", { ...body, email: "a@example.org,b@example.org" }, "/email"],
    ["an address with a line break", { ...body, email: "a@example.org\nBcc: b@example.org" }, "/email"],
    ["no way of delivery", { ...body, delivery: {} }, "/delivery/method"],
    ["a drone", { ...body, delivery: { method: "drone" } }, "/delivery/method"],
    ["a pickup point that is not there", { ...body, delivery: { method: "pickup", point: "kiosk-x" } }, "/delivery/point"],
    ["a slot that is not there", { ...body, delivery: { method: "pickup", point: "kiosk-k", slot: "03:00-03:30" } }, "/delivery/slot"],
    ["a country that is not shipped to", ship({ country: "US" }), "/delivery/address/country"],
    ["an empty name", ship({ name: "  " }), "/delivery/address/name"],
    ["a name with a control character", ship({ name: "A\u0000na" }), "/delivery/address/name"],
    ["a city of 200 characters", ship({ city: "x".repeat(200) }), "/delivery/address/city"],
    ["a hold that is none", { ...body, hold: "hld_1" }, "/hold"],
    ["a region that is not there", { ...body, source: { region: "paris" } }, "/source/region"],
    ["a total", { ...body, totalMinor: 1 }, "/totalMinor"],
    ["a currency", { ...body, currency: "JPY" }, "/currency"],
    ["a discount", { ...body, discountMinor: 4_199 }, "/discountMinor"],
  ])("with %s is refused with its place, and nothing is placed", async (_what, order, pointer) => {
    expect(pointers(await expectProblem(await putOrder(order), "invalid_request"))).toContain(pointer);
  });

  it("in another drop than the pass's is refused", async () => {
    await expectProblem(await putOrder({ ...body, drop: "other" }), "credential_invalid");
  });

  it("with a word that is no coupon is refused, the tenth wrong word ends the guessing for ten minutes", async () => {
    const guessing = world({ drop: { placed: async () => null } });
    const other = client(guessing);
    const guess = async (coupon: string) => other("PUT", ORDER, { body: { ...body, coupon }, headers: await shopper.bound(shopper.pass, "PUT", ORDER) });
    for (let attempt = 0; attempt < 10; attempt++) await expectProblem(await guess(attempt % 2 === 0 ? "LISBON" : "a.b.c"), "coupon_invalid");
    const response = await guess("BERLIN");
    expect(await expectProblem(response, "too_many_requests")).toMatchObject({ retryAt: new Date(OPENS_AT + 610_000).toISOString() });
    expect(response.headers.get("retry-after")).toBe("600");
  });
});

describe("reading the record", () => {
  it.each(["from=0", "from=-1", "from=1.5", "from=abc", "from=1e3", "from=9999999999999"])("from row %s is refused", async (query) => {
    await expectProblem(await send("GET", `/api/drops/moth-tee/record?${query}`), "invalid_request");
  });

  it.each([["shard=4", "not_found"], ["shard=99999999999999999999", "not_found"], ["shard=-1", "invalid_request"], ["shard=x", "invalid_request"], ["shard=1e0", "invalid_request"]] as const)("of %s is refused before any object is asked", async (query, code) => {
    await expectProblem(await send("GET", `/api/drops/moth-tee/entries?${query}`), code);
  });
});
