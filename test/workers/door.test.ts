/// <reference types="@cloudflare/vitest-plugin/types" />
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { NO_GATES } from "../../src/drop/plan.ts";
import { CODE_LIFETIME_MS, CODE_TRIES_MAX, GROUP_LEFT_AFTER_MS, SEND_WINDOW_MS, SENDS_PER_NETWORK_MAX } from "../../src/lobby/address-codes.ts";
import type { LobbyDoor } from "../../src/lobby/door.ts";
import { dropOf, entryOf, shardOf, source, stubOf, ticketId } from "./lobby-cast.ts";

/* What a shard keeps for the whole drop, in the real object: durable before it is answered, and decided one after the other. */

const doorOf = (drop: string): LobbyDoor => stubOf(drop, 0) as unknown as LobbyDoor;
const FAR = Date.now() + 3_600_000;

/** Moves the shard's clock; an evicted shard has the real one again. */
const at = (drop: string, now: number) => runInDurableObject(stubOf(drop, 0), (instance) => {
  instance.clock = () => now;
});
const rowsOf = (drop: string, table: string) => runInDurableObject(stubOf(drop, 0), (_, state) => state.storage.sql.exec(`SELECT * FROM ${table}`).toArray().length);
const codeOf = (outcome: { readonly ok: boolean; readonly rejection?: { readonly code: string } }) => (outcome.ok ? "yes" : outcome.rejection?.code);

describe.concurrent("the door of a lobby shard", () => {
  it("lets exactly one of 500 use what may be used once, though its memory is lost in between, and gives that one the same yes again", async () => {
    const drop = "one-invite";
    const redeem = (ticket: number) => doorOf(drop).redeem({ key: "invite/1", ticket: `tkt_${ticket}`, uses: 1, expiresAt: FAR });
    const first = await Promise.all(Array.from({ length: 250 }, (_, ticket) => redeem(ticket)));
    await evictDurableObject(stubOf(drop, 0));
    const second = await Promise.all(Array.from({ length: 250 }, (_, ticket) => redeem(250 + ticket)));
    const answers = [...first, ...second].map(codeOf);
    expect(answers.filter((answer) => answer === "yes")).toHaveLength(1);
    expect(new Set(answers)).toEqual(new Set(["yes", "already_used"]));
    expect(codeOf(await redeem(answers.indexOf("yes")))).toBe("yes");
    expect(await rowsOf(drop, "redemptions")).toBe(1);
  });

  it("refuses what was taken back after any eviction, and forgets it and every use when nobody can show it any more", async () => {
    const drop = "taken-back";
    const redeem = (key: string) => doorOf(drop).redeem({ key, ticket: "tkt_1", uses: 1, expiresAt: FAR });
    expect(await redeem("invite/used").then(codeOf)).toBe("yes");
    expect(await doorOf(drop).revoke("invite/used", FAR)).toEqual({ used: 1 });
    expect(await doorOf(drop).revoke("invite/unused", FAR)).toEqual({ used: 0 });
    await evictDurableObject(stubOf(drop, 0));
    for (const key of ["invite/used", "invite/unused"]) expect(await redeem(key).then(codeOf)).toBe("revoked");
    await at(drop, FAR + 1);
    await doorOf(drop).redeem({ key: "later", ticket: "tkt_1", uses: 1, expiresAt: FAR + 10_000 });
    expect([await rowsOf(drop, "redemptions"), await rowsOf(drop, "revocations")]).toEqual([1, 0]);
  });

  it("counts wrong codes that come at once and across evictions, and after five the right one is worth nothing", async () => {
    const drop = "guessed";
    expect((await doorOf(drop).noteCode({ person: "ana", ticket: "tkt_1", network: "net", mac: "right" })).ok).toBe(true);
    const prove = (mac: string) => doorOf(drop).proveAddress({ person: "ana", ticket: "tkt_1", mac, until: FAR }).then(codeOf);
    expect(await Promise.all(Array.from({ length: CODE_TRIES_MAX - 1 }, (_, guess) => prove(`wrong ${guess}`)))).toEqual(Array(CODE_TRIES_MAX - 1).fill("identity_invalid"));
    await evictDurableObject(stubOf(drop, 0));
    expect(await prove("wrong again")).toBe("identity_invalid");
    expect(await prove("right")).toBe("identity_invalid");
    expect(await rowsOf(drop, "redemptions")).toBe(0);
  });

  it("gives a person one ticket however many prove the address at once, and keeps it when the codes are long gone", async () => {
    const drop = "one-person";
    const tickets = Array.from({ length: 8 }, (_, index) => `tkt_${index}`);
    for (const ticket of tickets) expect((await doorOf(drop).noteCode({ person: "ana", ticket, network: `net of ${ticket}`, mac: `mac of ${ticket}` })).ok).toBe(true);
    const answers = await Promise.all(tickets.map((ticket) => doorOf(drop).proveAddress({ person: "ana", ticket, mac: `mac of ${ticket}`, until: FAR })));
    const winner = tickets[answers.findIndex(({ ok }) => ok)];
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(answers.flatMap((answer) => (answer.ok ? [] : [answer.rejection]))).toEqual(Array(7).fill({ code: "identity_in_use", ticket: winner }));
    const later = Date.now() + CODE_LIFETIME_MS + 1;
    await at(drop, later);
    expect(await doorOf(drop).proveAddress({ person: "ana", ticket: winner ?? "", mac: `mac of ${winner}`, until: FAR }).then(codeOf)).toBe("identity_invalid");
    await at(drop, later + SEND_WINDOW_MS);
    expect((await doorOf(drop).noteCode({ person: "ana", ticket: "tkt_new", network: "net", mac: "fresh" })).ok).toBe(true);
    expect(await rowsOf(drop, "codes")).toBe(1);
    expect(await doorOf(drop).proveAddress({ person: "ana", ticket: "tkt_new", mac: "fresh", until: FAR })).toEqual({ ok: false, rejection: { code: "identity_in_use", ticket: winner } });
  });

  it("frees an address from the ticket of others, and from no other, and then keeps it for its own", async () => {
    const drop = "tied";
    const prove = (ticket: string, more: { readonly abandoned?: string; readonly isVouched?: boolean } = {}) => doorOf(drop).proveAddress({ person: "ana", ticket, mac: "right", until: FAR, ...more });
    const inUse = (ticket: string) => ({ ok: false, rejection: { code: "identity_in_use", ticket } });
    expect((await prove("tkt_others", { isVouched: true })).ok).toBe(true);
    expect((await doorOf(drop).noteCode({ person: "ana", ticket: "tkt_own", network: "net", mac: "right" })).ok).toBe(true);
    expect(await prove("tkt_own")).toEqual(inUse("tkt_others"));
    expect(await prove("tkt_own", { abandoned: "tkt_third" })).toEqual(inUse("tkt_others"));
    expect((await prove("tkt_own", { abandoned: "tkt_others" })).ok).toBe(true);
    await evictDurableObject(stubOf(drop, 0));
    expect((await prove("tkt_own")).ok).toBe(true);
    expect(await prove("tkt_others", { isVouched: true })).toEqual(inUse("tkt_own"));
    expect(await rowsOf(drop, "redemptions")).toBe(1);
  });

  it("keeps somebody in a group that they are put into again, and only looking at it or time lets them go", async () => {
    const drop = "grouped-again";
    const start = Date.now();
    const prove = (ticket: string, more: { readonly memberMac?: string; readonly isTrial?: boolean; readonly abandoned?: string }) => doorOf(drop).proveAddress({ person: "ana", ticket, mac: `own for ${ticket}`, until: FAR + 3_600_000, ...more });
    const note = (ticket: string, mac: string) => doorOf(drop).noteCode({ person: "ana", ticket, network: `net of ${mac}`, mac });
    const inUse = { ok: false, rejection: { code: "identity_in_use", ticket: "tkt_group", isMember: true } };
    const asMember = { memberMac: "lent" };
    const leaving = () => prove("tkt_own", { abandoned: "tkt_group" });
    await note("tkt_group", "lent");
    expect((await prove("tkt_group", asMember)).ok).toBe(true);
    const again = start + GROUP_LEFT_AFTER_MS + 60_000;
    await at(drop, again);
    await note("tkt_group", "lent");
    await note("tkt_own", "own for tkt_own");
    expect((await prove("tkt_group", asMember)).ok).toBe(true);
    // The ticket's own shard knows of no join yet: it is on its way.
    expect(await leaving()).toEqual(inUse);
    await at(drop, again + GROUP_LEFT_AFTER_MS - 1);
    expect((await prove("tkt_group", { ...asMember, isTrial: true })).ok).toBe(true);
    expect(await leaving()).toEqual(inUse);
    await at(drop, again + GROUP_LEFT_AFTER_MS);
    await note("tkt_own", "own for tkt_own");
    expect((await leaving()).ok).toBe(true);
  });

  it("counts what one network has sent to an address, and lets another network send on", async () => {
    const drop = "flooded";
    const note = (index: number, network: string) => doorOf(drop).noteCode({ person: "ana", ticket: `tkt_${index}`, network, mac: `mac ${index}` }).then(codeOf);
    for (let index = 0; index < SENDS_PER_NETWORK_MAX; index++) expect(await note(index, "bots")).toBe("yes");
    await evictDurableObject(stubOf(drop, 0));
    expect([await note(90, "bots"), await note(91, "home")]).toEqual(["too_many_requests", "yes"]);
  });

  it("moves a ticket to its person's new key for good, and asks for a person only whoever is new", async () => {
    const drop = "moved";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000, { shards: 1, gates: { ...NO_GATES, email: true } }));
    const ticket = ticketId(drop, 0);
    const join = async (keyThumbprint: string, person: string | null) => {
      const answer = await shardOf(drop, 0).join({ ticket, entry: entryOf(drop, ticket), keyThumbprint, lane: "open", weight: 1, wants: [{ sku: "MOTH-S", quantity: 1 }], person, network: "net", spends: [] });
      await evictDurableObject(stubOf(drop, 0));
      return answer.ok ? answer.value.keyThumbprint : answer.rejection.code;
    };
    expect(await join("phone", null)).toBe("identity_required");
    expect(await join("phone", "ana")).toBe("phone");
    expect(await join("phone", null)).toBe("phone");
    expect(await join("laptop", null)).toBe("id_reused");
    expect(await join("laptop", "ben")).toBe("id_reused");
    expect(await join("phone", "ben")).toBe("id_reused");
    expect(await join("laptop", "ana")).toBe("laptop");
    expect(await join("phone", null)).toBe("id_reused");
    expect(await join("laptop", null)).toBe("laptop");
  });
});
