import { isDripping, nextWords, type PageDrip } from "./drips.ts";
import { type OutlookFacts, outlookOf } from "./outlook.ts";

/** What the board is made from, on the server and in the browser alike. */
export interface BoardFacts extends OutlookFacts {
  readonly stage: number | null;
  readonly drips?: readonly PageDrip[] | undefined;
  readonly available: number;
  readonly waiting: number;
}

export interface BoardWords {
  readonly label: string;
  readonly sentence: string;
  /** What the countdown counts to; empty where nothing is due. */
  readonly nextLabel: string;
}

/**
 * A drop's state in a shopper's words. Server and browser say the same
 * sentences, so that nothing moves on the page when the module takes over.
 */
export function boardWords(facts: BoardFacts): BoardWords {
  const nextStage = facts.hasNextStage ? nextWords(facts.stage, facts.drips) : "";
  const outlook = outlookOf(facts);
  if (outlook === "gone") return { label: "Sold out", sentence: "Every unit of this drop is sold.", nextLabel: "" };
  switch (facts.phase) {
    case "announced":
      return { label: "Announced", sentence: "Whoever joins the lobby before the drop opens has the same chance.", nextLabel: "The lobby opens" };
    case "lobby":
      return { label: "Lobby open", sentence: `${facts.waiting} in the lobby. Being early or fast gains nothing.`, nextLabel: "The drop opens" };
    case "drawing":
      return { label: "Drawing", sentence: "The order of service is being drawn.", nextLabel: nextStage };
    case "paused":
      return { label: "Paused", sentence: "The seller has paused the drop. Every place is kept.", nextLabel: nextStage };
    case "closed":
      return { label: "Over", sentence: "This drop has ended.", nextLabel: "" };
    case "cancelled":
      return { label: "Cancelled", sentence: "The seller has cancelled this drop.", nextLabel: "" };
    case "open":
    case "sold-out":
      break;
  }
  if (outlook === "stage" && isDripping(facts.stage, facts.drips)) return { label: "Taken for the moment", sentence: "All that has come out so far is held or sold. More comes bit by bit, and every place is kept.", nextLabel: nextStage };
  // How much of a stage is held and how much is sold is not public before the last one.
  if (outlook === "stage") return { label: "Sold out in this stage", sentence: "All of it is held or sold. More comes with the next stage, and every place is kept.", nextLabel: nextStage };
  if (outlook === "held") return { label: "All held", sentence: "Everything that is left is held at this moment. What is not paid for in time comes back.", nextLabel: "The drop ends" };
  return { label: "Open", sentence: `${facts.available} left in this stage.`, nextLabel: nextStage === "" ? "The drop ends" : nextStage };
}
