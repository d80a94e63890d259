import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { PendingWrite } from "../../../src/drop/drop-book.ts";
import { decidePlan } from "../../../src/drop/planning.ts";
import { unchanged } from "../../../src/drop/state.ts";
import { nodeHashing } from "../../../src/kernel/node-hashing.ts";
import { assert } from "../../../src/kernel/result.ts";
import { GroupCommit } from "../../../workers/objects/group-commit.ts";
import { EMPTY_DROP, SECRET, source, T0 } from "./cast.ts";

/** Commands against a store that a test can break; `writes` is what became durable. */
class Desk {
  readonly writes: PendingWrite[] = [];
  loads = 0;
  breaks: Error | null = null;
  readonly commits = new GroupCommit(
    {
      load: () => {
        this.loads++;
        const stored = this.writes.at(-1);
        return stored === undefined ? EMPTY_DROP : { ...EMPTY_DROP, facts: stored.facts, tail: { seq: 1, hash: stored.record[0]?.hash ?? "", at: T0 } };
      },
      write: (pending) => {
        if (this.breaks !== null) throw this.breaks;
        this.writes.push(pending);
      },
    },
    nodeHashing, () => T0, () => undefined,
  );

  plan(): Promise<string> {
    return this.commits.submit((state, now) => decidePlan(state, source(), { secret: SECRET, commitment: "c" }, now), (_, state) => state.facts?.planHash ?? "none");
  }

  look(): Promise<string> {
    return this.commits.submit(() => unchanged(null), (_, state) => state.facts?.planHash ?? "none");
  }

  defect(): Promise<never> {
    return this.commits.submit(() => {
      assert(false, "the sun rises in the east");
      return unchanged(null);
    }, () => {
      throw new Error("nobody sees this");
    });
  }
}

describe("group commit", () => {
  beforeEach(() => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("a command that breaks an invariant is refused alone; those beside it are decided again and written", async () => {
    const desk = new Desk();
    const [planned, broken, seen] = await Promise.allSettled([desk.plan(), desk.defect(), desk.look()]);
    expect(broken).toMatchObject({ status: "rejected", reason: { retryable: false } });
    expect(planned.status).toBe("fulfilled");
    expect(seen).toEqual(planned);
    expect(desk.writes.map((write) => write.record.length)).toEqual([1]);
  });

  test("a write that fails answers all of its group with a retryable fault, and nobody sees what it would have written", async () => {
    const desk = new Desk();
    desk.breaks = new Error("the disk is full");
    const outcomes = await Promise.allSettled([desk.plan(), desk.look()]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "rejected", reason: { retryable: true } });
    desk.breaks = null;
    expect(await desk.look()).toBe("none");
    expect(await desk.plan()).toMatch(/^[0-9a-f]{64}$/);
    expect(desk.loads).toBe(2);
  });

  test("nobody is answered before the write of the group is done", async () => {
    const desk = new Desk();
    const written: number[] = [];
    await Promise.all([desk.look(), desk.plan(), desk.look()].map((answer) => answer.then(() => written.push(desk.writes.length))));
    expect(written).toEqual([1, 1, 1]);
  });
});
