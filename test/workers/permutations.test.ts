import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { seeded } from "../prove/figures.ts";
import { orderUntil, payAt } from "../support/shopper.ts";
import { StateWatch, type Bought } from "../support/state-watch.ts";
import { beginClock, deliver, endClock, eventsOf, stage, withholdWebhooks } from "./whole-stage.ts";

/*
 * A sample of what test/prove/webhooks.ts plays in full without the runtime:
 * seven events of one payment in any order, each twice, with the shopper's
 * return in between.
 */

beforeAll(beginClock);
afterAll(endClock);
beforeEach(withholdWebhooks);

const SAMPLE = 12;
const AT_ONCE = 6;
const drop = { slug: "permutations", items: [{ sku: "PERMUTATIONS", priceMinor: 4_200, quantity: 500 }] };

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(random() * left.length), 1)).flat();
}

test(`${SAMPLE} of the orders of a payment's seven webhooks, each webhook twice, with the shopper's return in between: always the same end`, async () => {
  const seed = Math.floor(Math.random() * 0x7fff_ffff);
  const random = seeded(seed);
  for (let first = 0; first < SAMPLE; first += AT_ONCE) {
    const watch = new StateWatch(stage);
    const buyers: Bought[] = [];
    for (let buyer = 0; buyer < AT_ONCE; buyer++) {
      const bought = await watch.place(drop);
      await payAt(bought.placed.body.payment.url, "decline", stage.sandboxSender);
      await watch.pay(bought, "processing");
      buyers.push(bought);
    }
    await stage.later(6_000);
    await watch.atProvider("GET", "/books");
    await Promise.all(buyers.map(async (bought) => {
      const events = await eventsOf(bought.order);
      expect(events, "the provider's seven events").toHaveLength(7);
      for (const step of shuffled([...events, ...events, null, null], random)) {
        if (step === null) await bought.shopper.read(bought.order, bought.placed.body.receipt);
        else await deliver(step);
      }
      await expectOneSale(watch, bought, seed);
      // What the capture itself set off arrives last.
      for (const event of await eventsOf(bought.order)) await deliver(event);
      await expectOneSale(watch, bought, seed);
    }));
  }
  console.info(`${SAMPLE} of 5040 orders of seven events, seed ${seed}: one final state each`);
}, 120_000);

async function expectOneSale(watch: StateWatch, { shopper, order, placed }: Bought, seed: number): Promise<void> {
  await orderUntil(shopper, order, placed.body.receipt, (body) => body.state === "confirmed" && body.payment.state === "captured", 15_000);
  const { body } = await watch.ask("GET", `/ledger/transfers?order=${order}`);
  const posted = body.transfers.filter(({ state }: { state: string }) => state === "posted").map(({ credit, amountMinor }: { credit: string; amountMinor: number }) => [credit, amountMinor]);
  expect(posted.toSorted(), `seed ${seed}`).toEqual([["creator:ana", 2_940], ["partner:kiosk-k", 300], ["platform", 960]]);
  const books = (await watch.atProvider("GET", "/books")).body.paymentIntents.filter((intent: { client_reference_id: string }) => intent.client_reference_id === order);
  expect(books.map((intent: { status: string; amount_received: number }) => [intent.status, intent.amount_received])).toEqual([["succeeded", 4_200]]);
}
