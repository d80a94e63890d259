import { describe, expect, test } from "vitest";
import { decideControl } from "../../../src/drop/controls.ts";
import { decideServe, wantedLines } from "../../../src/drop/line.ts";
import { dropSnapshot } from "../../../src/drop/live.ts";
import { decideConfirm } from "../../../src/drop/payments.ts";
import type { LinePage, TicketFacts } from "../../../src/drop/port.ts";
import { decideSeal } from "../../../src/drop/sealing.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { drawSeed, rankOf } from "../../../src/lobby/draw.ts";
import { AT_ONCE, MINUTE, SECRET, T0, TestDrop } from "./cast.ts";

const rank = (number: number) => `0${number.toString(16).padStart(32, "0")}`;
const END = "~";

/** A stand-in for the shards: who waits, by rank, for one sku of one lane. */
class Lobby {
  readonly #shards: { rank: string; sku: string; quantity: number }[][];
  readonly #perPage: number;

  constructor(shards: number, perPage: number) {
    this.#shards = Array.from({ length: shards }, () => []);
    this.#perPage = perPage;
  }

  join(number: number, sku = "MOTH", quantity = 1, shard = number % this.#shards.length): void {
    this.#shards[shard]?.push({ rank: rank(number), sku, quantity });
  }

  pages(drop: TestDrop, silent: readonly number[] = []): LinePage[] {
    return wantedLines(drop.state, drop.now).flatMap(({ sku, lane, after }) =>
      this.#shards.flatMap((tickets, shard): LinePage[] => {
        if (silent.includes(shard)) return [];
        const beyond = tickets.filter((ticket) => ticket.sku === sku && (after === null || ticket.rank > after)).toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
        const waiting = beyond.slice(0, this.#perPage);
        return [{ shard, sku, lane, after, waiting, completeTo: beyond.length > waiting.length ? (waiting.at(-1)?.rank ?? END) : END }];
      }));
  }
}

const serve = (drop: TestDrop, pages: readonly LinePage[]) => drop.run((state, now) => decideServe(state, pages, now));
const upTo = (drop: TestDrop, sku = "MOTH") => dropSnapshot(drop.state, drop.now)?.live.thresholds.find((threshold) => threshold.sku === sku)?.upTo;
const paced = (quantity: number, shards = 1) => new TestDrop({ ...AT_ONCE, admit: "paced", shards, stock: [{ sku: "MOTH", quantity }] }).open();

describe("the line", () => {
  test("pages of four shards are merged exactly: after every round precisely the lowest ranks that fit are served", () => {
    for (const perPage of [1, 3, 100]) {
      const drop = paced(20, 4);
      const lobby = new Lobby(4, perPage);
      for (let number = 1; number <= 60; number++) lobby.join(number, "MOTH", 1, number % 5 === 0 ? 1 : number % 11 === 0 ? 2 : number % 13 === 0 ? 3 : 0);
      for (let round = 0; round < 60; round++) {
        serve(drop, lobby.pages(drop));
        const served = [...drop.state.calls.values()].map((call) => call.rank).toSorted();
        expect(served).toEqual(Array.from({ length: served.length }, (_, index) => rank(index + 1)));
      }
      expect(upTo(drop)).toBe(rank(20));
      expect(wantedLines(drop.state, drop.now)).toEqual([]);
    }
  });

  test("nobody is passed over for a shard that is silent, unless the draw went without it", () => {
    const drop = paced(20, 2);
    const lobby = new Lobby(2, 100);
    for (let number = 1; number <= 10; number++) lobby.join(number);
    serve(drop, lobby.pages(drop, [1]));
    expect(upTo(drop)).toBeNull();
    serve(drop, lobby.pages(drop));
    expect(upTo(drop)).toBe(rank(10));

    const without = new TestDrop({ ...AT_ONCE, admit: "paced", shards: 2 });
    without.now = T0;
    without.run((state, now) => decideSeal(state, { shard: 0, batch: 0, count: 1, root: "00", through: T0 - 1 }, now));
    without.readAt(T0 + 29_999);
    expect(without.kinds()).not.toContain("draw");
    without.readAt(T0 + 30_000);
    expect(without.record.find((row) => row.kind === "draw")?.["missing"]).toEqual([1]);
    serve(without, lobby.pages(without, [1]));
    expect(upTo(without)).toBe(rank(10));
  });

  test("a page that answers an older question moves nothing", () => {
    const drop = paced(2);
    const lobby = new Lobby(1, 100);
    for (let number = 1; number <= 5; number++) lobby.join(number);
    const pages = lobby.pages(drop);
    serve(drop, pages);
    drop.now += MINUTE;
    serve(drop, pages);
    expect(upTo(drop)).toBe(rank(2));
  });

  test("the absent never stall it: after their window the next are called, and they are still served when they come", () => {
    const drop = paced(2);
    const lobby = new Lobby(1, 100);
    for (let number = 1; number <= 6; number++) lobby.join(number);
    serve(drop, lobby.pages(drop));
    drop.now += MINUTE - 1;
    serve(drop, lobby.pages(drop));
    expect(upTo(drop)).toBe(rank(2));
    drop.now += 1;
    serve(drop, lobby.pages(drop));
    expect(upTo(drop)).toBe(rank(4));
    expect(drop.kinds().filter((kind) => kind === "serve")).toHaveLength(2);
  });

  test("a sold-out item neither counts demand nor blocks another that shares a component with it", () => {
    const drop = new TestDrop({
      ...AT_ONCE, admit: "paced", stock: [{ sku: "TEE", quantity: 4 }, { sku: "RARE", quantity: 1 }],
      items: [
        { sku: "SET", title: "Tee with the rare pin", priceMinor: 900, components: [{ sku: "TEE", quantity: 1 }, { sku: "RARE", quantity: 1 }] },
        { sku: "TEE", title: "Tee", priceMinor: 400, components: [{ sku: "TEE", quantity: 1 }] },
      ],
    }).open();
    const lobby = new Lobby(1, 100);
    // Everybody in front wants the set, of which there is one; the tees go to those behind them.
    for (let number = 1; number <= 50; number++) lobby.join(number, "SET");
    for (let number = 51; number <= 60; number++) lobby.join(number, "TEE");
    serve(drop, lobby.pages(drop));
    expect(upTo(drop, "SET")).toBe(rank(1));
    expect(upTo(drop, "TEE")).toBe(rank(53));
  });

  test("a call for an item that sold out meanwhile keeps no component from others", () => {
    const drop = new TestDrop({
      ...AT_ONCE, admit: "paced", stock: [{ sku: "TEE", quantity: 4 }, { sku: "RARE", quantity: 1 }],
      items: [
        { sku: "SET", title: "Tee with the rare pin", priceMinor: 900, components: [{ sku: "TEE", quantity: 1 }, { sku: "RARE", quantity: 1 }] },
        { sku: "TEE", title: "Tee", priceMinor: 400, components: [{ sku: "TEE", quantity: 1 }] },
      ],
    }).open();
    const wants = [{ sku: "SET", quantity: 1 }];
    const seed = drop.state.facts?.seed ?? "";
    const [first, second] = ["ana", "ben"].map((name) => drop.ticket(name, wants)).map((ticket) => ({ ticket, rank: rankOf(ticket, T0, seed, nodeHashing) })).toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
    if (first === undefined || second === undefined) throw new Error("two people wait");
    const page = (after: string | null, rankOfNext: string): LinePage => ({ shard: 0, sku: "SET", lane: "open", after, waiting: [{ rank: rankOfNext, quantity: 1 }], completeTo: END });
    serve(drop, [page(null, first.rank)]);
    drop.now += MINUTE;
    serve(drop, [page(first.rank, second.rank)]);
    const answer = drop.claim(first.ticket);
    if (!answer.ok || answer.value.state !== "admitted") throw new Error("a late claimant is still served");
    drop.held(answer.value.sitting, wants);
    expect(drop.state.calls.size).toBe(1);
    expect(wantedLines(drop.state, drop.now)).toEqual([{ sku: "TEE", lane: "open", after: null, count: 100 }]);
  });

  test("the last unit is not kept waiting by those before it who have bought already", () => {
    const skus = ["MOTH", "WASP"];
    const drop = new TestDrop({
      ...AT_ONCE, admit: "paced", limitPerPerson: 1, stock: [{ sku: "MOTH", quantity: 60 }, { sku: "WASP", quantity: 1 }],
      items: skus.map((sku) => ({ sku, title: sku, priceMinor: 100, components: [{ sku, quantity: 1 }] })),
    }).open();
    const seed = drop.state.facts?.seed ?? "";
    const both = skus.map((sku) => ({ sku, quantity: 1 }));
    const people = Array.from({ length: 60 }, (_, index) => drop.ticket(`p${index}`, both)).map((ticket) => ({ ticket, rank: rankOf(ticket, T0, seed, nodeHashing) })).toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
    const page = (sku: string): LinePage[] => wantedLines(drop.state, drop.now).filter((request) => request.sku === sku).map(({ lane, after, count }) => {
      const waiting = people.filter((person) => after === null || person.rank > after).slice(0, count).map((person) => ({ rank: person.rank, quantity: 1 }));
      return { shard: 0, sku, lane, after, waiting, completeTo: waiting.length === count ? (waiting.at(-1)?.rank ?? END) : END };
    });
    serve(drop, page("MOTH"));
    for (const { ticket } of people.slice(0, -1)) drop.held(drop.sit(ticket.ticket.slice(4), both));
    drop.now += MINUTE;
    serve(drop, page("WASP"));
    expect(upTo(drop, "WASP")).toBe(people.at(-1)?.rank);
  });

  test("whoever sits down again after buying keeps no unit from those who wait", () => {
    const drop = new TestDrop({ ...AT_ONCE, admit: "paced", limitPerPerson: 1, stock: [{ sku: "MOTH", quantity: 2 }] }).open();
    const ana = drop.ticket("ana");
    const rankOfAna = rankOf(ana, T0, drop.state.facts?.seed ?? "", nodeHashing);
    serve(drop, [{ shard: 0, sku: "MOTH", lane: "open", after: null, waiting: [{ rank: rankOfAna, quantity: 1 }], completeTo: END }]);
    const sitting = drop.sit("ana");
    const order = drop.placed(sitting, drop.held(sitting));
    drop.run((state, now, hashing) => decideConfirm(state, order.id, "pay_1", now, hashing));
    drop.now = T0 + 9 * MINUTE;
    expect(drop.sit("ana").id).not.toBe(sitting.id);
    expect(wantedLines(drop.state, drop.now)).toHaveLength(1);
  });

  test("a call's place goes to the next in the very millisecond in which it ends: their rank was asked for before", () => {
    const drop = paced(2);
    const lobby = new Lobby(1, 100);
    for (let number = 1; number <= 6; number++) lobby.join(number);
    serve(drop, lobby.pages(drop));
    const endsAt = drop.now + (drop.state.facts?.plan.claimWindowMs ?? 0);
    expect(dropSnapshot(drop.state, drop.now)?.nextTurnAt).toBe(endsAt);
    expect(wantedLines(drop.state, drop.now)).toEqual([]);
    drop.now = endsAt - 1_000;
    const pages = lobby.pages(drop);
    expect(pages).toHaveLength(1);
    drop.now = endsAt - 1;
    serve(drop, pages);
    expect(upTo(drop)).toBe(rank(2));
    drop.now = endsAt;
    serve(drop, pages);
    expect(upTo(drop)).toBe(rank(4));
  });

  test("later stages go on from the threshold, and a pause stops it", () => {
    const drop = new TestDrop({ admit: "paced" }).open();
    const lobby = new Lobby(1, 100);
    for (let number = 1; number <= 20; number++) lobby.join(number);
    serve(drop, lobby.pages(drop));
    expect(upTo(drop)).toBe(rank(4));
    drop.now = T0 + 30 * MINUTE;
    drop.run((state, now, hashing) => decideControl(state, { kind: "pause" }, "desk", now, hashing));
    expect(wantedLines(drop.state, drop.now)).toEqual([]);
    drop.run((state, now, hashing) => decideControl(state, { kind: "resume" }, "desk", now, hashing));
    serve(drop, lobby.pages(drop));
    expect(upTo(drop)).toBe(rank(12));
  });

  test("with enough demand every unit sells, though most of those called never come", () => {
    const drop = paced(20);
    const people = Array.from({ length: 200 }, (_, index) => drop.ticket(`p${index}`));
    const seed = drop.state.facts?.seed ?? "";
    const waiting = people.map((ticket) => ({ ticket, rank: rankOf(ticket, T0, seed, nodeHashing) })).toSorted((a, b) => (a.rank < b.rank ? -1 : 1));
    const served = new Set<string>();
    for (let round = 0; drop.unitsSold() < 20 && round < 180; round++) {
      const pages = wantedLines(drop.state, drop.now).map(({ sku, lane, after }): LinePage => ({
        shard: 0, sku, lane, after, waiting: waiting.filter((person) => after === null || person.rank > after).map((person) => ({ rank: person.rank, quantity: 1 })), completeTo: END,
      }));
      serve(drop, pages);
      for (const [index, person] of waiting.entries()) {
        if (index % 4 !== 0 || served.has(person.ticket.ticket)) continue;
        const answer = drop.claim(person.ticket);
        if (!answer.ok || answer.value.state !== "admitted") continue;
        served.add(person.ticket.ticket);
        const { sitting } = answer.value;
        const order = drop.placed(sitting, drop.held(sitting));
        drop.run((state, now, hashing) => decideConfirm(state, order.id, `pay of ${order.id}`, now, hashing));
      }
      drop.now += 10_000;
    }
    expect(drop.unitsSold()).toBe(20);
    expect(drop.now).toBeLessThan(T0 + 30 * MINUTE);
  });
});

describe("the draw", () => {
  test("nobody is admitted before the seal of their ticket is in the record, drawn or late, in a shard that the draw missed or in any other", () => {
    const drop = new TestDrop({ ...AT_ONCE, admit: "paced", shards: 2 });
    drop.now = T0;
    drop.run((state, now) => decideSeal(state, { shard: 0, batch: 0, count: 1, root: "00", through: T0 - 1 }, now));
    drop.readAt(T0 + 30_000);
    // As if pages of the other shard had moved the threshold behind everybody.
    drop.run(() => ({ outcome: null, changes: { thresholds: [{ id: "open/MOTH", upTo: "~" }] } }));
    const of = (name: string, shard: number, joinedAt: number) => ({ ...drop.ticket(name, undefined, joinedAt), shard });
    const state = (ticket: ReturnType<typeof of>) => {
      const answer = drop.claim(ticket);
      return answer.ok ? answer.value.state : answer.rejection.code;
    };
    const [drawn, lost, late, lostLate, nowhere] = [of("ana", 0, T0 - 1), of("ben", 1, T0 - 1), of("cem", 0, T0 + 5), of("dora", 1, T0 + 5), of("eve", 9, T0 - 1)];
    expect([drawn, lost, late, lostLate, nowhere].map(state)).toEqual(["admitted", "waiting", "waiting", "waiting", "waiting"]);
    drop.run((book, now) => decideSeal(book, { shard: 1, batch: 0, count: 1, root: "11", through: T0 - 1 }, now));
    expect([lost, lostLate].map(state)).toEqual(["admitted", "waiting"]);
    drop.run((book, now) => decideSeal(book, { shard: 1, batch: 1, count: 1, root: "22", through: T0 + 5 }, now));
    expect([lostLate, late, of("fay", 1, T0 + 6)].map(state)).toEqual(["admitted", "waiting", "waiting"]);
    expect(drop.kinds().filter((kind) => kind === "admit")).toHaveLength(3);
  });

  test("seals are written once per shard and batch, in order; the first root stands", () => {
    const drop = new TestDrop({ shards: 2 });
    drop.now = T0;
    const seal = (shard: number, batch: number, root: string) => drop.run((state, now) => decideSeal(state, { shard, batch, count: 1, root, through: T0 - 1 }, now));
    expect([seal(0, 0, "aa"), seal(0, 0, "bb"), seal(1, 1, "cc"), seal(2, 0, "dd")]).toEqual(["sealed", "sealed", "out_of_order", "no_such_shard"]);
    expect(dropSnapshot(drop.state, T0)?.live.phase).toBe("drawing");
    expect(seal(1, 0, "ee")).toBe("sealed");
    const row = drop.record.find((candidate) => candidate.kind === "draw");
    const seed = drawSeed({ drop: "moth-tee", planHash: drop.record[0]?.hash ?? "", secret: SECRET, roots: ["aa", "ee"], beacon: null }, nodeHashing);
    expect(row).toMatchObject({ secret: SECRET, missing: [], seed });
    expect(seal(0, 1, "ff")).toBe("sealed");
    expect(drop.record.at(-1)).toMatchObject({ kind: "seal", shard: 0, root: "ff" });
  });

  test("the secret is in no row and no snapshot before the draw", () => {
    const drop = new TestDrop();
    drop.readAt(T0 - 1);
    expect(JSON.stringify([drop.record, dropSnapshot(drop.state, drop.now)])).not.toContain(SECRET);
    drop.open();
    expect(JSON.stringify(drop.record)).toContain(SECRET);
  });
});

describe("a claim", () => {
  const admitted = (drop: TestDrop, ticket: TicketFacts) => {
    const answer = drop.claim(ticket);
    return answer.ok && answer.value.state === "admitted" ? answer.value.sitting : answer;
  };

  test("waits without a rank before the draw, and gets one sitting however often it is repeated", () => {
    const drop = new TestDrop();
    const ana = drop.ticket("ana");
    expect(drop.claim(ana)).toEqual({ ok: true, value: { state: "waiting", rank: null } });
    drop.open();
    const first = admitted(drop, ana);
    drop.now += MINUTE - 1;
    expect(admitted(drop, ana)).toEqual(first);
    expect(drop.kinds().filter((kind) => kind === "admit")).toHaveLength(1);
  });

  test("two sittings a stage, the second after a cool-down, and new ones in the next stage", () => {
    const drop = new TestDrop().open();
    const ana = drop.ticket("ana");
    drop.claim(ana);
    drop.now = T0 + 2 * MINUTE - 1;
    expect(drop.claim(ana)).toEqual({ ok: false, rejection: { code: "too_many_requests", retryAt: T0 + 2 * MINUTE } });
    drop.now = T0 + 2 * MINUTE;
    expect(admitted(drop, ana)).toMatchObject({ admittedAt: drop.now });
    drop.now = T0 + 10 * MINUTE;
    expect(drop.claim(ana)).toEqual({ ok: false, rejection: { code: "too_many_requests", retryAt: T0 + 30 * MINUTE } });
    drop.now = T0 + 30 * MINUTE;
    expect(admitted(drop, ana)).toMatchObject({ admittedAt: drop.now });
  });

  test("is refused while the drop is paused and after it closed; who sits already stays seated", () => {
    const drop = new TestDrop(AT_ONCE).open();
    const sitting = drop.sit("ana");
    drop.run((state, now, hashing) => decideControl(state, { kind: "pause" }, "desk", now, hashing));
    expect(admitted(drop, drop.ticket("ana"))).toEqual(sitting);
    expect(drop.claim(drop.ticket("ben"))).toEqual({ ok: false, rejection: { code: "drop_paused" } });
    expect(drop.hold(sitting)).toEqual({ ok: false, rejection: { code: "drop_paused" } });
    drop.now = T0 + 240 * MINUTE;
    expect(drop.claim(drop.ticket("ben"))).toEqual({ ok: false, rejection: { code: "drop_closed" } });
  });
});

describe("extending a stage", () => {
  const extend = (drop: TestDrop, stage: number, byMs: number) => drop.run((state, now, hashing) => decideControl(state, { kind: "extend", stage, byMs }, "desk", now, hashing));
  const openings = (drop: TestDrop) => drop.state.facts?.plan.stock[0]?.stages.map((stage) => (stage.opensAt - T0) / MINUTE);

  test("puts it and the later ones off, once however often it is called, and publishes the change", () => {
    const drop = new TestDrop().open();
    expect(extend(drop, 2, 10 * MINUTE).ok).toBe(true);
    expect(extend(drop, 2, 10 * MINUTE).ok).toBe(true);
    expect(openings(drop)).toEqual([0, 40, 130]);
    expect(drop.kinds().filter((kind) => kind === "extend")).toHaveLength(1);
    expect(dropSnapshot(drop.state, drop.now)?.planVersion).toBe(2);
  });

  test("is not possible for an open stage, past the close, or backwards", () => {
    const drop = new TestDrop().open();
    const refused = { ok: false, rejection: { code: "control_not_possible" } };
    expect(extend(drop, 1, MINUTE)).toEqual(refused);
    expect(extend(drop, 4, MINUTE)).toEqual(refused);
    expect(extend(drop, 3, 120 * MINUTE)).toEqual(refused);
    expect(extend(drop, 2, 10 * MINUTE).ok).toBe(true);
    expect(extend(drop, 2, 5 * MINUTE)).toEqual(refused);
    drop.now = T0 + 40 * MINUTE;
    expect(extend(drop, 2, 20 * MINUTE)).toEqual(refused);
    expect(openings(drop)).toEqual([0, 40, 130]);
  });

  test("a stage that anybody saw open is not put off when the clock is set back, and is written down as open", () => {
    const drop = new TestDrop();
    drop.readAt(T0 - 1);
    expect(drop.writes).toHaveLength(1);
    drop.readAt(T0 + 5);
    expect(drop.writes.at(-1)?.facts?.openedAt).toBe(T0);
    drop.now = T0 - MINUTE;
    expect(extend(drop, 1, 10 * MINUTE).ok).toBe(false);
    expect(drop.book.timeOf(drop.now)).toBe(T0);
    // The stages after it can still be.
    expect(extend(drop, 2, 10 * MINUTE).ok).toBe(true);
    drop.readAt(T0 + 41 * MINUTE);
    expect(drop.state.facts?.openedAt).toBe(T0 + 40 * MINUTE);
  });
});
