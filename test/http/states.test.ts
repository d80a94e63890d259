import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startProduct, type Product } from "../support/product.ts";
import { request, Shopper } from "../support/shopper.ts";
import { readTheRest, REAL_SCENARIOS, type RealScenario } from "../support/state-scenarios.ts";
import { gaps, README, undeclared, withStateTable } from "../support/state-table.ts";
import { StateWatch, type Stage } from "../support/state-watch.ts";
import { storeVars } from "../support/store-config.ts";

/*
 * Every state and every step between two states that the product declares is
 * shown from outside. The scenarios whose clock is moved play in
 * test/workers/states.test.ts.
 */

let product: Product;
let stage: Stage;
beforeAll(async () => {
  product = await startProduct(storeVars(...REAL_SCENARIOS.map(({ drop }) => drop)));
  stage = {
    store: product.store, sandbox: product.sandbox, deskKey: product.deskKey, storeSender: fetch, sandboxSender: fetch,
    async admitted(drop, sku, quantity) {
      const shopper = new Shopper(product.store, drop);
      expect((await shopper.join([{ sku, quantity }])).status).toBe(201);
      await shopper.admitted();
      return shopper;
    },
    // The provider delivers what it tells by itself.
    news: async () => undefined,
  };
});
afterAll(() => product?.stop());

async function played({ drop, shows, play }: RealScenario): Promise<void> {
  const watch = new StateWatch(stage);
  const orders = await play(watch, drop);
  await readTheRest(watch, drop, orders);
  expect([...watch.steps]).toEqual(expect.arrayContaining([...shows]));
  expect(undeclared(watch.steps)).toEqual([]);
}

describe.concurrent("a step between two states is seen from outside", () => {
  for (const scenario of REAL_SCENARIOS.filter(({ isAlone }) => !isAlone)) test(scenario.title, () => played(scenario));
});

describe("a step between two states is seen from outside, with a provider that misbehaves", () => {
  beforeEach(async () => {
    expect((await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: {} })).status).toBe(200);
  });
  for (const scenario of REAL_SCENARIOS.filter(({ isAlone }) => isAlone)) test(scenario.title, () => played(scenario));
});

test("every declared state has a step that leads to it, and every declared step a scenario that shows it", () => {
  expect(gaps()).toEqual([]);
});

test("the README's table of states is up to date", () => {
  const text = readFileSync(README, "utf8");
  expect(withStateTable(text), "run: npm run states").toBe(text);
});
