import { clientId } from "./shopper.ts";
import type { MovedStage, StateWatch } from "./state-watch.ts";
import type { TestDrop } from "./store-config.ts";

/*
 * Evenings of shoppers, sellers and banks that together show every state. Each
 * has a drop of its own, and names the steps that must be seen in it.
 */

interface Named {
  readonly title: string;
  readonly drop: TestDrop;
  readonly shows: readonly string[];
}

export interface RealScenario extends Named {
  readonly clock: "real";
  /** Whether the provider is told how to behave, which it is for everybody: such scenarios play alone. */
  readonly isAlone: boolean;
  play(watch: StateWatch, drop: TestDrop): Promise<readonly string[]>;
}

export interface MovedScenario extends Named {
  readonly clock: "moved";
  play(watch: StateWatch, drop: TestDrop, stage: MovedStage): Promise<readonly string[]>;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

function dropOf(slug: string, extra: Partial<TestDrop> = {}): TestDrop {
  return { slug, items: [{ sku: slug.toUpperCase(), priceMinor: 4_200, quantity: 20 }], limitPerPerson: 3, closesAfter: "3h", ...extra };
}

const skuOf = (drop: TestDrop): string => drop.items[0]?.sku ?? "";

const SHOPPERS: readonly RealScenario[] = [
  {
    clock: "real", isAlone: false, title: "somebody buys, and gets the money back in two parts", drop: dropOf("s-buys"),
    shows: [
      "hold: new → held", "hold: held → placed", "hold: placed → sold", "order: new → placed", "order: placed → confirmed",
      "payment: new → pending", "payment: pending → captured", "payment: captured → part-refunded", "payment: part-refunded → refunded",
      "fulfilment: new → none", "transfer: new → pending", "transfer: pending → posted", "transfer: new → posted",
    ],
    async play(watch, drop) {
      const bought = await watch.buy(drop, "captured");
      await watch.refund(bought, { amountMinor: 1_000 });
      await watch.until(bought.order, (body) => body.payment.state === "part-refunded");
      await watch.refund(bought);
      await watch.until(bought.order, (body) => body.payment.state === "refunded");
      return [bought.order];
    },
  },
  {
    clock: "real", isAlone: false, title: "goods are handed over in two steps and captured then", drop: dropOf("s-hands", { capture: "on-fulfilment" }),
    shows: ["payment: pending → authorised", "payment: authorised → captured", "fulfilment: none → part", "fulfilment: part → done"],
    async play(watch, drop) {
      const bought = await watch.buy(drop, "authorised", 2);
      await watch.handOver(bought, [{ sku: skuOf(drop), quantity: 1 }]);
      await watch.handOver(bought);
      await watch.until(bought.order, (body) => body.payment.state === "captured" && body.fulfilment === "done");
      return [bought.order];
    },
  },
  {
    clock: "real", isAlone: false, title: "goods are handed over at once, and all the money goes back", drop: dropOf("s-returns"),
    shows: ["fulfilment: none → done", "payment: captured → refunded"],
    async play(watch, drop) {
      const bought = await watch.buy(drop, "captured");
      await watch.handOver(bought);
      await watch.refund(bought);
      await watch.until(bought.order, (body) => body.payment.state === "refunded");
      return [bought.order];
    },
  },
  {
    clock: "real", isAlone: false, title: "a hold runs out, and another is given up", drop: dropOf("s-holds", { hold: "10s" }),
    shows: ["hold: held → expired", "hold: held → abandoned"],
    async play(watch, drop) {
      const lines = [{ sku: skuOf(drop), quantity: 1 }];
      const shopper = await watch.stage.admitted(drop.slug, skuOf(drop), 1);
      const [given, kept] = [clientId("hld"), clientId("hld")];
      await shopper.hold(lines, given);
      await watch.readHold({ shopper, drop: drop.slug, hold: given });
      await shopper.proven("DELETE", `/api/drops/${drop.slug}/holds/${given}`, shopper.pass);
      await watch.readHold({ shopper, drop: drop.slug, hold: given });
      await shopper.hold(lines, kept);
      await new Promise((resolve) => setTimeout(resolve, 11_000));
      return [];
    },
  },
  {
    clock: "real", isAlone: false, title: "a coupon leaves nothing to pay", shows: ["order: new → confirmed", "payment: new → none"],
    drop: dropOf("s-free", {
      splits: '[ { party = "platform", remainder = true } ]',
      campaigns: '[ { id = "gift", percentOff = 100, validFrom = "2026-01-01T00:00:00Z", validUntil = "2028-01-01T00:00:00Z", uses = 10, typed = "GIFT" } ]',
    }),
    async play(watch, drop) {
      const bought = await watch.place(drop, { coupon: "GIFT" });
      await watch.until(bought.order, (body) => body.state === "confirmed");
      return [bought.order];
    },
  },
  {
    clock: "real", isAlone: false, title: "a bank takes its time and approves", drop: dropOf("s-slow"),
    shows: ["order: placed → confirming", "order: confirming → confirmed"],
    async play(watch, drop) {
      const bought = await watch.place(drop);
      await watch.pay(bought, "processing");
      await watch.until(bought.order, (body) => body.state === "confirming");
      await watch.until(bought.order, (body) => body.state === "confirmed" && body.payment.state === "captured");
      return [bought.order];
    },
  },
  ...(["at-once", "on-fulfilment"] as const).map((capture): RealScenario => ({
    clock: "real", isAlone: false, title: `a bank declines after a while, and a second card pays (${capture})`, drop: dropOf(`s-second-${capture}`, { capture }),
    shows: [
      "order: confirming → cancelled", "payment: pending → failed", "hold: placed → voided", "order: cancelled → confirmed", "hold: voided → sold",
      capture === "at-once" ? "payment: failed → captured" : "payment: failed → authorised",
    ],
    async play(watch, drop) {
      const bought = await declinedAfterAWhile(watch, drop);
      await watch.payAgain(bought);
      await watch.until(bought.order, (body) => body.state === "confirmed" && body.payment.state === (capture === "at-once" ? "captured" : "authorised"));
      return [bought.order];
    },
  })),
  {
    clock: "real", isAlone: false, title: "a second card pays for a drop that was cancelled meanwhile", drop: dropOf("s-second-late"), shows: ["payment: failed → voided"],
    async play(watch, drop) {
      const bought = await declinedAfterAWhile(watch, drop);
      await watch.cancelDrop(drop);
      await watch.payAgain(bought);
      await watch.until(bought.order, (body) => body.payment.state === "voided");
      return [bought.order];
    },
  },
  {
    clock: "real", isAlone: false, title: "a cancelled drop: somebody holds, somebody has not paid, somebody has", drop: dropOf("s-cancelled"),
    shows: ["hold: held → voided", "hold: placed → voided", "order: placed → cancelled", "order: confirmed → cancelled", "payment: captured → refunded"],
    async play(watch, drop) {
      const paid = await watch.buy(drop, "captured");
      const unpaid = await watch.place(drop);
      const holder = await watch.stage.admitted(drop.slug, skuOf(drop), 1);
      await holder.hold([{ sku: skuOf(drop), quantity: 1 }]);
      await watch.until(unpaid.order, (body) => body.state === "placed");
      await watch.cancelDrop(drop);
      await watch.until(unpaid.order, (body) => body.state === "cancelled");
      await watch.until(paid.order, (body) => body.state === "cancelled" && body.payment.state === "refunded");
      return [paid.order, unpaid.order];
    },
  },
  {
    clock: "real", isAlone: false, title: "a drop is cancelled before its goods are handed over", drop: dropOf("s-kept", { capture: "on-fulfilment" }),
    shows: ["payment: authorised → voided", "transfer: pending → voided", "order: confirmed → cancelled"],
    async play(watch, drop) {
      const bought = await watch.buy(drop, "authorised");
      await watch.readTransfers(bought.order);
      await watch.cancelDrop(drop);
      await watch.until(bought.order, (body) => body.payment.state === "voided");
      return [bought.order];
    },
  },
  {
    clock: "real", isAlone: false, title: "chargebacks before, between and after refunds, all won", drop: dropOf("s-disputes"),
    shows: [
      "payment: captured → disputed", "payment: disputed → captured", "payment: part-refunded → disputed", "payment: disputed → part-refunded",
      "payment: refunded → disputed", "payment: disputed → refunded",
    ],
    async play(watch, drop) {
      const orders: string[] = [];
      for (const [amountMinor, state] of [[null, "captured"], [1_000, "part-refunded"], [4_200, "refunded"]] as const) {
        const bought = await watch.buy(drop, "captured");
        if (amountMinor !== null) await watch.refund(bought, { amountMinor });
        await watch.until(bought.order, (body) => body.payment.state === state);
        const close = await watch.dispute(bought);
        await close("won");
        await watch.until(bought.order, (body) => body.payment.state === state);
        orders.push(bought.order);
      }
      return orders;
    },
  },
  {
    clock: "real", isAlone: true, title: "a drop is cancelled while the news of a payment is still on its way", drop: dropOf("s-meanwhile"), shows: ["payment: pending → voided"],
    async play(watch, drop) {
      await watch.atProvider("PUT", "/behaviour", { webhooks: { withhold: true } });
      const bought = await watch.place(drop);
      await watch.pay(bought);
      await watch.cancelDrop(drop);
      await watch.until(bought.order, (body) => body.payment.state === "voided");
      return [bought.order];
    },
  },
  {
    clock: "real", isAlone: true, title: "the provider is slow to open the payment page", drop: dropOf("s-late-page"),
    shows: ["order: new → confirming", "order: confirming → placed", "payment: none → pending"],
    async play(watch, drop) {
      await watch.atProvider("PUT", "/behaviour", { delayMs: { min: 3_600, max: 3_600 } });
      const bought = await watch.place(drop);
      await watch.atProvider("PUT", "/behaviour", {});
      await watch.until(bought.order, (body) => body.state === "placed", 40_000);
      return [bought.order];
    },
  },
  {
    clock: "real", isAlone: true, title: "the provider refuses to pay back what was charged back", drop: dropOf("s-refused"), shows: ["fulfilment: done → part"],
    async play(watch, drop) {
      const bought = await watch.buy(drop, "captured", 2);
      await watch.handOver(bought, [{ sku: skuOf(drop), quantity: 1 }]);
      await watch.dispute(bought);
      await watch.atProvider("PUT", "/behaviour", { delayMs: { min: 1_500, max: 1_500 } });
      const refund = watch.refund(bought, { lines: [{ sku: skuOf(drop), quantity: 1 }] });
      await watch.until(bought.order, (body) => body.fulfilment === "done");
      await refund;
      await watch.until(bought.order, (body) => body.fulfilment === "part");
      return [bought.order];
    },
  },
];

async function declinedAfterAWhile(watch: StateWatch, drop: TestDrop) {
  const bought = await watch.place(drop);
  await watch.pay(bought, "processing-declined");
  await watch.until(bought.order, (body) => body.state === "confirming");
  await watch.until(bought.order, (body) => body.state === "cancelled" && body.payment.state === "failed");
  return bought;
}

const CLOCKS: readonly MovedScenario[] = [
  {
    clock: "moved", title: "nobody pays", drop: dropOf("c-unpaid"),
    shows: ["order: placed → expired", "payment: pending → failed", "hold: placed → expired"],
    async play(watch, drop, stage) {
      const bought = await watch.place(drop);
      await stage.later(9 * MINUTE_MS);
      await stage.sweep(drop.slug);
      await watch.until(bought.order, (body) => body.state === "expired");
      return [bought.order];
    },
  },
  {
    clock: "moved", title: "the provider never opens a payment page", drop: dropOf("c-no-page"),
    shows: ["order: confirming → expired", "payment: none → failed"],
    async play(watch, drop, stage) {
      await watch.atProvider("PUT", "/behaviour", { errorBeforeCharging: { rate: 1, on: ["sessions.create"] }, webhooks: { withhold: true } });
      const bought = await watch.place(drop);
      await stage.later(9 * MINUTE_MS);
      await stage.sweep(drop.slug);
      await watch.until(bought.order, (body) => body.state === "expired");
      return [bought.order];
    },
  },
  {
    clock: "moved", title: "the drop is cancelled between the end of the time to pay and the return of the goods", drop: dropOf("c-between"),
    shows: ["order: expired → cancelled", "hold: placed → voided"],
    async play(watch, drop, stage) {
      const bought = await watch.place(drop);
      await stage.later(Date.parse(bought.placed.body.payBy) - Date.now() + 1_000);
      await stage.sweep(drop.slug);
      await watch.until(bought.order, (body) => body.state === "expired");
      await watch.cancelDrop(drop);
      await stage.sweep(drop.slug);
      await watch.until(bought.order, (body) => body.state === "cancelled");
      return [bought.order];
    },
  },
  {
    clock: "moved", title: "money is heard of after the goods went back, and takes them again", drop: dropOf("c-late"),
    shows: ["hold: expired → sold", "order: expired → confirmed", "payment: pending → captured"],
    async play(watch, drop, stage) {
      const bought = await watch.place(drop);
      await watch.pay(bought);
      // The provider cannot be asked to close its page, so the end of the time to pay does not find the payment either.
      await watch.atProvider("PUT", "/behaviour", { errorBeforeCharging: { rate: 1, on: ["sessions.expire"] }, webhooks: { withhold: true } });
      await stage.later(9 * MINUTE_MS);
      await stage.sweep(drop.slug);
      await watch.until(bought.order, (body) => body.state === "expired");
      await watch.atProvider("PUT", "/behaviour", { webhooks: { withhold: true } });
      await stage.news(bought.order);
      await watch.until(bought.order, (body) => body.state === "confirmed" && body.payment.state === "captured");
      return [bought.order];
    },
  },
  {
    clock: "moved", title: "the bank's approval ends before anything is handed over", drop: dropOf("c-ends", { capture: "on-fulfilment" }),
    shows: ["payment: authorised → voided", "order: confirmed → cancelled", "transfer: pending → voided"],
    async play(watch, drop, stage) {
      const bought = await watch.buy(drop, "authorised");
      await watch.readTransfers(bought.order);
      await stage.later(8 * DAY_MS);
      await watch.intent(bought.order);
      await stage.news(bought.order);
      await watch.until(bought.order, (body) => body.payment.state === "voided");
      return [bought.order];
    },
  },
];

export const REAL_SCENARIOS = SHOPPERS;
export const MOVED_SCENARIOS = CLOCKS;
export const SCENARIOS: readonly (RealScenario | MovedScenario)[] = [...SHOPPERS, ...CLOCKS];

/** Reads what only the record and the ledger tell, once a scenario is over. */
export async function readTheRest(watch: StateWatch, drop: TestDrop, orders: readonly string[]): Promise<void> {
  for (const order of orders) await watch.readTransfers(order);
  await watch.readHolds(drop.slug);
}

