import { itemCount } from "../drop/counters.ts";
import { groupMaxOf, limitOf } from "../drop/groups.ts";
import { betterLane } from "../drop/lanes.ts";
import type { LaneShare } from "../drop/plan.ts";
import type { Line } from "../drop/port.ts";
import { assert, accepted, rejected, type Result } from "../kernel/result.ts";
import type { JoinCommand, JoinedTicket, JoinRejection, Leaf, Spend, TicketPersons } from "./port.ts";

/** A ticket as its shard keeps it. */
interface StoredTicket extends Omit<JoinedTicket, "people"> {
  /** Who stands in line with it beside its owner: as the first join said, for good. Absent for nobody. */
  readonly members?: readonly string[];
}

/** A ticket with what the shard notes for itself. */
export interface BookedTicket extends StoredTicket {
  /** Its number in the order of arrival, from 0. */
  readonly index: number;
  /** Another browser's after its owner has proven the address again there. */
  keyThumbprint: string;
  /** Changes with its weight and only for the better, before the drop opens. */
  lane: string;
  weight: number;
  wants: readonly Line[];
  /** Null until the draw. */
  rank: string | null;
  /** The last position that its owner was shown; it never grows. */
  shownPosition: number | null;
}

/** When a ticket may be had, from the plan and from what was heard of the drop since. */
export interface JoinWindow {
  readonly lobbyOpensAt: number;
  readonly opensAt: number;
  readonly closesAt: number;
  /** The drop was seen closed or cancelled. */
  readonly isOver: boolean;
  /** Whether a new ticket needs an address that was proven. */
  readonly asksForPerson: boolean;
  /** How many items one person may have, and up to how many people may stand together. */
  readonly limitPerPerson: number;
  readonly groupMax?: number;
  readonly lanes: readonly LaneShare[];
}

/** What a join changed: the caller stores that before it answers. */
interface Joined {
  readonly ticket: BookedTicket;
  readonly change: "created" | "changed" | "none";
  /** What the change used up. */
  readonly spent: readonly Spend[];
}

/** A join that nothing stands in the way of. */
interface JudgedJoin {
  /** The ticket as it is there; undefined for a new one. */
  readonly known: BookedTicket | undefined;
  readonly joinedAt: number;
  readonly entersLane: boolean;
  readonly isUnchanged: boolean;
}

/** One seal of the shard: the tickets from where the seal before it ended up to, not including, number `end`. */
export interface StoredSeal {
  readonly batch: number;
  readonly end: number;
  readonly count: number;
  readonly root: string;
  /** Whether the Drop object has it in its record. */
  acknowledged: boolean;
}

/**
 * The tickets of one shard in the order of arrival. `joinedAt` never falls from
 * one ticket to the next, so that a moment in time is also a place in the list:
 * everyone who joined before the opening is a prefix of it, and every seal is a
 * range.
 */
export class TicketBook {
  readonly tickets: BookedTicket[] = [];
  readonly seals: StoredSeal[] = [];
  readonly #byId = new Map<string, BookedTicket>();
  /** What was used up, and until when it must be remembered. */
  readonly #spent = new Map<string, number>();
  #floor = 0;

  /** The earliest `joinedAt` that the next ticket can get. */
  get floor(): number {
    return this.#floor;
  }

  find(ticket: string): BookedTicket | null {
    return this.#byId.get(ticket) ?? null;
  }

  /**
   * Gives a ticket, or the same ticket again. The same key may change what it
   * wants, and whoever proves the ticket's address may do so with another key,
   * which is the ticket's from then on; the place stays as it was. Until the drop
   * opens a ticket enters a better lane when its owner has the evidence for it
   * only now, and loses none for coming without: from then on its lane is sealed,
   * and somebody might sit in the one and be drawn in the other. An unchanged
   * retry is answered even after the close, and although what it spends was spent
   * by its first try: it changes nothing, and its first answer may have been lost.
   */
  join(command: JoinCommand, window: JoinWindow, now: number): Result<Joined, JoinRejection> {
    const judged = this.judge(command, window, now);
    if (!judged.ok) return judged;
    const { known, joinedAt, entersLane, isUnchanged } = judged.value;
    if (known !== undefined && isUnchanged) return accepted({ ticket: known, change: "none", spent: [] });
    for (const spend of command.spends) this.restoreSpent(spend);
    if (known === undefined) return accepted({ ticket: this.restore({ ...command, joinedAt }, null), change: "created", spent: command.spends });
    known.wants = command.wants;
    known.keyThumbprint = command.keyThumbprint;
    if (entersLane) [known.lane, known.weight] = [command.lane, command.weight];
    return accepted({ ticket: known, change: "changed", spent: command.spends });
  }

  /** What `join` would say at this moment; it changes nothing. */
  judge(command: JoinCommand, window: JoinWindow, now: number): Result<JudgedJoin, JoinRejection> {
    const known = this.#byId.get(command.ticket);
    if (known !== undefined && !isOwner(known, command)) return rejected({ code: "id_reused" });
    // The draw was made for so many people: who they are is never another thing to be changed later.
    if (known !== undefined && command.members !== undefined && !sameMembers(membersOf(known), command.members)) return rejected({ code: "id_reused" });
    const people = 1 + membersOf(known ?? command).length;
    const limit = limitOf(window, people);
    if (itemCount(command.wants) > limit) return rejected({ code: "quantity_not_allowed", pointer: "/wants", max: limit, ...(people === 1 ? {} : { people }) });
    const joinedAt = Math.max(now, this.#floor);
    // By the clock or by the draw, whichever this shard knows of: a rank that others were served by must not change.
    const entersLane = known !== undefined && joinedAt < window.opensAt && known.rank === null && betterLane(window.lanes, known.lane, command.lane) !== known.lane;
    const isUnchanged = known !== undefined && known.keyThumbprint === command.keyThumbprint && sameWants(known.wants, command.wants) && !entersLane;
    const judged = accepted({ known, joinedAt, entersLane, isUnchanged });
    if (isUnchanged) return judged;
    if (window.isOver || joinedAt >= window.closesAt) return rejected({ code: "drop_closed" });
    if (known === undefined && joinedAt < window.lobbyOpensAt) return rejected({ code: "lobby_not_open", lobbyOpensAt: window.lobbyOpensAt });
    if (known === undefined && window.asksForPerson && command.person === null) return rejected({ code: "identity_required" });
    assert(people <= groupMaxOf(window), "no ticket stands for more people than the plan lets stand together");
    const used = command.spends.find(({ key }) => this.#spent.has(key));
    return used === undefined ? judged : rejected({ code: "already_spent", key: used.key });
  }

  /** Remembers that something was used up. */
  restoreSpent({ key, expiresAt }: Spend): void {
    this.#spent.set(key, expiresAt);
  }

  /** Forgets what was used up and refused for its age before `before`. */
  forgetSpent(before: number): void {
    for (const [key, expiresAt] of this.#spent) if (expiresAt < before) this.#spent.delete(key);
  }

  /** Puts a stored ticket into memory; they come in the order in which they were given. */
  restore(joined: StoredTicket, shownPosition: number | null): BookedTicket {
    assert(joined.joinedAt >= this.#floor, "tickets are given in the order of their times");
    assert(!this.#byId.has(joined.ticket), "a ticket is in the book once");
    const { ticket: id, entry, lane, weight, joinedAt, wants, keyThumbprint, person, members } = joined;
    const ticket: BookedTicket = { ...(members === undefined ? {} : { members }), ticket: id, entry, lane, weight, joinedAt, wants, keyThumbprint, person, index: this.tickets.length, rank: null, shownPosition };
    this.tickets.push(ticket);
    this.#byId.set(id, ticket);
    this.#floor = joinedAt;
    return ticket;
  }

  /** From now on nobody can join at or before `at`. The caller stores it before it tells anyone so. */
  closeThrough(at: number): void {
    this.#floor = Math.max(this.#floor, at + 1);
  }

  /** The number of tickets that are drawn: those that joined before the opening. */
  drawnCount(opensAt: number): number {
    let low = 0;
    let high = this.tickets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.tickets[middle]?.joinedAt ?? opensAt) < opensAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How many tickets, from the first, are in some seal. */
  get sealedCount(): number {
    return this.seals.at(-1)?.end ?? 0;
  }

  /** How many tickets, from the first, are in a seal that the record has: only these may be offered to the draw or be listed. */
  get offeredCount(): number {
    const last = this.seals.at(-1);
    if (last === undefined) return 0;
    // Only the last can be on its way: the next seal is made when this one is in the record.
    return last.acknowledged ? last.end : last.end - last.count;
  }

  /**
   * The last millisecond of which everybody who joined in it, or before it, has
   * been offered, and in which nobody can join any more once the caller has
   * called `closeThrough` with it.
   */
  completeThrough(now: number): number {
    const firstLeftOut = this.tickets[this.offeredCount];
    const before = Math.max(now, this.#floor) - 1;
    return firstLeftOut === undefined ? before : Math.min(before, firstLeftOut.joinedAt - 1);
  }

  /** The seal that has the ticket, or null. */
  sealOf(ticket: BookedTicket): StoredSeal | null {
    return this.seals.find((seal) => ticket.index < seal.end) ?? null;
  }

  /**
   * Through when everybody who joined is in this seal or an earlier one. The
   * caller closes the book through then as it makes the seal: a ticket of the
   * same millisecond as the last sealed one would pass for sealed itself.
   */
  sealedThrough({ batch, end }: Pick<StoredSeal, "batch" | "end">, opensAt: number): number {
    return batch === 0 ? opensAt - 1 : (this.tickets[end - 1]?.joinedAt ?? opensAt - 1);
  }

  /** The leaves of the tickets from number `start` up to, not including, `end`. */
  leaves(start: number, end: number): Leaf[] {
    return this.tickets.slice(start, end).map(({ entry, lane, weight }) => ({ entry, lane, weight }));
  }

  sealLeaves(seal: StoredSeal): Leaf[] {
    return this.leaves(seal.end - seal.count, seal.end);
  }
}

/** A ticket as its owner's side may have it: without what the shard notes for itself. */
export function publicTicket({ ticket, entry, lane, weight, joinedAt, wants, keyThumbprint, person, members }: BookedTicket): JoinedTicket {
  return { ticket, entry, lane, weight, joinedAt, wants, keyThumbprint, person, ...(members === undefined ? {} : { people: 1 + members.length }) };
}

/** For whom a ticket was given. */
export function personsOf(ticket: BookedTicket): TicketPersons {
  return { owner: ticket.person, members: membersOf(ticket) };
}

/** Who stands in line with a ticket beside its owner. */
function membersOf({ members }: Pick<StoredTicket, "members">): readonly string[] {
  return members ?? [];
}

/**
 * The person to whom the ticket belongs, or the key that it is bound to. Whoever
 * proved to be another person is told so, whatever key they have: the ticket
 * stays its person's, and an order would have to name that one.
 */
function isOwner(known: BookedTicket, { keyThumbprint, person }: JoinCommand): boolean {
  return known.person === null || person === null ? known.keyThumbprint === keyThumbprint : known.person === person;
}

function sameMembers(known: readonly string[], asked: readonly string[]): boolean {
  return known.length === asked.length && asked.every((person) => known.includes(person));
}

function sameWants(known: readonly Line[], asked: readonly Line[]): boolean {
  return known.length === asked.length && asked.every((line) => known.some((other) => other.sku === line.sku && other.quantity === line.quantity));
}
