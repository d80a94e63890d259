import type { LobbyLive } from "../../lobby/port.ts";

/** A drop's state in a shopper's words, as a page without script says it. */
export interface PhaseWords {
  /** Two or three words. */
  readonly label: string;
  readonly sentence: string;
  /** The moment that everyone waits for, and what happens then. */
  readonly next: { readonly label: string; readonly at: number } | null;
}

export function phaseWords(live: LobbyLive): PhaseWords {
  const { plan } = live;
  const { phase, nextStageAt, stage, available } = live.live;
  const nextStage = nextStageAt === null ? null : { label: `Stage ${(stage ?? 0) + 1} opens`, at: nextStageAt };
  switch (phase) {
    case "announced":
      return { label: "Announced", sentence: "The lobby opens before the drop. Whoever joins it before the drop opens has the same chance.", next: { label: "The lobby opens", at: plan.lobbyOpensAt } };
    case "lobby":
      return { label: "Lobby open", sentence: "Join at any time before the drop opens: the order of service is drawn, so being early or fast gains nothing.", next: { label: "The drop opens", at: plan.opensAt } };
    case "drawing":
      return { label: "Drawing", sentence: "The drop is open and the order of service is being drawn.", next: nextStage };
    case "open":
      return { label: "Open", sentence: available > 0 ? `${available} left in this stage.` : "Everything in this stage is taken at this moment. What is not paid for in time comes back.", next: nextStage ?? { label: "The drop ends", at: plan.closesAt } };
    case "paused":
      return { label: "Paused", sentence: "The seller has paused the drop. Every place is kept.", next: nextStage };
    case "sold-out":
      return { label: nextStage === null ? "Sold out" : "Sold out in this stage", sentence: nextStage === null ? "Every unit of this drop is sold." : "More is released with the next stage, and every place is kept.", next: nextStage };
    case "closed":
      return { label: "Over", sentence: "This drop has ended. Nothing more can be bought in it.", next: null };
    case "cancelled":
      return { label: "Cancelled", sentence: "The seller has cancelled this drop. Whoever paid gets the money back.", next: null };
  }
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
    return { number, opensAt: stage.opensAt, units, sharePercent: total === 0 ? 0 : Math.round((100 * units) / total), state: number < current ? "past" : number === current ? "now" : "next" };
  });
}
