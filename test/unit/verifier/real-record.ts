import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Leaf, RecordRow } from "../../../schema/wire/record.ts";
import { decideConfirm, decideFail, decideRestock } from "../../../src/drop/payments.ts";
import { decideAbandon } from "../../../src/drop/holds.ts";
import { decideControl } from "../../../src/drop/controls.ts";
import { decideServe, wantedLines } from "../../../src/drop/line.ts";
import type { PlanSource } from "../../../src/drop/plan.ts";
import type { LinePage, MovementRow, Sitting, TicketFacts } from "../../../src/drop/port.ts";
import { decideSeal } from "../../../src/drop/sealing.ts";
import { canonicalJson } from "../../../src/kernel/canonical.ts";
import { linkHash } from "../../../src/kernel/chain.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { rankOf } from "../../../src/lobby/draw.ts";
import type { InclusionProof } from "../../../src/lobby/port.ts";
import { inclusionProof, sealTree, type SealTree } from "../../../src/lobby/seal.ts";
import type { Material } from "../../../src/verifier/verify.ts";
import { MINUTE, T0, TestDrop } from "../drop/cast.ts";

/*
 * A record as the product's own cores write it, with everything in it that can
 * happen to a drop, and the keys to sign it: so that a test can also forge it in
 * the way in which only the seller could.
 */

export interface StoreKeys {
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] };
  readonly sign: (head: Record<string, unknown>) => string;
}

export function storeKeys(kid = "head-test"): StoreKeys {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid }] }, sign: (head) => signed(head, kid, privateKey) };
}

function signed(head: Record<string, unknown>, kid: string, key: KeyObject): string {
  const part = (value: string) => Buffer.from(value).toString("base64url");
  const text = `${part(JSON.stringify({ alg: "EdDSA", kid }))}.${part(canonicalJson(head))}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
}

/** A drop's record in parts that a test can change. */
export interface PublicDrop {
  readonly drop: string;
  readonly rows: readonly MovementRow[];
  readonly entries: readonly (readonly Leaf[] | null)[];
  readonly keys: StoreKeys;
}

export const clone = <Value>(value: Value): Value => structuredClone(value);

/** The pages as the store serves them, of `pageRows` rows each, every page with a signed head. */
export function materialOf({ drop, rows, entries, keys }: PublicDrop, pageRows = 1_000): Material {
  const last = rows.at(-1);
  const head = { seq: last?.seq ?? 0, hash: last?.hash ?? "", at: last?.at ?? "" };
  const pages: string[] = [];
  for (let from = 0; from < rows.length; from += pageRows) {
    const lines: unknown[] = [...rows.slice(from, from + pageRows), { head, signature: keys.sign(head) }];
    pages.push(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
  return { drop, pages, entries, keys: keys.jwks };
}

/** Numbers and chains rows anew, as somebody who rewrites the record would. */
export function rechained(rows: readonly Record<string, unknown>[]): MovementRow[] {
  let prevHash = "0".repeat(64);
  return rows.map(({ prevHash: _before, hash: _hash, ...said }, index) => {
    const row = { ...said, seq: index + 1 };
    const hash = linkHash(prevHash, row, nodeHashing);
    // What was taken apart two lines above is put together again.
    const whole = { ...row, prevHash, hash } as unknown as MovementRow;
    prevHash = hash;
    return whole;
  });
}

const LANES: PlanSource["lanes"] = [{ lane: "member", sharePercent: 25, untilMs: 10 * MINUTE, weight: 2, evidence: { kind: "invite" } }];

const TERMS: Partial<PlanSource> = {
  admit: "paced", shards: 2, lanes: LANES, limitPerPerson: 2,
  stock: [{ sku: "MOTH", quantity: 30 }, { sku: "POSTER", quantity: 10 }],
  items: [
    { sku: "MOTH", title: "Moth tee", priceMinor: 4_200, components: [{ sku: "MOTH", quantity: 1 }] },
    { sku: "POSTER", title: "Poster", priceMinor: 900, components: [{ sku: "POSTER", quantity: 1 }] },
    { sku: "SET", title: "Both", priceMinor: 4_900, components: [{ sku: "MOTH", quantity: 1 }, { sku: "POSTER", quantity: 1 }] },
  ],
};

/** A drop, its lobby of two shards, and ways to let it happen. */
export class Night {
  readonly drop: TestDrop;
  readonly tickets: TicketFacts[] = [];
  readonly trees: SealTree[][] = [[], []];
  #sealed = 0;

  constructor(changes: Partial<PlanSource> = {}) {
    this.drop = new TestDrop({ ...TERMS, ...changes });
  }

  join(name: string, sku: string, joinedAt: number, lane = "open", more: Partial<TicketFacts> = {}): TicketFacts {
    const ticket = { ...this.drop.ticket(name, [{ sku, quantity: 1 }], joinedAt), lane, weight: lane === "open" ? 1 : 2, shard: this.tickets.length % 2, ...more };
    this.tickets.push(ticket);
    return ticket;
  }

  /** Seals everybody who came since the last seal, each shard its own. */
  seal(shards: readonly number[] = [0, 1]): void {
    const fresh = this.tickets.slice(this.#sealed);
    for (const shard of shards) {
      const own = fresh.filter((_, index) => (this.#sealed + index) % 2 === shard);
      if (own.length === 0 && (this.trees[shard]?.length ?? 0) > 0) continue;
      const tree = sealTree(own, nodeHashing);
      const batch = this.trees[shard]?.push(tree) ?? 0;
      this.drop.run((state, now) => decideSeal(state, { shard, batch: batch - 1, count: own.length, root: tree.root, through: this.drop.now }, now));
    }
    this.#sealed = this.tickets.length;
  }

  rankOf(ticket: TicketFacts): string {
    const { facts } = this.drop.state;
    if (facts === null || facts.seed === null) throw new Error("there is no draw yet");
    return rankOf(ticket, facts.plan.opensAt, facts.seed, nodeHashing);
  }

  serve(): void {
    const pages = wantedLines(this.drop.state, this.drop.now).flatMap(({ sku, lane, after }) =>
      [0, 1].map((shard): LinePage => {
        const waiting = this.tickets.slice(0, this.#sealed)
          .filter((ticket, index) => index % 2 === shard && ticket.lane === lane && ticket.wants.some((want) => want.sku === sku))
          .map((ticket) => ({ rank: this.rankOf(ticket), quantity: 1 }))
          .filter(({ rank }) => after === null || rank > after)
          .toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
        return { shard, sku, lane, after, waiting, completeTo: "~" };
      }));
    this.drop.run((state, now) => decideServe(state, pages, now));
  }

  /** Everybody whose rank is served sits down; answers whom it called. */
  claimAll(): { readonly ticket: TicketFacts; readonly sitting: Sitting }[] {
    return this.tickets.flatMap((ticket) => {
      const answer = this.drop.claim(ticket);
      return answer.ok && answer.value.state === "admitted" ? [{ ticket, sitting: answer.value.sitting }] : [];
    });
  }

  proofOf(ticket: TicketFacts): InclusionProof | null {
    for (const [shard, trees] of this.trees.entries()) {
      for (const [batch, tree] of trees.entries()) {
        const proof = inclusionProof(tree, ticket.entry, shard, batch);
        if (proof !== null) return proof;
      }
    }
    return null;
  }

  public(keys: StoreKeys): PublicDrop {
    return { drop: "moth-tee", rows: this.drop.record, keys, entries: this.trees.map((trees) => (trees.length === 0 ? null : trees.flatMap(({ leaves }) => leaves))) };
  }
}

/** A drop in which up to three may stand together: three do and buy five, one stands alone, and each has had two turns. */
export function groupNight(): Night {
  const night = new Night({ groupMax: 3, stages: [{ sharePercent: 50, afterMs: 0 }, { sharePercent: 50, afterMs: 30 * MINUTE }] });
  const { drop } = night;
  night.join("three", "MOTH", T0 - MINUTE, "open", { people: 3, wants: [{ sku: "MOTH", quantity: 5 }] });
  night.join("one", "MOTH", T0 - MINUTE + 1);
  drop.now = T0 + 40;
  night.seal();
  for (const at of [T0 + 1_000, T0 + 31 * MINUTE]) {
    drop.now = at;
    night.serve();
    for (const { ticket, sitting } of night.claimAll()) {
      const held = drop.hold(sitting, ticket.wants);
      const order = held.ok ? drop.place(sitting, held.value) : held;
      if (order.ok) drop.run((state, now, hashing) => decideConfirm(state, order.value.id, `pay of ${order.value.id}`, now, hashing));
    }
  }
  drop.readAt(T0 + 260 * MINUTE);
  return night;
}

/** A whole sale: both lanes, people who buy, give up, run out, pay late and send back, a pause, a stage put off, and the close. */
export function wholeNight(): Night {
  const night = new Night();
  const { drop } = night;
  for (let number = 0; number < 24; number++) night.join(`drawn ${number}`, number % 4 === 0 ? "POSTER" : number % 4 === 1 ? "SET" : "MOTH", T0 - 20 * MINUTE + number, number % 6 === 5 ? "member" : "open");
  drop.now = T0 + 40;
  night.seal([0, 1]);
  drop.now = T0 + 1_000;
  night.serve();
  const first = night.claimAll();
  const sales = first.map(({ ticket, sitting }, index) => {
    drop.now += 700;
    const held = drop.hold(sitting, ticket.wants);
    if (!held.ok) return null;
    // The first changes the cart, the second gives it up, the third lets it run out.
    if (index === 0) drop.held(sitting, ticket.wants, { replaces: held.value.id });
    if (index === 1) drop.run((state, now) => decideAbandon(state, held.value.id, sitting.entry, now, nodeHashing));
    return index < 3 ? null : drop.placed(sitting, held.value);
  }).filter((order) => order !== null);
  drop.now = T0 + 2 * MINUTE;
  night.join("late 0", "MOTH", T0 + MINUTE);
  night.join("late 1", "MOTH", T0 + MINUTE + 5);
  night.seal();
  drop.run((state, now, hashing) => decideControl(state, { kind: "pause" }, "desk", now, hashing));
  drop.now += 1_000;
  const [late, failed, ...paid] = sales;
  for (const [index, order] of paid.entries()) drop.run((state, now, hashing) => decideConfirm(state, order.id, `pay_${index}`, now, hashing));
  if (failed !== undefined) drop.run((state, now, hashing) => decideFail(state, failed.id, now, hashing));
  drop.run((state, now, hashing) => decideControl(state, { kind: "resume" }, "desk", now, hashing));
  drop.run((state, now, hashing) => decideControl(state, { kind: "extend", stage: 2, byMs: 5 * MINUTE }, "desk", now, hashing));
  // Everything unpaid runs out; then one of them pays after all.
  drop.readAt(T0 + 20 * MINUTE);
  drop.now = T0 + 32 * MINUTE;
  if (late !== undefined) drop.run((state, now, hashing) => decideConfirm(state, late.id, "pay_late", now, hashing));
  const sent = paid[0];
  if (sent !== undefined) drop.run((state, now, hashing) => decideRestock(state, { order: sent.id, refund: "ref_1", lines: sent.lines.map(({ sku, quantity }) => ({ sku, quantity })) }, now, hashing));
  for (const at of [T0 + 36 * MINUTE, T0 + 126 * MINUTE]) {
    drop.now = at;
    night.serve();
    for (const { ticket, sitting } of night.claimAll()) {
      const held = drop.hold(sitting, ticket.wants);
      if (!held.ok) continue;
      const order = drop.place(sitting, held.value);
      if (order.ok) drop.run((state, now, hashing) => decideConfirm(state, order.value.id, `pay of ${order.value.id}`, now, hashing));
    }
  }
  drop.readAt(T0 + 260 * MINUTE);
  return night;
}

export function rowsOfKind<Kind extends RecordRow["kind"]>(rows: readonly MovementRow[], kind: Kind): MovementRow[] {
  return rows.filter((row) => row.kind === kind);
}
