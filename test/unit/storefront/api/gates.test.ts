import { solveChallenge } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/web/pbkdf2";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { ChallengeAnswer, type WorkChallenge, type WorkSolution } from "../../../../schema/wire/ticket.ts";
import type { Plan } from "../../../../src/drop/plan.ts";
import type { TurnstileCheck, TurnstileVerdict } from "../../../../src/gate/turnstile.ts";
import { accepted, rejected } from "../../../../src/kernel/result.ts";
import { nodeHashing } from "../../../../src/kernel/node-hashing.ts";
import { entryOf } from "../../../../src/lobby/draw.ts";
import { JoinBudget } from "../../../../src/lobby/join-budget.ts";
import type { JoinCommand } from "../../../../src/lobby/port.ts";
import { TicketBook } from "../../../../src/lobby/tickets.ts";
import { client, expectProblem, newShopper, type Send } from "../../../support/storefront-client.ts";
import { JOINED_AT, liveAt, OPENS_AT, plan, testId, TICKET, world, type World } from "../../../support/storefront-doubles.ts";

const DROP = "/api/drops/moth-tee";
const TICKETS = `${DROP}/tickets/${TICKET}`;
const CHALLENGES = `${DROP}/challenges`;
const OTHER_TICKET = testId("tkt", "B");
const shopper = await newShopper();
const stranger = await newShopper();
const wants = [{ sku: "MOTH-S", quantity: 1 }];
const NOTHING = { work: null, turnstile: null, email: false };
const WORK = { gates: { ...NOTHING, work: { cost: 1_000 } } };
const TURNSTILE = { gates: { ...NOTHING, turnstile: { siteKey: "0x4AAAAAAAAAAAAAAAAAAAAA" } } };

/** A drop with gates, its shard's real book, and the app before it. */
function gated(changes: Partial<Plan>, ports: Partial<World["ports"]> = {}) {
  const book = new TicketBook();
  const joins: JoinCommand[] = [];
  const join = async (command: JoinCommand) => {
    joins.push(command);
    const outcome = book.join(command, { lobbyOpensAt: plan.lobbyOpensAt, closesAt: plan.closesAt, isOver: false, asksForPerson: false, limitPerPerson: plan.limitPerPerson, opensAt: plan.opensAt, lanes: [] }, base.now);
    return outcome.ok ? accepted({ ...command, joinedAt: outcome.value.ticket.joinedAt }) : outcome;
  };
  const base: World = world({ live: liveAt(OPENS_AT, {}, changes), lobby: { join }, ports });
  return { base, book, joins, send: client(base) };
}

async function challengeFor(send: Send, ticket: string = TICKET): Promise<WorkChallenge> {
  const { challenge } = v.parse(ChallengeAnswer, await (await send("POST", CHALLENGES, { body: { ticket } })).json());
  if (challenge === null) throw new Error("the drop asks for no work");
  return challenge;
}

async function solved(challenge: WorkChallenge): Promise<WorkSolution> {
  const solution = await solveChallenge({ challenge, deriveKey });
  if (solution === null) throw new Error("there is no solution");
  return { challenge, solution };
}

const body = (work: unknown) => ({ jwk: shopper.jwk, wants, solution: { work } });

describe("a drop that asks for work", () => {
  it("makes a challenge for one ticket and for nothing less; another drop makes none", async () => {
    const { send } = gated(WORK);
    const challenge = await challengeFor(send);
    expect(challenge.parameters).toMatchObject({ algorithm: "PBKDF2/SHA-256", cost: 1_000, keyLength: 32, data: { drop: "moth-tee", ticket: TICKET, work: 1_000 } });
    await expectProblem(await send("POST", CHALLENGES, { body: {} }), "invalid_request");
    await expectProblem(await send("POST", CHALLENGES), "invalid_request");
    await expectProblem(await send("POST", CHALLENGES, { body: { ticket: "tkt_1" } }), "invalid_request");
    await expectProblem(await send("POST", CHALLENGES, { body: { ticket: TICKET, more: 1 } }), "invalid_request");
    const open = gated({});
    for (const sent of [undefined, {}, { ticket: TICKET }]) expect(await (await open.send("POST", CHALLENGES, sent === undefined ? {} : { body: sent })).json()).toEqual({ challenge: null });
  });

  it("lets nobody in without a solution, and never asks the shard about them", async () => {
    const { send, joins } = gated(WORK);
    for (const solution of [undefined, {}, { turnstile: "x" }]) {
      const refused = await expectProblem(await send("PUT", TICKETS, { body: { jwk: shopper.jwk, wants, ...(solution === undefined ? {} : { solution }) } }), "challenge_needed");
      expect(refused).toMatchObject({ status: 403, gate: "work" });
    }
    expect(joins).toEqual([]);
  });

  it("gives a ticket for the solution once; a retry gets the first answer, another join with it nothing", async () => {
    const { send, book } = gated(WORK);
    const work = await solved(await challengeFor(send));
    const first = await send("PUT", TICKETS, { body: body(work) });
    expect(first.status).toBe(201);
    const text = await first.text();
    expect(await (await send("PUT", TICKETS, { body: body(work) })).text()).toBe(text);
    const changed = await expectProblem(await send("PUT", TICKETS, { body: { ...body(work), wants: [{ sku: "MOTH-M", quantity: 1 }] } }), "challenge_failed");
    expect(changed).toMatchObject({ gate: "work" });
    await expectProblem(await send("PUT", `${DROP}/tickets/${OTHER_TICKET}`, { body: body(work) }), "challenge_failed");
    expect(book.tickets.map(({ ticket }) => ticket)).toEqual([TICKET]);
    expect(book.find(TICKET)?.wants).toEqual(wants);
  });

  it("lets whoever proves the ticket change their mind without working again, and nobody else", async () => {
    const { send, base, book } = gated(WORK);
    const answer = await send("PUT", TICKETS, { body: body(await solved(await challengeFor(send))) });
    const { ticket } = await answer.json<{ ticket: string }>();
    const other = [{ sku: "MOTH-M", quantity: 1 }];
    const proven = await send("PUT", TICKETS, { body: { jwk: shopper.jwk, wants: other }, headers: await shopper.bound(ticket, "PUT", TICKETS) });
    expect(proven.status).toBe(201);
    expect(book.find(TICKET)?.wants).toEqual(other);
    await expectProblem(await send("PUT", TICKETS, { body: { jwk: stranger.jwk, wants }, headers: await stranger.bound(ticket, "PUT", TICKETS) }), "credential_invalid");
    const elsewhere = `${DROP}/tickets/${OTHER_TICKET}`;
    await expectProblem(await send("PUT", elsewhere, { body: { jwk: shopper.jwk, wants }, headers: await shopper.bound(ticket, "PUT", elsewhere) }), "credential_invalid");
    expect(base.logged).toEqual([]);
  });

  it.each([
    ["easier rounds", ({ challenge, solution }: WorkSolution) => ({ solution, challenge: { ...challenge, parameters: { ...challenge.parameters, cost: 1 } } })],
    ["an easier prefix", ({ challenge, solution }: WorkSolution) => ({ solution, challenge: { ...challenge, parameters: { ...challenge.parameters, keyPrefix: challenge.parameters.keyPrefix.slice(0, 2) } } })],
    ["another algorithm", ({ challenge, solution }: WorkSolution) => ({ solution, challenge: { ...challenge, parameters: { ...challenge.parameters, algorithm: "SHA-256" } } })],
    ["a later end", ({ challenge, solution }: WorkSolution) => ({ solution, challenge: { ...challenge, parameters: { ...challenge.parameters, expiresAt: challenge.parameters.expiresAt + 1 } } })],
    ["no signature", ({ challenge, solution }: WorkSolution) => ({ solution, challenge: { ...challenge, signature: "" } })],
    ["another signature", ({ challenge, solution }: WorkSolution) => ({ solution, challenge: { ...challenge, signature: "00".repeat(32) } })],
    ["another counter", ({ challenge, solution }: WorkSolution) => ({ challenge, solution: { ...solution, counter: solution.counter + 1 } })],
    ["another key", ({ challenge, solution }: WorkSolution) => ({ challenge, solution: { ...solution, derivedKey: challenge.parameters.keyPrefix + "0".repeat(32) } })],
    ["a ticket written over", ({ challenge, solution }: WorkSolution) => ({ solution, challenge: { ...challenge, parameters: { ...challenge.parameters, data: { ...challenge.parameters.data, ticket: OTHER_TICKET } } } })],
    ["less work written over", ({ challenge, solution }: WorkSolution) => ({ solution, challenge: { ...challenge, parameters: { ...challenge.parameters, data: { ...challenge.parameters.data, work: 1 } } } })],
  ])("refuses a solution with %s", async (_what, twist) => {
    const { send, joins } = gated(WORK);
    await expectProblem(await send("PUT", TICKETS, { body: body(twist(await solved(await challengeFor(send)))) }), "challenge_failed");
    expect(joins).toEqual([]);
  });

  it("refuses a solution for another ticket, another drop, another plan or less work than the plan asks for", async () => {
    const { send, joins } = gated(WORK);
    await expectProblem(await send("PUT", TICKETS, { body: body(await solved(await challengeFor(send, OTHER_TICKET))) }), "challenge_failed");
    const easier = gated({ gates: { ...NOTHING, work: { cost: 1_000 } } });
    const cheap = await solved(await challengeFor(easier.send));
    const harder = gated({ gates: { ...NOTHING, work: { cost: 2_000 } } });
    await expectProblem(await harder.send("PUT", TICKETS, { body: body(cheap) }), "challenge_failed");
    const terms = { drop: "moth-tee", planHash: "00".repeat(32), ticket: TICKET, cost: 1_000 };
    const { base } = gated(WORK);
    const foreign = await solved(await base.ports.work.challenge(terms, base.now));
    await expectProblem(await send("PUT", TICKETS, { body: body(foreign) }), "challenge_failed");
    const elsewhere = await solved(await base.ports.work.challenge({ ...terms, drop: "other-tee" }, base.now));
    await expectProblem(await send("PUT", TICKETS, { body: body(elsewhere) }), "challenge_failed");
    expect([...joins, ...harder.joins]).toEqual([]);
  });

  it("refuses a solution after its end, whenever it was found", async () => {
    const { send, base } = gated(WORK);
    const work = await solved(await challengeFor(send));
    base.now = work.challenge.parameters.expiresAt * 1_000 + 1;
    await expectProblem(await send("PUT", TICKETS, { body: body(work) }), "challenge_failed");
    base.now = work.challenge.parameters.expiresAt * 1_000;
    expect((await send("PUT", TICKETS, { body: body(work) })).status).toBe(201);
  });

  it("says when the lobby opens to whoever comes early, with a solution or without", async () => {
    const { send, base, joins } = gated(WORK);
    base.now = plan.lobbyOpensAt - 1;
    await expectProblem(await send("PUT", TICKETS, { body: { jwk: shopper.jwk, wants } }), "lobby_not_open");
    expect(joins).toEqual([]);
  });
});

describe("a drop that asks for Turnstile", () => {
  const asked: TurnstileCheck[] = [];
  const saying = (verdict: TurnstileVerdict) => ({ turnstile: { verify: async (check: TurnstileCheck) => (asked.push(check), verdict) } });
  const token = (turnstile: unknown) => ({ jwk: shopper.jwk, wants, solution: { turnstile } });

  it("lets in whoever Cloudflare finds genuine, asked about this host and this ticket", async () => {
    const { send } = gated(TURNSTILE, saying("passed"));
    expect((await send("PUT", TICKETS, { body: token("tok") })).status).toBe(201);
    expect(asked.at(-1)).toMatchObject({ token: "tok", ticket: TICKET });
    expect(asked.at(-1)?.hostname).not.toBe("");
  });

  it("refuses a token that is missing or empty without asking anybody, and one that is longer than any by its shape", async () => {
    asked.length = 0;
    const { send, joins } = gated(TURNSTILE, saying("passed"));
    await expectProblem(await send("PUT", TICKETS, { body: { jwk: shopper.jwk, wants } }), "challenge_needed");
    await expectProblem(await send("PUT", TICKETS, { body: token("") }), "challenge_needed");
    await expectProblem(await send("PUT", TICKETS, { body: token("x".repeat(2_049)) }), "invalid_request");
    expect(asked).toEqual([]);
    expect(joins).toEqual([]);
  });

  it("stays closed when Cloudflare says no, when it cannot be asked, and when no secret is set", async () => {
    const refused = gated(TURNSTILE, saying("failed"));
    expect(await expectProblem(await refused.send("PUT", TICKETS, { body: token("tok") }), "challenge_failed")).toMatchObject({ gate: "turnstile" });
    for (const ports of [saying("unavailable"), { turnstile: null }]) {
      const { send, joins, base } = gated(TURNSTILE, ports);
      const closed = await send("PUT", TICKETS, { body: token("tok") });
      expect(closed.headers.get("retry-after")).toBe("10");
      await expectProblem(closed, "temporarily_unavailable");
      expect(joins).toEqual([]);
      expect(base.logged.map(({ code }) => code)).toEqual(["turnstile_unavailable"]);
    }
    expect(refused.joins).toEqual([]);
  });
});

describe("a network that has joined as often as it may", () => {
  const JOINED = { entry: entryOf("moth-tee", TICKET, nodeHashing), lane: "open", weight: 1, joinedAt: JOINED_AT, keyThumbprint: "k", person: null };

  it("is told when to come back, and the shard is not asked again before that, while other networks are", async () => {
    let asked = 0;
    const retryAt = OPENS_AT + 40_000;
    const join = async (command: JoinCommand) => {
      asked++;
      return command.network.length > 10 ? accepted({ ...command, ...JOINED }) : rejected({ code: "too_many_requests", retryAt } as const);
    };
    let network = "local";
    const base = world({ lobby: { join }, ports: { visitor: () => ({ network, country: null, near: null }) } });
    base.now = OPENS_AT + 10_000;
    const send = client(base);
    const sent = { body: { jwk: shopper.jwk, wants } };
    for (let count = 0; count < 50; count++) {
      const refused = await send("PUT", TICKETS, sent);
      expect(refused.headers.get("retry-after")).toBe("30");
      await expectProblem(refused, "too_many_requests");
    }
    expect(asked).toBe(1);
    network = "203.0.113.9";
    expect((await send("PUT", TICKETS, sent)).status).toBe(201);
    network = "local";
    base.now = retryAt;
    await send("PUT", TICKETS, sent);
    expect(asked).toBe(3);
  });

  it("is refused by the shard's own count whichever isolate asks: a new one for every request gets it nothing more", async () => {
    const shard = new JoinBudget();
    const join = async (command: JoinCommand) => {
      const retryAt = shard.ask(command.network, 5, OPENS_AT);
      return retryAt === null ? accepted({ ...command, ...JOINED }) : rejected({ code: "too_many_requests", retryAt } as const);
    };
    const statuses: number[] = [];
    for (let isolate = 0; isolate < 20; isolate++) {
      const send = client(world({ lobby: { join } }));
      statuses.push((await send("PUT", TICKETS, { body: { jwk: shopper.jwk, wants } })).status);
    }
    expect(statuses).toEqual([...Array<number>(5).fill(201), ...Array<number>(15).fill(429)]);
  });
});
