import { describe, expect, test } from "vitest";
import type { JoinCommand } from "../../../src/lobby/port.ts";
import { type JoinWindow, publicTicket, TicketBook } from "../../../src/lobby/tickets.ts";

const ASKING: JoinWindow = { lobbyOpensAt: 0, opensAt: 600_000, closesAt: 2_000_000, isOver: false, asksForPerson: true, limitPerPerson: 20, lanes: [] };
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

  test("keeps a ticket's group as it was joined: nobody is added, left out or exchanged, and its owner alone moves it", () => {
    const window = { ...ASKING, limitPerPerson: 2, groupMax: 3 };
    const book = new TicketBook();
    const wants = (quantity: number) => [{ sku: "MOTH-S", quantity }];
    const together = command({ members: ["ben", "cleo"], wants: wants(6) });
    expect(book.join({ ...together, wants: wants(7) }, window, AT)).toEqual({ ok: false, rejection: { code: "quantity_not_allowed", pointer: "/wants", max: 6, people: 3 } });
    expect(book.tickets).toEqual([]);
    expect(book.join(together, window, AT)).toMatchObject({ ok: true, value: { change: "created" } });
    expect(book.join({ ...together, members: ["cleo", "ben"] }, window, AT + 1)).toMatchObject({ ok: true, value: { change: "none" } });
    for (const members of [["ben"], ["ben", "dora"], ["ben", "cleo", "dora"], []]) expect(book.join({ ...together, members, wants: wants(1) }, window, AT + 2)).toEqual({ ok: false, rejection: { code: "id_reused" } });
    for (const person of ["ben", "cleo"]) expect(book.join(command({ keyThumbprint: "key-b", person }), window, AT + 3)).toEqual({ ok: false, rejection: { code: "id_reused" } });
    // Without a word about the group it stays, whoever of the owner's browsers asks and whatever is wanted.
    expect(book.join(command({ person: null, wants: wants(5) }), window, AT + 4)).toMatchObject({ ok: true, value: { change: "changed" } });
    expect(book.join(command({ keyThumbprint: "key-b", wants: wants(7) }), window, AT + 5)).toMatchObject({ rejection: { code: "quantity_not_allowed" } });
    expect(book.join(command({ keyThumbprint: "key-b", wants: wants(6) }), window, AT + 6)).toMatchObject({ ok: true, value: { change: "changed" } });
    const [ticket] = book.tickets;
    expect(ticket === undefined ? null : publicTicket(ticket)).toMatchObject({ people: 3, person: "ana", weight: 1, joinedAt: AT });
    expect(book.leaves(0, 1)).toEqual([{ entry: "entry-a", lane: "open", weight: 1 }]);
    const after = new TicketBook();
    if (ticket !== undefined) after.restore(ticket, null);
    expect(after.join(command({ keyThumbprint: "key-b", wants: wants(7) }), window, AT + 7)).toMatchObject({ rejection: { code: "quantity_not_allowed", max: 6 } });
  });

  test("never gives a ticket to more people than the plan lets stand together", () => {
    expect(() => new TicketBook().join(command({ members: ["ben"] }), ASKING, AT)).toThrow("no ticket stands for more people");
  });

  test("tells the ticket's own key when it comes with another person's proof: the ticket stays its first person's", () => {
    const book = new TicketBook();
    book.join(command(), ASKING, AT);
    expect(book.join(command({ person: "ben", wants: [{ sku: "MOTH-M", quantity: 1 }] }), ASKING, AT + 1)).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(book.tickets).toMatchObject([{ person: "ana", wants: [{ sku: "MOTH-S" }] }]);
  });

  test("does not take a ticket that belongs to nobody in particular for somebody's", () => {
    const book = new TicketBook();
    book.join(command({ person: null }), { ...ASKING, asksForPerson: false }, AT);
    expect(book.join(command({ keyThumbprint: "key-b", person: null }), ASKING, AT + 1)).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(book.join(command({ keyThumbprint: "key-b", person: "ana" }), ASKING, AT + 1)).toEqual({ ok: false, rejection: { code: "id_reused" } });
  });
});
