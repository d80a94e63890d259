import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { Instant } from "../../../schema/wire/ids.ts";
import { decidePlanChange } from "../../../src/drop/plan-change.ts";
import type { PlanSource } from "../../../src/drop/plan.ts";
import type { MovementRow } from "../../../src/drop/port.ts";
import { entryOf } from "../../../src/lobby/draw.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { ownHashing } from "../../../src/verifier/sha256.ts";
import { NO_QUESTIONS, type Questions, type Report, verifyDrop } from "../../../src/verifier/verify.ts";
import { MINUTE, source, T0, TestDrop } from "../drop/cast.ts";
import { clone, materialOf, Night, type PublicDrop, rechained, storeKeys, wholeNight } from "./real-record.ts";

/*
 * What only a seller could forge, who has the key and means to be believed:
 * people who are left out, instants that do not exist, changes that did not
 * happen, places in the line that were made afterwards, turns and units that
 * nobody may have. Every forged record is chained and signed anew.
 */

type Row = Record<string, unknown> & { kind: string; at: string };

const keys = storeKeys();
const verify = (drop: PublicDrop, questions: Questions = NO_QUESTIONS): Report => verifyDrop(materialOf(drop), questions, { hashing: ownHashing, progress: () => undefined });
const wire = (at: number) => new Date(at).toISOString();

/** The first thing that is found in a forged record, which has to be in the row that `forge` answers. */
function expectFound(drop: PublicDrop, forge: (rows: Row[]) => Row, words: RegExp, entries = drop.entries): void {
  // Rows to be changed at will; they are made rows again by being chained.
  const rows = clone(drop.rows) as unknown as Row[];
  const forged = forge(rows);
  const report = verify({ ...drop, rows: rechained(rows), entries });
  const [first] = report.findings;
  expect({ verdict: report.verdict, seq: first?.seq, words: first?.words }).toEqual({ verdict: "wrong", seq: rows.indexOf(forged) + 1, words: expect.stringMatching(words) });
}

function find(rows: readonly Row[], kind: string, fits: (row: Row) => boolean = () => true): Row {
  const row = rows.find((candidate) => candidate.kind === kind && fits(candidate));
  if (row === undefined) throw new Error(`the record has no such ${kind} row`);
  return row;
}

function insert(rows: Row[], before: Row, ...added: Row[]): void {
  rows.splice(rows.indexOf(before), 0, ...added);
}

const whole = wholeNight();
const honest = whole.public(keys);

describe("a ticket that is in no seal", () => {
  const asked = (rows: readonly MovementRow[], ticket: string) => {
    const sealed = new Set(rows.flatMap((row) => (row.kind === "seal" ? [Number(row["shard"])] : [])));
    const entries = honest.entries.map((list, shard) => (sealed.has(shard) ? list : null));
    return verify({ ...honest, rows: rechained(rows), entries }, { witnessed: [], ticket: { ticket, proof: null } });
  };
  const drawnAt = honest.rows.findIndex(({ kind }) => kind === "draw");

  test("is no finding and leaves the record right before the draw", () => {
    expect(asked(honest.rows.slice(0, 1), "tkt_left_out")).toMatchObject({ verdict: "right", ticket: expect.stringMatching(/in no seal, and there is no draw yet/) });
  });

  test("keeps the record from being called right once the draw is made, in plain words", () => {
    for (const [rows, exception] of [[honest.rows, /in the last seconds before the end\.$/], [honest.rows.slice(0, drawnAt + 1), /within the last minute\.$/]] as const) {
      const report = asked(rows, "tkt_left_out");
      expect(report).toMatchObject({ verdict: "unclear", findings: [], ticket: expect.stringMatching(/it was left out of the draw/) });
      expect(report.unchecked).toEqual([expect.stringMatching(exception)]);
    }
  });

  test("is told apart from one that is in it, and from one of a shard that sealed nobody", () => {
    const [inside] = whole.tickets;
    const ticket = inside?.ticket ?? "";
    expect(entryOf("moth-tee", ticket, nodeHashing)).toBe(inside?.entry);
    expect(asked(honest.rows, ticket)).toMatchObject({ verdict: "right", ticket: expect.stringMatching(/^Your ticket is in it/) });
    expect(asked(honest.rows.filter((row) => row.kind !== "seal" || row["shard"] !== 1), "tkt_left_out").ticket).toMatch(/its shard is one of those which have sealed nobody/);
  });
});

describe("an instant that does not exist", () => {
  test("is none, though it has the form", () => {
    const none = ["2026-12-04T17:59:60.000Z", "2026-13-04T22:00:00.000Z", "2026-00-04T22:00:00.000Z", "2026-02-30T22:00:00.000Z", "2026-12-32T22:00:00.000Z", "2026-12-00T22:00:00.000Z", "2026-12-04T24:00:00.000Z", "2026-12-04T22:60:00.000Z", "2027-02-29T00:00:00.000Z"];
    expect(none.filter((instant) => v.is(Instant, instant))).toEqual([]);
    const some = ["2026-12-04T17:59:59.999Z", "2028-02-29T00:00:00.000Z", "2026-01-31T23:59:59.000Z"];
    expect(some.filter((instant) => v.is(Instant, instant))).toEqual(some);
  });

  test("is found in a row that would come before the opening by it", () => {
    expectFound(honest, (rows) => {
      const seal = find(rows, "seal");
      const { at } = seal;
      for (const row of rows) if (["seal", "draw", "serve"].includes(row.kind) && row.at === at) row.at = "2026-12-04T17:59:60.000Z";
      return seal;
    }, /at: An instant is/);
  });

  test("is found in the plan's end and in a stage", () => {
    const planOnly = { ...honest, rows: honest.rows.slice(0, 1), entries: [null, null] };
    expectFound(planOnly, ([plan]) => Object.assign(plan as Row, { closesAt: "2026-13-04T22:00:00.000Z" }), /closesAt: An instant is/);
    expectFound(planOnly, ([plan]) => {
      for (const { stages } of (plan as Row)["items"] as { stages: { opensAt: string }[] }[]) Object.assign(stages[2] ?? {}, { opensAt: "2026-02-30T22:00:00.000Z" });
      return plan as Row;
    }, /opensAt: There is no such day/);
  });
});

interface Change { field: string; from: unknown; to: unknown }
const changesOf = (row: Row | MovementRow | undefined) => (row?.["changed"] ?? []) as Change[];

/** Published five times: what may change before the opening, after it, only how a stage drips, only when it opens, and the end at last. */
function changedDrop(): PublicDrop {
  const thing = (sku: string, priceMinor: number) => ({ sku, title: sku, priceMinor, components: [{ sku, quantity: 1 }] });
  const first = { admit: "paced", shards: 1, stock: [{ sku: "MOTH", quantity: 50 }, { sku: "PIN", quantity: 20 }], items: [thing("MOTH", 4_200), thing("PIN", 900)] } satisfies Partial<PlanSource>;
  const drop = new TestDrop(first);
  const publish = (at: number, changes: Partial<PlanSource>) => {
    drop.now = at;
    expect(drop.run((state, now) => decidePlanChange(state, { source: source({ ...first, ...changes }), publish: true, actor: "desk" }, now))).toMatchObject({ published: true });
  };
  const early = { title: "Moth", opensAt: { at: T0 - 5 * MINUTE }, items: [thing("MOTH", 4_500), thing("PIN", 900)], stock: [{ sku: "MOTH", quantity: 60 }, { sku: "PIN", quantity: 20 }] };
  publish(T0 - 10 * MINUTE, early);
  drop.open(T0 - 5 * MINUTE);
  const stages = (afterMs: number, everyMs: number) => [{ sharePercent: 40, afterMs: 0 }, { sharePercent: 20, afterMs, drip: { everyMs, units: 5 } }, { sharePercent: 40, afterMs: 100 * MINUTE }];
  const late = { ...early, closesAt: { at: T0 + 300 * MINUTE }, items: [thing("MOTH", 4_500), thing("PIN", 1_000)], stages: stages(30 * MINUTE, MINUTE) };
  publish(T0 + 6 * MINUTE, late);
  publish(T0 + 8 * MINUTE, { ...late, stages: stages(30 * MINUTE, 2 * MINUTE) });
  const moved = { ...late, stages: stages(20 * MINUTE, 2 * MINUTE) };
  publish(T0 + 9 * MINUTE, moved);
  publish(T0 + 200 * MINUTE, { ...moved, closesAt: { at: T0 + 201 * MINUTE } });
  drop.readAt(T0 + 201 * MINUTE);
  return { drop: "moth-tee", rows: drop.record, entries: [[]], keys };
}

describe("a row that changes the plan", () => {
  const record = changedDrop();
  const seqs = record.rows.flatMap(({ kind, seq }) => (kind === "plan" && seq > 1 ? [seq] : []));
  const [early = 0, late = 0, dripped = 0, moved = 0, last = 0] = seqs.map((seq) => seq - 1);
  const rowAt = (rows: Row[], index: number): Row => rows[index] ?? find(rows, "plan");
  const shown = /^(closesAt|stages\.\d+\.opensAt|items\..+\.(quantity|priceMinor))$/;

  test("is right where it says what it changes, of everything that may change", () => {
    const report = verify(record);
    expect(report).toMatchObject({ verdict: "right", findings: [] });
    expect(report.untold).toContainEqual(expect.stringMatching(/^Of a published change, times and quantities were compared/));
    const fields = [early, late, dripped, moved, last].map((index) => changesOf(record.rows[index]).map(({ field }) => field));
    expect(fields).toEqual([
      ["title", "items.MOTH.priceMinor", "stages.1.opensAt", "stages.2.opensAt", "stages.3.opensAt", "items.MOTH.quantity"],
      ["items.PIN.priceMinor", "closesAt", "stages.2.share", "stages.2.every", "stages.2.units", "stages.3.opensAt", "stages.3.share"],
      ["stages.2.every"],
      ["stages.2.opensAt"],
      ["closesAt"],
    ]);
  });

  const told = [early, late, moved, last].flatMap((index) => changesOf(record.rows[index]).filter(({ field }) => shown.test(field)).map(({ field }) => ({ index, seq: index + 1, field })));
  // What something cost before the first change of all is not in the record.
  const known = told.filter(({ index, field }) => index !== early || !field.endsWith("priceMinor"));

  test.each(known)("is found wrong where row $seq keeps silent about $field", ({ index, field }) => {
    expectFound(record, (rows) => {
      const row = rowAt(rows, index);
      // Another change stays, so that the row does not give itself away by naming none.
      row["changed"] = [...changesOf(row).filter((change) => change.field !== field), { field: "low", from: 2, to: 3 }];
      return row;
    }, /does not say so/);
  });

  test.each(told)("is found wrong where row $seq says another value of $field", ({ index, field }) => {
    for (const end of ["from", "to"] as const) {
      if (end === "from" && !known.some((one) => one.index === index && one.field === field)) continue;
      expectFound(record, (rows) => {
        const row = rowAt(rows, index);
        row["changed"] = changesOf(row).map((change) => (change.field === field ? { ...change, [end]: typeof change.to === "number" ? 7 : wire(T0 - MINUTE) } : change));
        return row;
      }, /says that/);
    }
  });

  test.each([["closesAt", wire(T0)], ["stages.1.opensAt", wire(T0)], ["items.PIN.quantity", 1], ["parts.PIN.quantity", 1], ["items.MOTH.priceMinor", 1], ["limitPerPerson", 9], ["lanes", "[]"]])("is found wrong where it says to have changed %s, and did not", (field, to) => {
    expectFound(record, (rows) => {
      const row = rowAt(rows, late);
      row["changed"] = [...changesOf(row).filter((change) => change.field !== field), { field, from: null, to }];
      return row;
    }, /was not|says that closesAt went/);
  });

  const others: readonly [string, number, (row: Row) => void, RegExp][] = [
    ["names no change", last, (row) => { row["changed"] = []; }, /names no change/],
    ["names a change twice", last, (row) => { row["changed"] = [...changesOf(row), ...changesOf(row)]; }, /names no change, or the same one twice/],
    ["names a change that changes nothing", last, (row) => { row["changed"] = [...changesOf(row), { field: "title", from: "Moth", to: "Moth" }]; }, /from something to the same/],
    ["does not say who", late, (row) => { delete row["actor"]; }, /does not say who did/],
    ["does not say what", late, (row) => { delete row["changed"]; }, /does not say who did/],
    ["does not say what things cost", late, (row) => { delete row["prices"]; }, /does not say who did/],
    ["leaves a price out", late, (row) => { row["prices"] = (row["prices"] as unknown[]).slice(1); }, /price of everything|items\.MOTH\.priceMinor/],
    ["opens with less notice than everybody needs", early, (row) => { row.at = wire(T0 - 5 * MINUTE - 89_999); }, /opens stage 1 with less than 90 seconds' notice/],
    ["opens a stage with no notice", moved, (row) => { row.at = wire(T0 + 15 * MINUTE - 4_999); }, /opens stage 2 with less than 5 seconds' notice/],
    ["lets a stage drip in another way and does not say so", dripped, (row) => { row["changed"] = [{ field: "low", from: 2, to: 3 }]; }, /lets stage 2 drip in another way/],
    ["ends the drop with no notice", last, (row) => { row.at = wire(T0 + 201 * MINUTE - 5_000); }, /changes the end with less than 5 seconds' notice/],
    ["moves units between stages and does not say so", early, (row) => {
      const [, pin] = row["items"] as { stages: { units: number }[] }[];
      const [, two, three] = pin?.stages ?? [];
      if (two && three) [two.units, three.units] = [two.units + 1, three.units - 1];
    }, /moves units of PIN into stage 2 or out of it/],
  ];
  test.each(others)("is found wrong where it %s", (_, index, change, words) => {
    expectFound(record, (rows) => {
      const row = rowAt(rows, index);
      change(row);
      return row;
    }, words);
  });

  test("is found wrong where it is the first and says what was changed", () => {
    for (const said of [{ actor: "desk" }, { prices: [] }, { changed: [{ field: "title", from: "a", to: "b" }] }]) {
      expectFound({ ...honest, rows: honest.rows.slice(0, 1), entries: [null, null] }, ([plan]) => Object.assign(plan as Row, said), /is the first plan/);
    }
  });
});

/** Latecomers of both shards, called seal by seal, or all of them together at the end. */
function lateNight(isCalledAtOnce: boolean): PublicDrop {
  const night = new Night({ lanes: [] });
  const { drop } = night;
  for (let number = 0; number < 4; number++) night.join(`drawn ${number}`, "MOTH", T0 - MINUTE + number);
  drop.now = T0 + 40;
  night.seal();
  const call = () => {
    night.serve();
    night.claimAll();
  };
  drop.now += 1_000;
  call();
  // The numbers of the tickets decide the shard: 0 for the first, 1, 0, 1.
  for (const minutes of [[1], [3, 4], [5]]) {
    for (const after of minutes) night.join(`late ${after}`, "MOTH", T0 + after * MINUTE);
    drop.now = T0 + ((minutes.at(-1) ?? 0) + 1) * MINUTE - 1_000;
    night.seal();
    if (!isCalledAtOnce) call();
  }
  call();
  drop.readAt(T0 + 260 * MINUTE);
  return night.public(keys);
}

describe("the time of somebody who came after the opening", () => {
  const steadily = lateNight(false);
  const together = lateNight(true);
  const rankAt = (at: number) => `1${at.toString(16).padStart(12, "0")}`;
  /** Gives whoever came `after` minutes after the opening another time wherever they are named; answers the first such row. */
  const retimed = (rows: Row[], after: number, at: number, kinds: readonly string[] = ["admit", "serve"]): Row => {
    const isTheirs = (rank: unknown) => typeof rank === "string" && rank.startsWith(rankAt(T0 + after * MINUTE));
    const named = rows.filter((row) => kinds.includes(row.kind) && (isTheirs(row["rank"]) || isTheirs(row["upTo"])));
    for (const row of named) for (const member of ["rank", "upTo"]) if (isTheirs(row[member])) row[member] = `${rankAt(at)}${String(row[member]).slice(13)}`;
    const [first] = named;
    if (first === undefined) throw new Error("nobody came then");
    return first;
  };

  test("is right as the shards gave it", () => {
    for (const record of [steadily, together]) {
      expect(verify(record)).toMatchObject({ verdict: "right", findings: [] });
      expect(new Set(record.rows.flatMap((row) => (row.kind === "admit" && String(row["rank"]).startsWith("1") ? [row["subject"]] : []))).size).toBe(4);
    }
    expect(verify(steadily).untold).toContainEqual(expect.stringMatching(/^When somebody came after the opening is what the store says.*the order within one seal cannot/));
  });

  test("is found where it is one through which everybody had been called before", () => {
    expectFound(steadily, (rows) => retimed(rows, 3, T0 + MINUTE / 2), /through which everybody had been called before they were sealed/);
  });

  test("is found where it is before, or after, somebody of another seal of the shard", () => {
    expectFound(together, (rows) => retimed(rows, 4, T0 + MINUTE / 2), /before somebody whom shard 0 sealed earlier/);
    expectFound(together, (rows) => retimed(rows, 3, T0 + 5 * MINUTE + 1), /after somebody whom shard 1 sealed later/);
  });

  test("is found where it is long after the ticket's own seal", () => {
    expectFound(steadily, (rows) => retimed(rows, 5, T0 + 12 * MINUTE), /a time after their seal/);
  });

  test("is found where a threshold gives another one than the admission", () => {
    expectFound(steadily, (rows) => retimed(rows, 5, T0 + 5 * MINUTE - 30_000, ["admit"]), /another time than a row before it/);
    expectFound(steadily, (rows) => {
      retimed(rows, 5, T0 + 500 * MINUTE, ["serve"]);
      return find(rows, "serve", (row) => String(row["upTo"]).startsWith(rankAt(T0 + 500 * MINUTE)));
    }, /time at which the drop was not open/);
  });
});

describe("turns, and rows after the end", () => {
  const admitted = (rows: readonly Row[]) => find(rows, "admit");
  const close = (rows: readonly Row[]) => find(rows, "close");

  test("nobody is admitted a third time in one stage", () => {
    expectFound(honest, (rows) => {
      const [first, second, third] = [admitted(rows), clone(admitted(rows)), clone(admitted(rows))];
      insert(rows, rows[rows.indexOf(first) + 1] as Row, second, third);
      return third;
    }, /admits somebody 3 times in one stage, and 2 is the most/);
  });

  test("the steps of a drip are one stage to be admitted in, and the next stage is another", () => {
    const night = new Night({ lanes: [], stages: [{ sharePercent: 60, afterMs: 0, drip: { everyMs: 5 * MINUTE, units: 6 } }, { sharePercent: 40, afterMs: 60 * MINUTE }] });
    const { drop } = night;
    night.join("comes again", "MOTH", T0 - MINUTE);
    drop.now = T0 + 40;
    night.seal();
    for (const after of [1, 6, 11, 61]) {
      drop.now = T0 + after * MINUTE;
      night.serve();
      night.claimAll();
    }
    drop.readAt(T0 + 260 * MINUTE);
    const record = night.public(keys);
    expect(verify(record)).toMatchObject({ verdict: "right", findings: [] });
    const turns = record.rows.filter(({ kind }) => kind === "admit");
    expect(turns.map(({ at }) => at)).toEqual([1, 6, 61].map((after) => wire(T0 + after * MINUTE)));
    expectFound(record, (rows) => {
      const third = { ...clone(admitted(rows)), at: wire(T0 + 11 * MINUTE) };
      insert(rows, find(rows, "admit", ({ at }) => at === wire(T0 + 61 * MINUTE)), third);
      return third;
    }, /admits somebody 3 times in one stage/);
  });

  test("everybody is served at once with the draw, or never", () => {
    expectFound(honest, (rows) => {
      const all = { ...clone(find(rows, "serve")), upTo: "~", at: admitted(rows).at };
      insert(rows, admitted(rows), all);
      return all;
    }, /serves everybody at once/);
  });

  test("nothing comes back once the books are closed", () => {
    expectFound(honest, (rows) => {
      const sold = rows.findLast(({ kind }) => kind === "sell") as Row;
      const back = { ...clone(find(rows, "return")), ref: sold["ref"], subject: sold["subject"], sku: sold["sku"], stage: sold["stage"], quantity: 1, at: close(rows).at };
      rows.push(back);
      return back;
    }, /after the books were closed/);
  });

  test("late money takes no units after the end of the drop", () => {
    expectFound(honest, (rows) => {
      const retaken = rows.filter((row) => row.kind === "hold" && row.at === wire(T0 + 32 * MINUTE));
      const again = rows.filter((row) => row["ref"] === retaken[0]?.["ref"] && row.at === wire(T0 + 32 * MINUTE));
      expect(again.length).toBeGreaterThan(1);
      for (const row of again) rows.splice(rows.indexOf(row), 1);
      insert(rows, close(rows), ...again.map((row) => Object.assign(row, { at: close(rows).at, stage: 3 })));
      return again[0] as Row;
    }, /takes units for late money after the end/);
  });

  test("a last seal behind the close makes nothing of the end uncertain", () => {
    const seal = (rows: readonly Row[]) => ({ ...clone(find(rows, "seal")), count: 0, root: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", at: close(rows).at });
    // Rows to be chained anew.
    const sealed = rechained([...clone(honest.rows), seal(honest.rows as unknown as Row[])]);
    expect(verify({ ...honest, rows: sealed })).toMatchObject({ verdict: "right", findings: [] });
    const added = { entry: "f".repeat(64), lane: "open", weight: 1 };
    const report = verify({ ...honest, rows: sealed, entries: honest.entries.map((list, shard) => (shard === 1 ? [...(list ?? []), added] : list)) });
    expect(report).toMatchObject({ verdict: "wrong", findings: [{ place: { at: "entries", shard: 1 } }] });
  });
});
