import type { Hashing } from "../kernel/hashing.ts";
import type { Behaviour, Random } from "./behaviour.ts";
import { planDeliveries } from "./behaviour.ts";
import type { Database } from "./database.ts";
import type { EventEntry } from "./records.ts";
import type { Turn } from "./turn.ts";
import { API_VERSION } from "./wire.ts";

/*
 * Events on their way to the store: a durable queue, at least once. A delivery
 * is a row until the store has answered 2xx; a crash in between sends it again.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How long after the first, second, … failed attempt the next one is made. The last value repeats. */
const BACKOFF_MS = [SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR] as const;

/** Nobody is asked for longer than three days. */
export const GIVE_UP_MS = 3 * 24 * HOUR;

export function backoffMs(failedAttempts: number): number {
  return BACKOFF_MS[Math.min(failedAttempts, BACKOFF_MS.length) - 1] ?? SECOND;
}

/** The header by which the store knows that an event is ours: the time and an HMAC over time and body. */
export function signatureHeader(body: string, secret: string, now: number, hashing: Hashing): string {
  const timestamp = Math.floor(now / 1_000);
  return `t=${timestamp},v1=${hashing.hmacSha256(new TextEncoder().encode(secret), `${timestamp}.${body}`)}`;
}

export interface Delivery {
  readonly seq: number;
  readonly event: string;
  readonly subject: string;
  readonly firstAt: number;
  readonly attempts: number;
}

export interface DeliveryCounts {
  readonly pending: number;
  readonly withheld: number;
  readonly givenUp: number;
  /** When the next attempt is due; null when none is. */
  readonly nextAt: number | null;
}

export interface DeliveryQueue {
  /** Queues what a turn has told, as the behaviour wants it. Part of the turn's transaction. */
  add(turn: Turn, events: readonly EventEntry[], subjects: readonly string[], webhooks: Behaviour["webhooks"], random: Random): void;
  due(now: number, limit: number): readonly Delivery[];
  succeeded(delivery: Delivery): void;
  /** Puts it off, or gives it up after three days. */
  failed(delivery: Delivery, now: number): void;
  release(now: number): number;
  nextAt(): number | null;
  counts(): DeliveryCounts;
}

export function createDeliveryQueue(database: Database): DeliveryQueue {
  const nextAt = (): number | null => {
    const at = database.rows("SELECT due_at FROM deliveries WHERE state = 'pending' ORDER BY due_at LIMIT 1")[0]?.["due_at"] ?? null;
    return at === null ? null : Number(at);
  };
  return {
    add(turn, events, subjects, webhooks, random) {
      const plan = planDeliveries(webhooks, events.length, random);
      for (const [index, event] of events.entries()) {
        for (const afterMs of plan[index] ?? []) {
          database.rows("INSERT INTO deliveries (event, subject, state, due_at, first_at, attempts) VALUES (?, ?, ?, ?, ?, 0)",
            event.id, subjects[index] ?? event.id, webhooks.withhold ? "withheld" : "pending", turn.now + afterMs, turn.now);
        }
      }
    },
    due: (now, limit) => database.rows("SELECT seq, event, subject, first_at, attempts FROM deliveries WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, seq LIMIT ?", now, limit)
      .map((row) => ({ seq: Number(row["seq"]), event: String(row["event"]), subject: String(row["subject"]), firstAt: Number(row["first_at"]), attempts: Number(row["attempts"]) })),
    succeeded(delivery) {
      database.rows("DELETE FROM deliveries WHERE seq = ?", delivery.seq);
    },
    failed(delivery, now) {
      const attempts = delivery.attempts + 1;
      const state = now - delivery.firstAt >= GIVE_UP_MS ? "given-up" : "pending";
      database.rows("UPDATE deliveries SET attempts = ?, due_at = ?, state = ? WHERE seq = ?", attempts, now + backoffMs(attempts), state, delivery.seq);
    },
    release(now) {
      const [count] = database.rows("SELECT count(*) AS n FROM deliveries WHERE state = 'withheld'");
      // Late by a lifetime is late enough to be sent: the three days count from the release.
      database.rows("UPDATE deliveries SET state = 'pending', due_at = ?, first_at = ? WHERE state = 'withheld'", now, now);
      return Number(count?.["n"] ?? 0);
    },
    nextAt,
    counts() {
      const byState = Object.fromEntries(database.rows("SELECT state, count(*) AS n FROM deliveries GROUP BY state").map((row) => [String(row["state"]), Number(row["n"])]));
      return { pending: byState["pending"] ?? 0, withheld: byState["withheld"] ?? 0, givenUp: byState["given-up"] ?? 0, nextAt: nextAt() };
    },
  };
}

/** The events of a turn as they are kept and sent: each a snapshot of its object at this moment. */
export function eventsOf(turn: Turn, request: { readonly id: string | null; readonly key: string | null }): readonly EventEntry[] {
  return turn.events.map((told) => {
    const id = turn.newId("evt");
    return {
      id, createdAt: turn.now, type: told.type,
      body: {
        id, object: "event", api_version: API_VERSION, created: Math.floor(turn.now / 1_000), data: { object: told.object }, livemode: false,
        pending_webhooks: 1, request: { id: request.id, idempotency_key: request.key }, type: told.type,
      },
    };
  });
}
