import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem, type as systemType } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { PROJECT } from "../support/sources.ts";
import { tellOnTerminal, words, type Figure } from "./figures.ts";
import { LANES, type Piece } from "./pieces.ts";

/*
 * npm run prove                          everything long, in three lanes, in under twenty minutes
 * npm run prove -- --only crowd,crash    only these; the last result stays as it was
 *
 * A piece that is not there, prints no figures or takes too long has failed.
 */

const LIMIT_MS = 20 * 60_000;
const RESULT = path.join(PROJECT, "test", "prove", "last-result.md");

interface Outcome {
  readonly piece: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  /** Null when it held. */
  readonly failure: string | null;
}

const children = new Set<ChildProcess>();
const startedAt = performance.now();

function endGroups(): void {
  for (const { pid } of children) {
    try {
      if (pid !== undefined) process.kill(-pid, "SIGTERM");
    } catch {
      // It has ended by itself in the meantime.
    }
  }
}

function run(piece: Piece): Promise<Outcome> {
  const [program, ...parameters] = piece.command;
  const began = performance.now();
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: `${path.join(PROJECT, "node_modules", ".bin")}${path.delimiter}${process.env["PATH"] ?? ""}`, FORCE_COLOR: "0", NO_COLOR: "1" };
    // A group of its own, so that it can be ended with everything that it started.
    const child = spawn(program, parameters, { cwd: PROJECT, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    children.add(child);
    let output = "";
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      endGroups();
    }, Math.max(0, LIMIT_MS - (performance.now() - startedAt)));
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      for (const line of chunk.toString().split("\n")) if (/^\d\d:\d\d:\d\d |^ +\d+ of \d+ /.test(line)) process.stdout.write(`${line}\n`);
    });
    let complaints = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaints = `${complaints}${chunk.toString()}`.slice(-8_000);
    });
    const settle = (status: number | null, trouble: string | null) => {
      clearTimeout(timer);
      children.delete(child);
      const seconds = (performance.now() - began) / 1_000;
      try {
        const figures = piece.figures(output);
        const failure = trouble ?? (status === 0 ? null : `it ended with ${status}:\n${complaints.trimEnd()}`);
        resolve({ piece: piece.name, seconds, figures, failure });
      } catch (error) {
        resolve({ piece: piece.name, seconds, figures: [], failure: `${trouble ?? words(error)} (it ended with ${status}):\n${complaints.trimEnd()}` });
      }
    };
    child.once("error", (error) => settle(null, error.message));
    child.once("close", (status) => settle(status, isLate ? `it was ended, because all of it may take ${LIMIT_MS / 60_000} minutes` : null));
  });
}

async function runLane(pieces: readonly Piece[], outcomes: Outcome[]): Promise<void> {
  for (const piece of pieces) {
    tellOnTerminal(`${piece.name} begins`);
    const outcome = await run(piece);
    outcomes.push(outcome);
    tellOnTerminal(`${piece.name} ${outcome.failure === null ? "held" : "FAILED"} after ${outcome.seconds.toFixed(0)} s`);
    if (outcome.failure !== null) process.stderr.write(`${outcome.failure}\n`);
  }
}

function machine(): string {
  const [cpu] = cpus();
  const workerd: unknown = JSON.parse(readFileSync(path.join(PROJECT, "node_modules", "workerd", "package.json"), "utf8"));
  const version = typeof workerd === "object" && workerd !== null ? String(Reflect.get(workerd, "version")) : "unknown";
  return `${systemType()} ${process.arch}, ${availableParallelism()} cores (${cpu?.model.trim() ?? "unknown"}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.versions.node}, workerd ${version}`;
}

function table(outcomes: readonly Outcome[], seconds: number): string {
  const rows = outcomes.flatMap(({ piece, figures, failure, seconds: took }) => [
    `| **${piece}** | ${failure === null ? "held" : "**failed**"}, ${took.toFixed(0)} s |`,
    ...figures.map(({ name, value }) => `| ${name} | ${value} |`),
  ]);
  const failed = outcomes.filter(({ failure }) => failure !== null).length;
  return [
    "| figure | value |", "| --- | --- |", ...rows,
    `| **all of it** | ${failed === 0 ? "held" : `**${failed} failed**`}, ${(seconds / 60).toFixed(1)} minutes |`,
  ].join("\n");
}

async function main(only: readonly string[]): Promise<void> {
  const names = LANES.flat().map(({ name }) => name);
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(", ")}. There are: ${names.join(", ")}`);
  const isWanted = ({ name }: Piece) => only.length === 0 || only.includes(name);
  const outcomes: Outcome[] = [];
  await Promise.all(LANES.map((pieces) => runLane(pieces.filter(isWanted), outcomes)));
  const ordered = names.flatMap((name) => outcomes.filter(({ piece }) => piece === name));
  const text = table(ordered, (performance.now() - startedAt) / 1_000);
  process.stdout.write(`\n${text}\n`);
  if (only.length === 0) {
    writeFileSync(RESULT, `# The last run of \`npm run prove\`\n\n${new Date().toISOString().slice(0, 10)}, on ${machine()}. Written by the run itself; two or three pieces run at a time, so that times were taken with the other core busy.\n\n${text}\n`);
    process.stdout.write(`\nWritten to ${path.relative(PROJECT, RESULT)}.\n`);
  }
  process.exitCode = ordered.some(({ failure }) => failure !== null) ? 1 : 0;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    endGroups();
    process.exit(1);
  });
}
const { values } = parseArgs({ options: { only: { type: "string" } } });
await main(values.only?.split(",") ?? []);
