/**
 * One rule of a split, in the order of the config: fixed parts per unit come
 * first, then percentages of the goods, and exactly one party takes the remainder.
 */
export type SplitRule =
  | { readonly party: string; readonly fixedMinor: number }
  | { readonly party: string; readonly percent: number }
  | { readonly party: string; readonly remainder: true };
