/** The one way to read the clock; a parameter wherever a decision is made. */
export type Clock = () => number;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** RFC 3339 with milliseconds, always in UTC: the form of every instant on the wire and in the record. */
export function instantToWire(at: number): string {
  return new Date(at).toISOString();
}

/** Epoch milliseconds of an RFC 3339 instant with a zone, or null when it is not one. */
export function instantFromWire(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

/** A duration as the config writes it: `1h30m` for 5,400,000; `0s` for nothing. */
export function durationText(ms: number): string {
  let left = ms;
  const parts = ["d", "h", "m", "s", "ms"].flatMap((unit) => {
    const unitMs = UNIT_MS[unit] ?? 1;
    const amount = Math.floor(left / unitMs);
    left -= amount * unitMs;
    return amount === 0 ? [] : [`${amount}${unit}`];
  });
  return parts.length === 0 ? "0s" : parts.join("");
}

/** Milliseconds of a duration such as `30m`, `2h`, `90s`, `1h30m`; null when it is not one. */
export function durationFromText(text: string): number | null {
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) return null;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) totalMs += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  return Number.isSafeInteger(totalMs) ? totalMs : null;
}
