/// <reference types="@cloudflare/vitest-plugin/types" />
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { NETWORK_HEADER, UNNAMED_NETWORK } from "../../src/drop/network-budgets.ts";
import { dropOf, join, source, stubOf, until } from "./lobby-cast.ts";

/* What the listeners of one network may take from the others: places, and the shard's time. */

async function upgrade(drop: string, network: string): Promise<Response> {
  return await stubOf(drop, 0).fetch("http://lobby/socket", { headers: { Upgrade: "websocket", [NETWORK_HEADER]: network } });
}

async function listen(drop: string, network: string) {
  const { socket, messages, closed } = taken(await upgrade(drop, network));
  await until(async () => messages.length > 0);
  return { socket, messages, closed };
}

function taken(response: Response) {
  expect(response.status).toBe(101);
  const socket = response.webSocket;
  if (socket === null) throw new Error("an accepted upgrade has a socket");
  const messages: Record<string, unknown>[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) => socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason })));
  socket.addEventListener("message", ({ data }) => void messages.push(JSON.parse(String(data))));
  socket.accept();
  return { socket, messages, closed };
}

describe("the sockets of a network", () => {
  it("are as many as it may bring people in a minute: one machine does not take the places of everybody else", async () => {
    const drop = "crowded-shard";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000, { shards: 1, budgets: { joinsPerMinute: 620, unpaidHolds: 5 } }));
    const mine: WebSocket[] = [];
    for (let number = 0; number < 620; number++) mine.push(taken(await upgrade(drop, "one-address")).socket);
    const refused = await upgrade(drop, "one-address");
    expect([refused.status, refused.headers.get("Retry-After"), await refused.json()]).toEqual([429, "30", expect.objectContaining({ code: "too_many_requests" })]);
    await listen(drop, "another-address");
    // The network of a developer's machine is everybody who is there, benches too.
    await listen(drop, UNNAMED_NETWORK);
    mine.pop()?.close();
    await until(async () => (await upgrade(drop, "one-address")).status === 101);
  }, 60_000);

  it("are at least as many as usual where a drop lets few join from one place", async () => {
    const drop = "strict-door";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000, { shards: 1, budgets: { joinsPerMinute: 1, unpaidHolds: 1 } }));
    for (let number = 0; number < 20; number++) await listen(drop, "library");
  }, 30_000);

  it("that send together more than anybody needs are closed, and neither those who only listen nor another network", async () => {
    const drop = "shouting-network";
    await dropOf(drop).plan(source(drop, Date.now() + 60_000, { shards: 1 }));
    const loud = await Promise.all(Array.from({ length: 40 }, () => listen(drop, "loud")));
    const [silent, neighbour] = [await listen(drop, "loud"), await listen(drop, "quiet")];
    const closings: number[] = [];
    for (const { closed } of loud) void closed.then(({ code }) => closings.push(code));
    // None of them alone sends too much.
    for (let frame = 0; frame < 4; frame++) for (const { socket } of loud) socket.send("hello");
    neighbour.socket.send("hello");
    await until(async () => closings.length >= 20);
    expect(new Set(closings)).toEqual(new Set([1008]));
    await join(drop, 0);
    for (const { messages } of [silent, neighbour]) await until(async () => messages.some((message) => message["waiting"] === 1));
  }, 30_000);

  it("hear of a change within a second although the clock was set back by ten minutes", async () => {
    const drop = "set-back";
    await dropOf(drop).plan(source(drop, Date.now() + 600_000, { shards: 1 }));
    const { messages } = await listen(drop, "home");
    await join(drop, 0);
    await until(async () => messages.some((message) => message["waiting"] === 1));
    await runInDurableObject(stubOf(drop, 0), (instance) => {
      instance.clock = () => Date.now() - 600_000;
    });
    expect(await join(drop, 4)).toMatchObject({ ok: true });
    await until(async () => messages.some((message) => message["waiting"] === 2));
  }, 30_000);
});
