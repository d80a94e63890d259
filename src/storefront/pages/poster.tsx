/*
 * The picture of a drop that brought none: eight by eight quarter arcs, turned
 * and inked by the plan's commitment. Every drop gets one of its own, it weighs
 * nothing, and it is the promise of the draw made visible.
 */

const TILES = 8;
const TURNS = ["", "rotate(90 5 5)", "rotate(180 5 5)", "rotate(270 5 5)"];

export function Poster({ seed, title }: { readonly seed: string; readonly title: string }) {
  const cells = Array.from({ length: TILES * TILES }, (_, index) => Number.parseInt(seed.charAt(index % Math.max(1, seed.length)) || "0", 16) || 0);
  return (
    <svg class="poster-art" viewBox="0 0 80 80" role="img" aria-label={`A pattern drawn from the sealed commitment of ${title}`}>
      <defs>
        <g id="arc"><path d="M0 10A10 10 0 0 1 10 0V4A6 6 0 0 0 4 10Z" /><circle cx="10" cy="10" r="2" /></g>
      </defs>
      {cells.map((cell, index) => (
        <g class={`ink${cell >> 2}`} transform={`translate(${(index % TILES) * 10} ${Math.floor(index / TILES) * 10})`}>
          <use href="#arc" transform={TURNS[cell & 3] ?? ""} />
        </g>
      ))}
    </svg>
  );
}
