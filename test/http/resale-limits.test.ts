import { afterAll, beforeAll, expect, test } from "vitest";
import { wait } from "../support/crowd.ts";
import { admittedPeople, bought, expectRefusal, orderAtDesk, partiesOf, paymentsOf, placed } from "../support/hostile.ts";
import { startProduct, type Product } from "../support/product.ts";
import { readRecord, verifyRecord } from "../support/record-verifier.ts";
import { clientId, orderUntil, request, type Answer } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

/* What one card may pay for and one address may be sent, against the served product and its payment provider. */

let product: Product;
beforeAll(async () => {
  product = await startProduct(storeVars(
    { slug: "carded", items: [{ sku: "CARD-1", priceMinor: 4200, quantity: 2 }], limitPerPerson: 1, limits: "{ card = 1 }" },
    { slug: "later", items: [{ sku: "LATER-1", priceMinor: 4200, quantity: 9 }], limitPerPerson: 1, limits: "{ card = 2 }", capture: "on-fulfilment" },
    { slug: "posted", items: [{ sku: "POST-1", priceMinor: 4200, quantity: 9 }], limitPerPerson: 2, limits: "{ address = 2 }" },
  ).replace('locale = "de-DE"', 'locale = "de-DE"\nshipsTo = ["DE"]'));
  await wait(1_000);
});
afterAll(() => product?.stop());

const pay = (url: string, card: string): Promise<Answer> => request("POST", url, { body: { outcome: "approve", card } });
const HOME = { name: "Ana Lindt", line1: "Weserstraße 12a", postalCode: "12047", city: "Berlin", country: "DE" };

test("a second order that the same card pays ends voided and says why, its unit is sold to somebody else, and the ledger nets to nothing for it", async () => {
  const [first, second] = [await placed(product, "carded", "CARD-1"), await placed(product, "carded", "CARD-1")];
  expect((await pay(first.url, "4111 1100 0000 0001")).body.status).toBe("approved");
  await orderAtDesk(product, first.order, ({ state }) => state === "confirmed");
  expect((await pay(second.url, "4111110000000001")).body.status).toBe("approved");
  const { body } = await orderUntil(second.shopper, second.order, second.receipt, ({ state, payment }) => state === "cancelled" && payment.state === "voided");
  expect(body.timeline.map(({ text }: { text: string }) => text).join("\n")).toContain("This card has paid for as many as one card may in this drop.");
  expect(body).toMatchObject({ capturedMinor: 0, refundedMinor: 0, fulfilment: "none" });
  expect((await paymentsOf(product, second.order)).map(({ status, amount_received }) => [status, amount_received])).toEqual([["canceled", 0]]);
  expect(Object.values(await partiesOf(product, second.order)).filter((amountMinor) => amountMinor !== 0)).toEqual([]);
  // Both units were held, and the one that came back goes to the next, who has a card of their own.
  const third = await placed(product, "carded", "CARD-1");
  expect((await pay(third.url, "4111110000000002")).body.status).toBe("approved");
  await orderAtDesk(product, third.order, ({ state, capturedMinor }) => state === "confirmed" && capturedMinor === 4200);
  expect(await verifyRecord(product.store, "carded")).toMatchObject({ heldUnits: 0, soldUnits: 2 });
  expect((await readRecord(product.store, "carded")).rows.filter(({ kind }) => kind === "void")).toHaveLength(1);
});

test("a card may pay again after what it paid for came back", async () => {
  const card = "4111110000000003";
  const orders = [await placed(product, "later", "LATER-1"), await placed(product, "later", "LATER-1")];
  for (const { order, url } of orders) {
    await pay(url, card);
    await orderAtDesk(product, order, ({ state }) => state === "confirmed");
  }
  const refund = { id: clientId("ref"), lines: [{ sku: "LATER-1", quantity: 1 }], reason: "a test", restock: true };
  expect((await request("POST", `${product.desk}/desk/api/orders/${orders[0]?.order}/refunds`, { body: refund, headers: { authorization: `Bearer ${product.deskKey}` } })).status).toBe(201);
  await expect.poll(async () => (await readRecord(product.store, "later")).rows.filter(({ kind }) => kind === "return").length).toBe(1);
  const again = await placed(product, "later", "LATER-1");
  await pay(again.url, card);
  await orderAtDesk(product, again.order, ({ state }) => state === "confirmed");
  const over = await placed(product, "later", "LATER-1");
  await pay(over.url, card);
  await orderAtDesk(product, over.order, ({ state }) => state === "cancelled");
});

test("the same street written otherwise is the same address: 409 limit_reached per address, the hold stays for another address, and a pick-up is not counted", async () => {
  const [ana, ben, cem, dia] = await admittedPeople(product, "posted", 4, "POST-1");
  if (ana === undefined || ben === undefined || cem === undefined || dia === undefined) throw new Error("four people were to be admitted");
  const held = async (shopper: typeof ana, quantity: number) => {
    const id = clientId("hld");
    expect((await shopper.hold([{ sku: "POST-1", quantity }], id)).status).toBe(201);
    return id;
  };
  const to = (address: object) => ({ delivery: { method: "ship", address } });
  expect((await ana.order(await held(ana, 2), to(HOME))).status).toBe(201);
  const hold = await held(ben, 1);
  const refused = await ben.order(hold, to({ ...HOME, name: "Ben Lindt", line1: "WESERSTR.  12 a", postalCode: "12 047", city: "Bln." }));
  expectRefusal(refused, 409, "limit_reached");
  expect(refused.body).toMatchObject({ limit: 2, per: "address" });
  expect((await ben.proven("GET", `/api/drops/posted/holds/${hold}`, ben.pass)).body.state).toBe("held");
  expect((await ben.order(hold, to({ ...HOME, line1: "Weserstraße 14" }))).status).toBe(201);
  expect((await cem.order(await held(cem, 1), to({ ...HOME, line1: "Weserstraße 12b" }))).status).toBe(201);
  expect((await dia.order(await held(dia, 2))).status).toBe(201);
});

test("a card with room left buys as before", async () => {
  const order = await bought(product, "later", "LATER-1");
  expect((await paymentsOf(product, order.order)).map(({ status }) => status)).toEqual(["requires_capture"]);
});
