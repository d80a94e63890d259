import { boardWords, type BoardWords } from "../browser/board.ts";
import { outlookOf } from "../browser/outlook.ts";
import { apportion } from "../../kernel/money.ts";
import { stageOpenings } from "../../drop/release.ts";
import { type WrittenStage, writtenStages } from "../../drop/written-stages.ts";
import type { LobbyLive } from "../../lobby/port.ts";

export interface PhaseWords extends BoardWords {
  /** The moment that everyone waits for; null where nothing is due. */
  readonly nextAt: number | null;
}

/** The board of a page as the server writes it. */
export function phaseWords(live: LobbyLive): PhaseWords {
  const { plan } = live;
  const { phase, nextStageAt } = live.live;
  const words = boardWords({ ...live.live, hasNextStage: nextStageAt !== null, waiting: live.waiting, drips: plan.drips });
  const dueAt = phase === "announced" ? plan.lobbyOpensAt : phase === "lobby" ? plan.opensAt : (nextStageAt ?? plan.closesAt);
  return { ...words, nextAt: words.nextLabel === "" ? null : dueAt };
}

/** Whether a drop is over for good, so that its page is an archive. */
export function isOver(live: LobbyLive): boolean {
  const { phase, nextStageAt } = live.live;
  return phase === "closed" || phase === "cancelled" || outlookOf({ ...live.live, hasNextStage: nextStageAt !== null }) === "gone";
}

/** Whether the page warns that few units are left; never while nothing is on sale. */
export function isLow({ live }: LobbyLive): boolean {
  return live.low && live.phase === "open";
}

/** A stage as it was written; a drip is one. */
export interface StageRow {
  /** The number of its first stage in the plan, by which the live state knows it, and how many it has. */
  readonly stage: number;
  readonly steps: number;
  readonly opensAt: number;
  readonly units: number;
  /** Whole percent of the drop; the shares of all stages sum to 100. */
  readonly sharePercent: number;
  readonly state: "past" | "now" | "next";
  /** Null where all of it opens at once. */
  readonly drip: DripWords | null;
}

/** So many units of each stock unit every `everyMs`; more than one span where the rest was put off in between. */
export interface DripWords {
  readonly unitsEach: number;
  readonly everyMs: number;
  readonly spans: readonly { readonly from: number; readonly until: number }[];
}

/** The release over all stock of a drop, stage by stage as they were written. */
export function stageRows(live: LobbyLive): StageRow[] {
  const { plan } = live;
  const current = live.live.stage ?? 0;
  const written = writtenStages(plan);
  const unitsOf = ({ stage, steps }: WrittenStage) => plan.stock.reduce((sum, unit) => unit.stages.slice(stage - 1, stage - 1 + steps).reduce((all, { units }) => all + units, sum), 0);
  const unitsByStage = written.map(unitsOf);
  const isAnything = unitsByStage.some((units) => units > 0);
  const shares = isAnything ? apportion(100, unitsByStage) : unitsByStage;
  const openings = stageOpenings(plan);
  return written.map(({ stage, steps }, index) => ({
    stage, steps, opensAt: openings[stage - 1] ?? plan.opensAt, units: unitsByStage[index] ?? 0, sharePercent: shares[index] ?? 0,
    state: stage + steps - 1 < current || isOver(live) ? "past" : stage <= current ? "now" : "next",
    drip: steps === 1 ? null : dripWords(openings.slice(stage - 1, stage - 1 + steps), Math.max(...plan.stock.map((unit) => unit.stages[stage - 1]?.units ?? 0))),
  }));
}

function dripWords(openings: readonly number[], unitsEach: number): DripWords {
  const gaps = openings.slice(1).map((opensAt, index) => opensAt - (openings[index] ?? 0));
  const everyMs = Math.min(...gaps);
  const spans: { from: number; until: number }[] = [];
  for (const [index, opensAt] of openings.entries()) {
    const running = spans.at(-1);
    if (running !== undefined && gaps[index - 1] === everyMs) running.until = opensAt + everyMs;
    else spans.push({ from: opensAt, until: opensAt + everyMs });
  }
  return { unitsEach, everyMs, spans };
}
