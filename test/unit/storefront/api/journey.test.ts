import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { HoldAnswer } from "../../../../schema/wire/hold.ts";
import { OrderAnswer, OrderStatusAnswer, ReceiptAnswer } from "../../../../schema/wire/order.ts";
import { EntriesAnswer, JoinAnswer, PassAnswer, ProofAnswer, TicketStandingAnswer, WaitingAnswer } from "../../../../schema/wire/ticket.ts";
import type { HoldCommand, HoldRejection, MovementRow, PlaceCommand, PlaceRejection, TicketFacts } from "../../../../src/drop/port.ts";
import { Fault, accepted, rejected } from "../../../../src/kernel/result.ts";
import type { JoinCommand } from "../../../../src/lobby/port.ts";
import { OPEN_BUDGET_MS } from "../../../../src/storefront/api/placing.ts";
import { client, expectProblem, newShopper, type Send } from "../../../support/storefront-client.ts";
import { admitted, credentials, ENTRY, holdView, JOINED_AT, liveAt, OPENS_AT, orderView, placedOrder, PLAN_HASH, plan, RANK, testId, TICKET, world } from "../../../support/storefront-doubles.ts";

const DROP = "/api/drops/moth-tee";
const TICKETS = `${DROP}/tickets/${TICKET}`;
const PASSES = `${DROP}/passes`;
const HOLD = `${DROP}/holds/${testId("hld", "A")}`;
const ORDER = `/api/orders/${testId("ord", "A")}`;
const shopper = await newShopper();
const stranger = await newShopper({ entry: "00".repeat(32) });
const orderBody = { drop: "moth-tee", hold: testId("hld", "A"), email: " Ana+x@EXAMPLE.org", delivery: { method: "pickup", point: "kiosk-k", slot: "17:30-18:00" } };

const asTicket = async (send: Send, body?: unknown) => send("POST", PASSES, { ...(body === undefined ? {} : { body }), headers: await shopper.bound(shopper.ticket, "POST", PASSES) });
const asPass = async (send: Send, method: string, path: string, body?: unknown, who = shopper) =>
  send(method, path, { ...(body === undefined ? {} : { body }), headers: await who.bound(who.pass, method, path) });

describe("joining the lobby", () => {
  const join = async (command: JoinCommand) => accepted({ ...command, joinedAt: JOINED_AT });
  const body = { jwk: shopper.jwk, wants: [{ sku: "MOTH-S", quantity: 2 }] };

  it("gives a ticket that names the plan and its commitment, and the same one when the request is sent again", async () => {
    const send = client(world({ lobby: { join } }));
    const [first, again] = [await send("PUT", TICKETS, { body }), await send("PUT", TICKETS, { body })];
    expect(first.status).toBe(201);
    const text = await first.text();
    expect(await again.text()).toBe(text);
    const answer = v.parse(JoinAnswer, JSON.parse(text));
    expect(answer).toMatchObject({ id: TICKET, entry: ENTRY, lane: "open", joinedAt: new Date(JOINED_AT).toISOString() });
    const claims = JSON.parse(Buffer.from(answer.ticket.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ plan: PLAN_HASH, commitment: plan.commitment, wants: body.wants });
  });

  it("is asked of the one shard that the keyed hash names", async () => {
    const shards: number[] = [];
    const base = world({ lobby: { join, standing: async () => null } });
    const lobby = (slug: string, shard: number) => (shards.push(shard), base.ports.lobby(slug, shard));
    const send = client({ ...base, ports: { ...base.ports, lobby } });
    await send("PUT", TICKETS, { body });
    await send("GET", TICKETS);
    expect(shards).toEqual(Array(2).fill(credentials.shardOf("moth-tee", TICKET, plan.shards)));
  });

  it("takes no notice of a solution and an identity where no gate asks for them", async () => {
    const commands: JoinCommand[] = [];
    const send = client(world({ lobby: { join: async (command) => (commands.push(command), join(command)) } }));
    expect((await send("PUT", TICKETS, { body: { ...body, evidence: {}, solution: { turnstile: "y" }, identity: { email: "kim@example.com", code: "123456" } } })).status).toBe(201);
    expect(commands).toMatchObject([{ lane: "open", weight: 1, wants: body.wants }]);
  });

  it("before it opens says when it opens", async () => {
    const send = client(world({ lobby: { join: async () => rejected({ code: "lobby_not_open", lobbyOpensAt: plan.lobbyOpensAt }) } }));
    expect(await expectProblem(await send("PUT", TICKETS, { body }), "lobby_not_open")).toMatchObject({ lobbyOpensAt: "2026-12-04T17:30:00.000Z" });
  });

  it("with a ticket of another key is refused without saying more", async () => {
    await expectProblem(await client(world({ lobby: { join: async () => rejected({ code: "id_reused" }) } }))("PUT", TICKETS, { body }), "id_reused");
  });
});

describe("coming back", () => {
  it("a ticket's standing, its proof and the leaves of its shard have the shapes of the wire; what is not there is not found", async () => {
    const leaf = { entry: ENTRY, lane: "open", weight: 1 };
    const send = client(world({ lobby: {
      standing: async (ticket) => (ticket === TICKET ? { state: "waiting", lane: "open", rank: RANK, position: 7 } : null),
      proof: async (ticket) => (ticket === TICKET ? { shard: 1, batch: 0, leaf, index: 0, count: 1, root: "ab".repeat(32), path: [] } : null),
      entries: async () => ({ leaves: [leaf], count: 1 }),
    } }));
    expect(v.parse(TicketStandingAnswer, await (await send("GET", TICKETS)).json())).toEqual({ state: "waiting", lane: "open", rank: RANK, position: 7, eta: null });
    expect(v.parse(ProofAnswer, await (await send("GET", `${TICKETS}/proof`)).json())).toMatchObject({ leaf });
    expect(v.parse(EntriesAnswer, await (await send("GET", `${DROP}/entries?shard=3`)).json())).toEqual({ entries: [leaf] });
    for (const path of ["", "/proof"]) await expectProblem(await send("GET", `${DROP}/tickets/${testId("tkt", "B")}${path}`), "not_found");
  });

  it("a drop that asks for no proof of work says so, with or without a body", async () => {
    const send = client(world());
    for (const options of [{}, { body: {} }]) expect(await (await send("POST", `${DROP}/challenges`, options)).json()).toEqual({ challenge: null });
    for (const body of [[], { difficulty: 1 }]) await expectProblem(await send("POST", `${DROP}/challenges`, { body }), "invalid_request");
  });
});

describe("claiming a pass", () => {
  it("whose place is called gets a pass that opens holds, and the same one when it asks again", async () => {
    const facts: TicketFacts[] = [];
    const send = client(world({ drop: { claim: async (ticket) => (facts.push(ticket), admitted.claim?.(ticket) ?? Promise.reject(new Error("no answer"))), hold: async () => accepted(holdView()) } }));
    const response = await asTicket(send);
    expect(response.status).toBe(201);
    const answer = v.parse(PassAnswer, await response.json());
    expect(answer.expiresAt).toBe(new Date(OPENS_AT + 69_000).toISOString());
    expect(await (await asTicket(send, {})).json()).toEqual(answer);
    expect(facts[0]).toEqual({ ticket: TICKET, shard: credentials.shardOf("moth-tee", TICKET, plan.shards), entry: ENTRY, lane: "open", weight: 1, joinedAt: JOINED_AT, wants: [{ sku: "MOTH-S", quantity: 1 }], keyThumbprint: facts[0]?.keyThumbprint, person: null });
    const held = await send("PUT", HOLD, { body: { lines: [{ sku: "MOTH-S", quantity: 1 }] }, headers: await shopper.bound(answer.pass, "PUT", HOLD) });
    expect(held.status).toBe(201);
  });

  it("whose place is not called waits, and the Drop object never hears of it", async () => {
    const standing = async () => ({ state: "waiting", lane: "open", rank: RANK, position: 12 }) as const;
    const justBelow = `${RANK.slice(0, -1)}${RANK.endsWith("0") ? "" : "0"}`;
    for (const live of [
      { thresholds: [{ sku: "MOTH-S", lane: "open", upTo: null }] },
      { thresholds: [{ sku: "MOTH-S", lane: "open", upTo: justBelow }] },
      { thresholds: [{ sku: "MOTH-S", lane: "member", upTo: "~" }, { sku: "MOTH-M", lane: "open", upTo: "~" }] },
      { phase: "drawing" as const, seed: null, thresholds: [] },
    ]) {
      const response = await asTicket(client(world({ live: liveAt(OPENS_AT + 9_000, live), lobby: { standing } })));
      expect([response.status, v.parse(WaitingAnswer, await response.json())]).toEqual([200, { state: "waiting", position: 12 }]);
    }
  });

  it("exactly at the threshold is called", async () => {
    const live = liveAt(OPENS_AT + 9_000, { thresholds: [{ sku: "MOTH-S", lane: "open", upTo: RANK }] });
    expect((await asTicket(client(world({ live, drop: admitted })))).status).toBe(201);
  });

  it("during a pause is answered by the Drop object for whoever was called, who may have sat down before, and refused for everybody else", async () => {
    const paused = liveAt(OPENS_AT + 9_000, { phase: "paused" });
    expect((await asTicket(client(world({ live: paused, drop: admitted })))).status).toBe(201);
    await expectProblem(await asTicket(client(world({ live: paused, drop: { claim: async () => rejected({ code: "drop_paused" }) } }))), "drop_paused");
    const notCalled = liveAt(OPENS_AT + 9_000, { phase: "paused", thresholds: [{ sku: "MOTH-S", lane: "open", upTo: null }] });
    await expectProblem(await asTicket(client(world({ live: notCalled }))), "drop_paused");
    await expectProblem(await asTicket(client(world({ live: liveAt(OPENS_AT + 9_000, { phase: "paused", seed: null, thresholds: [] }) }))), "drop_paused");
  });

  it("is refused by the phase alone before the opening and after the close", async () => {
    for (const [phase, code] of [["announced", "drop_not_open"], ["lobby", "drop_not_open"], ["closed", "drop_closed"], ["cancelled", "drop_closed"]] as const) {
      const document = await expectProblem(await asTicket(client(world({ live: liveAt(OPENS_AT + 9_000, { phase }) }))), code);
      if (code === "drop_not_open") expect(document).toMatchObject({ opensAt: "2026-12-04T18:00:00.000Z" });
    }
  });

  it("with a ticket of a drop that was started afresh under the same name is refused", async () => {
    await expectProblem(await asTicket(client(world({ live: { ...liveAt(OPENS_AT + 9_000), planHash: "99".repeat(32) } }))), "credential_invalid");
  });

  it("again too soon is told when", async () => {
    const send = client(world({ drop: { claim: async () => rejected({ code: "too_many_requests", retryAt: OPENS_AT + 40_500 }) } }));
    const response = await asTicket(send);
    expect(await expectProblem(response, "too_many_requests")).toMatchObject({ retryAt: "2026-12-04T18:00:40.500Z" });
    expect(response.headers.get("retry-after")).toBe("31");
  });

  it("with an old nonce is given the new one", async () => {
    const late = world();
    late.now += 3_600_000;
    const response = await asTicket(client(late));
    await expectProblem(response, "use_dpop_nonce");
    expect(response.headers.get("dpop-nonce")).toBe(credentials.dpopNonce(late.now));
    expect(response.headers.get("www-authenticate")).toContain('error="use_dpop_nonce"');
  });
});

describe("holding", () => {
  const lines = [{ sku: "MOTH-S", quantity: 1 }];

  it("answers as the drop decided, for this sitting and entry", async () => {
    const commands: HoldCommand[] = [];
    const send = client(world({ drop: { hold: async (command) => (commands.push(command), accepted(holdView())) } }));
    const response = await asPass(send, "PUT", HOLD, { lines, replaces: testId("hld", "B") });
    expect(response.status).toBe(201);
    expect(v.parse(HoldAnswer, await response.json())).toEqual({
      id: testId("hld", "A"), state: "held", lines: [{ sku: "MOTH-S", quantity: 1, unitPriceMinor: 4200, totalMinor: 4200 }], totalMinor: 4200, currency: "EUR", expiresAt: new Date(OPENS_AT + 490_000).toISOString(),
    });
    expect(commands).toEqual([{ id: testId("hld", "A"), sitting: "pas_sitting", entry: ENTRY, lines, replaces: testId("hld", "B"), network: credentials.networkOf("local") }]);
  });

  it.each<[HoldRejection, Parameters<typeof expectProblem>[1], Record<string, unknown>]>([
    [{ code: "drop_not_open", opensAt: OPENS_AT }, "drop_not_open", { opensAt: "2026-12-04T18:00:00.000Z" }],
    [{ code: "drop_closed" }, "drop_closed", {}],
    [{ code: "drop_paused" }, "drop_paused", {}],
    [{ code: "not_admitted" }, "not_admitted", {}],
    [{ code: "pass_expired" }, "pass_expired", {}],
    [{ code: "id_reused" }, "id_reused", {}],
    [{ code: "not_found" }, "not_found", {}],
    [{ code: "limit_reached", limit: 2 }, "limit_reached", { limit: 2 }],
    [{ code: "sold_out", sku: "MOTH-S", available: 1, nextStageAt: OPENS_AT + 1_800_000 }, "sold_out", { sku: "MOTH-S", available: 1, nextStageAt: "2026-12-04T18:30:00.000Z" }],
    [{ code: "sold_out", sku: "MOTH-S", available: 0, nextStageAt: null }, "sold_out", { nextStageAt: null }],
    [{ code: "quantity_not_allowed", pointer: "/lines/0/quantity", max: 2 }, "invalid_request", { max: 2, errors: [{ pointer: "/lines/0/quantity", detail: "At most 2 can be bought by one person." }] }],
    [{ code: "unknown_sku", pointer: "/lines/0/sku" }, "invalid_request", { errors: [{ pointer: "/lines/0/sku", detail: "This drop has no such item." }] }],
  ])("the drop's %o reaches the shopper with its facts", async (rejection, code, facts) => {
    const send = client(world({ drop: { hold: async () => rejected(rejection) } }));
    expect(await expectProblem(await asPass(send, "PUT", HOLD, { lines }), code)).toMatchObject(facts);
  });

  it("without a pass, with a ticket in its place or with a pass of another drop is refused before the drop is asked", async () => {
    const send = client(world());
    await expectProblem(await send("PUT", HOLD, { body: { lines } }), "credential_missing");
    await expectProblem(await send("PUT", HOLD, { body: { lines }, headers: { authorization: `DPoP ${shopper.pass}` } }), "credential_missing");
    await expectProblem(await send("PUT", HOLD, { body: { lines }, headers: { ...(await shopper.bound(shopper.pass, "PUT", HOLD)), authorization: `Bearer ${shopper.pass}` } }), "credential_missing");
    await expectProblem(await send("PUT", HOLD, { body: { lines }, headers: await shopper.bound(shopper.ticket, "PUT", HOLD) }), "credential_invalid");
    await expectProblem(await asPass(send, "PUT", HOLD, { lines }, await newShopper({ drop: "other" })), "credential_invalid");
  });

  it("accepts the scheme in any case", async () => {
    const bound = await shopper.bound(shopper.pass, "GET", HOLD);
    const send = client(world({ drop: { holdState: async () => holdView() } }));
    expect((await send("GET", HOLD, { headers: { ...bound, authorization: `dpop ${shopper.pass}` } })).status).toBe(200);
  });

  it("can be looked at and given up by its owner alone", async () => {
    const send = client(world({ drop: {
      holdState: async (_id, entry) => (entry === ENTRY ? holdView() : null),
      abandon: async (_id, entry) => (entry === ENTRY ? accepted(holdView({ state: "abandoned" })) : rejected({ code: "not_found" })),
    } }));
    expect(v.parse(HoldAnswer, await (await asPass(send, "GET", HOLD)).json()).state).toBe("held");
    expect(v.parse(HoldAnswer, await (await asPass(send, "DELETE", HOLD)).json()).state).toBe("abandoned");
    for (const method of ["GET", "DELETE"]) await expectProblem(await asPass(send, method, HOLD, undefined, stranger), "not_found");
    await expectProblem(await asPass(client(world({ drop: { abandon: async () => rejected({ code: "order_placed" }) } })), "DELETE", HOLD), "order_placed");
  });
});

describe("placing an order", () => {
  const open = async () => orderView();

  it("gives the drop what it needs and the shopper the way to pay; the same request again gives the same answer", async () => {
    const commands: PlaceCommand[] = [];
    const send = client(world({ drop: { place: async (command) => (commands.push(command), accepted(placedOrder())) }, checkout: { open } }));
    const [first, again] = [await asPass(send, "PUT", ORDER, orderBody), await asPass(send, "PUT", ORDER, orderBody)];
    expect([first.status, again.status]).toEqual([201, 201]);
    const text = await first.text();
    expect(await again.text()).toBe(text);
    expect(v.parse(OrderAnswer, JSON.parse(text))).toMatchObject({ id: testId("ord", "A"), state: "placed", totalMinor: 4200, payment: { state: "pending", url: "https://pay.example/1" } });
    expect(commands[0]).toEqual({
      id: testId("ord", "A"), hold: testId("hld", "A"), sitting: "pas_sitting", entry: ENTRY, person: credentials.personOf("ana@example.org"), email: "Ana+x@example.org",
      delivery: { method: "pickup", point: "kiosk-k", slot: "17:30-18:00" }, coupon: null, region: "berlin", locale: "de-DE", returnTo: "https://nightjar.example",
    });
  });

  it("tells the drop where it is sent, as a keyed hash beside the address, and a refusal for it says so", async () => {
    const commands: PlaceCommand[] = [];
    const address = { name: "Ana", line1: "Weserstraße 12", postalCode: "12047", city: "Berlin", country: "DE" };
    const send = client(world({ drop: { place: async (command) => (commands.push(command), rejected({ code: "limit_reached", limit: 4, per: "address" })) } }));
    const answer = await asPass(send, "PUT", ORDER, { ...orderBody, delivery: { method: "ship", address } });
    expect([answer.status, await answer.json()]).toEqual([409, expect.objectContaining({ code: "limit_reached", limit: 4, per: "address" })]);
    expect(commands[0]).toMatchObject({ destination: credentials.destinationOf({ ...address, line2: null }), delivery: { method: "ship" } });
  });

  it("exists and says so when settlement fails or is slow", async () => {
    const never = () => new Promise<never>(() => undefined);
    const waits: number[] = [];
    for (const [open, wait] of [[() => Promise.reject(new Fault("down", { retryable: true })), never], [never, async (ms: number) => void waits.push(ms)]] as const) {
      const send = client(world({ drop: { place: async () => accepted(placedOrder()) }, checkout: { open }, ports: { wait } }));
      const response = await asPass(send, "PUT", ORDER, orderBody);
      expect(response.status).toBe(201);
      expect(v.parse(OrderAnswer, await response.json())).toMatchObject({ state: "confirming", payment: { state: "none", url: null }, totalMinor: 4200 });
    }
    expect(waits).toEqual([OPEN_BUDGET_MS]);
  });

  it("takes a typed word in any case as its campaign, where and when it is valid", async () => {
    const coupons: unknown[] = [];
    const send = client(world({ drop: { place: async (command) => (coupons.push(command.coupon), accepted(placedOrder())), placed: async () => null }, checkout: { open } }));
    expect((await asPass(send, "PUT", ORDER, { ...orderBody, coupon: "berlin", source: { region: "berlin" } })).status).toBe(201);
    expect(coupons).toEqual([{ campaign: "berlin-night", voucher: "typed", voucherUses: null, region: "berlin" }]);
  });

  it("judges a coupon's region by who delivers, and not by where somebody says that they came from", async () => {
    const coupons: unknown[] = [];
    const send = client(world({ drop: { place: async (command) => (coupons.push(command.coupon), accepted(placedOrder())), placed: async () => null }, checkout: { open } }));
    const inLisbon = { method: "pickup", point: "feira" };
    await expectProblem(await asPass(send, "PUT", ORDER, { ...orderBody, delivery: inLisbon, coupon: "berlin", source: { region: "berlin" } }), "coupon_invalid");
    expect(coupons).toEqual([]);
    expect((await asPass(send, "PUT", ORDER, { ...orderBody, coupon: "berlin", source: { region: "lisbon" } })).status).toBe(201);
    expect(coupons).toEqual([expect.objectContaining({ campaign: "berlin-night", region: "berlin" })]);
  });

  it("that was placed with a coupon whose time is over by now gives its first answer again, to its owner alone", async () => {
    const order = placedOrder({ coupon: { campaign: "berlin-night", voucher: "typed" }, discountMinor: 420, totalMinor: 3780 });
    const late = world({ drop: { placed: async () => order }, checkout: { open: async () => orderView({ order }) } });
    late.now = plan.campaigns[0]?.validUntil ?? 0;
    const nonce = () => credentials.dpopNonce(late.now);
    const retry = async (who: typeof shopper) => {
      const token = await credentials.mintPass({ drop: "moth-tee", sitting: "pas_sitting", entry: who === shopper ? ENTRY : "00".repeat(32), keyThumbprint: await thumbprint(who.jwk) }, late.now - 60_000, late.now + 60_000);
      const proof = await who.proof(token, "PUT", `https://nightjar.example${ORDER}`, { claims: { nonce: nonce() } });
      return client(late)("PUT", ORDER, { body: { ...orderBody, coupon: "BERLIN" }, headers: { authorization: `DPoP ${token}`, dpop: proof } });
    };
    expect(v.parse(OrderAnswer, await (await retry(shopper)).json())).toMatchObject({ discountMinor: 420, totalMinor: 3780 });
    await expectProblem(await retry(stranger), "coupon_invalid");
  });

  it.each<[PlaceRejection, Parameters<typeof expectProblem>[1]]>([
    [{ code: "hold_expired" }, "hold_expired"], [{ code: "not_found" }, "not_found"], [{ code: "id_reused" }, "id_reused"], [{ code: "order_placed" }, "order_placed"],
    [{ code: "limit_reached", limit: 2 }, "limit_reached"], [{ code: "coupon_invalid" }, "coupon_invalid"], [{ code: "coupon_used_up" }, "coupon_used_up"],
  ])("the drop's %o is the shopper's answer, and settlement is not asked", async (rejection, code) => {
    await expectProblem(await asPass(client(world({ drop: { place: async () => rejected(rejection) } })), "PUT", ORDER, orderBody), code);
  });
});

async function thumbprint(jwk: Record<string, unknown>): Promise<string> {
  const { browserKeyThumbprint } = await import("../../../../src/storefront/browser-key.ts");
  return browserKeyThumbprint({ kty: "EC", crv: "P-256", x: String(jwk["x"]), y: String(jwk["y"]) }) ?? "";
}

const receipt = await credentials.mintReceipt({ id: testId("ord", "A"), drop: "moth-tee" }, OPENS_AT);

describe("reading an order", () => {
  const order = async (id: string) => (id === testId("ord", "A") ? orderView({ state: "confirmed", payment: { state: "authorised", url: null } }) : null);
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  it("by its receipt or by the pass of its sitting gives the order with its story", async () => {
    const send = client(world({ checkout: { order } }));
    const byReceipt = v.parse(OrderStatusAnswer, await (await send("GET", ORDER, bearer(receipt))).json());
    expect(byReceipt).toMatchObject({ state: "confirmed", payment: { state: "authorised" }, timeline: [{ kind: "placed" }] });
    expect(await (await asPass(send, "GET", ORDER)).json()).toEqual(byReceipt);
  });

  it("without a credential or with one that is wrong is 401, with one for something else 404, as for an order that never was", async () => {
    const send = client(world({ checkout: { order }, drop: { placed: async () => null } }));
    await expectProblem(await send("GET", ORDER), "credential_missing");
    await expectProblem(await send("GET", ORDER, bearer("x.y.z")), "credential_invalid");
    await expectProblem(await send("GET", ORDER, bearer(shopper.pass)), "credential_invalid");
    const other = await credentials.mintReceipt({ id: testId("ord", "B"), drop: "moth-tee" }, OPENS_AT);
    const foreign = await expectProblem(await send("GET", ORDER, bearer(other)), "not_found");
    // Whoever places an order of the same id in another drop gets a receipt for that one, not for this.
    const sameId = await credentials.mintReceipt({ id: testId("ord", "A"), drop: "other-drop" }, OPENS_AT);
    expect(await expectProblem(await send("GET", ORDER, bearer(sameId)), "not_found")).toEqual(foreign);
    const theirs = await expectProblem(await asPass(send, "GET", ORDER, undefined, stranger), "not_found");
    const never = await expectProblem(await asPass(send, "GET", `/api/orders/${testId("ord", "C")}`), "not_found");
    expect([theirs, { ...never, instance: ORDER }]).toEqual([foreign, foreign]);
    await expectProblem(await send("GET", "/api/orders/ord_1", bearer(receipt)), "not_found");
  });

  it("that settlement has not heard of, or cannot tell, is what the drop placed", async () => {
    for (const unheard of [async () => null, () => Promise.reject(new Error("down"))]) {
      const send = client(world({ checkout: { order: unheard, refresh: async () => null }, drop: { placed: async () => placedOrder() } }));
      expect(v.parse(OrderStatusAnswer, await (await send("GET", ORDER, bearer(receipt))).json())).toMatchObject({ state: "confirming", payment: { state: "none", url: null } });
      await expectProblem(await asPass(send, "GET", ORDER, undefined, stranger), "not_found");
    }
  });

  it("asks the provider for whoever comes back before the webhook, at most every two seconds", async () => {
    let asked = 0;
    const paid = orderView({ state: "confirmed", payment: { state: "authorised", url: null } });
    const pending = world({ checkout: { order: async () => orderView(), refresh: async () => (asked++, paid) } });
    const send = client(pending);
    const states: string[] = [];
    for (const [step, aheadMs] of [[0, 0], [1, 1_999], [2, 2_000]] as const) {
      pending.now = OPENS_AT + 10_000 + aheadMs;
      states[step] = v.parse(OrderStatusAnswer, await (await send("GET", ORDER, bearer(receipt))).json()).state;
    }
    expect([asked, states]).toEqual([2, ["confirmed", "placed", "confirmed"]]);
  });

  it("as a receipt is signed over exactly what is shown", async () => {
    const { compactVerify, importJWK } = await import("jose");
    const { canonicalJson } = await import("../../../../src/kernel/canonical.ts");
    const answer = v.parse(ReceiptAnswer, await (await client(world({ checkout: { order } }))("GET", `${ORDER}/receipt`, bearer(receipt))).json());
    const [key] = credentials.publicKeys.keys;
    const { payload } = await compactVerify(answer.signature, await importJWK({ ...key, kty: "OKP" }, "EdDSA"));
    expect(new TextDecoder().decode(payload)).toBe(canonicalJson(answer.receipt));
    expect(answer.schemaOrg["@type"]).toBe("Order");
  });
});

describe("the record", () => {
  const rowsUpTo = 2_345;
  const row = (seq: number): MovementRow => ({ seq, kind: "serve", at: "2026-12-04T18:00:00.000Z", prevHash: "0", hash: String(seq) });
  const record = async (from: number) => ({
    rows: Array.from({ length: Math.max(0, Math.min(1_000, rowsUpTo - from + 1)) }, (_, index) => row(from + index)),
    head: { seq: rowsUpTo, hash: String(rowsUpTo), at: "2026-12-04T18:00:00.000Z" }, signature: "a.b.c",
  });

  it("comes in pages of 1,000 rows, each with the signed head as its last line; a full page is for ever and asked for once", async () => {
    const asked: number[] = [];
    const send = client(world({ drop: { record: async (from) => (asked.push(from), record(from)) } }));
    const read = async (query: string) => {
      const response = await send("GET", `${DROP}/record${query}`);
      const lines = (await response.text()).trimEnd().split("\n").map((line): Record<string, unknown> => JSON.parse(line));
      expect(lines.at(-1)).toMatchObject({ head: { seq: rowsUpTo }, signature: "a.b.c" });
      return { seqs: lines.slice(0, -1).map((line) => line["seq"]), cache: response.headers.get("cache-control"), type: response.headers.get("content-type") };
    };
    const first = await read("");
    expect([first.seqs.length, first.seqs[0], first.seqs.at(-1), first.type]).toEqual([1_000, 1, 1_000, "application/x-ndjson"]);
    expect(first.cache).toContain("immutable");
    await new Promise((resolve) => setTimeout(resolve));
    expect((await read("?from=1")).seqs).toEqual(first.seqs);
    expect((await read("?from=998")).seqs).toEqual([998, 999, 1_000]);
    const tail = await read("?from=2001");
    expect([tail.seqs.length, tail.cache]).toEqual([345, "public, max-age=1"]);
    expect((await read("?from=2300")).seqs.length).toBe(46);
    expect((await read("?from=5000")).seqs).toEqual([]);
    expect(asked).toEqual([1, 2_001]);
  });
});
