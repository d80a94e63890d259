import type { DropSnapshot, Line, LinePage } from "../drop/port.ts";
import type { Result } from "../kernel/result.ts";

/*
 * What a lobby shard answers. Shards are named `{drop}/{number}`; shard 0 is
 * the one that reads the Drop object, and the others read shard 0.
 */

/** The ranks that cut a lane's waiting line into equal parts, so that a browser can find its own place. */
export interface LaneQuantiles {
  readonly lane: string;
  /** How many tickets stand in this lane. */
  readonly count: number;
  /** Ascending; up to 128 of them. While `count` is at most 128 these are all the ranks there are. */
  readonly ranks: readonly string[];
}

export interface LobbyLive extends DropSnapshot {
  /** Tickets that have joined and were neither served nor done, over all shards that reported. */
  readonly waiting: number;
  readonly quantiles: readonly LaneQuantiles[];
}

/** What a shard tells shard 0 when it reads the live state. */
export interface ShardReport {
  readonly shard: number;
  readonly waiting: number;
  readonly quantiles: readonly LaneQuantiles[];
  readonly pages: readonly LinePage[];
}

export interface JoinCommand {
  readonly ticket: string;
  readonly entry: string;
  readonly keyThumbprint: string;
  readonly lane: string;
  readonly weight: number;
  readonly wants: readonly Line[];
  /** HMAC of the address that was proven; null where the drop asks for none. */
  readonly person: string | null;
  /** The other people who stand in line with the ticket, by the addresses that they have proven; absent for nobody, and where the ticket is there already. */
  readonly members?: readonly string[];
  /** Keyed hash of the network that asked, for its budget. */
  readonly network: string;
  /** What this join uses up, such as a solved challenge: spent in the same transaction that gives the ticket. */
  readonly spends: readonly Spend[];
}

/** Something that can be used once by one ticket. */
export interface Spend {
  readonly key: string;
  /** After this it is refused for its age, and need not be remembered. */
  readonly expiresAt: number;
}

export interface JoinedTicket {
  readonly ticket: string;
  readonly entry: string;
  readonly lane: string;
  readonly weight: number;
  readonly joinedAt: number;
  readonly wants: readonly Line[];
  readonly keyThumbprint: string;
  readonly person: string | null;
  /** How many people stand in line with it; absent for one. */
  readonly people?: number;
}

/** The people who stand in line with a ticket: from the first join on the same ones, for good. */
export interface TicketPersons {
  /** Null where the ticket belongs to nobody in particular. */
  readonly owner: string | null;
  readonly members: readonly string[];
}

export type JoinRejection =
  | { readonly code: "lobby_not_open"; readonly lobbyOpensAt: number }
  | { readonly code: "drop_closed" }
  /** The network has joined as often as it may in this minute. */
  | { readonly code: "too_many_requests"; readonly retryAt: number }
  /** Something that this join would use up was used by another one; `key` says what. */
  | { readonly code: "already_spent"; readonly key: string }
  /** The drop's door asks for an address that was proven, and none came. */
  | { readonly code: "identity_required" }
  /** More is wanted than the people who stand in line with the ticket may have together. */
  | { readonly code: "quantity_not_allowed"; readonly pointer: string; readonly max: number; readonly people?: number }
  /** The ticket exists and belongs to another key, or stands for other people: whoever asks learns nothing more. */
  | { readonly code: "id_reused" };

export interface TicketStanding {
  readonly state: "waiting" | "served" | "admitted" | "done";
  readonly lane: string;
  readonly rank: string | null;
  /** 1 is next; null before the draw and after being served. Never grows for one ticket. */
  readonly position: number | null;
}

export interface Leaf {
  readonly entry: string;
  readonly lane: string;
  readonly weight: number;
}

/** A part of the sealed leaves. What is sealed never changes, and more only follows after it. */
export interface LeafPage {
  readonly leaves: readonly Leaf[];
  /** How many leaves there are in all. */
  readonly count: number;
}

/** An inclusion proof as in RFC 6962, section 2.1.1. */
export interface InclusionProof {
  readonly shard: number;
  readonly batch: number;
  readonly leaf: Leaf;
  readonly index: number;
  readonly count: number;
  readonly root: string;
  readonly path: readonly string[];
}

export interface LobbyPort {
  join(command: JoinCommand): Promise<Result<JoinedTicket, JoinRejection>>;
  standing(ticket: string): Promise<TicketStanding | null>;
  /**
   * Whether `join` would give the ticket, asked before anything elsewhere is used
   * up for it. Nothing is changed but the network's budget, which the join that
   * follows within the minute does not pay again.
   */
  mayJoin(command: JoinCommand): Promise<Result<null, JoinRejection>>;
  /** For whom the ticket was given; null for a ticket that nobody has. */
  personsOf(ticket: string): Promise<TicketPersons | null>;
  /** Null before the ticket's seal, and for a ticket that is not here. */
  proof(ticket: string): Promise<InclusionProof | null>;
  /** The sealed leaves in the order of their trees, from number `from` (from 0) on, a page of them; null before the first seal. */
  entries(from: number): Promise<LeafPage | null>;
  /** The live state, at most a second old; null when the drop was never planned. Other shards hand in their report. */
  live(report: ShardReport | null): Promise<LobbyLive | null>;
  /** Seals, reports and reads as far as the time has come. For cron and alarms. */
  sweep(): Promise<void>;
}
