import type { ConfirmAnswer, PaymentToConfirm } from "../drop/port.ts";
import { Fault } from "../kernel/result.ts";
import type { PaymentProvider } from "../payment/provider.ts";
import type { OrderStore } from "./order-store.ts";
import type { SettlementDrop, SettlementPorts } from "./settlement-ports.ts";

/*
 * Many orders worked off at the same time, each by the same code as one alone.
 * What several of them ask of the database or of a drop in the same moment goes
 * out as one request, because the round trips are what settling costs.
 */

/** Runs `run` after so many milliseconds. */
export type After = (ms: number, run: () => void) => void;

/** One order's work. It handles its own failures, and has one request under way at a time. */
export type Line = (ports: SettlementPorts) => Promise<void>;

/** How long a request waits for others while some line is busy elsewhere: far less than a provider takes, so that the slowest order holds up nobody. */
const GATHER_MS = 25;

/** A Worker has six connections to the outside at a time; more would wait there, with their time-outs running. */
const CONNECTIONS_MAX = 6;

/**
 * Runs the lines side by side, on ports that put requests together. Requests
 * go out as soon as every line that is not done waits for one, or after
 * `GATHER_MS`. What cannot be done together is done for each line alone, so
 * that only the line that is at fault hears of it.
 */
export async function sideBySide(ports: SettlementPorts, after: After, lines: readonly Line[]): Promise<void> {
  const company = new Company(after, lines.length);
  const common = commonPorts(ports, company);
  await Promise.all(lines.map((line) => line(common).finally(() => company.leave())));
}

type Answers<Answer> = readonly PromiseSettledResult<Answer>[];

/** Knows how many lines are still on their way to their next request. */
class Company {
  readonly #after: After;
  readonly #sendings: (() => void)[] = [];
  #running: number;
  #round = 0;
  #isTimed = false;

  constructor(after: After, lines: number) {
    this.#after = after;
    this.#running = lines;
  }

  /** A request of one line, answered by `perform` together with those of the others. */
  gather<Request, Answer>(perform: (requests: readonly Request[]) => Promise<Answers<Answer>>): (request: Request) => Promise<Answer> {
    let waiting: { readonly request: Request; readonly resolve: (answer: Answer) => void; readonly reject: (reason: unknown) => void }[] = [];
    this.#sendings.push(() => {
      const group = waiting;
      waiting = [];
      if (group.length === 0) return;
      const answered = perform(group.map(({ request }) => request)).catch((reason: unknown): Answers<Answer> => group.map(() => ({ status: "rejected", reason })));
      void answered.then((answers) => {
        // Before the first of them goes on: otherwise it would be alone with its next request.
        this.#running += group.length;
        group.forEach(({ resolve, reject }, index) => {
          const answer = answers[index];
          if (answer?.status === "fulfilled") resolve(answer.value);
          else reject(answer?.reason ?? new Fault("a request was not answered", { retryable: true }));
        });
      });
    });
    return (request) => new Promise((resolve, reject) => {
      waiting.push({ request, resolve, reject });
      this.#running -= 1;
      this.#sendOrWait();
    });
  }

  leave(): void {
    this.#running -= 1;
    if (this.#running <= 0) this.#send();
  }

  #sendOrWait(): void {
    if (this.#running <= 0) return this.#send();
    if (this.#isTimed) return;
    this.#isTimed = true;
    const round = this.#round;
    this.#after(GATHER_MS, () => {
      if (round === this.#round) this.#send();
    });
  }

  #send(): void {
    this.#round += 1;
    this.#isTimed = false;
    for (const send of this.#sendings) send();
  }
}

function commonPorts(ports: SettlementPorts, company: Company): SettlementPorts {
  const drops = new Map<string, SettlementDrop>();
  const drop: SettlementPorts["drop"] = (slug) => {
    const known = drops.get(slug) ?? commonDrop(ports.drop(slug), company);
    drops.set(slug, known);
    return known;
  };
  return { ...ports, store: commonStore(ports.store, company), provider: boundedProvider(ports.provider), drop };
}

function commonStore(store: OrderStore, company: Company): OrderStore {
  return {
    ...store,
    read: company.gather(togetherOrAlone(async (orders) => {
      const files = await store.readAll(orders);
      return orders.map((order) => files.get(order) ?? { events: [], transfers: [] });
    }, (order) => store.read(order))),
    // Of a group that collided nothing is written, and who collided is not said.
    append: company.gather(togetherOrAlone(async (appends) => {
      const answer = await store.appendAll(appends);
      return answer === "appended" ? appends.map(() => answer) : null;
    }, (append) => store.append(append))),
    inboxEvents: company.gather(togetherOrAlone(async (lists) => {
      const rows = await store.inboxEvents(lists.flat());
      return lists.map(() => rows);
    }, (ids) => store.inboxEvents(ids))),
    postpone: company.gather(togetherOrAlone(async (lists) => {
      await store.postpone(lists.flat());
      return lists.map(() => undefined);
    }, (looks) => store.postpone(looks))),
    resolve: company.gather(togetherOrAlone(async (lists) => {
      await store.resolve(lists.flat());
      return lists.map(() => undefined);
    }, (outcomes) => store.resolve(outcomes))),
  };
}

/** `together` answers null, or throws, where the requests must be made one by one. */
function togetherOrAlone<Request, Answer>(
  together: (requests: readonly Request[]) => Promise<readonly Answer[] | null>, alone: (request: Request) => Promise<Answer>,
): (requests: readonly Request[]) => Promise<Answers<Answer>> {
  return async (requests) => {
    const answers = requests.length === 1 ? null : await together(requests).catch(() => null);
    if (answers !== null) return answers.map((value) => ({ status: "fulfilled", value }));
    const connections = new Connections();
    return Promise.allSettled(requests.map((request) => connections.run(() => alone(request))));
  };
}

function commonDrop(drop: SettlementDrop, company: Company): SettlementDrop {
  const confirm = company.gather(async (payments: readonly PaymentToConfirm[]): Promise<Answers<ConfirmAnswer>> => {
    const [first, ...others] = payments;
    if (first !== undefined && others.length === 0) return Promise.allSettled([drop.confirm(first.order, first.payment, first.card)]);
    // Not asked one by one when the call fails: an object that is overloaded would be asked fifty times more.
    const answers = await drop.confirmAll(payments);
    return payments.map((_, index) => {
      const value = answers[index] ?? null;
      return value === null ? { status: "rejected", reason: new Fault("the drop did not decide on this payment", { retryable: true }) } : { status: "fulfilled", value };
    });
  });
  return {
    confirm: (order, payment, card) => confirm({ order, payment, card: card ?? null }),
    confirmAll: (payments) => drop.confirmAll(payments),
    processing: (order) => drop.processing(order),
    fail: (order) => drop.fail(order),
    restock: (order, refund, lines) => drop.restock(order, refund, lines),
    placed: (order) => drop.placed(order),
    acknowledge: (ids) => drop.acknowledge(ids),
  };
}

function boundedProvider(provider: PaymentProvider): PaymentProvider {
  const connections = new Connections();
  return {
    openSession: (...parameters) => connections.run(() => provider.openSession(...parameters)),
    truth: (of) => connections.run(() => provider.truth(of)),
    closeSession: (session) => connections.run(() => provider.closeSession(session)),
    capture: (capture) => connections.run(() => provider.capture(capture)),
    voidPayment: (...parameters) => connections.run(() => provider.voidPayment(...parameters)),
    refund: (refund) => connections.run(() => provider.refund(refund)),
  };
}

/** So many at a time; the others wait for their turn. */
class Connections {
  #free = CONNECTIONS_MAX;
  readonly #waiting: (() => void)[] = [];

  async run<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
