import type { DropPort, OutboxMessage } from "../../../src/drop/port.ts";
import type { Hashing } from "../../../src/kernel/hashing.ts";
import { assert, Fault } from "../../../src/kernel/result.ts";
import type { NoticeReader, ProviderNotice } from "../../../src/payment/provider.ts";
import type { Agenda } from "../../../src/rehearsal/agenda.ts";
import type { FaultPlan } from "../../../src/rehearsal/faults.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import { checkout, moneyDesk, sweepOrder } from "../../../src/settlement/checkout.ts";
import { receiveWebhook, sweepInboxEvent } from "../../../src/settlement/inbox.ts";
import { memoryOrderStore } from "../../../src/settlement/memory-order-store.ts";
import type { OrderAppend, OrderFile, OrderStore } from "../../../src/settlement/order-store.ts";
import type { CheckoutPort, MoneyDeskPort } from "../../../src/settlement/port.ts";
import { type Outcome, settleBatch, type SettlementMessage } from "../../../src/settlement/queue-batch.ts";
import type { SettlementDrop, SettlementPorts } from "../../../src/settlement/settlement-ports.ts";
import { type After, sideBySide } from "../../../src/settlement/side-by-side.ts";
import type { FaultName } from "./fault-names.ts";
import type { Network } from "./network.ts";
import type { SimulatedProvider } from "./provider.ts";

/** As the queue's configuration has it; what fails longer is left to the outbox and the cron. */
const DELIVERIES_MAX = 20;
const BATCH_MESSAGES_MAX = 50;
const BATCH_WAIT_MS_MAX = 1_000;
/** Now and then nobody comes for the messages so long that a larger batch waits. */
const AWAY_MS_MAX = 60_000;
const REDELIVERED_AFTER_MS = 4_000;
const SWEPT_AT_ONCE = 50;

export interface SettlementParts {
  readonly agenda: Agenda;
  readonly network: Network;
  readonly faults: FaultPlan<FaultName>;
  readonly random: RandomSource;
  readonly drop: DropPort;
  readonly hashing: Hashing;
  readonly provider: SimulatedProvider;
  /** How far the order store is. */
  readonly storeMsMax: number;
  /** Something was written of an order; all that is stored of it now. */
  readonly written: (order: string, file: OrderFile) => void;
  /** Anything but a retryable `Fault` is a defect, and ends the simulation. */
  readonly fail: (error: unknown) => void;
}

/** A webhook's body is the notice itself here: its signature is what the adapter's own tests are about. */
const NOTICES: NoticeReader = {
  verified: async (body) => JSON.parse(body),
  stored: (body) => JSON.parse(body),
};

/**
 * The settlement Worker: the real use cases over a store in memory, with queues
 * that deliver late, twice or never, and a process that may end between any two
 * of its steps.
 */
export class SettlementHost {
  readonly checkout: CheckoutPort;
  readonly desk: MoneyDeskPort;
  /** What is stored, read without any delay by whoever checks it. */
  readonly store: OrderStore = memoryOrderStore();
  /** The most messages that one batch has carried. */
  batchMax = 0;
  readonly #parts: SettlementParts;
  readonly #ports: SettlementPorts;
  readonly #orders: MessageQueue;
  readonly #payments: MessageQueue;
  readonly #after: After;

  constructor(parts: SettlementParts) {
    this.#parts = parts;
    const { agenda, random, faults } = parts;
    this.#after = (ms, run) => agenda.after(ms, "settlement waits for company", run);
    this.#orders = new MessageQueue({ agenda, random: random.branch("orders"), faults, consume: (messages) => this.#settle(messages) });
    this.#payments = new MessageQueue({ agenda, random: random.branch("payments"), faults, consume: (messages) => this.#settle(messages) });
    const drop = this.#remoteDrop();
    this.#ports = { store: this.#slowStore(), provider: parts.provider, drop: () => drop, hashing: parts.hashing, now: () => parts.agenda.now };
    this.checkout = checkout(this.#ports);
    this.desk = moneyDesk(this.#ports);
  }

  /** The queue between the drop's outbox and settlement. */
  enqueue(message: OutboxMessage): void {
    this.#orders.send(message);
  }

  /** A webhook arrives: into the inbox at once, worked off by way of the queue. */
  webhook(notice: ProviderNotice): void {
    this.#watch(async () => {
      const received = await receiveWebhook(this.#ports, NOTICES, JSON.stringify(notice), "");
      assert(received !== null, "a webhook of the provider is verified");
      if (received.isToWorkOff) this.#payments.send({ inbox: received.id, about: received.about });
    });
  }

  /** The scheduled handler. */
  cron(): void {
    this.#watch(async () => {
      const subjects = await this.store.due(this.#parts.agenda.now, SWEPT_AT_ONCE);
      await sideBySide(this.#ports, this.#after, subjects.map((subject) => async (common) => {
        try {
          await (subject.startsWith("ord_") ? sweepOrder(common, subject) : sweepInboxEvent(common, NOTICES, false, subject));
        } catch (error) {
          this.#judge(error);
        }
      }));
    });
  }

  /** The queue handler. */
  async #settle(messages: readonly SettlementMessage[]): Promise<readonly Outcome[]> {
    const { drop, network } = this.#parts;
    this.batchMax = Math.max(this.batchMax, messages.length);
    const outcomes = await settleBatch({ ports: this.#ports, notices: NOTICES, isLive: false }, messages, this.#after);
    for (const outcome of outcomes) if (outcome.state === "failed") this.#judge(outcome.error);
    const done = messages.flatMap((message, index) => (!("inbox" in message) && outcomes[index]?.state === "settled" ? [message.id] : []));
    if (done.length > 0) await network.call("acknowledge", () => drop.acknowledge(done)).catch((error: unknown) => this.#judge(error));
    return outcomes;
  }

  /** Runs work whose failure nobody waits for. */
  #watch(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.#judge(error));
  }

  #judge(error: unknown): void {
    if (!(error instanceof Fault && error.retryable)) this.#parts.fail(error);
  }

  #remoteDrop(): SettlementDrop {
    const { drop, network } = this.#parts;
    return {
      confirm: (order, payment, card) => network.call("confirm", () => drop.confirm(order, payment, card)),
      confirmAll: (payments) => network.call("confirm all", () => drop.confirmAll(payments)),
      processing: (order) => network.call("processing", () => drop.processing(order)),
      fail: (order) => network.call("fail", () => drop.fail(order)),
      restock: (order, refund, lines) => network.call("restock", () => drop.restock(order, refund, lines)),
      placed: (order) => network.call("placed", () => drop.placed(order)),
      acknowledge: (ids) => network.call("acknowledge", () => drop.acknowledge(ids)),
    };
  }

  /** The store at a distance: others write between a read and the write that follows it, and the writer may die at the write. */
  #slowStore(): OrderStore {
    const { network, faults, random, storeMsMax, written } = this.#parts;
    const distance = () => network.pause(random.integer(1, storeMsMax), "the order store");
    const write = async (appends: readonly OrderAppend[]) => {
      const answer = await this.store.appendAll(appends);
      if (answer === "appended") for (const { order } of appends) written(order, await this.store.read(order));
      return answer;
    };
    const crash = (): never => {
      throw new Fault("settlement stopped at its write", { retryable: true });
    };
    const appendAll = async (appends: readonly OrderAppend[]) => {
      await distance();
      if (!faults.strikes("settlement-crash")) return write(appends);
      return random.chance(0.5) ? crash() : (await write(appends), crash());
    };
    return {
      ...this.store,
      read: async (order) => (await distance(), this.store.read(order)),
      readAll: async (orders) => (await distance(), this.store.readAll(orders)),
      append: (append) => appendAll([append]),
      appendAll,
    };
  }
}

interface QueueParts {
  readonly agenda: Agenda;
  readonly random: RandomSource;
  readonly faults: FaultPlan<FaultName>;
  readonly consume: (messages: readonly SettlementMessage[]) => Promise<readonly Outcome[]>;
}

/** At least once, late and in batches: what fails comes again, and so does now and then what was done. */
class MessageQueue {
  readonly #parts: QueueParts;
  #ready: { readonly message: SettlementMessage; readonly delivery: number }[] = [];
  #isGathering = false;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  send(message: SettlementMessage): void {
    if (this.#parts.faults.strikes("queue-forgets")) return;
    this.#deliver(message, 1, this.#parts.random.integer(1, 1_500));
  }

  #deliver(message: SettlementMessage, delivery: number, afterMs: number): void {
    const { agenda, random } = this.#parts;
    agenda.after(afterMs, "inbox" in message ? message.inbox : message.kind, () => {
      this.#ready.push({ message, delivery });
      if (this.#isGathering) return;
      this.#isGathering = true;
      agenda.after(random.integer(0, random.chance(0.2) ? AWAY_MS_MAX : BATCH_WAIT_MS_MAX), "a batch of the queue", () => {
        this.#isGathering = false;
        void this.#consume(this.#ready.splice(0, BATCH_MESSAGES_MAX));
      });
    });
  }

  async #consume(batch: readonly { readonly message: SettlementMessage; readonly delivery: number }[]): Promise<void> {
    const { faults, consume } = this.#parts;
    const outcomes = await consume(batch.map(({ message }) => message));
    for (const [index, { message, delivery }] of batch.entries()) {
      const isDone = outcomes[index]?.state === "settled" && !faults.strikes("queue-redelivery");
      if (!isDone && delivery < DELIVERIES_MAX) this.#deliver(message, delivery + 1, REDELIVERED_AFTER_MS);
    }
  }
}
