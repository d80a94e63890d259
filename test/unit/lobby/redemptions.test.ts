import { describe, expect, test } from "vitest";
import { CODE_LIFETIME_MS, CODE_TRIES_MAX, decideProof, decideSending, GROUP_LEFT_AFTER_MS, SEND_WINDOW_MS, SENDS_PER_NETWORK_MAX, SENDS_PER_PERSON_MAX, SENDS_PER_TICKET_MAX, type SentCode } from "../../../src/lobby/address-codes.ts";
import { decideRedemption } from "../../../src/lobby/redemptions.ts";

const NOW = 1_800_000_000_000;
const MINE = "tkt_mine";
const OTHERS = "tkt_others";

function sent(change: Partial<SentCode> = {}): SentCode {
  return { ticket: MINE, network: "home", mac: "right", sentAt: NOW - 1_000, tries: 0, ...change };
}

describe("what may be used so and so often", () => {
  const use = (tickets: readonly string[], isRevoked = false) => ({ users: tickets.length, isUser: tickets.includes(MINE), isRevoked });

  test("is used by as many as it may be, and by nobody after them", () => {
    expect(decideRedemption(use([]), { uses: 1 })).toEqual({ ok: true, value: { isNew: true } });
    expect(decideRedemption(use([OTHERS]), { uses: 2 })).toEqual({ ok: true, value: { isNew: true } });
    expect(decideRedemption(use([OTHERS]), { uses: 1 })).toEqual({ ok: false, rejection: { code: "already_used" } });
  });

  test("gives whoever asks again the same yes, and uses nothing more", () => {
    expect(decideRedemption(use([OTHERS, MINE]), { uses: 2 })).toEqual({ ok: true, value: { isNew: false } });
  });

  test("is refused to everybody once it was taken back, also to those who used it", () => {
    for (const tickets of [[], [MINE]]) expect(decideRedemption(use(tickets, true), { uses: 9 })).toEqual({ ok: false, rejection: { code: "revoked" } });
  });
});

const invalid = { ok: false, rejection: { code: "identity_invalid" } };

describe("a code that was sent", () => {
  const proof = (codes: readonly SentCode[], change: { readonly ticket?: string; readonly mac?: string; readonly holder?: string | null; readonly now?: number } = {}) =>
    decideProof(codes, change.holder == null ? null : { ticket: change.holder, memberSince: null }, { ticket: change.ticket ?? MINE, mac: change.mac ?? "right" }, change.now ?? NOW);

  test("proves the address for the ticket that asked for it, again and again until its time ends", () => {
    expect(proof([sent()])).toEqual({ outcome: { ok: true, value: null }, guessed: [] });
    expect(proof([sent()], { holder: MINE })).toEqual({ outcome: { ok: true, value: null }, guessed: [] });
    expect(proof([sent({ sentAt: NOW - CODE_LIFETIME_MS + 1 })]).outcome.ok).toBe(true);
    expect(proof([sent({ sentAt: NOW - CODE_LIFETIME_MS })]).outcome).toEqual(invalid);
  });

  test("is one answer when it is wrong, for another ticket, or was never sent", () => {
    expect(proof([sent()], { mac: "wrong" }).outcome).toEqual(invalid);
    expect(proof([sent()], { ticket: OTHERS })).toEqual({ outcome: invalid, guessed: [] });
    expect(proof([])).toEqual({ outcome: invalid, guessed: [] });
  });

  test("is worth nothing after as many wrong guesses as it may have, and the guess counts against every code that it could have been", () => {
    let codes: readonly SentCode[] = [sent(), sent({ mac: "newer" })];
    for (let guess = 0; guess < CODE_TRIES_MAX; guess++) {
      const { guessed } = proof(codes, { mac: "wrong" });
      expect(guessed).toHaveLength(2);
      codes = guessed;
    }
    expect(proof(codes).outcome).toEqual(invalid);
    expect(proof(codes, { mac: "newer" }).outcome).toEqual(invalid);
    // The codes of another ticket for the same address are not touched by it.
    expect(proof([sent({ ticket: OTHERS })], { mac: "wrong" }).guessed).toEqual([]);
  });

  test("leads whoever has a place already to that place, and lets nobody else near it", () => {
    expect(proof([sent()], { holder: OTHERS })).toEqual({ outcome: { ok: false, rejection: { code: "identity_in_use", ticket: OTHERS } }, guessed: [] });
    expect(proof([sent()], { holder: OTHERS, ticket: OTHERS }).outcome.ok).toBe(true);
    expect(proof([sent()], { holder: OTHERS, ticket: OTHERS, mac: "wrong" })).toEqual({ outcome: invalid, guessed: [sent({ tries: 1 })] });
  });
});

describe("a code for a place in a group", () => {
  const SINCE = NOW - GROUP_LEFT_AFTER_MS;
  const member = { ticket: MINE, mac: "as an owner's", memberMac: "right" };
  const inGroup = (ticket: string, memberSince = SINCE + 1) => ({ ticket, memberSince });
  const inUse = (ticket: string, isMember?: true) => ({ ok: false, rejection: { code: "identity_in_use", ticket, ...(isMember ? { isMember } : {}) } });

  test("puts the address there, whichever of the two codes was sent, and again for the same ticket", () => {
    for (const mac of [member.mac, member.memberMac]) expect(decideProof([sent({ mac })], null, member, NOW)).toEqual({ outcome: { ok: true, value: null }, guessed: [] });
    expect(decideProof([sent()], inGroup(MINE), member, NOW).outcome.ok).toBe(true);
  });

  test("given again counts from now on, though the one before could have been left, and no place of one's own does", () => {
    for (const since of [SINCE, SINCE + 1]) expect(decideProof([sent()], inGroup(MINE, since), member, NOW)).toEqual({ outcome: { ok: true, value: null }, guessed: [], isRenewed: true });
    const others = [decideProof([sent()], null, member, NOW), decideProof([sent()], { ticket: MINE, memberSince: null }, { ticket: MINE, mac: "right" }, NOW), decideProof([sent({ mac: "another" })], inGroup(MINE), member, NOW)];
    expect(others.map(({ isRenewed }) => isRenewed)).toEqual([undefined, undefined, undefined]);
  });

  test("proves nothing for a place of one's own: neither this ticket's nor the one that the address has", () => {
    const asOwner = (ticket: string) => ({ ticket, mac: "as an owner's" });
    expect(decideProof([sent()], null, asOwner(MINE), NOW)).toEqual({ outcome: invalid, guessed: [sent({ tries: 1 })] });
    expect(decideProof([sent()], { ticket: OTHERS, memberSince: null }, asOwner(OTHERS), NOW)).toEqual({ outcome: invalid, guessed: [sent({ tries: 1 })] });
  });

  test("leads nobody out of a place of their own, and no owner and no member into the place of the other", () => {
    expect(decideProof([sent()], { ticket: OTHERS, memberSince: null }, member, NOW).outcome).toEqual(inUse(OTHERS));
    expect(decideProof([sent()], { ticket: MINE, memberSince: null }, member, NOW).outcome).toEqual(inUse(MINE));
    expect(decideProof([sent()], inGroup(MINE, 0), { ticket: MINE, mac: "right", abandoned: MINE }, NOW).outcome).toEqual(inUse(MINE, true));
  });

  test("can be left for another place when its ticket never took it up, and not while the join may still be on its way", () => {
    const alone = { ticket: MINE, mac: "right" };
    expect(decideProof([sent()], inGroup(OTHERS, SINCE), alone, NOW).outcome).toEqual(inUse(OTHERS, true));
    expect(decideProof([sent()], inGroup(OTHERS, SINCE + 1), { ...alone, abandoned: OTHERS }, NOW).outcome).toEqual(inUse(OTHERS, true));
    expect(decideProof([sent()], inGroup(OTHERS, SINCE), { ...alone, abandoned: "tkt_third" }, NOW).outcome).toEqual(inUse(OTHERS, true));
    expect(decideProof([sent()], inGroup(OTHERS, SINCE), { ...alone, abandoned: OTHERS }, NOW)).toEqual({ outcome: { ok: true, value: null }, guessed: [], isMoved: true });
    expect(decideProof([sent({ mac: "another" })], inGroup(OTHERS, SINCE), { ...alone, abandoned: OTHERS }, NOW).outcome).toEqual(invalid);
  });
});

describe("a place that turns out to be the ticket of others", () => {
  const mine = { ticket: MINE, mac: "right" };
  const owning = { ticket: OTHERS, memberSince: null };

  test("is left at once for another one, and for that ticket alone which others have", () => {
    expect(decideProof([sent()], owning, { ...mine, abandoned: OTHERS }, NOW)).toEqual({ outcome: { ok: true, value: null }, guessed: [], isMoved: true });
    const inUse = { ok: false, rejection: { code: "identity_in_use", ticket: OTHERS } };
    for (const proof of [mine, { ...mine, abandoned: "tkt_third" }]) expect(decideProof([sent()], owning, proof, NOW).outcome).toEqual(inUse);
    expect(decideProof([sent({ mac: "another" })], owning, { ...mine, abandoned: OTHERS }, NOW).outcome).toEqual(invalid);
  });

  test("is left for staff's word as for a code, and whose own place it is stays there", () => {
    const vouched = { ticket: MINE, mac: "", isVouched: true };
    expect(decideProof([], null, vouched, NOW)).toEqual({ outcome: { ok: true, value: null }, guessed: [] });
    expect(decideProof([], owning, vouched, NOW).outcome).toEqual({ ok: false, rejection: { code: "identity_in_use", ticket: OTHERS } });
    expect(decideProof([], owning, { ...vouched, abandoned: OTHERS }, NOW)).toMatchObject({ outcome: { ok: true }, isMoved: true });
    expect(decideProof([], null, { ...vouched, isVouched: false }, NOW).outcome).toEqual(invalid);
  });
});

describe("sending codes", () => {
  const note = (ticket: string, network = "home") => ({ person: "ana", ticket, network, mac: "new" });
  /** So many codes, each a second older than the one before. */
  const codes = (count: number, change: (index: number) => Partial<SentCode>) => Array.from({ length: count }, (_, index) => sent({ sentAt: NOW - 1_000 * (index + 1), ...change(index) }));

  test("stops for a ticket and for an address, and goes on when the oldest no longer counts", () => {
    const ofTicket = codes(SENDS_PER_TICKET_MAX, (index) => ({ network: `network-${index}` }));
    expect(decideSending(ofTicket.slice(1), note(MINE), NOW).ok).toBe(true);
    const oldest = NOW - 1_000 * SENDS_PER_TICKET_MAX;
    expect(decideSending(ofTicket, note(MINE), NOW)).toEqual({ ok: false, rejection: { code: "too_many_requests", retryAt: oldest + SEND_WINDOW_MS } });
    expect(decideSending(ofTicket, note(MINE), oldest + SEND_WINDOW_MS).ok).toBe(true);
    expect(decideSending(ofTicket, note(OTHERS), NOW).ok).toBe(true);

    const ofPerson = codes(SENDS_PER_PERSON_MAX, (index) => ({ ticket: `tkt_${index}`, network: `network-${index}` }));
    expect(decideSending(ofPerson, note("tkt_new"), NOW)).toMatchObject({ ok: false, rejection: { code: "too_many_requests" } });
    expect(decideSending(ofPerson.slice(1), note("tkt_new"), NOW)).toEqual({ ok: true, value: { ticket: "tkt_new", network: "home", mac: "new", sentAt: NOW, tries: 0 } });
  });

  test("goes on for an address whose strangers have used their network's part up, whatever tickets they think of", () => {
    const strangers = (networks: number) => codes(networks * SENDS_PER_NETWORK_MAX, (index) => ({ ticket: `tkt_${index}`, network: `bots-${index % networks}` }));
    expect(decideSending(strangers(1), note("tkt_new", "bots-0"), NOW)).toEqual({ ok: false, rejection: { code: "too_many_requests", retryAt: NOW - 1_000 * SENDS_PER_NETWORK_MAX + SEND_WINDOW_MS } });
    expect(decideSending(strangers(5), note("tkt_new"), NOW).ok).toBe(true);
    // As many networks as use all of it up are needed to keep somebody waiting, and then nothing more fills the mailbox.
    expect(decideSending(strangers(SENDS_PER_PERSON_MAX / SENDS_PER_NETWORK_MAX), note("tkt_new"), NOW)).toMatchObject({ rejection: { code: "too_many_requests" } });
    // What was sent before networks were noted counts for the address alone.
    const before = codes(SENDS_PER_NETWORK_MAX, (index) => ({ ticket: `tkt_${index}`, network: null }));
    expect(decideSending(before, note("tkt_new"), NOW).ok).toBe(true);
  });
});
