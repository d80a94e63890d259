import { isDripping, nextWords, type PageDrip } from "./drips.ts";
import type { Live, WireLine } from "./page-data.ts";

/*
 * What is said to somebody who cannot have all that was chosen: honestly, and
 * with what comes next. Nothing is promised to come back that cannot.
 */

export interface TakenWords {
  readonly title: string;
  readonly sentence: string;
  /** The same in short, for those who hear the page. */
  readonly said: string;
}

export interface Taken {
  readonly live: Pick<Live, "stage" | "nextStageAt" | "items">;
  readonly drips?: readonly PageDrip[] | undefined;
  readonly wants: readonly WireLine[];
  /** What of the wants can be had at once. */
  readonly left: readonly WireLine[];
  /** Something of it is there and kept for a lane in which this shopper does not stand. */
  readonly isKept: boolean;
  /** Lines as a list in words. */
  words(lines: readonly WireLine[]): string;
  /** When the next stage opens, such as "19:30, in 12 minutes"; asked only where there is one. */
  nextText(): string;
}

/** The wants that are sold for good. */
export function goneOf(live: Pick<Live, "items">, wants: readonly WireLine[]): WireLine[] {
  return wants.filter(({ sku }) => live.items.find((item) => item.sku === sku)?.soldOut === "final");
}

/** For the panel of those whose every wish is taken, at least for now. */
export function stageOutWords({ live, drips, wants, words, nextText }: Taken): TakenWords {
  const gone = goneOf(live, wants);
  const taken = words(wants.filter((want) => !gone.includes(want)));
  const forGood = gone.length === 0 ? "" : ` ${words(gone)}: sold out for good.`;
  if (live.nextStageAt !== null && isDripping(live.stage, drips)) {
    return {
      title: "Taken for the moment",
      sentence: `${taken}: everything that has come out so far is taken by people before you. More comes at ${nextText()}. Your place is kept: you need not do anything.${forGood}`,
      said: "Taken for the moment. Your place is kept for what comes next.",
    };
  }
  if (live.nextStageAt !== null) {
    return {
      title: "Sold out in this stage",
      sentence: `${taken}: everything in this stage is taken by people before you. ${nextWords(live.stage, drips)} at ${nextText()}. Your place is kept: you need not do anything.${forGood}`,
      said: "Sold out in this stage. Your place is kept for the next one.",
    };
  }
  return {
    title: "All held at this moment",
    sentence: `${taken}: everything that is left is held by people before you. What is not paid for in time comes back, and your place counts for it: you need not do anything.${forGood}`,
    said: "Everything is held at this moment. Your place counts for what comes back.",
  };
}

/** For the panel of those who may have some of it, or who chose what is sold for good. */
export function shortWords({ live, drips, wants, left, isKept, words, nextText }: Taken): TakenWords {
  const gone = goneOf(live, wants);
  if (gone.length === wants.length) {
    return { title: "Sold out", sentence: `${words(wants)}: sold out for good. Your place is kept for whatever else you choose.`, said: "What you chose is sold out." };
  }
  const forGood = gone.length === 0 ? "" : ` ${words(gone)}: sold out for good.`;
  const title = "Not all of it is free";
  const said = "Not all of what you chose is free.";
  if (left.length > 0) {
    const isBehind = wants.some((want) => !gone.includes(want) && !left.some(({ sku }) => sku === want.sku) && live.items.some(({ sku, available }) => sku === want.sku && available > 0));
    return { title, sentence: `You chose ${words(wants)}. Free for you now: ${words(left)}.${isBehind ? " For the rest, others are before you." : ""}${forGood}`, said };
  }
  const kept = isKept ? " What is still there is kept for a while; what those for whom it is kept leave of it is everyone's, and your place counts for it." : "";
  const after = live.nextStageAt === null ? "" : ` ${nextWords(live.stage, drips)} at ${nextText()}.`;
  return { title, sentence: `Of ${words(wants)}, nothing is free for you at this moment: others are before you.${kept} Your place is kept.${after}${forGood}`, said };
}
