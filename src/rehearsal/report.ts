import type { CallFact, NightFacts, ShopperClass } from "./facts.ts";
import { arrivalCorrelation, type Check, checksOf, drawnPlaces, lateClaims, type Shares, sharesOf, shareTolerance } from "./findings.ts";
import { costTable } from "./cost.ts";
import { laneTables } from "./lane-shares.ts";
import { loadTable } from "./load.ts";
import { quantile, thinned } from "./statistics.ts";
import type { Table } from "./table.ts";
import { waysTable } from "./ways.ts";

/*
 * What a rehearsal tells, in the order of what matters: the verdict, how the
 * units were shared, and then each night with its figures. The terminal and the
 * page are two ways to write down the same report.
 */

/** One plot: lines or points over a common x axis, with a gap where a series has no value. */
export interface Plot {
  readonly title: string;
  readonly note: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly kind: "steps" | "lines" | "points";
  readonly x: readonly number[];
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[];
  /** The same as figures, for whoever does not see the plot. */
  readonly table: Table;
}

export interface NightReport {
  readonly title: string;
  readonly checks: readonly Check[];
  readonly tables: readonly Table[];
  readonly plots: readonly Plot[];
  readonly notes: readonly string[];
}

export interface Report {
  readonly isPassed: boolean;
  readonly verdict: string;
  /** What the verdict rests on, and what it leaves open. */
  readonly sentences: readonly string[];
  readonly shares: Table;
  readonly nights: readonly NightReport[];
}

const CLASSES: readonly ShopperClass[] = ["people", "bots"];
/** Fewer than so many requests a second may reach any one object by design. */
const CALLS_A_SECOND_MAX = 500;

export function reportOf(nights: readonly NightFacts[]): Report {
  const reports = nights.map(nightReport);
  const failed = reports.flatMap(({ title, checks }) => checks.filter(({ isHeld }) => !isHeld).map(({ name, seen }) => `${title}: not held: ${name} (${seen}).`));
  const groups = [...Map.groupBy(nights, ({ terms }) => terms.gates)].map(([gates, ofGroup]) => ({ gates, nights: ofGroup, shares: sharesOf(ofGroup) }));
  const fairness = groups.filter(({ nights: ofGroup }) => isJudged(ofGroup)).map(({ gates, shares }) => fairnessOf(gates, shares));
  const unfair = fairness.filter(({ isFair }) => !isFair).map(({ sentence }) => sentence);
  const isPassed = failed.length === 0 && unfair.length === 0 && nights.length > 0;
  return {
    isPassed,
    verdict: `${isPassed ? "Passed" : "Failed"}: ${headline(nights, groups)}`,
    sentences: [...failed, ...lateSentences(nights), ...fairness.map(({ sentence }) => sentence), ...groups.filter(({ nights: ofGroup }) => !isJudged(ofGroup)).map(({ gates, shares }) => unjudged(gates, shares))],
    shares: sharesTable(groups),
    nights: reports,
  };
}

interface Group {
  readonly gates: string;
  readonly nights: readonly NightFacts[];
  readonly shares: Shares;
}

/** Only where an identity can have one ticket is an identity what counts. */
function isJudged(nights: readonly NightFacts[]): boolean {
  return nights.every(({ terms }) => terms.isEmailProven && terms.bots > 0);
}

function headline(nights: readonly NightFacts[], groups: readonly Group[]): string {
  const [first] = groups;
  const units = nights.reduce((sum, { terms }) => sum + terms.units, 0);
  const sold = groups.reduce((sum, { shares }) => sum + shares.soldUnits, 0);
  const money = nights.flatMap(checksOf).find(({ name, isHeld }) => name.startsWith("Nobody was charged") && !isHeld);
  const shared = first === undefined || first.shares.soldUnits === 0 ? "" : `, bots got ${percent(first.shares.botShare)} with ${percent(first.shares.identityShare)} of the identities${groups.length > 1 ? ` (${first.gates})` : ""}`;
  return `${sold} of ${units} sold, ${money === undefined ? "nobody was charged without an order" : money.seen}${shared}.`;
}

function fairnessOf(gates: string, shares: Shares): { readonly isFair: boolean; readonly sentence: string } {
  const off = shares.botShare - shares.identityShare;
  const tolerance = shareTolerance(shares);
  // Less is nobody's loss but theirs: a bot that hoards or loses its time buys less often.
  const isFair = off <= tolerance;
  const noise = 1.96 * shares.deviation;
  const shows = noise > 0.02 ? ` ${shares.soldUnits} units can show this no better than to ${points(noise)} points; a larger edition (--units) or more runs (--runs) can.` : "";
  return {
    isFair,
    sentence: `With ${gates}, bots got ${percent(shares.botShare)} of ${shares.soldUnits} units and are ${percent(shares.identityShare)} of the identities that came: ${points(Math.abs(off))} points ${off < 0 ? "less" : "more"}, where chance alone makes ${points(noise)} (95 %) and ${points(tolerance)} are tolerated.${shows}`,
  };
}

/** More than one in twenty: then it was the machine that made a race of it. */
const LATE_SHARE = 0.05;

function lateSentences(nights: readonly NightFacts[]): string[] {
  const people = nights.map((night) => lateClaims(night, "people"));
  const [called, late] = [people.reduce((sum, one) => sum + one.called, 0), people.reduce((sum, one) => sum + one.late, 0)];
  if (called === 0 || late / called <= LATE_SHARE) return [];
  return [`${late} of ${called} people who were called and meant to buy got through only after their claim window: this machine was too slow for the crowd at this speed, and who comes late races for what is left. A smaller --speed or crowd shows the night itself.`];
}

function unjudged(gates: string, shares: Shares): string {
  return `With ${gates}, bots got ${percent(shares.botShare)} of the units with ${percent(shares.identityShare)} of the identities and ${percent(shares.ticketShare)} of the tickets: nothing there makes an identity prove itself, so that this is told and not judged.`;
}

function sharesTable(groups: readonly Group[]): Table {
  return {
    title: "Who got the units",
    columns: ["gates", "nights", "units sold", "to people", "to bots", "bots' share", "their part of identities", "their part of tickets", "95 % by chance"],
    rows: groups.map(({ gates, nights, shares }) => [
      gates, String(nights.length), String(shares.soldUnits), String(shares.unitsByClass.people), String(shares.unitsByClass.bots),
      percent(shares.botShare), percent(shares.identityShare), percent(shares.ticketShare), `± ${points(1.96 * shares.deviation)} points`,
    ]),
    note: "Counted in the public record. Identities and tickets are those that joined before the opening and came to buy: people who never come, or leave what they hold, are no rivals of anybody.",
  };
}

function nightReport(night: NightFacts): NightReport {
  const { terms } = night;
  return {
    title: `${terms.title}, ${terms.gates}, seed ${terms.seed}`,
    checks: checksOf(night),
    tables: [termsTable(night), sharesTable([{ gates: terms.gates, nights: [night], shares: sharesOf([night]) }]), waysTable(night), ...laneTables(night), endsTable(night), waitsTable(night), loadTable(night), objectsTable(night), routesTable(night), costTable(night), pairsTable("What went wrong on purpose", "fault", night.faults, "A fault that never struck has proved nothing."), pairsTable("What was tried against the store", "what", night.tried, "What opened would stand in the record without an admission.")],
    plots: [unitsPlot(night), waitsPlot(night), placesPlot(night), callsPlot(night)],
    notes: [...terms.compression.notes, ...night.remarks, `The record's head: ${night.head}`],
  };
}

function termsTable({ terms, opensAt, closesAt, tookSeconds }: NightFacts): Table {
  const { compression } = terms;
  return {
    title: "The night", columns: ["what", "how much"], note: null,
    rows: [
      ["people and bots", `${terms.people} people, of whom ${percent(terms.abandonShare)} do not buy; ${terms.bots === 0 ? "no bots" : `${terms.bots} bots; those that buy are behind ${terms.identities} identities`}`],
      ["edition", `${terms.units} units in ${compression.stages.length} stages, ${terms.shards} lobby ${terms.shards === 1 ? "shard" : "shards"}`],
      ["speed", `${compression.speed}`],
      ["lobby, sale", `${seconds(terms.lobbyMs)}, ${seconds(closesAt - opensAt)}`],
      ["stages, hold, claim window", `${compression.stages.map(({ afterMs }) => seconds(afterMs)).join(" / ")}, ${seconds(compression.holdMs)}, ${seconds(compression.claimWindowMs)}`],
      ["took", `${Math.round(tookSeconds)} s`],
    ],
  };
}

function endsTable({ shoppers }: NightFacts): Table {
  const ends = Map.groupBy(shoppers, ({ end }) => end || "nothing");
  const rows = [...ends].map(([end, of]) => [end, ...CLASSES.map((ofClass) => String(of.filter((shopper) => shopper.class === ofClass).length))]);
  return { title: "How the evening ended", columns: ["with", ...CLASSES], rows: rows.toSorted((a, b) => Number(b[1]) + Number(b[2]) - Number(a[1]) - Number(a[2])), note: null };
}

/** From the opening, or from joining where that was later, to the pass; in seconds. */
function waits({ shoppers, opensAt }: NightFacts, ofClass: ShopperClass): number[] {
  return shoppers.flatMap(({ class: its, joinedAt, admittedAt }) => (its !== ofClass || joinedAt === null || admittedAt === null ? [] : [(admittedAt - Math.max(opensAt, joinedAt)) / 1_000]));
}

function waitsTable(night: NightFacts): Table {
  const { speed } = night.terms.compression;
  return {
    title: "Waits from the opening to the pass", columns: ["class", "admitted", "median", "p95", "longest", "buyers called", "of them after their claim window"],
    rows: CLASSES.map((ofClass) => {
      const all = waits(night, ofClass);
      const { called, late } = lateClaims(night, ofClass);
      return [ofClass, String(all.length), ...[0.5, 0.95, 1].map((share) => secondsOf(quantile(all, share))), String(called), String(late)];
    }),
    note: `In seconds of the rehearsal, which ran at ${speed} times the speed except where the notes say so. Within its claim window a call keeps a unit for whoever was called; whoever claims later takes what is left, and only there speed counts. On a machine that is too slow for its crowd many are late, and bots, who do not think, are late less often.`,
  };
}

interface ObjectLoad {
  readonly name: string;
  readonly total: number;
  readonly bySecond: ReadonlyMap<number, number>;
  readonly byCall: ReadonlyMap<string, number>;
}

/** Every object by what reached it; lobby shards are numbered by how much that was, because the trace knows no names. */
export function objectLoads(calls: readonly CallFact[]): ObjectLoad[] {
  const byObject = Map.groupBy(calls, ({ kind, object }) => `${kind} ${object}`);
  const loads = [...byObject.values()].map((of) => {
    const bySecond = new Map<number, number>();
    const byCall = new Map<string, number>();
    for (const { second, call, calls: count } of of) {
      bySecond.set(second, (bySecond.get(second) ?? 0) + count);
      byCall.set(call, (byCall.get(call) ?? 0) + count);
    }
    return { kind: of[0]?.kind ?? "", total: of.reduce((sum, { calls: count }) => sum + count, 0), bySecond, byCall };
  });
  const numbered = new Map<string, number>();
  return loads.toSorted((a, b) => b.total - a.total).map(({ kind, ...load }) => {
    const number = (numbered.get(kind) ?? 0) + 1;
    numbered.set(kind, number);
    return { name: `${kind.replace("Object", "")} ${number}`, ...load };
  });
}

function objectsTable({ calls }: NightFacts): Table {
  return {
    title: "Requests per object", columns: ["object", "all", "busiest second", "mean of busy seconds", "most asked"],
    rows: objectLoads(calls).map(({ name, total, bySecond, byCall }) => {
      const peak = Math.max(0, ...bySecond.values());
      const most = [...byCall].toSorted(([, a], [, b]) => b - a).slice(0, 5).map(([call, count]) => `${call} ${count}`).join(", ");
      return [name, String(total), `${peak}${peak > CALLS_A_SECOND_MAX ? ` (over ${CALLS_A_SECOND_MAX})` : ""}`, (total / Math.max(1, bySecond.size)).toFixed(0), most];
    }),
    note: `Counted by the runtime's own tracing (a tail Worker), not by the product. A lobby that lasts half an hour on the night is squeezed into a minute or so here, so that joins a second are many times what they will be; by design no object gets more than ${CALLS_A_SECOND_MAX} a second.`,
  };
}

function routesTable({ routes }: NightFacts): Table {
  return {
    title: "Requests per route", columns: ["route", "requests", "median ms", "p95 ms", "p99 ms", "answers"],
    rows: routes.map(({ route, requests, medianMs, p95Ms, p99Ms, answers }) => [route, String(requests), medianMs.toFixed(1), p95Ms.toFixed(1), p99Ms.toFixed(1), answers.map(([answer, count]) => `${answer}: ${count}`).join(", ")]),
    note: "As the clients saw it, on the machine that also runs the store; with the time that a request waited for a free connection.",
  };
}

function pairsTable(title: string, column: string, pairs: readonly (readonly [string, number])[], note: string): Table {
  return { title, columns: [column, "times"], rows: pairs.map(([what, count]) => [what, String(count)]), note };
}

/** Released, held, and sold by class, at every second from the opening on. */
function unitsPlot({ rows, shoppers, stages, opensAt, closesAt }: NightFacts): Plot {
  const classByEntry = new Map(shoppers.flatMap((shopper) => (shopper.entry === null ? [] : [[shopper.entry, shopper.class] as const])));
  const last = Math.ceil((closesAt - opensAt) / 1_000);
  const x = Array.from({ length: last + 1 }, (_, second) => second);
  const counts = { held: 0, people: 0, bots: 0 };
  let next = 0;
  const series = { released: [] as number[], held: [] as number[], people: [] as number[], bots: [] as number[] };
  for (const second of x) {
    const at = opensAt + second * 1_000;
    for (let row = rows[next]; row !== undefined && row.at <= at; row = rows[++next]) {
      const ofClass = classByEntry.get(row.subject) ?? "bots";
      if (row.kind === "hold") counts.held += row.quantity;
      if (row.kind === "expire" || row.kind === "abandon" || row.kind === "void") counts.held -= row.quantity;
      if (row.kind === "sell") [counts.held, counts[ofClass]] = [counts.held - row.quantity, counts[ofClass] + row.quantity];
      if (row.kind === "return") counts[ofClass] -= row.quantity;
    }
    series.released.push(stages.filter((stage) => stage.opensAt <= at).reduce((sum, { units }) => sum + units, 0));
    series.held.push(counts.held);
    series.people.push(counts.people);
    series.bots.push(counts.bots);
  }
  return plotOf({
    title: "Units over time", note: "Released by the plan; held, and sold to people and to bots, by the record.", xLabel: "seconds from the opening", yLabel: "units", kind: "steps", x,
    series: [{ label: "released", values: series.released }, { label: "held", values: series.held }, { label: "sold to people", values: series.people }, { label: "sold to bots", values: series.bots }],
  });
}

function waitsPlot(night: NightFacts): Plot {
  const x = Array.from({ length: 21 }, (_, step) => step * 5);
  return plotOf({
    title: "Waits", note: "How long the quickest x percent of the admitted waited for their pass.", xLabel: "percent of the admitted", yLabel: "seconds", kind: "lines", x,
    series: CLASSES.map((ofClass) => {
      const all = waits(night, ofClass);
      return { label: ofClass, values: x.map((share) => quantile(all, share / 100)) };
    }),
  });
}

function placesPlot(night: NightFacts): Plot {
  const places = thinned(drawnPlaces(night), 2_000).toSorted((a, b) => a.joinedAt - b.joinedAt);
  const found = arrivalCorrelation(night);
  const x = places.map(({ joinedAt }) => (joinedAt - night.opensAt) / 1_000);
  return plotOf({
    title: "Position by arrival", note: `Everybody who joined before the opening, at most 2,000 of them drawn here.${found === null ? "" : ` Correlation ${found.value.toFixed(4)} over ${found.count}.`}`,
    xLabel: "joined, seconds from the opening", yLabel: "position in the draw", kind: "points", x,
    series: CLASSES.map((ofClass) => ({ label: ofClass, values: places.map(({ position, class: its }) => (its === ofClass ? position : null)) })),
  });
}

function callsPlot(night: NightFacts): Plot {
  const zero = Math.floor(night.opensAt / 1_000);
  const loads = objectLoads(night.calls).slice(0, 5);
  const all = [...loads.flatMap(({ bySecond }) => [...bySecond.keys()]), ...night.requestsBySecond.map(([second]) => second)];
  const [first, last] = [Math.min(zero, ...all), Math.max(zero, ...all)];
  const clients = new Map(night.requestsBySecond);
  const x = Array.from({ length: last - first + 1 }, (_, index) => first + index - zero);
  return plotOf({
    title: "Requests per second", note: "What the crowd sent, and what of it reached the busiest objects.", xLabel: "seconds from the opening", yLabel: "requests a second", kind: "lines", x,
    series: [{ label: "sent by the crowd", values: x.map((second) => clients.get(second + zero) ?? 0) }, ...loads.map(({ name, bySecond }) => ({ label: name, values: x.map((second) => bySecond.get(second + zero) ?? 0) }))],
  });
}

/** With a table of at most so many of its own values, evenly spread. */
const TABLE_ROWS_MAX = 24;

function plotOf(plot: Omit<Plot, "table">): Plot {
  const places = thinned(plot.x.map((_, index) => index), TABLE_ROWS_MAX);
  const rows = places.map((index) => [String(Math.round((plot.x[index] ?? 0) * 10) / 10), ...plot.series.map(({ values }) => figure(values[index] ?? null))]);
  return { ...plot, table: { title: plot.title, columns: [plot.xLabel, ...plot.series.map(({ label }) => label)], rows, note: plot.note } };
}

function figure(value: number | null): string {
  return value === null ? "–" : String(Math.round(value * 10) / 10);
}

function secondsOf(value: number | null): string {
  return value === null ? "–" : `${value.toFixed(1)} s`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function points(share: number): string {
  return (share * 100).toFixed(1);
}
