import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { HoldState } from "../../src/drop/port.ts";
import type { FulfilmentState, OrderState, PaymentState, TransferView } from "../../src/settlement/port.ts";
import { PROJECT } from "./sources.ts";
import { SCENARIOS } from "./state-scenarios.ts";

/*
 * node test/support/state-table.ts           says whether the README's table of states is up to date and complete
 * node test/support/state-table.ts --write   brings it up to date
 *
 * Every state that the product declares, and every step between two of them
 * that anybody outside can see. A state that is new in the source does not
 * compile here before it has its row.
 */

type Steps<State extends string> = Readonly<Record<"new" | State, readonly State[]>>;

const MACHINES = {
  hold: {
    new: ["held"],
    held: ["placed", "expired", "abandoned", "voided"],
    placed: ["sold", "expired", "voided"],
    sold: [],
    // Late money takes the units again where the open stage has them.
    expired: ["sold"],
    abandoned: [],
    voided: ["sold"],
  } satisfies Steps<HoldState>,
  order: {
    new: ["placed", "confirming", "confirmed"],
    placed: ["confirming", "confirmed", "cancelled", "expired"],
    confirming: ["placed", "confirmed", "cancelled", "expired"],
    confirmed: ["cancelled"],
    cancelled: ["confirmed"],
    expired: ["confirmed", "cancelled"],
  } satisfies Steps<OrderState>,
  payment: {
    new: ["none", "pending"],
    none: ["pending", "failed"],
    pending: ["authorised", "captured", "voided", "failed"],
    authorised: ["captured", "voided"],
    captured: ["part-refunded", "refunded", "disputed"],
    "part-refunded": ["refunded", "disputed"],
    refunded: ["disputed"],
    voided: [],
    // The provider may still take another card after it gave the payment up.
    failed: ["authorised", "captured", "voided"],
    disputed: ["captured", "part-refunded", "refunded"],
  } satisfies Steps<PaymentState>,
  fulfilment: {
    new: ["none"],
    none: ["part", "done"],
    part: ["done"],
    // The rest was taken off the order, and the provider refused to pay it back.
    done: ["part"],
  } satisfies Steps<FulfilmentState>,
  transfer: {
    // A refund is booked at once, the other way round.
    new: ["pending", "posted"],
    pending: ["posted", "voided"],
    posted: [],
    voided: [],
  } satisfies Steps<TransferView["state"]>,
} as const;

type Machine = keyof typeof MACHINES;

/** `payment: pending → captured`. */
function stepText(machine: Machine, from: string, to: string): string {
  return `${machine}: ${from} → ${to}`;
}

interface Step {
  readonly machine: Machine;
  readonly from: string;
  readonly to: string;
}

function declaredSteps(): readonly Step[] {
  return (Object.keys(MACHINES) as Machine[]).flatMap((machine) =>
    Object.entries(MACHINES[machine]).flatMap(([from, targets]: [string, readonly string[]]) => targets.map((to) => ({ machine, from, to }))));
}

/** Whether `to` can come after `from`, with other states between them that nobody looked at. */
function isReachable(machine: Machine, from: string, to: string): boolean {
  const steps: Readonly<Record<string, readonly string[]>> = MACHINES[machine];
  const seen = new Set<string>();
  const open = [from];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const next of steps[state] ?? []) {
      if (next === to) return true;
      if (!seen.has(next)) open.push(next);
      seen.add(next);
    }
  }
  return false;
}

/** What was seen and cannot be, going by the declared steps. */
export function undeclared(seen: Iterable<string>): string[] {
  return [...seen].filter((step) => {
    const [machine = "", states = ""] = step.split(": ");
    const [from = "", to = ""] = states.split(" → ");
    return !(machine in MACHINES) || !isReachable(machine as Machine, from, to);
  });
}

/** States that no step leads to, and steps that no scenario shows. */
export function gaps(): string[] {
  const shown = new Set(SCENARIOS.flatMap((scenario) => scenario.shows));
  const steps = declaredSteps();
  const declared = new Set(steps.map(({ machine, from, to }) => stepText(machine, from, to)));
  return [
    ...(Object.keys(MACHINES) as Machine[]).flatMap((machine) =>
      Object.keys(MACHINES[machine]).filter((state) => state !== "new" && !steps.some((step) => step.machine === machine && step.to === state)).map((state) => `${machine}: nothing leads to ${state}`)),
    ...[...declared].filter((step) => !shown.has(step)).map((step) => `no scenario shows ${step}`),
    ...[...shown].filter((step) => !declared.has(step)).map((step) => `a scenario shows ${step}, which is not declared`),
  ];
}

const BEGIN = "<!-- states: written by `npm run states` -->";
const END = "<!-- end of states -->";

function stateTable(): string {
  const rows = declaredSteps().map(({ machine, from, to }) => {
    const by = SCENARIOS.filter(({ shows }) => shows.includes(stepText(machine, from, to))).map(({ title }) => title);
    return `| ${machine} | ${from === "new" ? "" : `\`${from}\``} | \`${to}\` | ${by.join("; ")} |`;
  });
  return ["| of | from | to | shown, from outside, by |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The text with its table of states as it should be; null where the text has no place for one. */
export function withStateTable(text: string): string | null {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) return null;
  return `${text.slice(0, from)}${BEGIN}\n${stateTable()}\n${text.slice(to)}`;
}

export const README = path.join(PROJECT, "README.md");

if (import.meta.main) {
  const text = readFileSync(README, "utf8");
  const right = withStateTable(text);
  const mistakes = [...gaps(), ...(right === null ? ["README.md has no place for the table of states."] : [])];
  for (const mistake of mistakes) process.stderr.write(`${mistake}\n`);
  if (mistakes.length > 0) process.exitCode = 1;
  else if (process.argv.includes("--write")) writeFileSync(README, right ?? text);
  else if (right !== text) {
    process.stderr.write("The README's table of states is not up to date. Run: npm run states\n");
    process.exitCode = 1;
  }
}
