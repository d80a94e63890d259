import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { bundleText, materialFromText } from "../verifier/bundle.ts";
import { dropOfAddress, readDrop, readProof, Unreadable, type Way } from "../verifier/reading.ts";
import { ownHashing } from "../verifier/sha256.ts";
import type { TicketQuestion } from "../verifier/ticket.ts";
import { type Material, type Report, verifyDrop } from "../verifier/verify.ts";
import { findingTexts, progressText, verdictText } from "../verifier/words.ts";

/*
 * npm run verify -- ADDRESS | FILE [--save FILE] [--ticket tkt_…] [--drop NAME]
 *
 * Recomputes a drop from what its store publishes: the address of its page or
 * of its record, or a file, either a bundle that --save wrote or the rows as
 * they are served (then --drop says whose they are). Ends with 0 when all of it
 * is right, 1 when something is wrong, and 2 when it could not be checked whole.
 */

const USAGE = "npm run verify -- ADDRESS | FILE [--save FILE] [--ticket tkt_…] [--drop NAME]";
const QUIET_MS = 2_000;
const NEWS_EVERY_MS = 500;
const READ_TIMEOUT_MS = 30_000;

interface Read {
  readonly material: Material;
  readonly question: TicketQuestion | null;
}

/** What it is busy with, on standard error, once that takes longer than two seconds. */
function progressPrinter(): (step: string, done: number, total: number) => void {
  const startedAt = Date.now();
  let toldAt = startedAt + QUIET_MS;
  return (step, done, total) => {
    const now = Date.now();
    if (now < toldAt) return;
    toldAt = now + NEWS_EVERY_MS;
    process.stderr.write(`${progressText(step, done, total)}\n`);
  };
}

function wayTo(origin: string, progress: Way["progress"]): Way {
  return {
    async get(path) {
      const response = await fetch(`${origin}${path}`, { signal: AbortSignal.timeout(READ_TIMEOUT_MS), headers: { "cache-control": "no-cache" } });
      return { status: response.status, text: await response.text() };
    },
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    progress,
  };
}

async function readAddress(address: string, ticket: string | null, progress: Way["progress"]): Promise<Read> {
  const named = dropOfAddress(address);
  if (named === null) throw new Unreadable("this is not the address of a drop's page or record");
  const way = wayTo(named.origin, progress);
  const material = await readDrop(named.drop, way);
  const question = ticket === null ? null : { ticket, proof: await readProof(named.drop, ticket, way) };
  return { material, question };
}

function readFile(file: string, ticket: string | null, drop: string | null): Read {
  const read = materialFromText(readFileSync(file, "utf8"), drop);
  if (!read.ok) throw new Unreadable(`${file}: ${read.why}`);
  return { material: read.material, question: ticket === null ? null : { ticket, proof: null } };
}

function reportText(report: Report): string {
  const list = (title: string, sentences: readonly string[]) => (sentences.length === 0 ? [] : ["", title, ...sentences.map((sentence) => `  - ${sentence}`)]);
  return [
    verdictText(report),
    ...list("Wrong", findingTexts(report)),
    ...list(report.verdict === "wrong" ? "Looked at, and wrong where it says so above" : "Recomputed", report.checked),
    ...list("Not checked", report.unchecked),
    ...list("What nobody can tell from what is public", report.untold),
    ...(report.ticket === null ? [] : ["", report.ticket]),
    "",
  ].join("\n");
}

const EXIT_CODES = { right: 0, wrong: 1, unclear: 2 } as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { save: { type: "string" }, ticket: { type: "string" }, drop: { type: "string" } } });
  const [source, ...more] = positionals;
  if (source === undefined || more.length > 0) {
    process.stderr.write(`${USAGE}\n`);
    return EXIT_CODES.unclear;
  }
  const progress = progressPrinter();
  const isAddress = /^https?:\/\//.test(source);
  const ticket = values.ticket ?? null;
  const { material, question } = isAddress ? await readAddress(source, ticket, progress) : readFile(source, ticket, values.drop ?? null);
  if (values.save !== undefined) writeFileSync(values.save, bundleText(material, source, new Date().toISOString()));
  const report = verifyDrop(material, { witnessed: [], ticket: question }, { hashing: ownHashing, progress });
  process.stdout.write(reportText(report));
  return EXIT_CODES[report.verdict];
}

try {
  process.exitCode = await main();
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`It could not be checked: ${reason}.\n`);
  process.exitCode = EXIT_CODES.unclear;
}
