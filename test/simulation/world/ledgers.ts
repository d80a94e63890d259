import type { PlacedOrder } from "../../../src/checkout/placed-order.ts";
import type { PlanSource } from "../../../src/drop/plan.ts";
import { idFromRandom } from "../../../src/kernel/ids.ts";
import { assert, Fault, type Result } from "../../../src/kernel/result.ts";
import { PROVIDER_ACCOUNT } from "../../../src/payment/provider.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import { foldOrder } from "../../../src/settlement/order-book.ts";
import { viewOrder } from "../../../src/settlement/order-view.ts";
import type { OrderStore } from "../../../src/settlement/order-store.ts";
import type { MoneyDeskPort, MoneyRejection, OrderView } from "../../../src/settlement/port.ts";
import type { DropStorage } from "./drop-storage.ts";
import type { Network } from "./network.ts";
import type { SimulatedProvider } from "./provider.ts";

/**
 * The books of a simulation: every order that the drop placed, against what
 * settlement wrote and what the provider did on its own.
 */
export class Ledgers {
  readonly #source: PlanSource;
  readonly #store: OrderStore;
  readonly #provider: SimulatedProvider;
  readonly #placed = new Map<string, { readonly order: PlacedOrder; readonly person: string }>();
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
  notePlaced(order: PlacedOrder, person: string): void {
    this.#placed.set(order.id, { order, person });
  }

  /** Hands over what was sold, and now and then takes something back. */
  async serveCounter(desk: MoneyDeskPort, network: Network, random: RandomSource): Promise<void> {
    const page = await network.call("the counter lists orders", () => desk.orders({ drop: this.#source.drop, cursor: null, limit: 50 }));
    for (const view of page.orders) {
      if (view.state !== "confirmed" || random.chance(0.6)) continue;
      const order = view.order.id;
      const line = random.pick(view.order.lines);
      const lines = random.chance(0.5) ? null : [{ sku: line.sku, quantity: random.integer(1, line.quantity) }];
      const id = idFromRandom(random.chance(0.7) ? "ful" : "ref", random.bytes(26));
      await this.#answeredAtCounter(id, order, id.startsWith("ful")
        ? () => network.insist("the counter hands over", () => desk.fulfil({ id, order, lines }))
        : () => network.insist("the counter refunds", () => desk.refund({ id, order, lines, amountMinor: null, reason: "It did not fit.", restock: random.chance(0.5) ? null : random.chance(0.5) })));
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
  async isQuiet(): Promise<boolean> {
    for (const { order } of this.#placed.values()) {
      const view = await this.#view(order.id);
      const problem = view === null ? "is not in settlement" : unfinished(view, this.#provider);
      if (problem !== null) {
        this.restless = `order ${order.id} ${problem}`;
        return false;
      }
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
    }
    for (const { order } of this.#placed.values()) await this.#checkOrder(order);
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

  async #checkOrder(order: PlacedOrder): Promise<void> {
    const { transfers } = await this.#store.read(order.id);
    const outcome = this.#provider.outcomeOf(order.id);
    const posted = (isIn: boolean) => transfers.filter((row) => row.state === "posted" && (row.debit === PROVIDER_ACCOUNT) === isIn).reduce((sum, row) => sum + row.amountMinor, 0);
    assert(posted(true) === (outcome?.capturedMinor ?? 0), `the transfers of ${order.id} sum to what the provider took`);
    assert(posted(false) === (outcome?.refundedMinor ?? 0), `the transfers of ${order.id} give back what the provider paid back`);
    const resolved = new Set(transfers.map((row) => row.pendingId));
    const pendings = transfers.filter((row) => row.state === "pending" && !resolved.has(row.id)).reduce((sum, row) => sum + row.amountMinor, 0);
    assert(pendings === (outcome?.status === "authorised" ? order.totalMinor : 0), `what is pending of ${order.id} is what the provider still keeps for it`);
    for (const pending of transfers.filter((row) => row.state === "pending")) {
      assert(transfers.filter((row) => row.pendingId === pending.id).length <= 1, "a pending transfer is resolved once");
    }
  }

  async #view(order: string): Promise<OrderView | null> {
    const { events } = await this.#store.read(order);
    const book = foldOrder(events);
    return book === null ? null : viewOrder(book, events);
  }
}

/** Why an order is not at one of its ends, or null when it is. */
function unfinished(view: OrderView, provider: SimulatedProvider): string | null {
  const outcome = provider.outcomeOf(view.order.id);
  if (view.state === "placed" || view.state === "confirming") return `is ${view.state}`;
  if (outcome === null) return null;
  if (outcome.status === "processing") return "waits for the bank";
  if (outcome.sessionStatus === "open") return "can still be paid";
  const isKept = outcome.status === "authorised" || outcome.capturedMinor > outcome.refundedMinor;
  if (view.state !== "confirmed") return isKept ? `is ${view.state}, and its money is ${outcome.status}` : null;
  // Money that waits for its hand-over waits rightly; at-once it may not wait.
  return outcome.status === "authorised" && view.order.capture === "at-once" ? "is not captured" : null;
}
