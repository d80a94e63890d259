import { describe, expect, it } from "vitest";
import { boardWords } from "../../../../src/storefront/browser/board.ts";
import { isDripping } from "../../../../src/storefront/browser/drips.ts";
import { stepOf } from "../../../../src/storefront/browser/journey.ts";
import { leftWords } from "../../../../src/storefront/browser/outlook.ts";
import type { Live, Phase, WireLine } from "../../../../src/storefront/browser/page-data.ts";
import { type Memory, NOTHING } from "../../../../src/storefront/browser/storage.ts";
import { shortWords, stageOutWords } from "../../../../src/storefront/browser/taken.ts";

const NOW = Date.parse("2026-12-04T18:00:10.000Z");
const at = (offsetMs: number) => new Date(NOW + offsetMs).toISOString();
type Item = Live["items"][number];
const FREE: Item = { sku: "", available: 3, soldOut: null };
const TAKEN: Item = { sku: "", available: 0, soldOut: "stage" };
const GONE: Item = { sku: "", available: 0, soldOut: "final" };

const wantsOf = (...skus: string[]): WireLine[] => skus.map((sku) => ({ sku, quantity: 1 }));

function liveOf(phase: Phase, stage: number | null, hasNextStage: boolean, tee: Item, poster: Item): Live {
  const items = [{ ...tee, sku: "TEE" }, { ...poster, sku: "POSTER" }];
  const available = items.reduce((sum, item) => sum + item.available, 0);
  return {
    asOf: at(0), now: at(0), phase, stage, available, low: false, nextStageAt: hasNextStage ? at(60_000) : null, waiting: 4, seed: "ab", quantiles: [],
    thresholds: ["TEE", "POSTER"].map((sku) => ({ sku, lane: "open", upTo: "05" })), items, head: { seq: 1, hash: "ab".repeat(32) },
  };
}

/** All that somebody who wants `wants` and is in line sees and hears at once. */
function seen(live: Live, wants: readonly WireLine[]) {
  const memory: Memory = { ...NOTHING, wants, ticketId: "tkt_X", ticket: { id: "tkt_X", entry: "ee", ticket: "t", lane: "open", joinedAt: at(-60_000), weight: 1 } };
  const hasNextStage = live.nextStageAt !== null;
  const step = stepOf({ memory, live, rank: "05", isShort: false, isAddressAsked: false, now: NOW });
  const taken = { live, wants, left: wants.filter(({ sku }) => live.items.some((item) => item.sku === sku && item.available > 0)), isKept: false, words: (lines: readonly WireLine[]) => lines.map(({ sku }) => sku).join(" and "), nextText: () => "18:01" };
  const panel = step === "stage-out" ? stageOutWords(taken) : step === "short" ? shortWords(taken) : null;
  const board = boardWords({ ...live, hasNextStage });
  return { step, board, panel, items: live.items.map((item) => leftWords({ phase: live.phase, hasNextStage }, item)), all: [board.label, board.sentence, panel?.title, panel?.sentence, panel?.said].join(" ") };
}

type Row = readonly [state: string, live: Live, wants: readonly WireLine[], expected: { readonly step: string; readonly label: string; readonly title?: string; readonly left?: readonly string[] }];

const ROWS: readonly Row[] = [
  ["both free", liveOf("open", 1, true, FREE, FREE), wantsOf("TEE"), { step: "called", label: "Open", left: ["3 left in this stage", "3 left in this stage"] }],
  ["the wanted one taken, a stage to come", liveOf("open", 1, true, TAKEN, FREE), wantsOf("TEE"), { step: "stage-out", label: "Open", title: "Sold out in this stage", left: ["Sold out in this stage", "3 left in this stage"] }],
  ["everything taken, a stage to come", liveOf("open", 1, true, TAKEN, TAKEN), wantsOf("TEE"), { step: "stage-out", label: "Sold out in this stage", title: "Sold out in this stage" }],
  ["the wanted one held at the last stage", liveOf("open", 3, false, TAKEN, FREE), wantsOf("TEE"), { step: "stage-out", label: "Open", title: "All held at this moment", left: ["All held at this moment", "3 left in this stage"] }],
  ["everything held at the last stage", liveOf("sold-out", 3, false, TAKEN, TAKEN), wantsOf("TEE"), { step: "stage-out", label: "All held", title: "All held at this moment" }],
  ["one sold, the wanted one held", liveOf("sold-out", 3, false, TAKEN, GONE), wantsOf("TEE"), { step: "stage-out", label: "All held", title: "All held at this moment", left: ["All held at this moment", "Sold out"] }],
  ["the wanted one sold, the other held", liveOf("sold-out", 3, false, GONE, TAKEN), wantsOf("TEE"), { step: "short", label: "All held", title: "Sold out" }],
  ["one of both sold, the other held", liveOf("sold-out", 3, false, GONE, TAKEN), wantsOf("TEE", "POSTER"), { step: "stage-out", label: "All held", title: "All held at this moment" }],
  ["the wanted one sold, the other free", liveOf("open", 3, false, GONE, FREE), wantsOf("TEE"), { step: "short", label: "Open", title: "Sold out", left: ["Sold out", "3 left in this stage"] }],
  ["everything sold", liveOf("sold-out", 3, false, GONE, GONE), wantsOf("TEE"), { step: "gone", label: "Sold out", left: ["Sold out", "Sold out"] }],
  ["everything sold before a stage without units", liveOf("open", 1, true, GONE, GONE), wantsOf("TEE"), { step: "gone", label: "Sold out" }],
  ["everything sold in a pause", liveOf("paused", 3, false, GONE, GONE), wantsOf("TEE"), { step: "gone", label: "Sold out" }],
  ["paused: nothing can be had, and that says nothing about who holds it", liveOf("paused", 1, true, TAKEN, TAKEN), wantsOf("TEE"), { step: "paused", label: "Paused", left: ["", ""] }],
  ["being drawn: nothing can be had yet", liveOf("drawing", 1, true, TAKEN, TAKEN), wantsOf("TEE"), { step: "drawing", label: "Drawing", left: ["", ""] }],
  ["over with units left", liveOf("closed", 3, false, GONE, GONE), wantsOf("TEE"), { step: "closed", label: "Over", left: ["", ""] }],
];

describe("board, panel and items tell one story", () => {
  it.each(ROWS)("%s", (_state, live, wants, expected) => {
    const { step, board, panel, items } = seen(live, wants);
    expect({ step, label: board.label, title: panel?.title }).toEqual({ step: expected.step, label: expected.label, title: expected.title });
    if (expected.left !== undefined) expect(items).toEqual(expected.left);
  });

  it("names what is sold for good beside what may come back", () => {
    const { panel } = seen(liveOf("sold-out", 3, false, GONE, TAKEN), wantsOf("TEE", "POSTER"));
    expect(panel?.sentence).toMatch(/^POSTER: everything that is left is held .* TEE: sold out for good\.$/);
  });
});

describe("in every combination of phase, stage and items", () => {
  const phases: readonly Phase[] = ["announced", "lobby", "drawing", "open", "paused", "sold-out", "closed", "cancelled"];
  const combinations = phases.flatMap((phase) => [1, 3].flatMap((stage) => [true, false].flatMap((hasNextStage) => [FREE, TAKEN, GONE].flatMap((tee) => [FREE, TAKEN, GONE].flatMap((poster) => [wantsOf("TEE"), wantsOf("TEE", "POSTER")].map((wants) => ({ live: liveOf(phase, stage, hasNextStage, tee, poster), wants })))))))
    // The store says "sold-out" exactly when nothing is free and no stage comes.
    .filter(({ live }) => live.phase !== "sold-out" || (live.available === 0 && live.nextStageAt === null));

  it("something is said to come back only where something can", () => {
    let said = 0;
    for (const { live, wants } of combinations) {
      const { all } = seen(live, wants);
      if (!/comes? back/i.test(all)) continue;
      said += 1;
      expect(live.items.some(({ soldOut }) => soldOut === "stage"), JSON.stringify(live)).toBe(true);
    }
    expect(said).toBeGreaterThan(0);
  });

  it("every unit is said to be sold only when all is, and a next stage is named only where there is one", () => {
    for (const { live, wants } of combinations) {
      const { all, step, board } = seen(live, wants);
      const isGone = live.items.every(({ soldOut }) => soldOut === "final");
      if (/Every unit/.test(all) || board.label === "Sold out" || step === "gone") expect({ isGone, says: /Every unit/.test(all), label: board.label, step }, JSON.stringify(live)).toEqual({ isGone: true, says: true, label: "Sold out", step: "gone" });
      if (live.nextStageAt === null) expect(all, JSON.stringify(live)).not.toMatch(/next stage|for the next one|Sold out in this stage|Stage \d opens/);
    }
  });

  it("nothing is free on the board exactly when no item is", () => {
    for (const { live, wants } of combinations) {
      if (live.phase !== "open" && live.phase !== "sold-out") continue;
      const { board } = seen(live, wants);
      expect(board.label === "Open", JSON.stringify(live)).toBe(live.available > 0);
    }
  });
});

describe("between the steps of a drip", () => {
  const drips = [{ stage: 2, steps: 3 }];
  const taken = (stage: number) => ({ live: liveOf("open", stage, true, TAKEN, TAKEN), drips, wants: wantsOf("TEE"), left: [], isKept: false, words: () => "A tee", nextText: () => "18:31" });

  it.each([[1, "Stage 2 opens"], [2, "More comes"], [3, "More comes"], [4, "Stage 3 opens"], [5, "Stage 4 opens"]])("at stage %i of the plan it is said: %s", (stage, words) => {
    expect(boardWords({ ...liveOf("open", stage, true, FREE, FREE), hasNextStage: true, drips }).nextLabel).toBe(words);
    expect(stageOutWords(taken(stage)).sentence).toContain(`${words} at 18:31.`);
    expect(shortWords({ ...taken(stage), left: [] }).sentence).toContain(`${words} at 18:31.`);
  });

  it("nothing is called sold out in this stage while the stage still brings more", () => {
    for (const stage of [2, 3]) {
      const { title, said } = stageOutWords(taken(stage));
      const board = boardWords({ ...liveOf("open", stage, true, TAKEN, TAKEN), hasNextStage: true, drips });
      expect([title, said, board.label, board.sentence, leftWords({ phase: "open", hasNextStage: true, isDripping: isDripping(stage, drips) }, TAKEN)].join(" ")).not.toMatch(/sold out/i);
    }
    expect(stageOutWords(taken(4)).title).toBe("Sold out in this stage");
  });
});
