import { find } from "./dom.ts";
import { totalUnits } from "./journey.ts";
import type { PageData, WireLine } from "./page-data.ts";

/** The steppers: what is being chosen, before it is told to anyone. */
export interface Choice {
  lines(): WireLine[];
  /** Begins anew with `lines`; where there is one item only and none of it is chosen, with one of it. */
  set(lines: readonly WireLine[]): void;
}

/** What the steppers begin with. Where a drop has a single item there is nothing to choose between: one of it is chosen already. */
export function firstChoice(page: Pick<PageData, "items">, wanted: readonly WireLine[], limit: number): readonly WireLine[] {
  const [only, ...others] = page.items;
  if (wanted.length > 0 || only === undefined || others.length > 0 || limit < 1) return wanted;
  return [{ sku: only.sku, quantity: 1 }];
}

/** `limit` is how many units in all may be chosen now. */
export function createChoice(page: PageData, limit: () => number, onChange: () => void): Choice {
  const counts = new Map<string, number>();
  const lines = () => page.items.flatMap(({ sku }) => ((counts.get(sku) ?? 0) > 0 ? [{ sku, quantity: counts.get(sku) ?? 0 }] : []));
  const button = (attribute: string, sku: string) => find<HTMLButtonElement>(`[${attribute}="${CSS.escape(sku)}"]`);

  function draw(): void {
    const isFull = totalUnits(lines()) >= limit();
    for (const { sku } of page.items) {
      const count = counts.get(sku) ?? 0;
      const output = find(`[data-count="${CSS.escape(sku)}"]`);
      if (output !== null) output.textContent = String(count);
      // aria-disabled instead of disabled: a button that vanishes under the finger takes the focus with it.
      button("data-less", sku)?.setAttribute("aria-disabled", String(count === 0));
      button("data-more", sku)?.setAttribute("aria-disabled", String(isFull));
    }
    onChange();
  }

  function step(sku: string, by: 1 | -1): void {
    const count = counts.get(sku) ?? 0;
    if (by === 1 && totalUnits(lines()) >= limit()) return;
    counts.set(sku, Math.max(0, count + by));
    draw();
  }

  for (const { sku } of page.items) {
    button("data-less", sku)?.addEventListener("click", () => step(sku, -1));
    button("data-more", sku)?.addEventListener("click", () => step(sku, 1));
  }
  return {
    lines,
    set(wanted) {
      counts.clear();
      for (const { sku, quantity } of firstChoice(page, wanted, limit())) counts.set(sku, quantity);
      draw();
    },
  };
}

/** "2 × Moth tee, S and 1 × Moth poster". */
export function lineWords(page: Pick<PageData, "items">, lines: readonly WireLine[]): string {
  const words = lines.map(({ sku, quantity }) => `${quantity} × ${page.items.find((item) => item.sku === sku)?.title ?? sku}`);
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}
