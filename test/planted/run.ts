import { parseArgs } from "node:util";
import { PLANTED_BUGS, type PlantedBug } from "./bugs.ts";
import { type Harvest, Plot, rotten } from "./plot.ts";

/*
 * npm run planted                     plants every bug and says what caught it
 * npm run planted -- --only TEXT      only those whose name contains it
 *
 * A simulator that never fails has not been seen to work.
 */

const SEEDS_MAX = 800;
const LANES = 2;

const { values } = parseArgs({ options: { only: { type: "string" }, seeds: { type: "string" } } });

async function main(): Promise<boolean> {
  const only = values.only ?? "";
  const bugs = PLANTED_BUGS.filter(({ name }) => name.includes(only));
  const outdated = rotten(bugs);
  if (outdated.length > 0 || bugs.length === 0) {
    console.error(bugs.length === 0 ? `There is no bug whose name contains "${only}".` : outdated.join("\n"));
    return false;
  }
  const seeds = Number(values.seeds ?? SEEDS_MAX);
  // The sources as they are come first: where they fail, every bug would seem to be caught.
  const waiting: (PlantedBug | null)[] = [null, ...bugs];
  const harvests: Harvest[] = [];
  const lane = async () => {
    const plot = new Plot();
    try {
      for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
        const harvest = await plot.grow(bug, seeds);
        harvests.push(harvest);
        console.log(lineOf(harvest));
      }
    } finally {
      plot.remove();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return summarise(harvests);
}

function summarise(harvests: readonly Harvest[]): boolean {
  const isClean = harvests.some(({ name, by }) => name === "nothing planted" && by === null);
  const planted = harvests.filter(({ name }) => name !== "nothing planted");
  const missed = planted.filter(({ by }) => by === null);
  console.log(`${planted.length - missed.length} of ${planted.length} planted bugs caught; the sources as they are ${isClean ? "pass" : "FAIL"}.`);
  for (const { name } of missed) console.error(`not caught: ${name}`);
  return isClean && missed.length === 0;
}

function lineOf({ name, by, seconds }: Harvest): string {
  return `${name.padEnd(48)} ${seconds.toFixed(1).padStart(6)} s  ${by ?? (name === "nothing planted" ? "passes" : "NOT CAUGHT")}`;
}

process.exitCode = (await main()) ? 0 : 1;
