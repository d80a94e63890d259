import { describe, expect, it } from "vitest";
import type { DropPort, MovementRow } from "../../../../src/drop/port.ts";
import { RecordReader } from "../../../../src/storefront/pages/record-reader.ts";

/** A record of `length` rows, and how often it was asked. */
function recordOf(length: () => number) {
  const asked: number[] = [];
  const record: DropPort["record"] = (from) => {
    asked.push(from);
    const count = Math.max(0, Math.min(1_000, length() - from + 1));
    const rows = Array.from({ length: count }, (_, index): MovementRow => ({ seq: from + index, kind: from + index === 1 ? "plan" : "hold", at: "2026-12-04T18:00:00.000Z", prevHash: "00", hash: "01" }));
    return Promise.resolve({ rows, head: { seq: length(), hash: "01", at: "2026-12-04T18:00:00.000Z" }, signature: "s" });
  };
  return { asked, reader: new RecordReader(() => ({ record })) };
}

describe("reading the record for people", () => {
  it("gives the first plan and the last page, however long the record is", async () => {
    const { reader, asked } = recordOf(() => 25_500);
    const read = await reader.read("moth-tee", 0);
    expect([read.first?.seq, read.first?.kind]).toEqual([1, "plan"]);
    expect([read.tail?.rows[0]?.seq, read.tail?.rows.at(-1)?.seq]).toEqual([25_001, 25_500]);
    expect(asked).toEqual([1, 25_001]);
  });

  it("ends on the last page when that is exactly full", async () => {
    const { reader, asked } = recordOf(() => 2_000);
    expect((await reader.read("moth-tee", 0)).tail?.rows.at(-1)?.seq).toBe(2_000);
    expect(asked).toEqual([1, 1_001]);
  });

  it("asks the object once in two seconds, and never again for what is behind the last page", async () => {
    let length = 2_500;
    const { reader, asked } = recordOf(() => length);
    await reader.read("moth-tee", 0);
    for (let visit = 0; visit < 100; visit++) await reader.read("moth-tee", 1_999);
    expect(asked).toEqual([1, 2_001]);
    length = 3_700;
    const later = await reader.read("moth-tee", 2_000);
    expect([later.first?.seq, later.tail?.rows.at(-1)?.seq]).toEqual([1, 3_700]);
    expect(asked).toEqual([1, 2_001, 2_001, 3_001]);
  });
});
