import { accepted, Fault, type Result } from "../../src/kernel/result.ts";
import type { Arrival } from "../../src/lobby/arrivals.ts";
import type { JoinedTicket, JoinRejection } from "../../src/lobby/port.ts";
import { type BookedTicket, publicTicket } from "../../src/lobby/tickets.ts";

/** Somebody who waits for a ticket, or for the reason why there is none. */
export interface WaitingArrival extends Arrival {
  readonly resolve: (answer: Result<JoinedTicket, JoinRejection>) => void;
  readonly reject: (fault: Fault) => void;
}

/** Tells all of them what was decided, once it is stored. */
export function answerAll(arrivals: readonly WaitingArrival[], outcomes: readonly Result<BookedTicket, JoinRejection>[]): void {
  for (const [index, outcome] of outcomes.entries()) arrivals[index]?.resolve(outcome.ok ? accepted(publicTicket(outcome.value)) : outcome);
}

/** Nobody who waits for a ticket is left without an answer; another try with the same id is safe. */
export function refuseAll(arrivals: readonly WaitingArrival[], message: string, cause?: unknown): void {
  for (const { reject } of arrivals) reject(new Fault(message, { retryable: true, cause }));
}
