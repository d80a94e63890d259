/**
 * How often something may be tried within a window. Kept in memory: it slows a
 * script down and grants nothing, so that a memory that is lost costs nothing
 * but a few more tries.
 */
export interface AttemptBudget {
  /** When the next attempt is allowed, or null when one is allowed now. */
  retryAt(who: string, now: number): number | null;
  spend(who: string, now: number): void;
}

interface Window {
  readonly startedAt: number;
  attempts: number;
}

export function attemptBudget(limits: { readonly attempts: number; readonly windowMs: number; readonly peopleMax: number }): AttemptBudget {
  const windows = new Map<string, Window>();
  // A window that would begin in the future is from before a clock was set back, and over.
  const isPresent = ({ startedAt }: Window, now: number) => startedAt <= now && now < startedAt + limits.windowMs;
  return {
    retryAt(who, now) {
      const window = windows.get(who);
      if (window === undefined || !isPresent(window, now) || window.attempts < limits.attempts) return null;
      return window.startedAt + limits.windowMs;
    },
    spend(who, now) {
      const window = windows.get(who);
      if (window !== undefined && isPresent(window, now)) {
        window.attempts++;
        return;
      }
      // Their own ended window makes room for the new one; else the oldest goes first: memory is bounded whoever comes.
      windows.delete(who);
      const [oldest] = windows.keys();
      if (windows.size >= limits.peopleMax && oldest !== undefined) windows.delete(oldest);
      windows.set(who, { startedAt: now, attempts: 1 });
    },
  };
}
