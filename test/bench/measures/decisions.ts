import { DropBook } from "../../../src/drop/drop-book.ts";
import { decideHold } from "../../../src/drop/holds.ts";
import { decidePlan } from "../../../src/drop/planning.ts";
import { EMPTY_RECORD } from "../../../src/drop/record.ts";
import { decideSeal } from "../../../src/drop/sealing.ts";
import { decideClaim } from "../../../src/drop/sittings.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { commitmentOf, entryOf } from "../../../src/lobby/draw.ts";
import { median } from "../rounds.ts";
import type { Row } from "../table.ts";
import { planSource } from "../worker/drops.ts";

const PEOPLE = 10_000;
const T0 = Date.UTC(2026, 11, 4, 18);
const SECRET = "5e".repeat(32);

/** Decisions of the pure core of the drop in plain Node: claims and holds with their chained rows, and nothing stored. */
export function measureDecisions(rounds: number, tell: (line: string) => void): Row[] {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    const decisions = decide();
    const perSecond = (decisions / (performance.now() - startedAt)) * 1_000;
    // The first round compiles the code.
    if (round > 0) rates.push(perSecond);
    tell(`round ${round + 1} of ${rounds}: ${perSecond.toFixed(0)} decisions a second`);
  }
  return [{ what: "decisions of the drop's core in plain Node", figure: `${median(rates).toFixed(0)} a second`, detail: "claims and holds in equal parts, with their hashed rows of the record" }];
}

function decide(): number {
  const book = new DropBook({
    facts: null, tail: EMPTY_RECORD,
    rows: { holds: [], sittings: [], orders: [], verdicts: [], seals: [], thresholds: [], calls: [], outbox: [] },
  }, nodeHashing);
  book.perform(T0 - 60_000, (state, now) => decidePlan(state, planSource("moth-tee", T0), { secret: SECRET, commitment: commitmentOf(SECRET, nodeHashing) }, now));
  book.perform(T0, (state, now) => decideSeal(state, { shard: 0, batch: 0, count: 0, root: nodeHashing.sha256(""), through: T0 - 1 }, now));
  let decisions = 2;
  for (let index = 0; index < PEOPLE; index++) {
    const entry = entryOf("moth-tee", `tkt_${index}`, nodeHashing);
    const lines = [{ sku: "MOTH", quantity: 1 }];
    const ticket = { ticket: `tkt_${index}`, shard: 0, entry, lane: "open", weight: 1, joinedAt: T0 - 1_000, wants: lines, keyThumbprint: `key-${index}`, person: null };
    const claim = book.perform(T0 + index, (state, now, hashing) => decideClaim(state, ticket, `pas_${index}`, now, hashing));
    const held = book.perform(T0 + index, (state, now, hashing) => decideHold(state, { id: `hld_${index}`, sitting: `pas_${index}`, entry, lines, replaces: null, network: `net-${index}` }, now, hashing));
    if (!claim.ok || !held.ok) throw new Error("the core did not decide as it was meant to");
    book.takePending();
    decisions += 2;
  }
  return decisions;
}
