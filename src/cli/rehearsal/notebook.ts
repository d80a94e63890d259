import { OPEN_LANE } from "../../drop/plan.ts";
import type { Bot, Person } from "../../rehearsal/crowd.ts";

/** An order as its buyer was told of it. */
export interface ToldOrder {
  readonly id: string;
  readonly hold: string;
  /** Whether the payment page said that it was paid. */
  isPaid: boolean;
  /** Whether the store said that the order is confirmed. */
  isConfirmed: boolean;
}

/** How one shopper's evening went, as the shopper saw it. Instants are epoch milliseconds. */
export interface Evening {
  readonly shopper: Person | Bot;
  ticket: string | null;
  entry: string | null;
  lane: string;
  /** Its chances in the draw. */
  weight: number;
  joinedAt: number | null;
  /** Why there is no ticket: the refusal's code. */
  refusedJoin: string | null;
  calledAt: number | null;
  admittedAt: number | null;
  /** Whether it is a place that somebody else of the same address had before. */
  isMoved: boolean;
  readonly holds: { readonly id: string; readonly units: number }[];
  readonly orders: ToldOrder[];
  /** The last word: what it ended with. */
  end: string;
}

export function newEvening(shopper: Person | Bot): Evening {
  return { shopper, ticket: null, entry: null, lane: "", weight: 1, joinedAt: null, refusedJoin: null, calledAt: null, admittedAt: null, isMoved: false, holds: [], orders: [], end: "" };
}

/** How many letters of an entry a page without script shows. */
const SHOWN_OF_ENTRY = 12;

/** What happened in a rehearsal that no single evening tells. */
export class Notebook {
  readonly evenings: Evening[] = [];
  /** What must never happen, in words; each kind is told a few times and counted. */
  readonly broken = new Map<string, { count: number; readonly examples: string[] }>();
  readonly tried = new Map<string, number>();
  readonly #tickets = new Map<string, { readonly ticket: string; readonly entry: string }>();

  /** Remembers a ticket as soon as somebody has made its id: a page shows only how its entry begins. */
  registerTicket(ticket: string, entry: string): void {
    this.#tickets.set(entry.slice(0, SHOWN_OF_ENTRY), { ticket, entry });
  }

  /** The ticket whose entry begins so; undefined where nobody of the crowd made it. */
  ticketOf(shown: string): { readonly ticket: string; readonly entry: string } | undefined {
    return this.#tickets.get(shown);
  }

  /** Something that contradicts the contract. */
  break(what: string, example: string): void {
    const known = this.broken.get(what) ?? { count: 0, examples: [] };
    known.count++;
    if (known.examples.length < 3) known.examples.push(example);
    this.broken.set(what, known);
  }

  /** One more of something that was tried. */
  note(what: string): void {
    this.tried.set(what, (this.tried.get(what) ?? 0) + 1);
  }
}

/** What came of somebody who pretended to belong to a lane, once there is a ticket. */
export function notePretence({ shopper, lane }: Evening, notebook: Notebook): void {
  const { kind } = shopper.shows;
  if (kind !== "used-invitation" && kind !== "false-place") return;
  notebook.note(kind === "false-place" ? "headers that claim another place" : "invitations of others, used already");
  if (lane !== OPEN_LANE) notebook.break("somebody got into a lane under false pretences", `${shopper.name}: ${kind}, lane ${lane}`);
}
