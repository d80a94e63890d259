import { readdirSync, readFileSync } from "node:fs";

/**
 * The processor time that a process has used since it began, in microseconds,
 * over all its threads. In the scheduler's own nanoseconds: the hundredths of a
 * second in `stat` are too coarse for short rounds.
 */
export function processorMicroseconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    } catch {
      // The thread ended between being listed and being read; the runtime's own threads live as long as it does.
    }
  }
  return nanoseconds / 1_000;
}

export interface Spent {
  readonly wallMs: number;
  readonly processorUs: number;
}

/** Runs `work` and says what it took: time on the clock, and processor time of the process `pid`. */
export async function spentOn<Value>(pid: number, work: () => Promise<Value>): Promise<Spent & { readonly value: Value }> {
  const processorBefore = processorMicroseconds(pid);
  const before = performance.now();
  const value = await work();
  return { value, wallMs: performance.now() - before, processorUs: processorMicroseconds(pid) - processorBefore };
}
