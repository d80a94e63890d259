import type { NightReport, Report } from "./report.ts";
import type { Table } from "./table.ts";

const WIDTH_MAX = 100;

/** The report for a terminal: the verdict first and last, because a terminal shows its end. */
export function reportText(report: Report, isWhole: boolean): string {
  const nights = isWhole ? report.nights.flatMap(nightLines) : report.nights.flatMap(shortNightLines);
  return [...nights, ...tableLines(report.shares), "", ...report.sentences.map((sentence) => `  ${sentence}`), "", `  ${report.verdict}`, ""].join("\n");
}

function nightLines({ title, checks, tables, notes }: NightReport): string[] {
  return ["", title, "", ...checkLines(checks), ...tables.flatMap(tableLines), "", ...notes.map((note) => `  ${note}`), ""];
}

function shortNightLines({ title, checks }: NightReport): string[] {
  return ["", title, ...checkLines(checks)];
}

function checkLines(checks: NightReport["checks"]): string[] {
  return checks.map(({ name, isHeld, seen }) => `  ${isHeld ? "held  " : "BROKEN"}  ${name}: ${seen}`);
}

function tableLines({ title, columns, rows, note }: Table): string[] {
  const widths = columns.map((column, index) => Math.min(WIDTH_MAX, Math.max(column.length, ...rows.map((row) => (row[index] ?? "").length))));
  const line = (cells: readonly string[]) => `    ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ")}`.trimEnd();
  return ["", `  ${title}`, line(columns), ...rows.map(line), ...(note === null ? [] : [`    (${note})`])];
}
