import { readFileSync, writeFileSync } from "node:fs";
import type { DropConfig, StoreConfig } from "../config/store-config.ts";
import { mistakeText } from "../config/store-from-vars.ts";
import type { NightFacts } from "../rehearsal/facts.ts";
import { figuresOf } from "../rehearsal/figures.ts";
import { reportOf } from "../rehearsal/report.ts";
import { reportPage } from "../rehearsal/report-page.ts";
import { reportText } from "../rehearsal/report-text.ts";
import type { GateChoice } from "./rehearsal/night.ts";
import { playNight } from "./rehearsal/night.ts";
import { parseRehearseOptions, type RehearseOptions } from "./rehearsal/options.ts";
import { NotServed } from "./rehearsal/serving.ts";
import { readStoreFile } from "./store-file.ts";

/** The least work that a config may ask for, in hash rounds. */
const WORK_COST = 1_000;
/** Long before this something hangs. */
const LIMIT_MINUTES_A_NIGHT = 20;

async function rehearse(options: RehearseOptions): Promise<boolean> {
  const startedAt = performance.now();
  const tell = (line: string) => void process.stderr.write(`  ${Math.round((performance.now() - startedAt) / 1_000).toString().padStart(4)} s  ${line}\n`);
  const file = readStoreFile(options.config, { isLocal: true });
  if (!file.ok) throw new RehearsalFailure([`Nothing was rehearsed: ${options.config} has mistakes.`, ...file.rejection.map((mistake) => `  ${mistakeText(mistake)}`)].join("\n"));
  const drop = chosenDrop(file.value.store, options.drop);
  const choices = gateChoices(options.gates, drop);
  const nights: NightFacts[] = [];
  for (const gates of choices) {
    for (let run = 0; run < options.runs; run++) {
      const seed = options.seed + run;
      tell(`${drop.title}, ${gates.label}, seed ${seed}: ${options.crowd} people, ${options.bots === 0 ? "no bots" : `${options.bots} bots, those that buy behind ${options.identities} identities`}`);
      const limit = setTimeout(() => {
        process.stderr.write(`A night took more than ${LIMIT_MINUTES_A_NIGHT} minutes and was ended.\n`);
        process.exit(1);
      }, LIMIT_MINUTES_A_NIGHT * 60_000);
      nights.push(await playNight({ ...options, file: file.value, drop, seed, gates }, tell));
      clearTimeout(limit);
    }
  }
  const report = reportOf(nights);
  const madeAt = new Date().toISOString();
  const figures = figuresOf(nights, madeAt);
  writeFileSync(options.out, reportPage(report, { madeAt: madeAt.slice(0, 16).replace("T", " "), library: plotLibrary(), figures }));
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  process.stdout.write(`${reportText(report, options.isWhole)}\n  Written to ${options.out}${options.json === null ? "" : ` and ${options.json}`}. The same crowd comes again with --seed ${options.seed}.\n`);
  return report.isPassed;
}

/** Why nothing was rehearsed, in words for the terminal. */
class RehearsalFailure extends Error {
  override readonly name = "RehearsalFailure";
}

/** The named drop, or the next one: the first that is not over, by its opening. */
function chosenDrop({ drops }: StoreConfig, slug: string | null): DropConfig {
  if (slug !== null) {
    const named = drops.find((drop) => drop.slug === slug);
    if (named === undefined) throw new RehearsalFailure(`There is no drop "${slug}" in the config. There are: ${drops.map((drop) => drop.slug).join(", ")}.`);
    return named;
  }
  const opening = ({ source }: DropConfig) => ("at" in source.opensAt ? source.opensAt.at : Date.now() + source.opensAt.afterFirstSeenMs);
  const isOver = ({ source }: DropConfig) => "at" in source.closesAt && source.closesAt.at < Date.now();
  const [next] = drops.toSorted((a, b) => Number(isOver(a)) - Number(isOver(b)) || opening(a) - opening(b));
  if (next === undefined) throw new RehearsalFailure("There is no drop in the config.");
  return next;
}

/**
 * The gates of each night. The work costs as little as a config may ask, for
 * everybody: what a bot farm pays for it is nothing, and a rehearsal must not
 * depend on how fast this machine is.
 */
function gateChoices(gates: RehearseOptions["gates"], drop: DropConfig): GateChoice[] {
  const choice = (label: string, names: GateChoice["names"]): GateChoice => ({ label, names, table: !names.work && !names.email ? null : { ...(names.work ? { work: WORK_COST } : {}), email: names.email } });
  const own = drop.source.gates;
  // Rehearsed as on the night where the drop says what it asks; else with the gates that there are.
  const asksAny = own.work !== null || own.email;
  const all = choice(asksAny ? "the drop's gates" : "all gates", asksAny ? { work: own.work !== null, email: own.email } : { work: true, email: true });
  const none = choice("no gates", { work: false, email: false });
  if (gates === "on") return [all];
  if (gates === "off") return [none];
  return [choice("all gates", { work: true, email: true }), choice("all gates but work", { work: false, email: true }), choice("all gates but email", { work: true, email: false }), none];
}

function plotLibrary(): { readonly script: string; readonly style: string } {
  return {
    script: readFileSync(new URL(import.meta.resolve("uplot/dist/uPlot.iife.min.js")), "utf8"),
    style: readFileSync(new URL(import.meta.resolve("uplot/dist/uPlot.min.css")), "utf8"),
  };
}

// A plain end, so that the stores that were started end as well.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const options = parseRehearseOptions(process.argv.slice(2), Math.floor(Math.random() * 0x1_0000_0000));
if (!options.ok) {
  process.stderr.write(`${options.rejection}\n`);
  process.exit(1);
}
try {
  process.exit((await rehearse(options.value)) ? 0 : 1);
} catch (error) {
  process.stderr.write(`${error instanceof RehearsalFailure || error instanceof NotServed ? error.message : error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
  process.exit(1);
}
