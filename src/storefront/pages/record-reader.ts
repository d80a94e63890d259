import type { MovementRow, RecordPage } from "../../drop/port.ts";
import type { ShopDrop } from "../ports.ts";

const ROWS_A_PAGE = 1_000;
/** A page for people may be this much behind the record; the object is asked no more often than that. */
const KEEP_MS = 2_000;

export interface ReadRecord {
  /** When this was what the object said. */
  readonly readAt: number;
  /** The plan as it was published first; null when there is no record. */
  readonly first: MovementRow | null;
  /** The last page of the record, or null when there is no record. */
  readonly tail: RecordPage | null;
}

interface Progress extends ReadRecord {
  /** Where the last page starts. */
  readonly from: number;
}

/**
 * Reads the two ends of the record for the pages that show it, and remembers
 * them: the first row never changes, and a crowd that looks at the record during
 * a drop must not become work for the object that sells.
 */
export class RecordReader {
  readonly #dropOf: (slug: string) => Pick<ShopDrop, "record">;
  readonly #progressBySlug = new Map<string, Progress>();

  constructor(dropOf: (slug: string) => Pick<ShopDrop, "record">) {
    this.#dropOf = dropOf;
  }

  async read(slug: string, now: number): Promise<ReadRecord> {
    const known = this.#progressBySlug.get(slug);
    const progress = known !== undefined && now - known.readAt < KEEP_MS ? known : await this.#readOn(slug, now, known);
    if (progress === null) return { readAt: now, first: null, tail: null };
    this.#progressBySlug.set(slug, progress);
    return progress;
  }

  async #readOn(slug: string, now: number, known: Progress | undefined): Promise<Progress | null> {
    const drop = this.#dropOf(slug);
    const from = known?.from ?? 1;
    const page = await drop.record(from);
    if (page === null) return null;
    const first = known?.first ?? page.rows[0] ?? null;
    const lastFrom = Math.floor(Math.max(0, page.head.seq - 1) / ROWS_A_PAGE) * ROWS_A_PAGE + 1;
    const tail = lastFrom === from ? page : ((await drop.record(lastFrom)) ?? page);
    return { readAt: now, first, tail, from: lastFrom };
  }
}
