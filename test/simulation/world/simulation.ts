import type { Control } from "../../../src/drop/port.ts";
import { assert } from "../../../src/kernel/result.ts";
import { Agenda } from "../../../src/rehearsal/agenda.ts";
import { FaultPlan } from "../../../src/rehearsal/faults.ts";
import { seededRandom } from "../../../src/rehearsal/random.ts";
import { DropHost } from "./drop-host.ts";
import { FAULT_NAMES, FAULTS, type FaultName } from "./fault-names.ts";
import { Ledgers } from "./ledgers.ts";
import { checkDrop } from "./invariants.ts";
import { LobbyHost } from "./lobby-host.ts";
import { Network } from "./network.ts";
import { SimulatedProvider } from "./provider.ts";
import { RecordAuditor } from "./record-auditor.ts";
import { LOBBY_MS, makeScenario, SIMULATION_STARTS_AT } from "./scenario.ts";
import { SettlementHost } from "./settlement-host.ts";
import { Shopper, type Shop, type Sight } from "./shopper.ts";

const MINUTE_MS = 60_000;
/** Shards look at the drop this often; in the real thing it is once a second, which only makes the same waits shorter. */
const LOBBY_TICK_MS = 30_000;
/** For so long after the close things still go wrong; the bank's slowest answer falls into it. */
const SICK_AFTER_CLOSE_MS = 25 * MINUTE_MS;
/** And so long everything has to end by itself once nothing goes wrong any more. */
const HEALING_MS = 60 * MINUTE_MS;
const STEPS_MAX = 200_000;

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
  readonly refusals: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<FaultName, number>>;
}

/** Says which seed replays it; the cause is what went wrong. */
export class SimulationFailure extends Error {
  override readonly name = "SimulationFailure";
}

/**
 * One drop from its lobby to its end, with one seeded clock, random source and
 * fault plan. Every invariant is checked after every step; after the close the
 * faults heal, and everything that was begun must end.
 */
export async function simulate(seed: number, trace?: (line: string) => void): Promise<SimulationReport> {
  const world = new World(seed);
  try {
    await world.run(trace);
    return world.report();
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new SimulationFailure(`${what} (step ${world.steps}, ${new Date(world.agenda.now).toISOString()}, after "${world.lastLabel}"); replay: npm run simulate -- --seed ${seed}`, { cause });
  }
}

class World {
  readonly agenda = new Agenda(SIMULATION_STARTS_AT);
  steps = 0;
  lastLabel = "the start";
  readonly #seed: number;
  readonly #random;
  readonly #scenario;
  readonly #faults: FaultPlan<FaultName>;
  readonly #drop: DropHost;
  readonly #provider: SimulatedProvider;
  readonly #settlement: SettlementHost;
  readonly #lobby: LobbyHost[] = [];
  readonly #auditor = new RecordAuditor();
  readonly #ledgers: Ledgers;
  readonly #refusals: Record<string, number> = {};
  readonly #network: Network;
  #failure: { readonly error: unknown } | null = null;
  #shopping = 0;

  constructor(seed: number) {
    this.#seed = seed;
    const random = seededRandom(seed);
    this.#random = random;
    this.#scenario = makeScenario(random.branch("scenario"));
    this.#faults = new FaultPlan(FAULTS, random.branch("faults"));
    const { agenda } = this;
    const faults = this.#faults;
    const network = new Network(agenda, faults, random.branch("network"));
    this.#network = network;
    const fail = (error: unknown) => this.#fail(error);
    this.#drop = new DropHost({ source: this.#scenario.source, agenda, faults, random: random.branch("drop"), send: (message) => this.#settlement.enqueue(message), placed: (order, person) => this.#ledgers.notePlaced(order, person) });
    this.#provider = new SimulatedProvider({ agenda, network, faults, random: random.branch("provider"), deliver: (notice) => this.#settlement.webhook(notice) });
    this.#settlement = new SettlementHost({ agenda, network, faults, random: random.branch("settlement"), drop: this.#drop, provider: this.#provider, fail });
    for (let shard = 0; shard < this.#scenario.source.shards; shard++) {
      this.#lobby.push(new LobbyHost({ shard, agenda, network, faults, drop: this.#drop, first: this.#lobby[0] ?? null }));
    }
    this.#ledgers = new Ledgers(this.#scenario.source, this.#settlement.store, this.#provider);
  }

  async run(trace?: (line: string) => void): Promise<void> {
    await this.#plan();
    const closesAt = this.#drop.closesAt;
    this.#arrangeCrowd(closesAt);
    this.#every(MINUTE_MS, "cron", () => this.#cron());
    for (const [shard, host] of this.#lobby.entries()) this.#every(LOBBY_TICK_MS, `shard ${shard} looks`, () => this.#watch(host.sweep()));
    this.agenda.arrange(closesAt + SICK_AFTER_CLOSE_MS, "the faults heal", () => this.#heal());

    const deadline = closesAt + SICK_AFTER_CLOSE_MS + HEALING_MS;
    for (let next = this.agenda.next(); next !== null; next = this.agenda.next()) {
      this.steps += 1;
      this.lastLabel = next.label;
      trace?.(`${new Date(next.at).toISOString()} ${next.label}`);
      next.run();
      await settled();
      if (this.#failure !== null) throw this.#failure.error;
      this.#check();
      if (this.lastLabel === "cron" && this.#faults.isHealed && (await this.#isQuiet())) break;
      assert(next.at < deadline, `everything ends once nothing goes wrong any more: ${this.#restless()}`);
      assert(this.steps < STEPS_MAX, "a simulation has an end");
    }
    await this.#checkEnd();
  }

  report(): SimulationReport {
    const sold = this.#auditor.skus.reduce((sum, sku) => sum + this.#auditor.count(sku).sold, 0);
    return {
      seed: this.#seed, steps: this.steps, rows: this.#auditor.head.seq, recordHash: this.#auditor.head.hash,
      orders: this.#ledgers.orders, sold, lateSold: this.#drop.lateSold, lateRefused: this.#drop.lateRefused, refusals: this.#refusals,
      faults: Object.fromEntries(FAULT_NAMES.map((name) => [name, this.#faults.struck(name)])) as Record<FaultName, number>,
    };
  }

  /** The first request that names the drop makes its plan; where its write fails, the next one does. */
  async #plan(): Promise<void> {
    for (let isPlanned = false; !isPlanned; isPlanned = this.#drop.storage.facts !== null) {
      await this.#drop.plan(this.#scenario.source).catch((error: unknown) => assert(isExpected(error), String(error)));
    }
  }

  #arrangeCrowd(closesAt: number): void {
    const crowd = this.#random.branch("crowd");
    const shop: Shop = {
      source: this.#scenario.source, drop: this.#drop, lobby: (shard) => this.#shard(shard), checkout: this.#settlement.checkout, provider: this.#provider,
      network: this.#network, now: () => this.agenda.now, closesAt, saw: (sight) => this.#saw(sight),
    };
    for (let index = 0; index < this.#scenario.shoppers; index++) {
      const shopper = new Shopper(shop, `person-${crowd.integer(1, this.#scenario.people)}`, crowd.branch(`shopper-${index}`));
      this.#shopping += 1;
      this.#watch(shopper.visit().finally(() => (this.#shopping -= 1)));
    }
    this.#arrangeControls(closesAt);
    // The people at the counter: they hand over what was sold, and now and then take something back.
    const counter = this.#random.branch("counter");
    this.#every(5 * MINUTE_MS, "the counter", () => this.#watch(this.#ledgers.serveCounter(this.#settlement.desk, this.#network, counter)));
  }

  /** The seller at the desk: pauses and goes on, puts a stage off, and once in a while calls the whole thing off. */
  #arrangeControls(closesAt: number): void {
    const seller = this.#random.branch("seller");
    const at = () => seller.integer(SIMULATION_STARTS_AT, closesAt + MINUTE_MS);
    const command = (when: number, control: Control) =>
      this.agenda.arrange(when, `the seller: ${control.kind}`, () => this.#watch(this.#network.insist(`control ${control.kind}`, () => this.#drop.control(control, "desk"))));
    if (seller.chance(0.2)) {
      const pausedAt = at();
      command(pausedAt, { kind: "pause" });
      command(pausedAt + seller.integer(1, 10) * MINUTE_MS, { kind: "resume" });
    }
    if (seller.chance(0.3)) command(at(), { kind: "extend", stage: seller.integer(1, 3), byMs: seller.integer(1, 15) * MINUTE_MS });
    if (seller.chance(0.12)) command(seller.integer(SIMULATION_STARTS_AT + LOBBY_MS, closesAt), { kind: "cancel" });
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
    this.#auditor.read(rows);
    // Whatever counts is in the record: without a new row nothing of it has changed.
    if (rows.length > 0) checkDrop(this.#scenario.source, this.#drop.storage, this.#auditor);
    if (this.steps % 20 === 0) this.#drop.checkMemory();
    this.#provider.check();
  }

  async #isQuiet(): Promise<boolean> {
    return this.#restlessDrop() === "" && this.#shopping === 0 && (await this.#ledgers.isQuiet());
  }

  #restlessDrop(): string {
    const { storage } = this.#drop;
    if (storage.outboxSize > 0) return `${storage.outboxSize} messages in the outbox`;
    return storage.facts?.closedAt === null ? "the books are not closed" : "";
  }

  #restless(): string {
    return [this.#shopping > 0 ? `${this.#shopping} shoppers` : "", this.#restlessDrop(), this.#ledgers.restless].filter((text) => text !== "").join(", ");
  }

  async #checkEnd(): Promise<void> {
    assert(await this.#isQuiet(), `a simulation ends in quiet: ${this.#restless()}`);
    await this.#ledgers.checkEnd(this.#drop.storage);
  }

  #every(ms: number, label: string, work: () => void): void {
    const again = () => {
      work();
      this.agenda.after(ms, label, again);
    };
    this.agenda.after(ms, label, again);
  }

  #watch(work: Promise<unknown>): void {
    void work.catch((error: unknown) => {
      if (!isExpected(error)) this.#fail(error);
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
  }
}

/** Faults are what the simulation is about; anything else is a defect that it found. */
function isExpected(error: unknown): boolean {
  return error instanceof Error && error.name === "Fault";
}

/** Lets every promise that can go on do so; nothing in the simulation waits for real time. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
