import type { NightFacts, RecordRow } from "./facts.ts";
import { checksOf, sharesOf } from "./findings.ts";
import { costOf } from "./cost.ts";
import { lanesOf } from "./lane-shares.ts";
import { holdRate, joinRate, overloadOf } from "./load.ts";
import { quantile } from "./statistics.ts";

/*
 * The report's figures for programs. What stands under `record` is made from a
 * drop's public record alone, so that the same figures can be made of the night
 * itself and laid beside those of its rehearsal.
 */

export const FIGURES_FORMAT = "tranche-rehearsal/1";

/** What a drop's record says about its sale; instants are milliseconds from the opening. */
export interface RecordFigures {
  readonly rowsByKind: Readonly<Record<string, number>>;
  readonly units: number;
  readonly sold: number;
  /** When the last unit was held or sold for the first time, and when all of them were sold; null where that never was. */
  readonly takenAfterMs: number | null;
  readonly soldOutAfterMs: number | null;
  /** From the opening to each entry's first admission. */
  readonly admittedAfterMs: { readonly count: number; readonly median: number | null; readonly p95: number | null; readonly longest: number | null };
  /** How far the line was served in the end, and in how many steps. */
  readonly thresholds: readonly { readonly sku: string; readonly lane: string; readonly steps: number; readonly upTo: string }[];
}

/** The figures of one drop by its record: its rows in their order, and its stock as the record's own plan states it. */
export function recordFigures(rows: readonly RecordRow[], stock: NightFacts["stock"]): RecordFigures {
  const opensAt = Math.min(...stock.flatMap(({ stages }) => stages.map((stage) => stage.opensAt)));
  const units = stock.reduce((sum, { units: of }) => sum + of, 0);
  const admitted = new Map<string, number>();
  const thresholds = new Map<string, { readonly sku: string; readonly lane: string; steps: number; upTo: string }>();
  const rowsByKind: Record<string, number> = {};
  let [held, sold] = [0, 0];
  let takenAt: number | null = null;
  let soldOutAt: number | null = null;
  for (const { kind, at, sku, lane, quantity, subject, upTo } of rows) {
    rowsByKind[kind] = (rowsByKind[kind] ?? 0) + 1;
    if (kind === "admit" && !admitted.has(subject)) admitted.set(subject, at - opensAt);
    if (kind === "serve") thresholds.set(`${sku} ${lane}`, { sku, lane, steps: (thresholds.get(`${sku} ${lane}`)?.steps ?? 0) + 1, upTo });
    if (kind === "hold") held += quantity;
    if (kind === "sell") [held, sold] = [held - quantity, sold + quantity];
    if (kind === "expire" || kind === "abandon" || kind === "void") held -= quantity;
    if (kind === "return") sold -= quantity;
    if (held + sold >= units) takenAt ??= at;
    soldOutAt = sold < units ? null : (soldOutAt ?? at);
  }
  const waits = [...admitted.values()];
  return {
    rowsByKind, units, sold,
    takenAfterMs: takenAt === null ? null : takenAt - opensAt, soldOutAfterMs: soldOutAt === null ? null : soldOutAt - opensAt,
    admittedAfterMs: { count: waits.length, median: quantile(waits, 0.5), p95: quantile(waits, 0.95), longest: quantile(waits, 1) },
    thresholds: [...thresholds.values()],
  };
}

/** All figures of all nights, as one document without anything that JSON cannot say. */
export function figuresOf(nights: readonly NightFacts[], madeAt: string) {
  return { format: FIGURES_FORMAT, madeAt, nights: nights.map(nightFigures) };
}

function nightFigures(night: NightFacts) {
  const { terms, rows, stock, head, routes, faults, tried } = night;
  const { compression, ...chosen } = terms;
  const { unitsByClass, botShare, identityShare, ticketShare, deviation } = sharesOf([night]);
  return {
    terms: { ...chosen, speed: compression.speed, stages: compression.stages, closesAfterMs: compression.closesAfterMs, holdMs: compression.holdMs, claimWindowMs: compression.claimWindowMs },
    checks: checksOf(night),
    record: { ...recordFigures(rows, stock), head },
    shares: { unitsByClass, botShare, identityShare, ticketShare, deviation },
    lanes: lanesOf(night),
    load: { joins: joinRate(night), holds: holdRate(night), ...overloadOf(night), routes: routes.map(({ route, requests, medianMs, p95Ms, p99Ms, answers }) => ({ route, requests, medianMs, p95Ms, p99Ms, answers: Object.fromEntries(answers) })) },
    cost: costOf(night),
    faults: Object.fromEntries(faults), tried: Object.fromEntries(tried),
  };
}
