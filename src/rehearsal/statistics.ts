/* The arithmetic of the report. Lists may be empty: then there is no answer. */

/** The value below which `share` (0 to 1) of the values lie, by nearest rank; null of nothing. */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? null;
}

/** Pearson's coefficient; null where one of both never changes. */
export function correlation(pairs: readonly (readonly [x: number, y: number])[]): number | null {
  const count = pairs.length;
  if (count < 3) return null;
  const mean = (of: (pair: readonly [number, number]) => number) => pairs.reduce((sum, pair) => sum + of(pair), 0) / count;
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)];
  let [together, squaresX, squaresY] = [0, 0, 0];
  for (const [x, y] of pairs) {
    together += (x - meanX) * (y - meanY);
    squaresX += (x - meanX) ** 2;
    squaresY += (y - meanY) ** 2;
  }
  return squaresX === 0 || squaresY === 0 ? null : together / Math.sqrt(squaresX * squaresY);
}

/**
 * The standard deviation of a class's share of the units, when `winners` are
 * drawn without return from `entrants` of whom `share` are of that class. Each
 * winner's units go to one class together, so that few large purchases spread
 * more than many small ones.
 */
export function shareDeviation({ share, entrants, unitsByWinner }: { readonly share: number; readonly entrants: number; readonly unitsByWinner: readonly number[] }): number {
  const units = unitsByWinner.reduce((sum, count) => sum + count, 0);
  const squares = unitsByWinner.reduce((sum, count) => sum + count * count, 0);
  if (units === 0 || entrants <= 1) return 0;
  const rest = Math.max(0, (entrants - unitsByWinner.length) / (entrants - 1));
  return Math.sqrt(share * (1 - share) * rest * (squares / units ** 2));
}

/** At most `count` elements, evenly spread over the list. */
export function thinned<Element>(list: readonly Element[], count: number): readonly Element[] {
  if (list.length <= count) return list;
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)]).filter((element): element is Element => element !== undefined);
}
