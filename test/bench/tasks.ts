import { requestBytes, sendAll } from "./http-load.ts";
import { spentOn } from "./processor-time.ts";
import type { Sample } from "./rounds.ts";
import type { Served } from "./runtimes.ts";

/** What a task of the bench's Worker is called with. */
export interface TaskOptions {
  readonly name: string;
  readonly count: number;
  readonly parallel: number;
  readonly batch?: number;
}

/** Has the bench's Worker do something, and waits until it is done. */
export async function runTask({ port }: Served, task: string, options: TaskOptions): Promise<void> {
  const [reply] = await sendAll(port, [requestBytes(port, "POST", task, {}, { batch: 1, ...options })], 1);
  if (reply?.status !== 200) throw new Error(`${task} failed: ${reply?.body ?? "no answer"}`);
}

/** The same, measured: a sample for one of its `count` pieces of work. */
export async function measureTask(bench: Served, task: string, options: TaskOptions): Promise<Sample> {
  const { wallMs, processorUs } = await spentOn(bench.pid, () => runTask(bench, task, options));
  return { processorUs: processorUs / options.count, perSecond: (options.count / wallMs) * 1_000 };
}
