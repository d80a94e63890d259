import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LaneShare } from "../../../src/drop/plan.ts";
import type { JoinCommand } from "../../../src/lobby/port.ts";
import { type JoinWindow, TicketBook } from "../../../src/lobby/tickets.ts";

const LOBBY_OPENS_AT = 1_000_000;
const OPENS_AT = 1_600_000;
const CLOSES_AT = 2_000_000;
const lane = (name: string, sharePercent: number, weight: number): LaneShare => ({ lane: name, sharePercent, untilMs: 60_000, weight, evidence: { kind: "invite" } });
const RUNNING: JoinWindow = {
  lobbyOpensAt: LOBBY_OPENS_AT, opensAt: OPENS_AT, closesAt: CLOSES_AT, isOver: false, asksForPerson: false, limitPerPerson: 20,
  lanes: [lane("local", 20, 1), lane("member", 10, 3), lane("friends", 10, 1)],
};

function command(name: string, changes: Partial<JoinCommand> = {}): JoinCommand {
  return { ticket: `tkt_${name}`, entry: `entry-${name}`, keyThumbprint: `key-${name}`, lane: "open", weight: 1, wants: [{ sku: "MOTH-S", quantity: 1 }], person: null, network: "net", spends: [], ...changes };
}

describe("joining", () => {
  it("gives a retry the first answer, with the time of the first", () => {
    const book = new TicketBook();
    const first = book.join(command("a"), RUNNING, LOBBY_OPENS_AT + 5);
    const again = book.join(command("a"), RUNNING, LOBBY_OPENS_AT + 900);
    expect(first).toMatchObject({ ok: true, value: { change: "created", ticket: { joinedAt: LOBBY_OPENS_AT + 5 } } });
    expect(again).toMatchObject({ ok: true, value: { change: "none", ticket: { joinedAt: LOBBY_OPENS_AT + 5 } } });
    expect(book.tickets).toHaveLength(1);
  });

  it("lets the same key change what it wants and nothing that its place depends on", () => {
    const book = new TicketBook();
    book.join(command("a"), RUNNING, LOBBY_OPENS_AT);
    const changed = book.join(command("a", { wants: [{ sku: "MOTH-M", quantity: 2 }], lane: "member", weight: 9 }), RUNNING, OPENS_AT + 1);
    expect(changed).toMatchObject({
      ok: true,
      value: { change: "changed", ticket: { joinedAt: LOBBY_OPENS_AT, lane: "open", weight: 1, wants: [{ sku: "MOTH-M", quantity: 2 }] } },
    });
  });

  it("lets evidence that comes before the opening move a ticket into a better lane, with its weight, and never into a worse one", () => {
    const book = new TicketBook();
    const laneOf = (of: string, weight: number, now: number) => {
      const joined = book.join(command("a", { lane: of, weight }), RUNNING, now);
      return joined.ok ? [joined.value.ticket.lane, joined.value.ticket.weight, joined.value.ticket.joinedAt, joined.value.change] : joined;
    };
    expect(laneOf("open", 1, LOBBY_OPENS_AT)).toEqual(["open", 1, LOBBY_OPENS_AT, "created"]);
    expect(laneOf("friends", 1, LOBBY_OPENS_AT + 1)).toEqual(["friends", 1, LOBBY_OPENS_AT, "changed"]);
    expect(laneOf("local", 1, LOBBY_OPENS_AT + 2)).toEqual(["local", 1, LOBBY_OPENS_AT, "changed"]);
    // Whoever comes back without the evidence, or with less, keeps what was had.
    expect(laneOf("open", 1, LOBBY_OPENS_AT + 3)).toEqual(["local", 1, LOBBY_OPENS_AT, "none"]);
    expect(laneOf("friends", 1, LOBBY_OPENS_AT + 4)).toEqual(["local", 1, LOBBY_OPENS_AT, "none"]);
    expect(laneOf("member", 3, OPENS_AT - 1)).toEqual(["member", 3, LOBBY_OPENS_AT, "changed"]);
  });

  it("leaves a ticket that has its rank in its lane, though this shard's clock still stands before the opening", () => {
    const book = new TicketBook();
    const joined = book.join(command("a"), RUNNING, LOBBY_OPENS_AT);
    if (joined.ok) joined.value.ticket.rank = "0ff";
    expect(book.join(command("a", { lane: "local" }), RUNNING, OPENS_AT - 1)).toMatchObject({ ok: true, value: { change: "none", ticket: { lane: "open" } } });
  });

  it("leaves a ticket in its lane from the millisecond of the opening on, sealed or not", () => {
    const book = new TicketBook();
    book.join(command("a"), RUNNING, LOBBY_OPENS_AT);
    expect(book.join(command("a", { lane: "local" }), RUNNING, OPENS_AT)).toMatchObject({ ok: true, value: { change: "none", ticket: { lane: "open" } } });
    // A shard whose clock was put back has said already that the lobby is over.
    book.closeThrough(OPENS_AT - 1);
    expect(book.join(command("a", { lane: "local" }), RUNNING, OPENS_AT - 5)).toMatchObject({ ok: true, value: { change: "none", ticket: { lane: "open" } } });
  });

  it("refuses another key under the same id and leaves the ticket as it was", () => {
    const book = new TicketBook();
    book.join(command("a"), RUNNING, LOBBY_OPENS_AT);
    const stolen = book.join(command("a", { keyThumbprint: "key-thief", wants: [] }), RUNNING, LOBBY_OPENS_AT + 1);
    expect(stolen).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(book.find("tkt_a")?.wants).toEqual([{ sku: "MOTH-S", quantity: 1 }]);
  });

  it("begins with the lobby's first millisecond and ends with the drop's last", () => {
    const book = new TicketBook();
    expect(book.join(command("early"), RUNNING, LOBBY_OPENS_AT - 1)).toEqual({ ok: false, rejection: { code: "lobby_not_open", lobbyOpensAt: LOBBY_OPENS_AT } });
    expect(book.join(command("first"), RUNNING, LOBBY_OPENS_AT).ok).toBe(true);
    expect(book.join(command("last"), RUNNING, CLOSES_AT - 1).ok).toBe(true);
    expect(book.join(command("late"), RUNNING, CLOSES_AT)).toEqual({ ok: false, rejection: { code: "drop_closed" } });
    expect(book.join(command("first", { wants: [] }), RUNNING, CLOSES_AT)).toEqual({ ok: false, rejection: { code: "drop_closed" } });
  });

  it("is refused once the drop was cancelled, but for a retry of what was given before", () => {
    const book = new TicketBook();
    book.join(command("a"), RUNNING, LOBBY_OPENS_AT);
    const cancelled = { ...RUNNING, isOver: true };
    expect(book.join(command("b"), cancelled, LOBBY_OPENS_AT + 1)).toEqual({ ok: false, rejection: { code: "drop_closed" } });
    expect(book.join(command("a"), cancelled, LOBBY_OPENS_AT + 1).ok).toBe(true);
  });

  it("uses up what it spends: another join that brings it is refused, and a retry of the first gets the first answer", () => {
    const book = new TicketBook();
    const spends = [{ key: "work/abc", expiresAt: LOBBY_OPENS_AT + 1_000 }];
    const first = book.join(command("a", { spends }), RUNNING, LOBBY_OPENS_AT);
    expect(first).toMatchObject({ ok: true, value: { spent: spends } });
    expect(book.join(command("b", { spends }), RUNNING, LOBBY_OPENS_AT)).toEqual({ ok: false, rejection: { code: "already_spent", key: "work/abc" } });
    expect(book.join(command("a", { spends, wants: [{ sku: "MOTH-M", quantity: 1 }] }), RUNNING, LOBBY_OPENS_AT)).toEqual({ ok: false, rejection: { code: "already_spent", key: "work/abc" } });
    expect(book.find("tkt_b")).toBeNull();
    expect(book.join(command("a", { spends }), RUNNING, LOBBY_OPENS_AT + 5_000)).toMatchObject({ ok: true, value: { change: "none", spent: [] } });
  });

  it("spends nothing when it is refused, and remembers what was spent until it is refused for its age", () => {
    const book = new TicketBook();
    const spends = [{ key: "work/abc", expiresAt: LOBBY_OPENS_AT + 1_000 }];
    expect(book.join(command("a", { spends }), RUNNING, LOBBY_OPENS_AT - 1).ok).toBe(false);
    expect(book.join(command("a", { spends }), RUNNING, LOBBY_OPENS_AT).ok).toBe(true);
    book.forgetSpent(LOBBY_OPENS_AT + 1_000);
    expect(book.join(command("b", { spends }), RUNNING, LOBBY_OPENS_AT).ok).toBe(false);
    book.forgetSpent(LOBBY_OPENS_AT + 1_001);
    expect(book.join(command("b", { spends }), RUNNING, LOBBY_OPENS_AT).ok).toBe(true);
  });

  it("never gives a time that is earlier than the one before, or that was said to be over", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: LOBBY_OPENS_AT, max: CLOSES_AT - 1_000 }), fc.boolean()), { maxLength: 60 }), (events) => {
        const book = new TicketBook();
        let closedThrough = 0;
        events.forEach(([now, isClosing], index) => {
          if (isClosing) {
            closedThrough = book.completeThrough(now);
            book.closeThrough(closedThrough);
            return;
          }
          const before = book.tickets.at(-1)?.joinedAt ?? 0;
          const joined = book.join(command(String(index)), RUNNING, now);
          expect(joined.ok).toBe(true);
          const joinedAt = book.tickets.at(-1)?.joinedAt ?? 0;
          expect(joinedAt).toBeGreaterThanOrEqual(before);
          expect(joinedAt).toBeGreaterThan(closedThrough);
        });
      }),
    );
  });
});

describe("who is drawn", () => {
  it("is everyone who joined before the opening, and nobody who joined at it", () => {
    const book = new TicketBook();
    for (const [name, at] of [["a", OPENS_AT - 540_000], ["b", OPENS_AT - 1], ["c", OPENS_AT], ["d", OPENS_AT + 1]] as const) book.join(command(name), RUNNING, at);
    expect(book.drawnCount(OPENS_AT)).toBe(2);
  });

  it("does not change any more once the opening was sealed, even when the clock falls back", () => {
    const book = new TicketBook();
    book.join(command("a"), RUNNING, OPENS_AT - 10);
    book.closeThrough(OPENS_AT - 1);
    book.join(command("b"), RUNNING, OPENS_AT - 5);
    expect(book.drawnCount(OPENS_AT)).toBe(1);
  });
});

describe("what is complete", () => {
  it("ends before the first ticket whose seal is not in the record", () => {
    const book = new TicketBook();
    book.join(command("a"), RUNNING, OPENS_AT - 10);
    const seal = { batch: 0, end: 1, count: 1, root: "", acknowledged: false };
    book.seals.push(seal);
    expect(book.completeThrough(OPENS_AT + 50)).toBe(OPENS_AT - 11);
    seal.acknowledged = true;
    expect(book.completeThrough(OPENS_AT + 50)).toBe(OPENS_AT + 49);
    book.join(command("b"), RUNNING, OPENS_AT + 60);
    expect(book.offeredCount).toBe(1);
    expect(book.completeThrough(OPENS_AT + 100)).toBe(OPENS_AT + 59);
  });
});
