import type { MovementRow, RecordPage } from "../../drop/port.ts";
import type { ShopDrop } from "../ports.ts";

const ROWS_A_PAGE = 1_000;
/** A page for people may be this much behind the record; the object is asked no more often than that. */
const KEEP_MS = 2_000;
/** So that one visitor of a long record does not make a hundred calls at once; the rest follows with the next visit. */
const PAGES_AT_ONCE_MAX = 10;

/** Rows of the record that changed what had been published. */
const CHANGE_KINDS: readonly string[] = ["plan", "pause", "resume", "extend", "cancel", "adjust"];

export interface ReadRecord {
  /** When this was what the object said. */
  readonly readAt: number;
  /** The last page of the record, or null when there is no record. */
  readonly tail: RecordPage | null;
  /** What changed the plan after its first row, as far as it was read. */
  readonly changes: readonly MovementRow[];
}

interface Progress {
  readonly readAt: number;
  readonly tail: RecordPage;
  /** Where the first page starts whose changes are not known for good. */
  readonly from: number;
  readonly settled: readonly MovementRow[];
  readonly latest: readonly MovementRow[];
}

/**
 * Reads the record for the pages that show it, and remembers it: full pages
 * never change, and a crowd that looks at the record during a drop must not
 * become work for the object that sells.
 */
export class RecordReader {
  readonly #dropOf: (slug: string) => ShopDrop;
  readonly #progressBySlug = new Map<string, Progress>();

  constructor(dropOf: (slug: string) => ShopDrop) {
    this.#dropOf = dropOf;
  }

  async read(slug: string, now: number): Promise<ReadRecord> {
    const known = this.#progressBySlug.get(slug);
    const progress = known !== undefined && now - known.readAt < KEEP_MS ? known : await this.#readOn(slug, now, known);
    if (progress === null) return { readAt: now, tail: null, changes: [] };
    this.#progressBySlug.set(slug, progress);
    return { readAt: progress.readAt, tail: progress.tail, changes: [...progress.settled, ...progress.latest] };
  }

  async #readOn(slug: string, now: number, known: Progress | undefined): Promise<Progress | null> {
    const drop = this.#dropOf(slug);
    const settled = [...(known?.settled ?? [])];
    let from = known?.from ?? 1;
    for (let read = 1; ; read++) {
      const page = await drop.record(from);
      if (page === null) return null;
      const changes = page.rows.filter((row) => row.seq > 1 && CHANGE_KINDS.includes(row.kind));
      if (page.head.seq < from + ROWS_A_PAGE) return { readAt: now, tail: page, from, settled, latest: changes };
      settled.push(...changes);
      from += ROWS_A_PAGE;
      if (read < PAGES_AT_ONCE_MAX) continue;
      const lastStart = Math.floor((page.head.seq - 1) / ROWS_A_PAGE) * ROWS_A_PAGE + 1;
      const tail = (await drop.record(lastStart)) ?? page;
      return { readAt: now, tail, from, settled, latest: [] };
    }
  }
}
