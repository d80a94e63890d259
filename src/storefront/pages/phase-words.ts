import { boardWords, type BoardWords } from "../browser/board.ts";
import { outlookOf } from "../browser/outlook.ts";
import { apportion } from "../../kernel/money.ts";
import type { LobbyLive } from "../../lobby/port.ts";

export interface PhaseWords extends BoardWords {
  /** The moment that everyone waits for; null where nothing is due. */
  readonly nextAt: number | null;
}

/** The board of a page as the server writes it. */
export function phaseWords(live: LobbyLive): PhaseWords {
  const { plan } = live;
  const { phase, nextStageAt } = live.live;
  const words = boardWords({ ...live.live, hasNextStage: nextStageAt !== null, waiting: live.waiting });
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

export interface StageRow {
  readonly number: number;
  readonly opensAt: number;
  readonly units: number;
  /** Whole percent of the drop; the shares of all stages sum to 100. */
  readonly sharePercent: number;
  readonly state: "past" | "now" | "next";
}

/** The release over all stock of a drop, stage by stage. */
export function stageRows(live: LobbyLive): StageRow[] {
  const { stock } = live.plan;
  const current = live.live.stage ?? 0;
  const stages = stock[0]?.stages ?? [];
  const unitsByStage = stages.map((_, index) => stock.reduce((sum, unit) => sum + (unit.stages[index]?.units ?? 0), 0));
  const isAnything = unitsByStage.some((units) => units > 0);
  const shares = isAnything ? apportion(100, unitsByStage) : unitsByStage;
  return stages.map((stage, index) => {
    const number = index + 1;
    return { number, opensAt: stage.opensAt, units: unitsByStage[index] ?? 0, sharePercent: shares[index] ?? 0, state: number < current || isOver(live) ? "past" : number === current ? "now" : "next" };
  });
}
