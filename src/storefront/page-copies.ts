import type { StoreConfig } from "../config/store-config.ts";
import type { Hashing } from "../kernel/hashing.ts";
import type { Clock } from "../kernel/time.ts";
import { cacheHeader } from "./pages/freshness.ts";
import type { EdgeStore } from "./ports.ts";

/** The name under which a page tells how long it may be kept; only pages that are the same for everybody do. */
export const KEEPING = "keeping";

/** How long a page says the truth. */
export interface Keeping {
  /** Epoch milliseconds: two seconds after its state was true, or the next moment at which the plan changes it. */
  readonly until: number;
  /** What does not depend on any drop: kept by this isolate alone, which a deployment ends, under its own cache header. */
  readonly isLasting: boolean;
}

export interface CopyPorts {
  readonly now: Clock;
  readonly edge: EdgeStore;
  readonly hashing: Hashing;
  wait(ms: number): Promise<void>;
  later(work: Promise<unknown>): void;
}

/** After this a copy is made anew by whoever asks next; the others get the old one meanwhile. */
const FRESH_MS = 500;
/** How long one maker may keep the others waiting or on the old copy. */
const CLAIM_MS = 500;
const LOOK_AGAIN_MS = 10;
const COPIES_MAX = 128;
const CHARACTERS_MAX = 256 * 1024;
/** An edge's entry is never true for longer than a page is; its own end is in it, to the millisecond. */
const EDGE_SECONDS = 2;

/** A page as it travels through the edge's cache. */
interface Kept {
  readonly text: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly until: number;
}

interface Copy {
  /**
   * Given out as a stream, because workerd copies a string or a buffer for each
   * answer and keeps that until the answer is collected: at ten thousand a
   * second this was a fifth of all processor time (seen on 2026-11-22).
   */
  readonly body: Blob;
  readonly etag: string;
  /** By whether a browser may keep it for a second of its own. */
  readonly secondHeaders: Headers;
  readonly checkedHeaders: Headers;
  readonly keptAt: number;
  readonly renewAt: number;
  readonly until: number;
  /** Until when somebody else is making a newer one. */
  claimedUntil: number;
}

/** The addresses whose answer is the same for everybody; all others are never looked up and never kept. */
export function publicPagePaths({ regions, drops }: Pick<StoreConfig, "regions" | "drops">): ReadonlySet<string> {
  const ofDrops = drops.flatMap(({ slug }) => [`/drops/${slug}/plan`, `/drops/${slug}/record`, ...regions.map((region) => `/${region.slug}/${slug}`)]);
  return new Set(["/", "/brand.css", "/mark.svg", ...ofDrops]);
}

/**
 * Copies of public pages: in this isolate's memory, behind that in the edge's
 * cache. A page costs a hundred times what its copy does, and a Worker's answer
 * is not cached by its headers alone.
 *
 * A copy belongs to an origin, because canonical addresses are made from it,
 * and to a path of the config; a query changes nothing in any page, so it can
 * neither make copies nor spoil one. Requests wait for each other's copy by
 * looking again, never on each other's promise, which workerd would cut.
 */
export class PageCopies {
  readonly #ports: CopyPorts;
  readonly #paths: ReadonlySet<string>;
  readonly #copies = new Map<string, Copy>();

  constructor(paths: ReadonlySet<string>, ports: CopyPorts) {
    this.#paths = paths;
    this.#ports = ports;
  }

  /**
   * The copy that answers a GET of `url` at once, or null. A copy's name is its
   * address in full, so that only a request that writes it exactly so finds one
   * here: any query, any other spelling of it is for `find` to read.
   */
  atHand(url: string, request: Request): Response | null {
    const copy = this.#copies.get(url);
    const now = this.#ports.now();
    return copy !== undefined && isReady(copy, now) ? answered(copy, request, now) : null;
  }

  /** The copy that answers a request, or null: then the page is made, and `keep` or `release` ends what this began. */
  async find(request: Request): Promise<Response | null> {
    const key = this.#keyOf(request);
    if (key === null) return null;
    const ready = this.atHand(key, request);
    if (ready !== null) return ready;
    const copy = this.#copies.get(key);
    const now = this.#ports.now();
    const made = copy === undefined || now >= copy.claimedUntil ? null : await this.#madeByAnother(key, copy);
    if (made !== null) return answered(made, request, this.#ports.now());
    if (copy !== undefined) copy.claimedUntil = this.#ports.now() + CLAIM_MS;
    return this.#fromEdge(key, request);
  }

  /** Keeps a page that was just made, and answers with it. What is not whole, or not true any more, is passed on as it is. */
  async keep(request: Request, response: Response, { until, isLasting }: Keeping): Promise<Response> {
    const key = this.#keyOf(request);
    const isKeepable = key !== null && response.status === 200 && until > this.#ports.now() && !response.headers.has("set-cookie");
    if (!isKeepable) {
      this.release(request);
      return response;
    }
    const kept: Kept = { text: await response.text(), headers: [...response.headers], until };
    const copy = this.#copyOf(kept, isLasting);
    if (kept.text.length > CHARACTERS_MAX) this.release(request);
    else {
      this.#remember(key, copy);
      if (!isLasting) this.#ports.later(this.#ports.edge.write(`page/${key}`, JSON.stringify(kept), EDGE_SECONDS).catch(() => undefined));
    }
    return answered(copy, request, this.#ports.now());
  }

  /** The page turned out to be nothing to keep: whoever waits for it makes it for itself. */
  release(request: Request): void {
    const key = this.#keyOf(request);
    const copy = key === null ? undefined : this.#copies.get(key);
    if (copy !== undefined) copy.claimedUntil = 0;
  }

  #keyOf(request: Request): string | null {
    if (request.method !== "GET" && request.method !== "HEAD") return null;
    const { origin, pathname } = new URL(request.url);
    return this.#paths.has(pathname) ? origin + pathname : null;
  }

  /** What another request of this isolate makes in the place of `old`; null when it gave up or takes too long. */
  async #madeByAnother(key: string, old: Copy): Promise<Copy | null> {
    const giveUpAt = this.#ports.now() + CLAIM_MS;
    while (this.#ports.now() < old.claimedUntil && this.#ports.now() < giveUpAt) {
      await this.#ports.wait(LOOK_AGAIN_MS);
      const made = this.#copies.get(key);
      if (made !== undefined && made !== old && isTrue(made, this.#ports.now())) return made;
    }
    return null;
  }

  async #fromEdge(key: string, request: Request): Promise<Response | null> {
    const text = await this.#ports.edge.read(`page/${key}`).catch(() => null);
    if (text === null) return null;
    // Written by `keep` under a name that no request can reach, so that its shape is known.
    const kept = JSON.parse(text) as Kept;
    const now = this.#ports.now();
    // The one that is to be replaced comes back from the edge as well. An end that is too far off is another clock's.
    if (kept.until <= now || kept.until > now + EDGE_SECONDS * 1_000 || kept.until <= (this.#copies.get(key)?.until ?? 0)) return null;
    const copy = this.#copyOf(kept, false);
    this.#remember(key, copy);
    return answered(copy, request, now);
  }

  #copyOf({ text, headers, until }: Kept, isLasting: boolean): Copy {
    const etag = `W/"${this.#ports.hashing.sha256(text).slice(0, 22)}"`;
    const headersWith = (cacheControl: string | null) => {
      const complete = new Headers(headers.map(([name, value]): [string, string] => [name, value]));
      complete.set("etag", etag);
      if (cacheControl !== null) complete.set("cache-control", cacheControl);
      return complete;
    };
    const keptAt = this.#ports.now();
    return {
      body: new Blob([text]), etag,
      secondHeaders: headersWith(isLasting ? null : cacheHeader(1_000)),
      checkedHeaders: headersWith(isLasting ? null : cacheHeader(0)),
      keptAt, until, renewAt: isLasting ? until : keptAt + Math.min(FRESH_MS, (until - keptAt) / 2), claimedUntil: 0,
    };
  }

  #remember(key: string, copy: Copy): void {
    this.#copies.delete(key);
    // The one that was made longest ago goes first: memory is bounded whatever names a client gives this host.
    const [oldest] = this.#copies.keys();
    if (this.#copies.size >= COPIES_MAX && oldest !== undefined) this.#copies.delete(oldest);
    this.#copies.set(key, copy);
  }
}

/** A copy that was kept in the future means that the clock was set back: nothing is known about its age. */
function isTrue(copy: Copy, now: number): boolean {
  return copy.keptAt <= now && now < copy.until;
}

/** Nobody has to make another one yet, or somebody is at it. */
function isReady(copy: Copy, now: number): boolean {
  return isTrue(copy, now) && (now < copy.renewAt || now < copy.claimedUntil);
}

function answered(copy: Copy, request: Request, now: number): Response {
  // A browser's own second begins when it is answered, so that it must fit into what is left.
  const headers = copy.until - now >= 1_000 ? copy.secondHeaders : copy.checkedHeaders;
  const known = request.headers.get("if-none-match");
  if (known !== null && known.split(",").some((tag) => tag.trim() === copy.etag)) return new Response(null, { status: 304, headers });
  return new Response(copy.body.stream(), { headers });
}
