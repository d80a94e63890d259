import { hex, utf8 } from "./bytes.ts";
import { jcs } from "./canonical.ts";
import type { Findings } from "./findings.ts";
import type { RawRow } from "./lines.ts";
import type { Hashing } from "./sha256.ts";

const START = "0".repeat(64);
const ROWS_BETWEEN_NEWS = 4_096;

/** Numbers without a gap, time that never falls, and every hash over the one before it. */
export function checkChain(rows: readonly RawRow[], hashing: Hashing, findings: Findings, progress: (done: number) => void): void {
  let before = { seq: 0, hash: START, at: "" };
  for (const [index, row] of rows.entries()) {
    const { prevHash, hash, ...said } = row.members;
    // Named by where it stands: its own number may be what is wrong.
    const here = { seq: index + 1, kind: row.kind };
    if (row.seq !== before.seq + 1) findings.row(here, `is numbered ${row.seq}, and the row before it ${before.seq}: rows were taken out, put in or moved`);
    if (prevHash !== before.hash) findings.row(here, before.seq === 0 ? "does not begin the chain: its prevHash is not 64 zeros" : "does not follow the row before it: its prevHash is not that row's hash");
    if (hex(hashing.sha256(utf8(`${row.prevHash}\n${jcs(said)}`))) !== hash) findings.row(here, "was changed after it was written: its hash is not the one of what it says");
    if (row.at < before.at) findings.row(here, `has a time, ${row.at}, before the time of the row before it, ${before.at}`);
    before = row;
    if (index % ROWS_BETWEEN_NEWS === 0) progress(index);
  }
  const [first] = rows;
  if (first !== undefined && first.kind !== "plan") findings.row(first, "is the first row and is not the plan");
}
