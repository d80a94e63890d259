import { boardWords, type BoardWords } from "../browser/board.ts";
import type { LobbyLive } from "../../lobby/port.ts";

export interface PhaseWords extends BoardWords {
  /** The moment that everyone waits for; null where nothing is due. */
  readonly nextAt: number | null;
}

/** The board of a page as the server writes it. */
export function phaseWords(live: LobbyLive): PhaseWords {
  const { plan } = live;
  const { phase, nextStageAt, stage, available } = live.live;
  const words = boardWords({ phase, stage, hasNextStage: nextStageAt !== null, available, waiting: live.waiting });
  const dueAt = phase === "announced" ? plan.lobbyOpensAt : phase === "lobby" ? plan.opensAt : (nextStageAt ?? plan.closesAt);
  return { ...words, nextAt: words.nextLabel === "" ? null : dueAt };
}

/** Whether a drop is over for good, so that its page is an archive. */
export function isOver(live: LobbyLive): boolean {
  const { phase, items } = live.live;
  return phase === "closed" || phase === "cancelled" || (phase === "sold-out" && items.every((item) => item.soldOut === "final"));
}

export interface StageRow {
  readonly number: number;
  readonly opensAt: number;
  readonly units: number;
  /** Rounded percent of the whole drop. */
  readonly sharePercent: number;
  readonly state: "past" | "now" | "next";
}

/** The release over all stock of a drop, stage by stage. */
export function stageRows(live: LobbyLive): StageRow[] {
  const { stock } = live.plan;
  const total = stock.reduce((sum, unit) => sum + unit.quantity, 0);
  const current = live.live.stage ?? 0;
  const stages = stock[0]?.stages ?? [];
  return stages.map((stage, index) => {
    const units = stock.reduce((sum, unit) => sum + (unit.stages[index]?.units ?? 0), 0);
    const number = index + 1;
    return { number, opensAt: stage.opensAt, units, sharePercent: total === 0 ? 0 : Math.round((100 * units) / total), state: number < current || isOver(live) ? "past" : number === current ? "now" : "next" };
  });
}
