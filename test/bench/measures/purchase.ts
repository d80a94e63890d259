import { payAt, Shopper } from "../../support/shopper.ts";
import { processorMicroseconds } from "../processor-time.ts";
import { median } from "../rounds.ts";
import type { Served } from "../runtimes.ts";
import type { Row } from "../table.ts";

const ALONE = 8;
const TOGETHER = 40;
const LANES = 10;
const LIMIT_MS = 30_000;

/** Whole purchases from joining to captured money, the sandbox's payment page included: one after the other, and many together. */
export async function measurePurchases(product: Served, drop: string, tell: (line: string) => void): Promise<Row[]> {
  const store = `http://127.0.0.1:${product.port}`;
  const durations: number[] = [];
  for (let index = 0; index < ALONE; index++) durations.push(await buy(store, drop, 25));
  tell(`${ALONE} purchases one after the other: ${median(durations).toFixed(0)} ms`);

  const before = processorMicroseconds(product.pid);
  const startedAt = performance.now();
  const waiting = Array.from({ length: TOGETHER }).values();
  await Promise.all(Array.from({ length: LANES }, async () => {
    for (const _ of waiting) await buy(store, drop, 500);
  }));
  const processorMs = (processorMicroseconds(product.pid) - before) / 1_000 / TOGETHER;
  const perSecond = (TOGETHER / (performance.now() - startedAt)) * 1_000;
  return [{
    what: "a whole purchase, from joining to captured", figure: `${median(durations).toFixed(0)} ms`,
    detail: `the median of ${ALONE} one after the other, the sandbox's page and its webhooks included; ${processorMs.toFixed(1)} ms of processor each with ${LANES} at a time (${perSecond.toFixed(1)} a second)`,
  }];
}

async function buy(store: string, drop: string, pollMs: number): Promise<number> {
  const startedAt = performance.now();
  const shopper = new Shopper(store, drop);
  await shopper.live();
  expect((await shopper.join([{ sku: "MOTH", quantity: 1 }])).status, 201, "joining");
  await shopper.admitted(LIMIT_MS);
  const hold = await shopper.hold([{ sku: "MOTH", quantity: 1 }]);
  expect(hold.status, 201, "holding");
  const order = await shopper.order(String(hold.body.id));
  expect(order.status, 201, "ordering");
  const paid = await payAt(String(order.body.payment.url));
  if (paid.status >= 400) throw new Error(`paying was answered with ${paid.status}`);
  while (performance.now() - startedAt < LIMIT_MS) {
    const seen = await shopper.read(String(order.body.id), String(order.body.receipt));
    if (seen.body.payment?.state === "captured") return performance.now() - startedAt;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`the order was not captured within ${LIMIT_MS} ms`);
}

function expect(status: number, expected: number, what: string): void {
  if (status !== expected) throw new Error(`${what} was answered with ${status}`);
}
