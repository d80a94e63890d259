/* What every demonstration hands over: figures for the table at the end, and what it found wrong. */

export interface Figure {
  readonly name: string;
  readonly value: string;
}

export interface Demonstration {
  readonly figures: readonly Figure[];
  /** Empty when everything held. */
  readonly failures: readonly string[];
}

export type Tell = (line: string) => void;

export function tellOnTerminal(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

/** The line by which the program that runs all demonstrations reads what one of them found. */
export const FIGURES_LINE = "figures: ";

/** Plays one demonstration as a program: its figures on the last line, its failures before. */
export async function play(demonstration: () => Promise<Demonstration>): Promise<void> {
  // A plain end, so that whatever was started ends as well.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const { figures, failures } = await demonstration();
  for (const { name, value } of figures) process.stdout.write(`${name}: ${value}\n`);
  for (const failure of failures) process.stderr.write(`${failure}\n`);
  process.stdout.write(`${FIGURES_LINE}${JSON.stringify(figures)}\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** A number from 0 up to 1, the same ones for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What every failed promise says, or its text. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
