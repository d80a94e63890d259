import type { CheckedCoupon } from "../../../src/coupon/campaign.ts";
import { couponOfWord } from "../../../src/coupon/typed-word.ts";
import { destinationText } from "../../../src/checkout/destination.ts";
import type { Address, PlacedOrder } from "../../../src/checkout/placed-order.ts";
import { groupMaxOf } from "../../../src/drop/groups.ts";
import type { PlanSource } from "../../../src/drop/plan.ts";
import type { ClaimAnswer, ClaimRejection, DropPort, HoldView, Line, PlaceRejection, Sitting, TicketFacts } from "../../../src/drop/port.ts";
import { idFromRandom } from "../../../src/kernel/ids.ts";
import { assert, Fault, type Result } from "../../../src/kernel/result.ts";
import type { Clock } from "../../../src/kernel/time.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { entryOf } from "../../../src/lobby/draw.ts";
import type { LobbyPort } from "../../../src/lobby/port.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import type { CheckoutPort } from "../../../src/settlement/port.ts";
import type { Network } from "./network.ts";
import type { SimulatedProvider } from "./provider.ts";
import { LOBBY_MS, LOBBY_TICK_MS, SIMULATION_STARTS_AT } from "./scenario.ts";

const REGION = "berlin";
/** Two vouchers for a whole crowd: several shoppers always want the last use of the same one. */
const VOUCHERS = ["cpn_A", "cpn_B"];
const VISITS_MAX = 400;

/** What a shopper can reach, each over the network. */
export interface Shop {
  readonly source: PlanSource;
  readonly drop: DropPort;
  readonly lobby: (shard: number) => LobbyPort;
  readonly checkout: CheckoutPort;
  readonly provider: SimulatedProvider;
  readonly network: Network;
  readonly now: Clock;
  readonly closesAt: number;
  /** After this instant only honest people come. */
  readonly lastArrivalAt: number;
  /** How many come after the opening, most of them at once. */
  readonly lateShare: number;
  /** Whether any of a sku can still be had by anybody, now or later. */
  readonly isGone: (sku: string) => boolean;
  /** What the shopper was told, for whoever keeps the books of the simulation. */
  readonly saw: (sight: Sight) => void;
}

export type Sight =
  | { readonly kind: "held"; readonly hold: HoldView }
  | { readonly kind: "refused"; readonly code: string };

/** One person with a browser: impatient, forgetful, now and then clicking twice. */
export class Shopper {
  readonly #shop: Shop;
  readonly #random: RandomSource;
  readonly #person: string;
  readonly #ticket: string;
  readonly #entry: string;
  readonly #network: string;
  /** How many stand in line with this shopper's ticket, this one among them. */
  readonly #people: number;
  /** The card with which this shopper pays, null for what is no card; and the house to which things are sent, null for who comes by. */
  readonly #card: string | null;
  readonly #address: Address | null;

  /** Without a network of their own, people are behind one of three that a whole crowd shares. */
  constructor(shop: Shop, person: string, random: RandomSource, network?: string) {
    this.#shop = shop;
    this.#person = person;
    this.#random = random;
    this.#ticket = idFromRandom("tkt", random.bytes(26));
    this.#network = network ?? `network-${this.#ticket.charCodeAt(this.#ticket.length - 1) % 3}`;
    this.#entry = entryOf(shop.source.drop, this.#ticket, nodeHashing);
    this.#people = network === undefined ? random.branch("friends").integer(1, groupMaxOf(shop.source)) : 1;
    const household = random.branch("household");
    // Honest people in the end have their own; they are told from the crowd by the network that they have as well.
    this.#card = network !== undefined ? `card of ${person}` : household.chance(0.1) ? null : `card-${household.integer(1, 2)}`;
    this.#address = network !== undefined || household.chance(0.3) ? null : addressOf(household.integer(1, 3), household.chance(0.5));
  }

  /** From joining the lobby to the close, or until this shopper has had enough. */
  async visit(): Promise<void> {
    const { network, lastArrivalAt } = this.#shop;
    await network.pause(this.#arrivalMs(), "a shopper arrives");
    const facts = await this.#join(this.#chooseLines());
    for (let count = 0; facts !== null && count < VISITS_MAX && this.#shop.now() < lastArrivalAt; count++) {
      const claim = await this.#insist("claim", () => this.#shop.drop.claim(facts));
      if (claim.ok && claim.value.state === "admitted") {
        await this.#sit(claim.value.sitting);
        if (this.#random.chance(0.25)) return;
      }
      await network.pause(waitAfter(claim, this.#shop.now(), this.#random), "a shopper looks again");
    }
  }

  #arrivalMs(): number {
    const { lateShare, lastArrivalAt } = this.#shop;
    if (!this.#random.chance(lateShare)) return this.#random.integer(0, LOBBY_MS);
    // A link is shared: they come within seconds of one another, just when the shards tell of who is there.
    if (this.#random.chance(0.6)) return LOBBY_MS + 2 * LOBBY_TICK_MS + this.#random.integer(-500, 5_000);
    return this.#random.integer(LOBBY_MS, lastArrivalAt - SIMULATION_STARTS_AT);
  }

  /** Somebody who wants one of a sku, looks whether there is any, takes it and pays at once. */
  async buyOne(sku: string): Promise<void> {
    const { network, closesAt, drop } = this.#shop;
    await network.pause(this.#random.integer(0, 5 * 60_000), "somebody honest arrives");
    const wants = [{ sku, quantity: 1 }];
    const facts = await this.#join(wants);
    for (let count = 0; facts !== null && count < VISITS_MAX && this.#shop.now() < closesAt && !this.#shop.isGone(sku); count++) {
      const snapshot = await this.#insist("look", () => drop.snapshot([]));
      const isThere = snapshot?.live.items.some((item) => item.sku === sku && item.available > 0) === true;
      const claim = isThere ? await this.#insist("claim", () => drop.claim(facts)) : null;
      if (claim?.ok === true && claim.value.state === "admitted" && (await this.#buy(claim.value.sitting, wants))) return;
      await network.pause(this.#random.integer(60_000, 120_000), "somebody honest looks again");
    }
  }

  async #buy(sitting: Sitting, lines: readonly Line[]): Promise<boolean> {
    const { network, drop, checkout, provider } = this.#shop;
    await network.pause(this.#random.integer(500, 5_000), "somebody honest chooses");
    const command = { id: idFromRandom("hld", this.#random.bytes(26)), sitting: sitting.id, entry: this.#entry, lines, replaces: null, network: this.#network };
    const held = await this.#insist("hold", () => drop.hold(command));
    if (!held.ok) return false;
    const placed = await this.#insist("place", () => drop.place({ ...this.#orderOf(sitting, held.value), coupon: null }));
    if (!placed.ok) return false;
    if (placed.value.totalMinor === 0) return true;
    for (let attempt = 0; attempt < 20; attempt++) {
      const view = await this.#tried("open", () => checkout.open(placed.value));
      const session = view?.payment.url?.split("/").at(-1);
      if (session !== undefined) {
        await network.pause(this.#random.integer(500, 5_000), "somebody honest pays");
        provider.pay(session, "approve", this.#card);
        return true;
      }
      await network.pause(this.#random.integer(500, 5_000), "somebody honest waits for the payment page");
    }
    return false;
  }

  #orderOf(sitting: Sitting, hold: HoldView): Omit<Parameters<DropPort["place"]>[0], "coupon"> {
    return {
      id: idFromRandom("ord", this.#random.bytes(26)), hold: hold.id, sitting: sitting.id, entry: this.#entry, person: this.#person, email: `${this.#person}@example.org`,
      delivery: this.#address === null ? { method: "pickup", point: "kiosk-k", slot: null } : { method: "ship", address: this.#address },
      // As the edge does it, less the key.
      ...(this.#address === null ? {} : { destination: nodeHashing.sha256(destinationText(this.#address)) }),
      region: REGION, locale: "de-DE", returnTo: "https://nightjar.example",
    };
  }

  async #join(wants: readonly Line[]): Promise<TicketFacts | null> {
    const shard = this.#random.integer(0, this.#shop.source.shards - 1);
    const lane = this.#random.pick(["open", ...this.#shop.source.lanes.map((share) => share.lane)]);
    const weight = this.#shop.source.lanes.find((share) => share.lane === lane)?.weight ?? 1;
    const command = { ticket: this.#ticket, entry: this.#entry, keyThumbprint: `key-${this.#ticket}`, lane, weight, wants, person: null, network: this.#network, spends: [], ...this.#friends() };
    // Some have the evidence for their lane only later; after the opening it moves nobody any more.
    const evidence = this.#random.branch("evidence");
    if (evidence.chance(0.3)) {
      const before = await this.#insist("join", () => this.#shop.lobby(shard).join({ ...command, lane: "open", weight: 1 }));
      if (!before.ok) return null;
      await this.#shop.network.pause(evidence.integer(1_000, LOBBY_MS), "a shopper shows evidence");
    }
    const joined = await this.#insist("join", () => this.#shop.lobby(shard).join(command));
    if (!joined.ok) return null;
    const again = this.#random.chance(0.2) ? await this.#insist("join again", () => this.#shop.lobby(shard).join(command)) : joined;
    assert(again.ok && again.value.joinedAt === joined.value.joinedAt, "a ticket that is asked for again keeps its place");
    const { ticket, entry, joinedAt, keyThumbprint, person, people } = joined.value;
    assert((people ?? 1) === this.#people, "a ticket stands for as many people as joined with it");
    return { ticket, shard, entry, lane: joined.value.lane, weight: joined.value.weight, joinedAt, wants, keyThumbprint, person, ...(people === undefined ? {} : { people }) };
  }

  #friends(): { readonly members?: readonly string[] } {
    return this.#people === 1 ? {} : { members: Array.from({ length: this.#people - 1 }, (_, index) => `friend ${index} of ${this.#ticket}`) };
  }

  async #sit(sitting: Sitting): Promise<void> {
    await this.#shop.network.pause(this.#random.integer(100, 20_000), "a shopper chooses");
    const first = await this.#hold(sitting, null);
    if (first === null) return;
    // Somebody who clicks twice, or opens a second tab.
    const second = this.#random.chance(0.3) ? await this.#hold(sitting, this.#random.chance(0.5) ? first.id : null) : null;
    const hold = second ?? first;
    const choice = this.#random.fraction();
    if (choice < 0.1) return;
    if (choice < 0.2) {
      await this.#insist("abandon", () => this.#shop.drop.abandon(hold.id, this.#entry));
      return;
    }
    // Some use all of their time, and a minute more.
    const leftMs = Math.max(0, hold.expiresAt - this.#shop.now());
    await this.#shop.network.pause(this.#random.integer(0, choice < 0.35 ? leftMs + 60_000 : Math.min(leftMs, 60_000)), "a shopper types an address");
    await this.#order(sitting, hold);
  }

  async #hold(sitting: Sitting, replaces: string | null): Promise<HoldView | null> {
    const command = { id: idFromRandom("hld", this.#random.bytes(26)), sitting: sitting.id, entry: this.#entry, lines: this.#chooseLines(), replaces, network: this.#network };
    const outcome = await this.#insist("hold", () => this.#shop.drop.hold(command));
    if (!outcome.ok) {
      this.#shop.saw({ kind: "refused", code: outcome.rejection.code });
      return null;
    }
    this.#shop.saw({ kind: "held", hold: outcome.value });
    if (this.#random.chance(0.3)) {
      const again = await this.#insist("hold again", () => this.#shop.drop.hold(command));
      assert(again.ok && lastingPart(again.value) === lastingPart(outcome.value), "a hold that is asked for again is the same hold");
    }
    return outcome.value;
  }

  async #order(sitting: Sitting, hold: HoldView): Promise<void> {
    const command = this.#orderOf(sitting, hold);
    const coupon = this.#chooseCoupon();
    const outcome = await this.#place({ ...command, coupon });
    const placed = !outcome.ok && coupon !== null && outcome.rejection.code.startsWith("coupon") ? await this.#place({ ...command, coupon: null }) : outcome;
    if (!placed.ok) return;
    await this.#pay(placed.value);
  }

  async #place(command: Parameters<DropPort["place"]>[0]): Promise<Result<PlacedOrder, PlaceRejection>> {
    const outcome = await this.#insist("place", () => this.#shop.drop.place(command));
    if (!outcome.ok) this.#shop.saw({ kind: "refused", code: "per" in outcome.rejection ? `${outcome.rejection.code} per ${outcome.rejection.per}` : outcome.rejection.code });
    else if (this.#random.chance(0.2)) {
      const again = await this.#insist("place again", () => this.#shop.drop.place(command));
      assert(again.ok && JSON.stringify(again.value) === JSON.stringify(outcome.value), "an order that is placed again is the same order");
    }
    return outcome;
  }

  async #pay(order: PlacedOrder): Promise<void> {
    const { checkout, network, provider } = this.#shop;
    // A shopper whose browser dies here leaves everything to the outbox.
    if (this.#random.chance(0.1)) return;
    let session: string | null = null;
    for (let attempt = 0; attempt < 5 && session === null; attempt++) {
      const view = await this.#tried("open", () => checkout.open(order));
      session = view?.payment.url?.split("/").at(-1) ?? null;
      if (session === null) await network.pause(this.#random.integer(500, 5_000), "a shopper waits for the payment page");
    }
    if (session === null || this.#random.chance(0.1)) return;
    await network.pause(this.#random.chance(0.8) ? this.#random.integer(2_000, 120_000) : this.#random.integer(120_000, 15 * 60_000), "a shopper looks for the card");
    provider.pay(session, this.#random.chance(0.1) ? "decline" : "approve", this.#card);
    if (this.#random.chance(0.5)) await this.#tried("come back", () => checkout.refresh(order.id));
  }

  #chooseLines(): Line[] {
    const { items, limitPerPerson } = this.#shop.source;
    const limit = limitPerPerson * this.#people;
    const count = this.#random.chance(0.7) ? 1 : Math.min(2, items.length);
    const first = this.#random.integer(0, items.length - 1);
    return Array.from({ length: count }, (_, index) => ({
      sku: items[(first + index) % items.length]?.sku ?? "",
      quantity: this.#random.chance(0.9) ? this.#random.integer(1, Math.max(1, Math.floor(limit / count))) : this.#random.integer(1, limit + 1),
    }));
  }

  #chooseCoupon(): CheckedCoupon | null {
    const { campaigns } = this.#shop.source;
    if (this.#random.chance(0.5)) return null;
    // As the edge does it: the word and the voucher are checked before the drop hears of them.
    const typed = couponOfWord("night", campaigns, { region: REGION, now: this.#shop.now() });
    return typed === null || this.#random.chance(0.3) ? typed : { ...typed, voucher: this.#random.pick(VOUCHERS), voucherUses: 1 };
  }

  #insist<Answer>(label: string, serve: () => Promise<Answer>): Promise<Answer> {
    return this.#shop.network.insist(label, serve);
  }

  /** One attempt, as of somebody who does not try again. */
  async #tried<Answer>(label: string, serve: () => Promise<Answer>): Promise<Answer | null> {
    try {
      return await this.#shop.network.call(label, serve);
    } catch (error) {
      if (error instanceof Fault) return null;
      throw error;
    }
  }
}

/** One of a street's houses, which is the same in whatever way it is written. The postal code is its own, so that an auditor need not read the street. */
function addressOf(house: number, isTidy: boolean): Address {
  const line1 = isTidy ? `Weserstraße ${house}` : `WESERSTR.  ${house},`;
  return { name: isTidy ? "Ana" : "Ben", line1, line2: null, postalCode: isTidy ? `1204${house}` : ` 12 04${house}`, city: isTidy ? "Berlin" : "Bln", country: "DE" };
}

/** What may never change about a hold, whatever became of it since. */
function lastingPart({ id, lines, totalMinor, currency }: HoldView): string {
  return JSON.stringify({ id, lines, totalMinor, currency });
}

function waitAfter(claim: Result<ClaimAnswer, ClaimRejection>, now: number, random: RandomSource): number {
  if (!claim.ok && claim.rejection.code === "too_many_requests") return Math.max(1_000, claim.rejection.retryAt - now);
  if (!claim.ok && claim.rejection.code === "drop_not_open") return Math.max(1_000, claim.rejection.opensAt - now);
  return random.integer(15_000, 200_000);
}
