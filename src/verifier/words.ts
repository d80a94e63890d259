import { placeText } from "./findings.ts";
import type { Report } from "./verify.ts";

/** So many findings are spelled out; the first is the one that matters. */
const TOLD_MAX = 12;

/** The verdict in one sentence. */
export function verdictText({ verdict, rows, findingCount, findings }: Report): string {
  const [first] = findings;
  if (verdict === "wrong" && first !== undefined) {
    const what = findingCount === 1 ? "One thing is wrong" : `${findingCount} things are wrong`;
    return `No. ${what} with this record. The first: ${placeText(first.place)} ${first.words}.`;
  }
  if (verdict === "unclear") return "Nothing is wrong as far as this could be checked, and not everything could be.";
  return `Yes. All ${rows} rows were recomputed, and everything follows as it was promised.`;
}

/** What is wrong, a sentence each. */
export function findingTexts({ findings, findingCount }: Report): string[] {
  const told = findings.slice(0, TOLD_MAX).map(({ place, words }) => `${placeText(place)} ${words}.`);
  return findingCount > told.length ? [...told, `And ${findingCount - told.length} more; what comes after the first may only follow from it.`] : told;
}

const STEPS: Readonly<Record<string, string>> = {
  record: "Reading the record",
  entries: "Reading the entries",
  chain: "Checking the chain of hashes",
  seals: "Checking the seals",
  rows: "Going through the rows",
  ranks: "Ranking the entries",
};

/** What is being done, for whoever waits. */
export function progressText(step: string, done: number, total: number): string {
  return `${STEPS[step] ?? step}: ${done}${total > 0 ? ` of ${total}` : ""}`;
}
