/** `kayactl inspect wal|sstable|manifest PATH` */

import { basename, dirname } from 'node:path';

import { type FileInspection, inspectFile, type InspectableKind, type RecoveredFile } from '@kayadb/engine';
import { type Command, InvalidArgumentError } from 'commander';

import { usageError } from '../cli-error.ts';
import { examples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { describeInspection, type Inspection } from '../inspection-text.ts';
import { withinGrace } from '../interruption.ts';
import type { CommandContext, Invocation } from '../invocation.ts';
import { describeFiles } from '../recovery-text.ts';
import { readReport, refuseServers } from './recover.ts';

interface InspectFlags {
  readonly showKeys?: boolean;
}

/** What the user calls it, and what the engine calls it. */
const KINDS: Readonly<Record<string, InspectableKind>> = { wal: 'wal', sstable: 'table', manifest: 'manifest' };

/** A file of each kind, in words. */
const NAMES: Readonly<Record<InspectableKind, string>> = {
  wal: 'a write-ahead log segment',
  table: 'an sstable',
  manifest: 'a manifest',
};

export function addInspectCommand(program: Command, invocation: Invocation): void {
  const command = program
    .command('inspect')
    .summary('take one file of a store apart, or report on all of one kind')
    .description(
      'If PATH is a file: every record, block or edit in it, where it stands and whether it verifies, also behind ' +
        'damage; the file is judged by itself, so it may be a copy from anywhere. If PATH is a folder: what recover ' +
        '--dry-run finds out about the files of that kind. Nothing is changed. Status 3: corrupt.',
    )
    .argument('<kind>', 'wal, sstable or manifest', parseKind)
    .argument('<path>', 'a file, or the folder of a store')
    .option('--show-keys', 'show keys, in hexadecimal; values are never shown');
  examples(command, [
    'kayactl inspect wal ./data',
    'kayactl inspect sstable ./data/000012.sst --show-keys',
    'kayactl inspect manifest ./data/MANIFEST-000002 --json',
  ]);
  invocation.handle<InspectFlags>(command, async (context, [kind = '', path = ''], flags) => {
    refuseServers(context);
    const stat = await context.io.fileSystem.stat(path);
    const showKeys = flags.showKeys === true;
    if (stat?.kind === 'directory') return inspectFolder(context, kind, path, showKeys);
    if (stat === undefined) throw noSuchFile(kind, path);
    if (stat.kind === 'other')
      throw usageError(`${path} is neither a file nor a folder`, 'Name a file of a store, or its folder.');
    const inspection = await withinGrace(
      inspectFile(context.io.fileSystem, path, kindOf(kind), { showKeys }),
      0,
      context.io,
    );
    return printInspection(context, path, refuseStrange(inspection, kind, path));
  });
}

async function inspectFolder(
  context: CommandContext,
  kind: string,
  path: string,
  showKeys: boolean,
): Promise<ExitCode> {
  const { output, globals } = context;
  const report = await readReport(context, path, showKeys);
  const files = report.files.filter((file) => file.kind === kindOf(kind));
  if (globals.json) await output.json({ live: report.live, files });
  else if (files.length > 0) await output.line(await describeFiles(files));
  return files.some(isCorrupt) ? EXIT.corruption : EXIT.ok;
}

async function printInspection(context: CommandContext, path: string, inspection: Inspection): Promise<ExitCode> {
  const { output, globals } = context;
  if (globals.json) await output.json({ name: basename(path), ...inspection });
  else await output.line(await describeInspection(basename(path), inspection));
  if (inspection.damage.length > 0) return EXIT.corruption;
  return inspection.header.checksum === 'unsupported' ? EXIT.invalidArgument : EXIT.ok;
}

/** @throws CliError KAYA_USAGE for a file of another kind. */
function refuseStrange(inspection: FileInspection, kind: string, path: string): Inspection {
  if (inspection.kind !== 'other') return inspection;
  const { found } = inspection;
  const actual = found === null ? '' : `; it opens as ${NAMES[found]} does`;
  throw usageError(
    `${path} is not ${NAMES[kindOf(kind)]}${actual}`,
    found === null
      ? `Run "kayactl inspect ${kind} ${dirname(path)}" for those that there are.`
      : `Run "kayactl inspect ${wordFor(found)} ${path}".`,
  );
}

function noSuchFile(kind: string, path: string): Error {
  return usageError(
    `there is no ${kind} file ${path}`,
    `Run "kayactl inspect ${kind} ${dirname(path)}" for those that there are.`,
  );
}

function isCorrupt({ state }: RecoveredFile): boolean {
  return state === 'corrupt' || state === 'missing';
}

/** Requires: a word that `parseKind` let pass. */
function kindOf(word: string): InspectableKind {
  return KINDS[word]!;
}

function wordFor(kind: InspectableKind): string {
  return kind === 'table' ? 'sstable' : kind;
}

function parseKind(text: string): string {
  if (Object.hasOwn(KINDS, text)) return text;
  throw new InvalidArgumentError('Give wal, sstable or manifest.');
}
