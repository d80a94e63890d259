import { median, middleOf, playRounds, ratioOf, type Sample } from "../rounds.ts";
import type { Served } from "../runtimes.ts";
import { atLeast, ratioText, type Row } from "../table.ts";
import { measureTask, runTask } from "../tasks.ts";

const ORDERS = 200;
/** As the settlement's own config sets it for its queues. */
const BATCH = 50;
const PARALLEL = 32;

interface Settled extends Sample {
  /** Of the processor time, what the door took to check and store the webhook. */
  readonly receivingUs: number;
}

/** Paid orders from their webhook to their transfers, fifty in a batch and one at a time. */
export async function measureSettling(bench: Served, rounds: number, tell: (line: string) => void): Promise<Row[]> {
  let drops = 0;
  const contender = (batch: number) => async (): Promise<Settled> => {
    const options = { name: `bench-settle-${++drops}`, count: ORDERS, parallel: PARALLEL, batch };
    await runTask(bench, "/orders/prepare", options);
    const received = await measureTask(bench, "/orders/receive", options);
    const settled = await measureTask(bench, "/orders/settle", options);
    // Faster because something was left out would not be faster.
    await runTask(bench, "/orders/check", options);
    return {
      processorUs: received.processorUs + settled.processorUs, receivingUs: received.processorUs,
      perSecond: 1 / (1 / received.perSecond + 1 / settled.perSecond),
    };
  };
  const contenders = { batched: contender(BATCH), single: contender(1) };
  await contenders.batched();
  const samples = await playRounds(rounds, contenders, tell);
  const { byProcessor, bySpeed } = ratioOf(samples, "batched", "single");
  const detail = (settled: readonly Settled[]): string => {
    const { processorUs, perSecond } = middleOf(settled);
    return `${perSecond.toFixed(0)} orders a second at ${(processorUs / 1_000).toFixed(1)} ms of processor each, ${(median(settled.map(({ receivingUs }) => receivingUs)) / 1_000).toFixed(1)} ms of it for receiving the webhook`;
  };
  return [{
    what: `orders settled through inbox, queue, ledger and database, ${BATCH} in a batch / one at a time, by rate (by processor time)`, figure: `${ratioText(bySpeed)} (${ratioText(byProcessor)})`, goal: atLeast(bySpeed, 5),
    detail: `batches: ${detail(samples.batched)}; one at a time: ${detail(samples.single)}`,
  }];
}
