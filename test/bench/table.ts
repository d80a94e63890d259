import { cpus, release, totalmem } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PROJECT } from "../support/sources.ts";

/** One line of the table. */
export interface Row {
  readonly what: string;
  /** The figure that counts, with its unit. */
  readonly figure: string;
  /** What was measured beside it, in words. */
  readonly detail: string;
  readonly goal?: { readonly text: string; readonly isMet: boolean };
}

/** A goal that is met from `least` on. */
export function atLeast(value: number, least: number, aim?: number): NonNullable<Row["goal"]> {
  return { text: `≥ ${least}×${aim === undefined ? "" : `, aim ${aim}×`}`, isMet: value >= least };
}

/** A goal that is met up to `most`. */
export function atMost(value: number, most: number, unit: string): NonNullable<Row["goal"]> {
  return { text: `≤ ${most} ${unit}`, isMet: value <= most };
}

export function ratioText(value: number): string {
  return `${value.toFixed(2)}×`;
}

function goalText({ goal }: Row): string {
  if (goal === undefined) return "";
  return `${goal.text}: ${goal.isMet ? "met" : "MISSED"}`;
}

/** The rows as a table in Markdown. */
export function tableText(rows: readonly Row[]): string {
  const lines = [["what", "figure", "goal", "measured"], ...rows.map((row) => [row.what, row.figure, goalText(row), row.detail])];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = (line: readonly string[]) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = lines;
  return [text(head), `| ${[...widths.map((width) => "-".repeat(width)), "---"].join(" | ")} |`, ...body.map(text)].join("\n");
}

/** The machine and the programs that the figures belong to. */
export function machineText(): string {
  const processors = cpus();
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0);
  return `${processors.length} cores of ${processors[0]?.model.trim() ?? "an unknown processor"}, ${gigabytes} GB of memory, ${process.platform} ${release()}, Node ${process.versions.node}, workerd ${versionOf("workerd")}, miniflare ${versionOf("miniflare")}`;
}

function versionOf(name: string): string {
  const manifest: unknown = JSON.parse(readFileSync(path.join(PROJECT, "node_modules", name, "package.json"), "utf8"));
  const version: unknown = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "version") : undefined;
  return String(version);
}

const FIGURES = /(<!-- figures: [^\n]*-->\n)[\s\S]*?(<!-- end of figures -->)/;

/** Puts the figures into the README in the place of the ones before. */
export function writeFigures(text: string): void {
  const file = path.join(PROJECT, "README.md");
  const readme = readFileSync(file, "utf8");
  if (!FIGURES.test(readme)) throw new Error("README.md has no place for the figures");
  writeFileSync(file, readme.replace(FIGURES, (_, begin: string, end: string) => `${begin}${text}\n${end}`));
}
