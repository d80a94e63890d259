import type { Plan } from "../../drop/plan.ts";
import type { Line } from "../../drop/port.ts";
import { wantMistakes } from "../api/joining.ts";
import { quantityName } from "../pages/without-script/frame.tsx";
import type { Fields } from "./sent-form.ts";

export interface ChosenLines {
  readonly lines: readonly Line[];
  /** What is wrong with them, by field; empty where they can be meant. */
  readonly mistakes: ReadonlyMap<string, string>;
}

/** The lines of a form with a quantity for each item, in the plan's order; at most `limit` in all. */
export function chosenLines(plan: Plan, fields: Fields, limit: number): ChosenLines {
  const mistakes = new Map<string, string>();
  const lines = plan.items.flatMap(({ sku }): Line[] => {
    const text = fields.get(quantityName(sku)) ?? "0";
    const isNumber = /^\d{1,4}$/.test(text);
    if (!isNumber) mistakes.set(quantityName(sku), "Choose how many.");
    return isNumber && Number(text) > 0 ? [{ sku, quantity: Number(text) }] : [];
  });
  if (lines.length === 0 && mistakes.size === 0) mistakes.set("wants", "Choose how many of what you would like.");
  for (const { pointer, detail } of wantMistakes(lines, plan, limit)) {
    const [, , index] = pointer.split("/");
    mistakes.set(quantityName(lines[Number(index)]?.sku ?? ""), detail);
  }
  return { lines, mistakes };
}
