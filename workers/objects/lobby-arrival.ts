import type { JoinCommand, JoinedTicket, JoinRejection } from "../../src/lobby/port.ts";
import { Fault, type Result } from "../../src/kernel/result.ts";

export interface Arrival {
  readonly command: JoinCommand;
  readonly at: number;
  readonly resolve: (answer: Result<JoinedTicket, JoinRejection>) => void;
  readonly reject: (fault: Fault) => void;
}

/** Nobody who waits for a ticket is left without an answer; another try with the same id is safe. */
export function refuseAll(arrivals: readonly Arrival[], message: string, cause?: unknown): void {
  for (const { reject } of arrivals) reject(new Fault(message, { retryable: true, cause }));
}
