import { expect, test } from "vitest";
import type { NightFacts, RecordRow } from "../../../src/rehearsal/facts.ts";
import { arrivalCorrelation, checksOf, lateClaims, sharesOf, shareTolerance } from "../../../src/rehearsal/findings.ts";
import { figuresOf, recordFigures } from "../../../src/rehearsal/figures.ts";
import { reportOf } from "../../../src/rehearsal/report.ts";
import { reportPage } from "../../../src/rehearsal/report-page.ts";
import { reportText } from "../../../src/rehearsal/report-text.ts";
import { correlation, quantile, shareDeviation } from "../../../src/rehearsal/statistics.ts";
import { night, OPENS_AT } from "../../support/rehearsed-night.ts";

const broken = (facts: NightFacts) => checksOf(facts).filter(({ isHeld }) => !isHeld).map(({ name }) => name);

test("a night in which everything is right breaks nothing", () => {
  expect(broken(night(50, 10))).toEqual([]);
  expect(reportOf([night(50, 10)]).isPassed).toBe(true);
});

test("each thing that must never happen fails the rehearsal", () => {
  const right = night(50, 10);
  const [first, ...rest] = right.rows;
  const cases: readonly (readonly [Partial<NightFacts>, RegExp])[] = [
    [{ rows: rest }, /No hold without an admission/],
    [{ stages: [{ opensAt: OPENS_AT, units: 59 }] }, /Held and sold never exceed/],
    [{ rows: right.rows.slice(0, -1) }, /Everything is sold/],
    [{ ledger: right.ledger.map((order, index) => (index === 0 ? { ...order, state: "expired" } : order)) }, /Nobody was charged without an order/],
    [{ payments: [...right.payments, ...right.payments.slice(0, 1)] }, /Nobody was charged without an order/],
    [{ ledger: right.ledger.map((order, index) => (index === 0 ? { ...order, postedMinor: 99 } : order)) }, /The ledger says/],
    [{ orders: [...right.orders, { id: "ord-x", ref: "ref-x", isPaid: false, isConfirmed: false }] }, /Every order that anybody was told of/],
    [{ orders: [...right.orders, { id: "ord-x", ref: "ref-x", isPaid: true, isConfirmed: true }] }, /Whoever was told that an order is confirmed/],
    [{ shoppers: right.shoppers.map((shopper, index) => (index === 1 ? { ...shopper, identity: "who-0", way: "forms" as const } : shopper)) }, /One proven address had one place/],
    [{ verifier: { isRight: false, sentence: "No.", findings: ["Row 3 is wrong."] } }, /The public record is right/],
    [{ shoppers: right.shoppers.map((shopper, index) => ({ ...shopper, rank: `0${String(index).padStart(6, "0")}` })) }, /Coming early gained nothing/],
    [{ broken: [{ what: "a position that was shown grew", count: 1, examples: ["tkt: 3 and then 4"] }] }, /a position that was shown grew/],
  ];
  expect(first?.kind).toBe("admit");
  for (const [changes, name] of cases) {
    const facts = { ...right, ...changes };
    expect(broken(facts).filter((check) => name.test(check)), String(name)).toHaveLength(1);
    expect(reportOf([facts]).isPassed).toBe(false);
  }
});

test("a place that was moved to another browser is drawn once and wants once, and no more than either of its owners does", () => {
  const right = night(50, 10);
  const [first] = right.shoppers;
  if (first === undefined) throw new Error("there is nobody");
  const again = { ...first, way: "forms" as const, isMoved: true };
  const { count } = arrivalCorrelation(right) ?? { count: 0 };
  expect(arrivalCorrelation({ ...right, shoppers: [...right.shoppers, again] })?.count).toBe(count);
  const wanted = right.shoppers.reduce((sum, { wants }) => sum + wants.reduce((units, { quantity }) => units + quantity, 0), 0);
  const larger = { ...right, stock: right.stock.map((unit) => ({ ...unit, units: wanted + 1 })) };
  expect(broken({ ...larger, shoppers: [...right.shoppers, again] }).filter((name) => name.startsWith("Everything"))).toEqual([]);
  expect(broken({ ...larger, shoppers: [...right.shoppers, { ...again, entry: "entry-of-another" }] }).filter((name) => name.startsWith("Everything"))).toHaveLength(1);
});

test("bots that get more than their part of the identities fail the rehearsal, and those that get their part do not", () => {
  const crowd = night(900, 100);
  const winners = (people: number, bots: number): NightFacts => {
    const won = new Set([...Array(people).keys(), ...[...Array(bots).keys()].map((index) => 900 + index)].map((index) => `entry-${index}`));
    return { ...crowd, terms: { ...crowd.terms, units: people + bots }, stock: [{ sku: "A", units: people + bots, stages: [{ opensAt: OPENS_AT, units: people + bots }] }], rows: crowd.rows.filter(({ subject }) => won.has(subject)) };
  };
  const unfair = sharesOf([winners(300, 100)]);
  expect(unfair).toMatchObject({ soldUnits: 400, botShare: 0.25, identityShare: 0.1 });
  expect(unfair.botShare - unfair.identityShare).toBeGreaterThan(shareTolerance(unfair));
  const fair = sharesOf([winners(360, 40)]);
  expect(fair.botShare).toBe(0.1);
  expect(reportOf([winners(300, 100)]).sentences.join(" ")).toMatch(/bots got 25\.0 % of 400 units and are 10\.0 % of the identities/);
  expect(reportOf([winners(300, 100)]).isPassed).toBe(false);
});

test("whoever claims after the window of the call is counted as late, by the record's own times", () => {
  const facts = night(50, 10);
  const serve = (at: number): RecordRow => ({ seq: 0, kind: "serve", at, sku: "A", quantity: 0, subject: "", ref: "", lane: "open", stage: 0, upTo: "~" });
  expect(lateClaims({ ...facts, rows: [serve(OPENS_AT), ...facts.rows] }, "people")).toEqual({ called: 50, late: 0 });
  // The first eleven were admitted at most ten milliseconds after the opening.
  expect(lateClaims({ ...facts, rows: [serve(OPENS_AT - 2_990), ...facts.rows] }, "people")).toEqual({ called: 50, late: 39 });
  expect(lateClaims(facts, "people")).toEqual({ called: 0, late: 0 });
});

test("the noise of a draw is that of drawing without return: 200 of 1,200 spread by 2.4 points, all of them by none", () => {
  const one = Array<number>(200).fill(1);
  expect(shareDeviation({ share: 1 / 6, entrants: 1_200, unitsByWinner: one })).toBeCloseTo(0.0241, 3);
  expect(shareDeviation({ share: 1 / 6, entrants: 200, unitsByWinner: one })).toBe(0);
  expect(shareDeviation({ share: 1 / 6, entrants: 1_200, unitsByWinner: [] })).toBe(0);
});

test("the arithmetic of the report is right where it can be done by hand", () => {
  expect(quantile([], 0.5)).toBeNull();
  expect([0, 0.5, 0.95, 1].map((share) => quantile([4, 1, 3, 2], share))).toEqual([1, 2, 4, 4]);
  expect(correlation([[1, 2], [2, 4], [3, 6]])).toBeCloseTo(1, 12);
  expect(correlation([[1, 3], [2, 2], [3, 1]])).toBeCloseTo(-1, 12);
  expect(correlation([[1, 1], [2, 1], [3, 1]])).toBeNull();
  expect(arrivalCorrelation(night(500, 100))?.count).toBe(600);
});

test("the page needs nothing but itself, says every figure of a plot in a table, and lets no text become markup", () => {
  const title = "</script><script>alert(1)</script>";
  const report = reportOf([night(50, 10, { terms: { ...night(50, 10).terms, title } })]);
  const page = reportPage(report, { madeAt: "2026-12-04 18:00", library: { script: "window.uPlot = {};", style: ".u {}" }, figures: figuresOf([night(50, 10, { terms: { ...night(50, 10).terms, title } })], "2026-12-04T18:00:00.000Z") });
  expect(page).not.toContain("<script>alert");
  const figures: unknown = JSON.parse(/<script type="application\/json" id="figures">(.*?)<\/script>/s.exec(page)?.[1] ?? "");
  expect(figures).toMatchObject({ format: "tranche-rehearsal/1", nights: [{ terms: { title, seed: 1 }, record: { sold: 60, soldOutAfterMs: 59 }, shares: { unitsByClass: { people: 50, bots: 10 } } }] });
  expect(page).not.toMatch(/(?:src|href)\s*=|@import|url\(|https?:/);
  expect(page.match(/data-plot="/g)).toHaveLength(4);
  expect(page.match(/The figures of this plot/g)).toHaveLength(4);
  expect(page).toContain("prefers-color-scheme: dark");
  expect(reportText(report, true)).toContain(report.verdict);
});

test("what a record alone says is the same whoever made it: rows by kind, when all was taken and sold, waits, and how far the line was served", () => {
  const { rows, stock } = night(3, 1);
  const row = (kind: string, at: number, more: Partial<RecordRow>): RecordRow => ({ seq: 0, kind, at: OPENS_AT + at, sku: "A", quantity: 0, subject: "", ref: "", lane: "", stage: 0, upTo: "", ...more });
  const served = [row("serve", 0, { lane: "open", upTo: "01" }), row("serve", 5, { lane: "open", upTo: "~" })];
  const figures = recordFigures([...served, ...rows], stock);
  expect(figures).toEqual({
    rowsByKind: { serve: 2, admit: 4, hold: 4, place: 4, sell: 4 }, units: 4, sold: 4, takenAfterMs: 3, soldOutAfterMs: 3,
    admittedAfterMs: { count: 4, median: 1, p95: 3, longest: 3 }, thresholds: [{ sku: "A", lane: "open", steps: 2, upTo: "~" }],
  });
  // What comes back after all was sold was not sold out in the end.
  expect(recordFigures([...rows, row("return", 9, { quantity: 1 })], stock)).toMatchObject({ sold: 3, soldOutAfterMs: null });
  expect(recordFigures([...rows, row("return", 9, { quantity: 1 }), row("hold", 11, { quantity: 1 }), row("sell", 12, { quantity: 1 })], stock)).toMatchObject({ takenAfterMs: 3, soldOutAfterMs: 12 });
});
