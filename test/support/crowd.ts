import { clientId, orderUntil, payAt, Shopper, type Answer } from "./shopper.ts";

/* What many people do at once, for tests and for programs alike: no test runner is needed here. */

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Does `work` for every item, `width` at a time. */
export async function inParallel<Item, Value>(items: readonly Item[], width: number, work: (item: Item) => Promise<Value>): Promise<Value[]> {
  const results: Value[] = [];
  const queue = [...items.entries()];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next[0]] = await work(next[1]);
    }),
  );
  return results;
}

/** People of a drop who have a pass. */
export async function admittedCrowd(store: string, drop: string, people: number, sku: string): Promise<Shopper[]> {
  const crowd = Array.from({ length: people }, () => new Shopper(store, drop));
  await inParallel(crowd, 64, async (shopper) => {
    const joined = await shopper.join([{ sku, quantity: 1 }]);
    if (joined.status !== 201) throw new Error(`somebody could not join: ${joined.status} ${JSON.stringify(joined.body)}`);
  });
  await inParallel(crowd, 64, (shopper) => shopper.admitted());
  return crowd;
}

/** Orders and pays what is held, however slow the provider is; fails when the order does not come to its end. */
export async function paidOrder(shopper: Shopper, hold: string, limitMs = 60_000): Promise<{ readonly order: string; readonly receipt: string; readonly final: Answer }> {
  const order = clientId("ord");
  let placed = await shopper.order(hold, { id: order });
  const until = Date.now() + limitMs;
  while ((placed.status !== 201 || placed.body.payment.url === null) && Date.now() < until) {
    await wait(500);
    placed = await shopper.order(hold, { id: order });
  }
  if (placed.status !== 201 || placed.body.payment.url === null) throw new Error(`an order has no payment page: ${placed.status} ${JSON.stringify(placed.body)}`);
  const paid = await payAt(placed.body.payment.url);
  if (paid.status >= 400) throw new Error(`a payment was refused: ${paid.status} ${JSON.stringify(paid.body)}`);
  const final = await orderUntil(shopper, order, placed.body.receipt, (body) => body.state === "confirmed" && body.payment.state === "captured", limitMs);
  return { order, receipt: placed.body.receipt, final };
}
