import { raw } from "hono/html";

/*
 * The picture of a drop that brought none: eight by eight quarter arcs, turned
 * and inked by the plan's commitment. Every drop gets one of its own, it weighs
 * nothing, and it is the promise of the draw made visible.
 */

const TILES = 8;
const INKS = [0, 1, 2, 3];

/**
 * The tiles of one ink: each a reference to the arc in one of its four turns.
 * Written out and not as elements, because there are sixty-four of them in every
 * page and an element without children is twice as long.
 */
function tilesOf(ink: number, cells: readonly number[]): string {
  return cells.map((cell, index) => (cell >> 2 === ink ? `<use href="#a${cell & 3}" x="${(index % TILES) * 10}" y="${Math.floor(index / TILES) * 10}"/>` : "")).join("");
}

export function Poster({ seed, title }: { readonly seed: string; readonly title: string }) {
  const cells = Array.from({ length: TILES * TILES }, (_, index) => Number.parseInt(seed.charAt(index % Math.max(1, seed.length)) || "0", 16) || 0);
  return (
    <svg class="poster-art" viewBox="0 0 80 80" role="img" aria-label={`A pattern drawn from the sealed commitment of ${title}`}>
      <defs>
        <g id="a0"><path d="M0 10A10 10 0 0 1 10 0V4A6 6 0 0 0 4 10Z" /><circle cx="10" cy="10" r="2" /></g>
        {[1, 2, 3].map((turn) => <g id={`a${turn}`}><use href="#a0" transform={`rotate(${turn * 90} 5 5)`} /></g>)}
      </defs>
      {INKS.map((ink) => <g class={`ink${ink}`}>{raw(tilesOf(ink, cells))}</g>)}
    </svg>
  );
}
