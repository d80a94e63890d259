/** Where something is wrong. */
export type Place =
  | { readonly at: "row"; readonly seq: number; readonly kind: string }
  /** The `index`-th published leaf of a shard, from 0. */
  | { readonly at: "leaf"; readonly shard: number; readonly index: number }
  /** The list of a shard's leaves as a whole. */
  | { readonly at: "entries"; readonly shard: number }
  /** The signed head that names row `seq`. */
  | { readonly at: "head"; readonly seq: number }
  | { readonly at: "proof" }
  | { readonly at: "witness"; readonly seq: number };

export interface Finding {
  readonly place: Place;
  /** What is wrong, as the end of a sentence that begins with the place. */
  readonly words: string;
  /** The row at which a reader from the first row on comes upon it. */
  readonly seq: number;
}

/** After this many the rest is only counted: one broken row early on can make every later one look wrong. */
const KEPT_MAX = 200;

/** Collects what is wrong. */
export class Findings {
  readonly #kept: Finding[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  row(row: { readonly seq: number; readonly kind: string }, words: string): void {
    this.add({ at: "row", seq: row.seq, kind: row.kind }, words, row.seq);
  }

  add(place: Place, words: string, seq: number): void {
    this.#count++;
    if (this.#kept.length < KEPT_MAX) this.#kept.push({ place, words, seq });
  }

  /** By row, and at one row in the order in which they were found. */
  list(): Finding[] {
    return this.#kept.toSorted((a, b) => a.seq - b.seq);
  }
}

export function placeText(place: Place): string {
  switch (place.at) {
    case "row":
      return `Row ${place.seq} (${place.kind})`;
    case "leaf":
      return `Entry ${place.index + 1} of shard ${place.shard}`;
    case "entries":
      return `The entries of shard ${place.shard}`;
    case "head":
      return `The signed head at row ${place.seq}`;
    case "proof":
      return "The proof";
    case "witness":
      return `Row ${place.seq}, which was seen before,`;
  }
}
