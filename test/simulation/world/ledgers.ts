import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import type { PlanSource } from "../../../src/drop/plan.ts";
import type { HoldRow } from "../../../src/drop/state.ts";
import { idFromRandom } from "../../../src/kernel/ids.ts";
import { assert, Fault, type Result } from "../../../src/kernel/result.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import { foldOrder } from "../../../src/settlement/order-book.ts";
import { viewOrder } from "../../../src/settlement/order-view.ts";
import type { OrderFile, OrderStore } from "../../../src/settlement/order-store.ts";
import type { MoneyDeskPort, MoneyRejection, OrderView } from "../../../src/settlement/port.ts";
import type { DropStorage } from "./drop-storage.ts";
import { balanceOf, checkCaptures, checkSplits, checkTransfers } from "./ledger-auditor.ts";
import type { Network } from "./network.ts";
import { lostMinor, type SimulatedProvider } from "./provider.ts";

/**
 * The books of a simulation: every order that the drop placed, against what
 * settlement wrote and what the provider did on its own.
 */
export class Ledgers {
  readonly #source: PlanSource;
  readonly #store: OrderStore;
  readonly #provider: SimulatedProvider;
  readonly #placed = new Map<string, PlacedOrder>();
  readonly #counterCommands: { readonly id: string; readonly order: string }[] = [];
  restless = "";

  constructor(source: PlanSource, store: OrderStore, provider: SimulatedProvider) {
    this.#source = source;
    this.#store = store;
    this.#provider = provider;
  }

  get orders(): number {
    return this.#placed.size;
  }

  /** Called where the drop wrote the order, so that an order of which its shopper never heard counts too. */
  notePlaced(order: PlacedOrder): void {
    this.#placed.set(order.id, order);
  }

  /** After every write of settlement: the ledger balances, and says nothing that the provider did not do. */
  checkWritten(order: string, { events, transfers }: OrderFile): void {
    const placed = events[0]?.kind === "placed" ? events[0].order : null;
    assert(placed !== null && events.every((event, index) => (event.kind === "placed") === (index === 0)), "an order is placed once, and first");
    checkTransfers(transfers, placed);
    const book = this.#provider.bookOf(order);
    const balance = balanceOf(transfers);
    assert(balance.inMinor <= (book?.capturedMinor ?? 0), "no money is booked that the provider did not take");
    assert(balance.outMinor <= (book === null ? 0 : book.refundedMinor + lostMinor(book)), "no money is booked as given back that the provider still has");
    checkCaptures(placed, events);
    const verdicts = events.filter((event) => event.kind === "sold" || event.kind === "refused");
    assert(verdicts.length <= 1, "a payment gets one verdict");
  }

  /** Hands over what was sold, and now and then takes something back. */
  async serveCounter(desk: MoneyDeskPort, network: Network, random: RandomSource, isTakingBack: boolean): Promise<void> {
    const page = await network.call("the counter lists orders", () => desk.orders({ drop: this.#source.drop, cursor: null, limit: 50 }));
    for (const view of page.orders) {
      if (view.state !== "confirmed" || random.chance(0.4)) continue;
      const order = view.order.id;
      const line = random.pick(view.order.lines);
      const lines = random.chance(0.5) ? null : [{ sku: line.sku, quantity: random.integer(1, line.quantity) }];
      const id = idFromRandom(!isTakingBack || random.chance(0.7) ? "ful" : "ref", random.bytes(26));
      const amountMinor = lines === null && random.chance(0.3) ? random.integer(1, Math.max(1, view.order.totalMinor)) : null;
      await this.#answeredAtCounter(id, order, id.startsWith("ful")
        ? () => network.insist("the counter hands over", () => desk.fulfil({ id, order, lines }))
        : () => network.insist("the counter refunds", () => desk.refund({ id, order, lines, amountMinor, reason: "It did not fit.", restock: random.chance(0.5) ? null : random.chance(0.5) })));
    }
  }

  /** What the counter was told is done must be found in the books for ever after. */
  async #answeredAtCounter(id: string, order: string, work: () => Promise<Result<OrderView, MoneyRejection>>): Promise<void> {
    try {
      if ((await work()).ok) this.#counterCommands.push({ id, order });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }

  /** Whether every order has come to one of its ends and nothing is on its way. */
  async isQuiet(isCancelled: boolean): Promise<boolean> {
    for (const order of this.#placed.values()) {
      const problem = await this.#unfinished(order, isCancelled);
      if (problem === null) continue;
      this.restless = `order ${order.id} ${problem}`;
      return false;
    }
    this.restless = "";
    return true;
  }

  /** What must be true of the money, and between money and goods, when all is over. */
  async checkEnd(storage: DropStorage): Promise<void> {
    for (const hold of storage.holds.values()) {
      if (hold.order === null) continue;
      const book = foldOrder((await this.#store.read(hold.order)).events);
      assert((book?.verdict === "sold") === (hold.state === "sold"), "the goods and the money agree on what was sold");
      if (storage.facts?.cancelled === true && hold.state === "sold") this.#checkReturned(hold);
    }
    for (const order of this.#placed.values()) await this.#checkOrder(order);
    for (const { id, order } of this.#counterCommands) {
      const { events } = await this.#store.read(order);
      const recorded = events.filter((event) => (event.kind === "fulfilled" && event.fulfilment === id) || (event.kind === "refund_requested" && event.refund === id));
      assert(recorded.length === 1, "what the counter was told is done is in the books, once");
    }
    const balances = await this.#store.accounts();
    for (const currency of new Set(balances.map((balance) => balance.currency))) {
      const total = balances.filter((balance) => balance.currency === currency).reduce((sum, balance) => sum + balance.debitMinor - balance.creditMinor, 0);
      assert(total === 0, "debits and credits of a currency sum to nothing");
    }
  }

  /** Of a cancelled drop only that stays sold whose money a dispute keeps from going back. */
  #checkReturned({ order, units, returned }: HoldRow): void {
    const isBack = units.every(({ sku, quantity }) => returned.some((unit) => unit.sku === sku && unit.quantity === quantity));
    assert(isBack || this.#provider.bookOf(order ?? "")?.dispute !== null, "what a cancelled drop had sold and paid back is back");
  }

  async #checkOrder(order: PlacedOrder): Promise<void> {
    const { events, transfers } = await this.#store.read(order.id);
    const book = this.#provider.bookOf(order.id);
    const balance = balanceOf(transfers);
    assert(balance.inMinor === (book?.capturedMinor ?? 0), `the transfers of ${order.id} sum to what the provider took`);
    const gaveBack = book === null ? 0 : book.refundedMinor + lostMinor(book);
    assert(balance.outMinor === gaveBack, `the transfers of ${order.id} give back what the provider paid back: ${balance.outMinor} of ${gaveBack}`);
    const kept = book?.status === "authorised" ? order.totalMinor - book.capturedMinor : 0;
    assert(balance.pendingMinor === kept, `what is pending of ${order.id} is what the provider still keeps for it: ${balance.pendingMinor} of ${kept}`);
    checkSplits(order, events, transfers);
  }

  /** Why an order is not at one of its ends, or null when it is. */
  async #unfinished(order: PlacedOrder, isCancelled: boolean): Promise<string | null> {
    const { events } = await this.#store.read(order.id);
    const folded = foldOrder(events);
    if (folded === null) return "is not in settlement";
    const view = viewOrder(folded, []);
    const book = this.#provider.bookOf(order.id);
    if (view.state === "placed" || view.state === "confirming") return `is ${view.state}`;
    if (folded.refunds.some((refund) => refund.state === "asked" || (refund.state === "done" && !refund.isRestocked))) return "owes a refund";
    if (book === null) return null;
    if (book.status === "processing") return "waits for the bank";
    if (book.sessionStatus === "open") return "can still be paid";
    // A cardholder who went to the bank gets the money there, or not at all.
    const isKept = book.status === "authorised" || (book.dispute === null && book.capturedMinor > book.refundedMinor);
    if (isCancelled && isKept) return "keeps money of a cancelled drop";
    if (view.state !== "confirmed") return isKept ? `is ${view.state}, and its money is ${book.status}` : null;
    // Money that waits for its hand-over waits rightly; at-once it may not wait.
    return book.status === "authorised" && order.capture === "at-once" ? "is not captured" : null;
  }
}
