import type { Plan } from "../../../src/drop/plan.ts";
import type { MovementRow } from "../../../src/drop/port.ts";

/** Somebody in the line, and what they want. */
export interface Ranked {
  readonly sku: string;
  readonly rank: string;
  readonly entry: string;
}

export interface LineUse {
  /** Of the time that free units were there, the part in which somebody stood called or seated for them; 1 is a line that never waits. */
  readonly share: number;
  /** From the moment in which a called person's time was over to the call of the next one for that place. */
  readonly medianLagMs: number;
}

interface Step {
  readonly at: number;
  readonly free: number;
  readonly called: number;
}

/**
 * How well the line used what was free, told from the record alone and from who
 * stood where: a call takes up a unit from the threshold that reached it until
 * its owner is admitted or the claim window is over, an admission until its
 * first hold. What is neither sold, held, seated nor called is idle.
 */
export function lineUse(rows: readonly MovementRow[], plan: Plan, ranked: readonly Ranked[]): LineUse {
  const shares: { busyMs: number; freeMs: number }[] = [];
  const lags: number[] = [];
  for (const { sku } of plan.items) {
    const { steps, callTimes } = stepsOf(rows, plan, sku, ranked.filter((one) => one.sku === sku));
    const soldOutAt = Date.parse(rows.findLast((row) => row.kind === "sell" && row["sku"] === sku)?.at ?? "");
    shares.push(usedTime(steps, soldOutAt));
    lags.push(...lagsOf(callTimes, plan.claimWindowMs));
  }
  const busyMs = shares.reduce((sum, share) => sum + share.busyMs, 0);
  const freeMs = shares.reduce((sum, share) => sum + share.freeMs, 0);
  return { share: freeMs === 0 ? 0 : busyMs / freeMs, medianLagMs: lags.toSorted((a, b) => a - b)[lags.length >> 1] ?? 0 };
}

function stepsOf(rows: readonly MovementRow[], plan: Plan, sku: string, ranked: readonly Ranked[]): { readonly steps: Step[]; readonly callTimes: number[] } {
  const order = ranked.toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
  const steps: Step[] = (plan.stock.find((unit) => unit.sku === sku)?.stages ?? []).map(({ opensAt, units }) => ({ at: opensAt, free: units, called: 0 }));
  const callEnds = new Map<string, number>();
  const callTimes: number[] = [];
  let next = 0;
  for (const row of rows) {
    const at = Date.parse(row.at);
    const subject = String(row["subject"] ?? "");
    if (row.kind === "serve" && row["sku"] === sku) {
      callTimes.push(at);
      for (let one = order[next]; one !== undefined && one.rank <= String(row["upTo"]); one = order[++next]) {
        callEnds.set(one.entry, at + plan.claimWindowMs);
        steps.push({ at, free: 0, called: 1 });
      }
    }
    if (row.kind === "admit" && callEnds.has(subject)) {
      // From now on it is the sitting that keeps the unit; a call that ended before is over already.
      const endsAt = callEnds.get(subject) ?? at;
      if (endsAt > at) callEnds.delete(subject);
      else steps.push({ at, free: 0, called: 1 });
    }
    if (row["sku"] !== sku) continue;
    if (row.kind === "hold") steps.push({ at, free: -1, called: -1 });
    if (row.kind === "expire" || row.kind === "abandon" || row.kind === "void") steps.push({ at, free: 1, called: 0 });
  }
  for (const [, at] of callEnds) steps.push({ at, free: 0, called: -1 });
  return { steps: steps.toSorted((a, b) => a.at - b.at), callTimes };
}

function usedTime(steps: readonly Step[], until: number): { busyMs: number; freeMs: number } {
  let [free, called, busyMs, freeMs] = [0, 0, 0, 0];
  steps.forEach((step, index) => {
    free += step.free;
    called += step.called;
    const next = Math.min(steps[index + 1]?.at ?? until, until);
    const ms = Math.max(0, next - step.at);
    busyMs += Math.min(free, called) * ms;
    freeMs += free * ms;
  });
  return { busyMs, freeMs };
}

/** Calls are made in rounds: the end of one round's window to the next round. */
function lagsOf(callTimes: readonly number[], claimWindowMs: number): number[] {
  const distinct = [...new Set(callTimes)].toSorted((a, b) => a - b);
  return distinct.flatMap((at) => {
    const next = distinct.find((other) => other >= at + claimWindowMs);
    return next === undefined ? [] : [next - at - claimWindowMs];
  });
}
