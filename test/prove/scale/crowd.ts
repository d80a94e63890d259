import type { DropPort, TicketFacts } from "../../../src/drop/port.ts";
import { idFromRandom } from "../../../src/kernel/ids.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { entryOf, isServed, rankOf } from "../../../src/lobby/draw.ts";
import type { LobbyLive, LobbyPort } from "../../../src/lobby/port.ts";
import { seeded } from "../figures.ts";

const JOIN_TICK_MS = 20;

/** How the crowd is made up, and how long it may take over things. */
export interface CrowdTerms {
  readonly drop: string;
  readonly skus: readonly string[];
  readonly tickets: number;
  readonly shards: number;
  readonly absentShare: number;
  /** Of those who come: how many come after their time to claim is over. */
  readonly lateShare: number;
  /** Of those who hold: how many neither pay nor give back. */
  readonly unpaidShare: number;
  readonly claimWindowMs: number;
  readonly seed: number;
}

interface Member {
  readonly facts: Omit<TicketFacts, "joinedAt">;
  readonly sku: string;
  readonly shard: number;
  readonly comes: "in time" | "late" | "never";
  joinedAt: number;
  rank: string;
  /** When the member will claim; null until called. */
  claimsAt: number | null;
}

export interface CrowdTally {
  joined: number;
  admitted: number;
  admittedLate: number;
  held: number;
  paid: number;
  waited: number;
  readonly refusals: Record<string, number>;
}

/** A hundred thousand people, most of whom never come. */
export class Crowd {
  readonly tally: CrowdTally = { joined: 0, admitted: 0, admittedLate: 0, held: 0, paid: 0, waited: 0, refusals: {} };
  /** From being asked to being in the line, in milliseconds. */
  readonly joinTook: number[] = [];
  readonly #terms: CrowdTerms;
  readonly #random: () => number;
  readonly #members: Member[];
  #coming: Member[] | null = null;

  constructor(terms: CrowdTerms) {
    this.#terms = terms;
    this.#random = seeded(terms.seed);
    this.#members = Array.from({ length: terms.tickets }, () => this.#member());
  }

  #id(prefix: "tkt" | "hld" | "ord" | "pay"): string {
    return idFromRandom(prefix, Uint8Array.from({ length: 26 }, () => Math.floor(this.#random() * 256)));
  }

  #member(): Member {
    const { drop, skus, shards, absentShare, lateShare } = this.#terms;
    const ticket = this.#id("tkt");
    const sku = skus[Math.floor(this.#random() ** 2 * skus.length)] ?? "";
    const isAbsent = this.#random() < absentShare;
    const isLate = this.#random() < lateShare;
    const entry = entryOf(drop, ticket, nodeHashing);
    const shard = Number.parseInt(entry.slice(0, 8), 16) % shards;
    return {
      facts: { ticket, shard, entry, lane: "open", weight: 1, wants: [{ sku, quantity: 1 }], keyThumbprint: ticket, person: null },
      sku, shard,
      comes: isAbsent ? "never" : isLate ? "late" : "in time", joinedAt: 0, rank: "", claimsAt: null,
    };
  }

  /** Joins those from number `from` up to, not including, `to`, spread over `overMs` however long the answers take. */
  async join(lobby: (shard: number) => LobbyPort, { from, to, overMs }: { readonly from: number; readonly to: number; readonly overMs: number }): Promise<void> {
    const startedAt = Date.now();
    const asked: Promise<void>[] = [];
    while (asked.length < to - from) {
      await new Promise((resolve) => setTimeout(resolve, JOIN_TICK_MS));
      const due = Math.min(to - from, Math.ceil(((Date.now() - startedAt) / overMs) * (to - from)));
      for (const member of this.#members.slice(from + asked.length, from + due)) asked.push(this.#enter(member, lobby(member.shard)));
    }
    await Promise.all(asked);
  }

  async #enter(member: Member, shard: LobbyPort): Promise<void> {
    const askedAt = Date.now();
    const { ticket, entry, lane, weight, wants, keyThumbprint, person } = member.facts;
    const joined = await shard.join({ ticket, entry, lane, weight, wants, keyThumbprint, person, network: ticket.slice(-3), spends: [] });
    this.joinTook.push(Date.now() - askedAt);
    if (!joined.ok) return this.#refused("join", joined.rejection.code);
    member.joinedAt = joined.value.joinedAt;
    this.tally.joined++;
  }

  /** Looks at the live state as every browser does, and has those who are called come when it suits them. */
  async look({ live, plan }: LobbyLive, drop: DropPort): Promise<void> {
    const { seed } = live;
    if (seed === null) return;
    const now = Date.now();
    if (this.#coming === null) {
      // Only who will ever come needs a rank here; the others' browsers would compute theirs as well.
      this.#coming = this.#members.filter(({ comes, joinedAt }) => comes !== "never" && joinedAt !== 0);
      for (const member of this.#coming) member.rank = rankOf({ ...member.facts, joinedAt: member.joinedAt }, plan.opensAt, seed, nodeHashing);
    }
    const upTo = new Map(live.thresholds.map((threshold) => [threshold.sku, threshold.upTo]));
    for (const member of this.#coming) if (member.claimsAt === null && isServed(member.rank, upTo.get(member.sku) ?? null)) member.claimsAt = now + this.#pause(member);
    const due = this.#coming.filter(({ claimsAt }) => claimsAt !== null && claimsAt <= now);
    this.#coming = this.#coming.filter((member) => !due.includes(member));
    await Promise.all(due.map((member) => this.#buy(member, drop)));
  }

  #pause({ comes }: Member): number {
    const { claimWindowMs } = this.#terms;
    return comes === "late" ? claimWindowMs * (1.2 + this.#random()) : 500 + this.#random() * (claimWindowMs * 0.8);
  }

  async #buy(member: Member, drop: DropPort): Promise<void> {
    const { entry } = member.facts;
    const claim = await drop.claim({ ...member.facts, joinedAt: member.joinedAt });
    if (!claim.ok) return this.#refused("claim", claim.rejection.code);
    if (claim.value.state === "waiting") {
      this.tally.waited++;
      return;
    }
    this.tally.admitted++;
    if (member.comes === "late") this.tally.admittedLate++;
    const { sitting } = claim.value;
    const hold = this.#id("hld");
    const held = await drop.hold({ id: hold, sitting: sitting.id, entry, lines: [{ sku: member.sku, quantity: 1 }], replaces: null, network: hold.slice(-3) });
    if (!held.ok) return this.#refused("hold", held.rejection.code);
    this.tally.held++;
    if (this.#random() < this.#terms.unpaidShare) return;
    const order = this.#id("ord");
    const placed = await drop.place({
      id: order, hold, sitting: sitting.id, entry, person: order, email: `${order.toLowerCase()}@shopper.example`,
      delivery: { method: "pickup", point: "kiosk-k", slot: null }, coupon: null, region: "berlin", locale: "de-DE", returnTo: "https://store.example",
    });
    if (!placed.ok) return this.#refused("place", placed.rejection.code);
    const { verdict } = await drop.confirm(order, this.#id("pay"));
    if (verdict === "sold") this.tally.paid++;
    else this.#refused("confirm", verdict);
  }

  #refused(request: string, code: string): void {
    const name = `${request} ${code}`;
    this.tally.refusals[name] = (this.tally.refusals[name] ?? 0) + 1;
  }

  /** Whoever was ever called, with the moment in which their browser could first see it, to hold the line to its pace. */
  ranksByEntry(seed: string, opensAt: number): { readonly sku: string; readonly rank: string; readonly entry: string }[] {
    return this.#members.filter(({ joinedAt }) => joinedAt !== 0).map(({ facts, sku, joinedAt }) => ({ sku, entry: facts.entry, rank: rankOf({ ...facts, joinedAt }, opensAt, seed, nodeHashing) }));
  }
}
