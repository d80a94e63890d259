import * as v from "valibot";
import type { DropConfig, StoreConfig } from "../config/store-config.ts";

/** Where everything is, in the words of `npm start -- --json`. */
export interface Addresses {
  readonly store: string;
  readonly desk: string;
  readonly deskKey: string;
  readonly sandbox: string;
  readonly rehearsalKey: string;
}

const LIVE = v.object({ now: v.string(), phase: v.string(), stage: v.nullable(v.number()), nextStageAt: v.nullable(v.string()) });
const DROP = v.object({ stages: v.array(v.object({ opensAt: v.string() })) });

/** What a person who has just started the store wants to know, with every drop's state as the store itself tells it. */
export async function bannerText(store: StoreConfig, addresses: Addresses): Promise<string> {
  const drops = await Promise.all(store.drops.map((drop) => dropLine(drop, store, addresses.store)));
  return [
    "",
    `  ${store.name} is open at ${addresses.store}`,
    ...drops.map((line) => `    ${line}`),
    "",
    `  Desk     ${addresses.desk}/desk  (key ${addresses.deskKey})`,
    `  Sandbox  ${addresses.sandbox}  (the payment provider of this machine)`,
    "",
    "  Ctrl-C ends it; what was sold stays, until npm start -- --fresh.",
    "",
  ].join("\n");
}

async function dropLine(drop: DropConfig, store: StoreConfig, origin: string): Promise<string> {
  const region = store.regions[0]?.slug ?? "";
  const page = `${drop.title}: ${origin}/${region}/${drop.slug}`;
  const [live, shape] = await Promise.all([
    readJson(`${origin}/api/drops/${drop.slug}/live`, LIVE),
    readJson(`${origin}/api/drops/${drop.slug}`, DROP),
  ]);
  if (live === null) return `${page} (not announced yet)`;
  return `${page} (${phaseText(live, shape?.stages[0]?.opensAt ?? null, "afterFirstSeenMs" in drop.source.opensAt)})`;
}

function phaseText(live: v.InferOutput<typeof LIVE>, opensAt: string | null, isRelative: boolean): string {
  switch (live.phase) {
    case "announced":
    case "lobby":
    case "drawing":
      return opensAt === null ? "opens soon" : `opens ${untilText(live.now, opensAt)}`;
    case "open":
      return live.nextStageAt === null ? "open, the last stage" : `open, stage ${live.stage ?? 1}; the next ${untilText(live.now, live.nextStageAt)}`;
    case "paused":
      return "paused";
    case "sold-out":
      return live.nextStageAt === null ? "sold out" : `sold out in this stage; the next ${untilText(live.now, live.nextStageAt)}`;
    case "cancelled":
      return "cancelled";
    default:
      return isRelative ? "over; npm start -- --fresh begins it again" : "over";
  }
}

function untilText(now: string, then: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(then) - Date.parse(now)) / 1_000));
  return seconds <= 600 ? `in ${seconds} s` : `at ${then}`;
}

async function readJson<Shape extends v.GenericSchema>(url: string, shape: Shape): Promise<v.InferOutput<Shape> | null> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return response.ok ? v.parse(shape, await response.json()) : null;
}
