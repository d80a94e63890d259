import type { Phase } from "./page-data.ts";

/** What is public about one item; the server's live state and the wire's both fit. */
export interface ItemFacts {
  readonly available: number;
  readonly soldOut: null | "stage" | "final";
}

export interface OutlookFacts {
  readonly phase: Phase;
  readonly hasNextStage: boolean;
  /** Whether that is only a further step of the drip that runs. */
  readonly isDripping?: boolean;
  readonly items: readonly ItemFacts[];
}

/**
 * What can still be had of a drop. "stage": nothing is free before the next
 * stage. "held": no stage comes, and what is not sold is held, so that it may
 * come back. "gone": all is sold, and nothing comes back. "none": the phase
 * says it already, because nothing is on sale in it.
 */
type Outlook = "none" | "free" | "stage" | "held" | "gone";

/** Board, panels and live region all ask here, so that no two of them tell different stories. */
export function outlookOf({ phase, hasNextStage, items }: OutlookFacts): Outlook {
  if (phase !== "open" && phase !== "paused" && phase !== "sold-out") return "none";
  if (items.length > 0 && items.every(({ soldOut }) => soldOut === "final")) return "gone";
  // A pause makes everything unavailable; that says nothing about who holds it.
  if (phase === "paused") return "none";
  if (items.some(({ available }) => available > 0)) return "free";
  return hasNextStage ? "stage" : "held";
}

/** What stands beside an item; nothing where the phase has nothing for sale. */
export function leftWords({ phase, hasNextStage, isDripping = false }: Omit<OutlookFacts, "items">, item: ItemFacts | undefined): string {
  if (item === undefined || (phase !== "open" && phase !== "paused" && phase !== "sold-out")) return "";
  if (item.soldOut === "final") return "Sold out";
  if (phase === "paused") return "";
  if (item.available > 0) return `${item.available} left in this stage`;
  if (isDripping) return "Taken for the moment";
  return hasNextStage ? "Sold out in this stage" : "All held at this moment";
}
