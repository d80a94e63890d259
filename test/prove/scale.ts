import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Plan } from "../../src/drop/plan.ts";
import type { MovementRow } from "../../src/drop/port.ts";
import { LIVE_AGE_MAX_MS } from "../../src/storefront/live-chain.ts";
import { play, tellOnTerminal, type Demonstration, type Tell } from "./figures.ts";
import type { Asked } from "./scale/counted-objects.ts";
import type { CrowdTally } from "./scale/crowd.ts";
import { lineUse, type Ranked } from "./scale/line-use.ts";
import type { Stage } from "./scale/worker.ts";

/*
 * node test/prove/scale.ts [tickets]
 *
 * A hundred thousand people join within a minute and wait; four of five never
 * come. The shipped objects run in workerd and count what they are asked, while
 * three hundred edges of the world look at the live state without a common cache.
 */

const STAGE: Omit<Stage, "tickets"> = {
  drop: "scale", skus: ["MOTH-S", "MOTH-M"], quantities: [120, 80], shards: 8, absentShare: 0.8, lateShare: 0.1, unpaidShare: 0.05,
  claimWindowMs: 20_000, stageEveryMs: 60_000, closesAfterMs: 15 * 60_000, opensInMs: 85_000, edges: 300, seed: 20_261_204,
};
const JOINS_OVER_MS = 60_000;
const LOOK_EVERY_MS = 250;
/** What a Durable Object is asked by design at most, in one second. */
const OBJECT_REQUESTS_MAX = 500;
const WAITING_REQUESTS_MAX = 2;
const JOIN_P99_MAX_MS = 1_000;
const LINE_USE_MIN = 0.95;

interface Ended {
  readonly rows: readonly MovementRow[];
  readonly plan: Plan;
  readonly asked: readonly Asked[];
  readonly tally: CrowdTally;
  readonly joinTook: { readonly median: number; readonly p99: number; readonly most: number };
  readonly ranks: readonly Ranked[];
}

export async function scale(tickets: number, tell: Tell = tellOnTerminal): Promise<Demonstration> {
  const folder = mkdtempSync(path.join(tmpdir(), "tranche-scale-"));
  const runtime = await started(folder);
  try {
    const address = await runtime.ready;
    const ask = async <Answer>(route: string, body: unknown): Promise<Answer> => {
      const response = await fetch(new URL(route, address), { method: "POST", body: JSON.stringify(body) });
      const answer = await response.json();
      if (!response.ok) throw new Error(`${route}: ${JSON.stringify(answer)}`);
      // What our own Worker answers.
      return answer as Answer;
    };
    const stage: Stage = { ...STAGE, tickets };
    const { opensAt } = await ask<{ opensAt: number }>("/begin", stage);
    tell(`${tickets} people join within ${JOINS_OVER_MS / 1_000} s, on ${stage.shards} shards`);
    await joinAll(ask, tickets, tell);
    if (Date.now() > opensAt - 2_000) throw new Error("the crowd was not in the line before the opening");
    const silence = await untilSoldOut(ask, opensAt + stage.closesAfterMs, tell);
    return judged(stage, silence, await ask<Ended>("/end", {}));
  } finally {
    await runtime.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Ask = <Answer>(route: string, body: unknown) => Promise<Answer>;

async function joinAll(ask: Ask, tickets: number, tell: Tell): Promise<void> {
  const parts = 12;
  for (let part = 0; part < parts; part++) {
    const [from, to] = [part, part + 1].map((index) => Math.round((index * tickets) / parts));
    const { joined } = await ask<CrowdTally>("/join", { from, to, overMs: JOINS_OVER_MS / parts });
    tell(`${joined} have joined`);
  }
}

interface Look {
  readonly phase: string;
  readonly waiting: number;
  /** Edges that could not say. */
  readonly silent: number;
  readonly oldestMs: number;
  readonly tally: CrowdTally;
}

/** What the edges could not answer, and how old what they answered was at most. */
interface Silence {
  readonly silentMs: number;
  readonly oldestMs: number;
}

async function untilSoldOut(ask: Ask, closesAt: number, tell: Tell): Promise<Silence> {
  let toldAt = 0;
  let oldestMs = 0;
  let silentMs = 0;
  while (Date.now() < closesAt) {
    const lookedAt = Date.now();
    const look = await ask<Look>("/look", {});
    oldestMs = Math.max(oldestMs, look.oldestMs);
    if (lookedAt - toldAt > 10_000) {
      toldAt = lookedAt;
      tell(`${look.phase}: ${look.waiting} wait, ${look.tally.admitted} were admitted, ${look.tally.paid} have paid; the oldest copy was ${oldestMs} ms old`);
    }
    if (look.phase === "closed" || look.tally.paid >= STAGE.quantities.reduce((sum, quantity) => sum + quantity, 0)) break;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, LOOK_EVERY_MS - (Date.now() - lookedAt))));
    if (look.silent > 0) silentMs += Date.now() - lookedAt;
  }
  return { silentMs, oldestMs };
}

function judged(stage: Stage, { silentMs, oldestMs }: Silence, { rows, plan, asked, tally, joinTook, ranks }: Ended): Demonstration {
  const units = stage.quantities.reduce((sum, quantity) => sum + quantity, 0);
  const sold = rows.filter(({ kind }) => kind === "sell").length;
  const opensAtSecond = Math.ceil(plan.opensAt / 1_000);
  const ofDrop = asked.filter(({ object }) => object === stage.drop);
  // In the second of the draw every shard seals and asks whether the drop has opened; that is once for a shard, whoever waits.
  const waiting = ofDrop.filter(({ request, second }) => (request === "snapshot" || request === "seal") && Math.abs(second - opensAtSecond) > 2);
  const atDraw = ofDrop.filter(({ request, second }) => (request === "snapshot" || request === "seal") && Math.abs(second - opensAtSecond) <= 2).reduce((sum, { times }) => sum + times, 0);
  const waitingMost = most(bySecond(waiting));
  const busiest = [...new Set(asked.map(({ object }) => object))].map((object) => ({ object, times: most(bySecond(asked.filter((one) => one.object === object))) })).toSorted((a, b) => b.times - a.times)[0] ?? { object: "none", times: 0 };
  const claims = ofDrop.filter(({ request }) => request === "claim").reduce((sum, { times }) => sum + times, 0);
  const use = lineUse(rows, plan, ranks);
  const seconds = (Date.parse(rows.findLast(({ kind }) => kind === "sell")?.at ?? "") - plan.opensAt) / 1_000;
  return {
    figures: [
      { name: "scale, joined within a minute", value: `${tally.joined} of ${stage.tickets} on ${stage.shards} shards; median ${joinTook.median.toFixed(1)} ms, p99 ${joinTook.p99.toFixed(0)} ms, most ${joinTook.most.toFixed(0)} ms` },
      { name: "scale, the Drop object's requests from people who wait", value: `at most ${waitingMost} in a second, ${atDraw} around the draw, with ${stage.edges} edges asking; ${claims} claims, none by somebody who was not called` },
      { name: "scale, the live state at the edges", value: `at most ${oldestMs} ms old; for ${(silentMs / 1_000).toFixed(1)} s, around the draw, some edge had nothing young enough to tell (all shards share one core's thread here)` },
      { name: "scale, the busiest object", value: `${busiest.times} requests in its fullest second (${busiest.object})` },
      { name: "scale, sold", value: `${sold} of ${units}, ${seconds.toFixed(0)} s after the opening, ${Math.round(stage.absentShare * 100)} % of the line absent; ${tally.admitted} admitted, ${tally.admittedLate} of them after their time was over` },
      { name: "scale, how much of what was free stood called or seated", value: `${(100 * use.share).toFixed(1)} %; from a place that fell free to the next call ${use.medianLagMs} ms (median)` },
    ],
    failures: [
      ...(tally.joined === stage.tickets ? [] : [`${stage.tickets - tally.joined} did not get a ticket: ${JSON.stringify(tally.refusals)}`]),
      ...(joinTook.p99 < JOIN_P99_MAX_MS ? [] : [`a join took ${joinTook.p99.toFixed(0)} ms (p99)`]),
      ...(waitingMost <= WAITING_REQUESTS_MAX ? [] : [`the Drop object was asked ${waitingMost} times in a second for people who wait`]),
      ...(oldestMs <= LIVE_AGE_MAX_MS ? [] : [`an edge told a state that was ${oldestMs} ms old`]),
      ...(busiest.times <= OBJECT_REQUESTS_MAX ? [] : [`${busiest.object} was asked ${busiest.times} times in a second`]),
      ...(tally.waited === 0 ? [] : [`${tally.waited} claims of people whom the thresholds had called were told to wait`]),
      ...(sold === units ? [] : [`${sold} of ${units} were sold`]),
      ...(use.share >= LINE_USE_MIN ? [] : [`${(100 * use.share).toFixed(1)} % of the free places were given to somebody`]),
      ...(tally.admittedLate > 0 ? [] : ["nobody who came late was served"]),
    ],
  };
}

function bySecond(asked: readonly Asked[]): number[] {
  const seconds = new Map<number, number>();
  for (const { second, times } of asked) seconds.set(second, (seconds.get(second) ?? 0) + times);
  return [...seconds.values()];
}

function most(values: readonly number[]): number {
  return values.reduce((greatest, value) => Math.max(greatest, value), 0);
}

async function started(folder: string): Promise<Miniflare> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("./scale/worker.ts", import.meta.url))],
    bundle: true, write: false, format: "esm", target: "es2024", conditions: ["workerd", "worker", "browser"], external: ["cloudflare:*", "node:*"], logLevel: "error",
  });
  const key = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const runtime = new Miniflare(convertV4MiniflareOptions({
    host: "127.0.0.1", port: 0, cf: false, resourcePersistencePath: path.join(folder, "v3"),
    handleStructuredLogs: ({ level, message }) => void (level === "error" || level === "warn" ? process.stderr.write(`${message}\n`) : undefined),
    workers: [{
      name: "scale", compatibilityDate: "2026-10-15", compatibilityFlags: ["nodejs_compat"],
      modules: [{ type: "ESModule", path: "scale.js", contents: outputFiles[0]?.text ?? "" }],
      durableObjects: { DROP: { className: "CountedDrop", useSQLite: true }, LOBBY: { className: "CountedLobby", useSQLite: true } },
      queueProducers: { ORDERS_QUEUE: "orders" }, queueConsumers: { orders: { maxBatchTimeout: 1 } },
      bindings: { ENVIRONMENT: "local", HEAD_KEY: JSON.stringify({ ...key, kid: "head-scale", alg: "EdDSA" }) },
    }],
  }));
  await runtime.ready;
  return runtime;
}

if (import.meta.main) await play(() => scale(Number(process.argv[2] ?? 100_000)));
