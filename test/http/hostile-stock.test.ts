import { afterAll, beforeAll, expect } from "vitest";
import { inParallel, wait } from "../support/crowd.ts";
import { claimsOf, hmacSigning, jws, headerOf, reminted, ticketSigning, unsigned } from "../support/forgery.ts";
import { admittedPeople, atRest, desk, expectRefusal, orderAtDesk, partiesOf, paymentsOf, sendBytes, sendProven, sendRaw, unchanged } from "../support/hostile.ts";
import { countHostile, hostile, hostileBeyond } from "../support/hostile-entries.ts";
import { startProduct, type Product } from "../support/product.ts";
import { readRecord, verifyRecord } from "../support/record-verifier.ts";
import { clientId, payAt, request, Shopper, type Answer } from "../support/shopper.ts";
import { storeVarsIn } from "../support/store-config.ts";

/* Hostile inputs against the stock, the queue and the live socket. The store sells in dinars: three decimals. */

const MINUTE = 60_000;
const MAIN = [{ sku: "MAIN-1", quantity: 1 }];
/** As many as fit into a test that runs every day; a hundred for each unit. */
const BUYS = 4_000;
const DROPS = ["race", "main", "later", "brief"] as const;

let product: Product;
let racers: Shopper[];
/** Admitted, with nothing held. */
let people: Shopper[];
/** With a ticket of a drop that opens in an hour. */
let early: Shopper;
let late: Shopper;
/** What takes its time runs beside the other tests. */
let sitting: Promise<readonly Answer[]>;
let boundary: Promise<number>;

beforeAll(async () => {
  const half = (after: string) => `[ { share = 50, after = "0s" }, { share = 50, after = "${after}" } ]`;
  product = await startProduct(storeVarsIn("KWD",
    { slug: "race", items: [{ sku: "RACE-1", priceMinor: 4200, quantity: 40 }], limitPerPerson: 1, claimWindow: "10m" },
    { slug: "main", items: [{ sku: "MAIN-1", priceMinor: 4200, quantity: 12 }], stages: half("1h"), closesAfter: "3h", claimWindow: "10m" },
    { slug: "later", items: [{ sku: "LATER-1", priceMinor: 4200, quantity: 9 }], opensAfter: "1h", closesAfter: "2h" },
    { slug: "brief", items: [{ sku: "BRIEF-1", priceMinor: 4200, quantity: 9 }], claimWindow: "1s" },
    { slug: "sitting", items: [{ sku: "SIT-1", priceMinor: 4200, quantity: 1 }], claimWindow: "3s", hold: "10s", limitPerPerson: 1 },
    { slug: "edge", items: [{ sku: "EDGE-1", priceMinor: 4200, quantity: 10 }], stages: half("9s"), hold: "10s", limitPerPerson: 5, claimWindow: "10m" },
  ));
  await wait(1_000);
  sitting = holdWithoutPaying();
  boundary = buyAcrossStages();
  // Looked at where they are tested; until then a failure of theirs belongs to no other test.
  sitting.catch(() => null);
  boundary.catch(() => null);
  [racers, people, early, late] = await Promise.all([
    admittedPeople(product, "race", 100, "RACE-1"),
    admittedPeople(product, "main", 10, "MAIN-1"),
    joined("later", "LATER-1"),
    admittedPeople(product, "brief", 1, "BRIEF-1").then(([first]) => first as Shopper),
  ]);
  await atRest(product, DROPS, 1_100);
});
afterAll(() => product?.stop());

async function joined(drop: string, sku: string): Promise<Shopper> {
  const shopper = new Shopper(product.store, drop);
  expect((await shopper.join([{ sku, quantity: 1 }])).status).toBe(201);
  return shopper;
}

/** The first person of the pool who was not used yet. */
function person(): Shopper {
  const shopper = people.shift();
  if (shopper === undefined) throw new Error("the pool of people is empty");
  return shopper;
}

const holdPath = (drop: string, id = clientId("hld")) => `/api/drops/${drop}/holds/${id}`;

/** Whoever holds the only unit and never pays: the answers to what is tried after each step. */
async function holdWithoutPaying(): Promise<readonly Answer[]> {
  const unit = [{ sku: "SIT-1", quantity: 1 }];
  const [greedy] = await admittedPeople(product, "sitting", 1, "SIT-1");
  if (greedy === undefined) throw new Error("nobody was admitted");
  const held = await greedy.hold(unit);
  const other = await joined("sitting", "SIT-1");
  await other.admitted();
  const meanwhile = await other.hold(unit);
  await wait(Date.parse(held.body.expiresAt) - Date.now() + 50);
  const atOnce = await greedy.claim();
  const next = await joined("sitting", "SIT-1");
  await next.admitted();
  const freed = await next.hold(unit);
  await wait(6_000);
  const second = await greedy.claim();
  await wait(Date.parse(second.body.expiresAt) - Date.now() + 50);
  return [held, meanwhile, atOnce, freed, second, await greedy.claim()];
}

/** Holds all of stage 1, gives some back, lets the rest expire in stage 2, and buys whatever there is all the time. */
async function buyAcrossStages(): Promise<number> {
  const [first, second] = await admittedPeople(product, "edge", 2, "EDGE-1");
  if (first === undefined || second === undefined) throw new Error("nobody was admitted");
  expect((await first.hold([{ sku: "EDGE-1", quantity: 5 }])).status).toBe(201);
  const until = Date.now() + 30_000;
  let taken = 0;
  while (taken < 5 && Date.now() < until) {
    if ((await second.hold([{ sku: "EDGE-1", quantity: 1 }])).status === 201) taken++;
    await wait(150);
  }
  return taken;
}

hostile(1, `${BUYS} parallel buys of 40 units by 100 admitted people, answer exactly 40 times 201 and 409 for the rest`, async () => {
  const buys = Array.from({ length: BUYS }, (_, index) => racers[index % racers.length] as Shopper);
  await inParallel(racers, 32, (shopper) => shopper.live());
  const answers = await inParallel(buys, 100, (shopper) => shopper.hold([{ sku: "RACE-1", quantity: 1 }]));
  expect(answers.filter((answer) => answer.status === 201)).toHaveLength(40);
  expect(new Set(answers.filter((answer) => answer.status !== 201).map((answer) => `${answer.status} ${answer.body.code}`))).toEqual(new Set(["409 sold_out", "409 limit_reached"]));
  expect(await verifyRecord(product.store, "race")).toEqual({ failures: [], heldUnits: 40, soldUnits: 0, admitted: 100 });
});

hostile(2, "a quantity of 0, -1, 1.5, 1e309, \"1\", [1], null, true or 2^53, answer 422 invalid_request", async () => {
  const shopper = person();
  await unchanged(product, DROPS, async () => {
    for (const quantity of ["0", "-1", "1.5", "1e309", "-0.0", '"1"', "[1]", "null", "true", "{}", "9007199254740992", "1e-7"]) {
      const answer = await sendProven(shopper, "PUT", holdPath("main"), shopper.pass, `{"lines":[{"sku":"MAIN-1","quantity":${quantity}}]}`);
      expectRefusal(answer, 422, "invalid_request");
      expect(answer.body.errors[0].pointer, quantity).toBe("/lines/0/quantity");
    }
    for (const lines of ["[]", "{}", "null", JSON.stringify(Array.from({ length: 51 }, () => MAIN[0])), JSON.stringify([...MAIN, ...MAIN])]) {
      expectRefusal(await sendProven(shopper, "PUT", holdPath("main"), shopper.pass, `{"lines":${lines}}`), 422, "invalid_request");
    }
    const wanted = new Shopper(product.store, "main");
    expectRefusal(await wanted.join([{ sku: "MAIN-1", quantity: 0 }]), 422, "invalid_request");
    expectRefusal(await wanted.join([{ sku: "MAIN-1", quantity: 2 ** 53 }]), 422, "invalid_request");
  });
});

hostile(3, "more than the limit in one call, answer 422 invalid_request; split over 50 parallel calls, answer 409 limit_reached beyond two", async () => {
  const shopper = person();
  await unchanged(product, DROPS, async () => {
    const answer = await shopper.hold([{ sku: "MAIN-1", quantity: 3 }]);
    expectRefusal(answer, 422, "invalid_request");
    expect(answer.body.max).toBe(2);
  });
  const answers = await Promise.all(Array.from({ length: 50 }, () => shopper.hold(MAIN)));
  expect(answers.filter((answer) => answer.status === 201)).toHaveLength(2);
  for (const answer of answers.filter((candidate) => candidate.status !== 201)) expectRefusal(answer, 409, "limit_reached");
  const { rows } = await readRecord(product.store, "main");
  expect(rows.filter((row) => row.kind === "hold" && row["subject"] === shopper.entry)).toHaveLength(2);
});

hostile(4, "price, currency, stage and creator's share from the client, answer 422 invalid_request; the price is the plan's", async () => {
  const shopper = person();
  await unchanged(product, DROPS, async () => {
    for (const member of ['"priceMinor":1', '"totalMinor":1', '"currency":"EUR"', '"stage":2', '"splits":[]', '"creatorShare":0', '"expiresAt":"2030-01-01T00:00:00.000Z"', '"sitting":"x"', '"entry":"x"']) {
      expectRefusal(await sendProven(shopper, "PUT", holdPath("main"), shopper.pass, `{"lines":[{"sku":"MAIN-1","quantity":1}],${member}}`), 422, "invalid_request");
      expectRefusal(await sendProven(shopper, "PUT", holdPath("main"), shopper.pass, `{"lines":[{"sku":"MAIN-1","quantity":1,${member}}]}`), 422, "invalid_request");
      const order = `{"drop":"main","hold":"${clientId("hld")}","email":"a@b.example","delivery":{"method":"pickup","point":"kiosk-k"},${member}}`;
      expectRefusal(await sendProven(shopper, "PUT", `/api/orders/${clientId("ord")}`, shopper.pass, order), 422, "invalid_request");
    }
  });
  const held = await shopper.hold(MAIN);
  expect(held.body).toMatchObject({ totalMinor: 4200, currency: "KWD" });
});

hostile(5, "a buy before the opening with a client's clock an hour ahead, answer 403 drop_not_open", async () => {
  const pass = reminted(people[0]?.pass ?? "", ticketSigning(product), { claims: { drop: "later", aud: "later/pass", entry: early.entry, jkt: claimsOf(early.ticket)["jkt"] } });
  await unchanged(product, DROPS, async () => {
    await early.live();
    const clock = { date: new Date(Date.now() + 60 * MINUTE).toUTCString(), "x-now": String(Date.now() + 60 * MINUTE) };
    const iat = { claims: { iat: Math.floor(Date.now() / 1_000) + 3_600 } };
    const [claimUrl, holdUrl] = [early.url("/api/drops/later/passes"), early.url(holdPath("later"))];
    const claim = await sendRaw("POST", claimUrl, null, { authorization: `DPoP ${early.ticket}`, dpop: await early.proof("POST", claimUrl, early.ticket, early.nonce, iat), ...clock });
    expectRefusal(claim, 403, "drop_not_open");
    expect(Date.parse(claim.body.opensAt)).toBeGreaterThan(Date.now());
    // Even a pass with a genuine signature, which the store never gave, opens nothing before the time.
    const hold = await sendRaw("PUT", holdUrl, '{"lines":[{"sku":"LATER-1","quantity":1}]}', { authorization: `DPoP ${pass}`, dpop: await early.proof("PUT", holdUrl, pass, early.nonce, iat), ...clock });
    expectRefusal(hold, 403, "drop_not_open");
  });
});

hostile(10, "a queue ticket copied to 20 browsers, answer 401 credential_invalid to each; its owner has one sitting", async () => {
  const owner = await joined("main", "MAIN-1");
  const copies = Array.from({ length: 20 }, () => new Shopper(product.store, "main"));
  const answers = await Promise.all(copies.map(async (copy) => {
    copy.ticket = owner.ticket;
    return copy.claim();
  }));
  for (const answer of answers) expectRefusal(answer, 401, "credential_invalid");
  await owner.admitted();
  const passes = await Promise.all(Array.from({ length: 20 }, () => owner.claim()));
  expect(new Set(passes.map((answer) => answer.body.pass)).size).toBe(1);
  const { rows } = await readRecord(product.store, "main");
  expect(rows.filter((row) => row.kind === "admit" && row["subject"] === owner.entry)).toHaveLength(1);
});

hostile(11, "a ticket forged, with another place in it or signed for another drop, answer 401 credential_invalid", async () => {
  const shopper = people[0] as Shopper;
  const own = shopper.ticket;
  const [head = "", , mac = ""] = own.split(".");
  const withClaims = (claims: object) => `${head}.${Buffer.from(JSON.stringify({ ...claimsOf(own), ...claims })).toString("base64url")}.${mac}`;
  await unchanged(product, DROPS, async () => {
    const forged = [
      withClaims({ joined: 0 }), withClaims({ weight: 1_000 }), withClaims({ lane: "early" }), withClaims({ sub: clientId("tkt") }), withClaims({ wants: [{ sku: "MAIN-1", quantity: 99 }] }),
      jws(headerOf(own), claimsOf(own), hmacSigning("guess")), jws({ ...headerOf(own), alg: "none" }, claimsOf(own), unsigned), `${own}x`, own.slice(0, -3), `${head}..${mac}`, "..", early.ticket, shopper.pass,
      // Signed with the store's own key, and still of another drop or plan.
      reminted(own, ticketSigning(product), { claims: { drop: "later", aud: "later/ticket" } }), reminted(own, ticketSigning(product), { claims: { aud: "main/pass" } }),
      reminted(own, ticketSigning(product), { claims: { plan: "0".repeat(64) } }), reminted(own, ticketSigning(product), { claims: { weight: -1 } }), reminted(own, ticketSigning(product), { claims: { joined: "0" } }),
    ];
    for (const ticket of forged) expectRefusal(await shopper.proven("POST", "/api/drops/main/passes", ticket), 401, "credential_invalid");
  });
});

hostile(12, "a hold without admission, answer 401 without a pass, 403 not_admitted under a sitting that never was", async () => {
  const shopper = person();
  const body = JSON.stringify({ lines: MAIN });
  await unchanged(product, DROPS, async () => {
    expectRefusal(await sendRaw("PUT", shopper.url(holdPath("main")), body), 401, "credential_missing");
    expectRefusal(await sendRaw("PUT", shopper.url(holdPath("main")), body, { authorization: `DPoP ${shopper.pass}` }), 401, "credential_missing");
    expectRefusal(await sendRaw("PUT", shopper.url(holdPath("main")), body, { authorization: `Bearer ${shopper.pass}` }), 401, "credential_missing");
    expectRefusal(await sendProven(shopper, "PUT", holdPath("main"), shopper.ticket, body), 401, "credential_invalid");
    expectRefusal(await sendProven(shopper, "POST", holdPath("main"), shopper.pass, body), 405, "method_not_allowed");
    const never = reminted(shopper.pass, ticketSigning(product), { claims: { sub: "pas_00000000000000000000000000", jti: "pas_00000000000000000000000000" } });
    expectRefusal(await sendProven(shopper, "PUT", holdPath("main"), never, body), 403, "not_admitted");
    const ofAnother = reminted(shopper.pass, ticketSigning(product), { claims: { sub: claimsOf((people[0] as Shopper).pass)["sub"] } });
    expectRefusal(await sendProven(shopper, "PUT", holdPath("main"), ofAnother, body), 403, "not_admitted");
  });
});

hostile(13, "a pass after its window, answer 403 pass_expired; after its last possible use, 401", async () => {
  await unchanged(product, DROPS, async () => {
    expectRefusal(await late.hold([{ sku: "BRIEF-1", quantity: 1 }]), 403, "pass_expired");
    expectRefusal(await late.order(clientId("hld")), 404, "not_found");
    const over = reminted(late.pass, ticketSigning(product), { claims: { exp: Math.floor(Date.now() / 1_000) - 10 } });
    expectRefusal(await sendProven(late, "PUT", holdPath("brief"), over, '{"lines":[{"sku":"BRIEF-1","quantity":1}]}'), 401, "credential_invalid");
  });
});

function openSocket(headers: Record<string, string> = {}): Promise<WebSocket> {
  const address = `${product.store.replace("http", "ws")}/api/drops/main/socket`;
  // Node's WebSocket takes headers in place of the protocols; the types of browsers do not know that.
  const socket = new WebSocket(address, { headers } as unknown as string[]);
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve(socket), { once: true });
    socket.addEventListener("error", () => reject(new Error("the socket was refused")), { once: true });
  });
}

const closing = (socket: WebSocket) => new Promise<number>((resolve) => socket.addEventListener("close", (event) => resolve(event.code), { once: true }));

async function expectAlive(): Promise<void> {
  const startedAt = performance.now();
  expect((await request("GET", `${product.store}/api/drops/main/live`)).status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  const other = await openSocket();
  await new Promise((resolve) => other.addEventListener("message", resolve, { once: true }));
  other.close();
}

hostile(15, "a socket with a frame of 1 MB, answer close 1009; with 10,000 messages, 1008; that never reads: the drop goes on", async () => {
  await unchanged(product, DROPS, async () => {
    const giant = await openSocket();
    const tooBig = closing(giant);
    giant.send("x".repeat(1_000_000));
    expect(await tooBig).toBe(1009);
    const binary = await openSocket();
    const tooBigBytes = closing(binary);
    binary.send(new Uint8Array(1_025));
    expect(await tooBigBytes).toBe(1009);
    const noisy = await openSocket();
    const tooMany = closing(noisy);
    for (let message = 0; message < 10_000; message++) noisy.send('{"buy":1}');
    expect(await tooMany).toBe(1008);
    const key = Buffer.from("0123456789abcdef").toString("base64");
    const mute = sendBytes(product.store, `GET /api/drops/main/socket HTTP/1.1\r\nHost: ${new URL(product.store).host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`, 1_000);
    await expectAlive();
    expect((await mute).status).toBe(101);
    await expectAlive();
  });
});

hostile(16, "a socket with a foreign Origin, answer 403 origin_refused", async () => {
  await unchanged(product, DROPS, async () => {
    const { host } = new URL(product.store);
    const upgrade = (extra: string) => sendBytes(product.store, `GET /api/drops/main/socket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n${extra}\r\n`, 400);
    for (const origin of ["https://evil.example", "null", `http://${host}.evil.example`, `https://${host}`, "http://127.0.0.1", `http://x@${host}`]) {
      expectRefusal(await upgrade(`Origin: ${origin}\r\n`), 403, "origin_refused");
    }
    expectRefusal(await upgrade("Sec-Fetch-Site: cross-site\r\n"), 403, "origin_refused");
    expect((await upgrade(`Origin: http://${host}\r\n`)).status).toBe(101);
    expectRefusal(await request("GET", `${product.store}/api/drops/main/socket`), 400, "malformed_request");
    expectRefusal(await request("GET", `${product.store}/api/drops/nothing/socket`), 404, "not_found");
  });
});

hostileBeyond("600 sockets of one network, answer 429 too_many_requests to the next, whatever network it claims to be; other networks get theirs", async () => {
  await unchanged(product, DROPS, async () => {
    const from = (network: string) => ({ rehearsal: `${product.rehearsalKey} ${network}` });
    const sockets: WebSocket[] = [];
    try {
      while (sockets.length < 600) sockets.push(...await Promise.all(Array.from({ length: 50 }, () => openSocket(from("one-machine")))));
      const { host } = new URL(product.store);
      const next = await sendBytes(product.store, `GET /api/drops/main/socket HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nRehearsal: ${from("one-machine").rehearsal}\r\nTranche-Network: another\r\n\r\n`, 1_000);
      expectRefusal(next, 429, "too_many_requests");
      sockets.push(await openSocket(from("a-household")), await openSocket());
    } finally {
      for (const socket of sockets) socket.close();
    }
  });
});

hostileBeyond("somebody else's hold read, given up, replaced or ordered, answer 404 not_found; its id used again, 409 id_reused", async () => {
  const [owner, thief] = [person(), person()];
  const id = clientId("hld");
  expect((await owner.hold(MAIN, id)).status).toBe(201);
  await unchanged(product, DROPS, async () => {
    expectRefusal(await thief.proven("GET", holdPath("main", id), thief.pass), 404, "not_found");
    expectRefusal(await thief.proven("DELETE", holdPath("main", id), thief.pass), 404, "not_found");
    expectRefusal(await thief.hold(MAIN, clientId("hld"), id), 404, "not_found");
    expectRefusal(await thief.order(id), 404, "not_found");
    expectRefusal(await thief.hold(MAIN, id), 409, "id_reused");
    expectRefusal(await owner.hold([{ sku: "MAIN-1", quantity: 2 }], id), 409, "id_reused");
    expectRefusal(await owner.hold(MAIN, id, id), 422, "invalid_request");
    // The owner's pass and proof in the hands of somebody with another key.
    expectRefusal(await thief.proven("DELETE", holdPath("main", id), owner.pass), 401, "credential_invalid");
  });
});

hostileBeyond("a ticket's wants changed with another key, answer 409 id_reused; for what the drop has not, 422", async () => {
  const [owner, thief] = [people[0] as Shopper, new Shopper(product.store, "main")];
  const url = owner.url(`/api/drops/main/tickets/${owner.ticketId}`);
  await unchanged(product, DROPS, async () => {
    expectRefusal(await sendRaw("PUT", url, JSON.stringify({ jwk: await thief.publicKey(), wants: MAIN })), 409, "id_reused");
    for (const wants of [[{ sku: "LATER-1", quantity: 1 }], [{ sku: "MAIN-1", quantity: 3 }], [...MAIN, ...MAIN], [{ sku: "__proto__", quantity: 1 }]]) {
      expectRefusal(await sendRaw("PUT", url, JSON.stringify({ jwk: await owner.publicKey(), wants })), 422, "invalid_request");
    }
    for (const jwk of [{}, { kty: "oct", k: "AA" }, { ...await owner.publicKey(), d: "A".repeat(43) }, { ...await owner.publicKey(), x: "A".repeat(43) }, { ...await owner.publicKey(), crv: "P-384" }]) {
      expectRefusal(await sendRaw("PUT", owner.url(`/api/drops/main/tickets/${clientId("tkt")}`), JSON.stringify({ jwk, wants: MAIN })), 422, "invalid_request");
    }
  });
});

hostile(6, "holding without paying again and again, answer 429 too_many_requests with Retry-After; the unit is back at expiry", async () => {
  const [held, meanwhile, atOnce, freed, second, third] = await sitting as readonly [Answer, Answer, Answer, Answer, Answer, Answer];
  expect(held.status).toBe(201);
  expectRefusal(meanwhile, 409, "sold_out");
  expectRefusal(atOnce, 429, "too_many_requests");
  // Twice the claim window: whoever held and bought nothing waits longer for the next turn.
  expect(Number(atOnce.headers.get("retry-after"))).toBeGreaterThan(3);
  expect([freed.status, second.status]).toEqual([201, 201]);
  expectRefusal(third, 429, "too_many_requests");
  expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(60);
  expect((await verifyRecord(product.store, "sitting")).failures).toEqual([]);
  const { rows } = await readRecord(product.store, "sitting");
  expect(rows.filter(({ kind }) => kind === "hold" || kind === "expire").map(({ kind }) => kind).slice(0, 3)).toEqual(["hold", "expire", "hold"]);
});

hostile(9, "holds that expire across a stage's boundary while another buys all he can, answer each unit in one stage only", async () => {
  expect(await boundary).toBe(5);
  expect((await verifyRecord(product.store, "edge")).failures).toEqual([]);
  const { rows } = await readRecord(product.store, "edge");
  const units = (stage: number) => rows.filter((row) => row.kind === "hold" && row["stage"] === stage).reduce((sum, row) => sum + Number(row["quantity"]), 0);
  expect([units(1), units(2)]).toEqual([5, 5]);
});

hostile(8, "a payment that succeeds after its units are gone, answer the money goes back and the order says so", async () => {
  const shopper = person();
  const [hold, order] = [clientId("hld"), clientId("ord")];
  expect((await shopper.hold(MAIN, hold)).status).toBe(201);
  const { body } = await shopper.order(hold, { id: order });
  // The provider's word comes late, and in between the desk cancels: the clock's own way takes five minutes and more.
  await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: { webhooks: { withhold: true } } });
  expect((await payAt(body.payment.url)).status).toBe(200);
  expect((await desk(product, "POST", "/desk/api/drops/main/cancel")).status).toBe(200);
  await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: {} });
  await request("POST", `${product.sandbox}/sandbox/webhooks/release`);
  const end = await orderAtDesk(product, order, (view) => view.state === "cancelled" && ["voided", "refunded"].includes(view.payment.state));
  expect(end.capturedMinor - end.refundedMinor).toBe(0);
  expect(Object.values(await partiesOf(product, order)).every((amountMinor) => amountMinor === 0)).toBe(true);
  expect((await paymentsOf(product, order)).map((intent) => intent.amount_received - intent.amount_refunded)).toEqual([0]);
});

hostileBeyond("a drop that the desk cancelled, answer 410 drop_closed to holds, claims and orders; nothing stays held", async () => {
  const holder = people[0] as Shopper;
  // What a cancellation tells the orders goes by a queue, which may gather for a second.
  await atRest(product, DROPS, 1_500);
  await unchanged(product, DROPS, async () => {
    expectRefusal(await holder.hold(MAIN), 410, "drop_closed");
    expectRefusal(await holder.claim(), 410, "drop_closed");
    // A lobby hears of it within two seconds; what it gives until then admits to nothing.
    const stranger = new Shopper(product.store, "main");
    await expect.poll(async () => (await stranger.join(MAIN)).status + (await stranger.join([{ sku: "MAIN-1", quantity: 2 }])).status, { timeout: 5_000 }).toBe(820);
  });
  expect(await verifyRecord(product.store, "main")).toMatchObject({ failures: [], heldUnits: 0, soldUnits: 0 });
});

countHostile("Stock and queue");
