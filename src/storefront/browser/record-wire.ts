/*
 * What the record page and its worker tell each other. The worker does all the
 * work and has no way out of its own: whatever it needs of the store, the page
 * gets for it.
 */

export interface CheckRequest {
  readonly kind: "check";
  readonly drop: string;
  readonly witnessed: readonly { readonly seq: number; readonly hash: string }[];
  readonly ticket: string | null;
}

export type ToWorker = CheckRequest | { readonly kind: "got"; readonly id: number; readonly status: number; readonly text: string } | { readonly kind: "lost"; readonly id: number };

export interface ShownReport {
  readonly verdict: "right" | "wrong" | "unclear";
  readonly sentence: string;
  readonly wrong: readonly string[];
  readonly checked: readonly string[];
  readonly unchecked: readonly string[];
  readonly untold: readonly string[];
  readonly ticket: string | null;
}

export type FromWorker =
  | { readonly kind: "get"; readonly id: number; readonly path: string }
  | { readonly kind: "progress"; readonly text: string; readonly done: number; readonly total: number }
  | { readonly kind: "report"; readonly report: ShownReport }
  | { readonly kind: "unreadable"; readonly why: string };
