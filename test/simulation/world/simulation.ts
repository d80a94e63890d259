import { itemCount } from "../../../src/drop/counters.ts";
import type { PlanSource, SourceStage } from "../../../src/drop/plan.ts";
import type { Control, MovementRow } from "../../../src/drop/port.ts";
import { payableStep } from "../../../src/kernel/money.ts";
import { assert, Fault } from "../../../src/kernel/result.ts";
import { Agenda } from "../../../src/rehearsal/agenda.ts";
import { FaultPlan } from "../../../src/rehearsal/faults.ts";
import { type RandomSource, seededRandom } from "../../../src/rehearsal/random.ts";
import { LaneLedger } from "../../support/lane-ledger.ts";
import { DropHost } from "./drop-host.ts";
import { FAULT_NAMES, type FaultName } from "./fault-names.ts";
import { checkDrop } from "./invariants.ts";
import { Ledgers } from "./ledgers.ts";
import { LineAuditor } from "./line-auditor.ts";
import { LobbyHost } from "./lobby-host.ts";
import { memoHashing } from "./memo-hashing.ts";
import { Network } from "./network.ts";
import { publicFinding } from "./public-verdict.ts";
import { SimulatedProvider } from "./provider.ts";
import { RecordAuditor } from "./record-auditor.ts";
import { EXTENSION_MS_MAX, HONEST_MS, LOBBY_MS, LOBBY_TICK_MS, makeScenario, type Scenario, SIMULATION_STARTS_AT } from "./scenario.ts";
import { SettlementHost } from "./settlement-host.ts";
import { Shopper, type Shop, type Sight } from "./shopper.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const COUNTER_TICK_MS = 8 * MINUTE_MS;
/** For so long after the close things still go wrong; the bank's slowest answer falls into it. */
const SICK_AFTER_CLOSE_MS = 25 * MINUTE_MS;
/** And so long everything has to end by itself once nothing goes wrong any more. */
const HEALING_MS = 60 * MINUTE_MS;
const STEPS_MAX = 50_000;
/** Rebuilding the drop from its storage costs as much as twenty commands. */
const MEMORY_CHECKED_EVERY = 6;
/** How many more honest people come than there are units. */
const HONEST_SURPLUS = 4;

export interface SimulationReport {
  readonly seed: number;
  readonly steps: number;
  readonly rows: number;
  readonly recordHash: string;
  readonly orders: number;
  readonly sold: number;
  /** Payments that came after the goods went back: how many took them again, and how many were refused. */
  readonly lateSold: number;
  readonly lateRefused: number;
  /** Payments by cards that had paid for as much as one card may. */
  readonly cardRefused: number;
  /** How often a changed plan was published. */
  readonly planChanges: number;
  /** How often somebody could not have what was there, because it was kept for a lane. */
  readonly keptFromOthers: number;
  /** Whether honest people came in the end, and everything was sold. */
  readonly isSoldOut: boolean;
  /** The most commands that one write carried. */
  readonly groupMax: number;
  /** The most messages that settlement worked off side by side. */
  readonly batchMax: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<FaultName, number>>;
}

/** Says which seed replays it; the cause is what went wrong. */
export class SimulationFailure extends Error {
  override readonly name = "SimulationFailure";
}

/**
 * One drop from its lobby to its end, with one seeded clock, random source and
 * fault plan. Every invariant is checked after every step; then the faults heal,
 * and everything that was begun must end.
 */
export async function simulate(seed: number, trace?: (line: string) => void): Promise<SimulationReport> {
  const world = new World(seed);
  // The object's shell logs every fault that it meets; here they are met by the thousand.
  const log = console.error;
  console.error = () => undefined;
  try {
    await world.run(trace);
    return world.report();
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new SimulationFailure(`${what} (step ${world.steps}, ${new Date(world.agenda.now).toISOString()}, after "${world.lastLabel}"); replay: npm run simulate -- --seed ${seed}`, { cause });
  } finally {
    console.error = log;
  }
}

class World {
  readonly agenda = new Agenda(SIMULATION_STARTS_AT);
  steps = 0;
  lastLabel = "the start";
  readonly #seed: number;
  readonly #random;
  readonly #scenario: Scenario;
  readonly #faults: FaultPlan<FaultName>;
  readonly #drop: DropHost;
  readonly #provider: SimulatedProvider;
  readonly #settlement: SettlementHost;
  readonly #lobby: LobbyHost[] = [];
  readonly #stock = new RecordAuditor();
  readonly #line: LineAuditor;
  #lanes: LaneLedger | null = null;
  readonly #ledgers: Ledgers;
  readonly #refusals: Record<string, number> = {};
  readonly #network: Network;
  #failure: { readonly error: unknown } | null = null;
  #shopping = 0;
  #writes = 0;
  #isLater = false;
  #wasCancelled = false;
  #planChanges = 0;

  constructor(seed: number) {
    this.#seed = seed;
    const random = seededRandom(seed);
    this.#random = random;
    this.#scenario = makeScenario(random.branch("scenario"));
    const { source, rates, isMulticapture, storeMsMax, gatherMsMax } = this.#scenario;
    const faults = new FaultPlan(rates, random.branch("faults"));
    this.#faults = faults;
    const { agenda } = this;
    const network = new Network(agenda, faults, random.branch("network"));
    this.#network = network;
    const hashing = memoHashing();
    this.#line = new LineAuditor(source, () => this.#lanes);
    const fail = (error: unknown) => this.#fail(error);
    this.#drop = new DropHost({ source, agenda, faults, random: random.branch("drop"), gatherMsMax, hashing, rankOf: (entry) => this.#line.rankOf(entry), lanes: () => this.#lanes, decidedAt: (now) => this.#line.noteTime(now), send: (message) => this.#settlement.enqueue(message), placed: (order) => this.#ledgers.notePlaced(order), fail });
    this.#provider = new SimulatedProvider({ agenda, network, faults, random: random.branch("provider"), isMulticapture, deliver: (notice) => this.#settlement.webhook(notice) });
    this.#settlement = new SettlementHost({
      agenda, network, faults, random: random.branch("settlement"), drop: this.#drop, hashing, provider: this.#provider, storeMsMax, fail,
      written: (order, file) => this.#guard(() => this.#ledgers.checkWritten(order, file)),
    });
    for (let shard = 0; shard < source.shards; shard++) {
      this.#lobby.push(new LobbyHost({ shard, agenda, network, faults, random: random.branch(`shard-${shard}`), drop: this.#drop, hashing, first: this.#lobby[0] ?? null, joined: (of, ticket) => this.#guard(() => this.#line.noteTicket(of, ticket)) }));
    }
    this.#ledgers = new Ledgers(source, this.#settlement.store, this.#provider);
  }

  async run(trace?: (line: string) => void): Promise<void> {
    await this.#plan();
    const closesAt = this.#drop.closesAt;
    const healsAt = this.#scenario.hasHonestEnding ? closesAt - HONEST_MS : closesAt + SICK_AFTER_CLOSE_MS;
    this.#arrangeCrowd(closesAt, this.#scenario.hasHonestEnding ? healsAt : closesAt);
    this.#arrangeLoss();
    this.#every(MINUTE_MS, 6 * HOUR_MS, "cron", () => this.#cron());
    for (const host of this.#lobby) this.#every(LOBBY_TICK_MS, null, "a shard looks", () => this.#watch(host.sweep()));
    this.agenda.arrange(healsAt, "the faults heal", () => this.#heal());
    await this.#runUntilQuiet(closesAt + SICK_AFTER_CLOSE_MS + HEALING_MS, trace);
    await this.#checkEnd();
    // Days later: webhooks that nobody waits for any more, and what cardholders dispute.
    this.#isLater = true;
    await this.#runUntilQuiet(this.agenda.now + 10 * 24 * HOUR_MS, trace);
    await this.#checkEnd();
  }

  report(): SimulationReport {
    const sold = this.#stock.skus.reduce((sum, sku) => sum + this.#stock.count(sku).sold, 0);
    return {
      seed: this.#seed, steps: this.steps, rows: this.#stock.head.seq, recordHash: this.#stock.head.hash,
      orders: this.#ledgers.orders, sold, lateSold: this.#drop.lateSold, lateRefused: this.#drop.lateRefused, cardRefused: this.#drop.cardRefused, keptFromOthers: this.#drop.keptFromOthers, planChanges: this.#planChanges,
      isSoldOut: this.#scenario.hasHonestEnding && !this.#wasCancelled, groupMax: this.#drop.groupMax, batchMax: this.#settlement.batchMax, refusals: this.#refusals,
      faults: Object.fromEntries(FAULT_NAMES.map((name) => [name, this.#faults.struck(name)])) as Record<FaultName, number>,
    };
  }

  async #runUntilQuiet(deadline: number, trace?: (line: string) => void): Promise<void> {
    for (let next = this.agenda.next(); next !== null; next = this.agenda.next()) {
      this.steps += 1;
      this.lastLabel = next.label;
      trace?.(`${new Date(next.at).toISOString()} ${next.label}`);
      next.run();
      await settled();
      this.#check();
      if (this.#failure !== null) throw this.#failure.error;
      if (next.label === "cron" && this.#faults.isHealed && (await this.#isQuiet())) return;
      if (next.at >= deadline) assert(false, `everything ends once nothing goes wrong any more: ${this.#restless()}`);
      assert(this.steps < STEPS_MAX, "a simulation has an end");
    }
  }

  /** The first request that names the drop makes its plan; where its write fails, the next one does. */
  async #plan(): Promise<void> {
    while (this.#drop.storage.facts === null) {
      let isAnswered = false;
      const planned = this.#drop.plan(this.#scenario.source).catch((error: unknown) => assert(isExpected(error), String(error))).finally(() => (isAnswered = true));
      while (!isAnswered) {
        this.agenda.next()?.run();
        await settled();
      }
      await planned;
    }
  }

  #arrangeCrowd(closesAt: number, lastArrivalAt: number): void {
    const { source, shoppers, people, hasHonestEnding, lateShare } = this.#scenario;
    const crowd = this.#random.branch("crowd");
    const shop: Shop = {
      source, drop: this.#drop, lobby: (shard) => this.#shard(shard), checkout: this.#settlement.checkout, provider: this.#provider,
      network: this.#network, now: () => this.agenda.now, closesAt, lastArrivalAt, lateShare, saw: (sight) => this.#saw(sight),
      isGone: (sku) => this.#stock.count(sku).sold === this.#stock.quantity(sku),
    };
    const come = (visit: Promise<void>) => {
      this.#shopping += 1;
      this.#watch(visit.finally(() => (this.#shopping -= 1)));
    };
    for (let index = 0; index < shoppers; index++) {
      come(new Shopper(shop, `person-${crowd.integer(1, people)}`, crowd.branch(`shopper-${index}`)).visit());
    }
    this.#arrangeControls(lastArrivalAt, hasHonestEnding);
    // The people at the counter: they hand over what was sold, and now and then take something back.
    const counter = this.#random.branch("counter");
    this.#every(COUNTER_TICK_MS, null, "the counter", () => {
      const isTakingBack = !(hasHonestEnding && this.#faults.isHealed && this.agenda.now < closesAt);
      // Two of them, who do not know of each other.
      for (let person = 0; person < 2; person++) this.#watch(this.#ledgers.serveCounter(this.#settlement.desk, this.#network, counter, isTakingBack));
    });
    if (!hasHonestEnding) return;
    this.agenda.arrange(lastArrivalAt + 1, "honest people come", () => {
      for (const { sku, quantity } of source.stock) {
        for (let index = 0; index < quantity + HONEST_SURPLUS; index++) {
          const name = `honest-${sku}-${index}`;
          // Each from home: a network whose only unpaid order somebody forgot keeps all who share it from buying, which is what its budget is for.
          come(new Shopper(shop, name, crowd.branch(name), `home-of-${name}`).buyOne(sku));
        }
      }
    });
  }

  /** The seller at the desk: pauses and goes on, puts a stage off, and once in a while calls the whole thing off. */
  #arrangeControls(until: number, hasHonestEnding: boolean): void {
    const seller = this.#random.branch("seller");
    const at = () => seller.integer(SIMULATION_STARTS_AT, until);
    const command = (when: number, control: Control) =>
      this.agenda.arrange(when, control.kind, () => this.#watch(this.#network.insist(`control ${control.kind}`, () => this.#drop.control(control, "desk"))));
    if (seller.chance(0.2)) {
      const pausedAt = at();
      command(pausedAt, { kind: "pause" });
      command(pausedAt + seller.integer(1, 10) * MINUTE_MS, { kind: "resume" });
    }
    if (seller.chance(0.3)) command(at(), { kind: "extend", stage: seller.integer(1, 3), byMs: seller.integer(MINUTE_MS, EXTENSION_MS_MAX) });
    this.#arrangePlanChanges(this.#random.branch("publisher"), until);
    const isCancelled = seller.chance(0.4);
    const cancelledAt = seller.integer(Math.min(until, SIMULATION_STARTS_AT + 2 * LOBBY_MS), until);
    if (!isCancelled || hasHonestEnding) return;
    this.#wasCancelled = true;
    command(cancelledAt, { kind: "cancel" });
  }

  /** The seller publishes another config now and then: other prices, a few units more or fewer, other shares. Some of it is refused. */
  #arrangePlanChanges(publisher: RandomSource, until: number): void {
    let { source } = this.#scenario;
    const dripping = this.#random.branch("published drips");
    const changed = (): PlanSource => ({
      ...source,
      items: source.items.map((item) => (publisher.chance(0.5) ? { ...item, priceMinor: publisher.integer(0, 9_000) * payableStep(source.currency) } : item)),
      // Never more than the honest people who come in the end could take.
      stock: source.stock.map(({ sku, quantity }, index) => {
        const most = (this.#scenario.source.stock[index]?.quantity ?? 0) + HONEST_SURPLUS - 1;
        return { sku, quantity: publisher.chance(0.5) ? Math.min(most, Math.max(0, quantity + publisher.integer(-3, 2))) : quantity };
      }),
      stages: publisher.chance(0.3) && source.stages.length > 1 ? source.stages.map((stage, index, all) => ({ ...stage, sharePercent: all[all.length - 1 - index]?.sharePercent ?? stage.sharePercent })) : source.stages,
    });
    /** A stage drips, or another way, or no more. */
    const redripped = ({ sharePercent, afterMs, drip }: SourceStage): SourceStage =>
      dripping.chance(0.8) ? { sharePercent, afterMs, ...(drip === undefined ? {} : { drip }) } : { sharePercent, afterMs, ...(dripping.chance(0.3) ? {} : { drip: { everyMs: dripping.integer(1, 30) * 1_000, units: dripping.integer(1, 3) } }) };
    for (let count = publisher.chance(0.4) ? publisher.integer(1, 3) : 0; count > 0; count--) {
      this.agenda.arrange(publisher.integer(SIMULATION_STARTS_AT, until), "a plan is published", () => {
        const plain = changed();
        const wanted = { ...plain, stages: plain.stages.map(redripped) };
        this.#watch(this.#network.insist("publish", () => this.#drop.changePlan(wanted, true, "desk")).then((answer) => {
          if (answer?.published === true) [source, this.#planChanges] = [wanted, this.#planChanges + 1];
        }));
      });
    }
  }

  #arrangeLoss(): void {
    const { lostShard } = this.#scenario;
    if (lostShard === null) return;
    const host = this.#shard(lostShard.shard);
    this.agenda.arrange(lostShard.from, "a shard is lost", () => {
      host.setLost(true);
    });
    this.agenda.arrange(lostShard.until, "a shard is found", () => {
      host.setLost(false);
      if (this.#line.missing.includes(lostShard.shard)) this.#faults.note("shard-lost-at-draw");
    });
  }

  #shard(index: number): LobbyHost {
    const host = this.#lobby[index];
    assert(host !== undefined, "the simulated lobby has all of its shards");
    return host;
  }

  #cron(): void {
    this.#settlement.cron();
    this.#watch(this.#network.call("cron sweeps the drop", () => this.#drop.sweep()));
  }

  #heal(): void {
    this.#faults.heal();
    this.#drop.setClockRight();
  }

  #saw(sight: Sight): void {
    if (sight.kind === "refused") this.#refusals[sight.code] = (this.#refusals[sight.code] ?? 0) + 1;
  }

  #check(): void {
    const rows = this.#drop.unreadRows();
    for (const row of rows) {
      this.#stock.read(row);
      this.#readLanes(row);
      this.#line.read(row);
    }
    // Whatever counts is in the record: without a new row nothing of it has changed.
    if (rows.length > 0) {
      checkDrop(this.#scenario.source, this.#drop.storage, this.#stock, (order) => this.#provider.bookOf(order)?.card ?? null);
      this.#line.checkStored(this.#drop.storage.rows.calls, this.#drop.storage.rows.thresholds);
      this.#writes += 1;
      if (this.#writes % MEMORY_CHECKED_EVERY === 0) this.#drop.checkMemory();
    }
    this.#provider.check();
  }

  #readLanes(row: MovementRow): void {
    // A stranger's reading of the record: the rows are what they are, whatever type they have here.
    if (row.kind === "plan") this.#lanes ??= new LaneLedger(row as unknown as ConstructorParameters<typeof LaneLedger>[0]);
    const failure = this.#lanes?.read(row) ?? null;
    assert(failure === null, failure ?? "");
  }

  async #isQuiet(): Promise<boolean> {
    if (this.#isLater && this.agenda.now <= this.#provider.lastNoticeAt + HOUR_MS) return false;
    return this.#restlessDrop() === "" && this.#shopping === 0 && (await this.#ledgers.isQuiet(this.#drop.storage.facts?.cancelled === true));
  }

  #restlessDrop(): string {
    const { storage } = this.#drop;
    if (storage.outboxSize > 0) return `${storage.outboxSize} messages in the outbox`;
    return storage.facts?.closedAt === null && !this.#awaitsBank() ? "the books are not closed" : "";
  }

  /** Money that a bank has taken back cannot be refunded: a cancelled drop's books wait a day for it, and for nothing else. */
  #awaitsBank(): boolean {
    const { storage } = this.#drop;
    const unreturned = [...storage.holds.values()].filter((hold) => hold.state === "sold" && hold.returnedItems < itemCount(hold.lines));
    const isDisputed = ({ order }: (typeof unreturned)[number]) => order !== null && this.#provider.bookOf(order)?.dispute != null;
    return !this.#isLater && storage.facts?.cancelled === true && unreturned.length > 0 && unreturned.every(isDisputed);
  }

  #restless(): string {
    return [this.#shopping > 0 ? `${this.#shopping} shoppers` : "", this.#restlessDrop(), this.#ledgers.restless].filter((text) => text !== "").join(", ");
  }

  async #checkEnd(): Promise<void> {
    assert(await this.#isQuiet() || this.#isLater, `a simulation ends in quiet: ${this.#restless()}`);
    await this.#ledgers.checkEnd(this.#drop.storage);
    for (const hold of this.#drop.storage.holds.values()) assert(hold.state !== "held" && hold.state !== "placed", "no hold is open in the end");
    for (const [shard, host] of this.#lobby.entries()) this.#line.checkLeaves(shard, host.leavesByBatch());
    if (this.#scenario.hasHonestEnding && !this.#isLater) this.#checkSoldOut();
    const entries = this.#lobby.map((host) => host.leavesByBatch()).map((batches) => (batches.length === 0 ? null : batches.flat()));
    const finding = publicFinding(this.#scenario.source.drop, this.#drop.storage.record, entries);
    assert(finding === null, `a stranger's verifier says yes: ${finding ?? ""}`);
  }

  /** Underselling is a defect too. Units that the counter took back after the close had nobody left to buy them, and go back to no stage. */
  #checkSoldOut(): void {
    for (const sku of this.#stock.skus) {
      const { sold } = this.#stock.count(sku);
      assert(sold === this.#stock.quantity(sku), `with enough honest demand every unit sells: ${sold} of ${this.#stock.quantity(sku)} of ${sku}`);
    }
  }

  /** `laterMs` is the interval in the days after everything is over; null where nobody is there any more. */
  #every(ms: number, laterMs: number | null, label: string, work: () => void): void {
    const again = () => {
      if (this.#isLater && laterMs === null) return;
      work();
      this.agenda.after(this.#isLater ? (laterMs ?? ms) : ms, label, again);
    };
    this.agenda.after(ms, label, again);
  }

  #watch(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!isExpected(error)) this.#fail(error);
    });
  }

  /** A check that is called from within the product, which must not swallow its failure. */
  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
  }
}

/** Faults are what the simulation is about; anything else is a defect that it found. */
function isExpected(error: unknown): boolean {
  return error instanceof Fault && error.retryable;
}

/** Lets every promise that can go on do so; nothing in the simulation waits for real time. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
