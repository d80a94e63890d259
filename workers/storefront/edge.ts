import type { LobbyLive } from "../../src/lobby/port.ts";
import type { LiveCache } from "../../src/storefront/live-chain.ts";
import type { EdgeStore } from "../../src/storefront/ports.ts";

/** Not a host of anybody's: these entries are reached through the Cache API alone. */
const ORIGIN = "https://edge.tranche.invalid";
const CACHE = "tranche";

function keyed(key: string): string {
  return `${ORIGIN}/${key.split("/").map(encodeURIComponent).join("/")}`;
}

async function read(key: string): Promise<string | null> {
  try {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(keyed(key));
    return kept === undefined ? null : await kept.text();
  } catch {
    // A cache that fails is an empty cache.
    return null;
  }
}

async function write(key: string, text: string, keepSeconds: number): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.put(keyed(key), new Response(text, { headers: { "cache-control": `public, max-age=${keepSeconds}` } }));
}

export const edgeStore: EdgeStore = { read, write };

/** The live states that this place's isolates share; a copy says itself how old it is. */
export const edgeLiveCache: LiveCache = {
  async read(slug) {
    const text = await read(`live/${slug}`);
    // Written below by the same code and by nobody else, so that its shape is known.
    return text === null ? null : (JSON.parse(text) as LobbyLive);
  },
  write: (slug, live) => write(`live/${slug}`, JSON.stringify(live), 1),
};
