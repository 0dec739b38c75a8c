/** `kayactl inspect wal|sstable|manifest PATH` */

import { basename, dirname, resolve } from 'node:path';

import type { RecoveredFile, RecoveredFileKind } from '@kayadb/engine';
import { type Command, InvalidArgumentError } from 'commander';

import { usageError } from '../cli-error.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { describeFile, describeFiles } from '../recovery-text.ts';
import { readReport } from './recover.ts';

interface InspectFlags {
  readonly showKeys?: boolean;
}

/** What the user calls it, and what a report calls it. */
const KINDS: Readonly<Record<string, RecoveredFileKind>> = { wal: 'wal', sstable: 'table', manifest: 'manifest' };

export function addInspectCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('inspect')
    .summary('report on one file of a folder, or on all of one kind')
    .description(
      'Reports what recover --dry-run finds out about the files of one kind: all of them if PATH is a folder, one in ' +
        'full if PATH is a file. It is judged together with the store around it. Nothing is changed. Status 3: corrupt.',
    )
    .argument('<kind>', 'wal, sstable or manifest', parseKind)
    .argument('<path>', 'a file in the folder of a store, or the folder')
    .option('--show-keys', 'show the smallest and largest key of each table, in hexadecimal');
  examples(command, [
    'kayactl inspect wal ./data',
    'kayactl inspect sstable ./data/000012.sst --show-keys',
    'kayactl inspect manifest ./data --json',
  ]);
  invocation.handle<InspectFlags>(command, async (context, [kind = '', path = ''], flags) => {
    const showKeys = flags.showKeys === true;
    const stat = await context.io.fileSystem.stat(path);
    const isFolder = stat?.kind === 'directory';
    const report = await readReport(context, isFolder ? path : dirname(resolve(path)), showKeys);
    const files = report.files.filter((file) => file.kind === KINDS[kind]);
    if (isFolder) return printFiles(context, files, await describeFiles(files), report.live);
    const file = files.find(({ name }) => name === basename(path));
    if (file !== undefined) return printFiles(context, [file], describeFile(file), report.live);
    throw usageError(
      `there is no ${kind} file ${path}`,
      `Run "kayactl inspect ${kind} ${dirname(path)}" for those that there are.`,
    );
  });
}

async function printFiles(
  context: CommandContext,
  files: readonly RecoveredFile[],
  text: string,
  live: boolean,
): Promise<ExitCode> {
  const { output, globals } = context;
  if (globals.json) await output.json({ live, files });
  else if (files.length > 0) await output.line(text);
  const isCorrupt = files.some(({ state }) => state === 'corrupt' || state === 'missing');
  return isCorrupt ? EXIT.corruption : EXIT.ok;
}

function parseKind(text: string): string {
  if (Object.hasOwn(KINDS, text)) return text;
  throw new InvalidArgumentError('Give wal, sstable or manifest.');
}
