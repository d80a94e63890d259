import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { couponKeyFromJson, mintVoucher } from "../../../src/coupon/voucher.ts";
import { addressMark, inviteShard, mintInvite, readInvite } from "../../../src/gate/invite.ts";
import { mintPresence, PRESENCE_LIFETIME_MS, PRESENCE_STEP_MS, presenceKey, presenceShownAt, readPresence } from "../../../src/gate/presence.ts";
import { idFromRandom } from "../../../src/kernel/ids.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";

const NOW = Date.parse("2026-12-04T17:45:12.000Z");
const HOUR_MS = 3_600_000;
const pair = generateKeyPairSync("ed25519");
const key = couponKeyFromJson(JSON.stringify({ ...pair.privateKey.export({ format: "jwk" }), kid: "coupon-1" }));
const publicKeys = { keys: [{ ...pair.publicKey.export({ format: "jwk" }), kid: "coupon-1" }] };
if (key === null) throw new Error("the test has no key");
const ID = idFromRandom("inv", new Uint8Array(26).fill(7));
const INVITE = { id: ID, drop: "moth-tee", lane: "member", to: null };

describe("an invitation", () => {
  test("says what it was made for until its end, and nothing from then on", async () => {
    const token = await mintInvite(INVITE, { now: NOW, expiresAt: NOW + HOUR_MS }, key);
    expect(await readInvite(token, publicKeys, NOW)).toEqual(INVITE);
    expect(await readInvite(token, publicKeys, NOW + HOUR_MS - 1)).toEqual(INVITE);
    expect(await readInvite(token, publicKeys, NOW + HOUR_MS)).toBeNull();
    expect(await readInvite(token, { keys: [] }, NOW)).toBeNull();
    // A desk whose clock is an hour ahead signs for a time that has not come.
    expect(await readInvite(token, publicKeys, NOW - HOUR_MS)).toBeNull();
  });

  test("is no voucher and no code of a pop-up, and neither of them is one", async () => {
    const invite = await mintInvite(INVITE, { now: NOW, expiresAt: NOW + HOUR_MS }, key);
    const voucher = await mintVoucher({ voucher: idFromRandom("cpn", new Uint8Array(26)), campaign: "x", drop: "moth-tee", region: null, notBefore: NOW, expiresAt: NOW + HOUR_MS, uses: 1 }, key, NOW);
    const presence = await mintPresence({ drop: "moth-tee", region: "berlin", shownAt: presenceShownAt(NOW), tickets: 30 }, key);
    for (const token of [voucher, presence]) expect(await readInvite(token, publicKeys, NOW)).toBeNull();
    for (const token of [voucher, invite]) expect(await readPresence(token, publicKeys, NOW)).toBeNull();
  });

  test("marks an address so that its case and sub-address do not matter, and two invitations have nothing in common", () => {
    expect(addressMark(ID, "Ana+x@Example.org", nodeHashing)).toBe(addressMark(ID, "ana@example.org", nodeHashing));
    expect(addressMark(ID, "ben@example.org", nodeHashing)).not.toBe(addressMark(ID, "ana@example.org", nodeHashing));
    expect(addressMark(idFromRandom("inv", new Uint8Array(26)), "ana@example.org", nodeHashing)).not.toBe(addressMark(ID, "ana@example.org", nodeHashing));
  });

  test("has one shard, and many have all of them", () => {
    const shards = Array.from({ length: 400 }, (_, index) => inviteShard(`inv_${index}`, 8, nodeHashing));
    expect(new Set(shards)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7]));
    expect(inviteShard(ID, 8, nodeHashing)).toBe(inviteShard(ID, 8, nodeHashing));
  });
});

describe("the code of a pop-up", () => {
  const shownAt = presenceShownAt(NOW);
  const presence = { drop: "moth-tee", region: "berlin", shownAt, tickets: 30 };

  test("changes every half minute and is taken for ninety seconds", async () => {
    expect(shownAt).toBe(Date.parse("2026-12-04T17:45:00.000Z"));
    expect(presenceShownAt(shownAt + PRESENCE_STEP_MS - 1)).toBe(shownAt);
    expect(presenceShownAt(shownAt + PRESENCE_STEP_MS)).toBe(shownAt + PRESENCE_STEP_MS);
    const token = await mintPresence(presence, key);
    expect(await readPresence(token, publicKeys, NOW)).toEqual(presence);
    expect(await readPresence(token, publicKeys, shownAt + PRESENCE_LIFETIME_MS - 1)).toEqual(presence);
    expect(await readPresence(token, publicKeys, shownAt + PRESENCE_LIFETIME_MS)).toBeNull();
  });

  test("is counted as one on all screens of a region, and apart from the next one", () => {
    expect(presenceKey(presence)).toBe(presenceKey({ region: "berlin", shownAt: presenceShownAt(NOW + 10_000) }));
    expect(presenceKey(presence)).not.toBe(presenceKey({ region: "berlin", shownAt: presenceShownAt(NOW + PRESENCE_STEP_MS) }));
    expect(presenceKey(presence)).not.toBe(presenceKey({ region: "lisbon", shownAt }));
  });
});
