import type { NightFacts } from "./facts.ts";
import type { Table } from "./table.ts";

/* How fast it went: what came in each second, and what the store could not take. */

export interface Rate {
  readonly count: number;
  /** The most in one second of the clock. */
  readonly peak: number;
  /** Over the seconds from the first to the last. */
  readonly mean: number;
}

/** Instants (epoch milliseconds) as a rate per second. */
export function rateOf(instants: readonly number[]): Rate {
  if (instants.length === 0) return { count: 0, peak: 0, mean: 0 };
  const bySecond = new Map<number, number>();
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const at of instants) {
    const second = Math.floor(at / 1_000);
    bySecond.set(second, (bySecond.get(second) ?? 0) + 1);
    [first, last] = [Math.min(first, second), Math.max(last, second)];
  }
  return { count: instants.length, peak: Math.max(...bySecond.values()), mean: instants.length / (last - first + 1) };
}

/** Every ticket once, at the time of its joining. */
export function joinRate({ shoppers }: NightFacts): Rate {
  const joined = new Map(shoppers.flatMap(({ entry, joinedAt, isMoved }) => (entry === null || joinedAt === null || isMoved ? [] : [[entry, joinedAt] as const])));
  return rateOf([...joined.values()]);
}

/** Every hold once, by the record: one of several items has several rows. */
export function holdRate({ rows }: NightFacts): Rate {
  const held = new Map(rows.flatMap(({ kind, ref, at }) => (kind === "hold" ? [[ref, at] as const] : [])));
  return rateOf([...held.values()]);
}

/** Answers 503, with which an overloaded object is answered as well, and requests that had no answer at all. */
export function overloadOf({ routes }: Pick<NightFacts, "routes">): { readonly unavailable: number; readonly unanswered: number } {
  const counted = (isMeant: (answer: string) => boolean) => routes.reduce((sum, { answers }) => sum + answers.reduce((of, [answer, count]) => of + (isMeant(answer) ? count : 0), 0), 0);
  return {
    unavailable: counted((answer) => answer.startsWith("503")),
    unanswered: counted((answer) => answer === "no answer"),
  };
}

export function loadTable(night: NightFacts): Table {
  const [joins, holds, { unavailable, unanswered }] = [joinRate(night), holdRate(night), overloadOf(night)];
  const { realLobbyMs, realSaleMs } = night.terms;
  const row = (what: string, { count, peak, mean }: Rate, realMs: number) => [what, String(count), String(peak), mean.toFixed(1), String(Number((count / Math.max(1, realMs / 1_000)).toPrecision(2)))];
  return {
    title: "Load", columns: ["what", "in all", "busiest second", "mean of a second", "mean on the night"],
    rows: [
      row("joins", joins, realLobbyMs), row("holds", holds, realSaleMs),
      ["answers 503", String(unavailable), "–", "–", "–"], ["requests without an answer", String(unanswered), "–", "–", "–"],
    ],
    note: "Joins by the time of the ticket, holds by the record. An object that is overloaded is answered with 503. The mean is over the seconds from the first to the last of them here; the last column spreads as many of them over the lobby and the sale as long as they are on the night. Latencies by route are below.",
  };
}
