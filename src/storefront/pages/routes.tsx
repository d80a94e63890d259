import { type Context, Hono } from "hono";
import type { HtmlEscapedString } from "hono/utils/html";
import type { DropConfig, Region } from "../../config/store-config.ts";
import type { GateTerms } from "../../drop/plan.ts";
import { idPattern } from "../../kernel/ids.ts";
import type { LobbyLive } from "../../lobby/port.ts";
import type { StorefrontPorts } from "../ports.ts";
import { type PageAllowances, pageHeaders } from "../security-headers.ts";
import { brandSheet } from "./brand.ts";
import { KEEPING, type Keeping } from "../page-copies.ts";
import { cacheHeader, trueUntil } from "./freshness.ts";
import { Home, type ShownDrop } from "./home.tsx";
import { scannedCode } from "./landing.ts";
import { markPicture } from "./layout.tsx";
import { Microstore } from "./microstore.tsx";
import { regionsByNearness } from "./nearest-region.ts";
import { OrderPage } from "./order.tsx";
import { CODE_INVALID, MISTAKE, NOT_FOUND, PlainPage, type PlainWords } from "./plain-page.tsx";
import { PlanPage } from "./plan-page.tsx";
import { RecordPage } from "./record-page.tsx";
import { RecordReader } from "./record-reader.ts";

const ORDER = idPattern("ord");
const SHEET_KEEP_MS = 300_000;

/** A page's answer: its own content policy, and how long it may be kept. */
function answer(c: Context, page: HtmlEscapedString | Promise<HtmlEscapedString>, cached: string, status: 200 | 404 | 500 = 200, allowances: PageAllowances = {}): Response | Promise<Response> {
  return c.html(page, status, { ...pageHeaders(allowances), "cache-control": cached });
}

/** The same for a page that says something about drops: it may be kept for as long as that is true. */
function keptAnswer(c: Context, page: HtmlEscapedString | Promise<HtmlEscapedString>, until: number, now: number, allowances: PageAllowances = {}): Response | Promise<Response> {
  const keeping: Keeping = { until, isLasting: false };
  c.set(KEEPING, keeping);
  return answer(c, page, cacheHeader(until - now), 200, allowances);
}

/** What the gates of a drop need to run on its page; nothing on any other. */
function gateAllowances({ work, turnstile }: GateTerms, turnstileOrigin: string): PageAllowances {
  return {
    ...(work === null ? {} : { trustedTypes: ["tranche-workers"] }),
    ...(turnstile === null ? {} : { scripts: [turnstileOrigin], frames: [turnstileOrigin] }),
  };
}

/** A sheet or a picture of the store's own, the same until the next deployment. */
function sheet(ports: StorefrontPorts, c: Context, text: string, contentType: string): Response {
  const keeping: Keeping = { until: ports.now() + SHEET_KEEP_MS, isLasting: true };
  c.set(KEEPING, keeping);
  return c.body(text, 200, { "content-type": contentType, "cache-control": `public, max-age=${SHEET_KEEP_MS / 1_000}` });
}

const originOf = (c: Context) => new URL(c.req.url).origin;

/** A page that says one plain thing, never kept by a cache. For the app's own not-found and error handlers too. */
export function plainPage(ports: StorefrontPorts, c: Context, status: 404 | 500, words: PlainWords): Response | Promise<Response> {
  return answer(c, <PlainPage store={ports.store} words={words} />, "no-store", status);
}

export function notFoundPage(ports: StorefrontPorts, c: Context): Response | Promise<Response> {
  return plainPage(ports, c, 404, NOT_FOUND);
}

export function mistakePage(ports: StorefrontPorts, c: Context): Response | Promise<Response> {
  return plainPage(ports, c, 500, MISTAKE);
}

/** The state of a drop that may be shown, or null when it is unknown or not announced. */
async function shownLive(ports: StorefrontPorts, config: DropConfig): Promise<LobbyLive | null> {
  const live = await ports.live(config.slug);
  return live === null || ports.now() < live.plan.announceAt ? null : live;
}

function configOf(ports: StorefrontPorts, slug: string): DropConfig | null {
  return ports.store.drops.find((drop) => drop.slug === slug) ?? null;
}

async function home(ports: StorefrontPorts, c: Context): Promise<Response> {
  const found = await Promise.all(ports.store.drops.map(async (config) => ({ config, live: await ports.live(config.slug) })));
  const known = found.flatMap(({ config, live }): ShownDrop[] => (live === null ? [] : [{ config, live }]));
  const now = ports.now();
  const drops = known.filter(({ live }) => now >= live.plan.announceAt);
  // Also of those that are not shown yet: an announcement ends what a front without it says.
  const until = trueUntil(known.map(({ live }) => live), now);
  return keptAnswer(c, <Home store={ports.store} drops={drops} origin={originOf(c)} isLocal={ports.isLocal} now={now} />, until, now);
}

async function microstore(ports: StorefrontPorts, c: Context, region: Region, config: DropConfig): Promise<Response> {
  const live = await shownLive(ports, config);
  if (live === null) return notFoundPage(ports, c);
  const now = ports.now();
  return keptAnswer(c, <Microstore store={ports.store} config={config} region={region} live={live} origin={originOf(c)} isLocal={ports.isLocal} turnstileOrigin={ports.turnstileOrigin} now={now} />, trueUntil([live], now), now, gateAllowances(live.plan.gates, ports.turnstileOrigin));
}

/** Depends on where the visitor is, so no cache may keep it. */
async function nearestMicrostore(ports: StorefrontPorts, c: Context, config: DropConfig): Promise<Response> {
  const [region] = regionsByNearness(ports.store.regions, ports.visitor(c.req.raw));
  if (region === undefined || (await shownLive(ports, config)) === null) return notFoundPage(ports, c);
  c.header("cache-control", "private, no-store");
  return c.redirect(`/${region.slug}/${config.slug}`, 302);
}

/** Where a scanned code leads, or that it is none. */
async function codeLanding(ports: StorefrontPorts, c: Context, code: string): Promise<Response> {
  const shown = async (slug: string) => {
    const config = configOf(ports, slug);
    return config === null ? null : shownLive(ports, config);
  };
  return (await scannedCode(ports, c, code, shown)) ?? plainPage(ports, c, 404, CODE_INVALID);
}

async function planPage(ports: StorefrontPorts, c: Context, config: DropConfig, records: RecordReader): Promise<Response> {
  const live = await shownLive(ports, config);
  if (live === null) return notFoundPage(ports, c);
  const { first, readAt } = await records.read(config.slug, ports.now());
  const now = ports.now();
  return keptAnswer(c, <PlanPage store={ports.store} live={live} first={first} origin={originOf(c)} now={now} />, trueUntil([live], now, readAt), now);
}

async function recordPage(ports: StorefrontPorts, c: Context, config: DropConfig, records: RecordReader): Promise<Response> {
  const live = await shownLive(ports, config);
  if (live === null) return notFoundPage(ports, c);
  const { tail, readAt } = await records.read(config.slug, ports.now());
  if (tail === null) return notFoundPage(ports, c);
  const now = ports.now();
  return keptAnswer(c, <RecordPage store={ports.store} live={live} page={tail} origin={originOf(c)} />, trueUntil([live], now, readAt), now, { trustedTypes: ["tranche-workers"] });
}

/** Every page for people. Mounted after the API, because a region and a drop may have any name. */
export function pageRoutes(ports: StorefrontPorts): Hono {
  const app = new Hono();
  const records = new RecordReader((slug) => ports.drop(slug));
  app.get("/", (c) => home(ports, c));
  app.get("/brand.css", (c) => sheet(ports, c, brandSheet(ports.store.brand), "text/css; charset=utf-8"));
  app.get("/mark.svg", (c) => sheet(ports, c, markPicture(ports.store), "image/svg+xml"));
  app.get("/q/:code", (c) => codeLanding(ports, c, c.req.param("code")));
  app.get("/orders/:order", (c) => {
    const order = c.req.param("order");
    if (!ORDER.test(order)) return notFoundPage(ports, c);
    return answer(c, <OrderPage store={ports.store} order={order} now={ports.now()} />, "no-store");
  });
  app.get("/drops/:drop/plan", (c) => {
    const config = configOf(ports, c.req.param("drop"));
    return config === null ? notFoundPage(ports, c) : planPage(ports, c, config, records);
  });
  app.get("/drops/:drop/record", (c) => {
    const config = configOf(ports, c.req.param("drop"));
    return config === null ? notFoundPage(ports, c) : recordPage(ports, c, config, records);
  });
  app.get("/:drop", (c) => {
    const config = configOf(ports, c.req.param("drop"));
    return config === null ? notFoundPage(ports, c) : nearestMicrostore(ports, c, config);
  });
  app.get("/:region/:drop", (c) => {
    const region = ports.store.regions.find((candidate) => candidate.slug === c.req.param("region"));
    const config = configOf(ports, c.req.param("drop"));
    return region === undefined || config === null ? notFoundPage(ports, c) : microstore(ports, c, region, config);
  });
  return app;
}
