import { afterAll, beforeAll, expect, test } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { verifyRecord } from "../support/record-verifier.ts";
import { clientId, orderUntil, payAt, request, Shopper } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

let product: Product;
beforeAll(async () => {
  product = await startProduct(storeVars({ slug: "night", items: [{ sku: "NIGHT-1", priceMinor: 4200, quantity: 10 }], limitPerPerson: 2, capture: "on-fulfilment" }));
});
afterAll(() => product?.stop());

test("kill -9 of everything loses no acknowledged hold, order or payment, and the shopper goes on where she was", async () => {
  const shopper = new Shopper(product.store, "night");
  expect((await shopper.join([{ sku: "NIGHT-1", quantity: 2 }])).status).toBe(201);
  await shopper.admitted();
  const hold = clientId("hld");
  const held = await shopper.hold([{ sku: "NIGHT-1", quantity: 2 }], hold);
  expect(held.status).toBe(201);

  product = await product.restartAfterKill();
  const again = await shopper.hold([{ sku: "NIGHT-1", quantity: 2 }], hold);
  expect(again.status).toBe(201);
  expect(again.body).toEqual(held.body);

  const order = clientId("ord");
  const placed = await shopper.order(hold, { id: order });
  expect(placed.status, JSON.stringify(placed.body)).toBe(201);
  product = await product.restartAfterKill();
  const placedAgain = await shopper.order(hold, { id: order });
  expect(placedAgain.body.id).toBe(order);
  expect(placedAgain.body.totalMinor).toBe(8400);
  expect(placedAgain.body.payBy).toBe(placed.body.payBy);
  expect(placedAgain.body.receipt).toBe(placed.body.receipt);

  expect((await payAt(placedAgain.body.payment.url)).status).toBeLessThan(400);
  product = await product.restartAfterKill();
  await orderUntil(shopper, order, placed.body.receipt, (body) => body.state === "confirmed" && body.payment.state === "authorised", 90_000);

  const desk = { authorization: `Bearer ${product.deskKey}` };
  const fulfilled = await request("POST", `${product.desk}/desk/api/orders/${order}/fulfilments`, { body: { id: clientId("ful") }, headers: desk });
  expect(fulfilled.status, JSON.stringify(fulfilled.body)).toBeLessThan(300);
  await orderUntil(shopper, order, placed.body.receipt, (body) => body.payment.state === "captured" && body.fulfilment === "done");
  const { body } = await request("GET", `${product.desk}/desk/api/ledger/transfers?order=${order}`, { headers: desk });
  const posted = body.transfers.filter((transfer: { state: string }) => transfer.state === "posted");
  // 300 a unit to the kiosk, 70 % of 8,400 to Ana, what is left to the platform.
  expect(Object.fromEntries(posted.map((transfer: { credit: string; amountMinor: number }) => [transfer.credit, transfer.amountMinor]))).toEqual({
    "partner:kiosk-k": 600,
    "creator:ana": 5880,
    platform: 1920,
  });
  expect((await verifyRecord(product.store, "night")).failures).toEqual([]);
});
