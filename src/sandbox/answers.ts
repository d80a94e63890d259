import type { Database } from "./database.ts";

/** An idempotency key is remembered for a day. */
export const KEY_MS = 24 * 60 * 60 * 1_000;

/** The answer that was given to the first request with a key. */
export interface KeptAnswer {
  readonly fingerprint: string;
  readonly status: number;
  readonly body: string;
  readonly request: string;
  /** When the first request is answered: until then the key is in use. */
  readonly readyAt: number;
}

export interface Answers {
  find(key: string, now: number): KeptAnswer | null;
  keep(key: string, answer: KeptAnswer, now: number): void;
  /** Forgets keys that are older than a day, at most `limit` at once. */
  prune(now: number, limit: number): void;
}

export function createAnswers(database: Database): Answers {
  return {
    find(key, now) {
      const [row] = database.rows("SELECT fingerprint, status, body, request, ready_at FROM answers WHERE key = ? AND made_at > ?", key, now - KEY_MS);
      if (row === undefined) return null;
      return { fingerprint: String(row["fingerprint"]), status: Number(row["status"]), body: String(row["body"]), request: String(row["request"]), readyAt: Number(row["ready_at"]) };
    },
    keep(key, answer, now) {
      database.rows("INSERT OR REPLACE INTO answers (key, fingerprint, status, body, request, made_at, ready_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        key, answer.fingerprint, answer.status, answer.body, answer.request, now, answer.readyAt);
    },
    prune(now, limit) {
      database.rows("DELETE FROM answers WHERE key IN (SELECT key FROM answers WHERE made_at <= ? LIMIT ?)", now - KEY_MS, limit);
    },
  };
}
