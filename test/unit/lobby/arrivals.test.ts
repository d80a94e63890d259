import { describe, expect, it } from "vitest";
import { type Arrival, decideArrivals, judgeArrival } from "../../../src/lobby/arrivals.ts";
import { JoinBudget } from "../../../src/lobby/join-budget.ts";
import type { JoinCommand } from "../../../src/lobby/port.ts";
import { TicketBook } from "../../../src/lobby/tickets.ts";
import { OPENS_AT, plan } from "../../support/storefront-doubles.ts";

const AT = OPENS_AT - 60_000;

function arrival(ticket: string, changes: Partial<JoinCommand> = {}): Arrival {
  return { at: AT, command: { ticket, entry: `entry-${ticket}`, keyThumbprint: `key-${ticket}`, lane: "open", weight: 1, wants: [], person: null, network: "net", spends: [], ...changes } };
}

const newShard = (joinsPerMinute = 10) => ({ book: new TicketBook(), budget: new JoinBudget(), plan: { ...plan, shards: 1, budgets: { joinsPerMinute, unpaidHolds: 1 } }, isOver: false });
const codes = ({ outcomes }: ReturnType<typeof decideArrivals>) => outcomes.map((outcome) => (outcome.ok ? outcome.value.ticket : outcome.rejection.code));

describe("a group of arrivals", () => {
  it("is answered in its order, and what is to be stored is all that it changed, each ticket once", () => {
    const shard = newShard();
    const spends = [{ key: "work/a", expiresAt: AT + 1 }];
    const decided = decideArrivals([arrival("a", { spends }), arrival("b", { spends }), arrival("a", { spends }), arrival("c")], shard);
    expect(codes(decided)).toEqual(["a", "already_spent", "a", "c"]);
    expect(decided.changes?.tickets.map(({ ticket }) => ticket)).toEqual(["a", "c"]);
    expect(decided.changes?.spent).toEqual([{ ...spends[0], ticket: "a" }]);
    expect(decided.changes?.minutes).toEqual([{ network: "net", startedAt: AT, joins: 4 }]);
  });

  it("of a network that is over its budget changes neither book nor storage, and takes nothing from another one", () => {
    const shard = newShard(2);
    const decided = decideArrivals([arrival("a"), arrival("b"), arrival("c"), arrival("d", { network: "other" })], shard);
    expect(codes(decided)).toEqual(["a", "b", "too_many_requests", "d"]);
    expect(shard.book.find("c")).toBeNull();
    const refused = decideArrivals([arrival("c"), arrival("e")], shard);
    expect([codes(refused), refused.changes]).toEqual([["too_many_requests", "too_many_requests"], null]);
  });

  it("that only asks again for what it has is worth no write", () => {
    const shard = newShard();
    decideArrivals([arrival("a")], shard);
    expect(decideArrivals([arrival("a")], shard)).toMatchObject({ outcomes: [{ ok: true }], changes: null });
  });
});

describe("an arrival that is judged before something is used up for it", () => {
  it("hears what its join would, and changes nothing of the book", () => {
    const shard = newShard();
    const spends = [{ key: "work/a", expiresAt: AT + 1 }];
    for (let time = 0; time < 2; time++) expect(judgeArrival(arrival("a", { spends }), shard)).toEqual({ ok: true, value: null });
    expect(shard.book.tickets).toEqual([]);
    expect(codes(decideArrivals([arrival("a", { spends })], shard))).toEqual(["a"]);
    const gated = { ...shard, plan: { ...shard.plan, gates: { ...shard.plan.gates, email: true } } };
    const refusals = [judgeArrival(arrival("b"), gated), judgeArrival(arrival("a", { keyThumbprint: "other" }), shard), judgeArrival(arrival("b"), { ...shard, isOver: true }), judgeArrival(arrival("b", { spends }), shard)];
    expect(refusals.map((refusal) => (refusal.ok ? null : refusal.rejection.code))).toEqual(["identity_required", "id_reused", "drop_closed", "already_spent"]);
    expect(shard.book.tickets).toHaveLength(1);
  });

  it("costs its network one join and not two, and asking alone costs as much: who may not join gets no yes", () => {
    const shard = newShard(3);
    for (const ticket of ["a", "b"]) {
      expect(judgeArrival(arrival(ticket), shard).ok).toBe(true);
      expect(codes(decideArrivals([arrival(ticket)], shard))).toEqual([ticket]);
    }
    expect(judgeArrival(arrival("c"), shard).ok).toBe(true);
    expect(judgeArrival(arrival("d"), shard)).toEqual({ ok: false, rejection: { code: "too_many_requests", retryAt: AT + 60_000 } });
    // What was said yes to is kept, once, for this ticket of this network, and only for as long as its minute.
    expect(codes(decideArrivals([arrival("c", { network: "other" }), arrival("d"), arrival("c"), arrival("c")], shard))).toEqual(["c", "too_many_requests", "c", "too_many_requests"]);
    const late = { ...arrival("e"), at: AT + 60_000 };
    for (const ticket of ["e", "f", "g"]) expect(judgeArrival({ ...arrival(ticket), at: late.at }, shard).ok).toBe(true);
    for (const ticket of ["x", "y", "z"]) decideArrivals([{ ...arrival(ticket), at: AT + 120_000 }], shard);
    expect(codes(decideArrivals([{ ...late, at: AT + 120_000 }], shard))).toEqual(["too_many_requests"]);
  });
});
