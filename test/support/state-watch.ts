import { createHash } from "node:crypto";
import { wait } from "./crowd.ts";
import { readRecord } from "./record-verifier.ts";
import { clientId, request, type Answer, type Sender, type Shopper } from "./shopper.ts";
import type { TestDrop } from "./store-config.ts";

/*
 * Watches orders from outside, as the desk, the public record and the ledger
 * show them, and notes every step from one state to another.
 */

/** Where a scenario plays: the served product, or all Workers in one with a clock that is moved. */
export interface Stage {
  readonly store: string;
  readonly sandbox: string;
  readonly deskKey: string;
  readonly storeSender: Sender;
  readonly sandboxSender: Sender;
  /** Somebody with a pass. */
  admitted(drop: string, sku: string, quantity: number): Promise<Shopper>;
  /** Delivers what the provider has told of an order, where nobody else does. */
  news(order: string): Promise<void>;
}

/** A stage whose clock is moved. */
export interface MovedStage extends Stage {
  later(ms: number): Promise<void>;
  /** What the drop's alarm would do now. */
  sweep(drop: string): Promise<void>;
}

export interface Bought {
  readonly shopper: Shopper;
  readonly drop: string;
  readonly hold: string;
  readonly order: string;
  readonly placed: Answer;
}

/**
 * What lasts only while the next call is made: whoever looks may see it or not,
 * so the step over it counts as well.
 */
const MOMENTARY: Readonly<Record<string, string>> = { order: "confirming", payment: "authorised" };

export class StateWatch {
  readonly stage: Stage;
  readonly steps = new Set<string>();
  readonly #last = new Map<string, string>();
  readonly #before = new Map<string, string>();

  constructor(stage: Stage) {
    this.stage = stage;
  }

  saw(machine: string, id: string, state: string): void {
    const key = `${machine} ${id}`;
    const from = this.#last.get(key) ?? "new";
    if (from === state) return;
    const before = this.#before.get(key) ?? "new";
    this.#before.set(key, from);
    this.#last.set(key, state);
    this.steps.add(`${machine}: ${from} → ${state}`);
    if (from === MOMENTARY[machine] && before !== "new" && before !== state) this.steps.add(`${machine}: ${before} → ${state}`);
  }

  sawOrder(id: string, body: Answer["body"]): void {
    this.saw("order", id, body.state);
    this.saw("payment", id, body.payment.state);
    if (body.fulfilment !== undefined) this.saw("fulfilment", id, body.fulfilment);
  }

  ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const { store, deskKey, storeSender } = this.stage;
    return request(method, `${store}/desk/api${path}`, { headers: { authorization: `Bearer ${deskKey}` }, sender: storeSender, ...(body === undefined ? {} : { body }) });
  }

  atProvider(method: string, path: string, body?: unknown): Promise<Answer> {
    return request(method, `${this.stage.sandbox}/sandbox${path}`, { sender: this.stage.sandboxSender, ...(body === undefined ? {} : { body }) });
  }

  /** A hold, and the order that is placed from it. */
  async place(drop: TestDrop, options: { readonly quantity?: number; readonly coupon?: string } = {}): Promise<Bought> {
    const sku = drop.items[0]?.sku ?? "";
    const quantity = options.quantity ?? 1;
    const shopper = await this.stage.admitted(drop.slug, sku, quantity);
    const [hold, order] = [clientId("hld"), clientId("ord")];
    const held = await shopper.hold([{ sku, quantity }], hold);
    if (held.status !== 201) throw new Error(`no hold: ${held.status} ${JSON.stringify(held.body)}`);
    const placed = await shopper.order(hold, { id: order, ...(options.coupon === undefined ? {} : { coupon: options.coupon }) });
    if (placed.status !== 201) throw new Error(`no order: ${placed.status} ${JSON.stringify(placed.body)}`);
    this.sawOrder(order, placed.body);
    return { shopper, drop: drop.slug, hold, order, placed };
  }

  async pay({ order, placed }: Bought, card?: string): Promise<void> {
    const url: unknown = placed.body.payment.url;
    if (typeof url !== "string") throw new Error(`${order} has no payment page`);
    const { status, body } = await request("POST", url, { body: { outcome: "approve", ...(card === undefined ? {} : { card }) }, sender: this.stage.sandboxSender });
    if (status !== 200) throw new Error(`the payment was refused: ${status} ${JSON.stringify(body)}`);
  }

  /** The same, with the news of it delivered and the order seen confirmed. */
  async buy(drop: TestDrop, payment: "authorised" | "captured", quantity = 1): Promise<Bought> {
    const bought = await this.place(drop, { quantity });
    await this.pay(bought);
    await this.stage.news(bought.order);
    await this.until(bought.order, (body) => body.state === "confirmed" && body.payment.state === payment);
    return bought;
  }

  /** Looks at an order until it has got there, and notes everything it sees on the way. */
  async until(order: string, isReached: (body: Answer["body"]) => boolean, limitMs = 20_000): Promise<Answer["body"]> {
    const endsAt = performance.now() + limitMs;
    for (;;) {
      const { status, body } = await this.ask("GET", `/orders/${order}`);
      if (status === 200) {
        this.sawOrder(order, body);
        if (isReached(body)) return body;
      }
      if (performance.now() > endsAt) throw new Error(`the order did not get there: ${status} ${JSON.stringify({ state: body.state, payment: body.payment, fulfilment: body.fulfilment, timeline: body.timeline })}`);
      await wait(60);
    }
  }

  /** The desk's command; anything but the given status is an error. */
  async command(path: string, body: unknown, status: number): Promise<Answer["body"]> {
    const answer = await this.ask("POST", path, body);
    if (answer.status !== status) throw new Error(`${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async handOver({ order }: Bought, lines?: readonly { readonly sku: string; readonly quantity: number }[]): Promise<void> {
    this.sawOrder(order, await this.command(`/orders/${order}/fulfilments`, { id: clientId("ful"), ...(lines === undefined ? {} : { lines }) }, 201));
  }

  async refund({ order }: Bought, what: { readonly amountMinor?: number; readonly lines?: readonly { readonly sku: string; readonly quantity: number }[] } = {}): Promise<void> {
    this.sawOrder(order, await this.command(`/orders/${order}/refunds`, { id: clientId("ref"), reason: "as the scenario wants it", ...what }, 201));
  }

  cancelDrop(drop: TestDrop): Promise<unknown> {
    return this.command(`/drops/${drop.slug}/cancel`, {}, 200);
  }

  /** The provider's own name of an order's payment. */
  async intent(order: string): Promise<string> {
    const { body } = await this.atProvider("GET", "/books");
    const found = body.paymentIntents.find((intent: { client_reference_id: string }) => intent.client_reference_id === order);
    if (found === undefined) throw new Error(`the provider has no payment of ${order}`);
    return found.id;
  }

  /** Another card for a payment that the provider gave up. */
  async payAgain({ order }: Bought): Promise<void> {
    const response = await this.stage.sandboxSender(`${this.stage.sandbox}/sandbox/v1/payment_intents/${await this.intent(order)}/confirm`, {
      method: "POST", headers: { authorization: "Bearer sk_test_of_the_scenario", "content-type": "application/x-www-form-urlencoded" }, body: "payment_method=pm_card_visa",
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`the second card was refused: ${response.status} ${text}`);
    await this.stage.news(order);
  }

  /** A chargeback, and how the bank decides it. */
  async dispute({ order }: Bought): Promise<(outcome: "won" | "lost") => Promise<void>> {
    const opened = await this.atProvider("POST", "/disputes", { payment_intent: await this.intent(order) });
    if (opened.status !== 201) throw new Error(`no dispute: ${opened.status} ${JSON.stringify(opened.body)}`);
    await this.stage.news(order);
    await this.until(order, (body) => body.payment.state === "disputed");
    return async (outcome) => {
      const closed = await this.atProvider("POST", `/disputes/${opened.body.id}/close`, { outcome });
      if (closed.status >= 300) throw new Error(`the dispute stays: ${closed.status} ${JSON.stringify(closed.body)}`);
      await this.stage.news(order);
    };
  }

  /** What the public record says of every hold of a drop. */
  async readHolds(drop: string): Promise<void> {
    const { rows } = await readRecord(this.stage.store, drop, this.stage.storeSender);
    const states: Readonly<Record<string, string>> = { place: "placed", sell: "sold", expire: "expired", abandon: "abandoned", void: "voided" };
    for (const row of rows) {
      const ref = String(row["ref"]);
      const state = row.kind === "hold" && !this.#last.has(`hold ${ref}`) ? "held" : states[row.kind];
      // Late money holds its units again and sells them in one breath: nobody ever sees it held a second time.
      if (state !== undefined) this.saw("hold", ref, state);
    }
  }

  /** A hold as its owner sees it. */
  async readHold({ shopper, drop, hold }: Pick<Bought, "shopper" | "drop" | "hold">): Promise<string> {
    const { body } = await shopper.proven("GET", `/api/drops/${drop}/holds/${hold}`, shopper.pass);
    this.saw("hold", createHash("sha256").update(`tranche/ref\n${drop}\n${hold}`).digest("hex"), body.state);
    return body.state;
  }

  /** What the ledger says: a row that names a pending one is what became of it. */
  async readTransfers(order: string): Promise<void> {
    const { body } = await this.ask("GET", `/ledger/transfers?order=${order}`);
    for (const { id, pendingId, state } of body.transfers) this.saw("transfer", pendingId ?? id, state);
  }
}
