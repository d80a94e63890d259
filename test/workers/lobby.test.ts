/// <reference types="@cloudflare/vitest-plugin/types" />
import { createHmac } from "node:crypto";
import type { Spend } from "../../src/lobby/port.ts";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { leafHash, merkleRoot, provenRoot } from "../unit/lobby/merkle.ts";
import { dropOf, entryOf, join, LEAD_MS, leavesOf, ofKind, pause, recordOf, sha256, shardOf, SHARDS, source, stubOf, ticketId, until, watchDrop, wholeLive } from "./lobby-cast.ts";

/*
 * The shards of a lobby together with the real Drop object. Alarms are real
 * here, so the drops of this file open a second or two after they are planned.
 */

describe.concurrent("a lobby of four shards", () => {
  it("seals once, draws once and serves in the order that anyone can recompute, though triggered from everywhere at once", async () => {
    const drop = "four-shards";
    const opensAt = Date.now() + LEAD_MS;
    await dropOf(drop).plan(source(drop, opensAt));
    const joined = await Promise.all(Array.from({ length: 200 }, (_, number) => join(drop, number)));
    expect(joined.every((outcome) => outcome.ok && outcome.value.joinedAt < opensAt)).toBe(true);
    expect(await leavesOf(drop, 1)).toBeNull();
    expect(await shardOf(drop, 1).proof(ticketId(drop, 1))).toBeNull();

    await pause(opensAt - Date.now());
    const everywhere = [0, 1, 2, 3].flatMap((shard) => Array.from({ length: 10 }, (_, turn) => (turn % 2 === 0 ? shardOf(drop, shard).live(null) : shardOf(drop, shard).sweep())));
    await Promise.all(everywhere);
    const live = await until(async () => {
      const seen = await wholeLive(drop, 2);
      return seen.live.thresholds.every(({ upTo }) => upTo !== null) && seen.waiting === 184 && seen;
    });

    const rows = await recordOf(drop);
    const seals = ofKind(rows, "seal");
    const [draw, ...moreDraws] = ofKind(rows, "draw");
    expect(seals.map((row) => row["shard"]).toSorted()).toEqual([0, 1, 2, 3]);
    expect(moreDraws).toEqual([]);
    expect(draw?.["missing"]).toEqual([]);

    const roots = seals.toSorted((one, other) => Number(one["shard"]) - Number(other["shard"])).map((row) => row["root"]);
    // RFC 8785: the members in the order of their names.
    expect(sha256(JSON.stringify({ beacon: null, drop, planHash: live.planHash, roots, secret: draw?.["secret"] }))).toBe(draw?.["seed"]);
    for (const seal of seals) {
      const shard = Number(seal["shard"]);
      const entries = (await leavesOf(drop, shard)) ?? [];
      expect(entries).toHaveLength(50);
      expect(seal["count"]).toBe(50);
      expect(entries.map(({ entry }) => entry)).toEqual(entries.map(({ entry }) => entry).toSorted());
      expect(merkleRoot(entries.map(leafHash)).toString("hex")).toBe(seal["root"]);
      for (let number = shard; number < 200; number += SHARDS) {
        const proof = await shardOf(drop, shard).proof(ticketId(drop, number));
        expect(proof?.leaf.entry).toBe(entryOf(drop, ticketId(drop, number)));
        expect(proof === null ? null : provenRoot(proof)).toBe(seal["root"]);
      }
    }

    // Eight of each item are released: the eight smallest ranks that want it are served, and the others wait.
    const key = Buffer.from(String(draw?.["seed"]), "hex");
    const rankOf = (number: number) => `0${createHmac("sha256", key).update(`${entryOf(drop, ticketId(drop, number))}/1`).digest("hex").slice(0, 32)}`;
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    for (const [sku, isWanted] of [["MOTH-M", (number: number) => number % 3 === 0], ["MOTH-S", (number: number) => number % 3 !== 0]] as const) {
      const ranks = numbers.filter(isWanted).map(rankOf).toSorted();
      expect(live.live.thresholds.find((threshold) => threshold.sku === sku)?.upTo).toBe(ranks[7]);
      expect(ofKind(rows, "serve").findLast((row) => row["sku"] === sku)?.["upTo"]).toBe(ranks[7]);
    }
    const servedTo = new Map(live.live.thresholds.map(({ sku, upTo }) => [sku, upTo ?? ""]));
    const standings = await Promise.all(numbers.map((number) => shardOf(drop, number % SHARDS).standing(ticketId(drop, number))));
    const waitingRanks = numbers.filter((number) => rankOf(number) > (servedTo.get(number % 3 === 0 ? "MOTH-M" : "MOTH-S") ?? "")).map(rankOf).toSorted();
    standings.forEach((standing, number) => {
      const place = waitingRanks.indexOf(rankOf(number));
      expect(standing).toMatchObject({ state: place === -1 ? "served" : "waiting", rank: rankOf(number) });
      // 184 wait, more than the quantiles show one by one: a position may be off by two parts of the line and one for each shard.
      if (place !== -1) expect(Math.abs((standing?.position ?? 0) - (place + 1))).toBeLessThanOrEqual(2 * Math.ceil(184 / 128) + SHARDS);
    });
  }, 20_000);

  it("seals and draws by its alarm alone, also where a shard was never asked for anything", async () => {
    const drop = "by-alarm";
    const opensAt = Date.now() + LEAD_MS;
    await dropOf(drop).plan(source(drop, opensAt));
    await join(drop, 0);
    await evictDurableObject(stubOf(drop, 0));
    await pause(opensAt + 1_500 - Date.now());
    const rows = await recordOf(drop);
    expect(ofKind(rows, "seal").map((row) => [row["shard"], row["count"]]).toSorted()).toEqual([[0, 1], [1, 0], [2, 0], [3, 0]]);
    expect(ofKind(rows, "draw").map((row) => row["missing"])).toEqual([[]]);
  }, 20_000);

  it("serves by its alarms alone, also where the other shards have nobody who waits", async () => {
    const drop = "one-full-shard";
    const opensAt = Date.now() + LEAD_MS;
    await dropOf(drop).plan(source(drop, opensAt));
    await Promise.all([0, 4, 8, 12].map((number) => join(drop, number, [{ sku: "MOTH-S", quantity: 1 }])));
    // The record alone is looked at: a reader of the live state would wake the shards that must wake one another here.
    const served = await until(async () => ofKind(await recordOf(drop), "serve").at(-1));
    const key = Buffer.from(String(ofKind(await recordOf(drop), "draw")[0]?.["seed"]), "hex");
    const ranks = [0, 4, 8, 12].map((number) => `0${createHmac("sha256", key).update(`${entryOf(drop, ticketId(drop, number))}/1`).digest("hex").slice(0, 32)}`);
    expect(served["upTo"]).toBe(ranks.toSorted().at(-1));
    const late = await join(drop, 16, [{ sku: "MOTH-S", quantity: 1 }]);
    expect(late.ok).toBe(true);
    await until(async () => String(ofKind(await recordOf(drop), "serve").at(-1)?.["upTo"]).startsWith("1"));
  }, 30_000);

  it("goes on with the line of one item though everybody in it is served for another", async () => {
    const drop = "served-for-another";
    const opensAt = Date.now() + LEAD_MS;
    await dropOf(drop).plan(source(drop, opensAt, { stages: [{ sharePercent: 100, afterMs: 0 }], stock: [{ sku: "MOTH-S", quantity: 9 }, { sku: "MOTH-M", quantity: 1 }], claimWindowMs: 500 }));
    const both = ["MOTH-S", "MOTH-M"].map((sku) => ({ sku, quantity: 1 }));
    await Promise.all([0, 1, 2].map((number) => join(drop, number, both)));
    // Nobody comes for the one M: it is offered to each of the three in turn, without a reader who would drive the line.
    await until(async () => ofKind(await recordOf(drop), "serve").filter((row) => row["sku"] === "MOTH-M").length === 3);
  }, 30_000);

  it("seals nobody at an opening that was put off, even where a shard had not heard of it", async () => {
    const drop = "put-off";
    const opensAt = Date.now() + LEAD_MS;
    await dropOf(drop).plan(source(drop, opensAt, { shards: 1 }));
    expect(await join(drop, 0)).toMatchObject({ ok: true });
    expect(await dropOf(drop).control({ kind: "extend", stage: 1, byMs: 2_500 }, "the test")).toMatchObject({ ok: true });
    await pause(opensAt + 500 - Date.now());
    await shardOf(drop, 0).sweep();
    expect(ofKind(await recordOf(drop), "seal")).toEqual([]);
    // Who joins before the opening that now holds is drawn like everyone else.
    expect(await join(drop, 4)).toMatchObject({ ok: true });
    const seal = await until(async () => ofKind(await recordOf(drop), "seal").at(-1));
    expect(seal["count"]).toBe(2);
    expect(Date.parse(seal.at)).toBeGreaterThanOrEqual(opensAt + 2_500);
  }, 20_000);

  it("offers whoever comes after the opening behind everybody who was drawn, sealed in a batch of the record", async () => {
    const drop = "late-comers";
    const opensAt = Date.now() + LEAD_MS;
    await dropOf(drop).plan(source(drop, opensAt, { stock: [{ sku: "MOTH-S", quantity: 60 }, { sku: "MOTH-M", quantity: 60 }] }));
    await Promise.all(Array.from({ length: 8 }, (_, number) => join(drop, number)));
    await until(async () => (await wholeLive(drop, 0)).live.seed !== null);
    const late = await join(drop, 9);
    expect(late.ok && late.value.joinedAt >= opensAt).toBe(true);
    const proof = await until(() => shardOf(drop, 1).proof(ticketId(drop, 9)));
    expect(proof).toMatchObject({ shard: 1, batch: 1, index: 0, count: 1, path: [] });
    const seal = await until(async () => ofKind(await recordOf(drop), "seal").find((row) => row["shard"] === 1 && row["root"] === proof.root));
    expect(seal["count"]).toBe(1);
    expect((await leavesOf(drop, 1))?.at(-1)?.entry).toBe(entryOf(drop, ticketId(drop, 9)));
    const standing = await until(async () => {
      const seen = await shardOf(drop, 1).standing(ticketId(drop, 9));
      return seen?.state === "served" && seen;
    });
    expect(standing.rank).toMatch(/^1[0-9a-f]{28}$/);
  }, 20_000);
});

describe.concurrent("reading the live state", () => {
  it("asks the Drop object at most once a second while 300 readers come to every shard", async () => {
    const drop = "many-readers";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000));
    const calls = await Promise.all([0, 1, 2, 3].map((shard) => watchDrop(drop, shard)));
    const startedAt = Date.now();
    for (let round = 0; round < 10; round++) {
      const reads = await Promise.all(Array.from({ length: 30 }, (_, reader) => wholeLive(drop, reader % SHARDS)));
      for (const read of reads) expect(Date.now() - read.live.asOf).toBeLessThan(2_000);
      await pause(250);
    }
    const seconds = (Date.now() - startedAt) / 1_000;
    expect(calls[0]?.snapshots).toBeGreaterThanOrEqual(2);
    expect(calls[0]?.snapshots).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    for (const shard of [1, 2, 3]) expect(calls[shard]).toEqual({ snapshots: 0, seals: 0 });
  }, 20_000);

  it("answers from memory for two seconds while the Drop object is away, and joins go on", async () => {
    const drop = "away";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000, { shards: 1 }));
    const readAt = Date.now();
    const at = (now: number) => runInDurableObject(stubOf(drop, 0), (instance) => {
      instance.clock = () => now;
    });
    await at(readAt);
    await wholeLive(drop, 0);
    const calls = await watchDrop(drop, 0, () => true);
    await at(readAt + 1_900);
    expect((await wholeLive(drop, 0)).live.phase).toBe("lobby");
    expect(calls.snapshots).toBe(1);
    await at(readAt + 2_000);
    await expect((async () => await wholeLive(drop, 0))()).rejects.toThrow();
    expect(await join(drop, 0)).toMatchObject({ ok: true });
  }, 20_000);

  it("seals those who were there at the opening when the Drop object comes back, and nobody who came since", async () => {
    const drop = "back-again";
    const opensAt = Date.now() + LEAD_MS;
    let isAway = false;
    await dropOf(drop).plan(source(drop, opensAt, { shards: 1 }));
    await Promise.all([0, 4, 8].map((number) => join(drop, number)));
    const calls = await watchDrop(drop, 0, () => isAway);
    isAway = true;
    await pause(opensAt + 300 - Date.now());
    expect(await join(drop, 12)).toMatchObject({ ok: true });
    await pause(500);
    expect(calls.snapshots).toBeGreaterThan(0);
    expect(await leavesOf(drop, 0)).toBeNull();
    isAway = false;
    const late = await until(() => shardOf(drop, 0).proof(ticketId(drop, 12)));
    expect(late).toMatchObject({ batch: 1, count: 1 });
    expect(ofKind(await recordOf(drop), "seal").map((row) => row["count"])).toEqual([3, 1]);
    expect((await shardOf(drop, 0).standing(ticketId(drop, 12)))?.rank).toMatch(/^1/);
  }, 20_000);

  it("knows nothing of a drop that was never planned, and gives no ticket for it", async () => {
    expect(await shardOf("never-planned", 0).live(null)).toBeNull();
    // Awaited inside: a call's promise that is handed around counts as unhandled in the runtime.
    await expect((async () => await join("never-planned", 0))()).rejects.toThrow();
  });
});

describe.concurrent("what a shard keeps", () => {
  it("is every acknowledged ticket, seal and position when its memory is lost", async () => {
    const drop = "evicted";
    const opensAt = Date.now() + LEAD_MS;
    await dropOf(drop).plan(source(drop, opensAt, { shards: 1, stock: [{ sku: "MOTH-S", quantity: 5 }], items: [{ sku: "MOTH-S", title: "S", priceMinor: 1, components: [{ sku: "MOTH-S", quantity: 1 }] }] }));
    const numbers = Array.from({ length: 40 }, (_, index) => index * SHARDS);
    const first = await Promise.all(numbers.map((number) => join(drop, number, [{ sku: "MOTH-S", quantity: 1 }])));
    await until(async () => (await wholeLive(drop, 0)).live.seed !== null);
    const before = await Promise.all(numbers.map((number) => shardOf(drop, 0).standing(ticketId(drop, number))));
    const entries = await leavesOf(drop, 0);
    expect(before.filter((standing) => standing?.state === "waiting").length).toBeGreaterThan(10);

    await evictDurableObject(stubOf(drop, 0));
    await wholeLive(drop, 0);
    expect(await Promise.all(numbers.map((number) => join(drop, number, [{ sku: "MOTH-S", quantity: 1 }])))).toEqual(first);
    expect(await leavesOf(drop, 0)).toEqual(entries);
    const after = await Promise.all(numbers.map((number) => shardOf(drop, 0).standing(ticketId(drop, number))));
    after.forEach((standing, index) => {
      expect(standing?.rank).toBe(before[index]?.rank);
      if (standing?.position != null) expect(standing.position).toBeLessThanOrEqual(before[index]?.position ?? 0);
    });
    expect(ofKind(await recordOf(drop), "seal")).toHaveLength(1);
  }, 20_000);

  it("is nothing of a join that could not be written: its caller hears so and may try again", async () => {
    const drop = "full-disk";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000));
    expect(await join(drop, 0)).toMatchObject({ ok: true });
    await runInDurableObject(stubOf(drop, 0), (_, state) => {
      state.storage.sql.exec("CREATE TRIGGER full BEFORE INSERT ON tickets BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
    });
    const outcomes = await Promise.allSettled([4, 8].map(async (number) => await join(drop, number)));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await shardOf(drop, 0).standing(ticketId(drop, 4))).toBeNull();
    await runInDurableObject(stubOf(drop, 0), (_, state) => {
      state.storage.sql.exec("DROP TRIGGER full");
    });
    expect(await join(drop, 4)).toMatchObject({ ok: true });
    expect(await shardOf(drop, 0).standing(ticketId(drop, 4))).toMatchObject({ state: "waiting" });
    await runInDurableObject(stubOf(drop, 0), (_, state) => {
      expect(state.storage.sql.exec("SELECT ticket FROM tickets ORDER BY number").toArray()).toEqual([{ ticket: ticketId(drop, 0) }, { ticket: ticketId(drop, 4) }]);
    });
  });

  it("is how often a network has joined in its minute, and what its joins used up, when its memory is lost after every request", async () => {
    const drop = "flooded";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000, { shards: 1, budgets: { joinsPerMinute: 5, unpaidHolds: 5 } }));
    const ask = async (number: number, changes: { readonly network?: string; readonly spends?: readonly Spend[] } = {}) => {
      const ticket = ticketId(drop, number);
      const command = { ticket, entry: entryOf(drop, ticket), keyThumbprint: `key ${number}`, lane: "open", weight: 1, wants: [{ sku: "MOTH-S", quantity: 1 }], person: null, network: "flood", spends: [], ...changes };
      const answer = await shardOf(drop, 0).join(command);
      await evictDurableObject(stubOf(drop, 0));
      return answer.ok ? "ticket" : answer.rejection.code;
    };
    const spends = [{ key: "work/abc", expiresAt: Date.now() + 60_000 }];
    expect(await ask(0, { spends })).toBe("ticket");
    expect(await ask(1, { spends })).toBe("already_spent");
    expect(await ask(0, { spends })).toBe("ticket");
    const answers: string[] = [];
    for (let number = 1; number < 8; number++) answers.push(await ask(number));
    // The two requests that changed nothing were not stored, and are forgotten with the memory: a shard then allows what it allows for tickets.
    expect(answers).toEqual([...Array<string>(4).fill("ticket"), ...Array<string>(3).fill("too_many_requests")]);
    expect(await ask(8, { network: "home" })).toBe("ticket");
    await runInDurableObject(stubOf(drop, 0), (_, state) => {
      expect(state.storage.sql.exec("SELECT count(*) AS tickets FROM tickets").one()).toEqual({ tickets: 6 });
      expect(state.storage.sql.exec("SELECT network, joins FROM network_minutes ORDER BY network").toArray()).toEqual([{ network: "flood", joins: 5 }, { network: "home", joins: 1 }]);
    });
  }, 30_000);

  it("has a ticket for one key only, and lets that key change what it wants", async () => {
    const drop = "same-ticket";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000));
    const ticket = ticketId(drop, 0);
    const command = { ticket, entry: entryOf(drop, ticket), keyThumbprint: "mine", lane: "open", weight: 1, wants: [{ sku: "MOTH-S", quantity: 1 }], person: null, network: "net", spends: [] };
    const answers = await Promise.all(Array.from({ length: 10 }, () => shardOf(drop, 0).join(command)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await shardOf(drop, 0).join({ ...command, keyThumbprint: "another" })).toEqual({ ok: false, rejection: { code: "id_reused" } });
    expect(await shardOf(drop, 0).join({ ...command, wants: [{ sku: "MOTH-M", quantity: 2 }] })).toMatchObject({ ok: true, value: { wants: [{ sku: "MOTH-M", quantity: 2 }] } });
    await runInDurableObject(stubOf(drop, 0), (_, state) => {
      expect(state.storage.sql.exec("SELECT ticket, wants FROM tickets").toArray()).toEqual([{ ticket, wants: '[{"sku":"MOTH-M","quantity":2}]' }]);
    });
  });

  it("sets no alarm before the opening but the one for it, and none once the drop is cancelled", async () => {
    const drop = "quiet";
    const opensAt = Date.now() + 60_000;
    await dropOf(drop).plan(source(drop, opensAt, { shards: 1 }));
    await join(drop, 0);
    await wholeLive(drop, 0);
    expect(await runInDurableObject(stubOf(drop, 0), (_, state) => state.storage.getAlarm())).toBe(opensAt);
    await dropOf(drop).control({ kind: "cancel" }, "the test");
    await until(async () => (await wholeLive(drop, 0)).live.phase === "cancelled");
    await runDurableObjectAlarm(stubOf(drop, 0));
    expect(await runInDurableObject(stubOf(drop, 0), (_, state) => state.storage.getAlarm())).toBeNull();
    const calls = await watchDrop(drop, 0);
    for (let minute = 0; minute < 60; minute++) await shardOf(drop, 0).sweep();
    expect(calls, "whoever wakes it by mistake does not wake the drop").toEqual({ snapshots: 0, seals: 0 });
    expect(await runInDurableObject(stubOf(drop, 0), (_, state) => state.storage.getAlarm())).toBeNull();
    expect(await join(drop, 4)).toEqual({ ok: false, rejection: { code: "drop_closed" } });
    expect(await shardOf(drop, 0).standing(ticketId(drop, 0))).toMatchObject({ state: "done" });
  }, 20_000);
});

describe.concurrent("a socket on a shard", () => {
  async function listen(drop: string) {
    const response = await stubOf(drop, 0).fetch("http://lobby/socket", { headers: { Upgrade: "websocket" } });
    expect(response.status).toBe(101);
    const socket = response.webSocket;
    if (socket === null) throw new Error("an accepted upgrade has a socket");
    const messages: Record<string, unknown>[] = [];
    const closed = new Promise<{ code: number; reason: string }>((resolve) => socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason })));
    socket.addEventListener("message", ({ data }) => {
      messages.push(JSON.parse(String(data)));
    });
    socket.accept();
    return { socket, messages, closed };
  }

  it("says how things are at once, then every change, and that the drop is over before it closes", async () => {
    const drop = "listened-to";
    await dropOf(drop).plan(source(drop, Date.now() + LEAD_MS, { shards: 1 }));
    const { messages, closed } = await listen(drop);
    await until(async () => messages.length > 0);
    expect(messages[0]).toMatchObject({ phase: "lobby", waiting: 0, seed: null, quantiles: [] });
    await join(drop, 0);
    await until(async () => messages.some((message) => message["waiting"] === 1));
    await until(async () => messages.some((message) => message["seed"] !== null));
    await dropOf(drop).control({ kind: "cancel" }, "the test");
    expect(await closed).toEqual({ code: 1000, reason: "the drop was cancelled" });
    expect(messages.at(-1)).toMatchObject({ phase: "cancelled" });
    const said = messages.map((message) => JSON.stringify({ ...message, asOf: null, now: null }));
    expect(said.every((text, index) => text !== said[index - 1])).toBe(true);
  }, 20_000);

  it("refuses a frame over 1 KB and more than a few frames a second, and nobody else notices", async () => {
    const drop = "shouted-at";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000, { shards: 1 }));
    const [quiet, big, many] = [await listen(drop), await listen(drop), await listen(drop)];
    big.socket.send("x".repeat(1_025));
    expect((await big.closed).code).toBe(1009);
    for (let frame = 0; frame < 20; frame++) many.socket.send("hello");
    expect((await many.closed).code).toBe(1008);
    await join(drop, 0);
    await until(async () => quiet.messages.some((message) => message["waiting"] === 1));
    quiet.socket.close();
  }, 20_000);

  it("is not given for a drop that was never planned, nor without an upgrade", async () => {
    expect((await stubOf("never-planned", 0).fetch("http://lobby/socket", { headers: { Upgrade: "websocket" } })).status).toBe(404);
    expect((await stubOf("never-planned", 0).fetch("http://lobby/socket")).status).toBe(404);
  });
});
