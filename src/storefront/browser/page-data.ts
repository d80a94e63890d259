import type { HoldAnswer } from "../../../schema/wire/hold.ts";
import type { LiveAnswer } from "../../../schema/wire/live.ts";
import type { OrderAnswer, OrderStatusAnswer } from "../../../schema/wire/order.ts";
import type { JoinAnswer, PassAnswer, TicketStandingAnswer, WaitingAnswer } from "../../../schema/wire/ticket.ts";

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

/** The facts of a drop in a region that do not change while the page is open. */
export interface PageData {
  readonly drop: string;
  readonly planHash: string;
  readonly title: string;
  readonly region: string;
  readonly locale: string;
  readonly currency: string;
  readonly limit: number;
  readonly items: readonly PageItem[];
  readonly pickup: readonly PagePickup[];
  /** When and how the goods arrive, in the seller's words. */
  readonly deliveryNote: string | null;
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
