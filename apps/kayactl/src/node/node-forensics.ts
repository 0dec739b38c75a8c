/** `verify`, `recover --dry-run`, `--plan` and `--salvage`, where --data names the directory of a node. */

import type { SalvagePolicy } from '@kayadb/engine';
import type { LogShare, NodeReport, NodeSalvage } from '@kayadb/server';

import { withByteProgress } from '../byte-progress.ts';
import { groupedCountText } from '../count-text.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext } from '../invocation.ts';
import { plainText } from '../plain-text.ts';
import { formatLosses } from '../recovery/loss-table.ts';
import { shellWord } from '../shell-word.ts';
import { nodeOptions } from './node-folder.ts';
import {
  describeHead,
  describeNodeReport,
  describeNodeVerification,
  nodeExitCode,
  nodeVerificationDocument,
} from './node-report-text.ts';
import { describeNodeWays, nodeWaysOut } from './node-ways-out.ts';

export async function readNodeReport(
  context: CommandContext,
  directory: string,
  showKeys = false,
): Promise<NodeReport> {
  const { inspectNode } = await import('@kayadb/server');
  return withByteProgress(context, (onProgress) =>
    inspectNode(directory, { ...nodeOptions(context, onProgress), showKeys }),
  );
}

export async function verifyNode(context: CommandContext, directory: string): Promise<ExitCode> {
  const { output, globals } = context;
  const report = await readNodeReport(context, directory);
  if (globals.json) await output.json(nodeVerificationDocument(report));
  else await output.line(plainText(describeNodeVerification(report)));
  return nodeExitCode(report);
}

export async function dryRunNode(context: CommandContext, directory: string, showKeys: boolean): Promise<ExitCode> {
  const { output, globals } = context;
  const report = await readNodeReport(context, directory, showKeys);
  if (globals.json) await output.json(report);
  else await output.line(plainText(await describeNodeReport(report)));
  return nodeExitCode(report);
}

export async function planNode(context: CommandContext, directory: string, showKeys: boolean): Promise<ExitCode> {
  const { output, globals } = context;
  const report = await readNodeReport(context, directory, showKeys);
  const ways = nodeWaysOut(report);
  if (globals.json) await output.json({ format: 1, ways, report });
  else {
    const damage = report.damage.map(({ file, offset, reason }) => `DAMAGE: ${file} at offset ${offset}: ${reason}`);
    const sections = [describeHead(report), damage.join('\n'), 'The ways out, best first:', describeNodeWays(ways)];
    await output.line(plainText(sections.filter((section) => section !== '').join('\n\n')));
  }
  return nodeExitCode(report);
}

export interface NodeSalvageFlags {
  readonly log: LogShare;
  readonly policy: SalvagePolicy;
  readonly showKeys: boolean;
}

export async function salvageNodeFolder(
  context: CommandContext,
  directory: string,
  target: string,
  flags: NodeSalvageFlags,
): Promise<ExitCode> {
  const { salvageNode, refuseTakenFolder } = await import('@kayadb/server');
  const { io, output, globals } = context;
  await refuseTakenFolder(io.fileSystem, target);
  const report = await withByteProgress(context, (onProgress) =>
    salvageNode(directory, target, { ...nodeOptions(context, onProgress), ...flags }),
  );
  const check = `kayactl --data ${shellWord(target)} verify`;
  if (globals.json) await output.json({ ok: true, ...report, check });
  else await output.line(plainText(await describeNodeSalvage(report, check)));
  return EXIT.ok;
}

async function describeNodeSalvage(report: NodeSalvage, check: string): Promise<string> {
  const { directory, target, rowCount, bytes, appliedIndex, lastRevision, entriesLeftOut, store, reach } = report;
  const lines = [
    `OK salvaged into ${target}`,
    `from   ${directory}, which is as it was`,
    `kept   ${groupedCountText(rowCount, 'row')}, ${groupedCountText(bytes, 'byte')} of keys and values; the newest was written by entry ${lastRevision}`,
    appliedIndex === null ? 'state  of no single moment: the store is damaged' : `state  of entry ${appliedIndex}`,
    `left   revisions, sessions and members${entriesLeftOut === 0 ? '' : `, and ${groupedCountText(entriesLeftOut, 'entry', 'entries')} of the log behind that${describeCommit(reach)}`}`,
    `check  ${check}`,
  ];
  const losses = store?.wayOut.losses ?? [];
  return losses.length === 0 ? lines.join('\n') : `${lines.join('\n')}\n\n${await formatLosses(losses)}`;
}

function describeCommit(reach: NodeSalvage['reach']): string {
  return reach === null ? '' : `: files say that up to ${reach.commit} they are committed; --log all takes them all`;
}
