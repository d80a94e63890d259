import { expect, test } from "vitest";
import { decideSeal } from "../../../src/drop/sealing.ts";
import { T0, TestDrop } from "./cast.ts";

const ROOT = "ab".repeat(32);

test("a seal is not written before the opening by the drop's own clock, and is once it is open", () => {
  const drop = new TestDrop({ shards: 1, admit: "paced" });
  const seal = (at: number) => {
    drop.now = at;
    return drop.run((state, now) => decideSeal(state, { shard: 0, batch: 0, count: 0, root: ROOT, through: T0 - 1 }, now));
  };
  expect([seal(T0 - 1), drop.kinds()]).toEqual(["not_open", ["plan"]]);
  expect([seal(T0), drop.kinds()]).toEqual(["sealed", ["plan", "seal", "draw"]]);
});
