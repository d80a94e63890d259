import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import { couponKeyFromJson, mintVoucher, readVoucher, verifyVoucher, type CouponKey, type VoucherTerms } from "../../../src/coupon/voucher.ts";
import { idFromRandom } from "../../../src/kernel/ids.ts";

const now = Date.parse("2026-12-04T18:00:00Z");
const day = 86_400_000;

function keyNamed(kid: string) {
  const pair = generateKeyPairSync("ed25519");
  const jwk = { ...pair.privateKey.export({ format: "jwk" }), kid };
  const privateJwk = couponKeyFromJson(JSON.stringify(jwk));
  if (privateJwk === null) throw new Error("the test's key is a coupon key");
  return { privateJwk, publicJwk: { ...pair.publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "EdDSA" }, raw: pair.privateKey };
}

const ours = keyNamed("coupon-1");
const foreign = keyNamed("coupon-1");
const publicKeys = { keys: [{ kty: "OKP", crv: "Ed25519", x: "A".repeat(43), kid: "receipt-1" }, ours.publicJwk] };
const here = { drop: "moth-tee", region: "berlin", now };

const terms: VoucherTerms = {
  voucher: idFromRandom("cpn", Uint8Array.from({ length: 26 }, (_, index) => index)),
  campaign: "berlin-night",
  drop: "moth-tee",
  region: "berlin",
  notBefore: now - day,
  expiresAt: now + day,
  uses: 3,
};
const goodClaims = {
  iss: "tranche", aud: "drop:moth-tee", jti: terms.voucher, iat: now / 1000 - 60, nbf: now / 1000 - 60, exp: now / 1000 + 60,
  campaign: "berlin-night", region: "berlin", uses: 3,
};
const goodHeader = { alg: "EdDSA", typ: "voucher+jwt", kid: "coupon-1" };

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
/** A token signed by hand with our own key, so that only what the test changes is wrong with it. */
function signed(header: unknown, claims: unknown, key = ours.raw): string {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`;
}
const isRefused = async (token: string) => expect(await verifyVoucher(token, publicKeys, here)).toBeNull();

describe("a voucher", () => {
  test("that was minted is good for its campaign, its number and its uses, and says so without any storage", async () => {
    const token = await mintVoucher(terms, ours.privateJwk, now);
    expect(await verifyVoucher(token, publicKeys, here)).toEqual({ campaign: "berlin-night", voucher: terms.voucher, voucherUses: 3, region: "berlin" });
    expect(await readVoucher(token, publicKeys, now)).toEqual(terms);
    expect(token.length).toBeLessThan(600);
  });

  test("without a region is good in every region; with one only there", async () => {
    const everywhere = await mintVoucher({ ...terms, region: null }, ours.privateJwk, now);
    expect(await verifyVoucher(everywhere, publicKeys, { ...here, region: "lisbon" })).toMatchObject({ region: "lisbon" });
    const berlin = await mintVoucher(terms, ours.privateJwk, now);
    expect(await verifyVoucher(berlin, publicKeys, { ...here, region: "lisbon" })).toBeNull();
  });

  test("is good from its first millisecond and no longer at its last", async () => {
    const token = await mintVoucher(terms, ours.privateJwk, terms.notBefore);
    const isGoodAt = async (moment: number) => (await verifyVoucher(token, publicKeys, { ...here, now: moment })) !== null;
    const moments = [terms.notBefore - 1, terms.notBefore, terms.expiresAt - 1, terms.expiresAt];
    expect(await Promise.all(moments.map(isGoodAt))).toEqual([false, true, true, false]);
  });

  test("of another drop is refused", async () => {
    await isRefused(await mintVoucher({ ...terms, drop: "owl-print" }, ours.privateJwk, now));
    await isRefused(signed(goodHeader, { ...goodClaims, aud: ["drop:moth-tee", "drop:owl-print"] }));
  });

  test("with no algorithm, with HS256 under our public key, and with any other algorithm is refused", async () => {
    await isRefused(`${part({ ...goodHeader, alg: "none" })}.${part(goodClaims)}.`);
    await isRefused(`${part({ ...goodHeader, alg: "None" })}.${part(goodClaims)}.`);
    const input = `${part({ ...goodHeader, alg: "HS256" })}.${part(goodClaims)}`;
    for (const secret of [ours.publicJwk.x ?? "", Buffer.from(ours.publicJwk.x ?? "", "base64url"), JSON.stringify(ours.publicJwk)]) {
      await isRefused(`${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`);
    }
    for (const alg of ["ES256", "RS256", "Ed25519", "eddsa"]) await isRefused(signed({ ...goodHeader, alg }, goodClaims));
  });

  test("with a key of another kind, an unknown one or a path for a name is refused", async () => {
    for (const kid of ["coupon-2", "receipt-1", "../../coupon-1", "' or 1=1", "https://evil.example/key", "", 1]) await isRefused(signed({ ...goodHeader, kid }, goodClaims));
    await isRefused(signed({ alg: "EdDSA", typ: "voucher+jwt" }, goodClaims));
    await isRefused(signed(goodHeader, goodClaims, foreign.raw));
  });

  test("that brings its own key is refused, even when our key signed it", async () => {
    const stolen = { jku: "https://evil.example/jwks", x5u: "https://evil.example/x5", jwk: foreign.publicJwk, x5c: ["AA=="], crit: ["exp"], b64: false };
    for (const [name, value] of Object.entries(stolen)) await isRefused(signed({ ...goodHeader, [name]: value }, goodClaims));
  });

  test("of another type is refused: a receipt is no voucher", async () => {
    for (const typ of ["JWT", "receipt+jwt", "application/voucher+jwt"]) await isRefused(signed({ ...goodHeader, typ }, goodClaims));
  });

  test("needs every claim, each of its own kind", async () => {
    expect(await verifyVoucher(signed(goodHeader, goodClaims), publicKeys, here)).not.toBeNull();
    for (const name of Object.keys(goodClaims)) await isRefused(signed(goodHeader, Object.fromEntries(Object.entries(goodClaims).filter(([key]) => key !== name))));
    const wrong = [
      { exp: String(goodClaims.exp) }, { exp: goodClaims.exp + 0.5 }, { exp: null }, { exp: 253_402_300_799 }, { exp: now / 1000 - 1 }, { exp: 1e300 },
      { nbf: now / 1000 + 120 }, { nbf: "0" }, { iat: now / 1000 + 3_600 }, { iat: -1 }, { iss: "someone" }, { iss: ["tranche"] },
      { jti: "" }, { jti: "cpn_1" }, { uses: 0 }, { uses: -1 }, { uses: 1.5 }, { uses: "3" }, { region: "" }, { region: 1 }, { campaign: "../x" }, { percentOff: 100 },
    ];
    for (const change of wrong) await isRefused(signed(goodHeader, { ...goodClaims, ...change }));
    await isRefused(signed(goodHeader, [goodClaims]));
    await isRefused(signed(goodHeader, null));
  });

  test("of which one character was changed, and what is no token at all, is refused", async () => {
    const token = await mintVoucher(terms, ours.privateJwk, now);
    const middle = token.indexOf(".") + 20;
    await isRefused(token.slice(0, middle) + (token[middle] === "A" ? "B" : "A") + token.slice(middle + 1));
    await isRefused(token.slice(0, -3));
    for (const text of ["", ".", "..", "a.b.c", "BERLIN", "x".repeat(3_000), `${token}.${token}`, `${token} `, `\n${token}`, `${token}=`, "💥"]) await isRefused(text);
  });

  test("says no more than its campaign when the campaign's instants are not whole seconds", async () => {
    const token = await mintVoucher({ ...terms, notBefore: now + 1, expiresAt: now + day + 999 }, ours.privateJwk, now);
    expect(await readVoucher(token, publicKeys, now + 1_000)).toMatchObject({ notBefore: now + 1_000, expiresAt: now + day });
  });
});

describe("the key that signs vouchers", () => {
  test("is a private Ed25519 key named for coupons; anything else is no key", () => {
    const good: CouponKey = ours.privateJwk;
    expect(couponKeyFromJson(JSON.stringify(good))).toEqual(good);
    const { d: _private, ...publicHalf } = good;
    const bad = [undefined, "", "{", "null", JSON.stringify(publicHalf), JSON.stringify({ ...good, kid: "receipt-1" }), JSON.stringify({ ...good, crv: "X25519" }), JSON.stringify({ ...good, d: "short" })];
    for (const text of bad) expect(couponKeyFromJson(text)).toBeNull();
  });
});
