import { budgetsOf } from "../drop/network-budgets.ts";
import type { Plan } from "../drop/plan.ts";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { type JoinBudget, type NetworkMinute, shardPart } from "./join-budget.ts";
import type { JoinCommand, JoinRejection, Spend } from "./port.ts";
import type { BookedTicket, JoinWindow, TicketBook } from "./tickets.ts";

/** Somebody who asks for a ticket, and when. */
export interface Arrival {
  readonly command: JoinCommand;
  readonly at: number;
}

/** What a group of joins changed: written in one transaction, before anyone is answered. */
export interface JoinChanges {
  readonly tickets: readonly BookedTicket[];
  readonly spent: readonly (Spend & { readonly ticket: string })[];
  readonly minutes: readonly NetworkMinute[];
}

/** What arrivals are decided by. */
interface JoinBooks {
  readonly book: TicketBook;
  readonly budget: JoinBudget;
  readonly plan: Plan;
  readonly isOver: boolean;
}

interface DecidedArrivals {
  /** In the order of the arrivals. */
  readonly outcomes: readonly Result<BookedTicket, JoinRejection>[];
  readonly changes: JoinChanges | null;
}

/**
 * Decides all arrivals in their order. A network that has used its minute up is
 * refused before anything else is looked at, so that a flood costs the shard a
 * lookup and never a write. The book is changed at once: a caller that cannot
 * store the changes makes its memory anew.
 */
export function decideArrivals(arrivals: readonly Arrival[], { book, budget, plan, isOver }: JoinBooks): DecidedArrivals {
  const window = windowOf(plan, isOver);
  const tickets = new Set<BookedTicket>();
  const spent: JoinChanges["spent"][number][] = [];
  const outcomes = arrivals.map(({ command, at }): Result<BookedTicket, JoinRejection> => {
    const retryAt = budget.takeAnnounced(command, at) ? null : budget.ask(command.network, joinsAllowed(plan, command), at);
    if (retryAt !== null) return rejected({ code: "too_many_requests", retryAt });
    const joined = book.join(command, window, at);
    if (!joined.ok) return joined;
    if (joined.value.change !== "none") tickets.add(joined.value.ticket);
    for (const spend of joined.value.spent) spent.push({ ...spend, ticket: command.ticket });
    return accepted(joined.value.ticket);
  });
  // Counts alone are not worth a write; they are stored with the next ticket.
  return { outcomes, changes: tickets.size === 0 ? null : { tickets: [...tickets], spent, minutes: budget.takeChanged() } };
}

/**
 * Whether an arrival would be given its ticket, for whoever uses something up
 * elsewhere in between. It costs the network what a join costs, or a flood would
 * be for nothing; the join that follows a yes is then paid for.
 */
export function judgeArrival({ command, at }: Arrival, { book, budget, plan, isOver }: JoinBooks): Result<null, JoinRejection> {
  const retryAt = budget.ask(command.network, joinsAllowed(plan, command), at);
  if (retryAt !== null) return rejected({ code: "too_many_requests", retryAt });
  const judged = book.judge(command, windowOf(plan, isOver), at);
  if (!judged.ok) return judged;
  budget.announce(command, at);
  return accepted(null);
}

function joinsAllowed(plan: Plan, { network }: JoinCommand): number {
  return shardPart(budgetsOf(plan, network).joinsPerMinute, plan.shards);
}

function windowOf(plan: Plan, isOver: boolean): JoinWindow {
  const { lobbyOpensAt, opensAt, closesAt, lanes, limitPerPerson } = plan;
  return { lobbyOpensAt, opensAt, closesAt, isOver, asksForPerson: plan.gates.email, lanes, limitPerPerson, ...(plan.groupMax === undefined ? {} : { groupMax: plan.groupMax }) };
}
