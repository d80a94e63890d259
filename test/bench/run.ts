import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { parse } from "smol-toml";
import { buildAll } from "../../src/cli/build.ts";
import { readOrMakeKeys } from "../../src/cli/keys.ts";
import { projectPath } from "../../src/cli/project.ts";
import { readStoreFile } from "../../src/cli/store-file.ts";
import { storeVars, type TestDrop } from "../support/store-config.ts";
import { joinAll, newPeople, claimAll } from "./people.ts";
import { measureBroadcast } from "./measures/broadcast.ts";
import { measureDecisions } from "./measures/decisions.ts";
import { measureJoins, measureObjectHolds, measureWholeHolds } from "./measures/holds.ts";
import { measureFirstView, measurePages } from "./measures/pages.ts";
import { measurePurchases } from "./measures/purchase.ts";
import { measureSettling } from "./measures/settling.ts";
import { endStarts, measureStart } from "./measures/start.ts";
import { serveBench, serveHello, serveProduct, type Served } from "./runtimes.ts";
import { machineText, type Row, tableText, writeFigures } from "./table.ts";

/*
 * npm run bench                         every figure, in a few minutes
 * npm run bench -- --only pages,holds   some of them
 * npm run bench -- --write              every figure, also into the README
 *
 * Everything is measured on the built product, served as npm start serves it,
 * on loopback. Each runtime is a process of its own; its processor time is what
 * is compared, because the machine's cores also carry the client.
 */

const ROUNDS = 5;
const PAGE = "/berlin/moth-tee";
const LIVE = "/api/drops/moth-tee/live";

/** Drops with more stock than the bench can take, opened at once, beside the store's own. */
function benchDrop(slug: string): TestDrop {
  return { slug, items: [{ sku: "MOTH", priceMinor: 4_200, quantity: 90_000 }], opensAfter: "0s", admit: "all", claimWindow: "10m", hold: "30m", limitPerPerson: 2 };
}
const DROPS = { holds: "bench-holds", purchases: "bench-purchases", sockets: "bench-sockets" } as const;

if (!existsSync("/proc/self/schedstat")) {
  process.stderr.write("The bench reads processor times from Linux's /proc, which is not here.\n");
  process.exit(1);
}
const { values } = parseArgs({ options: { only: { type: "string" }, rounds: { type: "string" }, write: { type: "boolean" } } });
const rounds = Number(values.rounds ?? ROUNDS);
const only = values.only?.split(",") ?? null;
if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds is a whole number from 1");
if (values.write === true && only !== null) throw new Error("--write takes every figure of one run, so not together with --only");

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

/** The demo store's own variables with the bench's drops among them. */
function storeVariables(): Record<string, unknown> {
  const demo = readStoreFile(projectPath("wrangler.toml"), { isLocal: true });
  if (!demo.ok) throw new Error("wrangler.toml has mistakes; npm run check names them");
  const bench: unknown = parse(storeVars(...Object.values(DROPS).map(benchDrop)))["vars"];
  const drops = Object.entries(Object(bench)).filter(([name]) => name.startsWith("DROP_"));
  return { ...demo.value.vars, ...Object.fromEntries(drops) };
}

/** Waits until somebody can be admitted: the drop has been seen, sealed and drawn. */
async function openDrop(product: Served, drop: string): Promise<void> {
  const until = performance.now() + 20_000;
  for (;;) {
    try {
      await claimAll(product.port, drop, await joinAll(product.port, drop, newPeople(1), 1), 1);
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}

async function main(): Promise<void> {
  const startedAt = performance.now();
  await buildAll(undefined, tell);
  const folder = mkdtempSync(path.join(tmpdir(), "tranche-bench-"));
  const serving: Served[] = [];
  const served = async <Runtime extends Served>(start: Promise<Runtime>): Promise<Runtime> => {
    const runtime = await start;
    serving.push(runtime);
    return runtime;
  };
  const end = async (): Promise<void> => {
    endStarts();
    for (const runtime of serving.splice(0)) await runtime.dispose();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const keys = readOrMakeKeys(folder);
    const hello = await served(serveHello());
    const bench = await served(serveBench(path.join(folder, "bench"), keys));
    const product = await served(serveProduct(path.join(folder, "product"), storeVariables(), keys));
    endOnSignals(end);
    for (const drop of Object.values(DROPS)) await openDrop(product, drop);

    const measures: Readonly<Record<string, () => Promise<Row[]> | Row[]>> = {
      pages: () => measurePages(hello, product, { page: PAGE, live: LIVE }, rounds, tell),
      view: () => measureFirstView(product, PAGE),
      object: () => measureObjectHolds(bench, rounds, tell),
      holds: () => measureWholeHolds(product, bench, DROPS.holds, rounds, tell),
      joins: () => measureJoins(bench, rounds, tell),
      settling: () => measureSettling(bench, Math.min(rounds, 3), tell),
      purchases: () => measurePurchases(product, DROPS.purchases, tell),
      sockets: () => measureBroadcast(product, DROPS.sockets, Math.min(rounds, 2), tell),
      decisions: () => measureDecisions(rounds + 1, tell),
      start: () => measureStart(folder, Math.min(rounds, 3), tell),
    };
    const unknown = only?.filter((name) => !(name in measures)) ?? [];
    if (unknown.length > 0) throw new Error(`there is no ${unknown.join(", ")}; there are ${Object.keys(measures).join(", ")}`);
    const rows: Row[] = [];
    for (const [name, measure] of Object.entries(measures)) {
      if (only !== null && !only.includes(name)) continue;
      tell(`… ${name} (${((performance.now() - startedAt) / 1_000).toFixed(0)} s)`);
      rows.push(...await measure());
    }
    const missed = rows.filter(({ goal }) => goal?.isMet === false);
    const verdict = missed.length === 0 ? "Every goal is met." : `Missed: ${missed.map(({ what, figure }) => `${what}, ${figure}`).join("; ")}.`;
    const figures = `${new Date().toISOString().slice(0, 10)}, ${machineText()}:\n\n${tableText(rows)}\n\n${verdict}`;
    process.stdout.write(`\n${figures}\n${((performance.now() - startedAt) / 1_000).toFixed(0)} s in all\n`);
    if (values.write === true) writeFigures(figures);
  } finally {
    await end();
  }
}

/** Replaces Miniflare's own handlers, which leave at once and would leave the data folder behind. */
function endOnSignals(end: () => Promise<void>): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.removeAllListeners(signal);
    process.once(signal, () => void end().finally(() => process.exit(1)));
  }
}

await main();
