import { gzipSync } from "node:zlib";
import { requestBytes, sendAll, sendFor } from "../http-load.ts";
import { spentOn } from "../processor-time.ts";
import { middleOf, playRounds, ratioOf, type Sample } from "../rounds.ts";
import type { Served } from "../runtimes.ts";
import { atLeast, atMost, ratioText, type Row } from "../table.ts";

const CONNECTIONS = 32;
const ROUND_MS = 2_000;

/** The drop's page and its live object against a Worker that says hello. */
export async function measurePages(hello: Served, product: Served, path: { readonly page: string; readonly live: string }, rounds: number, tell: (line: string) => void): Promise<Row[]> {
  const contender = ({ port, pid }: Served, address: string) => async (): Promise<Sample> => {
    const request = requestBytes(port, "GET", address, { accept: "text/html,application/json" });
    const { value, wallMs, processorUs } = await spentOn(pid, () => sendFor(port, request, CONNECTIONS, ROUND_MS));
    return { processorUs: processorUs / value, perSecond: (value / wallMs) * 1_000 };
  };
  const contenders = { hello: contender(hello, "/"), page: contender(product, path.page), live: contender(product, path.live) };
  // Once before it counts: the code is compiled and the copies are there.
  for (const warm of Object.values(contenders)) await warm();
  const samples = await playRounds(rounds, contenders, tell);
  const detail = (name: keyof typeof samples): string => {
    const { processorUs, perSecond } = middleOf(samples[name]);
    return `${processorUs.toFixed(0)} µs of processor a request, ${perSecond.toFixed(0)} a second`;
  };
  const row = (what: string, name: "page" | "live"): Row => {
    const { byProcessor, bySpeed } = ratioOf(samples, name, "hello");
    return { what, figure: `${ratioText(byProcessor)} (${ratioText(bySpeed)})`, detail: detail(name), goal: atLeast(byProcessor, 0.7) };
  };
  return [
    { what: "hello in raw workerd", figure: "1×", detail: detail("hello") },
    row("the cached drop page / hello, by processor time (by rate)", "page"),
    row("the live object / hello, by processor time (by rate)", "live"),
  ];
}

/** What a browser that was never here loads before the drop's page works, without its pictures. */
export async function measureFirstView({ port }: Served, page: string): Promise<Row[]> {
  const read = async (path: string): Promise<string> => {
    const [reply] = await sendAll(port, [requestBytes(port, "GET", path, { accept: "*/*" })], 1);
    if (reply?.status !== 200) throw new Error(`${path} was answered with ${reply?.status ?? "nothing"}`);
    return reply.body;
  };
  const html = await read(page);
  const loaded = new Map([[page, html]]);
  const waiting = [...linked(html)];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (loaded.has(path)) continue;
    const text = await read(path);
    loaded.set(path, text);
    if (path.endsWith(".js")) waiting.push(...[...text.matchAll(/(?:from|import)\s*"([^"]+\.js)"/g)].map((match) => new URL(match[1] ?? "", `http://x${path}`).pathname));
  }
  const sizes = [...loaded].map(([path, text]) => ({ path: path === page ? "page" : path.split("/").at(-1) ?? path, bytes: gzipSync(text, { level: 9 }).length }));
  const kilobytes = sizes.reduce((sum, { bytes }) => sum + bytes, 0) / 1_024;
  return [{
    what: "first view of the drop page, gzip, without pictures", figure: `${kilobytes.toFixed(1)} KB`,
    detail: sizes.map(({ path, bytes }) => `${path} ${(bytes / 1_024).toFixed(1)} KB`).join(", "), goal: atMost(kilobytes, 30, "KB"),
  }];
}

/** Style sheets, modules and fonts that a page names; its pictures are not counted. */
function* linked(html: string): Generator<string> {
  for (const [tag] of html.matchAll(/<(?:link|script)\b[^>]*>/g)) {
    const isLoaded = tag.startsWith("<script") || /rel="(?:stylesheet|modulepreload|preload)"/.test(tag);
    const address = /\b(?:href|src)="([^"]+)"/.exec(tag)?.[1];
    if (isLoaded && address?.startsWith("/") === true && !/\.(svg|png|jpe?g|webp|avif|ico)$/.test(address)) yield address;
  }
}
