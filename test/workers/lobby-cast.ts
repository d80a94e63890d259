/// <reference types="@cloudflare/vitest-plugin/types" />
import { createHash } from "node:crypto";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { NO_GATES, type PlanSource, USUAL_BUDGETS } from "../../src/drop/plan.ts";
import type { DropPort, MovementRow } from "../../src/drop/port.ts";
import type { LobbyLive, LobbyPort } from "../../src/lobby/port.ts";
import type { LobbyEnv, LobbyObject } from "../../workers/objects/lobby-object.ts";

/* The shards of a lobby and their drop, and short ways to play with them. */

export const SHARDS = 4;
/** From the plan to the opening: enough for a crowd to join on a busy machine. */
export const LEAD_MS = 2_500;
const bindings = env as unknown as { readonly DROP: { getByName(name: string): DropPort }; readonly LOBBY: DurableObjectNamespace<LobbyObject> };

export const dropOf = (drop: string): DropPort => bindings.DROP.getByName(drop);
export const stubOf = (drop: string, shard: number) => bindings.LOBBY.getByName(`${drop}/${shard}`);
export const shardOf = (drop: string, shard: number): LobbyPort => stubOf(drop, shard) as unknown as LobbyPort;
export const leavesOf = async (drop: string, shard: number) => (await shardOf(drop, shard).entries(0))?.leaves ?? null;
export const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const until = <Answer>(look: () => Promise<Answer | null | undefined | false>): Promise<Answer> =>
  vi.waitFor(async () => {
    const answer = await look();
    if (answer === null || answer === undefined || answer === false) throw new Error("not yet");
    return answer;
  }, { timeout: 15_000, interval: 60 });

export function source(drop: string, opensAt: number, changes: Partial<PlanSource> = {}): PlanSource {
  return {
    drop, title: "Moth tee", currency: "EUR",
    announceAt: { at: opensAt - 3_600_000 }, lobbyOpensAt: { at: opensAt - 1_800_000 }, opensAt: { at: opensAt }, closesAt: { at: opensAt + 3_600_000 },
    stages: [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 60, afterMs: 1_800_000 }],
    stock: [{ sku: "MOTH-S", quantity: 20 }, { sku: "MOTH-M", quantity: 20 }],
    items: ["MOTH-S", "MOTH-M"].map((sku) => ({ sku, title: sku, priceMinor: 4_200, components: [{ sku, quantity: 1 }] })),
    lanes: [], gates: NO_GATES, budgets: USUAL_BUDGETS, beacon: null, limitPerPerson: 2, holdTtlMs: 480_000, capture: "on-fulfilment", low: 2, splits: [{ party: "platform", remainder: true }],
    campaigns: [], shards: SHARDS, claimWindowMs: 60_000, admit: "paced", tax: null, ...changes,
  };
}

/** Tickets are spread over the shards by their number here; in the product a keyed hash does it. */
export function ticketId(drop: string, number: number): string {
  return `tkt_${sha256(`${drop} ${number}`).slice(0, 26).toUpperCase()}`;
}
export const entryOf = (drop: string, ticket: string) => sha256(`tranche/entry\n${drop}\n${ticket}`);

export function join(drop: string, number: number, wants = [{ sku: number % 3 === 0 ? "MOTH-M" : "MOTH-S", quantity: 1 }]) {
  const ticket = ticketId(drop, number);
  return shardOf(drop, number % SHARDS).join({ ticket, entry: entryOf(drop, ticket), keyThumbprint: `key ${number}`, lane: "open", weight: 1, wants, person: null, network: "net", spends: [] });
}

export async function recordOf(drop: string): Promise<readonly MovementRow[]> {
  return (await dropOf(drop).record(1))?.rows ?? [];
}
export const ofKind = (rows: readonly MovementRow[], kind: string) => rows.filter((row) => row.kind === kind);

/** Lets a test count, or fail, what one shard asks the Drop object. */
export async function watchDrop(drop: string, shard: number, isAway: () => boolean = () => false): Promise<{ snapshots: number; seals: number }> {
  const calls = { snapshots: 0, seals: 0 };
  await runInDurableObject(stubOf(drop, shard), (instance) => {
    const shell = instance as unknown as { env: LobbyEnv };
    const real = shell.env.DROP.getByName(drop);
    const watched = {
      snapshot: async (...pages: Parameters<DropPort["snapshot"]>) => {
        calls.snapshots++;
        if (isAway()) throw new Error("the drop is away");
        return await real.snapshot(...pages);
      },
      seal: async (...seal: Parameters<DropPort["seal"]>) => {
        calls.seals++;
        if (isAway()) throw new Error("the drop is away");
        return await real.seal(...seal);
      },
    };
    Object.defineProperty(shell, "env", { value: { ...shell.env, LOBBY: shell.env.LOBBY, DROP: { getByName: () => watched } } });
  });
  return calls;
}

export const wholeLive = async (drop: string, shard: number): Promise<LobbyLive> => {
  const live = await shardOf(drop, shard).live(null);
  if (live === null) throw new Error("the drop is planned");
  return live;
};
