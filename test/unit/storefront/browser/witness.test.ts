import { describe, expect, it } from "vitest";
import { headsOf, type SeenRecord, type Showing, witnessed } from "../../../../src/storefront/browser/witness.ts";

const PLAN = "ab".repeat(32);
const T0 = Date.parse("2026-12-04T18:00:00.000Z");
const at = (seconds: number) => new Date(T0 + seconds * 1_000).toISOString();
const hashOf = (seq: number) => seq.toString(16).padStart(64, "0");
const showing = (seq: number, seconds: number, change: Partial<Showing> = {}): Showing => ({ planHash: PLAN, head: { seq, hash: hashOf(seq), at: at(seconds) }, isDrawn: seconds >= 30, ...change });

/** What is remembered after all of these, none of which contradicts another. */
function after(...shown: readonly Showing[]): SeenRecord {
  let known: SeenRecord | null = null;
  for (const one of shown) {
    const result = witnessed(known, one);
    expect(result.complaint).toBeNull();
    known = result.known;
  }
  if (known === null) throw new Error("something was shown");
  return known;
}

describe("a browser as a witness", () => {
  it("keeps the first head, the one at the draw, and the last few, a minute apart, however many it is shown", () => {
    const known = after(...Array.from({ length: 2_000 }, (_, second) => showing(1 + second, second)));
    expect(known.first?.seq).toBe(1);
    expect(known.atDraw?.seq).toBe(31);
    expect(known.latest.at(-1)?.seq).toBe(2_000);
    expect(known.latest).toHaveLength(5);
    const apart = known.latest.slice(1, -1).map((head, index) => Date.parse(head.at) - Date.parse(known.latest[index]?.at ?? ""));
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(60_000);
    expect(headsOf(known).map(({ seq }) => seq)).toEqual([1, 31, ...known.latest.map(({ seq }) => seq)]);
  });

  it("complains of another plan, of a row that is another one, and of a record that ends earlier", () => {
    const known = after(showing(5, 10), showing(9, 40));
    expect(witnessed(known, showing(9, 50, { planHash: "cd".repeat(32) })).complaint).toMatch(/^This drop has another plan now .* at 2026-12-04T18:00:10.000Z/);
    expect(witnessed(known, showing(5, 50, { head: { seq: 5, hash: hashOf(6), at: at(50) } })).complaint).toMatch(/row 5 with the hash .*; that row is another one now/);
    expect(witnessed(known, showing(7, 50)).complaint).toMatch(/row 9 .*; the record ends at row 7 now/);
  });

  it("keeps what it knew when it complains, so that the next visit complains again", () => {
    const known = after(showing(5, 10), showing(9, 40));
    for (const lie of [showing(9, 50, { planHash: "cd".repeat(32) }), showing(7, 50)]) {
      const { known: kept } = witnessed(known, lie);
      expect(kept).toBe(known);
      expect(witnessed(kept, lie).complaint).not.toBeNull();
    }
  });

  it("does not complain of a copy that is a moment older, or of the same head again", () => {
    const known = after(showing(5, 10), showing(9, 40));
    expect(witnessed(known, showing(8, 39)).complaint).toBeNull();
    expect(witnessed(known, showing(8, 39)).known.latest).toEqual(known.latest);
    expect(witnessed(known, showing(9, 45)).complaint).toBeNull();
  });
});
