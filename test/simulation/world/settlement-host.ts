import type { DropPort, OutboxMessage } from "../../../src/drop/port.ts";
import type { Hashing } from "../../../src/kernel/hashing.ts";
import { assert, Fault } from "../../../src/kernel/result.ts";
import type { NoticeReader, ProviderNotice } from "../../../src/payment/provider.ts";
import type { Agenda } from "../../../src/rehearsal/agenda.ts";
import type { FaultPlan } from "../../../src/rehearsal/faults.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import { checkout, moneyDesk, settleMessage, sweepOrder } from "../../../src/settlement/checkout.ts";
import { processInboxEvent, receiveWebhook, sweepInboxEvent } from "../../../src/settlement/inbox.ts";
import { memoryOrderStore } from "../../../src/settlement/memory-order-store.ts";
import type { OrderAppend, OrderFile, OrderStore } from "../../../src/settlement/order-store.ts";
import type { CheckoutPort, MoneyDeskPort } from "../../../src/settlement/port.ts";
import type { SettlementDrop, SettlementPorts } from "../../../src/settlement/settlement-ports.ts";
import type { FaultName } from "./fault-names.ts";
import type { Network } from "./network.ts";
import type { SimulatedProvider } from "./provider.ts";

/** As the queue's configuration has it; what fails longer is left to the outbox and the cron. */
const DELIVERIES_MAX = 20;
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
  readonly #parts: SettlementParts;
  readonly #ports: SettlementPorts;

  constructor(parts: SettlementParts) {
    this.#parts = parts;
    const drop = this.#remoteDrop();
    this.#ports = { store: this.#slowStore(), provider: parts.provider, drop: () => drop, hashing: parts.hashing, now: () => parts.agenda.now };
    this.checkout = checkout(this.#ports);
    this.desk = moneyDesk(this.#ports);
  }

  /** The queue between the drop's outbox and settlement. */
  enqueue(message: OutboxMessage): void {
    if (this.#parts.faults.strikes("queue-forgets")) return;
    this.#deliver(message.kind, async () => {
      if ((await settleMessage(this.#ports, message)) === "later") return "again";
      await this.#parts.network.call("acknowledge", () => this.#parts.drop.acknowledge([message.id]));
      return "done";
    });
  }

  /** A webhook arrives: into the inbox at once, worked off by way of the queue. */
  webhook(notice: ProviderNotice): void {
    this.#watch(async () => {
      const received = await receiveWebhook(this.#ports, NOTICES, JSON.stringify(notice), "");
      assert(received !== null, "a webhook of the provider is verified");
      if (!received.isToWorkOff || this.#parts.faults.strikes("queue-forgets")) return;
      this.#deliver(notice.type, async () => {
        await processInboxEvent(this.#ports, NOTICES, false, received.id);
        return "done";
      });
    });
  }

  /** The scheduled handler. */
  cron(): void {
    this.#watch(async () => {
      for (const subject of await this.store.due(this.#parts.agenda.now, SWEPT_AT_ONCE)) {
        this.#watch(() => (subject.startsWith("ord_") ? sweepOrder(this.#ports, subject) : sweepInboxEvent(this.#ports, NOTICES, false, subject)));
      }
    });
  }

  /** At least once: what fails comes again, and so does now and then what was done. */
  #deliver(label: string, work: () => Promise<"done" | "again">, delivery = 1): void {
    const { agenda, random, faults } = this.#parts;
    const again = () => {
      if (delivery < DELIVERIES_MAX) this.#deliver(label, work, delivery + 1);
    };
    agenda.after(random.integer(1, 1_500), label, () => {
      work().then(
        (outcome) => {
          if (outcome === "again" || faults.strikes("queue-redelivery")) agenda.after(REDELIVERED_AFTER_MS, label, again);
        },
        (error: unknown) => {
          this.#judge(error);
          again();
        },
      );
    });
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
      confirm: (order, payment) => network.call("confirm", () => drop.confirm(order, payment)),
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
    const write = async (append: OrderAppend) => {
      const answer = await this.store.append(append);
      if (answer === "appended") written(append.order, await this.store.read(append.order));
      return answer;
    };
    const crash = (): never => {
      throw new Fault("settlement stopped at its write", { retryable: true });
    };
    return {
      ...this.store,
      read: async (order) => (await distance(), this.store.read(order)),
      append: async (append) => {
        await distance();
        if (!faults.strikes("settlement-crash")) return write(append);
        return random.chance(0.5) ? crash() : (await write(append), crash());
      },
    };
  }
}
