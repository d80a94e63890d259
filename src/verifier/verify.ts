import type { Leaf, RecordRow } from "../../schema/wire/record.ts";
import { isQuicknet } from "./beacon.ts";
import { checkChain } from "./chain.ts";
import { checkSeals, type SealedLeaf } from "./draw.ts";
import { type Finding, Findings } from "./findings.ts";
import { checkHeads, headKeys } from "./heads.ts";
import { type RawRow, type ReadLines, readLines, understoodRows } from "./lines.ts";
import { isSplitByShares, type PlanRow, writtenUnits } from "./schedule.ts";
import type { Hashing } from "./sha256.ts";
import { ticketAnswer, type TicketQuestion } from "./ticket.ts";
import { Walk, type Walked } from "./walk.ts";

/** Everything public about a drop, as it was served. What is null is not known, and what depends on it stays unchecked. */
export interface Material {
  /** The drop's name in addresses; the seed is made with it. */
  readonly drop: string | null;
  /** The record's pages, newline-delimited JSON. */
  readonly pages: readonly string[];
  /** The leaves by shard; null for a shard that has sealed none. */
  readonly entries: readonly (readonly Leaf[] | null)[] | null;
  /** The store's JWKS. */
  readonly keys: unknown;
}

/** A row that somebody saw earlier, by its number and hash. */
export interface Witnessed {
  readonly seq: number;
  readonly hash: string;
}

export interface Questions {
  readonly witnessed: readonly Witnessed[];
  readonly ticket: TicketQuestion | null;
}

export const NO_QUESTIONS: Questions = { witnessed: [], ticket: null };

export interface VerifyTools {
  readonly hashing: Hashing;
  progress(step: string, done: number, total: number): void;
}

export interface Report {
  /** Unclear: nothing is wrong as far as it could be looked at, and something could not. */
  readonly verdict: "right" | "wrong" | "unclear";
  readonly drop: string | null;
  readonly rows: number;
  /** What was recomputed, a sentence each. */
  readonly checked: readonly string[];
  /** What is wrong, the first row first. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  /** What could not be looked at, and why. */
  readonly unchecked: readonly string[];
  /** What nobody can tell from what is public. */
  readonly untold: readonly string[];
  /** The answer about the ticket, where one was asked about. */
  readonly ticket: string | null;
}

/** Recomputes everything that is public about a drop. */
export function verifyDrop(material: Material, questions: Questions, tools: VerifyTools): Report {
  const findings = new Findings();
  const lines = readLines(material.pages, findings);
  const { rows, heads } = lines;
  const keys = material.keys === null ? null : headKeys(material.keys);
  checkChain(rows, tools.hashing, findings, (done) => tools.progress("chain", done, rows.length));
  checkHeads(rows, heads, keys, findings);
  checkWitnesses(rows, questions.witnessed, findings);
  const understood = understoodRows(rows, findings);
  const [plan] = understood;
  const unchecked = uncheckedOf(material, lines);
  const base = { drop: material.drop, rows: rows.length };
  if (plan?.kind !== "plan" || plan.seq !== 1) {
    const none = rows.length === 0 ? ["There is no row to check."] : [];
    return { ...base, ...verdictOf(findings, [...unchecked, ...none, "Without a plan in the first row nothing further can be checked."]), checked: [], untold: [], ticket: null };
  }
  const split = splitFault(plan);
  if (split !== null) findings.row(plan, split);
  const leaves = material.entries === null ? null : checkSeals(understood, plan, material.entries, { hashing: tools.hashing, findings, progress: (done, total) => tools.progress("seals", done, total) });
  const walked = new Walk(understood, plan, { drop: material.drop, leaves }, { hashing: tools.hashing, findings, progress: tools.progress }).run();
  const ticket = questions.ticket === null ? null : ticketAnswer(questions.ticket, { drop: material.drop, rows: understood, leaves }, tools.hashing, findings);
  return {
    ...base,
    ...verdictOf(findings, [...unchecked, ...(ticket?.unclear == null ? [] : [ticket.unclear])]),
    checked: checkedOf({ lines, plan, understood, leaves, walked, keys: keys !== null }),
    untold: untoldOf(plan, walked, understood.some(({ kind, seq }) => kind === "plan" && seq > 1)),
    ticket: ticket?.words ?? null,
  };
}

function verdictOf(findings: Findings, unchecked: readonly string[]): Pick<Report, "verdict" | "findings" | "findingCount" | "unchecked"> {
  const verdict = findings.count > 0 ? "wrong" : unchecked.length > 0 ? "unclear" : "right";
  return { verdict, findings: findings.list(), findingCount: findings.count, unchecked };
}

function checkWitnesses(rows: readonly RawRow[], witnessed: readonly Witnessed[], findings: Findings): void {
  for (const { seq, hash } of witnessed) {
    const row = rows[seq - 1];
    if (row === undefined) findings.add({ at: "witness", seq }, `is gone: the record that is served now ends at row ${rows.length}`, seq);
    else if (row.hash !== hash) findings.add({ at: "witness", seq }, `is another one now: its hash was ${hash} and is ${row.hash}. The record was rewritten`, seq);
  }
}

/** Whether the stages are the split that a drop promises: one list of whole percentages for all items, by largest remainder. */
function splitFault(plan: PlanRow): string | null {
  return isSplitByShares(writtenUnits(plan)) === false ? "splits its items in a way that no whole percentages by largest remainder give" : null;
}

function uncheckedOf(material: Material, { heads }: ReadLines): string[] {
  return [
    ...(heads.length === 0 ? ["No signed head came with the rows: whoever made this file could have made all of it."] : []),
    ...(heads.length > 0 && material.keys === null ? ["The signatures of the heads: the store's keys are not here."] : []),
    ...(material.entries === null ? ["The seals and the ranks: the published entries are not here."] : []),
    ...(material.drop === null ? ["The seed: the drop's name is not here."] : []),
  ];
}

interface Known {
  readonly lines: ReadLines;
  readonly plan: PlanRow;
  readonly understood: readonly RecordRow[];
  readonly leaves: ReadonlyMap<string, SealedLeaf> | null;
  readonly walked: Walked;
  readonly keys: boolean;
}

function checkedOf({ lines, plan, understood, leaves, walked, keys }: Known): string[] {
  const count = (kind: RecordRow["kind"]) => understood.filter((row) => row.kind === kind).length;
  const changes = count("extend") + count("plan") - 1;
  const { schedule } = walked;
  const quantity = schedule.skus.reduce((sum, sku) => sum + schedule.quantityOf(sku), 0);
  const split = isSplitByShares(writtenUnits(plan)) === true ? ", split by largest remainder of the same percentages" : "";
  const beacon = plan.beacon === undefined ? "" : ` and of round ${plan.beacon.round} or later of a public beacon`;
  return [
    `${lines.rows.length} rows, each with the hash of the one before it, from 64 zeros on.`,
    ...(keys ? [`${lines.heads.length} signed ${lines.heads.length === 1 ? "head" : "heads"} against the store's published keys.`] : []),
    `The plan: ${quantity} units of ${schedule.skus.length} ${schedule.skus.length === 1 ? "item" : "items"} in ${schedule.openings.length} ${schedule.openings.length === 1 ? "stage" : "stages"}${split}; ${changes} published ${changes === 1 ? "change" : "changes"}.`,
    ...(leaves === null ? [] : [`${leaves.size} entries in ${count("seal")} seals of ${plan.shards} ${plan.shards === 1 ? "shard" : "shards"}: every root, and nobody twice.`]),
    walked.seed === null ? "The draw: not made yet." : `The draw: the secret is the one that was promised, and the seed is made of it${beacon}, of the plan and of what was sealed.`,
    ...(leaves === null || walked.seed === null ? [] : [`The ranks of ${leaves.size} entries, ${count("serve")} thresholds that never fall, and ${walked.admitted} people who were admitted, each within a threshold.`]),
    ...(plan.lanes.length === 0 ? [] : [`What is kept for ${plan.lanes.map(({ lane }) => lane).join(" and ")}, at every row: nobody else took of it.`]),
    `${walked.holds} holds, each through its life; held and sold within what was released at every row, and nobody over the limit of ${plan.limitPerPerson}${plan.group === undefined ? "" : ` for each of up to ${plan.group} who stand in line together`}.`,
    walked.isClosed ? `The close: ${walked.sold} sold${walked.isCancelled ? " (the drop was cancelled)" : ""}, and sold, unsold and withheld are all there is.` : `The drop is not closed yet: ${walked.held} units are held and ${walked.sold} sold as of the last row.`,
  ];
}

/** Said in every report, because a check that keeps silent about its limits is believed too far. */
function untoldOf(plan: PlanRow, { missing, seed }: Walked, isChanged: boolean): string[] {
  const beacon = plan.beacon;
  const influence = beacon === undefined
    ? "No shopper could influence this order; the seller could: who knows the secret can try out which tickets to add before the opening."
    : isQuicknet(beacon)
      ? "Nobody could influence this order, unless the organisations behind drand conspired with the seller."
      : "This order rests on a beacon that is not drand's: whoever has its key could have known the order.";
  return [
    influence,
    "Who wanted what is not public. Whether somebody with a better rank was passed over for an item can therefore not be told of one person; that everybody up to a threshold was called can.",
    "Which people are behind the entries is not public: the limit is checked for each entry, and whether one person had several is not in the record.",
    ...(plan.group === undefined ? [] : ["How many people stood in line as one entry is what the store says: that each of them proved an address is not in the record."]),
    "When somebody came after the opening is what the store says. That nobody came before those whom their shard had sealed earlier, or before those who had been called by then, can be told; the order within one seal cannot.",
    "How long each turn and hold was, and whether a payment really failed, is not in the record.",
    ...(isChanged ? ["Of a published change, times and quantities were compared with the rows, and prices from the second change on; titles, shares, coupons and what is asked at the door are not in the record."] : []),
    ...(plan.bundles === undefined ? [] : ["Which units were sold in a bundle is not in the record: the limit is judged as generously as the largest bundle allows."]),
    ...(seed !== null && missing.length > 0 ? [`Shard ${missing.join(", ")} did not seal in time: its tickets were ranked with a seed that was known when they were sealed.`] : []),
    ...(isSplitByShares(writtenUnits(plan)) === null ? ["The shares of the stages could not be worked out; their sums were checked."] : []),
  ];
}
