/** The look of the page of a recovery plan: light, dark, and on paper. */

export const PLAN_PAGE_STYLE = `
:root { color-scheme: light dark;
  --paper: #ffffff; --ink: #1b2430; --soft: #5b6777; --line: #d7dde5; --card: #f6f8fa;
  --good: #2f7d4f; --bad: #c62f2f; --warn: #a86400; --bar: #7fa7d1; --bar-edge: #3d6fa3; --lane: #eef2f6; --unused: #c3ccd6; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #14181d; --ink: #e4e9ef; --soft: #98a4b3; --line: #343d48; --card: #1c2229;
  --good: #5fbf85; --bad: #ff6b61; --warn: #e2a33b; --bar: #40688f; --bar-edge: #86b3e0; --lane: #1e252d; --unused: #4a5561; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.5rem; margin: 0; line-height: 1.3; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 0; }
code, td.code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .88em; }
code { overflow-wrap: anywhere; }
.verdict { border-left: .5rem solid var(--soft); padding: .4rem 0 .4rem 1rem; }
.verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); } .verdict.warn { border-color: var(--warn); }
.verdict p { margin: .2rem 0 0; color: var(--soft); }
.way { border: 1px solid var(--line); border-radius: .5rem; background: var(--card); padding: 1rem 1.2rem; margin: 0 0 1rem;
  break-inside: avoid; }
.way p { margin: .5rem 0; }
.way dl, .facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.command { display: block; background: var(--paper); border: 1px solid var(--line); border-radius: .3rem; padding: .45rem .7rem;
  white-space: pre-wrap; margin-bottom: .8rem; }
.parts code { margin-right: .4em; } .parts span { margin-right: 1.6em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
th.number { text-align: right; } th:last-child { width: 100%; } th { white-space: nowrap; } td { white-space: nowrap; } td:last-child { white-space: normal; min-width: 16em; }
td.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 17em; } .bad-text { color: var(--bad); } .warn-text { color: var(--warn); }
ul { margin: .4rem 0; padding-left: 1.2rem; }
.legend { color: var(--soft); font-size: .85rem; margin: .3rem 0 0; }
.legend span { display: inline-block; width: .9em; height: .9em; border-radius: 2px; margin: 0 .35em 0 .9em; vertical-align: -.1em; }
.swatch-good { background: var(--bar); } .swatch-bad { background: var(--bad); } .swatch-unused { background: var(--unused); }
.swatch-missing { border: 2px dashed var(--bad); }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .soft { fill: var(--soft); } svg .lane { fill: var(--lane); } svg .bar { fill: var(--bar); stroke: var(--bar-edge); stroke-width: .7; }
svg .thin { stroke: none; }
svg .damage { fill: var(--bad); } svg .unused { fill: var(--unused); } svg .torn { fill: var(--warn); }
svg .missing { fill: none; stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 3; }
svg .mark { fill: var(--bad); font-weight: 700; font-size: 11px; } svg .in-bar { font-size: 11px; pointer-events: none;
  paint-order: stroke; stroke: var(--paper); stroke-width: 2.5px; stroke-linejoin: round; }
footer { margin-top: 2rem; color: var(--soft); font-size: .85rem; }
@page { margin: 1.5cm; }
@media print { :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --card: #fff; --good: #2f7d4f; --bad: #c62f2f; --warn: #a86400;
  --bar: #b9cfe6; --bar-edge: #3d6fa3; --lane: #f2f4f7; --unused: #ccc; }
  body { max-width: none; padding: 0; font-size: 10.5pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .scroll { overflow: visible; } table { font-size: 8.5pt; } th, td { padding-right: .5rem; }
  td { white-space: normal; } td.code, td.number { white-space: nowrap; } td.wrap { min-width: 15em; } td:last-child { min-width: 0; } th:last-child { width: auto; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
`;
