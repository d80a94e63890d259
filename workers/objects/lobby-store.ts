import { LOBBY_MIGRATIONS } from "../../migrations/objects/lobby.ts";
import type { Plan } from "../../src/drop/plan.ts";
import type { Line } from "../../src/drop/port.ts";
import type { JoinChanges } from "../../src/lobby/arrivals.ts";
import { JoinBudget } from "../../src/lobby/join-budget.ts";
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
  readonly budget: JoinBudget;
  readonly known: KnownPlan | null;
  readonly isOver: boolean;
}

/** How many tickets one statement writes: far below what a bound value may hold. */
const ROWS_PER_STATEMENT = 500;
/** How often what is over is deleted: looking through everything costs too much to do it with every join. */
const FORGET_INTERVAL_MS = 60_000;
/** What is refused for its age is remembered a little longer, because the storefront that judges the age has a clock of its own. */
const SPENT_KEPT_MS = 60_000;

/** The shard's tables. Everything here is synchronous; an answer leaves the object only after what was written before it is durable. */
export class LobbyStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  #forgetAt = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    storage.transactionSync(() => migrate(this.#sql, LOBBY_MIGRATIONS));
  }

  load(): StoredLobby {
    const book = new TicketBook();
    // Most people want the same few things: one array for all who want the same keeps a full shard small.
    const wantsByText = new Map<string, readonly Line[]>();
    const rows = this.#sql.exec<TicketRow>("SELECT ticket, entry, lane, weight, joined_at, wants, key_thumbprint, shown_position, person, members FROM tickets ORDER BY number");
    for (const row of rows) {
      const wants = wantsByText.get(row.wants) ?? storedJson<readonly Line[]>(row.wants);
      wantsByText.set(row.wants, wants);
      const { ticket, entry, lane, weight } = row;
      const together = row.members === null ? {} : { members: storedJson<readonly string[]>(row.members) };
      book.restore({ ticket, entry, lane, weight, joinedAt: row.joined_at, wants, keyThumbprint: row.key_thumbprint, person: row.person, ...together }, row.shown_position);
    }
    for (const row of this.#sql.exec<SealRow>("SELECT batch, end_number, count, root, acknowledged FROM seals ORDER BY batch")) {
      book.seals.push({ batch: row.batch, end: row.end_number, count: row.count, root: row.root, acknowledged: row.acknowledged === 1 });
    }
    book.closeThrough(Number(this.#fact("closed_through") ?? 0));
    for (const { key, expires_at: expiresAt } of this.#sql.exec<SpentRow>("SELECT key, expires_at FROM spent")) book.restoreSpent({ key, expiresAt });
    const budget = new JoinBudget();
    for (const { network, started_at: startedAt, joins } of this.#sql.exec<MinuteRow>("SELECT network, started_at, joins FROM network_minutes")) {
      budget.restore({ network, startedAt, joins });
    }
    const known = this.#fact("plan");
    return { book, budget, known: known === null ? null : storedJson<KnownPlan>(known), isOver: this.#fact("over") !== null };
  }

  /**
   * Writes what a group of joins changed in one transaction: what a ticket used
   * up is used up exactly when the ticket is there. A ticket that is there
   * already gets its new wants. Now and then what is over is forgotten, here
   * and in the book.
   */
  saveJoins({ tickets, spent, minutes }: JoinChanges, book: TicketBook, now: number): void {
    this.#storage.transactionSync(() => {
      for (let start = 0; start < tickets.length; start += ROWS_PER_STATEMENT) this.#saveTickets(tickets.slice(start, start + ROWS_PER_STATEMENT));
      if (spent.length > 0) {
        const rows = spent.map(({ key, ticket, expiresAt }) => [key, ticket, expiresAt]);
        this.#sql.exec("INSERT INTO spent (key, ticket, expires_at) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)", JSON.stringify(rows));
      }
      const counts = minutes.map(({ network, startedAt, joins }) => [network, startedAt, joins]);
      this.#sql.exec(
        `INSERT INTO network_minutes (network, started_at, joins) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
         ON CONFLICT DO UPDATE SET started_at = excluded.started_at, joins = excluded.joins`,
        JSON.stringify(counts),
      );
      this.#forgetOld(book, now);
    });
  }

  #saveTickets(tickets: readonly BookedTicket[]): void {
    const rows = tickets.map((ticket) => [
      ticket.index, ticket.ticket, ticket.entry, ticket.lane, ticket.weight, ticket.joinedAt, JSON.stringify(ticket.wants), ticket.keyThumbprint, ticket.person,
      ticket.members === undefined ? null : JSON.stringify(ticket.members),
    ]);
    this.#sql.exec(
      `INSERT INTO tickets (number, ticket, entry, lane, weight, joined_at, wants, key_thumbprint, person, members)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9 FROM json_each(?) WHERE true
       ON CONFLICT DO UPDATE SET wants = excluded.wants, key_thumbprint = excluded.key_thumbprint, lane = excluded.lane, weight = excluded.weight`,
      JSON.stringify(rows),
    );
  }

  #forgetOld(book: TicketBook, now: number): void {
    if (now < this.#forgetAt) return;
    this.#forgetAt = now + FORGET_INTERVAL_MS;
    book.forgetSpent(now - SPENT_KEPT_MS);
    this.#sql.exec("DELETE FROM spent WHERE expires_at < ?", now - SPENT_KEPT_MS);
    this.#sql.exec("DELETE FROM network_minutes WHERE started_at < ?", now - FORGET_INTERVAL_MS);
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
  members: string | null;
};
type SpentRow = { key: string; expires_at: number };
type MinuteRow = { network: string; started_at: number; joins: number };
type SealRow = { batch: number; end_number: number; count: number; root: string; acknowledged: number };

function storedJson<Stored>(text: string): Stored {
  // Only this file writes these columns, from values of this very type; parsing a hundred thousand of them again would delay every start.
  return JSON.parse(text) as Stored;
}
