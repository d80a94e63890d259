import type { Result } from "../kernel/result.ts";

/*
 * What a lobby shard keeps for the whole drop and not for one of its tickets:
 * what may be used once, and which address was proven for which ticket. Each
 * such thing has one shard, so that two requests for it always meet.
 */

/** The use of something that a drop lets be used so and so often. */
export interface Redemption {
  /** What is used; nothing else has this name. */
  readonly key: string;
  /** Who uses it. The same one again gets the same answer and uses nothing more. */
  readonly ticket: string;
  /** By how many at most. */
  readonly uses: number;
  /** After this it is refused for its age, and need not be remembered. */
  readonly expiresAt: number;
}

export type RedemptionRejection = { readonly code: "already_used" } | { readonly code: "revoked" };

/** A code for an address. */
interface AddressCode {
  /** HMAC of the normalised address. */
  readonly person: string;
  readonly ticket: string;
  /** Keyed hash of drop, person and code: with it nobody can find the code, and only the storefront can make it. */
  readonly mac: string;
}

/** A code that is about to be sent. */
export interface CodeNote extends AddressCode {
  /** Keyed hash of the network that asks for it. */
  readonly network: string;
}

export interface AddressProof extends AddressCode {
  /** Until when the address belongs to the ticket: as long as the ticket counts. */
  readonly until: number;
  /**
   * Present where somebody stands in the group of a ticket that another person
   * owns: the same hash as `mac` for a code that was asked for just that.
   */
  readonly memberMac?: string;
  /** Only asks: guesses count, and the address is given to nobody. */
  readonly isTrial?: boolean;
  /**
   * A ticket that the person was given and that is not theirs, as its own shard
   * says: others joined with it, or the person does not stand in its group.
   */
  readonly abandoned?: string;
  /** Staff saw the person and vouch for them: no code is asked for, and `mac` is none. */
  readonly isVouched?: boolean;
}

export type AddressRejection =
  /** Wrong, too old, tried too often, for another ticket or never sent: one answer for all of them. */
  | { readonly code: "identity_invalid" }
  /** The address was proven, and has a ticket already: this one. `isMember`: it is another person's, in whose group they stand. */
  | { readonly code: "identity_in_use"; readonly ticket: string; readonly isMember?: boolean };

/** Everything here is durable before it is answered. */
export interface LobbyDoor {
  redeem(redemption: Redemption): Promise<Result<null, RedemptionRejection>>;
  /** From now on `key` is refused to everybody, whoever used it before. Answers by how many it was used. */
  revoke(key: string, until: number): Promise<{ readonly used: number }>;
  /** Asks whether a code may be sent now, and notes it if so. */
  noteCode(note: CodeNote): Promise<Result<null, { readonly code: "too_many_requests"; readonly retryAt: number }>>;
  /** Gives the address to the ticket when the code is right; a person has one ticket in a drop, their own or another's. */
  proveAddress(proof: AddressProof): Promise<Result<null, AddressRejection>>;
}

/** The name under which a person's one ticket is remembered. */
export function personKey(person: string): string {
  return `person/${person}`;
}
