import { contrastRatio } from "../../config/contrast.ts";
import type { Brand } from "../../config/store-config.ts";

const HEX = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i;

const colour = (text: string, otherwise: string) => (HEX.test(text) ? text : otherwise);

/**
 * The brand as custom properties in a stylesheet of its own, because the
 * content policy allows no inline style. The accent is used for words only
 * where it can be read on the paper; what stands on the accent is whichever of
 * paper and ink reads better.
 */
export function brandSheet(brand: Brand): string {
  const ink = colour(brand.ink, "#17130f");
  const paper = colour(brand.paper, "#f4efe6");
  const accent = colour(brand.accent, "#c2410c");
  const accentText = contrastRatio(accent, paper) >= 4.5 ? accent : ink;
  const onAccent = contrastRatio(paper, accent) >= contrastRatio(ink, accent) ? paper : ink;
  return `:root{--ink:${ink};--paper:${paper};--accent:${accent};--accent-text:${accentText};--on-accent:${onAccent}}\n`;
}

/** The colour for the browser's own frame around the page. */
export function themeColour(brand: Brand): string {
  return colour(brand.paper, "#f4efe6");
}
