import { describe, expect, it } from "vitest";
import { accepted, rejected } from "../../../../src/kernel/result.ts";
import { client, expectProblem, newShopper, type Send } from "../../../support/storefront-client.ts";
import { admitted, holdView, testId, world } from "../../../support/storefront-doubles.ts";

const PASSES = "/api/drops/moth-tee/passes";
const HOLD = `/api/drops/moth-tee/holds/${testId("hld", "A")}`;
const ORDER = `/api/orders/${testId("ord", "A")}`;
const shopper = await newShopper();
const stranger = await newShopper({ entry: "00".repeat(32) });
const lines = [{ sku: "MOTH-S", quantity: 1 }];
const orderBody = { drop: "moth-tee", hold: testId("hld", "A"), email: "ana@example.org", delivery: { method: "pickup", point: "kiosk-k" } };

const asPass = async (send: Send, method: string, path: string, body?: unknown, who = shopper) =>
  send(method, path, { ...(body === undefined ? {} : { body }), headers: await who.bound(who.pass, method, path) });
const claim = async (send: Send) => send("POST", PASSES, { body: {}, headers: await shopper.bound(shopper.ticket, "POST", PASSES) });

describe("whoever asks the drop again and again with one pass", () => {
  const flood = async (ask: () => Promise<Response>) => {
    const statuses: number[] = [];
    for (let time = 0; time < 130; time++) statuses.push((await ask()).status);
    return statuses;
  };

  it("is told to wait at the door, by whichever way and with whatever answers; nobody else is", async () => {
    let asked = 0;
    const soldOut = async () => (asked++, rejected({ code: "sold_out", sku: "MOTH-S", available: 0, nextStageAt: null } as const));
    const drop = { ...admitted, hold: soldOut, holdState: async () => (asked++, holdView()), abandon: async () => (asked++, rejected({ code: "order_placed" } as const)), place: async () => (asked++, rejected({ code: "hold_expired" } as const)) };
    for (const [method, path, body] of [["PUT", HOLD, { lines }], ["GET", HOLD, undefined], ["DELETE", HOLD, undefined], ["PUT", ORDER, orderBody]] as const) {
      asked = 0;
      const made = world({ drop });
      const send = client(made);
      const statuses = await flood(() => asPass(send, method, path, body));
      expect([asked, statuses.slice(0, 120).includes(429), new Set(statuses.slice(120))]).toEqual([120, false, new Set([429])]);
      const refused = await asPass(send, "GET", HOLD);
      expect(refused.headers.get("retry-after")).toBe("30");
      await expectProblem(refused, "too_many_requests");
      await expectProblem(await claim(send), "too_many_requests");
      expect((await asPass(send, "GET", HOLD, undefined, stranger)).status).toBe(200);
      made.now += 30_000;
      expect((await asPass(send, "GET", HOLD)).status).toBe(200);
    }
  }, 30_000);

  it("is told so for claims too, whether they are answered with a pass or with patience", async () => {
    let asked = 0;
    const send = client(world({ drop: { claim: async (ticket) => (asked++, admitted.claim?.(ticket) ?? rejected({ code: "drop_paused" })) } }));
    const statuses = await flood(() => claim(send));
    expect([asked, new Set(statuses.slice(0, 120)), new Set(statuses.slice(120))]).toEqual([120, new Set([201]), new Set([429])]);
  });

  it("is told so by the drop as well, and gives nothing back then", async () => {
    const retryAt = world().now + 12_000;
    const send = client(world({ drop: { abandon: async () => rejected({ code: "too_many_requests", retryAt }), hold: async () => accepted(holdView()) } }));
    const refused = await asPass(send, "DELETE", HOLD);
    expect(refused.headers.get("retry-after")).toBe("12");
    await expectProblem(refused, "too_many_requests");
  });
});
