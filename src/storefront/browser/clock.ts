/*
 * The server's time in the browser. Phones are wrong by minutes, so the
 * device's own date is never used: only a clock that counts, and what the
 * server says.
 */

export interface ServerClock {
  /** The server said `serverAt` (epoch milliseconds) in an answer that arrived just now. */
  sample(serverAt: number): void;
  /** Epoch milliseconds by the server's clock; at most as late as the fastest answer took to arrive, never early. */
  now(): number;
}

/** A counting clock may run fast by this much; the estimate sinks with it, so that it is never early for long. */
const DRIFT_PER_MS = 1e-4;

/**
 * Every answer is a lower bound: what it says was already true when it left,
 * and a cache or a slow network only makes it older. The best estimate is the
 * largest bound. That also heals a laptop's sleep, during which the counting
 * clock stands still: the first answer afterwards is a larger bound.
 */
export function createClock(monotonic: () => number, firstServerAt: number): ServerClock {
  let sampledAt = monotonic();
  let offset = firstServerAt - sampledAt;
  const sunk = (at: number) => offset - (at - sampledAt) * DRIFT_PER_MS;
  return {
    sample(serverAt) {
      const at = monotonic();
      offset = Math.max(sunk(at), serverAt - at);
      sampledAt = at;
    },
    now() {
      const at = monotonic();
      return at + sunk(at);
    },
  };
}

/** `1:02:03`, `12:04` or `0:09`; days are named apart. Rounded up, so that it reads 0:00 only when the time has come. */
export function countdownText(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  if (hours >= 24) return `${Math.floor(hours / 24)}d ${two(hours % 24)}:${clock}`;
  return hours > 0 ? `${hours}:${clock}` : clock;
}

/** The same span in words, for those who hear the page: "12 minutes", "40 seconds". */
export function spanWords(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  const some = (count: number, unit: string) => `${count} ${unit}${count === 1 ? "" : "s"}`;
  if (seconds < 90) return some(seconds, "second");
  if (seconds < 90 * 60) return some(Math.round(seconds / 60), "minute");
  if (seconds < 36 * 3600) return some(Math.round(seconds / 3600), "hour");
  return some(Math.round(seconds / 86_400), "day");
}
