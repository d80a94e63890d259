import { describe, expect, test } from "vitest";
import { NO_GATES } from "../../../../src/drop/plan.ts";
import type { Mail, Mailer } from "../../../../src/gate/mail.ts";
import { accepted, Fault, rejected } from "../../../../src/kernel/result.ts";
import type { CodeNote, Redemption } from "../../../../src/lobby/door.ts";
import { client, expectProblem } from "../../../support/storefront-client.ts";
import { type Doubles, liveAt, newBrowser, OPENS_AT, testId, world } from "../../../support/storefront-doubles.ts";

const TICKET = testId("tkt", "A");
const asking = liveAt(OPENS_AT - 60_000, { phase: "lobby" }, { gates: { ...NO_GATES, email: true } });
const ask = (email: unknown = "ana@example.org", ticket: unknown = TICKET) => ({ body: { ticket, email } });
const PATH = "/api/drops/moth-tee/codes";

/** A store whose lobby allows everything, and whose mailer does what the test says. */
function store(send: Mailer["send"] | null, doubles: Doubles = {}) {
  const notes: CodeNote[] = [];
  const limits: Redemption[] = [];
  const after: Promise<unknown>[] = [];
  const lobby = { redeem: async (redemption: Redemption) => (limits.push(redemption), accepted(null)), noteCode: async (note: CodeNote) => (notes.push(note), accepted(null)), ...doubles.lobby };
  const ports = { mailer: send === null ? null : { send }, later: (work: Promise<unknown>) => void after.push(work), wait: async () => undefined, ...doubles.ports };
  const made = world({ live: asking, ...doubles, lobby, ports });
  made.now = OPENS_AT - 60_000;
  return { made, send: client(made), notes, limits, done: () => Promise.all(after) };
}

describe("a code by mail", () => {
  test("is answered before its mail leaves, and the same whatever becomes of the mail", async () => {
    let release = () => {};
    const slow = store(() => new Promise<void>((resolve) => { release = resolve; }));
    const answered = await slow.send("POST", PATH, ask());
    expect([answered.status, await answered.json()]).toEqual([202, { validSeconds: 600 }]);
    release();
    const broken = store(async () => { throw new Fault("the mail provider answers 403", { retryable: false }); });
    const same = await broken.send("POST", PATH, ask());
    await broken.done();
    expect([same.status, await same.json()]).toEqual([202, { validSeconds: 600 }]);
  });

  test("goes to the address as it was written, and the shard learns neither the address nor the code", async () => {
    const mails: Mail[] = [];
    const { send, notes, done } = store(async (mail) => void mails.push(mail));
    await send("POST", PATH, ask("Ana+drop@Example.org"));
    await send("POST", PATH, ask("ana@example.org"));
    await done();
    expect(mails.map(({ to }) => to)).toEqual(["Ana+drop@example.org", "ana@example.org"]);
    const codes = mails.map(({ text }) => /\b\d{8}\b/.exec(text)?.[0] ?? "");
    expect(notes[0]?.person).toBe(notes[1]?.person);
    expect(new Set(mails.map(({ key }) => key)).size).toBe(2);
    for (const word of [...codes, "ana", "example"]) expect(JSON.stringify(notes)).not.toContain(word);
  });

  test("is tried three times while the provider is busy, once when it refuses, and the log names nobody", async () => {
    for (const [retryable, tries] of [[true, 3], [false, 1]] as const) {
      let tried = 0;
      const { send, made, done } = store(async () => { tried++; throw new Fault("the mail provider answers", { retryable }); });
      await send("POST", PATH, ask());
      await done();
      expect(tried).toBe(tries);
      expect(made.logged.filter(({ code }) => code === "mail_not_sent")).toHaveLength(tries);
      expect(JSON.stringify(made.logged)).not.toMatch(/ana|example|tkt_/);
    }
  });

  test("that an address has had enough of is refused until then without asking its shard again, and other addresses are not", async () => {
    const retryAt = OPENS_AT - 30_000;
    let asked = 0;
    const { send, made, notes } = store(async () => undefined, { lobby: { noteCode: async () => (asked++, asked === 1 ? rejected({ code: "too_many_requests", retryAt }) : accepted(null)) } });
    for (let time = 0; time < 3; time++) expect(await expectProblem(await send("POST", PATH, ask()), "too_many_requests")).toMatchObject({ status: 429 });
    expect(asked).toBe(1);
    expect((await send("POST", PATH, ask("ben@example.org"))).status).toBe(202);
    made.now = retryAt;
    expect((await send("POST", PATH, ask())).status).toBe(202);
    expect([asked, notes.length]).toEqual([3, 0]);
  });

  test("that one network has asked for too often is refused to that network alone, and an IPv6 site is one network", async () => {
    const asked: string[] = [];
    let network = "203.0.113.7";
    const { send, made } = store(async () => undefined, {
      lobby: { noteCode: async (note) => (asked.push(note.network), rejected({ code: "too_many_requests", retryAt: OPENS_AT })) },
      ports: { visitor: () => ({ network, country: null, near: null }) },
    });
    const networks = ["203.0.113.7", "203.0.113.8", "2001:db8:1:1::/64", "2001:db8:1:2::/64", "203.0.113.7"];
    for (network of networks) await expectProblem(await send("POST", PATH, ask()), "too_many_requests");
    expect(asked).toEqual(["203.0.113.7", "203.0.113.8", "2001:db8:1::/48"].map(made.ports.credentials.networkOf));
  });

  test("is refused where nobody could send it, so that the door stays shut", async () => {
    const refused = await store(null).send("POST", PATH, ask());
    await expectProblem(refused, "temporarily_unavailable");
    expect(refused.headers.get("retry-after")).toBe("60");
  });

  test("is not to be had where the drop asks for none, before the lobby opens and after the close", async () => {
    const never = async () => { throw new Error("no mail was expected"); };
    await expectProblem(await store(never, { live: liveAt(OPENS_AT) }).send("POST", PATH, ask()), "not_found");
    const early = store(never);
    early.made.now = asking.plan.lobbyOpensAt - 1;
    expect(await expectProblem(await early.send("POST", PATH, ask()), "lobby_not_open")).toMatchObject({ lobbyOpensAt: "2026-12-04T17:30:00.000Z" });
    const late = store(never);
    late.made.now = asking.plan.closesAt;
    await expectProblem(await late.send("POST", PATH, ask()), "drop_closed");
  });

  test("is held to the limits of ticket and network before the address's own, with the moment to come back", async () => {
    const mailed = async () => { throw new Error("no mail was expected"); };
    const full = store(mailed, { lobby: { redeem: async () => rejected({ code: "already_used" }) } });
    const refused = await full.send("POST", PATH, ask());
    expect(await expectProblem(refused, "too_many_requests")).toMatchObject({ retryAt: "2026-12-04T18:00:00.000Z" });
    expect(refused.headers.get("retry-after")).toBe("60");
    const asked: Redemption[] = [];
    const exhausted = store(mailed, { lobby: { redeem: async (redemption) => (asked.push(redemption), rejected({ code: "already_used" })) } });
    await exhausted.send("POST", PATH, ask());
    // For the network alone: nothing is written about the tickets that it makes up.
    expect(asked.map(({ key }) => key.includes(TICKET))).toEqual([false]);
    const flooded = store(mailed, { lobby: { noteCode: async () => rejected({ code: "too_many_requests", retryAt: OPENS_AT }) } });
    await expectProblem(await flooded.send("POST", PATH, ask()), "too_many_requests");
  });
});

describe("a join into a drop that asks for a proven address", () => {
  const WANTS = [{ sku: "MOTH-S", quantity: 1 }];

  test("hands the shard a keyed hash of the code and never the code, and joins as the person who was proven", async () => {
    const proofs: unknown[] = [];
    const joined: unknown[] = [];
    const { send } = store(null, {
      lobby: {
        proveAddress: async (proof) => (proofs.push(proof), accepted(null)),
        join: async (command) => (joined.push(command.person), rejected({ code: "drop_closed" })),
      },
    });
    const { jwk } = await newBrowser();
    await send("PUT", `/api/drops/moth-tee/tickets/${TICKET}`, { body: { jwk, wants: WANTS, identity: { email: "Ana@example.org", code: "1234 5678" } } });
    expect(proofs).toMatchObject([{ ticket: TICKET, mac: expect.stringMatching(/^[0-9a-f]{64}$/), until: asking.plan.closesAt + 7 * 86_400_000 }]);
    expect(JSON.stringify(proofs)).not.toMatch(/12345678|ana/i);
    expect(joined).toEqual([(proofs[0] as { person: string }).person]);
  });

  test("goes on with the ticket that the address has, and with its own where that one is the ticket of others", async () => {
    const held = testId("tkt", "B");
    const { jwk } = await newBrowser();
    const join = async (owner: "nobody" | "the person" | "somebody else") => {
      const abandoned: unknown[] = [];
      const { made, send } = store(null, {
        lobby: {
          personsOf: async (ticket) => (expect(ticket).toBe(held), owner === "nobody" ? null : { owner: owner === "the person" ? made.ports.credentials.personOf("ana@example.org") : "another", members: [] }),
          proveAddress: async (proof) => (abandoned.push(proof.abandoned), proof.abandoned === held ? accepted(null) : rejected({ code: "identity_in_use", ticket: held })),
          join: async (command) => accepted({ ...command, joinedAt: OPENS_AT - 60_000 }),
        },
      });
      const { status } = await send("PUT", `/api/drops/moth-tee/tickets/${TICKET}`, { body: { jwk, wants: WANTS, identity: { email: "ana@example.org", code: "12345678" } } });
      return [status, abandoned];
    };
    expect(await join("somebody else")).toEqual([201, [undefined, held]]);
    for (const owner of ["nobody", "the person"] as const) expect(await join(owner)).toEqual([409, [undefined]]);
  });

  test("is refused by the person's shard, before the ticket's is asked", async () => {
    const { jwk } = await newBrowser();
    const join = (rejection: { readonly code: "identity_invalid" } | { readonly code: "identity_in_use"; readonly ticket: string }) =>
      store(null, { lobby: { proveAddress: async () => rejected(rejection), personsOf: async () => null } }).send("PUT", `/api/drops/moth-tee/tickets/${TICKET}`, { body: { jwk, wants: WANTS, identity: { email: "ana@example.org", code: "12345678" } } });
    await expectProblem(await join({ code: "identity_invalid" }), "identity_invalid");
    expect(await expectProblem(await join({ code: "identity_in_use", ticket: testId("tkt", "B") }), "identity_in_use")).toMatchObject({ ticket: testId("tkt", "B") });
  });
});
