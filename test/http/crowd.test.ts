import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { readRecord, verifyRecord } from "../support/record-verifier.ts";
import { admittedCrowd, inParallel, paidOrder } from "../support/crowd.ts";
import { clientId, request, Shopper } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";

/*
 * A crowd of people who are all admitted, against the served product over HTTP.
 */

const UNITS = 40;
const PEOPLE = 500;

let product: Product;
beforeAll(async () => {
  product = await startProduct(
    storeVars(
      { slug: "race", items: [{ sku: "RACE-1", priceMinor: 4200, quantity: UNITS }], limitPerPerson: 1 },
      { slug: "pair", items: [{ sku: "PAIR-1", priceMinor: 1000, quantity: 100 }], limitPerPerson: 2 },
      { slug: "shards", items: [{ sku: "SHARD-A", priceMinor: 1100, quantity: 12 }, { sku: "SHARD-B", priceMinor: 1100, quantity: 3 }], limitPerPerson: 1, admit: "paced", shards: 4, opensAfter: "8s", claimWindow: "5s" },
    ),
  );
});
afterAll(() => product?.stop());

describe("a crowd that is admitted all at once", () => {
  test("40 units and 500 people with three requests each: exactly 40 are held, then sold, and the record proves it", async () => {
    const crowd = await admittedCrowd(product.store, "race", PEOPLE, "RACE-1");
    await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: { delayMs: { min: 0, max: 300 } } });

    const attempts = crowd.flatMap((shopper) => Array.from({ length: 3 }, () => ({ shopper, id: clientId("hld") })));
    const answers = await inParallel(attempts, 128, ({ shopper, id }) => shopper.hold([{ sku: "RACE-1", quantity: 1 }], id));
    const winners = attempts.filter((_, index) => answers[index]?.status === 201);
    const refusals = answers.filter((answer) => answer.status !== 201);
    expect(crowd.length, "more admitted people raced than there were units").toBeGreaterThan(UNITS);
    expect(winners).toHaveLength(UNITS);
    expect(new Set(refusals.map((answer) => `${answer.status} ${answer.body.code}`))).toEqual(new Set(["409 sold_out", "409 limit_reached"]));

    const orders = await inParallel(winners, 16, ({ shopper, id }) => paidOrder(shopper, id));
    expect(orders).toHaveLength(UNITS);
    await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: {} });

    const verdict = await verifyRecord(product.store, "race");
    expect(verdict).toEqual({ failures: [], heldUnits: 0, soldUnits: UNITS, admitted: PEOPLE });

    const desk = { headers: { authorization: `Bearer ${product.deskKey}` } };
    for (const { order } of orders.slice(0, 5)) {
      const { body } = await request("GET", `${product.desk}/desk/api/ledger/transfers?order=${order}`, desk);
      const posted = body.transfers.filter((transfer: { state: string }) => transfer.state === "posted");
      expect(posted.reduce((sum: number, transfer: { amountMinor: number }) => sum + transfer.amountMinor, 0)).toBe(4200);
    }
    const books = await request("GET", `${product.sandbox}/sandbox/books`);
    const captured = books.body.paymentIntents.reduce((sum: number, intent: { amount_received: number }) => sum + intent.amount_received, 0);
    expect(captured).toBe(UNITS * 4200);
  });

  test("two per person from 50 parallel requests of one person are two", async () => {
    const [shopper] = await admittedCrowd(product.store, "pair", 1, "PAIR-1");
    if (shopper === undefined) throw new Error("nobody was admitted");
    const answers = await Promise.all(Array.from({ length: 50 }, () => shopper.hold([{ sku: "PAIR-1", quantity: 1 }])));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(2);
    expect(new Set(answers.filter((answer) => answer.status !== 201).map((answer) => answer.body.code))).toEqual(new Set(["limit_reached"]));
    const { rows } = await readRecord(product.store, "pair");
    expect(rows.filter((row) => row.kind === "hold")).toHaveLength(2);
  });

  test("four shards, a paced line and one item that everybody wants: every unit of both items sells, in the order of the draw", async () => {
    const crowd = Array.from({ length: 60 }, () => new Shopper(product.store, "shards"));
    // Most want the scarce item; a dozen want the other one and must not wait for it.
    await inParallel(crowd, 32, async (shopper) => {
      const sku = crowd.indexOf(shopper) < 48 ? "SHARD-B" : "SHARD-A";
      expect((await shopper.join([{ sku, quantity: 1 }])).status).toBe(201);
    });
    const until = Date.now() + 60_000;
    const outcome = await inParallel(crowd, crowd.length, async (shopper) => {
      const sku = crowd.indexOf(shopper) < 48 ? "SHARD-B" : "SHARD-A";
      while (Date.now() < until) {
        const live = await shopper.live();
        const item = live.body.items.find((candidate: { sku: string }) => candidate.sku === sku);
        if (live.body.phase !== "lobby" && live.body.phase !== "drawing") {
          if (item.soldOut !== null) return "sold out";
          const claim = await shopper.claim();
          if (claim.status === 201) {
            const held = await shopper.hold([{ sku, quantity: 1 }]);
            if (held.status === 201) return "held";
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      return "waited in vain";
    });
    expect(outcome.slice(0, 48).filter((result) => result === "held")).toHaveLength(3);
    expect(outcome.slice(48).filter((result) => result === "held")).toHaveLength(12);
    const verdict = await verifyRecord(product.store, "shards");
    expect(verdict.failures).toEqual([]);
    expect(verdict.heldUnits).toBe(15);
  });
});
