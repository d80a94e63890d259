import type { Hashing } from "../kernel/hashing.ts";
import type { Redemption } from "../lobby/door.ts";

/*
 * Somebody without script and without mail at hand is proven by people: staff
 * at the pop-up see one person with one code, and say so at the desk. What they
 * say is kept under the name of the ticket that there will be.
 */

/** Who uses the name: staff, whichever of them it was. */
const STAFF = "staff";

function attestationKey(ticket: string): string {
  return `attested/${ticket}`;
}

/**
 * The lobby shard that knows whether a ticket was attested. Not keyed, unlike
 * the ticket's own: the desk has to find it as well, and whoever aims with an
 * id gets nothing to a shard that staff did not bring there.
 */
export function attestationShard(ticket: string, shards: number, hashing: Hashing): number {
  return Number.parseInt(hashing.sha256(attestationKey(ticket)).slice(0, 12), 16) % shards;
}

/** What staff say of a ticket. Said again, it is the same. */
export function attestation(ticket: string, expiresAt: number): Redemption {
  return { key: attestationKey(ticket), ticket: STAFF, uses: 1, expiresAt };
}

/**
 * Takes staff's word for one person. They saw one, and a form can be sent again
 * with another address: what they said would else be good for as many addresses
 * as somebody can think of.
 */
export function attestedPerson(ticket: string, person: string, expiresAt: number): Redemption {
  return { key: `attested-for/${ticket}`, ticket: person, uses: 1, expiresAt };
}

/** Asks whether staff have said it: a use of nothing, which is granted to those alone who have used the name before. */
export function attestationQuestion(ticket: string, expiresAt: number): Redemption {
  return { ...attestation(ticket, expiresAt), uses: 0 };
}
