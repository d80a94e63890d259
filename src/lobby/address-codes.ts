import { accepted, rejected, type Result } from "../kernel/result.ts";
import type { AddressProof, AddressRejection, CodeNote } from "./door.ts";

/** How long a code that was sent may be used. */
export const CODE_LIFETIME_MS = 10 * 60_000;
/** How often a code may be guessed wrongly; after that it is worth nothing. */
export const CODE_TRIES_MAX = 5;
/** Sends are counted over this window. */
export const SEND_WINDOW_MS = 30 * 60_000;
/** A mail that does not come is asked for again once or twice; more is somebody who fills another's mailbox. */
export const SENDS_PER_TICKET_MAX = 5;
/** Over all tickets: with it and the tries above, a guesser of eight digits has one chance in two million in half an hour. */
export const SENDS_PER_PERSON_MAX = 10;

/** A code that was sent, as the shard keeps it for as long as it counts. */
export interface SentCode {
  readonly ticket: string;
  readonly mac: string;
  readonly sentAt: number;
  /** Wrong guesses while it could have been the right one. */
  readonly tries: number;
}

/** Whether one more code may go to this address. `sent` are all codes of the person within the window. */
export function decideSending(sent: readonly SentCode[], note: CodeNote, now: number): Result<SentCode, { readonly code: "too_many_requests"; readonly retryAt: number }> {
  const counted = sent.filter(({ sentAt }) => sentAt + SEND_WINDOW_MS > now);
  const ofTicket = counted.filter(({ ticket }) => ticket === note.ticket);
  const retryAt = Math.max(freeAt(counted, SENDS_PER_PERSON_MAX), freeAt(ofTicket, SENDS_PER_TICKET_MAX));
  if (retryAt > now) return rejected({ code: "too_many_requests", retryAt });
  return accepted({ ticket: note.ticket, mac: note.mac, sentAt: now, tries: 0 });
}

/** When fewer than `max` of the sends still count. */
function freeAt(sent: readonly SentCode[], max: number): number {
  const leaving = sent.map(({ sentAt }) => sentAt + SEND_WINDOW_MS).toSorted((one, other) => one - other);
  return leaving[leaving.length - max] ?? 0;
}

export interface ProofDecision<Code extends SentCode> {
  readonly outcome: Result<null, AddressRejection>;
  /** Codes that were guessed wrongly just now, with their new count: stored before anyone hears of it, or parallel guesses would be free. */
  readonly guessed: readonly Code[];
}

/**
 * Whether a code proves the address for a ticket. `holder` is the ticket that
 * the person has already, or null.
 *
 * A code counts for the ticket that asked for it, and for the ticket that the
 * person has: whoever proves the address in another browser goes on with the
 * place that there is, and never gets a second one. A right code stays good
 * until it ends, because the answer to it may have been lost.
 */
export function decideProof<Code extends SentCode>(sent: readonly Code[], holder: string | null, proof: Pick<AddressProof, "ticket" | "mac">, now: number): ProofDecision<Code> {
  const open = sent.filter(
    ({ ticket, sentAt, tries }) => (ticket === proof.ticket || holder === proof.ticket) && sentAt + CODE_LIFETIME_MS > now && tries < CODE_TRIES_MAX,
  );
  if (!open.some(({ mac }) => mac === proof.mac)) {
    return { outcome: rejected({ code: "identity_invalid" }), guessed: open.map((code) => ({ ...code, tries: code.tries + 1 })) };
  }
  const isFree = holder === null || holder === proof.ticket;
  return { outcome: isFree ? accepted(null) : rejected({ code: "identity_in_use", ticket: holder }), guessed: [] };
}
