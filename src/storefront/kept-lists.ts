import { Fault } from "../kernel/result.ts";
import { attemptBudget } from "../kernel/attempt-budget.ts";
import type { ApiPorts } from "./ports.ts";

/** After this a list's end is read again by whoever asks next; the others get the old one meanwhile. */
const FRESH_MS = 1_500;
/** No end of a list that is given out was read longer ago. */
const KEEP_MS = 2_000;
/** How long one reader may keep the others waiting or on the old end. */
const CLAIM_MS = 500;
const LOOK_AGAIN_MS = 20;
const WAIT_MAX_MS = 3_000;
/** A list may grow while it is read; it does not grow by a page in the time of a call. */
const READS_MAX = 20;
/** Where copies lie at the edge. The number changes with the shape of what is written there. */
const EDGE_KEY = "list/1";
const LASTING_SECONDS = 365 * 86_400;
/** Old ends are kept at the edge for longer than they are shown, because a new one is read from there on. */
const END_SECONDS = 600;

/** What one call to an object brings. */
export interface ListPart {
  /** One line each; no more than a page of them. */
  readonly rows: readonly string[];
  /** How many rows there are in all. */
  readonly count: number;
  /** What is said about the whole list, in one line. */
  readonly about: string;
}

/** A list in some object that only grows: a row that is there never changes. */
export interface GrowingList {
  /** Its name among all lists that ever were: another list under it would be shown for this one. */
  readonly key: string;
  /** The rows from number `from` (from 0) on; null where there is no list yet. */
  read(from: number): Promise<ListPart | null>;
}

/** A page of a list. It is for ever when it is full. */
export interface ListPage {
  /** Its rows, one a line, without a last line break; empty for none. */
  readonly text: string;
  readonly rowCount: number;
  readonly isFull: boolean;
  readonly about: string;
}

/** The last page that has rows, and how many rows there were in all. */
interface End {
  readonly from: number;
  readonly count: number;
  readonly text: string;
  readonly about: string;
}

/** What was read of a list's end: null is the answer that there is no list yet. */
interface Reading {
  readonly readAt: number;
  readonly end: End | null;
}

interface Kept {
  /** Null while the first reader is under way. */
  reading: Reading | null;
  claimedUntil: number;
}

type Ports = Pick<ApiPorts, "now" | "edge" | "wait" | "later" | "isLocal">;

export interface ListLimits {
  readonly rowsPerPage: number;
  /** How many pages, and how many ends of lists, an isolate remembers. */
  readonly pagesMax: number;
  readonly endsMax: number;
}

/**
 * Pages of lists that strangers read from objects which have better things to
 * do. Full pages are kept for ever, at the edge and a few in memory. The end of
 * a list is asked for at most about once in two seconds from each place, and
 * only for what has come since; a row past the end costs nobody anything, so
 * that inventing numbers leads past no copy.
 *
 * Requests wait for each other by looking again, never on each other's promise,
 * which workerd would cut.
 */
export class KeptLists {
  readonly #ports: Ports;
  readonly #limits: ListLimits;
  readonly #pages = new Map<string, ListPage>();
  readonly #ends = new Map<string, Kept>();
  /** On a developer's machine a test reads a row right after the deed that made it, and there is one reader, not a crowd. */
  readonly #freeReads = attemptBudget({ attempts: 50, windowMs: KEEP_MS, peopleMax: 100 });

  constructor(ports: Ports, limits: ListLimits) {
    this.#ports = ports;
    this.#limits = limits;
  }

  /** The page from row `from` (from 0) on, which is where a page begins; null where there is no list yet. */
  async page(list: GrowingList, from: number): Promise<ListPage | null> {
    const known = this.#ends.get(list.key)?.reading?.end ?? null;
    // Rows before an end that was read at any time are there for good.
    if (known !== null && from < known.from) return this.#fullPage(list, from);
    const end = await this.#end(list);
    if (end === null) return null;
    if (from < end.from) return this.#fullPage(list, from);
    const rowCount = from === end.from ? end.count - end.from : 0;
    return { text: rowCount === 0 ? "" : end.text, rowCount, isFull: rowCount === this.#limits.rowsPerPage, about: end.about };
  }

  async #fullPage(list: GrowingList, from: number): Promise<ListPage> {
    const name = `${list.key}/${from}`;
    const kept = this.#pages.get(name) ?? (await this.#fromEdge(name));
    if (kept !== null) return this.#rememberPage(name, kept);
    const part = await list.read(from);
    if (part === null || part.rows.length < this.#limits.rowsPerPage) throw new Fault("a page of a list is not whole", { retryable: true });
    return this.#keepPage(name, part);
  }

  #keepPage(name: string, { rows, about }: ListPart): ListPage {
    const page = { text: rows.join("\n"), rowCount: rows.length, isFull: true, about };
    this.#ports.later(this.#ports.edge.write(`${EDGE_KEY}/${name}`, `${about}\n${page.text}`, LASTING_SECONDS).catch(() => undefined));
    return this.#rememberPage(name, page);
  }

  async #fromEdge(name: string): Promise<ListPage | null> {
    const kept = await this.#ports.edge.read(`${EDGE_KEY}/${name}`).catch(() => null);
    if (kept === null) return null;
    const about = kept.slice(0, kept.indexOf("\n"));
    return { text: kept.slice(about.length + 1), rowCount: this.#limits.rowsPerPage, isFull: true, about };
  }

  #rememberPage(name: string, page: ListPage): ListPage {
    remember(this.#pages, name, page, this.#limits.pagesMax);
    return page;
  }

  /** The end of a list, read at most two seconds ago. */
  async #end(list: GrowingList): Promise<End | null> {
    const { now, isLocal } = this.#ports;
    if (isLocal && this.#freeReads.retryAt(list.key, now()) === null) {
      this.#freeReads.spend(list.key, now());
      return (await this.#readEnd(list, this.#ends.get(list.key)?.reading ?? null)).end;
    }
    const giveUpAt = now() + WAIT_MAX_MS;
    for (;;) {
      const kept = this.#ends.get(list.key);
      const reading = kept?.reading ?? null;
      const isClaimed = kept !== undefined && now() < kept.claimedUntil && kept.claimedUntil - now() <= CLAIM_MS;
      if (reading !== null && isYoung(reading, isClaimed ? KEEP_MS : FRESH_MS, now())) return reading.end;
      if (!isClaimed) return (await this.#renewedEnd(list, reading)).end;
      if (now() >= giveUpAt) throw new Fault("the end of a list is not read in time", { retryable: true });
      await this.#ports.wait(LOOK_AGAIN_MS);
    }
  }

  /** Reads the end for this isolate, from the edge where another one of this place was there first. */
  async #renewedEnd(list: GrowingList, known: Reading | null): Promise<Reading> {
    remember(this.#ends, list.key, { reading: known, claimedUntil: this.#ports.now() + CLAIM_MS }, this.#limits.endsMax);
    const text = await this.#ports.edge.read(`${EDGE_KEY}/${list.key}/end`).catch(() => null);
    // Written below, under a name that no request can reach and that changes with the shape: it is what it says.
    const shared = text === null ? null : (JSON.parse(text) as Reading);
    const furthest = shared !== null && isFurther(shared, known) ? shared : known;
    if (furthest !== null && furthest !== known && isYoung(furthest, FRESH_MS, this.#ports.now())) return this.#rememberEnd(list.key, furthest);
    const reading = await this.#readEnd(list, furthest);
    this.#ports.later(this.#ports.edge.write(`${EDGE_KEY}/${list.key}/end`, JSON.stringify(reading), END_SECONDS).catch(() => undefined));
    return reading;
  }

  /** Asks the object for what came after what is known. */
  async #readEnd(list: GrowingList, known: Reading | null): Promise<Reading> {
    const { rowsPerPage } = this.#limits;
    const readAt = this.#ports.now();
    const start = known?.end ?? { from: 0, count: 0, text: "" };
    let [from, count, text] = [start.from, start.count, start.text];
    for (let reads = 0; reads < READS_MAX; reads++) {
      const part = await list.read(count);
      if (part === null) return this.#rememberEnd(list.key, { readAt, end: null });
      // All of what is on the way to the last page is not needed for it.
      const last = Math.max(0, Math.ceil(part.count / rowsPerPage) - 1) * rowsPerPage;
      if (last > from && count < last) {
        if (count % rowsPerPage === 0 && part.rows.length === rowsPerPage) this.#keepPage(`${list.key}/${count}`, part);
        [from, count, text] = [last, last, ""];
        continue;
      }
      // The rows that are known fill their page, and the next one begins.
      if (last > from) [from, text] = [last, ""];
      text = [...(text === "" ? [] : [text]), ...part.rows].join("\n");
      count += part.rows.length;
      if (count >= part.count) return this.#rememberEnd(list.key, { readAt, end: { from, count, text, about: part.about } });
    }
    throw new Fault("a list grows faster than it is read", { retryable: true });
  }

  /** A slower reading must not put an older end in the place of a newer one. */
  #rememberEnd(key: string, reading: Reading): Reading {
    const known = this.#ends.get(key)?.reading ?? null;
    const newest = isFurther(reading, known) ? reading : { ...reading, end: known?.end ?? null };
    remember(this.#ends, key, { reading: newest, claimedUntil: 0 }, this.#limits.endsMax);
    return newest;
  }
}

/** A reading of the future is another clock's, or from before this one was set back: nothing is known of its age. */
function isYoung({ readAt }: Reading, ageMaxMs: number, now: number): boolean {
  return readAt <= now && now - readAt < ageMaxMs;
}

/** Whether a reading knows at least as much of the list as another one: lists only grow. */
function isFurther({ end }: Reading, than: Reading | null): boolean {
  return (end?.count ?? 0) >= (than?.end?.count ?? 0);
}

/** What was asked for longest ago goes first: memory is bounded whatever is asked for. */
function remember<Value>(values: Map<string, Value>, key: string, value: Value, max: number): void {
  values.delete(key);
  const [oldest] = values.keys();
  if (values.size >= max && oldest !== undefined) values.delete(oldest);
  values.set(key, value);
}
