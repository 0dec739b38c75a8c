/**
 * A recovery plan as one page of HTML: the verdict, a picture of the damage, and the ways out, best first.
 *
 * Invariant: the page is one file. It runs nothing, asks no network for anything, and holds no key unless the plan does.
 */

import type { RecoveredFile, RecoveryPlan, RecoveryReport, RecoveryVerdict, WayOut } from '@kayadb/engine';

import { countText, groupText } from '../count-text.ts';
import { verdictText } from '../recovery-text.ts';
import { VERSION } from '../version.ts';
import { type Html, piece, trusted } from './html.ts';
import { drawLog } from './log-picture.ts';
import { LOSS_HEAD, lossCells } from './loss-table.ts';
import { PLAN_PAGE_STYLE } from './plan-page-style.ts';
import { drawLevels, type NumberedPlace } from './plan-picture.ts';
import { basisText, keptText, lostText, wayOutCommand, wayOutTitle } from './plan-words.ts';

/** Bound: rows of one table; the JSON has all. */
const MAX_ROWS = 2000;

const MOODS: Readonly<Record<RecoveryVerdict, 'good' | 'warn' | 'bad'>> = {
  clean: 'good',
  recoverable: 'good',
  corrupt: 'bad',
  unsupported: 'warn',
  undecided: 'warn',
  empty: 'warn',
};

interface DamagedPlace extends NumberedPlace {
  readonly reason: string;
}

/** The whole file. */
export function renderPlanPage(plan: RecoveryPlan): string {
  const { report, waysOut } = plan;
  const places = report.damage.map((damage, index): DamagedPlace => ({ ...damage, number: index + 1 }));
  const page = piece`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${report.verdict}: ${report.directory}</title>
<style>${trusted(PLAN_PAGE_STYLE)}</style>
</head>
<body>
${describeVerdict(plan)}
${drawStore(plan, places)}
<h2>Ways out, best first</h2>
${waysOut.map((way, index) => describeWayOut(way, index + 1, report.directory))}
${listPlaces(places)}
${listFiles(report)}
${listWarnings(report)}
<footer>Written by kayactl ${VERSION} without changing anything in the folder.
What the fields mean: docs/reference/recovery-plan.md and docs/reference/recovery-report.md.</footer>
</body>
</html>
`;
  return page.text;
}

function describeVerdict(plan: RecoveryPlan): Html {
  const { report } = plan;
  const [word = '', text = ''] = verdictText(report).split(/: (.*)/);
  const live = report.live
    ? piece`<p class="warn-text">A process has the store open: this is a picture of a moment.</p>`
    : undefined;
  return piece`<div class="verdict ${MOODS[report.verdict]}"><h1>${word}</h1><p>${text}</p>${live}</div>
<dl class="facts">
<dt>folder</dt><dd><code>${report.directory}</code></dd>
<dt>known by</dt><dd>${basisText(plan)}</dd>
<dt>opening</dt><dd>${describeOpening(report)}</dd>
<dt>last write</dt><dd>${groupText(report.lastSequence)}</dd>
</dl>`;
}

function describeOpening({ opening, damage }: RecoveryReport): string {
  if (opening.outcome === 'creates') return 'would create a new store';
  if (opening.outcome === 'opens') {
    const fail = damage.length === 0 ? '' : '; reads of what is damaged would fail';
    const cut =
      opening.walTruncatedBytes === 0
        ? ''
        : `, and drop ${countText(opening.walTruncatedBytes, 'byte')} of a torn tail`;
    return `would succeed, replay ${countText(opening.recordsReplayed, 'record')} of the log${cut}${fail}`;
  }
  const where = opening.file === null ? '' : ` because of ${opening.file} at offset ${opening.offset}`;
  return `would be refused${where}: ${opening.reason}`;
}

function drawStore({ levels, report, waysOut }: RecoveryPlan, places: readonly DamagedPlace[]): Html {
  const losses = waysOut.flatMap((way) => way.losses);
  const tables = levels.flat().length === 0 ? piece`<p>No table is known.</p>` : drawLevels(levels, places);
  return piece`<h2>The store</h2>
${describeDescription(report)}
${tables}
${drawLog(report, losses, places)}
<p class="legend">Tables stand in the order of their keys; how wide they are, and what is between them, says nothing about how much they hold.</p>
<p class="legend"><span class="swatch-good"></span>reads well<span class="swatch-bad"></span>damaged, with its number in the list below <span class="swatch-missing"></span>missing or unreadable<span class="swatch-unused"></span>log behind damage</p>`;
}

/** CURRENT and the manifests, which the picture has no room for. */
function describeDescription({ files }: RecoveryReport): Html {
  const named = files.filter(({ kind, state }) => kind === 'current' || (kind === 'manifest' && state !== 'obsolete'));
  const parts = named.map(({ name, state }) => piece`<code>${name}</code><span>${stateText(state)}</span>`);
  return piece`<p class="parts">${parts}</p>`;
}

function stateText(state: RecoveredFile['state']): Html {
  const isBad = state === 'corrupt' || state === 'missing' || state === 'unreadable';
  if (isBad) return piece`<strong class="bad-text">${state}</strong>`;
  return state === 'torn-tail' ? piece`<span class="warn-text">${state}</span>` : piece`${state}`;
}

function describeWayOut(way: WayOut, number: number, directory: string): Html {
  const { summary, cautions, losses, doubtful } = way;
  const keys = doubtful?.slice(0, MAX_ROWS).map(({ key, sequence, file }) => [`hex:${key}`, sequence, file]);
  return piece`<section class="way">
<h3>${number}. ${wayOutTitle(way)}</h3>
<p>${summary}</p>
<dl><dt>keeps</dt><dd>${keptText(way)}</dd>
<dt>loses</dt><dd>${lostText(way)}</dd>
</dl>${
    cautions.length === 0 ? undefined : piece`<ul>${cautions.map((caution) => piece`<li>${caution}</li>`)}</ul>`
  } <code class="command">${wayOutCommand(way, directory)}</code>${losses.length === 0 ? undefined : listLosses(way)} ${
    keys === undefined || keys.length === 0
      ? undefined
      : piece`<h4>Doubtful keys</h4>${table(['KEY', 'WRITE', 'FILE'], keys)}`
  }</section>`;
}

function listLosses({ losses }: WayOut): Html {
  return piece`${table(LOSS_HEAD, losses.slice(0, MAX_ROWS).map(lossCells))}${moreText(losses.length)}`;
}

function listPlaces(places: readonly DamagedPlace[]): Html | undefined {
  if (places.length === 0) return undefined;
  const rows = places.slice(0, MAX_ROWS).map(({ number, file, offset, reason }) => [number, file, offset, reason]);
  return piece`<h2>Damaged places</h2>${table(['NUMBER', 'FILE', 'OFFSET', 'REASON'], rows)}${moreText(places.length)}`;
}

function listFiles({ files }: RecoveryReport): Html {
  const rows = files
    .slice(0, MAX_ROWS)
    .map(({ name, kind, state, level, bytes, entryCount, firstSequence, lastSequence }) => [
      name,
      kind,
      stateText(state),
      level ?? '',
      bytes,
      entryCount ?? '',
      firstSequence === null ? '' : `${firstSequence}-${lastSequence}`,
    ]);
  const head = ['FILE', 'KIND', 'STATE', 'LEVEL', 'BYTES', 'ENTRIES', 'WRITES'];
  return piece`<h2>Files</h2>${table(head, rows)}${moreText(files.length)}`;
}

function listWarnings({ warnings }: RecoveryReport): Html | undefined {
  if (warnings.length === 0) return undefined;
  return piece`<h2>Warnings</h2><ul>${warnings.map((warning) => piece`<li>${warning}</li>`)}</ul>`;
}

type Cell = string | number | Html;

/** Columns of numbers stand flush right. */
const NUMBERS: ReadonlySet<string> = new Set(['NUMBER', 'OFFSET', 'BYTES', 'ENTRIES', 'WRITE']);

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  const kindOf = (column: number): string => {
    const title = head[column]!;
    if (NUMBERS.has(title)) return 'number';
    if (title === 'FILE') return 'code';
    // Keys may be long; without them the column says next to nothing.
    return rows.some((cells) => hasKey(cells[column]!)) ? 'wrap' : '';
  };
  const titles = head.map((title, column) => piece`<th class="${kindOf(column)}">${title}</th>`);
  const lines = rows.map(
    (cells) => piece`<tr>${cells.map((cell, column) => piece`<td class="${kindOf(column)}">${cell}</td>`)}</tr>`,
  );
  return piece`<div class="scroll"><table><thead><tr>${titles}</tr></thead><tbody>${lines}</tbody></table></div>`;
}

function hasKey(cell: Cell): boolean {
  return typeof cell === 'string' && cell.includes('hex:');
}

function moreText(count: number): Html | undefined {
  return count <= MAX_ROWS ? undefined : piece`<p>and ${count - MAX_ROWS} more: --json lists them</p>`;
}
