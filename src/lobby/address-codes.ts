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
/** From one network: as many as one person may need, and never all that an address gets, or any stranger could keep it from getting a code at the opening. */
export const SENDS_PER_NETWORK_MAX = 5;
/**
 * Over all tickets and networks. It is what fills a mailbox at most, and with
 * the tries above a guesser of eight digits has one chance in six hundred
 * thousand in half an hour. Whoever commands more networks than use it up can
 * keep an address waiting: nothing tells so many from its owner.
 */
export const SENDS_PER_PERSON_MAX = 30;

/** A code that was sent, as the shard keeps it for as long as it counts. */
export interface SentCode {
  readonly ticket: string;
  /** Who asked for it; null for one that was sent before this was noted. */
  readonly network: string | null;
  readonly mac: string;
  readonly sentAt: number;
  /** Wrong guesses while it could have been the right one. */
  readonly tries: number;
}

/** Whether one more code may go to this address. `sent` are all codes of the person within the window. */
export function decideSending(sent: readonly SentCode[], note: CodeNote, now: number): Result<SentCode, { readonly code: "too_many_requests"; readonly retryAt: number }> {
  const counted = sent.filter(({ sentAt }) => sentAt + SEND_WINDOW_MS > now);
  const ofTicket = counted.filter(({ ticket }) => ticket === note.ticket);
  const ofNetwork = counted.filter(({ network }) => network === note.network);
  const retryAt = Math.max(freeAt(counted, SENDS_PER_PERSON_MAX), freeAt(ofTicket, SENDS_PER_TICKET_MAX), freeAt(ofNetwork, SENDS_PER_NETWORK_MAX));
  if (retryAt > now) return rejected({ code: "too_many_requests", retryAt });
  return accepted({ ticket: note.ticket, network: note.network, mac: note.mac, sentAt: now, tries: 0 });
}

/** When fewer than `max` of the sends still count. */
function freeAt(sent: readonly SentCode[], max: number): number {
  const leaving = sent.map(({ sentAt }) => sentAt + SEND_WINDOW_MS).toSorted((one, other) => one - other);
  return leaving[leaving.length - max] ?? 0;
}

/**
 * A place in a group that its ticket never took up may be left so long after it
 * was last given: as long as the codes were good that the group was to be joined
 * with, and far longer than a join takes that has the address already.
 */
export const GROUP_LEFT_AFTER_MS = 10 * 60_000;

/** What a person has already. */
export interface PersonPlace {
  readonly ticket: string;
  /** When the person was last put into the ticket's group; null for whoever is to own it. */
  readonly memberSince: number | null;
}

export interface ProofDecision<Code extends SentCode> {
  /** Whether the place that there was is given up for this one. */
  readonly isMoved?: boolean;
  /**
   * Whether a place in a group is given once more, so that its time begins anew:
   * the join that it is given for is on its way now, and whoever could leave
   * because an earlier one never came would have two places.
   */
  readonly isRenewed?: boolean;
  readonly outcome: Result<null, AddressRejection>;
  /** Codes that were guessed wrongly just now, with their new count: stored before anyone hears of it, or parallel guesses would be free. */
  readonly guessed: readonly Code[];
}

/**
 * Whether a code proves the address for a ticket. `place` is what the person
 * has already, or null.
 *
 * A code counts for the ticket that asked for it, and for the ticket that the
 * person has: whoever proves the address in another browser goes on with the
 * place that there is, and never gets a second one. A right code stays good
 * until it ends, because the answer to it may have been lost.
 *
 * Whoever stands in a group has lent a code to its owner, and the owner never
 * had one of theirs: the two are never taken for each other. A code that was
 * asked for a group proves nothing else, or whoever it was lent to could move
 * the lender's own place with it.
 *
 * An address is given to a ticket before the ticket's own shard is asked, and
 * that shard may have it for another person. Whoever joined with it first has it
 * for good, so that such a place is none and may be left at once: otherwise a
 * stranger who has one ticket could have anybody's address tied to it.
 */
export function decideProof<Code extends SentCode>(
  sent: readonly Code[], place: PersonPlace | null, proof: Pick<AddressProof, "ticket" | "mac" | "memberMac" | "abandoned" | "isVouched">, now: number,
): ProofDecision<Code> {
  const open = sent.filter(
    ({ ticket, sentAt, tries }) => (ticket === proof.ticket || place?.ticket === proof.ticket) && sentAt + CODE_LIFETIME_MS > now && tries < CODE_TRIES_MAX,
  );
  if (proof.isVouched !== true && !open.some(({ mac }) => mac === proof.mac || mac === proof.memberMac)) {
    return { outcome: rejected({ code: "identity_invalid" }), guessed: open.map((code) => ({ ...code, tries: code.tries + 1 })) };
  }
  if (place === null) return { outcome: accepted(null), guessed: [] };
  const isMember = place.memberSince !== null;
  const isHere = place.ticket === proof.ticket;
  const isLeft = !isHere && place.ticket === proof.abandoned && (place.memberSince === null || place.memberSince + GROUP_LEFT_AFTER_MS <= now);
  if (isLeft) return { outcome: accepted(null), guessed: [], isMoved: true };
  if (isHere && isMember === (proof.memberMac !== undefined)) return { outcome: accepted(null), guessed: [], ...(isMember ? { isRenewed: true } : {}) };
  return { outcome: rejected({ code: "identity_in_use", ticket: place.ticket, ...(isMember ? { isMember } : {}) }), guessed: [] };
}
