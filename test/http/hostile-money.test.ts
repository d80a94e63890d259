import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect } from "vitest";
import { secret } from "../support/forgery.ts";
import { wait } from "../support/crowd.ts";
import { admittedPeople, atRest, bought, desk, expectRefusal, orderAtDesk, partiesOf, paymentsOf, placed, sendProven, sendDeclared, sendRaw, stripeSignature, unchanged, type Bought } from "../support/hostile.ts";
import { countHostile, hostile, hostileBeyond } from "../support/hostile-entries.ts";
import { startProduct, type Product } from "../support/product.ts";
import { clientId, orderUntil, payAt, request, type Answer, type Shopper } from "../support/shopper.ts";
import { storeVars, storeVarsIn } from "../support/store-config.ts";

/* Hostile inputs against payments, the ledger, the desk and the webhooks. The store sells in yen: no decimals. */

const DROPS = ["once", "later", "cent"] as const;

let product: Product;
let webhookSecret: string;
/** Orders that wait for their payment, and orders that are paid; made at once, because every one of them takes a second. */
let waiting: Bought[];
let paid: Bought[];
let handedOverLater: Bought[];
let cents: Bought[];
let someone: Shopper;
let slow: Promise<readonly [first: Answer, order: string]>;

beforeAll(async () => {
  const thirds = '[ { party = "creator:ana", percent = 33.33 }, { party = "creator:ben", percent = 33.33 }, { party = "creator:cem", percent = 33.33 }, { party = "platform", remainder = true } ]';
  product = await startProduct(storeVarsIn("JPY",
    { slug: "once", items: [{ sku: "ONCE-1", priceMinor: 4200, quantity: 60 }], limitPerPerson: 5 },
    { slug: "later", items: [{ sku: "LATER-1", priceMinor: 4200, quantity: 60 }], limitPerPerson: 5, capture: "on-fulfilment" },
    { slug: "slow", items: [{ sku: "SLOW-1", priceMinor: 4200, quantity: 9 }] },
    { slug: "cent", items: [{ sku: "CENT-1", priceMinor: 1, quantity: 60 }, { sku: "CENT-101", priceMinor: 101, quantity: 60 }], limitPerPerson: 3, capture: "on-fulfilment", splits: thirds },
  ));
  webhookSecret = secret(product, "STRIPE_WEBHOOK_SECRET");
  await wait(1_000);
  const several = <Value>(count: number, make: () => Promise<Value>) => Promise.all(Array.from({ length: count }, make));
  const [lone, hanging] = await Promise.all([
    admittedPeople(product, "once", 1, "ONCE-1"), admittedPeople(product, "slow", 1, "SLOW-1"),
    several(5, () => placed(product, "once", "ONCE-1")).then((orders) => { waiting = orders; }),
    several(6, () => bought(product, "once", "ONCE-1")).then((orders) => { paid = orders; }),
    several(4, () => bought(product, "later", "LATER-1", 2)).then((orders) => { handedOverLater = orders; }),
    Promise.all([bought(product, "cent", "CENT-1", 1), bought(product, "cent", "CENT-101", 3)]).then((orders) => { cents = orders; }),
  ]);
  someone = lone[0] as Shopper;
  // A provider that hangs takes its three seconds beside the other tests.
  await behave({ timeoutAfterCharging: { next: 1, on: ["sessions.create"], hangMs: 3_500 } });
  slow = orderSlowly(hanging[0] as Shopper);
  await Promise.all(paid.map(({ order }) => captured(order, 4200)));
  await atRest(product, DROPS);
});

async function orderSlowly(shopper: Shopper): Promise<readonly [first: Answer, order: string]> {
  const [hold, order] = [clientId("hld"), clientId("ord")];
  await shopper.hold([{ sku: "SLOW-1", quantity: 1 }], hold);
  const first = await shopper.order(hold, { id: order });
  await expect.poll(async () => (await shopper.order(hold, { id: order })).body.payment.url, { timeout: 8_000 }).toMatch(/^http/);
  return [first, order];
}

/** The next of a pool. */
function next(pool: Bought[]): Bought {
  const order = pool.shift();
  if (order === undefined) throw new Error("the pool is empty");
  return order;
}
afterAll(() => product?.stop());

const behave = (behaviour: object) => request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: behaviour });
const fulfil = (order: string, body: object) => desk(product, "POST", `/desk/api/orders/${order}/fulfilments`, { id: clientId("ful"), ...body });
const refund = (order: string, body: object) => desk(product, "POST", `/desk/api/orders/${order}/refunds`, { id: clientId("ref"), reason: "a test", ...body });
const captured = (order: string, minor: number) => orderAtDesk(product, order, (view) => view.capturedMinor === minor && view.payment.state === "captured");
const net = (parties: Record<string, number>) => Object.entries(parties).filter(([party]) => parties[party] !== 0 && /^(creator|partner|platform)/.test(party)).reduce((sum, [, amountMinor]) => sum + amountMinor, 0);

hostile(23, "the same order, payment and refund twenty times at once, answer one charge and one answer", async () => {
  const shopper = someone;
  const [hold, order] = [clientId("hld"), clientId("ord")];
  const holds = await Promise.all(Array.from({ length: 20 }, () => shopper.hold([{ sku: "ONCE-1", quantity: 1 }], hold)));
  expect(new Set(holds.map((answer) => `${answer.status} ${JSON.stringify(answer.body)}`)).size).toBe(1);
  const orders = await Promise.all(Array.from({ length: 20 }, () => shopper.order(hold, { id: order })));
  expect(new Set(orders.map(({ status, body }) => JSON.stringify([status, body.id, body.lines, body.totalMinor, body.payBy, body.receipt]))).size).toBe(1);
  const again = await shopper.order(hold, { id: order });
  const pays = await Promise.all(Array.from({ length: 10 }, () => payAt(again.body.payment.url)));
  expect(pays.filter((answer) => answer.status === 200).length).toBeGreaterThanOrEqual(1);
  await captured(order, 4200);
  const id = clientId("ref");
  const refunds = await Promise.all(Array.from({ length: 20 }, () => refund(order, { id, amountMinor: 1000 })));
  expect(new Set(refunds.map((answer) => answer.status))).toEqual(new Set([201]));
  const [payment, ...more] = await paymentsOf(product, order);
  expect(more).toEqual([]);
  await expect.poll(async () => (await paymentsOf(product, order))[0]?.amount_refunded).toBe(1000);
  expect(payment.amount_received).toBe(4200);
  expect(net(await partiesOf(product, order))).toBe(3200);
});

hostile(24, "the same id with another body, answer 409 id_reused", async () => {
  const { shopper, hold, order } = next(handedOverLater);
  const [refunded, handed] = [clientId("ref"), clientId("ful")];
  expect((await fulfil(order, { id: handed, lines: [{ sku: "LATER-1", quantity: 1 }] })).status).toBe(201);
  expect((await refund(order, { id: refunded, lines: [{ sku: "LATER-1", quantity: 1 }] })).status).toBe(201);
  await atRest(product, DROPS);
  await unchanged(product, DROPS, async () => {
    expectRefusal(await shopper.order(hold, { id: order, email: "another@shopper.example" }), 409, "id_reused");
    expectRefusal(await shopper.order(hold, { id: clientId("ord") }), 409, "order_placed");
    expectRefusal(await shopper.hold([{ sku: "LATER-1", quantity: 3 }], hold), 409, "id_reused");
    expectRefusal(await fulfil(order, { id: handed, lines: [{ sku: "LATER-1", quantity: 2 }] }), 409, "id_reused");
    expectRefusal(await refund(order, { id: refunded, amountMinor: 1 }), 409, "id_reused");
  });
});

hostile(25, "an id that is missing, too long or has control characters, answer 404 not_found in a path, 422 invalid_request in a body", async () => {
  const { shopper, hold, order } = next(waiting);
  await unchanged(product, DROPS, async () => {
    const body = JSON.stringify({ drop: "once", hold, email: "a@b.example", delivery: { method: "pickup", point: "kiosk-k" } });
    for (const id of ["", `ord_${"A".repeat(256)}`, "ord_%00000000000000000000000000", "ord_%0A0000000000000000000000000", order.toLowerCase(), `${order}%20`, "ord_IIIIIIIIIIIIIIIIIIIIIIIIII", clientId("hld"), "%2e%2e"]) {
      expectRefusal(await sendProven(shopper, "PUT", `/api/orders/${id}`, shopper.pass, body), 404, "not_found");
    }
    for (const id of [undefined, "", "x".repeat(65), "a\nb", "a b", 7, null, ["x"]]) {
      expectRefusal(await desk(product, "POST", `/desk/api/orders/${order}/refunds`, { ...(id === undefined ? {} : { id }), reason: "a test" }), 422, "invalid_request");
      expectRefusal(await desk(product, "POST", `/desk/api/orders/${order}/fulfilments`, id === undefined ? {} : { id }), 422, "invalid_request");
    }
  });
});

hostile(27, "a provider that answers 500 after capturing and refunding, answer the truth is asked for and nothing happens twice", async () => {
  const { order } = next(handedOverLater);
  await behave({ errorAfterCharging: { next: 1, on: ["intents.capture"] } });
  const id = clientId("ful");
  expect((await fulfil(order, { id })).status).toBe(201);
  await expect.poll(async () => (await fulfil(order, { id })).body.capturedMinor, { timeout: 8_000 }).toBe(8400);
  await behave({ errorAfterCharging: { next: 1, on: ["refunds.create"] } });
  const repaid = clientId("ref");
  expect((await refund(order, { id: repaid, amountMinor: 700 })).status).toBe(201);
  await expect.poll(async () => (await refund(order, { id: repaid, amountMinor: 700 })).body.refundedMinor, { timeout: 8_000 }).toBe(700);
  await behave({});
  expect((await paymentsOf(product, order)).map((intent) => [intent.amount_received, intent.amount_refunded])).toEqual([[8400, 700]]);
  expect(net(await partiesOf(product, order))).toBe(7700);
});

hostile(28, "a capture of more than was authorised, a second one, one after the void, answer 409 fulfilment_not_possible", async () => {
  const [standing, gone, unpaid] = [next(handedOverLater), next(handedOverLater), waiting[0] as Bought];
  expect((await fulfil(standing.order, {})).status).toBe(201);
  await captured(standing.order, 8400);
  expect((await refund(gone.order, {})).status).toBe(201);
  await atRest(product, DROPS);
  await unchanged(product, DROPS, async () => {
    for (const { order } of [standing, gone, unpaid]) {
      expectRefusal(await fulfil(order, {}), 409, "fulfilment_not_possible");
      expectRefusal(await fulfil(order, { lines: [{ sku: "LATER-1", quantity: 1 }] }), 409, "fulfilment_not_possible");
    }
    expectRefusal(await fulfil(clientId("ord"), {}), 404, "not_found");
    for (const lines of [[], [{ sku: "ONCE-1", quantity: 0 }], [{ sku: "ONCE-1", quantity: -1 }], [{ sku: "ONCE-1", quantity: 1.5 }], [{ sku: "ONCE-1", quantity: 1 }, { sku: "ONCE-1", quantity: 1 }]]) {
      expectRefusal(await fulfil(unpaid.order, { lines }), 422, "invalid_request");
    }
  });
});

hostile(29, "parts of 1 and of 101 among three creators at 33.33 %, answer postings that sum to the captured amount", async () => {
  for (const [index, [sku, quantity, totalMinor]] of ([["CENT-1", 1, 1], ["CENT-101", 3, 303]] as const).entries()) {
    const { order } = cents[index] as Bought;
    for (let unit = 0; unit < quantity; unit++) expect((await fulfil(order, { lines: [{ sku, quantity: 1 }] })).status).toBe(201);
    await orderAtDesk(product, order, (view) => view.capturedMinor === totalMinor);
    const parties = await partiesOf(product, order);
    expect(net(parties)).toBe(totalMinor);
    expect(Object.values(parties).reduce((sum, amountMinor) => sum + amountMinor, 0)).toBe(0);
    const shares = Object.entries(parties).filter(([party]) => party.startsWith("creator:")).map(([, amountMinor]) => amountMinor);
    expect(Math.max(0, ...shares) - Math.min(...(shares.length === 3 ? shares : [0]))).toBeLessThanOrEqual(1);
  }
});

hostile(30, "a refund of more than was captured, answer 409 refund_not_possible; two full ones at once, one of them", async () => {
  const { order } = next(paid);
  await unchanged(product, DROPS, async () => {
    expectRefusal(await refund(order, { amountMinor: 4201 }), 409, "refund_not_possible");
    expectRefusal(await refund(order, { lines: [{ sku: "ONCE-1", quantity: 2 }] }), 409, "refund_not_possible");
    for (const body of [{ amountMinor: 0 }, { amountMinor: -1 }, { amountMinor: 0.5 }, { amountMinor: "1" }, { amountMinor: 2 ** 53 }, { amountMinor: 1, lines: [{ sku: "ONCE-1", quantity: 1 }] }, { reason: "" }, { restok: true }]) {
      expectRefusal(await refund(order, body), 422, "invalid_request");
    }
  });
  const answers = await Promise.all(Array.from({ length: 8 }, () => refund(order, {})));
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, ...Array<number>(7).fill(409)]);
  await expect.poll(async () => (await paymentsOf(product, order)).map((intent) => intent.amount_refunded)).toEqual([4200]);
  await expect.poll(async () => net(await partiesOf(product, order))).toBe(0);
  expect((await desk(product, "GET", `/desk/api/orders/${order}`)).body).toMatchObject({ refundedMinor: 4200, payment: { state: "refunded" } });
});

hostile(31, "disputes before and after refunds, won and lost, answer the ledger follows and reverses nothing twice", async () => {
  const [won, lost] = [next(paid), next(paid)];
  expect((await refund(lost.order, { amountMinor: 1200 })).status).toBe(201);
  await expect.poll(async () => net(await partiesOf(product, lost.order))).toBe(3000);
  const dispute = async (order: string, outcome: string) => {
    const [intent] = await paymentsOf(product, order);
    const opened = await request("POST", `${product.sandbox}/sandbox/disputes`, { body: { payment_intent: intent.id } });
    expect(opened.status, JSON.stringify(opened.body)).toBe(201);
    await orderAtDesk(product, order, (view) => view.payment.state === "disputed");
    const closed = await request("POST", `${product.sandbox}/sandbox/disputes/${opened.body.id}/close`, { body: { outcome } });
    expect(closed.status).toBe(200);
  };
  await Promise.all([dispute(won.order, "won"), dispute(lost.order, "lost")]);
  await expect.poll(async () => net(await partiesOf(product, lost.order)), { timeout: 8_000 }).toBe(0);
  await orderAtDesk(product, won.order, (view) => view.payment.state === "captured");
  await atRest(product, DROPS);
  await unchanged(product, DROPS, async () => expectRefusal(await refund(lost.order, { amountMinor: 1 }), 409, "refund_not_possible"));
  expect(net(await partiesOf(product, won.order))).toBe(4200);
});

hostile(32, "splits over 100 %, negative, NaN, for 1,000 parties or with a remainder below zero, answer refused before anything starts", async () => {
  const remainder = '{ party = "platform", remainder = true }';
  const bad = {
    over: `[ { party = "creator:ana", percent = 101 }, ${remainder} ]`,
    sum: `[ { party = "creator:ana", percent = 60 }, { party = "creator:ben", percent = 60 }, ${remainder} ]`,
    negative: `[ { party = "creator:ana", percent = -1 }, ${remainder} ]`,
    minus: `[ { party = "creator:ana", fixedMinor = -1 }, ${remainder} ]`,
    nan: `[ { party = "creator:ana", percent = nan }, ${remainder} ]`,
    crowd: `[ ${Array.from({ length: 1_000 }, (_, index) => `{ party = "creator:p${index}", percent = 0.1 }`).join(", ")}, ${remainder} ]`,
    twice: `[ { party = "creator:ana", percent = 10 }, { party = "creator:ana", percent = 10 }, ${remainder} ]`,
    none: '[ { party = "creator:ana", percent = 10 } ]',
    below: `[ { party = "creator:ana", fixedMinor = 4201 }, ${remainder} ]`,
  };
  const folder = await mkdtemp(path.join(tmpdir(), "tranche-splits-"));
  const config = path.join(folder, "store.toml");
  await writeFile(config, storeVars(...Object.entries(bad).map(([slug, splits]) => ({ slug, splits, items: [{ sku: `${slug.toUpperCase()}-1`, priceMinor: 4200, quantity: 1 }] }))));
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, ["src/cli/check.ts", "--config", config], { cwd: path.resolve(import.meta.dirname, "../..") }, (error, _stdout, text) => resolve({ code: error?.code ?? 0, stderr: text }));
  });
  await rm(folder, { recursive: true });
  expect(code).toBe(1);
  for (const slug of Object.keys(bad)) expect(stderr).toContain(`DROP_${slug.toUpperCase()}`);
});

hostile(33, "a price in a currency without decimals, answer the same whole number at the provider, in the ledger and on the page", async () => {
  const { order, shopper, receipt } = next(paid);
  await orderUntil(shopper, order, receipt, (body) => body.payment.state === "captured" && body.totalMinor === 4200 && body.currency === "JPY");
  expect((await paymentsOf(product, order)).map((intent) => [intent.amount, intent.amount_received, intent.currency])).toEqual([[4200, 4200, "jpy"]]);
  const page = await request("GET", `${product.store}/berlin/once`);
  expect(page.body).toMatch(/4\.200\s*¥/u);
  expect(page.body).not.toMatch(/42,00/);
});

interface Notice {
  readonly id?: string;
  readonly type?: string;
  readonly livemode?: boolean;
  readonly account?: string;
  readonly object?: object;
}

let events = 0;
const notice = ({ id = `evt_hostile${++events}`, type = "checkout.session.completed", livemode = false, object = {}, account }: Notice) =>
  JSON.stringify({ id, object: "event", type, livemode, api_version: "2025-01-01", created: Math.floor(Date.now() / 1_000), ...(account === undefined ? {} : { account }), data: { object } });
const send = (body: string | Uint8Array<ArrayBuffer>, signature: string | null, headers: Record<string, string> = {}) =>
  sendRaw("POST", `${product.store}/webhooks/stripe`, body, { ...(signature === null ? {} : { "stripe-signature": signature }), ...headers });
const completed = (order: string, object: object = {}) => ({ object: "checkout.session", id: "cs_test_hostile", client_reference_id: order, payment_status: "paid", status: "complete", ...object });

hostile(34, "a webhook without a signature, with another secret's or only v0, answer 400 webhook_unverified", async () => {
  const { order } = next(waiting);
  await unchanged(product, DROPS, async () => {
    const body = notice({ object: completed(order) });
    for (const signature of [null, "", "t=1", "v1=00", stripeSignature("whsec_guess", body), stripeSignature("", body), stripeSignature(webhookSecret, body, undefined, "v0"), stripeSignature(webhookSecret, ""), `t=x,v1=${"0".repeat(64)}`]) {
      expectRefusal(await send(body, signature), 400, "webhook_unverified");
    }
    expectRefusal(await sendRaw("GET", `${product.store}/webhooks/stripe`, null), 405, "method_not_allowed");
    expectRefusal(await sendRaw("POST", `${product.store}/webhooks/other`, body, { "stripe-signature": stripeSignature(webhookSecret, body) }), 404, "not_found");
  });
});

hostile(35, "a webhook that was written again or changed by one byte, answer 400 webhook_unverified", async () => {
  await unchanged(product, DROPS, async () => {
    const body = notice({ object: completed(clientId("ord")) });
    const signature = stripeSignature(webhookSecret, body);
    for (const changed of [JSON.stringify(JSON.parse(body), null, 2), `${body}\n`, `\uFEFF${body}`, body.replace("evt_", "evt-"), body.replace("false", "true"), body.slice(0, -1)]) {
      expectRefusal(await send(changed, signature), 400, "webhook_unverified");
    }
    expect((await send(body, signature)).status).toBe(200);
  });
});

hostile(36, "a webhook 301 s old or an hour from the future, answer 400 webhook_unverified", async () => {
  await unchanged(product, DROPS, async () => {
    const now = Math.floor(Date.now() / 1_000);
    const body = notice({ object: completed(clientId("ord")) });
    for (const at of [now - 302, now + 3_600, now + 310, 0, -1, Number.NaN, now * 1_000]) expectRefusal(await send(body, stripeSignature(webhookSecret, body, at)), 400, "webhook_unverified");
    expectRefusal(await send(body, `t=${now - 400},${stripeSignature(webhookSecret, body)}`), 400, "webhook_unverified");
    expect((await send(body, stripeSignature(webhookSecret, body, now - 290))).status).toBe(200);
  });
});

hostile(37, "a valid webhook 1,000 times, answer 200 and one effect", async () => {
  await behave({ webhooks: { withhold: true } });
  const { order, url } = next(waiting);
  expect((await payAt(url)).status).toBe(200);
  const body = notice({ object: completed(order) });
  const signature = stripeSignature(webhookSecret, body);
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(Array.from({ length: 100 }, () => send(body, signature)));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
  }
  await captured(order, 4200);
  await behave({});
  await request("POST", `${product.sandbox}/sandbox/webhooks/release`);
  await atRest(product, DROPS);
  expect(net(await partiesOf(product, order))).toBe(4200);
  expect((await paymentsOf(product, order)).map((intent) => intent.amount_received)).toEqual([4200]);
});

hostile(38, "a webhook of an unknown order, another account or the other mode, or one that lies, answer 200 and no effect", async () => {
  const [{ order }, theirs] = [next(waiting), next(paid)];
  const [intent] = await paymentsOf(product, theirs.order);
  await unchanged(product, DROPS, async () => {
    const told = [
      { object: completed(clientId("ord")) }, { livemode: true, object: completed(order) }, { account: "acct_other", object: completed(order) }, { object: completed(order, { amount_total: 1 }) },
      // An order that nobody paid, said to be paid with somebody else's payment.
      { object: completed(order, { payment_intent: intent.id }) }, { type: "payment_intent.succeeded", object: { object: "payment_intent", id: intent.id, amount_received: 4200, metadata: { order } } },
      { type: "payment_intent.canceled", object: { object: "payment_intent", id: intent.id, metadata: { order: theirs.order } } }, { type: "charge.refunded", object: { object: "charge", payment_intent: intent.id, amount: 4200 } },
      { type: "made.up", object: {} }, { object: completed("' OR 1=1 --") }, { object: completed("../../x") },
    ];
    for (const event of told) {
      const body = notice(event);
      expect((await send(body, stripeSignature(webhookSecret, body))).status).toBe(200);
    }
    await wait(800);
  });
  expect((await desk(product, "GET", `/desk/api/orders/${order}`)).body).toMatchObject({ state: "placed", capturedMinor: 0 });
});

hostile(39, "a webhook of 10 MB, gzipped, not in UTF-8, nested 100,000 deep or with `__proto__`, answer 413 or 400 and nothing stored", async () => {
  await unchanged(product, DROPS, async () => {
    expectRefusal(await sendDeclared(`${product.store}/webhooks/stripe`, "POST", 10_000_000, { "stripe-signature": stripeSignature(webhookSecret, "{}") }), 413, "too_large");
    const giant = `{"id":"evt_big","x":"${"x".repeat(1_050_000)}"}`;
    expectRefusal(await send(giant, stripeSignature(webhookSecret, giant)), 413, "too_large");
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(5_000_000, 32)));
    expectRefusal(await send(bomb, stripeSignature(webhookSecret, bomb), { "content-encoding": "gzip" }), 400, "webhook_unverified");
    const bytes = new Uint8Array(Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]));
    expectRefusal(await send(bytes, stripeSignature(webhookSecret, bytes)), 400, "webhook_unverified");
    for (const body of ['{"__proto__":{"id":"evt_1"}}', "[]", "null", "7", '""', "{}", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, notice({ id: "evt_'; DROP TABLE inbox; --" })]) {
      expectRefusal(await send(body, stripeSignature(webhookSecret, body)), 400, "webhook_unverified");
    }
    expect((await request("GET", `${product.store}/healthz`)).status).toBe(200);
  });
});

hostile(40, "two signatures with one that is right, answer 200; a hundred, 400 webhook_unverified", async () => {
  await unchanged(product, DROPS, async () => {
    const body = notice({ object: completed(clientId("ord")) });
    const right = stripeSignature(webhookSecret, body);
    const wrong = `v1=${"0".repeat(64)}`;
    expect((await send(body, `${right},${wrong}`)).status).toBe(200);
    expect((await send(body, right.replace(",", `,${wrong},`))).status).toBe(200);
    expectRefusal(await send(body, `${right}${`,${wrong}`.repeat(100)}`), 400, "webhook_unverified");
    expectRefusal(await send(body, `${right},x=${"0".repeat(5_000)}`), 400, "webhook_unverified");
  });
});

hostileBeyond("the desk without its key, with a wrong one or from another site, answer 401 and 403; nothing is told apart", async () => {
  const { order } = next(paid);
  await unchanged(product, DROPS, async () => {
    const url = `${product.desk}/desk/api/orders/${order}/refunds`;
    const body = JSON.stringify({ id: "x", reason: "mine" });
    expectRefusal(await sendRaw("POST", url, body), 401, "credential_missing");
    for (const key of ["Bearer", "Bearer ", `Bearer ${product.deskKey}x`, `Bearer ${product.deskKey.slice(0, -1)}`, `Basic ${product.deskKey}`, `Bearer ${product.deskKey} x`, `Bearer ${product.rehearsalKey}`, "Bearer undefined"]) {
      expectRefusal(await sendRaw("POST", url, body, { authorization: key }), 401, "credential_invalid");
    }
    const authorization = `Bearer ${product.deskKey}`;
    expectRefusal(await sendRaw("POST", url, body, { authorization, origin: "https://evil.example" }), 403, "origin_refused");
    expectRefusal(await sendRaw("POST", url, body, { authorization, "content-type": "text/plain" }), 415, "unsupported_media_type");
    expectRefusal(await sendRaw("POST", url, `{"id":"x","reason":"${"x".repeat(70_000)}"}`, { authorization }), 413, "too_large");
    expectRefusal(await sendRaw("POST", url, '{"id":"x","reason":"mine"', { authorization }), 400, "malformed_request");
    expectRefusal(await desk(product, "GET", "/desk/api/orders?drop=once&limit=101"), 422, "invalid_request");
    expectRefusal(await desk(product, "GET", "/desk/api/orders?drop=once&drop=later"), 422, "invalid_request");
  });
});

hostile(26, "a provider that times out after it opened the payment, answer one payment under the same key", async () => {
  const [first, order] = await slow;
  expect(first.status).toBe(201);
  expect(first.body).toMatchObject({ state: "confirming", payment: { url: null } });
  const { body: books } = await request("GET", `${product.sandbox}/sandbox/books`);
  expect(books.sessions.filter((session: Answer["body"]) => session.client_reference_id === order)).toHaveLength(1);
});

countHostile("Money", "Webhooks");
