/** What a salvage has done, as text. */

import type { SalvageReport } from '@kayadb/engine';

import { groupedCountText } from '../count-text.ts';
import { shellWord } from '../shell-word.ts';
import { formatLosses } from './loss-table.ts';
import { lostText } from './plan-words.ts';

/** The command that checks the result. */
export function checkCommand({ target }: SalvageReport): string {
  return `kayactl --data ${shellWord(target)} verify`;
}

export async function describeSalvage(report: SalvageReport): Promise<string> {
  const { directory, target, policy, wayOut, rowCount, bytes } = report;
  const lines = [
    `OK salvaged into ${target}`,
    `from   ${directory}, which is as it was`,
    `policy ${policy}`,
    `kept   ${groupedCountText(rowCount, 'row')}, ${groupedCountText(bytes, 'byte')} of keys and values`,
    `lost   ${lostText(wayOut)}`,
    ...wayOut.cautions.map((caution) => `note   ${caution}`),
    `check  ${checkCommand(report)}`,
  ];
  if (wayOut.losses.length === 0) return lines.join('\n');
  return `${lines.join('\n')}\n\n${await formatLosses(wayOut.losses)}`;
}
