import { middleOf, playRounds, ratioOf, type Sample } from "../rounds.ts";
import type { Served } from "../runtimes.ts";
import { atLeast, ratioText, type Row } from "../table.ts";
import { measureTask, runTask } from "../tasks.ts";

const ORDERS = 200;
/** As the settlement's own config sets it for its queues. */
const BATCH = 50;
const PARALLEL = 32;

/** Paid orders from their webhook to their transfers, fifty in a batch and one at a time. */
export async function measureSettling(bench: Served, rounds: number, tell: (line: string) => void): Promise<Row[]> {
  let drops = 0;
  const contender = (batch: number) => async (): Promise<Sample> => {
    const options = { name: `bench-settle-${++drops}`, count: ORDERS, parallel: PARALLEL, batch };
    await runTask(bench, "/orders/prepare", options);
    const sample = await measureTask(bench, "/orders/settle", options);
    await runTask(bench, "/orders/check", options);
    return sample;
  };
  const contenders = { batched: contender(BATCH), single: contender(1) };
  await contenders.batched();
  const samples = await playRounds(rounds, contenders, tell);
  const { byProcessor, bySpeed } = ratioOf(samples, "batched", "single");
  const [batched, single] = [middleOf(samples.batched), middleOf(samples.single)];
  return [{
    what: `orders settled through inbox, queue, ledger and database, ${BATCH} in a batch / one at a time, by rate`, figure: ratioText(bySpeed), goal: atLeast(bySpeed, 5),
    detail: `batches ${batched.perSecond.toFixed(0)} orders a second at ${(batched.processorUs / 1_000).toFixed(1)} ms of processor each; one at a time ${single.perSecond.toFixed(0)} at ${(single.processorUs / 1_000).toFixed(1)} ms; by processor time ${ratioText(byProcessor)}`,
  }];
}
