import { describe, expect, it } from "vitest";
import type { DropPort, MovementRow } from "../../../../src/drop/port.ts";
import { RecordReader } from "../../../../src/storefront/pages/record-reader.ts";

/** A record of `length` rows in which the given rows are pauses, and how often it was asked. */
function recordOf(length: () => number, pausesAt: readonly number[]) {
  const asked: number[] = [];
  const record: DropPort["record"] = (from) => {
    asked.push(from);
    const count = Math.max(0, Math.min(1_000, length() - from + 1));
    const rows = Array.from({ length: count }, (_, index): MovementRow => ({ seq: from + index, kind: from + index === 1 ? "plan" : pausesAt.includes(from + index) ? "pause" : "hold", at: "2026-12-04T18:00:00.000Z", prevHash: "00", hash: "01" }));
    return Promise.resolve({ rows, head: { seq: length(), hash: "01", at: "2026-12-04T18:00:00.000Z" }, signature: "s" });
  };
  // The reader is only ever given what it uses.
  return { asked, reader: new RecordReader(() => ({ record }) as DropPort) };
}

describe("reading the record for people", () => {
  it("finds every change over full pages and tail, but not the first plan", async () => {
    const { reader } = recordOf(() => 2_500, [7, 1_000, 1_001, 2_400]);
    const read = await reader.read("moth-tee", 0);
    expect(read.changes.map((row) => row.seq)).toEqual([7, 1_000, 1_001, 2_400]);
    expect(read.tail?.rows[0]?.seq).toBe(2_001);
  });

  it("ends on the last page when that is exactly full", async () => {
    const { reader, asked } = recordOf(() => 2_000, []);
    expect((await reader.read("moth-tee", 0)).tail?.rows.at(-1)?.seq).toBe(2_000);
    expect(asked).toEqual([1, 1_001]);
  });

  it("asks the object once in two seconds, and never again for a full page", async () => {
    let length = 2_500;
    const { reader, asked } = recordOf(() => length, [2_600]);
    await reader.read("moth-tee", 0);
    for (let visit = 0; visit < 100; visit++) await reader.read("moth-tee", 1_999);
    expect(asked).toEqual([1, 1_001, 2_001]);
    length = 2_700;
    expect((await reader.read("moth-tee", 2_000)).changes.map((row) => row.seq)).toEqual([2_600]);
    expect(asked).toEqual([1, 1_001, 2_001, 2_001]);
  });

  it("reads a long record in steps and shows its true end meanwhile", async () => {
    const { reader, asked } = recordOf(() => 25_500, [3, 24_000]);
    const first = await reader.read("moth-tee", 0);
    expect(first.tail?.head.seq).toBe(25_500);
    expect(first.tail?.rows.at(-1)?.seq).toBe(25_500);
    expect(asked.length).toBe(11);
    await reader.read("moth-tee", 2_000);
    expect((await reader.read("moth-tee", 4_000)).changes.map((row) => row.seq)).toEqual([3, 24_000]);
  });
});
