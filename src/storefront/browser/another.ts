import type { Live, PageData } from "./page-data.ts";
import type { Memory } from "./storage.ts";

/** What a shopper who has an order may still do: how many units more, and what is said about it. */
export interface Another {
  /** 0 where no further turn can be taken. */
  readonly units: number;
  readonly words: string;
}

/** How many units may be had with the place in line: as many as one person for each who stands there. */
export function limitOf({ limit }: Pick<PageData, "limit">, { ticket }: Pick<Memory, "ticket">): number {
  return limit * (ticket?.people ?? 1);
}

/** Units of this browser's orders that count against the limit; what ended unpaid counts against nobody. */
export function unitsOrdered({ order, past }: Pick<Memory, "order" | "past">): number {
  const answers = [...past, ...(order === null ? [] : [order])].flatMap(({ answer }) => (answer === null ? [] : [answer]));
  const counted = answers.filter(({ state }) => state !== "expired" && state !== "cancelled");
  return counted.flatMap(({ lines }) => lines).reduce((sum, line) => sum + line.quantity, 0);
}

/** Whether the order may be followed by another one, within what one person may have. */
export function anotherTurn(page: Pick<PageData, "limit">, memory: Pick<Memory, "order" | "past" | "ticket">, live: Live | null): Another {
  if (memory.order?.answer == null || live === null || live.phase === "closed" || live.phase === "cancelled") return { units: 0, words: "" };
  const limit = limitOf(page, memory);
  const units = Math.max(0, limit - unitsOrdered(memory));
  if (units === 0) return { units, words: `That is all that ${limit === page.limit ? "one person" : "you together"} may have of this drop: ${limit}.` };
  if (live.items.every((item) => item.soldOut === "final")) return { units: 0, words: "Everything else of this drop is sold." };
  return { units, words: `You may have ${units} more. That is another turn with the same place in line, and an order of its own: this one stays as it is.` };
}
