import { wait } from "../support/crowd.ts";
import { clientId, payAt, Shopper, type Answer, type Sender } from "../support/shopper.ts";
import { seeded, words } from "./figures.ts";

/*
 * Shoppers who do not give up: whatever happens to the store, they go on with
 * the ids that they have, and remember what they were told.
 */

/** How a shopper's evening goes. */
const STORIES = ["watches", "watches", "watches", "watches", "leaves", "leaves", "abandons", "never pays", "declined", "watches"] as const;
type Story = (typeof STORIES)[number];

export interface ToldOrder {
  readonly drop: string;
  readonly hold: string;
  readonly order: string;
  readonly quantity: number;
  readonly totalMinor: number;
  readonly receipt: string;
  readonly payBy: string;
  /** Whether the provider said that the payment was made, and the store that the order is confirmed. */
  isPaid: boolean;
  isConfirmed: boolean;
}

export interface NightDrop {
  readonly slug: string;
  readonly sku: string;
}

/** What people were told, which must be true for ever, and what they were told that cannot be right. */
export class Night {
  inFlight = 0;
  isOver = false;
  readonly holds = new Map<string, { readonly drop: string; readonly quantity: number; readonly body: string }>();
  readonly orders = new Map<string, ToldOrder>();
  readonly failures: string[] = [];
  readonly statuses: Record<string, number> = {};
  lost = 0;
  readonly #store: string;
  readonly #drops: readonly NightDrop[];
  readonly #random: () => number;
  readonly #sender: Sender = (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(20_000) });

  constructor(store: string, drops: readonly NightDrop[], seed: number) {
    this.#store = store;
    this.#drops = drops;
    this.#random = seeded(seed);
  }

  /** One shopper after the other until the night is over. */
  async shop(thinkMs: number): Promise<void> {
    while (!this.isOver) {
      try {
        await this.#evening(thinkMs);
      } catch (error) {
        this.failures.push(words(error));
        return;
      }
    }
  }

  async #evening(thinkMs: number): Promise<void> {
    const story: Story = STORIES[Math.floor(this.#random() * STORIES.length)] ?? "watches";
    const drop = this.#drops[Math.floor(this.#random() * this.#drops.length)];
    if (drop === undefined) throw new Error("there is no drop");
    const quantity = 1 + Math.floor(this.#random() * 2);
    const lines = [{ sku: drop.sku, quantity }];
    const shopper = new Shopper(this.#store, drop.slug, { sender: this.#sender });
    const think = () => wait(Math.floor(this.#random() * thinkMs));

    this.#expect(201, "a ticket", await this.#sure(() => shopper.join(lines)));
    await this.#until(() => shopper.claim(), (answer) => answer.status === 201);
    await think();
    const hold = clientId("hld");
    const held = await this.#sure(() => shopper.hold(lines, hold));
    this.#expect(201, "a hold", held);
    this.holds.set(hold, { drop: drop.slug, quantity, body: JSON.stringify(held.body) });
    await think();
    if (this.#random() < 0.3) this.#same("a hold", held, await this.#sure(() => shopper.hold(lines, hold)));
    if (story === "abandons") {
      this.#expect(200, "an abandoned hold", await this.#sure(() => shopper.proven("DELETE", `/api/drops/${drop.slug}/holds/${hold}`, shopper.pass)));
      return;
    }
    await this.#buy(shopper, { drop: drop.slug, hold, quantity }, story, think);
  }

  async #buy(shopper: Shopper, { drop, hold, quantity }: { drop: string; hold: string; quantity: number }, story: Story, think: () => Promise<void>): Promise<void> {
    const order = clientId("ord");
    const placed = await this.#sure(() => shopper.order(hold, { id: order }));
    this.#expect(201, "an order", placed);
    const { totalMinor, receipt, payBy } = placed.body;
    const told: ToldOrder = { drop, hold, order, quantity, totalMinor, receipt, payBy, isPaid: false, isConfirmed: false };
    this.orders.set(order, told);
    await think();
    if (story === "never pays") return;
    // The payment page may have to wait for the provider; the same id gives the same order.
    const open = await this.#until(() => shopper.order(hold, { id: order }), (answer) => answer.body.payment?.url !== null);
    for (const member of ["id", "totalMinor", "receipt", "payBy"]) {
      if (open.body[member] !== placed.body[member]) throw new Error(`${order} was told another ${member}`);
    }
    if (story === "declined") {
      await this.#sure(() => payAt(open.body.payment.url, "decline", this.#sender));
      return;
    }
    const paid = await this.#sure(() => payAt(open.body.payment.url, "approve", this.#sender));
    // Somebody whose answer was lost is told the second time that nothing was charged just now.
    if (paid.status !== 200 && paid.body.status !== "complete") throw new Error(`a payment was refused: ${paid.status} ${JSON.stringify(paid.body)}`);
    told.isPaid = true;
    if (story === "leaves") return;
    await this.#until(() => shopper.read(order, receipt), (answer) => answer.status === 200 && answer.body.state === "confirmed", 400);
    told.isConfirmed = true;
  }

  #expect(status: number, what: string, answer: Answer): void {
    if (answer.status !== status) throw new Error(`${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  }

  #same(what: string, first: Answer, second: Answer): void {
    if (second.status !== first.status || JSON.stringify(second.body) !== JSON.stringify(first.body)) {
      throw new Error(`${what} was answered ${JSON.stringify(first.body)} and then ${second.status} ${JSON.stringify(second.body)}`);
    }
  }

  /** Asks until there is an answer that is none of a store that is ending or beginning. */
  async #sure(ask: () => Promise<Answer>): Promise<Answer> {
    return this.#until(ask, (answer) => answer.status < 500 && answer.status !== 429);
  }

  async #until(ask: () => Promise<Answer>, isReached: (answer: Answer) => boolean, everyMs = 150, limitMs = 600_000): Promise<Answer> {
    const until = Date.now() + limitMs;
    for (;;) {
      let said = "no answer";
      this.inFlight++;
      try {
        const answer = await ask();
        this.statuses[answer.status] = (this.statuses[answer.status] ?? 0) + 1;
        if (isReached(answer)) return answer;
        said = `${answer.status} ${JSON.stringify(answer.body)}`;
      } catch (error) {
        this.lost++;
        said = words(error);
      } finally {
        this.inFlight--;
      }
      if (Date.now() > until) throw new Error(`somebody was left waiting for ${limitMs / 1_000} s: ${said}`);
      await wait(everyMs);
    }
  }
}
