import { type AttemptBudget, attemptBudget } from "../kernel/attempt-budget.ts";

/**
 * What one entry may ask of its drop: claims, holds, looks at a hold, giving
 * one back and orders, whatever the answers are. Nobody who clicks, reloads and
 * edits a cart comes near it; a browser that a script drives would otherwise ask
 * as often as the object can answer at all, with one proof that was made once.
 */
const ASKS_MAX = 120;
/** On a developer's machine a few people of a test stand for a crowd. */
const LOCAL_ASKS_MAX = 3_000;
const WINDOW_MS = 30_000;
/** Who is admitted within a window or two. */
const ENTRIES_MAX = 20_000;

/** Counts what entries ask. A storefront's isolate has one for all drops, to spare the object; the object has its own, which no choice of a way in avoids. */
export function entryBudget(isLocal: boolean): AttemptBudget {
  return attemptBudget({ attempts: isLocal ? LOCAL_ASKS_MAX : ASKS_MAX, windowMs: WINDOW_MS, peopleMax: ENTRIES_MAX });
}

/** Counts one request of an entry. Answers null, or when the entry may ask again. */
export function askedTooOften(budget: AttemptBudget, entry: string, now: number): { readonly code: "too_many_requests"; readonly retryAt: number } | null {
  const retryAt = budget.retryAt(entry, now);
  if (retryAt !== null) return { code: "too_many_requests", retryAt };
  budget.spend(entry, now);
  return null;
}
