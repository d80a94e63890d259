import { describe, expect, it } from "vitest";
import type { LaneShare } from "../../../../src/drop/plan.ts";
import type { TicketFacts } from "../../../../src/drop/port.ts";
import { accepted } from "../../../../src/kernel/result.ts";
import { nodeHashing } from "../../../../src/kernel/node-hashing.ts";
import type { JoinCommand } from "../../../../src/lobby/port.ts";
import { platformVisitor, rehearsedVisitor } from "../../../../src/storefront/visitor.ts";
import { client, expectProblem, newShopper } from "../../../support/storefront-client.ts";
import { admitted, JOINED_AT, liveAt, OPENS_AT, RANK, TICKET, world } from "../../../support/storefront-doubles.ts";

const TICKETS = `/api/drops/moth-tee/tickets/${TICKET}`;
const PASSES = "/api/drops/moth-tee/passes";
const local: LaneShare = { lane: "local", sharePercent: 20, untilMs: 600_000, weight: 2, evidence: { kind: "presence", region: "berlin", near: { lat: 52.52, lon: 13.405 }, withinKm: 25 } };
const live = liveAt(OPENS_AT + 10_000, {}, { lanes: [local] });
const shopper = await newShopper();
const body = { jwk: shopper.jwk, wants: [{ sku: "MOTH-S", quantity: 2 }] };

/** What a claim of being in Berlin looks like in every header that somebody might believe. */
const LIES = {
  "CF-IPLatitude": "52.52", "CF-IPLongitude": "13.405", "CF-IPCity": "Berlin", "CF-IPCountry": "DE", "CF-Connecting-IP": "85.214.132.117",
  "X-Forwarded-For": "85.214.132.117", "X-Real-IP": "85.214.132.117", "True-Client-IP": "85.214.132.117", Forwarded: "for=85.214.132.117", "X-Geo-Latitude": "52.52", "X-Geo-Longitude": "13.405",
};

async function laneOf(facts: Parameters<typeof platformVisitor>[0], headers: Record<string, string> = {}) {
  const commands: JoinCommand[] = [];
  const doubles = world({ live, lobby: { join: async (command) => (commands.push(command), accepted({ ...command, joinedAt: JOINED_AT })) }, ports: { visitor: () => platformVisitor(facts) } });
  const answer = await client(doubles)("PUT", TICKETS, { body, headers });
  expect(answer.status).toBe(201);
  const { lane } = (await answer.json()) as { readonly lane: string };
  expect(commands.map((command) => [command.lane, lane])).toEqual([[lane, lane]]);
  return [lane, commands[0]?.weight];
}

describe("the lane that a join gets", () => {
  it("is that of the place where the platform locates the request, with its weight", async () => {
    expect(await laneOf({ address: "1.2.3.4", country: "DE", latitude: "52.48", longitude: "13.43" })).toEqual(["local", 2]);
    expect(await laneOf({ address: "1.2.3.4", country: "DE", latitude: "53.55", longitude: "9.99" })).toEqual(["open", 1]);
    expect(await laneOf({ address: "1.2.3.4" })).toEqual(["open", 1]);
  });

  it("does not change for anything that a client says in its headers", async () => {
    expect(await laneOf({ address: "1.2.3.4", country: "DE", latitude: "53.55", longitude: "9.99" }, LIES)).toEqual(["open", 1]);
    expect(await laneOf({ address: "1.2.3.4" }, { ...LIES, Rehearsal: "guessed far-away DE 52.52 13.405" })).toEqual(["open", 1]);
  });

  it("is rehearsed on a developer's machine by who has the key, and by nobody else", async () => {
    const near = (header: string, key: string | null) => rehearsedVisitor(header, key, nodeHashing).near;
    expect(near("k3y far-away DE 52.52 13.405", "k3y")).toEqual({ lat: 52.52, lon: 13.405 });
    expect([near("guess far-away DE 52.52 13.405", "k3y"), near("k3y far-away DE 52.52 13.405", null)]).toEqual([null, null]);
  });
});

describe("a ticket that has moved into a lane", () => {
  const claim = async (lane: string) => {
    const claims: TicketFacts[] = [];
    const drop = { ...admitted, claim: async (ticket: TicketFacts) => (claims.push(ticket), accepted({ state: "admitted" as const, sitting: { id: "pas_sitting", entry: ticket.entry, admittedAt: OPENS_AT, expiresAt: OPENS_AT + 60_000 } })) };
    const send = client(world({ live, drop, lobby: { standing: async () => ({ state: "served", lane, rank: RANK, position: null }) } }));
    return { answer: await send("POST", PASSES, { headers: await shopper.bound(shopper.ticket, "POST", PASSES) }), claims };
  };

  it("is claimed with the ticket of that lane alone: the one from before would contradict the sealed leaf", async () => {
    const before = await claim("local");
    await expectProblem(before.answer, "credential_invalid");
    expect(before.claims).toEqual([]);
    const after = await claim("open");
    expect(after.answer.status).toBe(201);
    expect(after.claims).toMatchObject([{ lane: "open", weight: 1 }]);
  });
});
