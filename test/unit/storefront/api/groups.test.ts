import { describe, expect, test } from "vitest";
import { type LaneShare, NO_GATES } from "../../../../src/drop/plan.ts";
import { accepted, rejected } from "../../../../src/kernel/result.ts";
import type { AddressProof, AddressRejection } from "../../../../src/lobby/door.ts";
import type { JoinRejection, TicketPersons } from "../../../../src/lobby/port.ts";
import { client, expectProblem } from "../../../support/storefront-client.ts";
import { credentials, liveAt, newBrowser, OPENS_AT, testId, world } from "../../../support/storefront-doubles.ts";

const TICKET = testId("tkt", "A");
const OTHERS = testId("tkt", "B");
const LOCAL: LaneShare = { lane: "local", sharePercent: 20, untilMs: 600_000, weight: 1, evidence: { kind: "presence", region: "berlin", near: { lat: 52.52, lon: 13.405 }, withinKm: 25 } };
const asking = liveAt(OPENS_AT - 60_000, { phase: "lobby" }, { gates: { ...NO_GATES, email: true }, groupMax: 3, lanes: [LOCAL] });
const [ANA, BEN, CLEO] = ["ana", "ben", "cleo"].map((name) => ({ email: `${name}@example.org`, code: "12345678" })) as [Shown, Shown, Shown];
interface Shown { readonly email: string; readonly code: string }
const nameOf = (person: string) => ["ana", "ben", "cleo"].find((name) => credentials.personOf(`${name}@example.org`) === person);

interface Asked {
  readonly refuse?: (proof: AddressProof) => AddressRejection | null;
  readonly persons?: (ticket: string) => TicketPersons | null;
  /** Why the ticket's own shard would not give it. */
  readonly refusedBy?: JoinRejection;
  readonly evidence?: "presence";
  readonly times?: number;
}

/** A join of Ana for Ben and Cleo, with all that was asked of the shards: who was only looked at, and who was bound. */
async function joinOf({ refuse = () => null, persons = () => null, refusedBy, evidence, times = 1 }: Asked = {}) {
  const asked: string[] = [];
  const proofs: AddressProof[] = [];
  const joined: unknown[] = [];
  const made = world({
    live: asking,
    lobby: {
      mayJoin: async (command) => {
        asked.push(`may ${[command.person, ...(command.members ?? [])].map((person) => nameOf(person ?? "")).join(", ")} join`);
        return refusedBy === undefined ? accepted(null) : rejected(refusedBy);
      },
      redeem: async () => (asked.push("use the evidence"), accepted(null)),
      personsOf: async (ticket) => persons(ticket),
      proveAddress: async (proof) => {
        const rejection = refuse(proof);
        proofs.push(proof);
        asked.push(`${proof.isTrial === true ? "look at" : "bind"} ${nameOf(proof.person)}${proof.memberMac === undefined ? "" : " as a member"}${proof.abandoned === undefined ? "" : ` who left ${proof.abandoned}`}`);
        return rejection === null ? accepted(null) : rejected(rejection);
      },
      join: async (command) => {
        joined.push(command);
        asked.push("join");
        return accepted({ ...command, joinedAt: OPENS_AT - 50_000, people: 3 });
      },
    },
  });
  made.now = OPENS_AT - 60_000;
  const { jwk } = await newBrowser();
  const shown = evidence === undefined ? {} : { evidence: { presence: await made.ports.credentials.mintScan({ drop: "moth-tee", region: "berlin", shownAt: made.now, tickets: 3 }, made.now, made.now + 60_000) } };
  const send = client(made);
  const join = () => send("PUT", `/api/drops/moth-tee/tickets/${TICKET}`, { body: { jwk, wants: [{ sku: "MOTH-S", quantity: 6 }], identity: { ...ANA, group: [BEN, CLEO] }, ...shown } });
  let answer = await join();
  for (let time = 1; time < times; time++) answer = await join();
  return { answer, asked, proofs, joined };
}

const MAY = "may ana, ben, cleo join";
const BINDS = ["bind ana", "bind ben as a member", "bind cleo as a member"];
const LOOKS = [MAY, "look at ana", "look at ben as a member", "look at cleo as a member"];

describe("a join for several people", () => {
  test("looks at everybody's code before it binds anybody, the owner first, and joins with all of them", async () => {
    const { answer, asked, proofs, joined } = await joinOf();
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ id: TICKET, people: 3 });
    expect(asked).toEqual([...LOOKS, ...BINDS, "join"]);
    expect(joined).toMatchObject([{ person: credentials.personOf(ANA.email), members: [BEN, CLEO].map(({ email }) => credentials.personOf(email)), weight: 1 }]);
    // A lent code is another code than one's own, and neither is told to anybody.
    expect(new Set(proofs.flatMap(({ mac, memberMac }) => [mac, memberMac ?? mac])).size).toBe(5);
    expect(JSON.stringify(proofs)).not.toMatch(/12345678|example/);
  });

  test("binds nobody when one code is wrong or one address has a place, names the member, and never that person's ticket", async () => {
    const ofCleo = (rejection: AddressRejection) => joinOf({ refuse: ({ person }) => (nameOf(person) === "cleo" ? rejection : null), persons: (ticket) => (ticket === OTHERS ? { owner: credentials.personOf(CLEO.email), members: [] } : null) });
    const wrong = await ofCleo({ code: "identity_invalid" });
    expect(await expectProblem(wrong.answer, "identity_invalid")).toMatchObject({ errors: [{ pointer: "/identity/group/1/code" }] });
    const placed = await ofCleo({ code: "identity_in_use", ticket: OTHERS });
    const problem = await expectProblem(placed.answer, "identity_in_use");
    expect(problem).toMatchObject({ errors: [{ pointer: "/identity/group/1/email" }] });
    expect(JSON.stringify(problem)).not.toContain(OTHERS);
    for (const { asked, joined } of [wrong, placed]) expect([asked.filter((what) => what.startsWith("bind")), joined]).toEqual([[], []]);
  });

  test("leads its owner to the place that they have, and leaves the others where they are", async () => {
    const { answer, asked } = await joinOf({ refuse: ({ person }) => (nameOf(person) === "ana" ? { code: "identity_in_use", ticket: OTHERS } : null), persons: (ticket) => (ticket === OTHERS ? { owner: credentials.personOf(ANA.email), members: [] } : null) });
    expect(await expectProblem(answer, "identity_in_use")).toMatchObject({ ticket: OTHERS });
    expect(asked).toEqual(LOOKS);
  });

  test("looks at nobody and binds nobody where the ticket's shard would not give the ticket, for whatever reason", async () => {
    const refusals: JoinRejection[] = [{ code: "id_reused" }, { code: "too_many_requests", retryAt: OPENS_AT }, { code: "drop_closed" }, { code: "quantity_not_allowed", pointer: "/wants", max: 3, people: 3 }, { code: "already_spent", key: "work/1" }];
    for (const refusedBy of refusals) {
      const { answer, asked } = await joinOf({ refusedBy });
      expect([refusedBy.code, answer.status >= 400 && answer.status < 500, asked]).toEqual([refusedBy.code, true, [MAY]]);
    }
  });

  test("asks no shard at all for a network that was told when to come again", async () => {
    const { answer, asked } = await joinOf({ refusedBy: { code: "too_many_requests", retryAt: OPENS_AT }, times: 3 });
    await expectProblem(answer, "too_many_requests");
    expect(asked).toEqual([MAY]);
  });

  test("is bound although its lane's evidence is used up as well, everybody's code before it", async () => {
    const { answer, asked } = await joinOf({ evidence: "presence" });
    expect(answer.status).toBe(201);
    expect(asked).toEqual([...LOOKS, ...BINDS, "use the evidence", "join"]);
    const wrong = await joinOf({ evidence: "presence", refuse: ({ person }) => (nameOf(person) === "cleo" ? { code: "identity_invalid" } : null) });
    await expectProblem(wrong.answer, "identity_invalid");
    expect(wrong.asked).toEqual(LOOKS);
  });

  test("tells the shard of somebody who was put into another group whether its ticket knows of them", async () => {
    const stands = (isThere: boolean) => joinOf({
      refuse: ({ person, abandoned }) => (nameOf(person) === "ben" && abandoned === undefined ? { code: "identity_in_use", ticket: OTHERS, isMember: true } : null),
      persons: (ticket) => (ticket === OTHERS ? { owner: "somebody", members: isThere ? [credentials.personOf(BEN.email)] : [] } : null),
    });
    const free = await stands(false);
    expect(free.answer.status).toBe(201);
    expect(free.asked).toContain(`bind ben as a member who left ${OTHERS}`);
    const there = await stands(true);
    await expectProblem(there.answer, "identity_in_use");
    expect(there.asked.filter((what) => what.includes("left"))).toEqual([]);
  });
});
