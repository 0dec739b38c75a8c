/**
 * A recovery plan as text, for somebody who is tired: the verdict, what is damaged, then the ways out, numbered, best first, each with
 * what it keeps, what it loses, and the command to type.
 */

import type { Loss, RecoveryPlan, WayOut } from '@kayadb/engine';

import { countText } from '../count-text.ts';
import { verdictText } from '../recovery-text.ts';
import { formatLosses } from './loss-table.ts';
import { basisText, keptText, lostText, wayOutCommand, wayOutTitle } from './plan-words.ts';

/** Bound: lines of one list; the JSON and the page have all. */
const MAX_LINES = 20;

/** No key is in it unless the plan has keys. */
export async function describePlan(plan: RecoveryPlan): Promise<string> {
  const { report, waysOut } = plan;
  const sections = [
    [
      verdictText(report),
      `directory ${report.directory}`,
      `known by ${basisText(plan)}`,
      report.live ? 'LIVE: a process has it open, so this is a picture of a moment' : '',
    ]
      .filter((line) => line !== '')
      .join('\n'),
    shorten(report.damage.map(({ file, offset, reason }) => `DAMAGE: ${file} at offset ${offset}: ${reason}`)),
    'WAYS OUT, best first. None of them has been taken; nothing has been changed.',
    ...(await Promise.all(waysOut.map((way, index) => describeWayOut(way, index + 1, report.directory)))),
    shorten(report.warnings.map((warning) => `WARNING: ${warning}`)),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

async function describeWayOut(way: WayOut, number: number, directory: string): Promise<string> {
  const lines = [
    `${number}. ${wayOutTitle(way)}`,
    indent(way.summary),
    indent(`keeps  ${keptText(way)}`),
    indent(`loses  ${lostText(way)}`),
    ...way.cautions.map((caution) => indent(`note   ${caution}`)),
    indent(`type   ${wayOutCommand(way, directory)}`),
  ];
  if (way.losses.length > 0) lines.push('', await describeLosses(way.losses));
  if (way.doubtful !== null && way.doubtful.length > 0) lines.push('', describeDoubtful(way));
  return lines.join('\n');
}

async function describeLosses(losses: readonly Loss[]): Promise<string> {
  return indent(await formatLosses(losses.slice(0, MAX_LINES))) + moreText(losses.length);
}

function describeDoubtful({ doubtful, doubtfulCount }: WayOut): string {
  const lines = (doubtful ?? [])
    .slice(0, MAX_LINES)
    .map(({ key, sequence, file }) => indent(`DOUBTFUL: hex:${key}, of write ${sequence}, in ${file}`));
  return lines.join('\n') + moreText(doubtfulCount);
}

function moreText(count: number): string {
  return count <= MAX_LINES ? '' : `\n${indent(`and ${count - MAX_LINES} more: --json and --html list them`)}`;
}

function shorten(lines: readonly string[]): string {
  if (lines.length <= MAX_LINES) return lines.join('\n');
  const rest = countText(lines.length - MAX_LINES, 'line');
  return [...lines.slice(0, MAX_LINES), `and ${rest} more: --json and --html have them all`].join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '   ');
}
