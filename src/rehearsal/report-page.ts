import type { NightReport, Plot, Report } from "./report.ts";
import type { Table } from "./table.ts";

/** What the page is made of beside the report: uPlot's own script and style, put into it whole. */
export interface PlotLibrary {
  readonly script: string;
  readonly style: string;
}

/**
 * The report as one file that needs nothing else: it can be sent by mail and
 * opened in ten years. Every plot is also a table, for readers of screens, for
 * paper, and for browsers without script.
 */
export function reportPage(report: Report, { madeAt, library, figures }: { readonly madeAt: string; readonly library: PlotLibrary; /** The same for programs. */ readonly figures: unknown }): string {
  const plots = report.nights.flatMap(({ plots: ofNight }) => ofNight);
  let plotNumber = 0;
  const nights = report.nights.map((night, index) => nightSection(night, index === 0, () => plotNumber++));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${escaped(report.isPassed ? "Passed" : "Failed")}: a rehearsed night</title>
<style>${library.style}${STYLE}</style>
</head>
<body>
<main>
<h1 class="${report.isPassed ? "passed" : "failed"}">${escaped(report.verdict)}</h1>
${report.sentences.map((sentence) => `<p>${escaped(sentence)}</p>`).join("\n")}
${tableHtml(report.shares)}
${nights.join("\n")}
<p class="fine">Made by npm run rehearse on ${escaped(madeAt)}. Nothing in this file is loaded from anywhere.</p>
</main>
<script type="application/json" id="plots">${jsonInHtml(plots.map(({ kind, x, series, xLabel, yLabel }) => ({ kind, x, series, xLabel, yLabel })))}</script>
<script type="application/json" id="figures">${jsonInHtml(figures)}</script>
<script>${library.script.replaceAll("</script", "<\\/script")}</script>
<script>${DRAW}</script>
</body>
</html>
`;
}

function nightSection({ title, checks, tables, plots, notes }: NightReport, isOpen: boolean, nextPlot: () => number): string {
  return `<details class="night"${isOpen ? " open" : ""}>
<summary><h2>${escaped(title)}</h2></summary>
<ul class="checks">${checks.map(({ name, isHeld, seen }) => `<li class="${isHeld ? "held" : "broken"}"><strong>${isHeld ? "Held" : "Broken"}:</strong> ${escaped(name)}. <span>${escaped(seen)}</span></li>`).join("")}</ul>
${plots.map((plot) => plotHtml(plot, nextPlot())).join("\n")}
${tables.map(tableHtml).join("\n")}
<h3>Read with this in mind</h3>
<ul>${notes.map((note) => `<li>${escaped(note)}</li>`).join("")}</ul>
</details>`;
}

function plotHtml({ title, note, table }: Plot, number: number): string {
  return `<figure>
<figcaption><h3>${escaped(title)}</h3><p>${escaped(note)}</p></figcaption>
<div class="plot" data-plot="${number}" role="img" aria-label="${escaped(`${title}. The figures are in the table below.`)}"></div>
<details><summary>The figures of this plot</summary>${tableHtml({ ...table, title: "", note: null })}</details>
</figure>`;
}

function tableHtml({ title, columns, rows, note }: Table): string {
  const heading = title === "" ? "" : `<h3>${escaped(title)}</h3>`;
  return `<section>${heading}<div class="scrolls" tabindex="0" role="region" aria-label="${escaped(title || "Figures")}"><table>
<thead><tr>${columns.map((column) => `<th scope="col">${escaped(column)}</th>`).join("")}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map((cell, index) => (index === 0 ? `<th scope="row">${escaped(cell)}</th>` : `<td>${escaped(cell)}</td>`)).join("")}</tr>`).join("\n")}</tbody>
</table></div>${note === null ? "" : `<p class="fine">${escaped(note)}</p>`}</section>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** JSON that cannot end its script element. */
function jsonInHtml(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

const STYLE = `
:root { color-scheme: light dark; --ink: #17130f; --paper: #fbf9f5; --line: #d8d2c6; --fine: #5d564b; --good: #1c6b34; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #efe9df; --paper: #171512; --line: #443e35; --fine: #b3aa9b; --good: #7fd295; --bad: #ff9b91; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; line-height: 1.3; border-left: 0.4rem solid; padding-left: 0.8rem; }
h1.passed { border-color: var(--good); } h1.failed { border-color: var(--bad); }
h2 { display: inline; font-size: 1.15rem; } h3 { font-size: 1rem; margin: 1.4rem 0 0.3rem; }
details.night { border-top: 1px solid var(--line); padding: 1rem 0; }
summary { cursor: pointer; padding: 0.4rem 0; }
figure { margin: 1rem 0; } figcaption p, .fine { color: var(--fine); font-size: 0.9rem; margin: 0.2rem 0; }
.checks { list-style: none; padding: 0; } .checks li { padding: 0.3rem 0 0.3rem 0.8rem; border-left: 0.25rem solid; margin: 0.2rem 0; }
.checks .held { border-color: var(--good); } .checks .broken { border-color: var(--bad); } .checks span { color: var(--fine); }
li, p { overflow-wrap: anywhere; } .scrolls { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.85rem; } th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.8rem 0.25rem 0; border-bottom: 1px solid var(--line); }
td { font-variant-numeric: tabular-nums; } td:last-child { min-width: 8rem; } .plot { min-height: 1rem; } .u-legend { font-size: 0.85rem; }
`;

const DRAW = `
(() => {
  const plots = JSON.parse(document.getElementById("plots").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colours = () => dark.matches ? ["#e8b04b", "#7fb2ff", "#7fd295", "#ff9b91", "#c8a2ff", "#8fdede"] : ["#a06a00", "#1f5fbf", "#1c6b34", "#b3261e", "#6b3fb0", "#137373"];
  const drawn = new Map();
  function draw(element) {
    const { kind, x, series, xLabel, yLabel } = plots[Number(element.dataset.plot)];
    const width = element.clientWidth;
    if (width === 0) return;
    drawn.get(element)?.destroy();
    const css = getComputedStyle(document.documentElement);
    const axis = (label) => ({ label, stroke: css.getPropertyValue("--ink"), grid: { stroke: css.getPropertyValue("--line") }, ticks: { stroke: css.getPropertyValue("--line") } });
    const palette = colours();
    const line = (colour) => kind === "points"
      ? { stroke: colour, paths: () => null, points: { show: true, size: 3, stroke: colour, fill: colour } }
      : { stroke: colour, width: 2, points: { show: false }, ...(kind === "steps" ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}) };
    const options = {
      width, height: Math.min(360, Math.max(220, width * 0.5)), scales: { x: { time: false } }, legend: { live: false }, axes: [axis(xLabel), axis(yLabel)],
      series: [{}, ...series.map(({ label }, index) => ({ label, ...line(palette[index % palette.length]) }))],
    };
    drawn.set(element, new uPlot(options, [x, ...series.map(({ values }) => values)], element));
  }
  const drawAll = () => document.querySelectorAll("[data-plot]").forEach(draw);
  drawAll();
  addEventListener("resize", drawAll);
  dark.addEventListener("change", drawAll);
  document.addEventListener("toggle", drawAll, true);
})();
`;
