/** The whole style of the sandbox's pages, inlined and allowed by its hash. */
export const STYLE = `
:root{color-scheme:light;--ink:#1d1b18;--soft:#66605a;--line:#ddd6cc;--paper:#f6f2ec;--card:#fffdf9;--accent:#14532d;--warn:#8a1c1c}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;-webkit-text-size-adjust:100%}
.notice{padding:.6rem 1.25rem;background:repeating-linear-gradient(135deg,#f5d76e 0 14px,#f2cf55 14px 28px);color:#2b2205;text-align:center;font-size:.9rem;line-height:1.35}
.notice strong{font-weight:650}
main{max-width:27.5rem;margin:0 auto;padding:1.1rem 1.25rem 3rem}
main.wide{max-width:46rem}
.store{margin:0;color:var(--soft);font-size:.95rem;overflow-wrap:anywhere}
h1{margin:.1rem 0 1rem;font-size:2.35rem;line-height:1.15;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1.words{font-size:1.75rem}
h2{margin:2rem 0 .5rem;font-size:1.1rem}
.lines{list-style:none;margin:0 0 1.5rem;padding:0;border-top:1px solid var(--line)}
.lines li{display:flex;justify-content:space-between;gap:1rem;padding:.55rem 0;border-bottom:1px solid var(--line)}
.lines .what{min-width:0;overflow-wrap:anywhere}
.lines small{display:block;color:var(--soft)}
.lines .sum{white-space:nowrap;font-variant-numeric:tabular-nums}
.problem{margin:0 0 1.25rem;padding:.75rem 1rem;border-left:4px solid var(--warn);background:#fbeaea;color:#5c1010;border-radius:0 .5rem .5rem 0}
fieldset{margin:0 0 1.25rem;padding:0;border:0;min-width:0}
legend{padding:0 0 .5rem;font-weight:600}
.cards{border:1px solid var(--line);border-radius:.75rem;background:var(--card);overflow:hidden}
.cards label{display:flex;align-items:center;gap:.75rem;min-height:2.75rem;padding:.3rem 1rem;cursor:pointer}
.cards label+label{border-top:1px solid var(--line)}
.cards label:has(:checked){background:#eef4ee}
.cards input{width:1.15rem;height:1.15rem;margin:0;flex:none;accent-color:var(--accent)}
.cards .what{flex:1;line-height:1.3}
.cards .number{color:var(--soft);font-size:.9rem;font-variant-numeric:tabular-nums;white-space:nowrap}
button,.button{display:block;width:100%;min-height:3.1rem;margin:0 0 .65rem;padding:.7rem 1rem;border-radius:.75rem;border:1px solid var(--line);background:var(--card);color:var(--ink);font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
button.main,.button.main{background:var(--accent);border-color:var(--accent);color:#fff}
button.plain{border-color:transparent;background:none;color:var(--soft);font-weight:500;text-decoration:underline;text-underline-offset:.2em}
button:hover,.button:hover{filter:brightness(.96)}
:focus-visible{outline:3px solid #2563eb;outline-offset:2px}
.cards label:has(:focus-visible){outline:3px solid #2563eb;outline-offset:-3px}
.cards :focus-visible{outline:0}
.small{color:var(--soft);font-size:.875rem;margin:.25rem 0 0}
table{width:100%;border-collapse:collapse;font-size:.95rem}
td,th{padding:.45rem .75rem .45rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;font-weight:400}
@media (max-width:40rem){th{display:block;padding-bottom:0;border:0;font-weight:600}td{display:block}}
code{font:.875em ui-monospace,SFMono-Regular,Menlo,monospace;overflow-wrap:anywhere}
`;
