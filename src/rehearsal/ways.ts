import type { NightFacts, ShopperFact } from "./facts.ts";
import type { Table } from "./table.ts";

/*
 * What each way into a drop gave to whom: the page with its script, the plain
 * forms, and real browsers. Whether one of them is a cheaper side door shows in
 * how many tickets and units an identity had by it.
 */

const WAYS = ["script", "forms", "browser"] as const;
const NAMES: Readonly<Record<(typeof WAYS)[number], string>> = { script: "with script", forms: "without script", browser: "real browsers" };
const CLASSES = ["people", "bots"] as const;
/** So many reasons are named; the rest is counted together. */
const REASONS_MAX = 4;

/** Tickets, units and refusals by way and class; without the rows of which nobody came. */
export function waysTable(night: NightFacts): Table {
  const unitsByRef = soldByRef(night);
  const rows = WAYS.flatMap((way) => CLASSES.flatMap((ofClass) => {
    const came = night.shoppers.filter((shopper) => shopper.way === way && shopper.class === ofClass);
    return came.length === 0 ? [] : [[`${ofClass}, ${NAMES[way]}`, ...figuresOf(came, unitsByRef)]];
  }));
  return {
    title: "By which way", columns: ["who", "came", "tickets", "identities with one", "moved here", "units", "without a ticket", "because"], rows,
    note: "One address has one place, whichever way it is proven by. A place that is moved here belonged to the same address before, and is counted as a ticket where it was joined. In a minute the way without script gives a network, and a mail domain, a twentieth of the joins of the drop's budgets, at least ten; that minute is not divided by the speed.",
  };
}

function figuresOf(came: readonly ShopperFact[], unitsByRef: ReadonlyMap<string, number>): string[] {
  const owners = came.filter(({ entry, isMoved }) => entry !== null && !isMoved);
  const refused = came.filter((shopper) => shopper.refused !== null);
  const units = [...new Set(came.flatMap(({ refs }) => refs))].reduce((sum, ref) => sum + (unitsByRef.get(ref) ?? 0), 0);
  return [
    String(came.length), String(new Set(owners.map(({ entry }) => entry)).size), String(new Set(owners.map(({ identity }) => identity)).size),
    String(came.filter(({ isMoved }) => isMoved).length), String(units), String(refused.length), reasonsText(refused),
  ];
}

function reasonsText(refused: readonly ShopperFact[]): string {
  const counts = [...Map.groupBy(refused, ({ refused: why }) => why ?? "")].map(([why, of]) => [why, of.length] as const).toSorted(([, a], [, b]) => b - a);
  const rest = counts.slice(REASONS_MAX).reduce((sum, [, count]) => sum + count, 0);
  const named = counts.slice(0, REASONS_MAX).map(([why, count]) => `${why}: ${count}`);
  return [...named, ...(rest === 0 ? [] : [`other: ${rest}`])].join(", ");
}

/** Units that were sold and not returned, by the record's name of their hold. */
export function soldByRef({ rows }: NightFacts): Map<string, number> {
  const units = new Map<string, number>();
  for (const { kind, ref, quantity } of rows) {
    if (kind === "sell" || kind === "return") units.set(ref, (units.get(ref) ?? 0) + (kind === "sell" ? quantity : -quantity));
  }
  return units;
}
