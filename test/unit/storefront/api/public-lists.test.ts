import { describe, expect, it } from "vitest";
import type { MovementRow } from "../../../../src/drop/port.ts";
import { LEAVES_A_PAGE, leafPage } from "../../../../src/lobby/leaf-page.ts";
import type { Leaf } from "../../../../src/lobby/port.ts";
import type { ApiPorts } from "../../../../src/storefront/ports.ts";
import { client } from "../../../support/storefront-client.ts";
import { type World, world } from "../../../support/storefront-doubles.ts";

const DROP = "/api/drops/moth-tee";
const row = (seq: number): MovementRow => ({ seq, kind: "serve", at: "2026-12-04T18:00:00.000Z", prevHash: "0", hash: String(seq) });

/** A record that a test lets grow, in a place of isolates that share one edge. */
function place(rowCount: number, changes: Partial<ApiPorts> = {}) {
  const asked: number[] = [];
  const edge = new Map<string, string>();
  const state = { rowCount, asked, now: world().now, waitedMs: 20, beforeAnswer: async () => {} };
  const record = async (from: number) => {
    asked.push(from);
    const count = state.rowCount;
    await state.beforeAnswer();
    return {
      rows: Array.from({ length: Math.max(0, Math.min(1_000, count - from + 1)) }, (_, index) => row(from + index)),
      head: { seq: count, hash: String(count), at: "2026-12-04T18:00:00.000Z" }, signature: `a.${count}.c`,
    };
  };
  const isolate = (): ((query: string) => Promise<{ status: number; seqs: unknown[]; head: number }>) => {
    const made: World = world({ drop: { record }, ports: {
      now: () => state.now, wait: async () => { await new Promise((resolve) => setTimeout(resolve)); state.now += state.waitedMs; },
      edge: { read: async (key) => edge.get(key) ?? null, write: async (key, text) => void edge.set(key, text) }, ...changes,
    } });
    const send = client(made);
    return async (query) => {
      const response = await send("GET", `${DROP}/record${query}`);
      const lines = (await response.text()).trimEnd().split("\n").map((line): Record<string, unknown> => JSON.parse(line));
      return { status: response.status, seqs: lines.slice(0, -1).map((line) => line["seq"]), head: Number((lines.at(-1)?.["head"] as { seq: number } | undefined)?.seq) };
    };
  };
  return Object.assign(state, { isolate });
}

describe("the record's tail", () => {
  it("is asked of the drop once in two seconds whatever a crowd asks, and a row past it not even then", async () => {
    const made = place(2_345);
    const [first, second] = [made.isolate(), made.isolate()];
    await first("?from=2001");
    const sofar = made.asked.length;
    for (let number = 0; number < 200; number++) {
      await first("?from=2001");
      await second(`?from=${2_346 + number * 1_000}`);
    }
    expect((await second("?from=999999999999"))).toEqual({ status: 200, seqs: [], head: 2_345 });
    expect(made.asked.length - sofar).toBe(0);
    made.rowCount = 2_350;
    made.now += 1_999;
    const seqs = (await second("?from=2344")).seqs;
    expect(seqs).toEqual([2_344, 2_345, 2_346, 2_347, 2_348, 2_349, 2_350]);
    expect(made.asked.slice(sofar)).toEqual([2_346]);
    expect(await first("?from=2350"), "another isolate of the place hears of it through the edge").toMatchObject({ seqs: [2_350], head: 2_350 });
    expect(made.asked.length - sofar).toBe(1);
  });

  it("is never older than two seconds, however far the clock is set", async () => {
    const made = place(10);
    const read = made.isolate();
    await read("");
    for (const [step, rowCount] of [[2_000, 11], [-3_600_000, 12], [7_200_000, 13]] as const) {
      made.now += step;
      made.rowCount = rowCount;
      expect((await read("")).head).toBe(rowCount);
    }
  });

  it("is read by one of those who ask at once, and the others get the same answer", async () => {
    const made = place(5);
    made.waitedMs = 0;
    made.beforeAnswer = () => new Promise((resolve) => setTimeout(resolve, 5));
    const read = made.isolate();
    const answers = await Promise.all(Array.from({ length: 50 }, () => read("")));
    expect(new Set(answers.map(({ head, seqs }) => `${head} ${seqs.length}`))).toEqual(new Set(["5 5"]));
    expect(made.asked).toEqual([1]);
    made.now += 1_600;
    made.rowCount = 6;
    const again = await Promise.all(Array.from({ length: 50 }, () => read("")));
    expect(made.asked).toEqual([1, 6]);
    expect(new Set(again.map(({ head }) => head))).toEqual(new Set([5, 6]));
  });

  it("is whole at every length: a list that grows over the edges of pages is never read twice and has every row once", async () => {
    const made = place(1);
    const read = made.isolate();
    const reader = async () => {
      const seqs: unknown[] = [];
      for (let page = await read(""); ; page = await read(`?from=${seqs.length + 1}`)) {
        seqs.push(...page.seqs);
        if (page.seqs.length === 0 || seqs.length >= page.head) return seqs;
      }
    };
    for (const rowCount of [1, 2, 999, 1_000, 1_000, 1_001, 1_999, 2_003, 4_000, 4_001, 6_500]) {
      made.rowCount = rowCount;
      made.now += 2_000;
      expect(await reader()).toEqual(Array.from({ length: rowCount }, (_, index) => index + 1));
    }
    const full = made.asked.length;
    await reader();
    expect(made.asked.length).toBe(full);
  });

  it("on a developer's machine shows a row as soon as it is there, until a crowd comes", async () => {
    const made = place(1, { isLocal: true });
    const read = made.isolate();
    for (made.rowCount = 1; made.rowCount < 40; made.rowCount++) expect((await read("")).head).toBe(made.rowCount);
    for (let number = 0; number < 500; number++) await read("");
    expect(made.asked.length).toBeLessThan(60);
  });

  it("whose reader fails is read by the next one, and nobody is shown an old one for a new one", async () => {
    const made = place(5);
    const read = made.isolate();
    await read("");
    made.now += 2_000;
    made.beforeAnswer = async () => { throw Object.assign(new Error("away"), { retryable: true }); };
    expect((await read("")).status).toBe(503);
    made.beforeAnswer = async () => {};
    made.rowCount = 6;
    expect(await read("")).toMatchObject({ status: 200, head: 6 });
  });
});

describe("the leaves of a shard", () => {
  const leaf = (number: number): Leaf => ({ entry: number.toString(16).padStart(64, "0"), lane: "open", weight: 1 });
  const seals = (...counts: number[]) => {
    let next = 0;
    return counts.map((count) => {
      const leaves = Array.from({ length: count }, () => leaf(next++));
      return { count, leaves: () => leaves };
    });
  };

  it("come out whole, from pages of the shard that are asked for once", async () => {
    const asked: number[] = [];
    let sealed = seals(25_000, 3, 4_997, 2);
    const made = world({ lobby: { entries: async (from) => (asked.push(from), leafPage(sealed, from)) } });
    const send = client(made);
    const read = async () => (await (await send("GET", `${DROP}/entries?shard=1`)).json<{ entries: Leaf[] }>()).entries;
    expect(await read()).toEqual(Array.from({ length: 30_002 }, (_, number) => leaf(number)));
    for (let number = 0; number < 10; number++) expect(await read()).toHaveLength(30_002);
    expect(asked).toEqual([0, 30_000, 10_000, 20_000]);
    sealed = seals(25_000, 3, 4_997, 2, 1);
    made.now += 2_000;
    expect((await read()).at(-1)).toEqual(leaf(30_002));
    expect(asked.slice(4), "only what came since").toEqual([30_002]);
  });

  it("are none before the seal, which is asked about once in two seconds", async () => {
    let asked = 0;
    const made = world({ lobby: { entries: async () => (asked++, asked === 1 ? null : leafPage(seals(0), 0)) } });
    const send = client(made);
    for (let number = 0; number < 20; number++) expect((await send("GET", `${DROP}/entries?shard=0`)).status).toBe(404);
    expect(asked).toBe(1);
    made.now += 2_000;
    expect(await (await send("GET", `${DROP}/entries?shard=0`)).json()).toEqual({ entries: [] });
  });

  it("leave a shard a page at a time, and a seal that is not on the page is not opened", () => {
    const parts = seals(LEAVES_A_PAGE - 1, 2, 5).map((part, index) => ({ ...part, leaves: () => { opened.push(index); return part.leaves(); } }));
    const opened: number[] = [];
    expect(leafPage(parts, 0)).toMatchObject({ leaves: { length: LEAVES_A_PAGE }, count: LEAVES_A_PAGE + 6 });
    expect(opened).toEqual([0, 1]);
    expect(leafPage(parts, LEAVES_A_PAGE).leaves).toEqual(Array.from({ length: 6 }, (_, index) => leaf(LEAVES_A_PAGE + index)));
    expect(opened.slice(2)).toEqual([1, 2]);
    expect(leafPage(parts, 1e9)).toEqual({ leaves: [], count: LEAVES_A_PAGE + 6 });
  });
});
