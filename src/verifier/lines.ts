import * as v from "valibot";
import { HeadLine, RecordRow } from "../../schema/wire/record.ts";
import { ambiguityOf } from "./canonical.ts";
import type { Findings } from "./findings.ts";

/** A row as it was written: the chain is over everything that it says, understood or not. */
export interface RawRow {
  readonly seq: number;
  readonly kind: string;
  readonly at: string;
  readonly prevHash: string;
  readonly hash: string;
  readonly members: Readonly<Record<string, unknown>>;
}

export interface ReadLines {
  readonly rows: readonly RawRow[];
  readonly heads: readonly HeadLine[];
}

const HasMembers = v.record(v.string(), v.unknown());
const Frame = v.object({ seq: v.number(), kind: v.string(), at: v.string(), prevHash: v.string(), hash: v.string() });

/**
 * Reads pages of newline-delimited JSON: rows, and after each page its signed
 * head. A line that cannot be read at all is named by the row that should stand
 * there.
 */
export function readLines(pages: readonly string[], findings: Findings): ReadLines {
  const rows: RawRow[] = [];
  const heads: HeadLine[] = [];
  for (const line of pages.flatMap((page) => page.split("\n"))) {
    if (line.trim() === "") continue;
    const parsed = parsedLine(line);
    const members = v.safeParse(HasMembers, parsed);
    const next = { seq: rows.length + 1, kind: "?" };
    if (!members.success) {
      findings.row(next, "is not a JSON object");
      continue;
    }
    const isHead = "head" in members.output;
    const odd = ambiguityOf(line, parsed);
    if (odd !== null) findings.row(isHead ? { seq: rows.length, kind: "head" } : next, odd);
    if (isHead) {
      const head = v.safeParse(HeadLine, parsed);
      if (head.success) heads.push(head.output);
      else findings.add({ at: "head", seq: rows.length }, `is not a signed head: ${issueText(head.issues)}`, rows.length);
      continue;
    }
    const frame = v.safeParse(Frame, parsed);
    if (frame.success) rows.push({ ...frame.output, members: members.output });
    else findings.row(next, `is not a row of a record: ${issueText(frame.issues)}`);
  }
  return { rows, heads };
}

function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/**
 * The rows in the shape of their kind, numbered by where they stand: a number
 * that is wrong is the chain's finding, and must not send a reader elsewhere. A
 * row that has another shape is named and left out of what follows.
 */
export function understoodRows(rows: readonly RawRow[], findings: Findings): RecordRow[] {
  return rows.flatMap((row, index) => {
    const understood = v.safeParse(RecordRow, row.members);
    if (understood.success) return [{ ...understood.output, seq: index + 1 }];
    findings.row({ seq: index + 1, kind: row.kind }, `does not say what a row of this kind says: ${issueText(understood.issues)}`);
    return [];
  });
}

export function issueText(issues: readonly v.BaseIssue<unknown>[]): string {
  const [issue] = issues;
  if (issue === undefined) return "its shape is another one";
  const path = v.getDotPath(issue);
  return path === null ? issue.message : `${path}: ${issue.message}`;
}
