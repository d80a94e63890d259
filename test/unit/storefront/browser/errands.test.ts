import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Answer, Api, Ask, Refusal } from "../../../../src/storefront/browser/api.ts";
import type { ServerClock } from "../../../../src/storefront/browser/clock.ts";
import { Errands } from "../../../../src/storefront/browser/errands.ts";
import type { PageData } from "../../../../src/storefront/browser/page-data.ts";
import { makeKeys } from "../../../../src/storefront/browser/proof.ts";

const NOW = 1_000_000;
const FRIEND = { email: "ben@shopper.example", code: "87654321" };
const keys = await makeKeys();

/** Something of the browser that is asked for and answers a little later. */
function later<Value>(result: Value) {
  const request = { result, onsuccess: null as (() => void) | null };
  queueMicrotask(() => request.onsuccess?.());
  return request;
}

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) });
  vi.stubGlobal("indexedDB", { open: () => later({ transaction: () => ({ objectStore: () => ({ get: () => later(keys) }) }) }) });
});
afterEach(() => vi.unstubAllGlobals());

const refused = (code: string, more: Partial<Refusal> = {}): Answer<unknown> => ({ ok: false, refusal: { status: 409, code, title: code, detail: "", waitMs: 0, ...more } });
const JOINED: Answer<unknown> = { ok: true, status: 201, value: { id: "tkt", ticket: "a.e30.b", people: 2 } };

interface Join { readonly id: string; readonly group: number }

/** A browser whose joins get these answers, one after the other; every code is sent. */
function browser(answers: readonly Answer<unknown>[]) {
  const joins: Join[] = [];
  const left = [...answers];
  const onJoin: { call: (() => void) | null } = { call: null };
  const answerTo = ({ method, path, body }: Ask): Answer<unknown> => {
    if (method === "POST") return { ok: true, status: 202, value: {} };
    const identity = (body as { readonly identity?: { readonly group?: readonly unknown[] } }).identity;
    joins.push({ id: path.split("/").at(-1) ?? "", group: identity?.group?.length ?? 0 });
    onJoin.call?.();
    return left.shift() ?? expect.unreachable("a join too many");
  };
  // What the errands read of the page and of the clock, and no more; an answer's shape is its errand's to know.
  const page = { drop: "moth-tee", planHash: "f".repeat(64), region: "berlin", asksCode: true, lobbyOpensAt: 0, opensAt: NOW * 2, closesAt: NOW * 3 } as PageData;
  const api = { ask: async (ask: Ask) => answerTo(ask) } as unknown as Api;
  const errands = new Errands(page, api, { now: () => NOW } as ServerClock, () => {});
  const begin = async () => {
    await errands.sendCode("ana@shopper.example");
    await errands.askFriend(FRIEND.email);
    return errands.prove("12345678", [FRIEND]);
  };
  return { errands, joins, begin, onJoin };
}

describe("a refused join of several people", () => {
  it("is tried again under the id that everybody's code is for, with everybody", async () => {
    for (const code of ["too_many_requests", "quantity_not_allowed", "temporarily_unavailable"]) {
      const { errands, joins, begin } = browser([refused(code), JOINED]);
      expect((await begin()).done).toBe(false);
      expect(errands.memory().ticketId).toBeNull();
      expect((await errands.join()).done).toBe(true);
      expect([joins.length, new Set(joins.map(({ id }) => id)).size, joins.map(({ group }) => group)]).toEqual([2, 1, [1, 1]]);
      errands.update({ ticket: null, ticketId: null });
    }
  });

  it("that was taken back meanwhile leaves its id to the next one", async () => {
    const { errands, joins, begin, onJoin } = browser([refused("temporarily_unavailable"), JOINED]);
    onJoin.call = () => errands.leave();
    await begin();
    onJoin.call = null;
    expect(errands.memory()).toMatchObject({ ticketId: null, identity: null, friends: [] });
    await begin();
    expect(joins).toEqual([joins[0], joins[0]]);
  });

  it("does not keep an id that somebody has, and leads to the place that its owner has", async () => {
    const taken = browser([refused("id_reused"), JOINED]);
    await taken.begin();
    await taken.errands.join();
    expect(taken.joins[1]?.id).not.toBe(taken.joins[0]?.id);
    taken.errands.update({ ticket: null, ticketId: null });
    const placed = browser([refused("identity_in_use", { ticket: "tkt_theirs" }), JOINED]);
    await placed.begin();
    expect(placed.joins[1]).toEqual({ id: "tkt_theirs", group: 0 });
    expect(placed.errands.memory()).toMatchObject({ spareId: null, ticket: { people: 2 } });
  });
});
