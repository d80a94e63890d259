import type { Leaf } from "../../../schema/wire/record.ts";
import type { MovementRow } from "../../../src/drop/port.ts";
import { clone, rechained, type PublicDrop } from "./real-record.ts";

/*
 * Single changes of a record that keep every hash and signature right: the
 * rows are chained anew and the head is signed with the store's own key, as
 * only a dishonest seller could do it. Nothing but the meaning of the rows can
 * give them away.
 */

type Row = Record<string, unknown> & { seq: number; kind: string; at: string };
/** What is changed, and where and in which words it must be found; `place` is the number that a row has after the change. */
export interface Forgery {
  readonly name: string;
  forge(rows: Row[]): { readonly rows: Row[]; readonly at: Row };
  readonly says: RegExp;
}

const earlier = (at: string, ms: number) => new Date(Date.parse(at) - ms).toISOString();

function nth(rows: readonly Row[], kind: string, index = 0, fits: (row: Row) => boolean = () => true): Row {
  const found = rows.filter((row) => row.kind === kind && fits(row)).at(index);
  if (found === undefined) throw new Error(`the record has no such ${kind} row`);
  return found;
}

/** Changes members of one row; it must be found there, or at the row that `seen` names. */
function edit(name: string, pick: (rows: Row[]) => Row, change: (row: Row, rows: Row[]) => Record<string, unknown>, says: RegExp, seen: (rows: Row[], changed: Row) => Row = (_, changed) => changed): Forgery {
  return {
    name, says,
    forge: (rows) => {
      const row = pick(rows);
      Object.assign(row, change(row, rows));
      return { rows, at: seen(rows, row) };
    },
  };
}

function remove(name: string, pick: (rows: Row[]) => Row, says: RegExp, seen: (rows: Row[], gone: Row) => Row): Forgery {
  return {
    name, says,
    forge: (rows) => {
      const gone = pick(rows);
      return { rows: rows.filter((row) => row !== gone), at: seen(rows, gone) };
    },
  };
}

function insert(name: string, before: (rows: Row[]) => Row, made: (next: Row, rows: Row[]) => Record<string, unknown>, says: RegExp, seen: (rows: Row[], added: Row) => Row = (_, added) => added): Forgery {
  return {
    name, says,
    forge: (rows) => {
      const next = before(rows);
      // A row as any other once it is chained.
      const added = { ...made(next, rows), at: next.at } as Row;
      const changed = [...rows];
      changed.splice(rows.indexOf(next), 0, added);
      return { rows: changed, at: seen(changed, added) };
    },
  };
}

const after = (rows: readonly Row[], row: Row, fits: (row: Row) => boolean): Row => {
  const found = rows.slice(rows.indexOf(row) + 1).find(fits);
  if (found === undefined) throw new Error("there is no such row after it");
  return found;
};
const sameHold = (row: Row) => (other: Row) => other["ref"] === row["ref"];
const single = (rows: readonly Row[]) => (row: Row) => rows.filter((other) => other.kind === row.kind && other["ref"] === row["ref"]).length === 1;
const plan = (rows: Row[]) => nth(rows, "plan");
const draw = (rows: Row[]) => nth(rows, "draw");
const placedHold = (rows: Row[]) => nth(rows, "hold", 0, (row) => single(rows)(row) && rows.some((other) => other.kind === "sell" && other["ref"] === row["ref"]) && single(rows)(nth(rows, "place", 0, sameHold(row))));

interface PlanItem { sku: string; stages: { opensAt: string; units: number }[] }
const itemsOf = (row: Row) => clone(row["items"]) as PlanItem[];
const withItems = (row: Row, change: (items: PlanItem[]) => void) => {
  const items = itemsOf(row);
  change(items);
  return { items };
};
const stagesOf = (items: PlanItem[], sku: number) => items[sku]?.stages ?? [];
const counts = (row: Row, name: string, change: number) => ({ [name]: (row[name] as { sku: string; quantity: number }[]).map((count, index) => (index === 0 ? { ...count, quantity: count.quantity + change } : count)) });
const secondPlan = (rows: Row[], change: (items: PlanItem[]) => void, members: Record<string, unknown> = {}) => ({ ...clone(plan(rows)), ...withItems(plan(rows), (items) => {
  // As the extension before it left the stages.
  const moved = new Map((nth(rows, "extend")["stages"] as { stage: number; opensAt: string }[]).map(({ stage, opensAt }) => [stage, opensAt]));
  for (const item of items) for (const [index, stage] of item.stages.entries()) stage.opensAt = moved.get(index + 1) ?? stage.opensAt;
  change(items);
}), ...members });
const inStageTwo = (rows: Row[]) => nth(rows, "serve", 0, (row) => row.seq > nth(rows, "return").seq);

export const FORGERIES: readonly Forgery[] = [
  edit("the plan promises another secret", plan, () => ({ commitment: "0".repeat(64) }), /another secret/, draw),
  edit("the plan's limit is raised afterwards", plan, () => ({ limitPerPerson: 3 }), /seed that does not follow/, draw),
  edit("units are moved into the first stage", plan, (row) => withItems(row, (items) => { const [one, two] = stagesOf(items, 0); if (one && two) { one.units += 10; two.units -= 10; } }), /no whole percentages/),
  edit("one item opens at another time", plan, (row) => withItems(row, (items) => { const [, two] = stagesOf(items, 1); if (two) two.opensAt = earlier(two.opensAt, 60_000); }), /at other times than the rest/),
  edit("a stage opens after the end", plan, (row) => ({ closesAt: stagesOf(itemsOf(row), 0)[1]?.opensAt }), /opens when the drop is over/),
  edit("the lanes keep everything", plan, (row) => ({ lanes: (row["lanes"] as object[]).map((lane) => ({ ...lane, sharePercent: 100 })) }), /reserves everything/),
  edit("a seal says more entries", (rows) => nth(rows, "seal"), (row) => ({ count: Number(row["count"]) + 1 }), /other entries|only \d+ are published/),
  edit("a seal has another root", (rows) => nth(rows, "seal", 1), () => ({ root: "1".repeat(64) }), /seals other entries/),
  edit("a late seal has another root", (rows) => nth(rows, "seal", 2), () => ({ root: "1".repeat(64) }), /seals other entries/),
  edit("a seal is of a shard that is not there", (rows) => nth(rows, "seal"), () => ({ shard: 5 }), /does not have/),
  edit("a seal comes before the opening", (rows) => nth(rows, "seal"), (row) => ({ at: earlier(row.at, 41) }), /seals before the opening/),
  edit("another secret is revealed", draw, () => ({ secret: "2".repeat(64) }), /another secret/),
  edit("another seed is used", draw, () => ({ seed: "3".repeat(64) }), /seed that does not follow/),
  edit("a shard is called missing", draw, () => ({ missing: [1] }), /names shard 1 as missing/),
  edit("the draw uses a beacon that nobody promised", draw, () => ({ beacon: { chain: "a".repeat(64), round: 1, signature: "b".repeat(96), randomness: "c".repeat(64) } }), /a beacon that the plan does not name/),
  insert("a second draw", (rows) => nth(rows, "serve"), (_, rows) => clone(draw(rows)), /second draw/),
  remove("the draw is left out", draw, /before the draw/, (rows) => nth(rows, "serve")),
  edit("a threshold moves back", (rows) => nth(rows, "serve", -1), () => ({ upTo: `0${"0".repeat(32)}` }), /moves the threshold/),
  edit("a threshold at nobody's rank", (rows) => nth(rows, "serve", 0, (row) => row["lane"] === "open"), (row) => ({ upTo: `${String(row["upTo"]).slice(0, -1)}${String(row["upTo"]).endsWith("7") ? "8" : "7"}` }), /nobody in the lobby has/),
  edit("a threshold of an item that is not there", (rows) => nth(rows, "serve"), () => ({ sku: "CAP" }), /serves CAP/),
  edit("a threshold of a lane that is not there", (rows) => nth(rows, "serve"), () => ({ lane: "press" }), /the lane "press"/),
  insert("a threshold comes before the draw", draw, (_, rows) => clone(nth(rows, "serve")), /before the draw/),
  remove("a threshold is left out", (rows) => nth(rows, "serve", 0, (row) => row["lane"] === "open" && row["sku"] === "MOTH"), /beyond every threshold/, (rows, gone) => {
    const others = rows.filter((row) => row.kind === "serve" && row !== gone && row["lane"] === "open" && row.at === gone.at).map((row) => String(row["upTo"]));
    return nth(rows, "admit", 0, (row) => row["lane"] === "open" && others.every((upTo) => upTo < String(row["rank"])));
  }),
  edit("an admission with a better rank", (rows) => nth(rows, "admit"), () => ({ rank: `0${"0".repeat(32)}` }), /rank that does not follow/),
  edit("an admission of nobody in the lobby", (rows) => nth(rows, "admit"), () => ({ subject: "4".repeat(64) }), /in no seal/),
  edit("an admission in another lane", (rows) => nth(rows, "admit", 0, (row) => row["lane"] === "open"), () => ({ lane: "member" }), /was sealed in the lane open/),
  edit("a latecomer with an earlier time", (rows) => nth(rows, "admit", 0, (row) => String(row["rank"]).startsWith("1")), (row) => ({ rank: `1${"0".repeat(12)}${String(row["rank"]).slice(13)}` }), /time at which the drop was not open/),
  edit("a latecomer who says to have been drawn", (rows) => nth(rows, "admit", 0, (row) => String(row["rank"]).startsWith("1")), (row) => ({ rank: `0${String(row["rank"]).slice(13)}${"0".repeat(16)}` }), /rank that does not follow/),
  insert("an admission beyond every threshold", (rows) => nth(rows, "serve"), (_, rows) => clone(nth(rows, "admit")), /beyond every threshold/),
  insert("an admission before its seal", (rows) => nth(rows, "hold", 3), (_, rows) => clone(nth(rows, "admit", 0, (row) => String(row["rank"]).startsWith("1"))), /before their seal/),
  insert("an admission in a pause", (rows) => nth(rows, "resume"), (_, rows) => clone(nth(rows, "admit")), /while the drop is paused/),
  insert("a hold in a pause", (rows) => nth(rows, "resume"), (_, rows) => ({ ...clone(nth(rows, "hold")), ref: "5".repeat(64) }), /while the drop is paused/),
  edit("a hold of more units", placedHold, () => ({ quantity: 2 }), /and the hold is 2/, (rows, row) => after(rows, row, sameHold(row))),
  edit("a hold of somebody who was never admitted", placedHold, () => ({ subject: "6".repeat(64) }), /never admitted/),
  edit("a hold of somebody else", placedHold, (row, rows) => ({ subject: nth(rows, "admit", 0, (other) => other["lane"] === "open" && other["subject"] !== row["subject"])["subject"] }), /somebody else|not reached/, (rows, row) => after(rows, row, sameHold(row))),
  edit("a hold under another name", placedHold, () => ({ ref: "7".repeat(64) }), /never made/, (rows, row) => after(rows, row, (other) => other.kind === "place" && other["subject"] === row["subject"])),
  edit("a hold of another stage", placedHold, () => ({ stage: 2 }), /says stage 2/),
  edit("a hold of an item that is not there", placedHold, () => ({ sku: "CAP" }), /CAP/),
  insert("more is held than was released", (rows) => nth(rows, "pause"), (_, rows) => ({ ...clone(nth(rows, "hold")), ref: "8".repeat(64), quantity: 12 }), /were released/),
  insert("one person gets more than the limit", inStageTwo, (_, rows) => ({ ...clone(nth(rows, "hold", 0, (row) => row["sku"] === "MOTH")), ref: "9".repeat(64), stage: 2, quantity: 6 }), /the limit is 2/),
  remove("an order is left out", (rows) => nth(rows, "place", 0, (row) => single(rows)(row) && rows.some((other) => other.kind === "sell" && sameHold(row)(other))), /cannot be: the hold is held/, (rows, gone) => after(rows, gone, sameHold(gone))),
  edit("an order of another item", (rows) => nth(rows, "place", 0, single(rows)), (row) => ({ sku: row["sku"] === "MOTH" ? "POSTER" : "MOTH" }), /and the hold is/),
  remove("a sale is left out", (rows) => nth(rows, "sell", -1, single(rows)), /are held/, (rows) => nth(rows, "close")),
  insert("a sale twice", (rows) => nth(rows, "void"), (_, rows) => clone(nth(rows, "sell", 0, single(rows))), /cannot be: the hold is sold/),
  edit("half of a bundle is not sold", (rows) => nth(rows, "sell", 0, (row) => !single(rows)(row)), () => ({ quantity: 2 }), /and the hold is/),
  edit("a sale that never was ordered", (rows) => nth(rows, "abandon"), () => ({ kind: "sell" }), /cannot be: the hold is held/),
  edit("a hold is voided that was never ordered", (rows) => nth(rows, "abandon"), () => ({ kind: "void" }), /voids a hold that was never ordered/),
  insert("a hold runs out twice", (rows) => nth(rows, "expire", 1), (_, rows) => clone(nth(rows, "expire", 0)), /cannot be: the hold is run out|negative|more came back|and the hold is/),
  edit("late money takes units and does not buy them", (rows) => nth(rows, "sell", 0, (row) => rows.filter((other) => other.kind === "hold" && sameHold(row)(other)).length > rows.filter((other) => other.kind === "sell" && sameHold(row)(other)).length), () => ({ kind: "void" }), /not sold at once|and the hold is/, (rows, row) => after(rows, nth(rows, "expire", 0, sameHold(row)), (other) => other.kind === "hold" && sameHold(row)(other))),
  edit("more comes back than was sold", (rows) => nth(rows, "return"), () => ({ quantity: 5 }), /returns more units/),
  edit("units come back of what was never sold", (rows) => nth(rows, "abandon"), () => ({ kind: "return" }), /returns units of a hold that is held/),
  remove("a pause is left out", (rows) => nth(rows, "pause"), /resumes a drop that is not paused/, (rows) => nth(rows, "resume")),
  insert("a pause in a pause", (rows) => nth(rows, "resume"), (_, rows) => clone(nth(rows, "pause")), /pauses a drop that is paused/),
  edit("an open stage is put off", (rows) => nth(rows, "extend"), (_, rows) => ({ stage: 1, stages: stagesOf(itemsOf(plan(rows)), 0).map(({ opensAt }, index) => ({ stage: index + 1, opensAt: earlier(opensAt, -60_000) })) }), /which is open already/),
  edit("a stage is brought forward", (rows) => nth(rows, "extend"), (row) => ({ stages: (row["stages"] as { stage: number; opensAt: string }[]).map((stage) => ({ ...stage, opensAt: earlier(stage.opensAt, 6 * 60_000) })) }), /by one and the same time/),
  edit("only one of the later stages is put off", (rows) => nth(rows, "extend"), (row) => ({ stages: (row["stages"] as unknown[]).slice(0, 1) }), /all later ones/),
  remove("a stage's putting off is left out", (rows) => nth(rows, "extend"), /says stage|stage 2 was open/, (rows) => after(rows, nth(rows, "extend"), (row) => "stage" in row && Date.parse(row.at) >= Date.parse(stagesOf(itemsOf(plan(rows)), 0)[1]?.opensAt ?? ""))),
  insert("a later plan with another commitment", inStageTwo, (_, rows) => secondPlan(rows, () => undefined, { commitment: "0".repeat(64) }), /changes the commitment/),
  insert("a later plan with fewer units than are taken", inStageTwo, (_, rows) => secondPlan(rows, (items) => { for (const stage of stagesOf(items, 0)) stage.units = 1; }), /changes a stage of MOTH that is open/),
  insert("a later plan with more shards", inStageTwo, (_, rows) => secondPlan(rows, () => undefined, { shards: 3 }), /changes the number of shards/),
  edit("the close says that more was sold", (rows) => nth(rows, "close"), (row) => counts(row, "sold", 1), /says that \d+ units of MOTH were sold/),
  edit("the close forgets an unsold unit", (rows) => nth(rows, "close"), (row) => counts(row, "unsold", -1), /accounts for/),
  edit("the close withholds a unit", (rows) => nth(rows, "close"), (row) => ({ ...counts(row, "withheld", 1), ...counts(row, "unsold", -1) }), /were withheld/),
  edit("the books are closed early", (rows) => nth(rows, "close"), (row) => ({ at: earlier(row.at, 60 * 60_000) }), /before the end of the drop/),
  edit("time falls", (rows) => nth(rows, "hold", 4), (row) => ({ at: earlier(row.at, 3_000) }), /before the time of the row before it/),
  { name: "a hold after the close", says: /after the books were closed/, forge: (rows) => {
    const added = { ...clone(nth(rows, "hold")), ref: "a".repeat(64), at: rows.at(-1)?.at ?? "" };
    return { rows: [...rows, added], at: added };
  } },
  edit("an admission after the end", (rows) => nth(rows, "close"), (row, rows) => ({ ...clone(nth(rows, "admit")), at: row.at, ...Object.fromEntries(["sold", "unsold", "withheld"].map((name) => [name, undefined])) }), /after the end of the drop/),
  insert("the drop is cancelled and sold on", (rows) => nth(rows, "resume"), () => ({ kind: "cancel", actor: "desk" }), /after the drop was cancelled/, (rows) => nth(rows, "resume")),
  edit("a row says more than its kind does", (rows) => nth(rows, "serve"), () => ({ reason: "a friend" }), /does not say what a row of this kind says/),
  edit("a row of a kind that there is not", (rows) => nth(rows, "serve"), () => ({ kind: "gift" }), /does not say what a row of this kind says/),
];

const groupAdmitted = (rows: Row[], index = 0) => nth(rows, "admit", index, (row) => row["people"] !== undefined);
const holdOf = (rows: Row[], row: Row) => after(rows, row, (other) => other.kind === "hold" && other["subject"] === row["subject"]);

/** Forgeries of a record in which people stood in line together. */
export const GROUP_FORGERIES: readonly Forgery[] = [
  edit("more stand together than the plan lets", (rows) => groupAdmitted(rows), () => ({ people: 4 }), /admits 4 people with one entry, and the plan lets 3 stand together/),
  edit("one person is called a group", (rows) => groupAdmitted(rows), () => ({ people: 1 }), /does not say what a row of this kind says/),
  edit("a group is called one person", (rows) => groupAdmitted(rows), () => ({ people: undefined }), /gives one person 5 units, and the limit is 2/, holdOf),
  edit("a group takes more than its people may have", (rows) => holdOf(rows, groupAdmitted(rows)), () => ({ quantity: 15 }), /gives a group of 3 15 units, and the limit is 6/),
  edit("a group has grown when it comes again", (rows) => groupAdmitted(rows, 1), () => ({ people: 2 }), /admits 2 with an entry that stood for 3 before/),
  insert("a later plan lets more stand together", (rows) => nth(rows, "close"), (_, rows) => ({ ...clone(plan(rows)), group: 4 }), /changes the number of people who may stand together/),
];

/** The forgery as it would be served, and the number of the row where it has to be found. */
export function forged(drop: PublicDrop, { forge }: Forgery): { readonly drop: PublicDrop; readonly seq: number } {
  // Rows to be changed at will; they are made rows again below.
  const { rows, at } = forge(clone(drop.rows) as unknown as Row[]);
  return { drop: { ...drop, rows: rechained(rows) }, seq: rows.indexOf(at) + 1 };
}

type Entries = PublicDrop["entries"];
interface LeafForgery {
  readonly name: string;
  forge(entries: Leaf[][]): void;
  readonly at: { readonly at: "leaf" | "row"; readonly shard?: number; readonly index?: number };
  readonly says: RegExp;
}

const leafEdit = (name: string, change: Partial<Leaf>): LeafForgery => ({
  name, at: { at: "row" }, says: /seals other entries/,
  forge: (entries) => { const list = entries[1]; const leaf = list?.[2]; if (list && leaf) list[2] = { ...leaf, ...change }; },
});

export const LEAF_FORGERIES: readonly LeafForgery[] = [
  leafEdit("a leaf of another entry", { entry: "0".repeat(64) }),
  leafEdit("a leaf with another lane", { lane: "press" }),
  leafEdit("a leaf with more chances", { weight: 3 }),
  { name: "a leaf is left out", at: { at: "row" }, says: /seals/, forge: (entries) => { entries[0]?.splice(3, 1); } },
  { name: "a leaf is added", at: { at: "row" }, says: /seals other entries/, forge: (entries) => { entries[0]?.splice(3, 0, { entry: "8".repeat(64), lane: "open", weight: 1 }); } },
  { name: "two leaves change places", at: { at: "row" }, says: /seals other entries/, forge: (entries) => { const list = entries[0]; const [one, two] = list ?? []; if (list && one && two) [list[0], list[1]] = [two, one]; } },
  { name: "the shards change places", at: { at: "row" }, says: /seals/, forge: (entries) => { entries.reverse(); } },
];

export function withLeaves(entries: Entries, { forge }: LeafForgery): Entries {
  const changed = clone(entries).map((list) => [...(list ?? [])]);
  forge(changed);
  return changed;
}

/** The rows with one changed and nothing else made to fit. */
export function edited(rows: readonly MovementRow[], index: number, change: Record<string, unknown>): MovementRow[] {
  return rows.map((row, at) => (at === index ? { ...row, ...change } : row));
}

