import { admittedCrowd, inParallel, paidOrder } from "../support/crowd.ts";
import { startProduct, type Product } from "../support/product.ts";
import { readRecord, verifyRecord } from "../support/record-verifier.ts";
import { clientId, request, type Answer, type Shopper } from "../support/shopper.ts";
import { storeVars, type TestDrop } from "../support/store-config.ts";
import { play, tellOnTerminal, words, type Demonstration, type Figure, type Tell } from "./figures.ts";
import { changedCopy, type Change } from "./mutant-copy.ts";

/*
 * node test/prove/crowd.ts
 *
 * A crowd of people who are all admitted, from this process over HTTP against
 * the served product, and then the same crowd against a copy of the product
 * without the stock guard. Where the copy does not oversell, the crowd was none.
 */

const PRICE_MINOR = 4_200;
const AT_ONCE = 192;

interface Race {
  readonly drop: string;
  readonly sku: string;
  readonly units: number;
  readonly people: number;
  readonly requests: number;
}

interface RaceResult {
  readonly admitted: number;
  readonly requests: number;
  readonly held: number;
  readonly sold: number;
  readonly paidMinor: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly recordFailures: readonly string[];
  readonly holdsASecond: number;
}

/** What keeps a hold from being accepted where the units are gone, and the assertion behind it that stops such a write. */
const WITHOUT_STOCK_GUARD: readonly Change[] = [
  { file: "src/drop/holds.ts", from: "quantity > free(sku)", to: "quantity > free(sku) + 1_000_000" },
  { file: "src/drop/counters.ts", from: "assert(taken <= releasedUnits(stockUnit(plan, movement.sku), now)", to: "assert(taken <= releasedUnits(stockUnit(plan, movement.sku), now) + 1_000_000" },
];

/** Everybody asks for a unit again and again at once; whoever holds one pays while the race goes on. */
async function race(product: Product, { drop, sku, units, people, requests }: Race, tell: Tell): Promise<RaceResult> {
  const crowd = await admittedCrowd(product.store, drop, people, sku);
  tell(`${drop}: ${crowd.length} people are admitted to ${units} ${units === 1 ? "unit" : "units"}`);
  await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: { seed: drop, delayMs: { min: 0, max: 3_000 } } });

  const attempts = Array.from({ length: requests }, (_, index) => ({ shopper: crowd[index % crowd.length] as Shopper, id: clientId("hld") }));
  const refusals: Record<string, number> = {};
  const payments: Promise<unknown>[] = [];
  const failures: string[] = [];
  let held = 0;
  const startedAt = performance.now();
  await inParallel(attempts, AT_ONCE, async ({ shopper, id }) => {
    const answer: Answer = await shopper.hold([{ sku, quantity: 1 }], id);
    if (answer.status !== 201) {
      const name = `${answer.status} ${String(answer.body.code)}`;
      refusals[name] = (refusals[name] ?? 0) + 1;
      return;
    }
    held++;
    payments.push(paidOrder(shopper, id, 150_000).catch((error: unknown) => failures.push(`${drop}: ${words(error)}`)));
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  tell(`${drop}: ${requests} requests in ${seconds.toFixed(1)} s, ${held} held; paying`);
  await Promise.all(payments);
  await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: {} });

  const verdict = await verifyRecord(product.store, drop);
  const { rows } = await readRecord(product.store, drop);
  const skuIntents = await paidIntents(product, drop);
  const soldRows = rows.filter((row) => row.kind === "sell").length;
  if (soldRows !== verdict.soldUnits) failures.push(`${drop}: the record has ${soldRows} sales and counts ${verdict.soldUnits} units`);
  return {
    admitted: verdict.admitted, requests, held, sold: verdict.soldUnits, paidMinor: skuIntents,
    refusals, recordFailures: [...failures, ...verdict.failures], holdsASecond: requests / seconds,
  };
}

/** What the provider has captured for the orders of a drop. */
async function paidIntents(product: Product, drop: string): Promise<number> {
  const orders = new Set<string>();
  let cursor = "";
  do {
    const { body } = await request("GET", `${product.desk}/desk/api/orders?drop=${drop}&limit=100${cursor}`, { headers: { authorization: `Bearer ${product.deskKey}` } });
    for (const { id } of body.orders) orders.add(id);
    cursor = typeof body.next === "string" ? `&cursor=${encodeURIComponent(body.next)}` : "";
  } while (cursor !== "");
  const { body } = await request("GET", `${product.sandbox}/sandbox/books`);
  return body.paymentIntents
    .filter((intent: { client_reference_id: string }) => orders.has(intent.client_reference_id))
    .reduce((sum: number, intent: { amount_received: number }) => sum + intent.amount_received, 0);
}

const dropOf = ({ drop, sku, units }: Race): TestDrop => ({ slug: drop, items: [{ sku, priceMinor: PRICE_MINOR, quantity: units }], limitPerPerson: 1, shards: 2 });

const RACES: readonly Race[] = [
  { drop: "one", sku: "ONE", units: 1, people: 1_000, requests: 1_000 },
  ...[1, 2, 3].map((round) => ({ drop: `forty-${round}`, sku: `FORTY-${round}`, units: 40, people: 1_000, requests: 10_000 })),
];

/** Smaller, because everybody in it gets a unit and pays. */
const MUTANT_RACES: readonly Race[] = [
  { drop: "one", sku: "ONE", units: 1, people: 100, requests: 100 },
  { drop: "forty", sku: "FORTY", units: 40, people: 160, requests: 1_600 },
];

function judge(race: Race, result: RaceResult): string[] {
  const { drop, units } = race;
  const wrong = Object.keys(result.refusals).filter((name) => name !== "409 sold_out" && name !== "409 limit_reached");
  return [
    ...(result.sold === units && result.held === units ? [] : [`${drop}: ${result.held} held and ${result.sold} sold of ${units}`]),
    ...(result.admitted > units ? [] : [`${drop}: only ${result.admitted} people were admitted to ${units} units`]),
    ...(result.paidMinor === units * PRICE_MINOR ? [] : [`${drop}: the provider has ${result.paidMinor}, ${units * PRICE_MINOR} were sold`]),
    ...wrong.map((name) => `${drop}: ${result.refusals[name]} answers were ${name}`),
    ...result.recordFailures.map((failure) => `${drop}: ${failure}`),
  ];
}

function figureOf({ drop, units }: Race, { admitted, requests, sold, holdsASecond }: RaceResult, whose: string): Figure {
  const name = drop.replace(/-\d$/, "") === "one" ? "one unit" : `${units} units`;
  return { name: `crowd, ${whose}${name} (${drop})`, value: `${sold} sold; ${admitted} admitted, ${requests} requests, ${holdsASecond.toFixed(0)} answered a second` };
}

export async function crowd(tell: Tell = tellOnTerminal): Promise<Demonstration> {
  const figures: Figure[] = [];
  const failures: string[] = [];
  const product = await startProduct(storeVars(...RACES.map(dropOf)));
  try {
    for (const run of RACES) {
      const result = await race(product, run, tell);
      figures.push(figureOf(run, result, ""));
      failures.push(...judge(run, result));
    }
  } finally {
    await product.stop();
  }
  const mutant = await mutantCrowd(tell);
  return { figures: [...figures, ...mutant.figures], failures: [...failures, ...mutant.failures] };
}

/** The same people against the product without its stock guard: it must oversell, and the record must show it. */
async function mutantCrowd(tell: Tell): Promise<Demonstration> {
  const figures: Figure[] = [];
  const failures: string[] = [];
  const copy = await changedCopy(WITHOUT_STOCK_GUARD);
  try {
    const product = await startProduct(storeVars(...MUTANT_RACES.map(dropOf)), copy.folder);
    try {
      for (const run of MUTANT_RACES) {
        const result = await race(product, run, (line) => tell(`without the guard, ${line}`));
        figures.push(figureOf(run, result, "without the stock guard, "));
        if (result.sold <= run.units) failures.push(`without the stock guard ${run.drop} sold ${result.sold} of ${run.units}: this crowd would not see an oversale`);
        if (!result.recordFailures.some((failure) => failure.includes("released is"))) failures.push(`the record's verifier did not see that ${run.drop} was oversold`);
      }
    } finally {
      await product.stop();
    }
  } finally {
    await copy.remove();
  }
  return { figures, failures };
}

if (import.meta.main) await play(() => crowd());
