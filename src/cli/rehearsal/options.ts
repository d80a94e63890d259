import path from "node:path";
import { parseArgs } from "node:util";
import { accepted, rejected, type Result } from "../../kernel/result.ts";
import { projectPath } from "../project.ts";

export interface RehearseOptions {
  readonly config: string;
  /** The drop's slug; null takes the next one of the config. */
  readonly drop: string | null;
  readonly crowd: number;
  readonly bots: number;
  readonly identities: number;
  readonly abandon: number;
  readonly seed: number;
  readonly speed: number;
  readonly gates: "on" | "off" | "each";
  /** The edition's size in place of the config's; null leaves it. */
  readonly units: number | null;
  /** How many nights are played, each with the next seed, and judged together. */
  readonly runs: number;
  readonly crash: boolean;
  readonly browsers: number;
  readonly port: number;
  readonly out: string;
  /** Where the figures are written for programs; null for nowhere but in the page. */
  readonly json: string | null;
  /** What the terminal tells: the verdict, or every table. */
  readonly isWhole: boolean;
}

export const REHEARSE_USAGE = `npm run rehearse -- [--crowd 5000] [--bots 20000] [--identities 200] [--abandon 0.8] [--seed N] [--speed 120]
                     [--gates on|off|each] [--units N] [--runs N] [--crash] [--browsers 2] [--tables]
                     [--config FILE] [--drop SLUG] [--out FILE] [--json FILE] [--port P]

Plays a drop of the config with a crowd and an army of bots on this machine, and
says whether everything held. --gates each plays several smaller nights: with
all gates, without each of them, and without any.`;

const DEFAULTS = { crowd: "5000", bots: "20000", identities: "200", abandon: "0.8", speed: "120", gates: "on", runs: "1", browsers: "2", port: "8797", out: "rehearsal.html" };
/** With --gates each every night has this part of the crowd, unless the command says how many there are. */
const EACH_PART = 5;

/** The options of `npm run rehearse`. `freshSeed` is taken where none is named. The rejection is a sentence. */
export function parseRehearseOptions(parameters: readonly string[], freshSeed: number): Result<RehearseOptions, string> {
  const text = { type: "string" } as const;
  const yes = { type: "boolean" } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...parameters],
      options: {
        config: text, drop: text, crowd: text, bots: text, identities: text, abandon: text, seed: text, speed: text, gates: text, units: text, runs: text,
        browsers: text, port: text, out: text, json: text, crash: yes, tables: yes,
      },
    }));
  } catch (error) {
    return rejected(`${error instanceof Error ? error.message : String(error)}\n\n${REHEARSE_USAGE}`);
  }
  const gates = values.gates ?? DEFAULTS.gates;
  if (gates !== "on" && gates !== "off" && gates !== "each") return rejected("--gates is on, off or each.");
  const part = gates === "each" ? EACH_PART : 1;
  const mistakes: string[] = [];
  const number = (name: string, given: string | undefined, otherwise: string, [min, max]: readonly [number, number], isWhole = true): number => {
    const value = Number(given ?? otherwise);
    if (!Number.isFinite(value) || value < min || value > max || (isWhole && !Number.isInteger(value))) mistakes.push(`--${name} is a ${isWhole ? "whole " : ""}number from ${min} to ${max}.`);
    return value;
  };
  const options: RehearseOptions = {
    crowd: number("crowd", values.crowd, String(Number(DEFAULTS.crowd) / part), [1, 200_000]),
    bots: number("bots", values.bots, String(Number(DEFAULTS.bots) / part), [0, 200_000]),
    identities: number("identities", values.identities, String(Number(DEFAULTS.identities) / part), [1, 100_000]),
    abandon: number("abandon", values.abandon, DEFAULTS.abandon, [0, 0.95], false),
    seed: number("seed", values.seed, String(freshSeed), [0, 0xffff_ffff]),
    speed: number("speed", values.speed, DEFAULTS.speed, [1, 10_000], false),
    units: values.units === undefined ? null : number("units", values.units, "", [1, 100_000]),
    runs: number("runs", values.runs, DEFAULTS.runs, [1, 20]),
    browsers: number("browsers", values.browsers, DEFAULTS.browsers, [0, 8]),
    // The sandbox takes the next one, the count of calls the one after.
    port: number("port", values.port, DEFAULTS.port, [1, 65_533]),
    gates, crash: values.crash ?? false, isWhole: values.tables ?? false,
    config: values.config === undefined ? projectPath("wrangler.toml") : path.resolve(values.config),
    drop: values.drop ?? null,
    out: path.resolve(values.out ?? DEFAULTS.out),
    json: values.json === undefined ? null : path.resolve(values.json),
  };
  return mistakes.length > 0 ? rejected(mistakes.join("\n")) : accepted(options);
}
