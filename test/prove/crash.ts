import { createHash } from "node:crypto";
import { inParallel, wait } from "../support/crowd.ts";
import { startProduct, type Launch, type Product } from "../support/product.ts";
import { readRecord, verifyRecord } from "../support/record-verifier.ts";
import { clientId, request, type Answer } from "../support/shopper.ts";
import { storeVars } from "../support/store-config.ts";
import { median, play, seeded, tellOnTerminal, type Demonstration, type Tell } from "./figures.ts";
import { Night, type NightDrop } from "./night-shoppers.ts";

/*
 * node test/prove/crash.ts [kills] [seed]
 *
 * A sale during which the power goes again and again: SIGKILL for everything at
 * a random moment with requests in flight, then a start on the same data. What
 * anybody was told must be there, and the ledger must be the provider's books.
 */

/** As the README states it: a payment whose webhook never came is found within five minutes; then the cron's minute. */
const RECOVERY_MS = 6 * 60_000;

export interface CrashTerms {
  readonly kills: number;
  readonly seed: number;
  readonly shoppers: number;
  readonly thinkMs: number;
  /** The longest that the store is left alone between two kills. */
  readonly aliveMsMax: number;
  /** How long to wait for what is unsettled; what is younger than the recovery time by then is no failure. */
  readonly patienceMs: number;
}

/** One captures at once, the other when the goods are handed over. */
const DROPS: readonly NightDrop[] = [{ slug: "night", sku: "NIGHT-1" }, { slug: "dawn", sku: "DAWN-1" }];

/** Slow enough that the power often goes between an effect at the provider and the note of it; its webhooks come late and twice. */
const SLOW_PROVIDER = { delayMs: { min: 0, max: 500 }, webhooks: { duplicate: 1, delayMs: { min: 0, max: 2_500 } } };

export async function crash(terms: CrashTerms, tell: Tell = tellOnTerminal): Promise<Demonstration> {
  const { kills, seed } = terms;
  tell(`crash: seed ${seed}, ${kills} kills`);
  const random = seeded(seed);
  const product = await startProduct(storeVars(
    { slug: "night", items: [{ sku: "NIGHT-1", priceMinor: 4_207, quantity: 20_000 }], limitPerPerson: 2, shards: 2 },
    { slug: "dawn", items: [{ sku: "DAWN-1", priceMinor: 1_999, quantity: 20_000 }], limitPerPerson: 2, capture: "on-fulfilment" },
  ));
  const restarts: number[] = [];
  const inFlight: number[] = [];
  let readyMs: number | null = null;
  let running: Pick<Launch, "kill"> = product;
  try {
    await wait(1_500);
    await request("PUT", `${product.sandbox}/sandbox/behaviour`, { body: SLOW_PROVIDER });
    const night = new Night(product.store, DROPS, seed);
    const shoppers = Array.from({ length: terms.shoppers }, () => night.shop(terms.thinkMs));
    for (let kill = 1; kill <= kills; kill++) {
      await wait(150 + Math.floor(random() * terms.aliveMsMax));
      for (const until = Date.now() + 5_000; night.inFlight === 0 && Date.now() < until;) await wait(1);
      inFlight.push(night.inFlight);
      await running.kill();
      const startedAt = performance.now();
      const launch = product.launch();
      running = launch;
      // The store answers before the start says so, and the next kill may come before that.
      const isLast = kill === kills;
      launch.ready.then(() => {
        if (isLast) readyMs = performance.now() - startedAt;
      }, () => undefined);
      restarts.push(await firstAnswer(product.store, startedAt));
      if (kill % 5 === 0 || kill === kills) tell(`crash: ${kill} kills, ${night.holds.size} holds and ${night.orders.size} orders told, ${night.lost} requests met no store`);
    }
    // Time to go on undisturbed, and then nobody new.
    await wait(1_500);
    night.isOver = true;
    await Promise.all(shoppers);
    const overAt = Date.now();
    const settled = await settlement(product, night, terms.patienceMs, tell);
    const failures = [...night.failures, ...settled.failures, ...inFlight.flatMap((count, index) => (count > 0 ? [] : [`kill ${index + 1} met no request in flight`])), ...(await recordFailures(product, night))];
    failures.push(...(await handOver(product, night)));
    return { figures: figuresOf(terms, night, { restarts, readyMs, inFlight }, settled, overAt), failures };
  } finally {
    await running.kill();
    await product.stop();
  }
}

interface Restarts {
  readonly restarts: readonly number[];
  /** How long the last start took until it said of itself that everything answers; null when it had not by the end. */
  readonly readyMs: number | null;
  readonly inFlight: readonly number[];
}

function figuresOf({ kills, seed }: CrashTerms, night: Night, { restarts, readyMs, inFlight }: Restarts, settled: Settled, overAt: number): Demonstration["figures"] {
  const paid = [...night.orders.values()].filter((order) => order.isPaid).length;
  return [
    { name: "kill -9", value: `${kills} kills (seed ${seed}) with ${Math.min(...inFlight)} to ${Math.max(...inFlight)} requests in flight, ${night.lost} requests without an answer; ${night.holds.size} holds, ${night.orders.size} orders and ${paid} payments told to shoppers` },
    { name: "kill -9, money", value: `${settled.payments} payments: ${settled.orders} orders, ${settled.voids} voids, ${settled.refunds} refunds, ${settled.open} open; the last was settled ${Math.max(0, (settled.at - overAt) / 1_000).toFixed(0)} s after the sale; ${settled.transferredMinor} minor units in the ledger and in the provider's books` },
    { name: "restart to first answer", value: `median ${(median(restarts) / 1_000).toFixed(2)} s, at most ${(Math.max(...restarts) / 1_000).toFixed(2)} s; the last start ${readyMs === null ? "had not said so itself by the end" : `said so itself after ${(readyMs / 1_000).toFixed(1)} s`}` },
  ];
}

async function firstAnswer(store: string, startedAt: number): Promise<number> {
  for (;;) {
    const isAnswered = await fetch(`${store}/api/drops/${DROPS[0]?.slug}/live`, { signal: AbortSignal.timeout(5_000) }).then(async (response) => {
      await response.text();
      return response.status === 200;
    }, () => false);
    const tookMs = performance.now() - startedAt;
    if (isAnswered) return tookMs;
    if (tookMs > 120_000) throw new Error("the store did not answer within two minutes of its restart");
    await wait(20);
  }
}

interface Settled {
  readonly payments: number;
  readonly orders: number;
  readonly voids: number;
  readonly refunds: number;
  readonly open: number;
  readonly transferredMinor: number;
  readonly at: number;
  readonly failures: readonly string[];
}

interface Intent {
  readonly client_reference_id: string | null;
  readonly status: string;
  readonly amount_authorised: number;
  readonly amount_received: number;
  readonly amount_refunded: number;
  readonly created: number;
}

const desk = (product: Product, path: string): Promise<Answer> => request("GET", `${product.desk}/desk/api${path}`, { headers: { authorization: `Bearer ${product.deskKey}` } });

async function intentsOf(product: Product): Promise<readonly Intent[]> {
  const { body } = await request("GET", `${product.sandbox}/sandbox/books`);
  return body.paymentIntents.filter((intent: Intent) => intent.amount_authorised > 0);
}

/** Every order that settlement has, by its id. */
async function ordersOf(product: Product): Promise<ReadonlyMap<string, Answer["body"]>> {
  const orders = new Map<string, Answer["body"]>();
  for (const { slug } of DROPS) {
    let cursor = "";
    do {
      const { body } = await desk(product, `/orders?drop=${slug}&limit=100${cursor}`);
      for (const order of body.orders) orders.set(order.id, order);
      cursor = typeof body.next === "string" ? `&cursor=${encodeURIComponent(body.next)}` : "";
    } while (cursor !== "");
  }
  return orders;
}

type Fate = "order" | "void" | "refund" | "open";

/** What became of a payment: exactly one of the first three, or it is not settled yet. */
function fateOf(intent: Intent, order: Answer["body"]): Fate {
  const isConfirmed = order?.state === "confirmed";
  if (intent.status === "canceled") return isConfirmed ? "open" : "void";
  if (intent.status === "succeeded" && intent.amount_refunded === intent.amount_received) return isConfirmed ? "open" : "refund";
  const isTheOrders = () => intent.amount_authorised === order.totalMinor;
  if (!isConfirmed || !isTheOrders()) return "open";
  const isCaptured = intent.status === "succeeded" && intent.amount_received === order.totalMinor && order.payment.state === "captured";
  const isKept = intent.status === "requires_capture" && order.payment.state === "authorised" && order.drop === "dawn";
  return isCaptured || isKept ? "order" : "open";
}

/** Waits until every payment is exactly one of order, void and refund, and compares the ledger with the provider's books. */
async function settlement(product: Product, night: Night, patienceMs: number, tell: Tell): Promise<Settled> {
  const until = Date.now() + patienceMs;
  for (;;) {
    const [intents, orders] = [await intentsOf(product), await ordersOf(product)];
    const fates = intents.map((intent) => fateOf(intent, orders.get(intent.client_reference_id ?? "")));
    const open = fates.filter((fate) => fate === "open").length;
    if (open > 0 && Date.now() < until) {
      await wait(1_000);
      continue;
    }
    tell(`crash: ${intents.length} payments, ${open} of them open`);
    const count = (fate: Fate) => fates.filter((other) => other === fate).length;
    const late = intents.filter((intent, index) => fates[index] === "open" && intent.created * 1_000 + RECOVERY_MS < Date.now());
    const ledger = await ledgerFailures(product, intents, [...orders.keys()]);
    return {
      payments: intents.length, orders: count("order"), voids: count("void"), refunds: count("refund"), open, at: Date.now(),
      transferredMinor: ledger.transferredMinor,
      failures: [
        ...late.map((intent) => `the payment of ${intent.client_reference_id} is ${intent.status} and its order ${JSON.stringify(orders.get(intent.client_reference_id ?? "")?.state)} after the recovery time`),
        ...(patienceMs >= RECOVERY_MS && open > 0 ? [`${open} payments are not settled ${patienceMs / 1_000} s after the sale`] : []),
        ...ledger.failures, ...toldFailures(night, orders, intents),
      ],
    };
  }
}

/** What anybody was told, against what settlement and the provider have. */
function toldFailures(night: Night, orders: ReadonlyMap<string, Answer["body"]>, intents: readonly Intent[]): string[] {
  const paid = Map.groupBy(intents, (intent) => intent.client_reference_id);
  return [...night.orders.values()].flatMap((told) => {
    const order = orders.get(told.order);
    const payments = paid.get(told.order) ?? [];
    if (order === undefined) return [`${told.order} was told to a shopper and is gone`];
    return [
      ...(order.totalMinor === told.totalMinor ? [] : [`${told.order} costs ${order.totalMinor} and was told as ${told.totalMinor}`]),
      ...(payments.length > 1 ? [`${told.order} was paid ${payments.length} times`] : []),
      ...(told.isPaid && payments.length === 0 ? [`${told.order} was told to be paid and the provider has no payment`] : []),
      ...(told.isConfirmed && order.state !== "confirmed" ? [`${told.order} was told to be confirmed and is ${order.state}`] : []),
    ];
  });
}

/** Order by order and account by account: what the ledger posted is what the provider received, to the cent. */
async function ledgerFailures(product: Product, intents: readonly Intent[], orders: readonly string[]): Promise<{ readonly transferredMinor: number; readonly failures: readonly string[] }> {
  const received = new Map<string, number>();
  for (const intent of intents) {
    const order = intent.client_reference_id ?? "";
    received.set(order, (received.get(order) ?? 0) + intent.amount_received - intent.amount_refunded);
  }
  const failures: string[] = [];
  let transferredMinor = 0;
  await inParallel(orders, 8, async (order) => {
    const { body } = await desk(product, `/ledger/transfers?order=${order}`);
    const net = body.transfers
      .filter((transfer: { state: string }) => transfer.state === "posted")
      .reduce((sum: number, { credit, amountMinor }: { credit: string; amountMinor: number }) => sum + (credit.startsWith("provider:") ? -amountMinor : amountMinor), 0);
    transferredMinor += net;
    if (net !== (received.get(order) ?? 0)) failures.push(`${order}: the ledger has ${net}, the provider's books ${received.get(order) ?? 0}`);
  });
  const { body } = await desk(product, "/ledger/accounts");
  const parties = body.accounts.filter(({ account }: { account: string }) => !account.startsWith("provider:"));
  const balance = parties.reduce((sum: number, { creditMinor, debitMinor }: { creditMinor: number; debitMinor: number }) => sum + creditMinor - debitMinor, 0);
  if (balance !== transferredMinor) failures.push(`the accounts have ${balance}, their transfers ${transferredMinor}`);
  return { transferredMinor, failures };
}

/** The public record: right by itself, and with every hold and order that anybody was told. */
async function recordFailures(product: Product, night: Night): Promise<string[]> {
  const failures: string[] = [];
  for (const { slug } of DROPS) {
    failures.push(...(await verifyRecord(product.store, slug)).failures.map((failure) => `the record of ${slug}: ${failure}`));
    const { rows } = await readRecord(product.store, slug);
    const refOf = (hold: string) => createHash("sha256").update(`tranche/ref\n${slug}\n${hold}`).digest("hex");
    const unitsBy = new Map<string, number>();
    for (const row of rows) unitsBy.set(`${row.kind} ${String(row["ref"])}`, (unitsBy.get(`${row.kind} ${String(row["ref"])}`) ?? 0) + Number(row["quantity"]));
    for (const [hold, told] of night.holds) {
      const units = unitsBy.get(`hold ${refOf(hold)}`) ?? 0;
      // Late money holds the same units a second time: a payment that nobody heard of before the goods went back.
      const isThere = units > 0 && units % told.quantity === 0;
      if (told.drop === slug && !isThere) failures.push(`${hold} of ${told.quantity} was told to a shopper and the record has ${units}`);
    }
    for (const told of night.orders.values()) {
      if (told.drop !== slug) continue;
      if (unitsBy.get(`place ${refOf(told.hold)}`) !== told.quantity) failures.push(`${told.order} was told to a shopper and is not in the record`);
      if (told.isConfirmed && unitsBy.get(`sell ${refOf(told.hold)}`) !== told.quantity) failures.push(`${told.order} was told to be confirmed and its sale is not in the record`);
    }
  }
  return failures;
}

/** Hands one order of the drop over that captures then, and sees that exactly this is booked. */
async function handOver(product: Product, night: Night): Promise<string[]> {
  const told = [...night.orders.values()].find((order) => order.drop === "dawn" && order.isConfirmed);
  if (told === undefined) return ["no order waited for its hand-over"];
  await request("POST", `${product.desk}/desk/api/orders/${told.order}/fulfilments`, { body: { id: clientId("ful") }, headers: { authorization: `Bearer ${product.deskKey}` } });
  for (const until = Date.now() + 15_000; Date.now() < until; await wait(200)) {
    const order = (await desk(product, `/orders/${told.order}`)).body;
    if (order.payment.state !== "captured" || order.fulfilment !== "done") continue;
    const intents = (await intentsOf(product)).filter((intent) => intent.client_reference_id === told.order);
    return [...(await ledgerOfOne(product, told.order, intents))];
  }
  return [`${told.order} was handed over and is not captured`];
}

async function ledgerOfOne(product: Product, order: string, intents: readonly Intent[]): Promise<readonly string[]> {
  const received = intents.reduce((sum, intent) => sum + intent.amount_received, 0);
  const { body } = await desk(product, `/ledger/transfers?order=${order}`);
  const posted = body.transfers.filter((transfer: { state: string }) => transfer.state === "posted").reduce((sum: number, { amountMinor }: { amountMinor: number }) => sum + amountMinor, 0);
  return posted === received && received > 0 ? [] : [`${order} was handed over: the ledger has ${posted}, the provider's books ${received}`];
}

/** As many kills as the sale must survive. */
export const LONG_NIGHT: Omit<CrashTerms, "seed"> = { kills: 50, shoppers: 24, thinkMs: 500, aliveMsMax: 2_500, patienceMs: RECOVERY_MS };

if (import.meta.main) {
  const [kills = String(LONG_NIGHT.kills), seed = String(Math.floor(Math.random() * 0x7fff_ffff))] = process.argv.slice(2);
  await play(() => crash({ ...LONG_NIGHT, kills: Number(kills), seed: Number(seed) }));
}
