import { createHash } from "node:crypto";
import { decodeProtectedHeader, EmbeddedJWK, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import { idPattern } from "../../../../src/kernel/ids.ts";
import { weightOf } from "../../../../src/storefront/browser/errands.ts";
import { freshId } from "../../../../src/storefront/browser/ids.ts";
import { makeKeys, proofFor, publicJwk } from "../../../../src/storefront/browser/proof.ts";

const REQUEST = { method: "PUT", url: "https://shop.example/api/orders/ord_1", token: "header.claims.mac", nonce: "n-1", issuedAtSeconds: 1_796_407_200 };

describe("a proof of possession made in the browser", () => {
  it("verifies with the key it carries and names method, address, token and nonce", async () => {
    const keys = await makeKeys();
    const proof = await proofFor(keys, REQUEST);
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { algorithms: ["ES256"], typ: "dpop+jwt" });
    expect(protectedHeader.jwk).toEqual(await publicJwk(keys));
    expect(payload).toMatchObject({ htm: "PUT", htu: REQUEST.url, nonce: "n-1", iat: REQUEST.issuedAtSeconds, ath: createHash("sha256").update(REQUEST.token).digest("base64url") });
    expect((await jwtVerify(await proofFor(keys, REQUEST), EmbeddedJWK)).payload.jti).not.toBe(payload.jti);
  });

  it("leaves the nonce out while none is known, and never carries a private member", async () => {
    const proof = await proofFor(await makeKeys(), { ...REQUEST, nonce: null });
    expect((await jwtVerify(proof, EmbeddedJWK)).payload).not.toHaveProperty("nonce");
    expect(Object.keys(decodeProtectedHeader(proof).jwk ?? {}).toSorted()).toEqual(["crv", "kty", "x", "y"]);
  });

  it("is made with a key that cannot be taken out of the browser", async () => {
    const { privateKey } = await makeKeys();
    expect(privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("jwk", privateKey)).rejects.toThrow();
  });
});

describe("what the browser makes and reads by itself", () => {
  it("makes ids that the store accepts, never the same twice", () => {
    const ids = Array.from({ length: 1_000 }, () => freshId("hld"));
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(idPattern("hld"));
  });

  it("reads the drawing weight from a ticket, and takes anything unreadable as one", () => {
    const ticketWith = (claims: unknown) => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.m`;
    expect(weightOf(ticketWith({ weight: 3, text: "ÿþ~~~???" }))).toBe(3);
    for (const odd of [ticketWith({}), ticketWith({ weight: -1 }), ticketWith({ weight: "3" }), "", "a.b", "a.%%%.c"]) expect(weightOf(odd)).toBe(1);
  });
});
