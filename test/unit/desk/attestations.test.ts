import { describe, expect, test } from "vitest";
import { attestation, attestationQuestion } from "../../../src/gate/attestation.ts";
import { decideRedemption } from "../../../src/lobby/redemptions.ts";
import { Backstage, now } from "./cast.ts";

const PATH = "/desk/api/drops/moth-tee/attestations";
const ticket = `tkt_${"A".repeat(26)}`;

test("asking whether staff have said it uses nothing up, and is answered yes only once they have", () => {
  const question = attestationQuestion(ticket, now);
  const { key, ticket: who } = attestation(ticket, now);
  expect([question.key, question.ticket]).toEqual([key, who]);
  expect(decideRedemption({ users: 0, isUser: false, isRevoked: false }, question)).toMatchObject({ ok: false });
  expect(decideRedemption({ users: 1, isUser: true, isRevoked: false }, question)).toEqual({ ok: true, value: { isNew: false } });
});

describe("what staff say of somebody who has no mail at hand", () => {
  test("is noted for the ticket and for nothing else, the same when it is said twice", async () => {
    const backstage = new Backstage();
    for (let time = 0; time < 2; time++) {
      const answer = await backstage.ask("POST", PATH, { body: { ticket } });
      expect([answer.status, answer.body]).toEqual([201, { ticket, attested: true }]);
    }
    expect(backstage.calls.filter((call) => call.startsWith("redeem"))).toEqual(Array(2).fill(`redeem moth-tee/0 attested/${ticket} by staff, 1 in all`));
  });

  test("counts for no name that is none, no drop that is none, and from nobody without the desk's key", async () => {
    const backstage = new Backstage();
    for (const body of [{}, { ticket: "tkt_1" }, { ticket: ticket.toLowerCase() }, { ticket, person: "x" }, { ticket: [ticket] }]) {
      expect((await backstage.ask("POST", PATH, { body })).status).toBe(422);
    }
    expect((await backstage.ask("POST", PATH, { body: { ticket }, headers: { authorization: "Bearer another-key-that-is-long" } })).status).toBe(401);
    backstage.known = false;
    expect((await backstage.ask("POST", PATH, { body: { ticket } })).status).toBe(404);
    expect(backstage.calls.filter((call) => call.startsWith("redeem"))).toEqual([]);
  });
});
