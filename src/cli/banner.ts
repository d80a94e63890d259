import * as v from "valibot";
import type { DropConfig, StoreConfig } from "../config/store-config.ts";
import { planFromSource } from "../drop/plan-from-source.ts";
import { writtenNumber } from "../drop/written-stages.ts";

/** Where everything is, in the words of `npm start -- --json`. */
export interface Addresses {
  readonly store: string;
  readonly desk: string;
  readonly deskKey: string;
  readonly sandbox: string;
  readonly rehearsalKey: string;
}

const LIVE = v.object({ now: v.string(), phase: v.string(), stage: v.nullable(v.number()), nextStageAt: v.nullable(v.string()), items: v.array(v.object({ soldOut: v.nullable(v.string()) })) });
const DROP = v.object({ stages: v.array(v.object({ opensAt: v.string() })) });

/** What a person who has just started the store wants to know, with every drop's state as the store itself tells it. */
export async function bannerText(store: StoreConfig, addresses: Addresses): Promise<string> {
  const drops = await Promise.all(store.drops.map((drop) => dropLine(drop, store, addresses.store)));
  const orders = `${addresses.desk}/desk/api/orders?drop=${store.drops[0]?.slug ?? "…"}`;
  return [
    "",
    `  ${store.name} is open at ${addresses.store}`,
    ...drops.map((line) => `    ${line}`),
    "",
    `  Sandbox  ${addresses.sandbox}  (the payment provider of this machine; mail that would have been sent: /sandbox/mail)`,
    `  Desk     an API at ${addresses.desk}/desk/api, with this key as its bearer. The orders, for one:`,
    `           curl -H 'Authorization: Bearer ${addresses.deskKey}' '${orders}'`,
    "",
    "  Ctrl-C ends it; what was sold stays, until npm start -- --fresh.",
    "",
  ].join("\n");
}

type LiveFacts = v.InferOutput<typeof LIVE>;

const BEGIN_AGAIN = "npm start -- --fresh begins it again";

/** Only a drop whose times count from its first visit can be begun again. */
function isRelative(drop: DropConfig): boolean {
  return "afterFirstSeenMs" in drop.source.opensAt;
}

function isGone({ items }: LiveFacts): boolean {
  return items.length > 0 && items.every(({ soldOut }) => soldOut === "final");
}

/** The public state of a drop of a store that is being served, or null for one that is not announced yet. */
export function readLive(origin: string, slug: string): Promise<LiveFacts | null> {
  return readJson(`${origin}/api/drops/${slug}/live`, LIVE);
}

/**
 * What happened to a drop between two readings, in one line for the terminal;
 * null when nothing did. A reading that skips several changes tells the last.
 */
export function newsText(drop: DropConfig, before: LiveFacts | null, after: LiveFacts | null): string | null {
  if (after === null) return null;
  const chapter = chapterText(after, drop);
  const hasBegun = before !== null && chapterText(before, drop) === chapter;
  return chapter === null || hasBegun ? null : `${drop.title} ${chapter}`;
}

/** Where a drop is in its life: nothing that goes back and forth, so that each is told once. */
function chapterText(live: LiveFacts, drop: DropConfig): string | null {
  if (live.phase === "closed") return isRelative(drop) ? `is over: ${BEGIN_AGAIN}.` : "is over.";
  if (live.phase === "cancelled") return "is cancelled.";
  if (live.stage === null) return null;
  if (isGone(live)) return "is sold out.";
  const stage = stageNumber(live.stage, drop);
  return stage === 1 ? "is open." : `is at stage ${stage}${stage === drop.source.stages.length ? ", its last" : ""}.`;
}

/** The stage as the config counts: a drip is one, and not told again with each of its steps. */
function stageNumber(stage: number, { source }: DropConfig): number {
  return writtenNumber(planFromSource(source, "", 0), stage);
}

async function dropLine(drop: DropConfig, store: StoreConfig, origin: string): Promise<string> {
  const region = store.regions[0]?.slug ?? "";
  const page = `${drop.title}: ${origin}/${region}/${drop.slug}`;
  const [live, shape] = await Promise.all([
    readLive(origin, drop.slug),
    readJson(`${origin}/api/drops/${drop.slug}`, DROP),
  ]);
  if (live === null) return `${page} (not announced yet)`;
  return `${page} (${phaseText(live, shape?.stages[0]?.opensAt ?? null, drop)})`;
}

function phaseText(live: LiveFacts, opensAt: string | null, drop: DropConfig): string {
  switch (live.phase) {
    case "announced":
    case "lobby":
    case "drawing":
      return opensAt === null ? "opens soon" : `opens ${untilText(live.now, opensAt)}`;
    case "open":
      return live.nextStageAt === null ? "open, the last stage" : openText(live.stage ?? 1, untilText(live.now, live.nextStageAt), drop);
    case "paused":
      return "paused";
    case "sold-out":
      return isGone(live) ? "sold out" : "everything is held; what is not paid for in time comes back";
    case "cancelled":
      return "cancelled";
    default:
      return isRelative(drop) ? `over; ${BEGIN_AGAIN}` : "over";
  }
}

function openText(stage: number, next: string, drop: DropConfig): string {
  const number = stageNumber(stage, drop);
  return `open, stage ${number}; ${stageNumber(stage + 1, drop) === number ? "more" : "the next"} ${next}`;
}

function untilText(now: string, then: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(then) - Date.parse(now)) / 1_000));
  return seconds <= 600 ? `in ${seconds} s` : `at ${then}`;
}

async function readJson<Shape extends v.GenericSchema>(url: string, shape: Shape): Promise<v.InferOutput<Shape> | null> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return response.ok ? v.parse(shape, await response.json()) : null;
}
