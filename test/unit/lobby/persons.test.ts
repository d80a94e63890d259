import { describe, expect, test } from "vitest";
import type { JoinCommand } from "../../../src/lobby/port.ts";
import { type JoinWindow, TicketBook } from "../../../src/lobby/tickets.ts";

const ASKING: JoinWindow = { lobbyOpensAt: 0, opensAt: 600_000, closesAt: 2_000_000, isOver: false, asksForPerson: true, lanes: [] };
const AT = 1_000;

function command(changes: Partial<JoinCommand> = {}): JoinCommand {
  return { ticket: "tkt_a", entry: "entry-a", keyThumbprint: "key-a", lane: "open", weight: 1, wants: [{ sku: "MOTH-S", quantity: 1 }], person: "ana", network: "net", spends: [], ...changes };
}

describe("a lobby that gives places to proven addresses", () => {
  test("gives no new ticket without one, and uses nothing up for it", () => {
    const book = new TicketBook();
    const spends = [{ key: "work", expiresAt: 9_000 }];
    expect(book.join(command({ person: null, spends }), ASKING, AT)).toEqual({ ok: false, rejection: { code: "identity_required" } });
    expect(book.tickets).toEqual([]);
    expect(book.join(command({ spends }), ASKING, AT).ok).toBe(true);
  });

  test("lets the ticket's own key change its mind without proving the address again", () => {
    const book = new TicketBook();
    book.join(command(), ASKING, AT);
    const changed = book.join(command({ person: null, wants: [{ sku: "MOTH-M", quantity: 2 }] }), ASKING, AT + 1);
    expect(changed).toMatchObject({ ok: true, value: { change: "changed", ticket: { person: "ana", wants: [{ sku: "MOTH-M", quantity: 2 }] } } });
  });

  test("moves a ticket to another key for its own person, with its place as it was, and for nobody else", () => {
    const book = new TicketBook();
    book.join(command(), ASKING, AT);
    for (const person of [null, "ben"]) expect(book.join(command({ keyThumbprint: "key-b", person }), ASKING, AT + 1)).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(book.join(command({ keyThumbprint: "key-b" }), ASKING, AT + 2)).toMatchObject({ ok: true, value: { change: "changed", ticket: { entry: "entry-a", joinedAt: AT, keyThumbprint: "key-b" } } });
    // The key that it had before is somebody's who is not its person any more, as far as anybody can tell.
    expect(book.join(command({ person: null }), ASKING, AT + 3)).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(book.join(command({ keyThumbprint: "key-b", person: null }), ASKING, AT + 4)).toMatchObject({ ok: true, value: { change: "none" } });
  });

  test("does not take a ticket that belongs to nobody in particular for somebody's", () => {
    const book = new TicketBook();
    book.join(command({ person: null }), { ...ASKING, asksForPerson: false }, AT);
    expect(book.join(command({ keyThumbprint: "key-b", person: null }), ASKING, AT + 1)).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(book.join(command({ keyThumbprint: "key-b", person: "ana" }), ASKING, AT + 1)).toEqual({ ok: false, rejection: { code: "id_reused" } });
  });
});
