import { NETWORK_HEADER } from "../../src/drop/network-budgets.ts";
import type { DropPort, DropSnapshot, LinePage, LineRequest } from "../../src/drop/port.ts";
import { nodeHashing } from "../../src/kernel/node-hashing.ts";
import { assert, Fault, type Result } from "../../src/kernel/result.ts";
import { decideArrivals, judgeArrival } from "../../src/lobby/arrivals.ts";
import { leafPage } from "../../src/lobby/leaf-page.ts";
import { type Census, ServiceLine } from "../../src/lobby/line.ts";
import type {
  InclusionProof, JoinCommand, JoinedTicket, JoinRejection, LeafPage, LobbyLive, LobbyPort, ShardReport, TicketPersons, TicketStanding,
} from "../../src/lobby/port.ts";
import { ShardReports } from "../../src/lobby/reports.ts";
import { dropAnswerLifetime, isOverPhase, nextSealAt, nextWaking, SEAL_INTERVAL_MS, shardAnswerLifetime, turnInMs } from "../../src/lobby/rhythm.ts";
import { inclusionProof, type SealTree, sealTree } from "../../src/lobby/seal.ts";
import { standingOf } from "../../src/lobby/standing.ts";
import { personsOf, type StoredSeal } from "../../src/lobby/tickets.ts";
import { answerAll, refuseAll, type WaitingArrival } from "./lobby-arrival.ts";
import { LobbyDoorObject } from "./lobby-door.ts";
import { LobbySockets, socketRefusal } from "./lobby-sockets.ts";
import { type KnownPlan, LobbyStore } from "./lobby-store.ts";
import { LobbyWaking } from "./lobby-waking.ts";

/** The bindings that a shard uses, each reduced to what it may ask. */
export interface LobbyEnv {
  readonly DROP: { getByName(name: string): DropPort };
  readonly LOBBY: { getByName(name: string): LobbyPort };
}

const GROUP_COMMIT_MS = 1;
/** Tickets that are ranked before others get their turn: some twenty milliseconds. */
const RANKED_AT_ONCE = 2_000;

interface KeptAnswer {
  readonly live: LobbyLive;
  readonly askedAt: number;
  readonly freshUntil: number;
  readonly graceUntil: number;
}

/** One shard of a drop's lobby, named `{drop}/{shard}`. Shard 0 alone reads the Drop object; the others read shard 0. */
export class LobbyObject extends LobbyDoorObject<LobbyEnv> implements LobbyPort {
  readonly #dropName: string;
  readonly #shard: number;
  readonly #store: LobbyStore;
  readonly #sockets: LobbySockets;
  readonly #waking: LobbyWaking;
  readonly #reports = new ShardReports();
  readonly #trees = new Map<number, SealTree>();
  #book;
  #budget;
  #known: KnownPlan | null;
  #isOver: boolean;
  #line: ServiceLine | null = null;
  #wanted: readonly LineRequest[] = [];
  #kept: KeptAnswer | null = null;
  #arrivals: WaitingArrival[] = [];
  #reading: Promise<LobbyLive | null> | null = null;
  #sealing: Promise<void> | null = null;
  /** When the last late batch was sealed. */
  #lateSealAt = 0;
  #sealRetryAt = 0;
  /** How many of this shard's own tickets want something that they were not called for, as of the last reading and the joins since. */
  #unmet = 0;

  constructor(context: DurableObjectState, env: LobbyEnv) {
    super(context, env);
    const [, drop, shard] = /^(.+)\/(\d+)$/.exec(context.id.name ?? "") ?? [];
    assert(drop !== undefined && shard !== undefined, "a lobby shard is named {drop}/{number}");
    this.#dropName = drop;
    this.#shard = Number(shard);
    this.#store = new LobbyStore(context.storage);
    this.#sockets = new LobbySockets(context, () => this.clock());
    this.#waking = new LobbyWaking(context.storage, () => this.clock(), () => this.#behind(this.#tick()));
    ({ book: this.#book, budget: this.#budget, known: this.#known, isOver: this.#isOver } = this.#store.load());
    this.#unmet = this.#book.tickets.length;
  }

  async join(command: JoinCommand): Promise<Result<JoinedTicket, JoinRejection>> {
    const at = this.clock();
    await this.#heardPlan();
    return await new Promise((resolve, reject) => {
      this.#arrivals.push({ command, at, resolve, reject });
      if (this.#arrivals.length === 1) setTimeout(() => this.#commitArrivals(), GROUP_COMMIT_MS);
    });
  }

  async standing(id: string): Promise<TicketStanding | null> {
    if (this.#book.find(id) === null) return null;
    const live = await this.live(null);
    const ticket = this.#book.find(id);
    if (ticket === null || live === null) return null;
    const { standing, improvedPosition } = standingOf(ticket, live);
    if (improvedPosition !== null) {
      this.#store.saveShownPosition(id, improvedPosition);
      ticket.shownPosition = improvedPosition;
    }
    return standing;
  }

  async mayJoin(command: JoinCommand): Promise<Result<null, JoinRejection>> {
    const { plan } = await this.#heardPlan();
    return judgeArrival({ command, at: this.clock() }, { book: this.#book, budget: this.#budget, plan, isOver: this.#isOver });
  }

  async personsOf(id: string): Promise<TicketPersons | null> {
    const ticket = this.#book.find(id);
    return ticket === null ? null : personsOf(ticket);
  }

  async proof(id: string): Promise<InclusionProof | null> {
    const ticket = this.#book.find(id);
    const seal = ticket === null ? null : this.#book.sealOf(ticket);
    if (ticket === null || seal === null || !seal.acknowledged) return null;
    return inclusionProof(this.#tree(seal), ticket.entry, this.#shard, seal.batch);
  }

  async entries(from: number): Promise<LeafPage | null> {
    const recorded = this.#book.seals.filter((seal) => seal.acknowledged);
    return recorded.length === 0 ? null : leafPage(recorded.map((seal) => ({ count: seal.count, leaves: () => this.#tree(seal).leaves })), from);
  }

  async live(report: ShardReport | null): Promise<LobbyLive | null> {
    if (report !== null) this.#reports.accept(report, this.clock());
    await this.#sealWhenDue();
    if (this.#kept !== null && this.clock() >= this.#kept.askedAt && this.clock() < this.#kept.freshUntil) return this.#kept.live;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
      this.#arrange();
    });
    return await this.#reading;
  }

  async sweep(): Promise<void> {
    if (!this.#isOver) await this.#tick();
  }

  override async alarm(): Promise<void> {
    this.#waking.alarmRang();
    await this.sweep();
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("Upgrade")?.toLowerCase() !== "websocket") return socketRefusal("not_found", request);
    if (this.#sockets.isFull) return socketRefusal("temporarily_unavailable", request);
    let live: LobbyLive | null;
    try {
      live = await this.live(null);
    } catch {
      return socketRefusal("temporarily_unavailable", request);
    }
    if (live === null) return socketRefusal("not_found", request);
    const network = request.headers.get(NETWORK_HEADER) ?? "unknown";
    if (this.#sockets.isFullFor(network, live.plan)) return socketRefusal("too_many_requests", request);
    const answer = this.#sockets.accept(live, network);
    if (this.#isOver) this.#sockets.dismiss(live);
    this.#arrange();
    return answer;
  }

  override async webSocketMessage(socket: WebSocket, frame: string | ArrayBuffer): Promise<void> {
    this.#sockets.receive(socket, frame);
  }

  override async webSocketClose(): Promise<void> {
    this.#arrange();
  }

  /** The plan; nobody can join a drop of which the shard knows none. */
  async #heardPlan(): Promise<KnownPlan> {
    if (this.#known === null) await this.live(null);
    if (this.#known === null) throw new Fault("the drop was never planned", { retryable: true });
    return this.#known;
  }

  /** Decides all who arrived within the last millisecond, in their order, and writes them in one transaction. */
  #commitArrivals(): void {
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    const known = this.#known;
    if (arrivals.length === 0) return;
    if (known === null) return refuseAll(arrivals, "the drop was never planned");
    const { outcomes, changes } = decideArrivals(arrivals, { book: this.#book, budget: this.#budget, plan: known.plan, isOver: this.#isOver });
    try {
      if (changes !== null) this.#store.saveJoins(changes, this.#book, this.clock());
    } catch (cause) {
      this.#recall();
      return refuseAll(arrivals, "the tickets could not be stored", cause);
    }
    this.#line?.take(this.#book, RANKED_AT_ONCE);
    this.#unmet += changes?.tickets.length ?? 0;
    answerAll(arrivals, outcomes);
    this.#arrange();
  }

  /** Memory again from storage, after a write that did not happen. */
  #recall(): void {
    ({ book: this.#book, budget: this.#budget, known: this.#known, isOver: this.#isOver } = this.#store.load());
    this.#trees.clear();
    this.#line = null;
    this.#kept = null;
    this.#unmet = this.#book.tickets.length;
  }

  #sealDueAt(): number | null {
    if (this.#known === null || this.#isOver) return null;
    return nextSealAt(this.#book, { opensAt: this.#known.plan.opensAt, lateSealAt: this.#lateSealAt, retryAt: this.#sealRetryAt }, this.clock());
  }

  async #sealWhenDue(): Promise<void> {
    const dueAt = this.#sealDueAt();
    if (dueAt === null || this.clock() < dueAt) return;
    this.#sealing ??= this.#makeAndSendSeals()
      .catch((cause: unknown) => {
        this.#sealRetryAt = this.clock() + SEAL_INTERVAL_MS;
        this.#log("seal_not_sent", cause);
      })
      .finally(() => {
        this.#sealing = null;
      });
    await this.#sealing;
  }

  async #makeAndSendSeals(): Promise<void> {
    // A first seal cannot be taken back, and only the Drop object knows whether the opening was put off.
    if (this.#book.seals.length === 0 && !(await this.#hasOpened())) return;
    // Whoever arrived before this moment belongs into the seal, and is not in the book yet.
    this.#commitArrivals();
    this.#makeSeal();
    // There is one at most: the next seal is made when this one is in the record.
    const seal = this.#book.seals.at(-1);
    if (seal === undefined || seal.acknowledged) return;
    const { batch, count, root } = seal;
    const through = this.#book.sealedThrough(seal, this.#known?.plan.opensAt ?? 0);
    const snapshot = await this.#dropPort().seal({ shard: this.#shard, batch, count, root, through });
    if (snapshot === null) throw new Fault("the drop was never planned", { retryable: true });
    this.#store.saveAcknowledgement(batch);
    seal.acknowledged = true;
    await this.#hear(snapshot);
  }

  /** Whether the drop is open by the Drop object's own clock and the plan that it has now. */
  async #hasOpened(): Promise<boolean> {
    const snapshot = await this.#dropPort().snapshot([]);
    if (snapshot === null) throw new Fault("the drop was never planned", { retryable: true });
    await this.#hear(snapshot);
    const waitMs = snapshot.plan.opensAt - snapshot.live.asOf;
    if (waitMs > 0) this.#sealRetryAt = this.clock() + Math.min(SEAL_INTERVAL_MS, waitMs);
    return waitMs <= 0 && !this.#isOver;
  }

  /** Seals whoever is not sealed yet: at first those who joined before the opening, and then whoever came since. */
  #makeSeal(): void {
    const opensAt = this.#known?.plan.opensAt ?? Number.POSITIVE_INFINITY;
    const { seals, sealedCount, tickets } = this.#book;
    const now = this.clock();
    const isFirst = seals.length === 0;
    if (now < opensAt || (!isFirst && (sealedCount === tickets.length || seals.at(-1)?.acknowledged === false))) return;
    const end = isFirst ? this.#book.drawnCount(opensAt) : tickets.length;
    const tree = sealTree(this.#book.leaves(sealedCount, end), nodeHashing);
    const seal: StoredSeal = { batch: seals.length, end, count: end - sealedCount, root: tree.root, acknowledged: false };
    const closedThrough = Math.max(this.#book.floor - 1, this.#book.sealedThrough(seal, opensAt));
    this.#store.saveSeal(seal, closedThrough);
    this.#book.closeThrough(closedThrough);
    seals.push(seal);
    this.#trees.set(seal.batch, tree);
    if (!isFirst) this.#lateSealAt = now;
  }

  #tree(seal: StoredSeal): SealTree {
    const tree = this.#trees.get(seal.batch) ?? sealTree(this.#book.sealLeaves(seal), nodeHashing);
    this.#trees.set(seal.batch, tree);
    return tree;
  }

  /** Reads the next link of the chain, or falls back on what was read, if that is young enough. */
  async #read(): Promise<LobbyLive | null> {
    const askedAt = this.clock();
    let live: LobbyLive | null;
    try {
      live = this.#shard === 0 ? await this.#readDrop() : await this.#readShardZero();
    } catch (cause) {
      if (this.#kept !== null && this.clock() < this.#kept.graceUntil) return this.#kept.live;
      throw new Fault("the drop cannot be read", { retryable: true, cause });
    }
    if (live === null) return null;
    this.#unmet = this.#line?.unmet(live.live.thresholds) ?? this.#book.tickets.length;
    const { freshMs, graceMs } = this.#shard === 0 ? dropAnswerLifetime(live) : shardAnswerLifetime(live, askedAt);
    this.#kept = { live, askedAt, freshUntil: askedAt + freshMs, graceUntil: askedAt + graceMs };
    if (this.#isOver) this.#sockets.dismiss(live);
    else this.#sockets.publish(live);
    return live;
  }

  async #readDrop(): Promise<LobbyLive | null> {
    const [asked, pages] = [this.#wanted, [...this.#pages(), ...this.#reports.pages(this.clock())]];
    const snapshot = await this.#dropPort().snapshot(pages);
    if (snapshot === null) return null;
    await this.#hear(snapshot);
    const isNews = snapshot.wanted.some(({ sku, lane, after }) => !asked.some((known) => known.sku === sku && known.lane === lane && known.after === after));
    this.#wakeOthers(snapshot, isNews || pages.some(({ waiting }) => waiting.length > 0));
    return { ...snapshot, ...this.#reports.mergedWith(this.#census(snapshot), this.clock()) };
  }

  async #readShardZero(): Promise<LobbyLive | null> {
    const wantedBefore = JSON.stringify(this.#wanted);
    const live = await this.#shardZero().live(this.#report());
    if (live === null) return null;
    await this.#hear(live);
    // What is newly wanted is told at once; with the next reading it would come a second later.
    if (JSON.stringify(this.#wanted) !== wantedBefore) this.#behind(this.#shardZero().live(this.#report()));
    return live;
  }

  /** Takes in what any answer of the Drop object says: the plan, the end, the seed, and what it wants to know of the line. */
  async #hear(snapshot: DropSnapshot): Promise<void> {
    const { plan, planHash, planVersion, live } = snapshot;
    if (this.#known === null || planVersion > this.#known.planVersion) {
      const known = { plan, planHash, planVersion };
      this.#store.savePlan(known);
      this.#known = known;
    }
    if (isOverPhase(live.phase) && !this.#isOver) {
      this.#store.saveOver();
      this.#isOver = true;
      // Nothing wakes the shard any more: whatever is shown next must be read, so that the listeners are let go.
      this.#kept = null;
    }
    this.#wanted = snapshot.wanted;
    if (live.seed === null) return;
    if (this.#line?.seed !== live.seed) this.#line = new ServiceLine(live.seed, plan.opensAt, nodeHashing);
    while (this.#line !== null && !this.#line.take(this.#book, RANKED_AT_ONCE)) await scheduler.wait(0);
  }

  /** The shard's answers to what the Drop object wants to know; none until the shard's own seal is in the record. */
  #pages(): LinePage[] {
    const line = this.#line;
    const { offeredCount, seals } = this.#book;
    if (line === null || this.#wanted.length === 0 || seals[0]?.acknowledged !== true || !line.take(this.#book, RANKED_AT_ONCE)) return [];
    // Whoever has arrived but is not in the book yet would otherwise get a time that is said to be over.
    this.#commitArrivals();
    if (line !== this.#line || !line.take(this.#book, RANKED_AT_ONCE)) return [];
    const completeThrough = this.#book.completeThrough(this.clock());
    if (completeThrough >= this.#book.floor) {
      this.#store.saveClosedThrough(completeThrough);
      this.#book.closeThrough(completeThrough);
    }
    return this.#wanted.map((request) => line.page(request, { shard: this.#shard, offeredCount, completeThrough }));
  }

  #census(snapshot: DropSnapshot | null): Census {
    if (this.#isOver) return { waiting: 0, quantiles: [] };
    if (this.#line === null) return { waiting: this.#book.tickets.length, quantiles: [] };
    return this.#line.census(snapshot?.live.thresholds ?? []);
  }

  #report(): ShardReport {
    return { shard: this.#shard, ...this.#census(this.#kept?.live ?? null), pages: this.#pages() };
  }

  /**
   * A shard that nobody talks to neither seals nor says that it has nobody to
   * offer; the draw waits for the one, and the line of all shards for the other.
   */
  #wakeOthers({ live, plan, wanted }: DropSnapshot, isLineMoving: boolean): void {
    const isDrawing = live.seed === null && live.asOf >= plan.opensAt;
    if (this.#isOver || !(isDrawing || (wanted.length > 0 && isLineMoving))) return;
    for (const shard of this.#reports.silent(plan.shards, this.clock())) this.#behind(this.env.LOBBY.getByName(`${this.#dropName}/${shard}`).sweep());
  }

  async #tick(): Promise<void> {
    try {
      await this.live(null);
    } catch (cause) {
      this.#log("live_not_read", cause);
    }
    this.#arrange();
  }

  /** Has the shard wake up by itself when it has something to do next. */
  #arrange(): void {
    const waking = nextWaking(
      {
        plan: this.#known?.plan ?? null,
        phase: this.#kept?.live.live.phase ?? null,
        isOver: this.#isOver,
        hasSeed: this.#line !== null,
        tickets: this.#book.tickets.length,
        unmet: this.#unmet,
        sockets: this.#sockets.count,
        sealDueAt: this.#sealDueAt(),
        turnAt: this.#kept === null ? Number.POSITIVE_INFINITY : this.#kept.askedAt + turnInMs(this.#kept.live),
      },
      this.clock(),
    );
    this.#behind(this.#waking.arrange(waking));
  }

  #behind(work: Promise<unknown>): void {
    this.ctx.waitUntil(work.catch((cause: unknown) => this.#log("work_failed", cause)));
  }

  #log(code: string, cause: unknown): void {
    console.warn(JSON.stringify({ code, drop: this.#dropName, shard: this.#shard, cause: String(cause) }));
  }

  #dropPort(): DropPort {
    return this.env.DROP.getByName(this.#dropName);
  }

  #shardZero(): LobbyPort {
    return this.env.LOBBY.getByName(`${this.#dropName}/0`);
  }
}
