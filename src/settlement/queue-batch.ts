import type { OutboxMessage } from "../drop/port.ts";
import type { NoticeReader } from "../payment/provider.ts";
import { settleMessage } from "./checkout.ts";
import { processInboxEvent } from "./inbox.ts";
import type { SettlementPorts } from "./settlement-ports.ts";
import { type After, sideBySide } from "./side-by-side.ts";

/** Tells the queue which stored webhook event is to be worked off, and what it is about. */
export interface InboxMessage {
  readonly inbox: string;
  readonly about: string;
}

export type SettlementMessage = OutboxMessage | InboxMessage;

/** What became of a message: "settled" may be acknowledged, "later" is to come again soon, and so is what failed. */
export type Outcome = { readonly state: "settled" | "later" } | { readonly state: "failed"; readonly error: unknown };

/**
 * Works off a batch of a queue, and answers what became of each message, in
 * their order. What is about one order goes one after the other: side by side
 * each would ask the provider and the drop the same, and collide.
 */
export async function settleBatch(
  { ports, notices, isLive }: { readonly ports: SettlementPorts; readonly notices: NoticeReader; readonly isLive: boolean | null },
  messages: readonly SettlementMessage[], after: After,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const settle = async (common: SettlementPorts, message: SettlementMessage): Promise<Outcome> => {
    try {
      if (!("inbox" in message)) return { state: await settleMessage(common, message) };
      await processInboxEvent(common, notices, isLive, message.inbox);
      return { state: "settled" };
    } catch (error) {
      return { state: "failed", error };
    }
  };
  const lines = Map.groupBy(messages.entries(), ([, message]) => subjectOf(message));
  await sideBySide(ports, after, [...lines.values()].map((line) => async (common) => {
    for (const [index, message] of line) outcomes[index] = await settle(common, message);
  }));
  return outcomes;
}

/** The order that a message is about, or the payment of an event that names no order. */
export function subjectOf(message: SettlementMessage): string {
  if ("inbox" in message) return message.about;
  return message.kind === "order_placed" ? message.order.id : message.order;
}
