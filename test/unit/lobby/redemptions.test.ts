import { describe, expect, test } from "vitest";
import { CODE_LIFETIME_MS, CODE_TRIES_MAX, decideProof, decideSending, SEND_WINDOW_MS, SENDS_PER_PERSON_MAX, SENDS_PER_TICKET_MAX, type SentCode } from "../../../src/lobby/address-codes.ts";
import { decideRedemption } from "../../../src/lobby/redemptions.ts";

const NOW = 1_800_000_000_000;
const MINE = "tkt_mine";
const OTHERS = "tkt_others";

function sent(change: Partial<SentCode> = {}): SentCode {
  return { ticket: MINE, mac: "right", sentAt: NOW - 1_000, tries: 0, ...change };
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

describe("a code that was sent", () => {
  const proof = (codes: readonly SentCode[], change: { readonly ticket?: string; readonly mac?: string; readonly holder?: string | null; readonly now?: number } = {}) =>
    decideProof(codes, change.holder ?? null, { ticket: change.ticket ?? MINE, mac: change.mac ?? "right" }, change.now ?? NOW);
  const invalid = { ok: false, rejection: { code: "identity_invalid" } };

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

describe("sending codes", () => {
  const note = (ticket: string) => ({ person: "ana", ticket, mac: "new" });

  test("stops for a ticket and for an address, and goes on when the oldest no longer counts", () => {
    const ofTicket = Array.from({ length: SENDS_PER_TICKET_MAX }, (_, index) => sent({ sentAt: NOW - 1_000 * (index + 1) }));
    expect(decideSending(ofTicket.slice(1), note(MINE), NOW).ok).toBe(true);
    const oldest = NOW - 1_000 * SENDS_PER_TICKET_MAX;
    expect(decideSending(ofTicket, note(MINE), NOW)).toEqual({ ok: false, rejection: { code: "too_many_requests", retryAt: oldest + SEND_WINDOW_MS } });
    expect(decideSending(ofTicket, note(MINE), oldest + SEND_WINDOW_MS).ok).toBe(true);
    expect(decideSending(ofTicket, note(OTHERS), NOW).ok).toBe(true);

    const ofPerson = Array.from({ length: SENDS_PER_PERSON_MAX }, (_, index) => sent({ ticket: `tkt_${index}`, sentAt: NOW - 1_000 * (index + 1) }));
    expect(decideSending(ofPerson, note("tkt_new"), NOW)).toMatchObject({ ok: false, rejection: { code: "too_many_requests" } });
    expect(decideSending(ofPerson.slice(1), note("tkt_new"), NOW)).toEqual({ ok: true, value: { ticket: "tkt_new", mac: "new", sentAt: NOW, tries: 0 } });
  });
});
