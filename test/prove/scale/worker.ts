import { NO_GATES, type PlanSource, USUAL_BUDGETS } from "../../../src/drop/plan.ts";
import type { DropPort, MovementRow, OutboxMessage } from "../../../src/drop/port.ts";
import type { LobbyLive, LobbyPort } from "../../../src/lobby/port.ts";
import { type LiveChain, liveChain } from "../../../src/storefront/live-chain.ts";
import { askedSoFar } from "./counted-objects.ts";
import { Crowd, type CrowdTerms } from "./crowd.ts";

/*
 * The Worker of this demonstration: the shipped objects, counted, a crowd that
 * talks to them as the storefront does, and as many separate edge caches as
 * there are places in the world from which people look.
 */

export { CountedDrop, CountedLobby } from "./counted-objects.ts";

interface ScaleEnv {
  readonly DROP: { getByName(name: string): DropPort };
  readonly LOBBY: { getByName(name: string): LobbyPort };
}

export interface Stage extends CrowdTerms {
  readonly quantities: readonly number[];
  readonly opensInMs: number;
  readonly stageEveryMs: number;
  readonly closesAfterMs: number;
  readonly edges: number;
}

let stage: Stage | null = null;
let crowd: Crowd | null = null;
let edges: LiveChain[] = [];

function planSource({ drop, skus, quantities, shards, claimWindowMs, opensInMs, stageEveryMs, closesAfterMs }: Stage): PlanSource {
  const opensAt = Date.now() + opensInMs;
  return {
    drop, title: "Moth tee", currency: "EUR",
    announceAt: { at: opensAt - 3_600_000 }, lobbyOpensAt: { at: opensAt - 3_600_000 }, opensAt: { at: opensAt }, closesAt: { at: opensAt + closesAfterMs },
    stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 40, afterMs: stageEveryMs }, { sharePercent: 20, afterMs: 2 * stageEveryMs }],
    stock: skus.map((sku, index) => ({ sku, quantity: quantities[index] ?? 0 })),
    items: skus.map((sku) => ({ sku, title: sku, priceMinor: 4_200, components: [{ sku, quantity: 1 }] })),
    lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null, limitPerPerson: 1, holdTtlMs: claimWindowMs, capture: "at-once", low: 2,
    splits: [{ party: "platform", remainder: true }], campaigns: [], shards, claimWindowMs, admit: "paced", tax: null,
  };
}

/** An edge of its own: its isolate's memory, its cache, and a lobby shard that it picks anew each time. */
function edge(env: ScaleEnv, { drop, shards }: Stage): LiveChain {
  let cached: LobbyLive | null = null;
  return liveChain({
    now: () => Date.now(),
    cache: { read: async () => cached, write: async (_slug, live) => void (cached = live) },
    askLobby: () => env.LOBBY.getByName(`${drop}/${Math.floor(Math.random() * shards)}`).live(null),
    makePlan: async () => null,
    later: (work) => void work.catch(() => undefined),
  });
}

const ROUTES: Readonly<Record<string, (env: ScaleEnv, body: never) => Promise<unknown>>> = {
  async "/begin"(env, terms: Stage) {
    stage = terms;
    crowd = new Crowd(terms);
    edges = Array.from({ length: terms.edges }, () => edge(env, terms));
    const { plan } = await env.DROP.getByName(terms.drop).plan(planSource(terms));
    return { opensAt: plan.opensAt };
  },

  async "/join"(env, part: { readonly from: number; readonly to: number; readonly overMs: number }) {
    const { drop } = begun(stage);
    await begun(crowd).join((shard) => env.LOBBY.getByName(`${drop}/${shard}`), part);
    return begun(crowd).tally;
  },

  /** All edges are asked once; what the first that knows says is what the crowd sees. */
  async "/look"(env) {
    const { drop } = begun(stage);
    // The age is taken when an edge has its answer: the others may take longer over theirs.
    const answers = await Promise.allSettled(edges.map(async (chain) => {
      const live = begun(await chain.live(drop));
      return { live, ageMs: Date.now() - live.live.asOf };
    }));
    const seen = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    const live = seen[0]?.live;
    // A state older than two seconds is told to nobody: such an edge answers that it cannot say just now.
    const silent = answers.length - seen.length;
    if (live === undefined) return { phase: "unknown", waiting: 0, silent, oldestMs: 0, tally: begun(crowd).tally };
    await begun(crowd).look(live, env.DROP.getByName(drop));
    return { phase: live.live.phase, waiting: live.waiting, silent, oldestMs: Math.max(...seen.map(({ ageMs }) => ageMs)), tally: begun(crowd).tally };
  },

  async "/end"(env) {
    const { drop } = begun(stage);
    const port = env.DROP.getByName(drop);
    const rows: MovementRow[] = [];
    for (let page = await port.record(1); page !== null && page.rows.length > 0; page = await port.record(rows.length + 1)) rows.push(...page.rows);
    const snapshot = begun(await port.snapshot([]));
    const sorted = begun(crowd).joinTook.toSorted((a, b) => a - b);
    return {
      rows, plan: snapshot.plan, asked: askedSoFar(), tally: begun(crowd).tally,
      joinTook: { median: sorted[sorted.length >> 1], p99: sorted[Math.floor(sorted.length * 0.99)], most: sorted.at(-1) },
      ranks: snapshot.live.seed === null ? [] : begun(crowd).ranksByEntry(snapshot.live.seed, snapshot.plan.opensAt),
    };
  },
};

function begun<Value>(value: Value | null): Value {
  if (value === null) throw new Error("nothing has begun");
  return value;
}

export default {
  async fetch(request: Request, env: ScaleEnv): Promise<Response> {
    const route = ROUTES[new URL(request.url).pathname];
    if (route === undefined) return new Response(null, { status: 404 });
    try {
      // Only the program beside this Worker asks it.
      return Response.json(await route(env, (await request.json()) as never));
    } catch (error) {
      return Response.json({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, { status: 500 });
    }
  },

  /** Settlement's part: what the drop owes is acknowledged. */
  async queue(batch: MessageBatch<OutboxMessage>, env: ScaleEnv): Promise<void> {
    const ids = new Map<string, string[]>();
    for (const { body } of batch.messages) ids.set(body.drop, [...(ids.get(body.drop) ?? []), body.id]);
    for (const [drop, acknowledged] of ids) await env.DROP.getByName(drop).acknowledge(acknowledged);
  },
};
