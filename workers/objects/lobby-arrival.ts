import { budgetsOf } from "../../src/drop/network-budgets.ts";
import type { Plan } from "../../src/drop/plan.ts";
import { Fault, rejected, type Result } from "../../src/kernel/result.ts";
import { type JoinBudget, type NetworkMinute, shardPart } from "../../src/lobby/join-budget.ts";
import type { JoinCommand, JoinedTicket, JoinRejection, Spend } from "../../src/lobby/port.ts";
import type { BookedTicket, TicketBook } from "../../src/lobby/tickets.ts";

export interface Arrival {
  readonly command: JoinCommand;
  readonly at: number;
  readonly resolve: (answer: Result<JoinedTicket, JoinRejection>) => void;
  readonly reject: (fault: Fault) => void;
}

interface DecidedArrival {
  readonly arrival: Arrival;
  readonly outcome: Result<BookedTicket, JoinRejection>;
}

/** What a group of joins changed: written in one transaction, before anyone is answered. */
export interface JoinChanges {
  readonly tickets: readonly BookedTicket[];
  readonly spent: readonly (Spend & { readonly ticket: string })[];
  readonly minutes: readonly NetworkMinute[];
}

/**
 * Decides all arrivals in their order. A network that has used its minute up is
 * refused before anything else is looked at, so that a flood costs the shard a
 * lookup and never a write.
 */
export function decideArrivals(
  arrivals: readonly Arrival[],
  { book, budget, plan, isOver }: { readonly book: TicketBook; readonly budget: JoinBudget; readonly plan: Plan; readonly isOver: boolean },
): { readonly decided: readonly DecidedArrival[]; readonly changes: JoinChanges | null } {
  const window = { lobbyOpensAt: plan.lobbyOpensAt, opensAt: plan.opensAt, closesAt: plan.closesAt, isOver, asksForPerson: plan.gates.email, lanes: plan.lanes };
  const tickets = new Set<BookedTicket>();
  const spent: JoinChanges["spent"][number][] = [];
  const decided = arrivals.map((arrival): DecidedArrival => {
    const { command, at } = arrival;
    const retryAt = budget.ask(command.network, shardPart(budgetsOf(plan, command.network).joinsPerMinute, plan.shards), at);
    if (retryAt !== null) return { arrival, outcome: rejected({ code: "too_many_requests", retryAt }) };
    const joined = book.join(command, window, at);
    if (!joined.ok) return { arrival, outcome: joined };
    if (joined.value.change !== "none") tickets.add(joined.value.ticket);
    for (const spend of joined.value.spent) spent.push({ ...spend, ticket: command.ticket });
    return { arrival, outcome: { ok: true, value: joined.value.ticket } };
  });
  // Counts alone are not worth a write; they are stored with the next ticket.
  return { decided, changes: tickets.size === 0 ? null : { tickets: [...tickets], spent, minutes: budget.takeChanged() } };
}

/** Nobody who waits for a ticket is left without an answer; another try with the same id is safe. */
export function refuseAll(arrivals: readonly Arrival[], message: string, cause?: unknown): void {
  for (const { reject } of arrivals) reject(new Fault(message, { retryable: true, cause }));
}
