import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { nodeHashing } from "../../../../src/kernel/node-hashing.ts";
import { browserKeyThumbprint, isSignedBy } from "../../../../src/storefront/browser-key.ts";
import { NONCE_PERIOD_MS } from "../../../../src/storefront/dpop.ts";
import { personAddress } from "../../../../src/gate/email-address.ts";
import { joseCredentials } from "../../../../src/storefront/jose-credentials.ts";
import { storefrontSecrets } from "../../../../src/storefront/secrets.ts";
import { type Browser, credentials, ENTRY, JOINED_AT, newBrowser, OPENS_AT, ORIGIN, PLAN_HASH, secretsEnv, TICKET, type ProofOverrides } from "../../../support/storefront-doubles.ts";

const NOW = OPENS_AT + 10_000;
const URL_PASSES = `${ORIGIN}/api/drops/moth-tee/passes`;
const KEY_T2 = Buffer.alloc(32, 2);
const refused = (code: string) => ({ ok: false, rejection: { code } });

let browser: Browser;
let thumbprint: string;
let ticket: string;

beforeAll(async () => {
  browser = await newBrowser();
  thumbprint = await thumbprintOf(browser);
  ticket = await credentials.mintTicket(claimsOf(thumbprint), OPENS_AT + 86_400_000);
});

async function thumbprintOf(of: Browser): Promise<string> {
  const { x, y } = of.jwk;
  return browserKeyThumbprint({ kty: "EC", crv: "P-256", x: String(x), y: String(y) }) ?? "";
}

function claimsOf(keyThumbprint: string, drop = "moth-tee") {
  return { ticket: TICKET, drop, entry: ENTRY, lane: "open", weight: 1, joinedAt: JOINED_AT, wants: [{ sku: "MOTH-S", quantity: 1 }], keyThumbprint, person: null, planHash: PLAN_HASH, commitment: "ef".repeat(32) };
}

/** The answer for a token with an honest proof by `by`. */
async function asTicket(token: string, now = NOW, drop = "moth-tee", by = browser) {
  const proof = await by.proof(token, "POST", URL_PASSES);
  return credentials.provenTicket({ token, proof, method: "POST", url: URL_PASSES }, drop, now);
}

/** Token parts taken apart and put together again, MACed with a key of the test's choice. */
function forged(changes: { readonly header?: Record<string, unknown>; readonly claims?: Record<string, unknown>; readonly without?: string }, key: Buffer = KEY_T2): string {
  const [head = "", body = ""] = ticket.split(".");
  const decode = (part: string): Record<string, unknown> => JSON.parse(Buffer.from(part, "base64url").toString());
  const claims = { ...decode(body), ...changes.claims };
  if (changes.without !== undefined) delete claims[changes.without];
  const encoded = [{ ...decode(head), ...changes.header }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${encoded}.${createHmac("sha256", key).update(encoded).digest("base64url")}`;
}

/** The genuine ticket under a header of the test's own text, MACed with the right key. */
function forgedHead(head: string): string {
  const encoded = `${Buffer.from(head).toString("base64url")}.${ticket.split(".")[1]}`;
  return `${encoded}.${createHmac("sha256", KEY_T2).update(encoded).digest("base64url")}`;
}

describe("a ticket", () => {
  it("comes back with every fact that was put into it", async () => {
    expect(await asTicket(ticket)).toEqual({ ok: true, value: claimsOf(thumbprint) });
  });

  it("is the same token when it is made again", async () => {
    expect(await credentials.mintTicket(claimsOf(thumbprint), OPENS_AT + 86_400_000)).toBe(ticket);
  });

  it("is accepted when it was put together by hand with the right key, which shows that the forgeries below fail for their own reason", async () => {
    expect(await asTicket(forged({}))).toMatchObject({ ok: true });
    expect(await asTicket(forged({ header: { kid: "t1" } }, Buffer.alloc(32, 1)))).toMatchObject({ ok: true });
  });

  it.each([
    ["MACed with another key", () => forged({}, Buffer.alloc(32, 9))],
    ["named for a key that MACed nothing", () => forged({ header: { kid: "t1" } })],
    ["of an unknown kid", () => forged({ header: { kid: "t9" } })],
    ["whose kid is a path", () => forged({ header: { kid: "../../x" } })],
    ["without a kid", () => forged({ header: { kid: undefined } })],
    ["with a jku", () => forged({ header: { jku: "https://evil.example/jwks" } })],
    ["with a jwk", () => forged({ header: { jwk: { kty: "oct", k: KEY_T2.toString("base64url") } } })],
    ["with crit", () => forged({ header: { crit: ["exp"] } })],
    ["that says alg none", () => `${forged({ header: { alg: "none" } }).split(".").slice(0, 2).join(".")}.`],
    ["that says alg NONE and keeps a MAC", () => forged({ header: { alg: "NONE" } })],
    ["that says RS256", () => forged({ header: { alg: "RS256" } })],
    ["of another kind", () => forged({ header: { typ: "tranche-pass+jwt" } })],
    ["without a kind", () => forged({ header: { typ: undefined } })],
    ["of another issuer", () => forged({ claims: { iss: "someone" } })],
    ["of another audience", () => forged({ claims: { aud: "moth-tee/pass" } })],
    ["of several audiences", () => forged({ claims: { aud: ["moth-tee/ticket", "other/ticket"] } })],
    ["of another drop in its claims alone", () => forged({ claims: { drop: "other" } })],
    ["without exp", () => forged({ without: "exp" })],
    ["whose exp is text", () => forged({ claims: { exp: "9999999999" } })],
    ["whose exp is in the year 9999", () => forged({ claims: { exp: 253_370_764_800 } })],
    ["that is over", () => forged({ claims: { exp: NOW / 1000 - 60 } })],
    ["whose nbf is in the future", () => forged({ claims: { nbf: NOW / 1000 + 60 } })],
    ["whose iat is in the future", () => forged({ claims: { iat: NOW / 1000 + 60 } })],
    ["without jti", () => forged({ without: "jti" })],
    ["without its key", () => forged({ without: "jkt" })],
    ["with a weight of text", () => forged({ claims: { weight: "9" } })],
    ["that is empty", () => ""],
    ["that is garbage", () => "a.b.c"],
    ["with its header in another order", () => forgedHead('{"typ":"tranche-ticket+jwt","alg":"HS256","kid":"t2"}')],
    ["with a space in its header", () => forgedHead('{"alg":"HS256","typ":"tranche-ticket+jwt","kid":"t2" }')],
    ["whose header names the algorithm twice", () => forgedHead('{"alg":"none","alg":"HS256","typ":"tranche-ticket+jwt","kid":"t2"}')],
    ["with half of its MAC", () => ticket.slice(0, -22)],
    ["with a MAC of letters that are no bytes", () => ticket.slice(0, -2)],
    ["with padding", () => `${ticket}=`],
    ["whose iat is text", () => forged({ claims: { iat: "1" } })],
    ["without sub", () => forged({ without: "sub" })],
    ["without aud", () => forged({ without: "aud" })],
    ["whose nbf is text", () => forged({ claims: { nbf: "1" } })],
    ["that is 10 MB long", () => `${"a".repeat(10_000_000)}.b.c`],
  ])("%s is refused", async (_what, token) => {
    expect(await asTicket(token())).toEqual(refused("credential_invalid"));
  });

  it("of another drop is refused", async () => {
    const other = await credentials.mintTicket(claimsOf(thumbprint, "other"), OPENS_AT + 86_400_000);
    expect(await asTicket(other)).toEqual(refused("credential_invalid"));
    expect(await asTicket(other, NOW, "other")).toMatchObject({ ok: true });
  });

  it("is refused from the browser of somebody else", async () => {
    expect(await asTicket(ticket, NOW, "moth-tee", await newBrowser())).toEqual(refused("credential_invalid"));
  });

  it("cannot be used where a pass is asked for, nor a pass where a ticket is", async () => {
    const pass = await credentials.mintPass({ drop: "moth-tee", sitting: "pas_1", entry: ENTRY, keyThumbprint: thumbprint }, NOW, NOW + 60_000);
    const asPass = async (token: string, drop: string | null) =>
      credentials.provenPass({ token, proof: await browser.proof(token, "POST", URL_PASSES), method: "POST", url: URL_PASSES }, drop, NOW);
    expect(await asPass(ticket, "moth-tee")).toEqual(refused("credential_invalid"));
    expect(await asTicket(pass)).toEqual(refused("credential_invalid"));
    expect(await asPass(pass, "other")).toEqual(refused("credential_invalid"));
    expect(await asPass(pass, null)).toEqual({ ok: true, value: { drop: "moth-tee", sitting: "pas_1", entry: ENTRY, keyThumbprint: thumbprint } });
  });
});

describe("a DPoP proof", () => {
  const withProof = async (overrides: ProofOverrides, method = "POST", url = URL_PASSES) =>
    credentials.provenTicket({ token: ticket, proof: await browser.proof(ticket, "POST", URL_PASSES, overrides), method, url }, "moth-tee", NOW);

  it.each<[string, ProofOverrides]>([
    ["of another type", { header: { typ: "jwt" } }],
    ["with a kid", { header: { kid: "x" } }],
    ["without its public key", { header: { jwk: undefined } }],
    ["for another method", { claims: { htm: "PUT" } }],
    ["for another path", { claims: { htu: `${ORIGIN}/api/drops/moth-tee/holds` } }],
    ["for another host", { claims: { htu: "https://evil.example/api/drops/moth-tee/passes" } }],
    ["for another scheme", { claims: { htu: URL_PASSES.replace("https", "http") } }],
    ["for no address at all", { claims: { htu: "passes" } }],
    ["for another token", { claims: { ath: createHash("sha256").update("other").digest("base64url") } }],
    ["for no token", { claims: { ath: undefined } }],
    ["without jti", { claims: { jti: undefined } }],
    ["with an empty jti", { claims: { jti: "" } }],
    ["with a jku", { header: { jku: "https://evil.example/jwks" } }],
  ])("%s is refused", async (_what, overrides) => {
    expect(await withProof(overrides)).toEqual(refused("credential_invalid"));
  });

  it("is refused when any letter of it is another one, and in any other encoding of the same signature", async () => {
    const proof = await browser.proof(ticket, "POST", URL_PASSES);
    const [head = "", claims = "", signature = ""] = proof.split(".");
    const bytes = Buffer.from(signature, "base64url");
    const withSignature = (other: Uint8Array) => `${head}.${claims}.${Buffer.from(other).toString("base64url")}`;
    // Half of all numbers are written in DER with a zero in front.
    const derInteger = (part: Buffer) => { const digits = (part[0] ?? 0) >= 0x80 ? [0, ...part] : [...part]; return [2, digits.length, ...digits]; };
    const der = [...derInteger(bytes.subarray(0, 32)), ...derInteger(bytes.subarray(32))];
    const others = [
      ...[10, head.length - 1, head.length + 10, proof.length - 40].map((at) => `${proof.slice(0, at)}${proof[at] === "A" ? "B" : "A"}${proof.slice(at + 1)}`),
      withSignature(bytes.with(63, (bytes[63] ?? 0) ^ 1)), withSignature(Buffer.alloc(64)), withSignature(Buffer.alloc(0)), withSignature(Buffer.alloc(64, 255)),
      withSignature(bytes.subarray(0, 63)), withSignature(Buffer.concat([bytes, Buffer.alloc(1)])), withSignature(Buffer.concat([bytes, bytes])),
      withSignature(Buffer.concat([Buffer.alloc(1), bytes.subarray(0, 32), Buffer.alloc(1), bytes.subarray(32)])), withSignature(Buffer.from([0x30, der.length, ...der])),
      `${proof}=`, ` ${proof}`, `${proof}\n`, `${proof}.`, `${proof}.${signature}`, `${head}.${claims}`, `${head}..${signature}`, `${proof}A`,
    ];
    const answers = await Promise.all([proof, ...others].map((text) => credentials.provenTicket({ token: ticket, proof: text, method: "POST", url: URL_PASSES }, "moth-tee", NOW)));
    expect(answers).toEqual([{ ok: true, value: claimsOf(thumbprint) }, ...others.map(() => refused("credential_invalid"))]);
  });

  it("whose header asks for rules of its own is refused, though its signature is right", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    const jwk = { kty: "EC" as const, crv: "P-256" as const, x, y };
    const token = await credentials.mintTicket(claimsOf(browserKeyThumbprint(jwk) ?? ""), OPENS_AT + 86_400_000);
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = encoded({ jti: "1", htm: "POST", htu: URL_PASSES, ath: createHash("sha256").update(token).digest("base64url"), nonce: credentials.dpopNonce(NOW) });
    const asked = async (header: Record<string, unknown>) => {
      const signed = `${encoded({ typ: "dpop+jwt", alg: "ES256", jwk, ...header })}.${claims}`;
      const proof = `${signed}.${sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
      return credentials.provenTicket({ token, proof, method: "POST", url: URL_PASSES }, "moth-tee", NOW);
    };
    expect(await asked({})).toMatchObject({ ok: true });
    for (const header of [{ crit: ["exp"], exp: 1 }, { crit: [] }, { b64: false }, { alg: "none" }, { alg: "ES384" }, { alg: "EdDSA" }, { jwk: { ...jwk, d: x } }, { jwk: { ...jwk, crv: "P-384" } }]) {
      expect(await asked(header)).toEqual(refused("credential_invalid"));
    }
  });

  it("that is not UTF-8 is refused and leaves nothing behind for the next one", async () => {
    const [, claims = "", signature = ""] = (await browser.proof(ticket, "POST", URL_PASSES)).split(".");
    const torn = `${Buffer.from([0x22, 0xe2, 0x82]).toString("base64url")}.${claims}.${signature}`;
    expect(await credentials.provenTicket({ token: ticket, proof: torn, method: "POST", url: URL_PASSES }, "moth-tee", NOW)).toEqual(refused("credential_invalid"));
    expect(await withProof({})).toMatchObject({ ok: true });
  });

  it("of one person is never taken for another's, however many of both come at the same time", async () => {
    const people = await Promise.all(Array.from({ length: 12 }, () => newBrowser()));
    const tickets = await Promise.all(people.map(async (person) => credentials.mintTicket(claimsOf(await thumbprintOf(person)), OPENS_AT + 86_400_000)));
    const answers = await Promise.all(tickets.flatMap((token, owner) => people.map(async (person, holder) => {
      const { ok } = await asTicket(token, NOW, "moth-tee", person);
      return ok === (owner === holder);
    })));
    expect(answers.filter((isRight) => !isRight)).toEqual([]);
  });

  it("whose header carries the private key is refused", async () => {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = { ...(await exportJWK(privateKey)) };
    expect(await withProof({ header: { jwk } })).toEqual(refused("credential_invalid"));
  });

  it("signed by a key other than the one in its header is refused", async () => {
    const other = await newBrowser();
    expect(await credentials.provenTicket({ token: ticket, proof: await other.proof(ticket, "POST", URL_PASSES, { header: { jwk: browser.jwk } }), method: "POST", url: URL_PASSES }, "moth-tee", NOW))
      .toEqual(refused("credential_invalid"));
  });

  it("that is a MAC with the public key as its secret is refused", async () => {
    const claims = { jti: "1", htm: "POST", htu: URL_PASSES, ath: createHash("sha256").update(ticket).digest("base64url"), nonce: credentials.dpopNonce(NOW) };
    const proof = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "dpop+jwt", jwk: browser.jwk }).sign(new TextEncoder().encode(JSON.stringify(browser.jwk)));
    expect(await credentials.provenTicket({ token: ticket, proof, method: "POST", url: URL_PASSES }, "moth-tee", NOW)).toEqual(refused("credential_invalid"));
  });

  it("is judged without its iat: a phone's clock may be wrong by years", async () => {
    for (const iat of [undefined, 1, 4_000_000_000]) expect(await withProof({ claims: { iat } })).toMatchObject({ ok: true });
  });

  it("for the address with another query, fragment or spelling of the host is accepted", async () => {
    for (const htu of [`${URL_PASSES}?x=1#y`, URL_PASSES.replace("nightjar", "NIGHTJAR"), URL_PASSES.replace(".example", ".example:443")]) {
      expect(await withProof({ claims: { htu } })).toMatchObject({ ok: true });
    }
  });

  it("with the nonce before the current one is accepted, with an older one or none it is asked for again", async () => {
    expect(await withProof({ claims: { nonce: credentials.dpopNonce(NOW - NONCE_PERIOD_MS) } })).toMatchObject({ ok: true });
    for (const nonce of [credentials.dpopNonce(NOW - 2 * NONCE_PERIOD_MS), credentials.dpopNonce(NOW + NONCE_PERIOD_MS), undefined, ""]) {
      expect(await withProof({ claims: { nonce } })).toEqual(refused("use_dpop_nonce"));
    }
  });

  it("with the nonce of its own moment is accepted also when moments come in turns", async () => {
    for (const now of [NOW, NOW + NONCE_PERIOD_MS, NOW, NOW - NONCE_PERIOD_MS, NOW + NONCE_PERIOD_MS, NOW]) {
      const ask = async (nonce: string) =>
        credentials.provenTicket({ token: ticket, proof: await browser.proof(ticket, "POST", URL_PASSES, { claims: { nonce } }), method: "POST", url: URL_PASSES }, "moth-tee", now);
      expect(await ask(credentials.dpopNonce(now))).toMatchObject({ ok: true });
      expect(await ask(credentials.dpopNonce(now - NONCE_PERIOD_MS))).toMatchObject({ ok: true });
      for (const periods of [-2, 1, 2]) expect(await ask(credentials.dpopNonce(now + periods * NONCE_PERIOD_MS))).toEqual(refused("use_dpop_nonce"));
    }
  });

  it("a nonce stays for five minutes and then changes", () => {
    const start = Math.ceil(NOW / NONCE_PERIOD_MS) * NONCE_PERIOD_MS;
    expect(credentials.dpopNonce(start)).toBe(credentials.dpopNonce(start + NONCE_PERIOD_MS - 1));
    expect(credentials.dpopNonce(start)).not.toBe(credentials.dpopNonce(start + NONCE_PERIOD_MS));
  });
});

describe("a browser's key", () => {
  it("has the thumbprint of RFC 7638, whatever else its JWK says", async () => {
    for (let count = 0; count < 20; count++) {
      const { publicKey } = await generateKeyPair("ES256", { extractable: true });
      const { x = "", y = "" } = await exportJWK(publicKey);
      const expected = await calculateJwkThumbprint({ kty: "EC", crv: "P-256", x, y }, "sha256");
      expect(browserKeyThumbprint({ kty: "EC", crv: "P-256", x, y })).toBe(expected);
      expect(browserKeyThumbprint({ ext: true, key_ops: ["verify"], use: "sig", alg: "ES256", y, x, crv: "P-256", kty: "EC" })).toBe(expected);
    }
  });

  it("whose point is not on the curve has no thumbprint and has signed nothing", async () => {
    const [x, y] = [String(browser.jwk["x"]), String(browser.jwk["y"])];
    const other = `${y.startsWith("A") ? "B" : "A"}${y.slice(1)}`;
    const [head = "", claims = "", signature = ""] = (await browser.proof(ticket, "POST", URL_PASSES)).split(".");
    for (const point of [{ x, y: other }, { x: y, y: x }, { x: "A".repeat(43), y: "A".repeat(43) }, { x: "_".repeat(42) + "8", y }]) {
      expect(browserKeyThumbprint({ kty: "EC", crv: "P-256", ...point })).toBeNull();
      expect(isSignedBy(point, `${head}.${claims}`, Buffer.from(signature, "base64url"))).toBe(false);
    }
    expect(isSignedBy({ x, y }, `${head}.${claims}`, Buffer.from(signature, "base64url"))).toBe(true);
  });
});

describe("a receipt", () => {
  it("names its order for years and is the same token every time", async () => {
    const receipt = await credentials.mintReceipt({ id: "ord_1", drop: "moth-tee" }, NOW);
    expect(await credentials.mintReceipt({ id: "ord_1", drop: "moth-tee" }, NOW)).toBe(receipt);
    expect(await credentials.receiptOrder(receipt, NOW + 365 * 86_400_000)).toEqual({ ok: true, value: { id: "ord_1", drop: "moth-tee" } });
    expect(await credentials.receiptOrder(receipt, NOW + 4 * 365 * 86_400_000)).toEqual(refused("credential_invalid"));
  });

  it("that is a MAC with our public key as its secret is refused", async () => {
    const claims = { iss: "tranche", sub: "ord_1", jti: "ord_1", drop: "moth-tee", aud: "receipt", iat: NOW / 1000, exp: NOW / 1000 + 60 };
    const [published] = credentials.publicKeys.keys;
    const secret = Buffer.from(String(published?.["x"]), "base64url");
    for (const kid of ["receipt-1", "t1"]) {
      const token = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "tranche-receipt+jwt", kid }).sign(secret);
      expect(await credentials.receiptOrder(token, NOW)).toEqual(refused("credential_invalid"));
    }
  });

  it("signed with the key that is for coupons is refused", async () => {
    const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
    const couponKey = { ...(await exportJWK(publicKey)), kid: "coupon-1" };
    const known = JSON.parse(secretsEnv.PUBLIC_KEYS);
    const both = joseCredentials(storefrontSecrets({ ...secretsEnv, PUBLIC_KEYS: JSON.stringify({ keys: [...known.keys, couponKey] }) }), nodeHashing);
    const claims = { iss: "tranche", sub: "ord_1", jti: "ord_1", drop: "moth-tee", aud: "receipt", iat: NOW / 1000, exp: NOW / 1000 + 60 };
    const token = await new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", typ: "tranche-receipt+jwt", kid: "coupon-1" }).sign(await importJWK(await exportJWK(privateKey), "EdDSA"));
    expect(await both.receiptOrder(token, NOW)).toEqual(refused("credential_invalid"));
  });
});

describe("a missing secret", () => {
  it("closes what needs it and publishes no private member", async () => {
    for (const wrong of [undefined, "", "[]", "not json", JSON.stringify([{ kid: "t1", key: "c2hvcnQ" }])]) {
      const closed = joseCredentials(storefrontSecrets({ TICKET_KEYS: wrong, RECEIPT_KEY: undefined, PUBLIC_KEYS: undefined }), nodeHashing);
      await expect(closed.mintTicket(claimsOf(thumbprint), NOW)).rejects.toThrow("TICKET_KEYS");
      await expect(closed.provenTicket({ token: ticket, proof: "x", method: "POST", url: URL_PASSES }, "moth-tee", NOW)).rejects.toThrow("TICKET_KEYS");
      await expect(closed.mintReceipt({ id: "ord_1", drop: "moth-tee" }, NOW)).rejects.toThrow("RECEIPT_KEY");
      expect(() => closed.dpopNonce(NOW)).toThrow("TICKET_KEYS");
      expect(closed.publicKeys.keys).toEqual([]);
    }
    expect(JSON.stringify(credentials.publicKeys)).not.toContain('"d"');
  });

  it("is what a receipt key with the name of another purpose is taken for", () => {
    const key = { ...JSON.parse(secretsEnv.RECEIPT_KEY), kid: "coupon-1" };
    expect(storefrontSecrets({ RECEIPT_KEY: JSON.stringify(key) }).receiptKey).toBeNull();
  });
});

describe("shards and people", () => {
  it("tickets spread over all shards, and stay where they are when a new key is put first", () => {
    const rotated = joseCredentials(storefrontSecrets({ ...secretsEnv, TICKET_KEYS: JSON.stringify([{ kid: "t3", key: Buffer.alloc(32, 3).toString("base64url") }, ...JSON.parse(secretsEnv.TICKET_KEYS)]) }), nodeHashing);
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 4_000; index++) {
      const shard = credentials.shardOf("moth-tee", `tkt_${index}`, 4);
      counts[shard] = (counts[shard] ?? 0) + 1;
      expect(rotated.shardOf("moth-tee", `tkt_${index}`, 4)).toBe(shard);
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
    expect(rotated.personOf("ana@example.org")).toBe(credentials.personOf("ana@example.org"));
    const home = { name: "Ana", line1: "Weserstraße 12", line2: null, postalCode: "12047", city: "Berlin", country: "DE" };
    expect(rotated.destinationOf(home)).toBe(credentials.destinationOf(home));
  });

  it("one postal address is one, however it is written and whoever lives there", () => {
    const home = { name: "Ana", line1: "Weserstraße 12", line2: null, postalCode: "12047", city: "Berlin", country: "DE" };
    expect(credentials.destinationOf({ ...home, name: "Ben", line1: "WESERSTR. 12", postalCode: "12 047" })).toBe(credentials.destinationOf(home));
    expect(credentials.destinationOf({ ...home, line1: "Weserstraße 14" })).not.toBe(credentials.destinationOf(home));
    expect(credentials.destinationOf(home)).toMatch(/^[0-9a-f]{64}$/);
  });

  it("one person is one person in capitals and under a sub-address", () => {
    for (const same of ["Ana@Example.ORG", "ana+drop@example.org", " ana@example.org "]) expect(credentials.personOf(same)).toBe(credentials.personOf("ana@example.org"));
    expect(credentials.personOf("an.a@example.org")).not.toBe(credentials.personOf("ana@example.org"));
    expect(personAddress("+x@example.org")).toBe("+x@example.org");
  });
});
