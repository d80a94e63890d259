import { LOBBY_MIGRATIONS } from "../../migrations/objects/lobby.ts";
import type { Plan } from "../../src/drop/plan.ts";
import type { Line } from "../../src/drop/port.ts";
import { type BookedTicket, TicketBook, type StoredSeal } from "../../src/lobby/tickets.ts";
import { migrate } from "./migrate.ts";

/** The frozen plan as the shard last heard it; with it people can join while the Drop object is away. */
export interface KnownPlan {
  readonly plan: Plan;
  readonly planHash: string;
  readonly planVersion: number;
}

/** Everything that a shard must still know after it was evicted. */
interface StoredLobby {
  readonly book: TicketBook;
  readonly known: KnownPlan | null;
  readonly isOver: boolean;
}

/** How many tickets one statement writes: far below what a bound value may hold. */
const ROWS_PER_STATEMENT = 500;

/** The shard's tables. Everything here is synchronous; an answer leaves the object only after what was written before it is durable. */
export class LobbyStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    storage.transactionSync(() => migrate(this.#sql, LOBBY_MIGRATIONS));
  }

  load(): StoredLobby {
    const book = new TicketBook();
    // Most people want the same few things: one array for all who want the same keeps a full shard small.
    const wantsByText = new Map<string, readonly Line[]>();
    const rows = this.#sql.exec<TicketRow>("SELECT ticket, entry, lane, weight, joined_at, wants, key_thumbprint, shown_position, person FROM tickets ORDER BY number");
    for (const row of rows) {
      const wants = wantsByText.get(row.wants) ?? storedJson<readonly Line[]>(row.wants);
      wantsByText.set(row.wants, wants);
      const { ticket, entry, lane, weight } = row;
      book.restore({ ticket, entry, lane, weight, joinedAt: row.joined_at, wants, keyThumbprint: row.key_thumbprint, person: row.person }, row.shown_position);
    }
    for (const row of this.#sql.exec<SealRow>("SELECT batch, end_number, count, root, acknowledged FROM seals ORDER BY batch")) {
      book.seals.push({ batch: row.batch, end: row.end_number, count: row.count, root: row.root, acknowledged: row.acknowledged === 1 });
    }
    book.closeThrough(Number(this.#fact("closed_through") ?? 0));
    const known = this.#fact("plan");
    return { book, known: known === null ? null : storedJson<KnownPlan>(known), isOver: this.#fact("over") !== null };
  }

  /** Writes the tickets of one group in one transaction; a ticket that is there already gets its new wants. */
  saveTickets(tickets: readonly BookedTicket[]): void {
    this.#storage.transactionSync(() => {
      for (let start = 0; start < tickets.length; start += ROWS_PER_STATEMENT) {
        const rows = tickets.slice(start, start + ROWS_PER_STATEMENT).map((ticket) => [
          ticket.index, ticket.ticket, ticket.entry, ticket.lane, ticket.weight, ticket.joinedAt, JSON.stringify(ticket.wants), ticket.keyThumbprint, ticket.person,
        ]);
        this.#sql.exec(
          `INSERT INTO tickets (number, ticket, entry, lane, weight, joined_at, wants, key_thumbprint, person)
           SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8 FROM json_each(?) WHERE true
           ON CONFLICT DO UPDATE SET wants = excluded.wants`,
          JSON.stringify(rows),
        );
      }
    });
  }

  /** A seal together with the moment through which nobody can join any more: the one without the other would let a seal miss somebody. */
  saveSeal(seal: StoredSeal, closedThrough: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("INSERT INTO seals (batch, end_number, count, root, acknowledged) VALUES (?, ?, ?, ?, 0)", seal.batch, seal.end, seal.count, seal.root);
      this.#setFact("closed_through", String(closedThrough));
    });
  }

  saveAcknowledgement(batch: number): void {
    this.#sql.exec("UPDATE seals SET acknowledged = 1 WHERE batch = ?", batch);
  }

  saveClosedThrough(closedThrough: number): void {
    this.#setFact("closed_through", String(closedThrough));
  }

  saveShownPosition(ticket: string, position: number): void {
    this.#sql.exec("UPDATE tickets SET shown_position = ? WHERE ticket = ?", position, ticket);
  }

  savePlan(known: KnownPlan): void {
    this.#setFact("plan", JSON.stringify(known));
  }

  saveOver(): void {
    this.#setFact("over", "1");
  }

  #fact(name: string): string | null {
    return this.#sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = ?", name).toArray()[0]?.value ?? null;
  }

  #setFact(name: string, value: string): void {
    this.#sql.exec("INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value);
  }
}

// Type aliases, because the rows of a query must have an index signature, which an interface lacks.
type TicketRow = {
  ticket: string;
  entry: string;
  lane: string;
  weight: number;
  joined_at: number;
  wants: string;
  key_thumbprint: string;
  shown_position: number | null;
  person: string | null;
};
type SealRow = { batch: number; end_number: number; count: number; root: string; acknowledged: number };

function storedJson<Stored>(text: string): Stored {
  // Only this file writes these columns, from values of this very type; parsing a hundred thousand of them again would delay every start.
  return JSON.parse(text) as Stored;
}
