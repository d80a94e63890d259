import { describe, expect, test } from "vitest";
import { askedTooOften, entryBudget } from "../../../src/drop/entry-budget.ts";

describe("what one entry may ask of its drop", () => {
  test("is more than a person asks, and bounded: who asked too often hears when it goes on, and it does", () => {
    const budget = entryBudget(false);
    const now = 1_000_000;
    for (let ask = 0; ask < 120; ask++) expect(askedTooOften(budget, "bot", now + ask)).toBeNull();
    expect(askedTooOften(budget, "bot", now + 5_000)).toEqual({ code: "too_many_requests", retryAt: now + 30_000 });
    expect(askedTooOften(budget, "bot", now + 29_999)).toMatchObject({ code: "too_many_requests" });
    expect(askedTooOften(budget, "somebody else", now + 5_000)).toBeNull();
    expect(askedTooOften(budget, "bot", now + 30_000)).toBeNull();
  });

  test("is not used up until an hour later because a clock was set back by an hour", () => {
    const budget = entryBudget(false);
    for (let ask = 0; ask < 120; ask++) askedTooOften(budget, "person", 7_200_000);
    expect(askedTooOften(budget, "person", 7_200_000)).not.toBeNull();
    expect(askedTooOften(budget, "person", 3_600_000)).toBeNull();
  });

  test("is wide on a developer's machine, where a few people stand for a crowd, and still finite", () => {
    const budget = entryBudget(true);
    for (let ask = 0; ask < 3_000; ask++) expect(askedTooOften(budget, "racer", ask)).toBeNull();
    expect(askedTooOften(budget, "racer", 3_000)).toMatchObject({ code: "too_many_requests" });
  });

  test("is an hour's honest evening: a cart that is edited and reloaded every second meets nothing", () => {
    const budget = entryBudget(false);
    for (let second = 0; second < 3_600; second++) for (const part of [0, 300, 700]) expect(askedTooOften(budget, "person", second * 1_000 + part)).toBeNull();
  });
});
