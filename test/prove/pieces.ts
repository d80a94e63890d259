import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { FIGURES_LINE, type Figure } from "./figures.ts";

/** One demonstration as a program: how it is run, and how its figures are read from what it printed. */
export interface Piece {
  readonly name: string;
  readonly command: readonly [program: string, ...parameters: string[]];
  /** Throws when the program did not print what it was to print: a piece without figures has shown nothing. */
  figures(output: string): readonly Figure[];
}

const own = (name: string, ...parameters: string[]): Piece => ({
  name,
  command: ["node", `test/prove/${name}.ts`, ...parameters],
  figures(output) {
    const line = output.split("\n").findLast((text) => text.startsWith(FIGURES_LINE));
    if (line === undefined) throw new Error("it printed no figures");
    // What our own programs print with `play`.
    return JSON.parse(line.slice(FIGURES_LINE.length)) as Figure[];
  },
});

/** A program whose last lines, from the last one that `begins` fits on, are its table; each of them is one figure. */
const withTable = (name: string, begins: RegExp, ...command: [string, ...string[]]): Piece => ({
  name,
  command,
  figures(output) {
    const lines = output.split("\n").map((line) => line.trim().replaceAll("|", "/")).filter((line) => line !== "");
    const first = lines.findLastIndex((line) => begins.test(line));
    if (first === -1) throw new Error(`its table is missing: no line is like ${String(begins)}`);
    return lines.slice(first).map((value) => ({ name, value }));
  },
});

/** A program that prints one line for each thing it does, all of which are wanted. */
const withLines = (name: string, ...command: [string, ...string[]]): Piece => ({
  name,
  command,
  figures(output) {
    const lines = output.split("\n").map((line) => line.trim().replaceAll("|", "/")).filter((line) => line !== "");
    if (lines.length === 0) throw new Error("it printed nothing");
    return lines.map((value) => ({ name, value }));
  },
});

const reportFolder = mkdtempSync(path.join(tmpdir(), "tranche-prove-"));
const hostileReport = path.join(reportFolder, "hostile.json");
process.once("exit", () => rmSync(reportFolder, { recursive: true, force: true }));

const hostile: Piece = {
  name: "hostile",
  command: ["vitest", "run", "--project", "http", "test/http/hostile-", "--reporter=default", "--reporter=json", `--outputFile.json=${hostileReport}`],
  figures(output) {
    const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = JSON.parse(readFileSync(hostileReport, "utf8")) as Record<string, number>;
    if (passed === undefined || passed === 0) throw new Error("no hostile input was tried");
    if (skipped !== 0) throw new Error(`${skipped} hostile inputs were skipped`);
    const counts = countsOf(output);
    if (counts.length === 0) throw new Error("the counts of the groups were not printed");
    return [{ name: "hostile inputs", value: `${passed} tests passed, ${failed} failed` }, ...counts];
  },
};

/** The counts of each group; what is beyond the list is counted by each file and summed here. */
function countsOf(output: string): Figure[] {
  const groups: Figure[] = [];
  let beyond = 0;
  for (const line of output.split("\n")) {
    const [, name, value = "0"] = /^([A-Z][\w ]*): (\d+(?: of \d+)?)$/.exec(line.trim()) ?? [];
    if (name === "Beyond the list") beyond += Number(value);
    else if (name !== undefined) groups.push({ name: `hostile inputs, ${name}`, value });
  }
  return groups.length === 0 ? [] : [...groups, { name: "hostile inputs, beyond the list", value: String(beyond) }];
}

/** Two busy lanes, because there are two cores: one plays with the served product, the other only computes. The third mostly waits. */
export const LANES: readonly (readonly Piece[])[] = [
  [own("crowd"), own("crash", "50", "20261204"), hostile, withLines("planted bugs", "node", "test/planted/run.ts")],
  [
    own("webhooks"),
    withLines("splits", "node", "test/simulation/splits.ts", "--count", "1000000"),
    withTable("simulator", /^\d+ seeds, /, "node", "test/simulation/simulate.ts", "--seed", "1", "--seeds", "10000", "--steps", "500"),
  ],
  [own("scale")],
];
