import type { PlacedOrder } from "../checkout/placed-order.ts";
import type { Line } from "../drop/port.ts";
import type { Result } from "../kernel/result.ts";

export type OrderState = "placed" | "confirming" | "confirmed" | "cancelled" | "expired";
export type PaymentState =
  | "none" | "pending" | "authorised" | "captured" | "part-refunded" | "refunded" | "voided" | "failed" | "disputed";
export type FulfilmentState = "none" | "part" | "done";

/** One line of the story that a shopper can read: what happened, when, in plain words. */
export interface TimelineEntry {
  readonly at: number;
  readonly kind: string;
  readonly text: string;
}

export interface OrderView {
  readonly order: PlacedOrder;
  readonly state: OrderState;
  readonly payment: { readonly state: PaymentState; readonly url: string | null };
  readonly fulfilment: FulfilmentState;
  readonly payBy: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly timeline: readonly TimelineEntry[];
}

/** The storefront's view of settlement. Opening is idempotent by the order's id. */
export interface CheckoutPort {
  /** Stores the order and opens its hosted payment page; the answer may have no URL yet when the provider is slow. */
  open(order: PlacedOrder): Promise<OrderView>;
  order(id: string): Promise<OrderView | null>;
  /** Asks the provider what it knows, for a shopper who came back before the webhook did. */
  refresh(id: string): Promise<OrderView | null>;
}

export interface TransferView {
  readonly id: string;
  readonly order: string;
  readonly debit: string;
  readonly credit: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly state: "pending" | "posted" | "voided";
  readonly pendingId: string | null;
  readonly at: number;
}

export interface AccountBalance {
  readonly account: string;
  readonly currency: string;
  readonly debitMinor: number;
  readonly creditMinor: number;
}

export interface RefundCommand {
  readonly id: string;
  readonly order: string;
  readonly lines: readonly Line[] | null;
  readonly amountMinor: number | null;
  readonly reason: string;
  /** Null means the default: only what was not handed over goes back on sale. */
  readonly restock: boolean | null;
}

export interface FulfilCommand {
  readonly id: string;
  readonly order: string;
  /** Null means everything that is not yet handed over. */
  readonly lines: readonly Line[] | null;
}

export type MoneyRejection =
  | { readonly code: "not_found" }
  | { readonly code: "id_reused" }
  | { readonly code: "refund_not_possible" }
  | { readonly code: "fulfilment_not_possible" }
  | { readonly code: "unknown_sku"; readonly pointer: string };

/** The desk's view of settlement. Every command is idempotent by its id. */
export interface MoneyDeskPort {
  orders(query: { readonly drop: string; readonly cursor: string | null; readonly limit: number }): Promise<{ readonly orders: readonly OrderView[]; readonly next: string | null }>;
  order(id: string): Promise<OrderView | null>;
  fulfil(command: FulfilCommand): Promise<Result<OrderView, MoneyRejection>>;
  refund(command: RefundCommand): Promise<Result<OrderView, MoneyRejection>>;
  accounts(): Promise<readonly AccountBalance[]>;
  transfers(order: string): Promise<readonly TransferView[]>;
}
