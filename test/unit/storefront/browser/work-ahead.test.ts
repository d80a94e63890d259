import { describe, expect, it } from "vitest";
import type { WorkSolution } from "../../../../schema/wire/ticket.ts";
import { type Prepared, WorkAhead, type WorkThread } from "../../../../src/storefront/browser/work-ahead.ts";

const NOW = 1_000_000_000;
const MINUTE = 60_000;

function solution(ticket: string, expiresAt: number): WorkSolution {
  const parameters = { algorithm: "PBKDF2/SHA-256", nonce: "", salt: "", cost: 1_000, keyLength: 32, keyPrefix: "", expiresAt: expiresAt / 1_000, data: { drop: "moth-tee", plan: "", ticket, work: 1_000 } };
  return { challenge: { parameters, signature: "" }, solution: { counter: 1, derivedKey: "" } };
}

/** Threads that the test ends by hand. */
function bench() {
  const threads: { readonly ticket: string; isEnded: boolean; report(prepared: Prepared): void }[] = [];
  const clock = { now: NOW };
  const start = (ticket: string): WorkThread => {
    const thread = { ticket, isEnded: false, report: (_prepared: Prepared): void => undefined };
    threads.push(thread);
    return { onReport: (hear) => { thread.report = hear; }, end: () => { thread.isEnded = true; } };
  };
  return { threads, clock, work: new WorkAhead(start, () => clock.now) };
}

describe("work that is done ahead", () => {
  it("is begun once, is there when it is asked for, and its thread is ended", async () => {
    const { threads, work } = bench();
    work.tend("a");
    work.tend("a");
    expect(threads).toHaveLength(1);
    const good = solution("a", NOW + 15 * MINUTE);
    threads[0]?.report(good);
    expect(threads[0]?.isEnded).toBe(true);
    work.tend("a");
    expect(threads).toHaveLength(1);
    expect(await work.solution("a")).toBe(good);
  });

  it("is waited for by whoever comes before it is done, and begun by whoever comes before it was begun", async () => {
    const { threads, work } = bench();
    const asked = work.solution("a");
    const good = solution("a", NOW + 15 * MINUTE);
    threads[0]?.report(good);
    expect(await asked).toBe(good);
  });

  it("is begun again a minute before it would be too old, and never shown when it is", async () => {
    const { threads, clock, work } = bench();
    work.tend("a");
    threads[0]?.report(solution("a", NOW + 15 * MINUTE));
    clock.now = NOW + 14 * MINUTE - 1;
    work.tend("a");
    expect(threads).toHaveLength(1);
    clock.now = NOW + 14 * MINUTE;
    work.tend("a");
    expect(threads).toHaveLength(2);
    clock.now = NOW + 15 * MINUTE;
    const asked = work.solution("a");
    const fresh = solution("a", NOW + 30 * MINUTE);
    threads[1]?.report(fresh);
    expect(await asked).toBe(fresh);
  });

  it("is given up with the page, and done anew for another ticket or after a refusal", async () => {
    const { threads, work } = bench();
    work.tend("a");
    work.tend(null);
    expect(threads[0]?.isEnded).toBe(true);
    work.tend("a");
    work.tend("b");
    expect(threads.map(({ ticket, isEnded }) => [ticket, isEnded])).toEqual([["a", true], ["a", true], ["b", false]]);
    threads[1]?.report(solution("a", NOW + 15 * MINUTE));
    threads[2]?.report(solution("b", NOW + 15 * MINUTE));
    work.forget();
    const asked = work.solution("b");
    const fresh = solution("b", NOW + 15 * MINUTE);
    threads[3]?.report(fresh);
    expect(await asked).toBe(fresh);
  });

  it("says once that it failed, and is begun again by the next who ask", async () => {
    const { threads, work } = bench();
    work.tend("a");
    threads[0]?.report("failed");
    expect(await work.solution("a")).toBe("failed");
    const asked = work.solution("a");
    expect(threads).toHaveLength(2);
    threads[1]?.report(null);
    expect(await asked).toBeNull();
  });
});
