/** `inspect` of a node's directory, of a single file in it, and of the rows of its state machine. */

import { basename } from 'node:path';

import type { NodeFile } from '@kayadb/server';

import { usageError } from '../cli-error.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { withinGrace } from '../interruption.ts';
import type { CommandContext } from '../invocation.ts';
import { plainText } from '../plain-text.ts';
import { describeFiles } from '../recovery-text.ts';
import { isNodeFolder, nodeOptions } from './node-folder.ts';
import { readNodeReport } from './node-forensics.ts';
import { describeMachineRows, describeNodeFile } from './node-inspection-text.ts';
import { describeNodeFiles } from './node-report-text.ts';

/** What `inspect` calls the files of a node that no store has. */
export const NODE_KINDS = ['node', 'raft-log', 'raft-state', 'raft-snapshot', 'transfer', 'progress'] as const;
export const MACHINE_KIND = 'machine';

/** @returns `undefined` when the file is none of a node's. @throws CliError KAYA_USAGE when it is of another kind; FileSystemError. */
export async function inspectFileOfNode(
  context: CommandContext,
  kind: string | undefined,
  path: string,
  showKeys: boolean,
): Promise<ExitCode | undefined> {
  const { inspectNodeFile } = await import('@kayadb/server');
  const { io, output, globals } = context;
  const inspection = await withinGrace(inspectNodeFile(io.fileSystem, path, { showKeys }), 0, io);
  if (inspection === undefined) return undefined;
  if (kind !== undefined && inspection.kind !== kind) {
    throw usageError(
      `${path} is no ${kind}; it opens as ${inspection.kind} does`,
      `Run "kayactl inspect ${inspection.kind}" on it.`,
    );
  }
  const name = basename(path);
  if (globals.json) await output.json({ name, ...inspection });
  else await output.line(plainText(await describeNodeFile(name, inspection)));
  if (inspection.damage.length > 0) return EXIT.corruption;
  return inspection.kind !== 'node' && inspection.header.checksum === 'unsupported' ? EXIT.invalidArgument : EXIT.ok;
}

/** What `recover --dry-run` finds out about the files, or those of one kind. */
export async function inspectNodeFolder(
  context: CommandContext,
  kind: string | undefined,
  directory: string,
  showKeys: boolean,
): Promise<ExitCode> {
  const { output, globals } = context;
  const report = await readNodeReport(context, directory, showKeys);
  const isAsked = (file: { readonly kind: string }): boolean =>
    kind === undefined || file.kind === (kind === 'sstable' ? 'table' : kind);
  const files = report.files.filter(isAsked);
  const stored = (report.store?.files ?? []).filter(isAsked);
  const isBad = [...files, ...stored].some(({ state }) =>
    ['corrupt', 'missing', 'unreadable', 'foreign'].includes(state),
  );
  if (globals.json)
    await output.json({ live: report.live, files, storeFolder: report.storeFolder, storeFiles: stored });
  else {
    const sections = [
      files.flatMap(describeWrong).join('\n'),
      await describeNodeFiles(files),
      stored.length === 0 ? '' : `${report.storeFolder}:\n${await describeFiles(stored)}`,
    ].filter((section) => section !== '');
    await output.line(
      plainText(sections.length === 0 ? `no ${kind ?? ''} file is in ${directory}` : sections.join('\n\n')),
    );
  }
  return isBad ? EXIT.corruption : EXIT.ok;
}

/** Members, sessions and who is gone, as the store has them. @throws CliError KAYA_USAGE for what is no node's directory. */
export async function inspectMachine(context: CommandContext, directory: string): Promise<ExitCode> {
  if (!(await isNodeFolder(context, directory))) {
    throw usageError(
      `${directory} is not the folder of a node`,
      'Name a folder that was given to kayadb-server with --data.',
    );
  }
  const { NodeRows, readMachineRows } = await import('@kayadb/server');
  const { output, globals } = context;
  const rows = await NodeRows.open({ ...nodeOptions(context), directory, log: 'none' });
  try {
    const machine = await readMachineRows(rows);
    if (globals.json) await output.json({ directory, ...machine });
    else await output.line(plainText(await describeMachineRows(directory, machine)));
  } finally {
    await rows.close();
  }
  return EXIT.ok;
}

function describeWrong({ name, state, damage, reason }: NodeFile): readonly string[] {
  if (state === 'unreadable') return [`UNREADABLE: ${name}: ${reason}`];
  if (state === 'missing' || state === 'foreign') return [`DAMAGE: ${name} at offset 0: ${reason ?? 'it is missing'}`];
  return state === 'corrupt' ? damage.map((each) => `DAMAGE: ${name} at offset ${each.offset}: ${each.reason}`) : [];
}
