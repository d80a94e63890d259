import type { PageDrip } from "./drips.ts";
import type { HoldAnswer } from "../../../schema/wire/hold.ts";
import type { LiveAnswer } from "../../../schema/wire/live.ts";
import type { OrderAnswer, OrderStatusAnswer } from "../../../schema/wire/order.ts";
import type { JoinAnswer, PassAnswer, TicketStandingAnswer, WaitingAnswer } from "../../../schema/wire/ticket.ts";
import type { FriendsFacts } from "./friends-port.ts";

/*
 * What a page hands to its module, and what the API answers, in their wire
 * form. Types only: the browser carries no parser, because both ends are built
 * together and every byte counts on a phone.
 */

export interface PagePickup {
  readonly id: string;
  readonly label: string;
  /** The half hours or such that can be chosen; empty where people just come by. */
  readonly slots: readonly string[];
}

export interface PageItem {
  readonly sku: string;
  readonly title: string;
  readonly priceMinor: number;
}

/** What the module needs that prepares what a drop asks at its door. */
export interface DoorFacts {
  readonly drop: string;
  /** The addresses of the module and of its worker. */
  readonly module: string;
  readonly worker: string;
  readonly work: boolean;
  readonly turnstile: { readonly siteKey: string } | null;
}

/** The facts of a drop in a region that do not change while the page is open. */
export interface PageData {
  readonly drop: string;
  readonly planHash: string;
  readonly title: string;
  readonly region: string;
  readonly locale: string;
  readonly currency: string;
  /** How many units one person may have; people who stand in line together have that many each. */
  readonly limit: number;
  /** Null where everyone stands alone. */
  readonly friends: FriendsFacts | null;
  readonly items: readonly PageItem[];
  readonly pickup: readonly PagePickup[];
  /** When and how the goods arrive, in the seller's words. */
  readonly deliveryNote: string | null;
  /** Whether a place is given to an e-mail address that was proven by a code. */
  readonly asksCode: boolean;
  /** Null where the drop asks for nothing that takes preparing. */
  readonly door: DoorFacts | null;
  /** For whom something is kept, in words that follow "for"; empty where everyone stands in one line. */
  readonly lanes: readonly { readonly lane: string; readonly audience: string }[];
  /** Which of the drop's stages are steps of a drip; absent where none is. */
  readonly drips?: readonly PageDrip[];
  readonly lobbyOpensAt: number;
  readonly opensAt: number;
  readonly closesAt: number;
  /** The server's time when the page was made; an edge may have kept it for two seconds. */
  readonly now: number;
}

/** The public live object: the same from `/live` and from the socket, but for the nonce. */
export type Live = LiveAnswer;
export type Phase = LiveAnswer["phase"];
export type Quantiles = LiveAnswer["quantiles"][number];

export interface WireLine {
  readonly sku: string;
  readonly quantity: number;
}

export type Ticket = JoinAnswer;
export type Standing = TicketStandingAnswer;
export type Claim = PassAnswer | WaitingAnswer;
export type Hold = HoldAnswer;
export type Order = OrderAnswer;
export type OrderStatus = OrderStatusAnswer;
