import { describe, expect, it } from "vitest";
import type { LaneShare } from "../../../../src/drop/plan.ts";
import type { TicketFacts } from "../../../../src/drop/port.ts";
import { accepted, rejected } from "../../../../src/kernel/result.ts";
import { nodeHashing } from "../../../../src/kernel/node-hashing.ts";
import type { Redemption } from "../../../../src/lobby/door.ts";
import type { JoinCommand, JoinRejection } from "../../../../src/lobby/port.ts";
import type { ShopLobby } from "../../../../src/storefront/ports.ts";
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

describe("a code of a pop-up", () => {
  const refusals: JoinRejection[] = [
    { code: "identity_required" }, { code: "too_many_requests", retryAt: OPENS_AT + 60_000 }, { code: "id_reused" }, { code: "drop_closed" }, { code: "quantity_not_allowed", pointer: "/wants", max: 2 }, { code: "already_spent", key: "work/1" },
  ];
  const joining = async (lobby: Partial<ShopLobby>) => {
    const doubles = world({ live, lobby });
    doubles.now = OPENS_AT - 60_000;
    const presence = await doubles.ports.credentials.mintScan({ drop: "moth-tee", region: "berlin", shownAt: doubles.now, tickets: 3 }, doubles.now, doubles.now + 60_000);
    return client(doubles)("PUT", TICKETS, { body: { ...body, evidence: { presence } } });
  };

  it("is not used up by a join that the ticket's shard would refuse, for whatever reason", async () => {
    for (const rejection of refusals) {
      // Whatever is not given here throws: neither a use nor a join may be asked for.
      const answer = await joining({ mayJoin: async () => rejected(rejection) });
      expect([rejection.code, answer.status]).toEqual([rejection.code, expect.any(Number)]);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
  });

  it("is used up after the shard's yes and before the ticket is given, and a code that is used up already gives none", async () => {
    const asked: unknown[] = [];
    const lobby = {
      mayJoin: async (command: JoinCommand) => (asked.push(["mayJoin", command]), accepted(null)),
      redeem: async ({ ticket, uses }: Redemption) => (asked.push(["redeem", ticket, uses]), accepted(null)),
      join: async (command: JoinCommand) => (asked.push(["join", command]), accepted({ ...command, joinedAt: JOINED_AT })),
    };
    const answer = await joining(lobby);
    expect([answer.status, ((await answer.json()) as { readonly lane: string }).lane]).toEqual([201, "local"]);
    const [first, second, third] = asked as [unknown, unknown][];
    expect([first?.[0], second, third]).toEqual(["mayJoin", ["redeem", TICKET, 3], ["join", first?.[1]]]);
    await expectProblem(await joining({ ...lobby, redeem: async () => rejected({ code: "already_used" }), join: async () => expect.unreachable("a ticket without its evidence") }), "evidence_used");
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
