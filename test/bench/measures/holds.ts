import { sendCounted } from "../http-load.ts";
import { claimAll, holdRequests, joinAll, newPeople, nonceOf } from "../people.ts";
import { spentOn } from "../processor-time.ts";
import { median, middleOf, playRounds, ratioOf, type Sample } from "../rounds.ts";
import type { Served } from "../runtimes.ts";
import { atLeast, ratioText, type Row } from "../table.ts";
import { measureTask, runTask } from "../tasks.ts";

const OBJECT_HOLDS = 3_000;
const OBJECT_PARALLEL = 256;
const WHOLE_HOLDS = 1_200;
const CONNECTIONS = 64;

function detailOf(samples: readonly Sample[]): string {
  const { processorUs, perSecond } = middleOf(samples);
  return `${processorUs.toFixed(0)} µs of processor, ${perSecond.toFixed(0)} a second`;
}

/** The Drop object's hold through its binding, and a transaction per request in its place. */
export async function measureObjectHolds(bench: Served, rounds: number, tell: (line: string) => void): Promise<Row[]> {
  let drops = 0;
  const contender = (task: string) => async (): Promise<Sample> => {
    const options = { name: `bench-hold-${++drops}`, count: OBJECT_HOLDS, parallel: OBJECT_PARALLEL };
    await runTask(bench, "/holds/prepare", options);
    return measureTask(bench, task, options);
  };
  const contenders = { drop: contender("/holds/drop"), plain: contender("/holds/plain") };
  for (const warm of Object.values(contenders)) await warm();
  const samples = await playRounds(rounds, contenders, tell);
  const { byProcessor, bySpeed } = ratioOf(samples, "drop", "plain");
  return [{
    what: "the Drop object's hold / a transaction per request, by rate (by processor time)", figure: `${ratioText(bySpeed)} (${ratioText(byProcessor)})`, goal: atLeast(bySpeed, 3.5, 6),
    detail: `hold ${detailOf(samples.drop)}; plain ${detailOf(samples.plain)}; ${OBJECT_PARALLEL} at a time`,
  }];
}

/** The whole hold over HTTP, and the same credentials before a transaction per request. Joins are measured on the way. */
export async function measureWholeHolds(product: Served, bench: Served, drop: string, rounds: number, tell: (line: string) => void): Promise<Row[]> {
  const joins: Sample[] = [];
  const prepared = async (port: number): Promise<Buffer[]> => {
    const people = newPeople(WHOLE_HOLDS);
    const { value: joined, wallMs, processorUs } = await spentOn(product.pid, () => joinAll(product.port, drop, people, CONNECTIONS));
    joins.push({ processorUs: processorUs / people.length, perSecond: (people.length / wallMs) * 1_000 });
    const admitted = await claimAll(product.port, drop, joined, CONNECTIONS);
    return holdRequests(port, drop, admitted, await nonceOf(product.port, drop));
  };
  const contender = ({ port, pid }: Served) => async (): Promise<Sample> => {
    const requests = await prepared(port);
    const { value, wallMs, processorUs } = await spentOn(pid, () => sendCounted(port, requests, CONNECTIONS, 201));
    return { processorUs: processorUs / value, perSecond: (value / wallMs) * 1_000 };
  };
  const contenders = { whole: contender(product), plain: contender(bench) };
  for (const warm of Object.values(contenders)) await warm();
  const samples = await playRounds(rounds, contenders, tell);
  const { byProcessor, bySpeed } = ratioOf(samples, "whole", "plain");
  return [
    {
      what: "the whole hold over HTTP / the same credentials before a transaction per request, by rate (by processor time)", figure: `${ratioText(bySpeed)} (${ratioText(byProcessor)})`, goal: atLeast(bySpeed, 1.8, 2.5),
      detail: `whole ${detailOf(samples.whole)}; plain ${detailOf(samples.plain)}; ${CONNECTIONS} connections`,
    },
    { what: "joins over HTTP into one shard", figure: `${median(joins.map(({ perSecond }) => perSecond)).toFixed(0)} a second`, detail: `${middleOf(joins).processorUs.toFixed(0)} µs of processor a join, ${CONNECTIONS} connections` },
  ];
}

/** Joins of one shard without HTTP before them. */
export async function measureJoins(bench: Served, rounds: number, tell: (line: string) => void): Promise<Row[]> {
  let drops = 0;
  const samples = await playRounds(rounds, {
    joins: async () => {
      const options = { name: `bench-join-${++drops}`, count: OBJECT_HOLDS, parallel: OBJECT_PARALLEL };
      await runTask(bench, "/joins/prepare", options);
      return measureTask(bench, "/joins/run", options);
    },
  }, tell);
  const { processorUs, perSecond } = middleOf(samples.joins);
  return [{ what: "joins of one shard through its binding", figure: `${perSecond.toFixed(0)} a second`, detail: `${processorUs.toFixed(0)} µs of processor a join, ${OBJECT_PARALLEL} at a time` }];
}
