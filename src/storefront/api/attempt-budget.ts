/**
 * How often something may be tried within a window. Kept in an isolate's
 * memory: it slows a script down and grants nothing, so that an isolate that
 * forgets costs nothing but a few more tries.
 */
export interface AttemptBudget {
  /** When the next attempt is allowed, or null when one is allowed now. */
  retryAt(who: string, now: number): number | null;
  spend(who: string, now: number): void;
}

export function attemptBudget(limits: { readonly attempts: number; readonly windowMs: number; readonly peopleMax: number }): AttemptBudget {
  const windows = new Map<string, { startedAt: number; attempts: number }>();
  return {
    retryAt(who, now) {
      const window = windows.get(who);
      if (window === undefined || now >= window.startedAt + limits.windowMs || window.attempts < limits.attempts) return null;
      return window.startedAt + limits.windowMs;
    },
    spend(who, now) {
      const window = windows.get(who);
      if (window !== undefined && now < window.startedAt + limits.windowMs) {
        window.attempts++;
        return;
      }
      // The oldest goes first: memory is bounded whoever comes.
      const [oldest] = windows.keys();
      if (windows.size >= limits.peopleMax && oldest !== undefined) windows.delete(oldest);
      windows.delete(who);
      windows.set(who, { startedAt: now, attempts: 1 });
    },
  };
}
