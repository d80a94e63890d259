import type { FieldValue } from "../drop/port.ts";
import { currencyExponent } from "../kernel/money.ts";

/** A difference between a config and a running plan, as the desk tells it. */
export interface ToldChange {
  readonly field: string;
  readonly from: FieldValue;
  readonly to: FieldValue;
  readonly allowed: boolean;
  readonly reason?: string | undefined;
}

type Words = (told: { readonly name: string; readonly from: string; readonly to: string }, currency: string) => string;

/** By the form of the field's name, whose part in brackets is the sku, the stage or the campaign. */
const WORDS: readonly (readonly [RegExp, Words])[] = [
  [/^items\.(.+)\.priceMinor$/, ({ name, from, to }, currency) => `${name} costs ${moneyText(to, currency)} instead of ${moneyText(from, currency)} from now on, for new holds.`],
  [/^items\.(.+)\.title$/, ({ name, from, to }) => `${name} is called "${to}" instead of "${from}".`],
  [/^(?:items|parts)\.(.+)\.quantity$/, ({ name, from, to }) => `There are ${to} of ${name} instead of ${from}; stages that are open keep their units.`],
  [/^stages\.(\d+)\.opensAt$/, ({ name, from, to }) => (from === "" ? `There is a stage ${name}, which opens at ${to}.` : to === "" ? `There is no stage ${name} any more.` : `Stage ${name} opens at ${to} instead of ${from}.`)],
  [/^stages\.(\d+)\.every$/, ({ name, from, to }) => (to === "" ? `Stage ${name} comes out at once.` : from === "" ? `Stage ${name} comes out bit by bit, every ${to}.` : `Stage ${name} brings more every ${to} instead of every ${from}.`)],
  [/^stages\.(\d+)\.units$/, ({ name, from, to }) => (to === "" ? `Stage ${name} does not bring ${from} of everything at a time any more.` : from === "" ? `Stage ${name} brings ${to} of everything at a time.` : `Stage ${name} brings ${to} of everything at a time instead of ${from}.`)],
  [/^stages\.(\d+)\.share$/, ({ name, from, to }) => `Stage ${name} has ${to} % of the units instead of ${from} %.`],
  [/^(closesAt)$/, ({ from, to }) => `The drop ends at ${to} instead of ${from}.`],
  [/^(lobbyOpensAt)$/, ({ from, to }) => `The lobby opens at ${to} instead of ${from}.`],
  [/^(announceAt)$/, ({ from, to }) => `The drop is announced at ${to} instead of ${from}.`],
  [/^(title)$/, ({ from, to }) => `The drop is called "${to}" instead of "${from}".`],
  [/^(low)$/, ({ from, to }) => `The page says that few are left from ${to} units on instead of ${from}.`],
  [/^(budgets\.joins)$/, ({ from, to }) => `One network may join ${to} times a minute instead of ${from}.`],
  [/^(budgets\.holds)$/, ({ from, to }) => `One network may have ${to} unpaid holds instead of ${from}.`],
  [/^limits\.(address|card)$/, ({ name, from, to }) => `${name === "card" ? "One card may pay for" : "One address may be sent"} ${to === "" ? "as many items as come" : `at most ${to} items`} instead of ${from === "" ? "as many as come" : from}.`],
  [/^campaigns\.(.+)\.uses$/, ({ name, from, to }) => `The campaign ${name} can be used ${to} times instead of ${from}.`],
  [/^campaigns\.([^.]+)$/, ({ name, from, to }) => (from === "" ? `There is a new campaign ${name}: ${to}.` : `The campaign ${name} is other than published: ${to === "" ? "it is gone" : to} instead of ${from}.`)],
];

/** What a change means, in a sentence for a terminal. */
export function changeText({ field, from, to }: ToldChange, currency: string): string {
  const told = { from: from === null ? "" : String(from), to: to === null ? "" : String(to) };
  for (const [pattern, words] of WORDS) {
    const name = pattern.exec(field)?.[1];
    if (name !== undefined) return words({ name, ...told }, currency);
  }
  return `${field} is ${told.to === "" ? "nothing" : told.to} instead of ${told.from === "" ? "nothing" : told.from}.`;
}

/** `39.00 EUR` for 3900: digits and the currency's code, the same on every machine. */
function moneyText(amountMinor: string, currency: string): string {
  const exponent = currencyExponent(currency);
  return `${(Number(amountMinor) / 10 ** exponent).toFixed(exponent)} ${currency}`;
}
