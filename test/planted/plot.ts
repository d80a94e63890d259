import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PROJECT } from "../support/sources.ts";
import type { PlantedBug } from "./bugs.ts";

/** What became of one bug. `by` says what caught it; null when nothing did. */
export interface Harvest {
  readonly name: string;
  readonly by: string | null;
  readonly seconds: number;
}

const COPIED = ["src", "workers", "schema", "test", "package.json", "tsconfig.json", "vitest.config.ts"];
const RUN_LIMIT_MS = 90_000;

/** The bugs whose text is no longer in the sources, or not exactly once: a list that rots proves nothing. */
export function rotten(bugs: readonly PlantedBug[]): string[] {
  return bugs.flatMap((bug) => bug.edits.flatMap(({ file, find }) => {
    const count = readFileSync(path.join(PROJECT, file), "utf8").split(find).length - 1;
    return count === 1 ? [] : [`${bug.name}: the text occurs ${count} times in ${file}`];
  }));
}

/** A copy of the sources in which one bug at a time is planted, simulated and taken out again. */
export class Plot {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "tranche-planted-"));

  constructor() {
    for (const entry of COPIED) cpSync(path.join(PROJECT, entry), path.join(this.#folder, entry), { recursive: true });
    symlinkSync(path.join(PROJECT, "node_modules"), path.join(this.#folder, "node_modules"));
  }

  /** Plants a bug (null: none) and simulates up to `seeds` worlds, stopping at the first that fails. */
  async grow(bug: PlantedBug | null, seeds: number): Promise<Harvest> {
    const before = new Map<string, string>();
    for (const { file, find, put } of bug?.edits ?? []) {
      const target = path.join(this.#folder, file);
      const text = readFileSync(target, "utf8");
      if (!before.has(target)) before.set(target, text);
      // As a function: the text that is put in may contain what replace would take for a pattern.
      writeFileSync(target, text.replace(find, () => put));
    }
    const startedAt = performance.now();
    try {
      const by = bug?.unitTests === undefined ? await this.#simulate(seeds) : await this.#test(bug.unitTests);
      return { name: bug?.name ?? "nothing planted", by, seconds: (performance.now() - startedAt) / 1_000 };
    } finally {
      for (const [target, text] of before) writeFileSync(target, text);
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What the simulator said, or null when it found nothing. A program that cannot even run has caught nothing. */
  async #simulate(seeds: number): Promise<string | null> {
    const { status, output } = await run(["test/simulation/simulate.ts", "--seed", "1", "--seeds", String(seeds)], this.#folder);
    if (status === 0) return null;
    if (status === null) return `the simulation does not end within ${RUN_LIMIT_MS / 1_000} s`;
    const said = /^FAILED (.*) \(step \d+.*--seed (\d+)$/m.exec(output);
    if (said === null) throw new Error(`the simulator did not run:\n${output.slice(-2_000)}`);
    return `seed ${said[2]}: ${said[1]}`;
  }

  /** The first unit test that failed, or null when all passed. */
  async #test(file: string): Promise<string | null> {
    const { status, output } = await run(["node_modules/vitest/vitest.mjs", "run", "--project", "unit", "--no-color", file], this.#folder);
    if (status === 0) return null;
    const failed = /FAIL .*? > (.*)$/m.exec(output);
    if (failed === null) throw new Error(`the unit tests did not run:\n${output.slice(-2_000)}`);
    return `${file}: ${failed[1]}`;
  }
}

function run(parameters: readonly string[], folder: string): Promise<{ readonly status: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], timeout: RUN_LIMIT_MS, killSignal: "SIGKILL" });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, output }));
  });
}
