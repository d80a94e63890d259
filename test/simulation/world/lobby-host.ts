import type { Plan } from "../../../src/drop/plan.ts";
import type { DropPort, DropSnapshot, LinePage, LineRequest } from "../../../src/drop/port.ts";
import { accepted, assert, Fault, type Result } from "../../../src/kernel/result.ts";
import type { Hashing } from "../../../src/kernel/hashing.ts";
import { leafPage } from "../../../src/lobby/leaf-page.ts";
import { ServiceLine, type Census } from "../../../src/lobby/line.ts";
import type { InclusionProof, JoinCommand, JoinedTicket, JoinRejection, Leaf, LeafPage, LobbyLive, LobbyPort, ShardReport, TicketPersons, TicketStanding } from "../../../src/lobby/port.ts";
import { ShardReports } from "../../../src/lobby/reports.ts";
import { inclusionProof, sealTree } from "../../../src/lobby/seal.ts";
import { standingOf } from "../../../src/lobby/standing.ts";
import { personsOf, publicTicket, type StoredSeal, TicketBook } from "../../../src/lobby/tickets.ts";
import type { Agenda } from "../../../src/rehearsal/agenda.ts";
import type { FaultPlan } from "../../../src/rehearsal/faults.ts";
import type { RandomSource } from "../../../src/rehearsal/random.ts";
import type { FaultName } from "./fault-names.ts";
import type { Network } from "./network.ts";

/** Shard 0 forgets a report after ten seconds. */
const REPORT_LATE_MAX_MS = 8_000;
const RANKED_AT_ONCE = 1_000;

export interface LobbyParts {
  readonly shard: number;
  readonly agenda: Agenda;
  readonly network: Network;
  readonly faults: FaultPlan<FaultName>;
  readonly random: RandomSource;
  readonly drop: DropPort;
  readonly hashing: Hashing;
  /** A ticket was given, or given again. */
  readonly joined: (shard: number, ticket: JoinedTicket) => void;
  /** Shard 0, which the others report to; null for shard 0 itself. */
  readonly first: LobbyPort | null;
}

/** What a shard has written down; everything else dies with its memory. */
interface Written {
  readonly tickets: (JoinedTicket & { readonly members?: readonly string[] })[];
  readonly seals: StoredSeal[];
  closedThrough: number;
}

/** One shard of the lobby: the real book, line and seals, a double for its storage and its sockets. */
export class LobbyHost implements LobbyPort {
  readonly #parts: LobbyParts;
  readonly #written: Written = { tickets: [], seals: [], closedThrough: 0 };
  #book = new TicketBook();
  #reports = new ShardReports();
  #line: ServiceLine | null = null;
  #plan: Plan | null = null;
  #wanted: readonly LineRequest[] = [];
  #lastLive: LobbyLive | null = null;

  #isLost = false;

  constructor(parts: LobbyParts) {
    this.#parts = parts;
  }

  /** From now on nobody reaches the shard, until it is found again. */
  setLost(isLost: boolean): void {
    this.#isLost = isLost;
  }

  async join(command: JoinCommand): Promise<Result<JoinedTicket, JoinRejection>> {
    this.#maybeEvict();
    if (this.#plan === null) await this.live(null);
    if (this.#plan === null) throw new Fault("the shard does not know the plan", { retryable: true });
    const outcome = this.#book.join(command, { ...this.#plan, isOver: false, asksForPerson: false }, this.#parts.agenda.now);
    if (!outcome.ok) return outcome;
    const joined = publicTicket(outcome.value.ticket);
    const { members } = outcome.value.ticket;
    const written = { ...joined, ...(members === undefined ? {} : { members }) };
    const known = this.#written.tickets.findIndex((row) => row.ticket === joined.ticket);
    if (known === -1) this.#written.tickets.push(written);
    else this.#written.tickets[known] = written;
    this.#parts.joined(this.#parts.shard, joined);
    return accepted(joined);
  }

  async mayJoin(command: JoinCommand): Promise<Result<null, JoinRejection>> {
    assert(this.#plan !== null, "a shard is asked to judge a join only after it was asked for one");
    const judged = this.#book.judge(command, { ...this.#plan, isOver: false, asksForPerson: false }, this.#parts.agenda.now);
    return judged.ok ? accepted(null) : judged;
  }

  async personsOf(ticket: string): Promise<TicketPersons | null> {
    const known = this.#book.find(ticket);
    return known === null ? null : personsOf(known);
  }

  async standing(ticket: string): Promise<TicketStanding | null> {
    const live = await this.live(null);
    const booked = this.#book.find(ticket);
    return live === null || booked === null ? null : standingOf(booked, live).standing;
  }

  async proof(ticket: string): Promise<InclusionProof | null> {
    const booked = this.#book.find(ticket);
    const seal = booked === null ? null : this.#book.sealOf(booked);
    if (booked === null || seal === null) return null;
    return inclusionProof(sealTree(this.#book.sealLeaves(seal), this.#parts.hashing), booked.entry, this.#parts.shard, seal.batch);
  }

  async entries(from: number): Promise<LeafPage | null> {
    const recorded = this.#book.seals.filter((seal) => seal.acknowledged);
    const sealed = recorded.map((seal) => ({ count: seal.count, leaves: () => sealTree(this.#book.sealLeaves(seal), this.#parts.hashing).leaves }));
    return recorded.length === 0 ? null : leafPage(sealed, from);
  }

  async live(report: ShardReport | null): Promise<LobbyLive | null> {
    this.#maybeEvict();
    if (report !== null) this.#reports.accept(report, this.#parts.agenda.now);
    await this.#seal();
    const { first, network, drop, faults, random } = this.#parts;
    if (first !== null) {
      const told = this.#report();
      if (faults.strikes("report-late")) await network.pause(random.integer(1_000, REPORT_LATE_MAX_MS), "a report is on its way");
      const live = await network.call("a shard reads shard 0", () => first.live(told));
      if (live !== null) this.#hear(live);
      return live;
    }
    const pages = [...this.#pages(), ...this.#reports.pages(this.#parts.agenda.now)];
    const snapshot = await network.call("shard 0 reads the drop", () => drop.snapshot(pages));
    if (snapshot === null) return null;
    this.#hear(snapshot);
    this.#lastLive = { ...snapshot, ...this.#reports.mergedWith(this.#census(snapshot), this.#parts.agenda.now) };
    return this.#lastLive;
  }

  async sweep(): Promise<void> {
    if (this.#isLost) return;
    await this.live(null);
  }

  /** The sealed leaves of every batch, for the verifier of the record. */
  leavesByBatch(): readonly (readonly Leaf[])[] {
    return this.#book.seals.filter((seal) => seal.acknowledged).map((seal) => sealTree(this.#book.sealLeaves(seal), this.#parts.hashing).leaves);
  }

  #maybeEvict(): void {
    if (this.#isLost) throw new Fault("the shard is not to be reached", { retryable: true });
    if (!this.#parts.faults.strikes("eviction")) return;
    this.#book = new TicketBook();
    for (const ticket of this.#written.tickets) this.#book.restore(ticket, null);
    this.#book.closeThrough(this.#written.closedThrough);
    this.#book.seals.push(...this.#written.seals.map((seal) => ({ ...seal })));
    this.#reports = new ShardReports();
    this.#line = null;
    this.#plan = null;
    this.#wanted = [];
    this.#lastLive = null;
  }

  async #seal(): Promise<void> {
    const plan = this.#plan;
    const { agenda, network, drop, shard } = this.#parts;
    if (plan === null || agenda.now < plan.opensAt) return;
    // A first seal cannot be taken back, and only the drop knows whether the opening was put off.
    if (this.#book.seals.length === 0) {
      const now = await network.call("a shard asks whether it is open", () => drop.snapshot([]));
      if (now === null) return;
      this.#hear(now);
      if (now.live.asOf < now.plan.opensAt || agenda.now < now.plan.opensAt) return;
    }
    this.#sealNext(this.#plan ?? plan);
    const unsent = this.#book.seals.find((seal) => !seal.acknowledged);
    if (unsent === undefined) return;
    const { batch, count, root } = unsent;
    const through = this.#book.sealedThrough(unsent, (this.#plan ?? plan).opensAt);
    const snapshot = await network.call("a shard seals", () => drop.seal({ shard, batch, count, root, through }));
    // The drop's own clock may say that it is not open yet: then the seal is sent again.
    if (snapshot === null || snapshot.live.asOf < snapshot.plan.opensAt) return;
    for (const list of [this.#book.seals, this.#written.seals]) for (const seal of list) if (seal.batch === batch) seal.acknowledged = true;
    this.#hear(snapshot);
  }

  /** Makes the next seal when there is one to make; it is in the record once the drop has answered. */
  #sealNext(plan: Plan): void {
    const { seals, sealedCount, tickets } = this.#book;
    const isFirst = seals.length === 0;
    if (!isFirst && (sealedCount === tickets.length || seals.some((seal) => !seal.acknowledged))) return;
    const end = isFirst ? this.#book.drawnCount(plan.opensAt) : tickets.length;
    const { root } = sealTree(this.#book.leaves(sealedCount, end), this.#parts.hashing);
    const seal = { batch: seals.length, end, count: end - sealedCount, root, acknowledged: false };
    this.#closeThrough(Math.max(this.#book.floor - 1, this.#book.sealedThrough(seal, plan.opensAt)));
    this.#written.seals.push({ ...seal });
    seals.push(seal);
  }

  #closeThrough(at: number): void {
    this.#written.closedThrough = Math.max(this.#written.closedThrough, at);
    this.#book.closeThrough(at);
  }

  #hear(snapshot: DropSnapshot): void {
    this.#plan = snapshot.plan;
    this.#wanted = snapshot.wanted;
    const { seed } = snapshot.live;
    if (seed === null) return;
    if (this.#line?.seed !== seed) this.#line = new ServiceLine(seed, snapshot.plan.opensAt, this.#parts.hashing);
    assert(this.#line.take(this.#book, RANKED_AT_ONCE), "a simulated crowd is ranked at once");
  }

  #pages(): LinePage[] {
    const line = this.#line;
    if (line === null || this.#book.seals[0]?.acknowledged !== true || !line.take(this.#book, RANKED_AT_ONCE)) return [];
    const completeThrough = this.#book.completeThrough(this.#parts.agenda.now);
    this.#closeThrough(completeThrough);
    const offered = { shard: this.#parts.shard, offeredCount: this.#book.offeredCount, completeThrough };
    return this.#wanted.map((request) => line.page(request, offered));
  }

  #census(snapshot: DropSnapshot | null): Census {
    if (this.#line === null) return { waiting: this.#book.tickets.length, quantiles: [] };
    return this.#line.census(snapshot?.live.thresholds ?? []);
  }

  #report(): ShardReport {
    return { shard: this.#parts.shard, ...this.#census(this.#lastLive), pages: this.#pages() };
  }
}
