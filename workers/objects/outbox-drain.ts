import type { OutboxMessage } from "../../src/drop/port.ts";

/** A message that nobody has acknowledged is sent again after this long. */
export const RESEND_AFTER_MS = 30_000;
/** A message that the queue did not take is tried again after this long. */
const RETRY_AFTER_MS = 5_000;
/** Far below what a queue takes at once: 100 messages and 256 KB. */
const MESSAGES_PER_BATCH = 25;

/**
 * Sends outbox rows to the queue, outside of every command. When each was sent
 * is only remembered, not stored: after an eviction everything unacknowledged
 * is sent again, which at-least-once consumers bear anyway.
 */
export class OutboxDrain {
  readonly #take: (messages: readonly OutboxMessage[]) => Promise<unknown>;
  readonly #dueAt = new Map<string, number>();
  #toSend: OutboxMessage[] = [];
  #sending: Promise<boolean> | null = null;

  /** `take` hands messages to the queue, or throws when it does not take them. */
  constructor(take: (messages: readonly OutboxMessage[]) => Promise<unknown>) {
    this.#take = take;
  }

  /** When the next unacknowledged message is due, infinite without one. */
  nextAt(outbox: ReadonlyMap<string, OutboxMessage>): number {
    let nextAt = Number.POSITIVE_INFINITY;
    for (const id of outbox.keys()) nextAt = Math.min(nextAt, this.#dueAt.get(id) ?? 0);
    return nextAt;
  }

  /** Sends what is due of the whole outbox, and forgets what has left it. */
  async sendDue(outbox: ReadonlyMap<string, OutboxMessage>, now: number): Promise<void> {
    for (const id of this.#dueAt.keys()) if (!outbox.has(id)) this.#dueAt.delete(id);
    await this.send([...outbox.values()].filter((message) => (this.#dueAt.get(message.id) ?? 0) <= now), now);
  }

  /** Sends messages now, and answers whether the queue took all; calls that come while others are on their way join them. */
  async send(messages: readonly OutboxMessage[], now: number): Promise<boolean> {
    for (const message of messages) this.#dueAt.set(message.id, now + RESEND_AFTER_MS);
    this.#toSend.push(...messages);
    this.#sending ??= this.#sendAll(now).finally(() => {
      this.#sending = null;
    });
    return await this.#sending;
  }

  async #sendAll(now: number): Promise<boolean> {
    let isTaken = true;
    while (this.#toSend.length > 0) {
      const batch = this.#toSend.splice(0, MESSAGES_PER_BATCH);
      try {
        await this.#take(batch);
      } catch (cause) {
        isTaken = false;
        for (const message of batch) this.#dueAt.set(message.id, now + RETRY_AFTER_MS);
        console.error(JSON.stringify({ event: "outbox_send_failed", messages: batch.length, detail: cause instanceof Error ? cause.message : String(cause) }));
      }
    }
    return isTaken;
  }
}
