import { createHash, createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decideAbandon } from "../../../src/drop/holds.ts";
import { decideControl } from "../../../src/drop/controls.ts";
import { decideConfirm } from "../../../src/drop/payments.ts";
import { decidePlanChange } from "../../../src/drop/plan-change.ts";
import type { MovementRow } from "../../../src/drop/port.ts";
import { hex } from "../../../src/verifier/bytes.ts";
import { ownHashing } from "../../../src/verifier/sha256.ts";
import { type Material, NO_QUESTIONS, type Questions, type Report, verifyDrop } from "../../../src/verifier/verify.ts";
import { verdictText } from "../../../src/verifier/words.ts";
import { edited, FORGERIES, forged, GROUP_FORGERIES, LEAF_FORGERIES, withLeaves } from "./forgeries.ts";
import { MINUTE, source, T0, TestDrop } from "../drop/cast.ts";
import { clone, groupNight, materialOf, Night, rechained, rowsOfKind, storeKeys, wholeNight } from "./real-record.ts";

const TOOLS = { hashing: ownHashing, progress: () => undefined };
const verify = (material: Material, questions: Questions = NO_QUESTIONS): Report => verifyDrop(material, questions, TOOLS);

/** Another value of the same kind, as near to the first as can be. */
function another(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (Array.isArray(value)) return value.length > 0 ? value.slice(1) : [0];
  const text = String(value);
  const last = text.at(-1) === "Z" ? text.length - 2 : text.length - 1;
  return `${text.slice(0, last)}${text[last] === "1" ? "2" : "1"}${text.slice(last + 1)}`;
}

const night = wholeNight();
const keys = storeKeys();
const honest = night.public(keys);
const honestMaterial = materialOf(honest);

describe("the record of a whole drop", () => {
  test("has in it everything that can happen", () => {
    expect([...new Set(night.drop.kinds())].toSorted()).toEqual(["abandon", "admit", "close", "draw", "expire", "extend", "hold", "pause", "place", "plan", "resume", "return", "seal", "sell", "serve", "void"]);
  });

  test.each([1_000, 40, 1])("is found right in pages of %i rows", (pageRows) => {
    const report = verify(materialOf(honest, pageRows));
    expect(report).toMatchObject({ verdict: "right", findings: [], unchecked: [], rows: honest.rows.length });
    expect(verdictText(report)).toMatch(/^Yes\./);
  });

  test("is unclear, not right, where the heads' keys, the entries or the drop's name are not there", () => {
    for (const lacking of [{ keys: null }, { entries: null }, { drop: null }]) {
      const report = verify({ ...honestMaterial, ...lacking });
      expect([report.verdict, report.findings, report.unchecked.length]).toEqual(["unclear", [], 1]);
    }
    const rowsAlone = { drop: "moth-tee", pages: [honest.rows.map((row) => `${JSON.stringify(row)}\n`).join("")], entries: honest.entries, keys: keys.jwks };
    expect(verify(rowsAlone)).toMatchObject({ verdict: "unclear", findings: [] });
  });
});

describe("a record in which one thing was changed by somebody without the key", () => {
  const firstOfEachKind = honest.rows.flatMap((row, index) => (honest.rows.findIndex((other) => other.kind === row.kind) === index ? [{ row, index }] : []));
  const members = firstOfEachKind.flatMap(({ row, index }) => Object.keys(row).map((member) => ({ kind: row.kind, member, index })));

  test.each(members)("is found wrong in the $kind row's $member, at that row", ({ member, index }) => {
    const row = honest.rows[index] as MovementRow;
    const report = verify(materialOf({ ...honest, rows: edited(honest.rows, index, { [member]: another(row[member]) }) }));
    expect(report.verdict).toBe("wrong");
    expect(report.findings[0]?.place).toMatchObject({ at: "row", seq: index + 1 });
  });

  test("is found wrong where a row was taken out, put in, or has changed places, at the first row that is not where it was", () => {
    const { rows } = honest;
    const middle = Math.floor(rows.length / 2);
    const swapped = rows.map((row, index) => rows[index === middle ? middle + 1 : index === middle + 1 ? middle : index] ?? row);
    for (const [changed, place] of [[rows.toSpliced(middle, 1), middle], [rows.toSpliced(middle, 0, rows[3] as MovementRow), middle], [swapped, middle], [rows.slice(1), 0]] as const) {
      const report = verify(materialOf({ ...honest, rows: changed }));
      expect([report.verdict, report.findings[0]?.seq]).toEqual(["wrong", place + 1]);
    }
  });

  test("is found wrong at the head where all later hashes were made anew, or its end was cut off", () => {
    const [page = ""] = honestMaterial.pages;
    const headLine = page.trimEnd().split("\n").at(-1) ?? "";
    const served = (rows: readonly MovementRow[]) => ({ ...honestMaterial, pages: [`${rows.map((row) => JSON.stringify(row)).join("\n")}\n${headLine}\n`] });
    expect(verify(served(honest.rows)).verdict).toBe("right");
    const index = honest.rows.findIndex((row) => row.kind === "pause");
    for (const rows of [rechained(edited(honest.rows, index, { actor: "somebody" })), honest.rows.slice(0, -1), rechained([...honest.rows, honest.rows.at(-1) as MovementRow])]) {
      expect(verify(served(rows)).findings.some(({ place }) => place.at === "head" && place.seq === honest.rows.length)).toBe(true);
    }
  });

  test("is found wrong at the head where anything of the signature is another one", () => {
    const last = honest.rows.at(-1) as MovementRow;
    const head = { seq: last.seq, hash: last.hash, at: last.at };
    const jws = keys.sign(head);
    const [header = "", payload = "", mac = ""] = jws.split(".");
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const flipped = Buffer.from(mac, "base64url");
    flipped[5] = (flipped[5] ?? 0) ^ 1;
    const page = (line: unknown) => ({ ...honestMaterial, pages: [[...honest.rows, line].map((each) => `${JSON.stringify(each)}\n`).join("")] });
    const wrongs: readonly [string, Material][] = [
      ["a bit of it", page({ head, signature: `${header}.${payload}.${flipped.toString("base64url")}` })],
      ["no algorithm", page({ head, signature: `${encoded({ alg: "none", kid: "head-test" })}.${payload}.` })],
      ["an unknown key", page({ head, signature: storeKeys("head-other").sign(head) })],
      ["another key under the known name", page({ head, signature: storeKeys().sign(head) })],
      ["a header with more in it", page({ head, signature: `${encoded({ alg: "EdDSA", kid: "head-test", crit: ["b64"] })}.${payload}.${mac}` })],
      ["another row's head", page({ head, signature: keys.sign({ ...head, seq: head.seq - 1 }) })],
      ["another hash", page({ head: { ...head, hash: "0".repeat(64) }, signature: jws })],
      ["another time", page({ head: { ...head, at: "2026-12-04T23:00:00.000Z" }, signature: jws })],
      ["padding", page({ head, signature: `${jws}=` })],
      ["a key that is for receipts", { ...page({ head, signature: storeKeys("receipt-1").sign(head) }), keys: storeKeys("receipt-1").jwks }],
    ];
    for (const [name, material] of wrongs) {
      const report = verify(material);
      expect([name, report.verdict, report.findings[0]?.place.at, report.findings[0]?.seq]).toEqual([name, "wrong", "head", last.seq]);
    }
  });

  test("is found wrong at the line that two readers could read in two ways", () => {
    const [page = ""] = honestMaterial.pages;
    const lines = page.split("\n");
    const twisted: readonly [number, (line: string) => string][] = [
      [4, (line) => line.replace("{", '{"kind":"gift",')],
      [12, (line) => line.replace(/"seq":(\d+)/, '"seq":$1.0')],
      [13, (line) => line.replace(/"kind":"(.)/, (_, letter: string) => `"kind":"\\u00${letter.charCodeAt(0).toString(16)}`)],
      [14, () => "not a row"],
    ];
    for (const [index, twist] of twisted) {
      const changed = lines.map((line, at) => (at === index ? twist(line) : line)).join("\n");
      const report = verify({ ...honestMaterial, pages: [changed] });
      expect([report.verdict, report.findings[0]?.seq]).toEqual(["wrong", index + 1]);
    }
    const spaced = lines.map((line) => line.replaceAll('":', '" : ')).join("\n");
    expect(verify({ ...honestMaterial, pages: [spaced] }).verdict).toBe("right");
  });
});

describe("a record of a drop in which people stand in line together", () => {
  const together = groupNight().public(keys);

  test("is right when each group has at most what each of its people might have had, and the report says so", () => {
    const report = verify(materialOf(together));
    expect(report).toMatchObject({ verdict: "right", findings: [] });
    expect(report.checked.join("\n")).toContain("nobody over the limit of 2 for each of up to 3 who stand in line together");
    expect(rowsOfKind(together.rows, "hold").map(({ quantity }) => quantity).toSorted()).toEqual([1, 1, 5]);
  });

  test.each(GROUP_FORGERIES)("is found wrong where $name", (forgery) => {
    const { drop, seq } = forged(together, forgery);
    const [first] = verify(materialOf(drop)).findings;
    expect({ seq: first?.seq, words: first?.words }).toEqual({ seq, words: expect.stringMatching(forgery.says) });
  });
});

describe("a record that the seller forged, chained and signed anew", () => {
  test.each(FORGERIES)("is found wrong where $name", (forgery) => {
    const { drop, seq } = forged(honest, forgery);
    const report = verify(materialOf(drop));
    expect(report.verdict).toBe("wrong");
    const [first] = report.findings;
    expect({ seq: first?.seq, words: first?.words }).toEqual({ seq, words: expect.stringMatching(forgery.says) });
  });

  test.each(LEAF_FORGERIES)("is found wrong where $name", (forgery) => {
    const report = verify({ ...honestMaterial, entries: withLeaves(honest.entries, forgery) });
    const [first] = report.findings;
    expect([report.verdict, first?.place.at, first?.words]).toEqual(["wrong", forgery.at.at, expect.stringMatching(forgery.says)]);
  });
});

test("a unit that was kept for a lane and taken by somebody else is found at the row that took it", () => {
  const small = new Night({ stock: [{ sku: "POSTER", quantity: 10 }], items: [{ sku: "POSTER", title: "Poster", priceMinor: 900, components: [{ sku: "POSTER", quantity: 1 }] }] });
  const { drop } = small;
  for (let number = 0; number < 8; number++) small.join(`poster ${number}`, "POSTER", T0 - 9 * MINUTE + number);
  drop.now = T0;
  small.seal();
  small.serve();
  const [giver, ...others] = small.claimAll();
  if (giver === undefined) throw new Error("somebody was called");
  const given = drop.held(giver.sitting, giver.ticket.wants);
  drop.run((state, now, hashing) => decideAbandon(state, given.id, giver.sitting.entry, now, hashing));
  for (const { sitting, ticket } of others) drop.held(sitting, ticket.wants);
  small.serve();
  for (const { sitting, ticket } of small.claimAll()) if (sitting.entry !== giver.sitting.entry && !others.some((other) => other.ticket === ticket)) drop.hold(sitting, ticket.wants);
  const record = small.public(keys);
  expect([verify(materialOf(record)).findings, drop.unitsHeld("POSTER")]).toEqual([[], 3]);
  const first = rowsOfKind(record.rows, "hold")[0];
  const forgedRows = rechained([...record.rows, { ...first, ref: "c".repeat(64), at: record.rows.at(-1)?.at }]);
  expect(verify(materialOf({ ...record, rows: forgedRows })).findings).toMatchObject([{ seq: forgedRows.length, words: expect.stringMatching(/0 units of POSTER, and 1 were kept for member/) }]);
  // Once it has lapsed it is everybody's.
  const lapsed = rechained([...record.rows, { ...first, ref: "c".repeat(64), at: new Date(T0 + 10 * MINUTE).toISOString() }]);
  expect(verify(materialOf({ ...record, rows: lapsed })).findings).toEqual([]);
});

test("a published change of what has not happened yet is found right, and so is what is sold by it", () => {
  const drop = new TestDrop({ admit: "paced", shards: 1 });
  drop.open();
  const config = source({ admit: "paced", shards: 1, closesAt: { at: T0 + 300 * MINUTE }, stock: [{ sku: "MOTH", quantity: 15 }], items: [{ sku: "MOTH", title: "Moth tee", priceMinor: 4_500, components: [{ sku: "MOTH", quantity: 1 }] }] });
  drop.now = T0 + MINUTE;
  const answer = drop.run((state, now) => decidePlanChange(state, { source: config, publish: true, actor: "desk" }, now));
  expect(answer).toMatchObject({ published: true });
  drop.readAt(T0 + 300 * MINUTE);
  const report = verify(materialOf({ drop: "moth-tee", rows: drop.record, entries: [[]], keys }));
  expect(drop.kinds()).toEqual(["plan", "seal", "draw", "plan", "close"]);
  expect(report).toMatchObject({ verdict: "right", findings: [] });
});

describe("who asks about more than the record", () => {
  const ticket = night.tickets[7];
  if (ticket === undefined) throw new Error("somebody joined");
  const proof = night.proofOf(ticket);
  if (proof === null) throw new Error("it was sealed");
  const asked = (change: Partial<NonNullable<typeof proof>> = {}, id = ticket.ticket) => verify(honestMaterial, { witnessed: [], ticket: { ticket: id, proof: { ...proof, ...change } } });

  test("learns that a ticket is in the draw, in which seal and lane", () => {
    expect(asked()).toMatchObject({ verdict: "right", ticket: expect.stringMatching(/^Your ticket is in it: .* was there at the opening\.$/) });
    expect(verify(honestMaterial, { witnessed: [], ticket: { ticket: "tkt_nobody", proof: null } }).ticket).toMatch(/in no seal/);
  });

  test("is told of a proof in which one thing was changed", () => {
    const zeros = "0".repeat(64);
    const changes: readonly Partial<typeof proof>[] = [
      { shard: proof.shard === 0 ? 1 : 0 }, { batch: 1 }, { index: proof.index + 1 }, { index: proof.count }, { count: proof.count + 1 }, { root: zeros },
      { path: proof.path.slice(1) }, { path: [...proof.path, zeros] }, { path: proof.path.with(0, zeros) }, { path: proof.path.toReversed() },
      { leaf: { ...proof.leaf, entry: zeros } }, { leaf: { ...proof.leaf, lane: "member" } }, { leaf: { ...proof.leaf, weight: 2 } },
    ];
    for (const change of changes) {
      const report = asked(change);
      expect([JSON.stringify(change), report.verdict, report.findings[0]?.place]).toEqual([JSON.stringify(change), "wrong", { at: "proof" }]);
    }
    expect(asked({}, "tkt_other").verdict).toBe("wrong");
  });

  test("is told when a row that was seen before is another one now, or gone", () => {
    const seen = honest.rows.slice(20, 23).map(({ seq, hash }) => ({ seq, hash }));
    expect(verify(honestMaterial, { witnessed: seen, ticket: null }).verdict).toBe("right");
    const index = honest.rows.findIndex((row) => row.kind === "admit");
    // Signed by the store itself and without a fault in itself: only who was there can tell.
    const rewritten = rechained(honest.rows.filter((row) => row.kind !== "pause" && row.kind !== "resume"));
    const pausedAt = honest.rows.findIndex((row) => row.kind === "pause");
    expect(index).toBeLessThan(pausedAt);
    const witness = honest.rows[pausedAt + 2];
    if (witness === undefined) throw new Error("something happened after the pause");
    expect(verify(materialOf({ ...honest, rows: rewritten })).verdict).toBe("right");
    expect(verify(materialOf({ ...honest, rows: rewritten }), { witnessed: [witness], ticket: null }).findings).toMatchObject([{ place: { at: "witness", seq: witness.seq }, words: expect.stringMatching(/rewritten/) }]);
    expect(verify(materialOf({ ...honest, rows: honest.rows.slice(0, 30) }), { witnessed: [witness], ticket: null }).findings[0]?.words).toMatch(/is gone/);
  });
});

test("the verifier's own SHA-256 and HMAC are the standard's, for every length around the blocks", () => {
  for (let length = 0; length <= 200; length++) {
    const data = randomBytes(length);
    const key = randomBytes(length);
    expect(hex(ownHashing.sha256(data))).toBe(createHash("sha256").update(data).digest("hex"));
    expect(hex(ownHashing.hmac(key)(data))).toBe(createHmac("sha256", key).update(data).digest("hex"));
  }
});

describe("a drop that drips", () => {
  const stages = [{ sharePercent: 35, afterMs: 0 }, { sharePercent: 47, afterMs: 30 * MINUTE, drip: { everyMs: MINUTE, units: 3 } }, { sharePercent: 18, afterMs: 120 * MINUTE }];
  const stock = [{ sku: "MOTH", quantity: 41 }, { sku: "POSTER", quantity: 9 }];
  const dripped = () => {
    const night = new Night({ stages, stock });
    const { drop } = night;
    for (let number = 0; number < 30; number++) night.join(`drawn ${number}`, "MOTH", T0 - 9 * MINUTE + number);
    drop.now = T0;
    night.seal();
    for (const [index, at] of [0, 30, 31, 32, 50].entries()) {
      drop.now = T0 + at * MINUTE + 500;
      night.serve();
      for (const { ticket, sitting } of night.claimAll()) {
        const held = drop.hold(sitting, ticket.wants);
        if (held.ok) drop.run((state, now, hashing) => decideConfirm(state, drop.placed(sitting, held.value).id, `pay of ${held.value.id}`, now, hashing));
      }
      if (index === 2) drop.run((state, now, hashing) => decideControl(state, { kind: "extend", stage: 5, byMs: 10 * MINUTE }, "desk", now, hashing));
    }
    drop.readAt(T0 + 240 * MINUTE);
    return night.public(keys);
  };
  const record = dripped();
  /** The record with another plan in its first row, chained anew. */
  const planned = (change: (plan: { drips: { stage: number; steps: number }[]; items: { stages: { opensAt: string; units: number }[] }[] }) => void) => {
    const rows = clone(record.rows) as unknown as Parameters<typeof change>[0][];
    if (rows[0] !== undefined) change(rows[0]);
    return verify(materialOf({ ...record, rows: rechained(rows as unknown as Record<string, unknown>[]) })).findings[0];
  };

  test("is found right, step by step, although no whole percentage gives a step, and although the rest of it was put off in the middle", () => {
    const report = verify(materialOf(record));
    expect(report).toMatchObject({ verdict: "right", findings: [] });
    expect(report.checked.join(" ")).toContain("in 9 stages, split by largest remainder of the same percentages");
    expect([...new Set(rowsOfKind(record.rows, "sell").map((row) => row["stage"]))]).toEqual([1, 2, 3, 4, 8]);
  });

  test.each<[string, Parameters<typeof planned>[0], RegExp]>([
    ["hides that its stages are a drip", (plan) => { plan.drips = []; }, /no whole percentages/],
    ["says a drip that is longer than the plan", (plan) => { plan.drips = [{ stage: 2, steps: 9 }]; }, /not made of stages of its own/],
    ["says two drips of the same stages", (plan) => { plan.drips.push({ stage: 3, steps: 2 }); }, /from stage 3 on, that is not made of stages of its own/],
    ["brings more with one step than with the others", (plan) => { const steps = plan.items[0]?.stages ?? []; if (steps[3] && steps[6]) { steps[3].units++; steps[6].units--; } }, /does not bring as many units with each step as with the first/],
    ["takes a step later than the others", (plan) => { for (const { stages: own } of plan.items) { const step = own[3]; if (step) step.opensAt = new Date(Date.parse(step.opensAt) + 1_000).toISOString(); } }, /not equally far apart/],
    ["moves a unit out of the drip", (plan) => { const steps = plan.items[0]?.stages ?? []; if (steps[0] && steps[7]) { steps[0].units++; steps[7].units--; } }, /does not bring|no whole percentages/],
  ])("is found wrong where the plan %s", (_, change, words) => {
    expect(planned(change)).toMatchObject({ seq: 1, words: expect.stringMatching(words) });
  });
});
