import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantilesOf } from "../../../src/lobby/quantiles.ts";
import { standingOf } from "../../../src/lobby/standing.ts";
import type { BookedTicket } from "../../../src/lobby/tickets.ts";
import { lobbyLiveAt, OPENS_AT } from "./plan-double.ts";

const rankText = (value: number) => `0${value.toString(16).padStart(32, "0")}`;

function ticket(rank: string | null, shownPosition: number | null = null): BookedTicket {
  return { index: 0, ticket: "tkt_a", entry: "e", lane: "open", weight: 1, joinedAt: OPENS_AT - 5, wants: [{ sku: "MOTH-S", quantity: 1 }], keyThumbprint: "k", person: null, rank, shownPosition };
}

describe("where a ticket stands", () => {
  it("is waiting without a position before the draw", () => {
    expect(standingOf(ticket(null), lobbyLiveAt(OPENS_AT - 1_000, { phase: "lobby" })).standing).toEqual({ state: "waiting", lane: "open", rank: null, position: null });
  });

  it("is the place in the line while nothing that it wants has come so far, and served from the threshold on", () => {
    const quantiles = [quantilesOf("open", [rankText(3), rankText(5), rankText(8)])];
    const reached = (upTo: string | null) => lobbyLiveAt(OPENS_AT, { thresholds: [{ sku: "MOTH-S", lane: "open", upTo }] }, { waiting: 3, quantiles });
    expect(standingOf(ticket(rankText(5)), reached(null)).standing).toEqual({ state: "waiting", lane: "open", rank: rankText(5), position: 2 });
    expect(standingOf(ticket(rankText(5)), reached(rankText(4))).standing.state).toBe("waiting");
    expect(standingOf(ticket(rankText(5)), reached(rankText(5))).standing).toEqual({ state: "served", lane: "open", rank: rankText(5), position: null });
    expect(standingOf(ticket(rankText(5)), reached("~")).standing.state).toBe("served");
  });

  it("is not served by the threshold of an item that it does not want", () => {
    const live = lobbyLiveAt(OPENS_AT, { thresholds: [{ sku: "MOTH-L", lane: "open", upTo: "~" }] });
    expect(standingOf(ticket(rankText(1)), live).standing.state).toBe("waiting");
  });

  it("is served by the threshold of its own lane, and of nobody else's", () => {
    const member = { ...ticket(rankText(5)), lane: "member" };
    const live = lobbyLiveAt(OPENS_AT, { thresholds: [{ sku: "MOTH-S", lane: "member", upTo: rankText(9) }, { sku: "MOTH-S", lane: "open", upTo: null }] });
    expect(standingOf(member, live).standing.state).toBe("served");
    expect(standingOf(ticket(rankText(5)), live).standing.state).toBe("waiting");
  });

  it("is done once the drop is over", () => {
    for (const phase of ["closed", "cancelled"] as const) expect(standingOf(ticket(rankText(5), 4), lobbyLiveAt(OPENS_AT, { phase })).standing).toEqual({ state: "done", lane: "open", rank: rankText(5), position: null });
  });

  it("never shows a larger position than before, whatever the line does", () => {
    fc.assert(
      fc.property(fc.array(fc.uniqueArray(fc.nat({ max: 2_000 }), { maxLength: 400 }), { minLength: 2, maxLength: 8 }), (lines) => {
        const mine = ticket(rankText(1_000));
        let last = Number.POSITIVE_INFINITY;
        for (const line of lines) {
          const ranks = [...line.filter((value) => value !== 1_000), 1_000].map(rankText).toSorted();
          const { standing, improvedPosition } = standingOf(mine, lobbyLiveAt(OPENS_AT, {}, { quantiles: [quantilesOf("open", ranks)] }));
          expect(standing.position).not.toBeNull();
          expect(standing.position ?? 0).toBeLessThanOrEqual(last);
          last = standing.position ?? 0;
          // What the shell stores is all that the next answer knows.
          if (improvedPosition !== null) mine.shownPosition = improvedPosition;
        }
      }),
      { numRuns: 60 },
    );
  });
});
